"""Everything that is not answered with 200 is answered with a FHIR OperationOutcome."""

import msgspec
import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_hooks.outcome import Issue, Refusal, operation_outcome
from plugin.web.media import FHIR_JSON


def add(app: Flask) -> None:
    """Answer refusals, HTTP errors and our own failures; none of them repeats what the caller sent."""
    log = structlog.get_logger()

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        log.info("refused", status=refusal.status, issues=[issue.path for issue in refusal.issues])
        return outcome(refusal.status, refusal.issues)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        words = error.description or error.name
        return outcome(error.code or 500, (Issue("processing", words),))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        # The message may hold the caller's data, so only the kind of error and its place are logged.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
        log.error("failed", error=type(error).__name__, where=where)
        return outcome(500, (Issue("exception", "VisitCue failed on this request; its log says where."),))


def outcome(status: int, issues: tuple[Issue, ...]) -> Response:
    """These issues as an answer."""
    return Response(msgspec.json.encode(operation_outcome(issues)), status, mimetype=FHIR_JSON)
