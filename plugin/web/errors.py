"""Everything that is not answered with 200 is answered with a FHIR OperationOutcome."""

from collections.abc import Mapping

import msgspec
import structlog
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_hooks.outcome import Issue, Refusal, code_of_status, operation_outcome
from plugin.web.media import FHIR_JSON

WORDS = {
    400: "The request is not one that HTTP allows.",
    404: "There is nothing at this address; GET /cds-services lists the services.",
    405: "This address does not answer this method; the Allow header has those that it answers.",
    413: "The body is larger than this service reads.",
}
"""What the framework's own refusals say. Its descriptions are not used: some of them quote the request."""

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


log = structlog.get_logger()


def add(app: Flask) -> None:
    """Answer refusals, HTTP errors and our own failures; none of them repeats what the caller sent."""
    # Two slashes in a row would be answered with a redirect to the address that was called, in HTML.
    app.url_map.merge_slashes = False

    app.register_error_handler(Refusal, refused)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        sent = dict(error.get_headers())
        headers = {name: sent[name] for name in KEPT_HEADERS if name in sent}
        return outcome(status, (Issue(code_of_status(status), WORDS.get(status, f"{error.name}.")),), headers)

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        # The message may hold the caller's data, so only the kind of error and its place are logged.
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place is not None else ""
        log.error("failed", error=type(error).__name__, where=where)
        return outcome(500, (Issue("exception", "VisitCue failed on this request; its log says where."),))


def refused(refusal: Refusal) -> Response:
    """A refusal as an answer, and in the log."""
    log.info("refused", status=refusal.status, issues=[issue.path for issue in refusal.issues])
    return outcome(refusal.status, refusal.issues, refusal.headers)


def outcome(status: int, issues: tuple[Issue, ...], headers: Mapping[str, str] | None = None) -> Response:
    """These issues as an answer."""
    return Response(msgspec.json.encode(operation_outcome(issues)), status, headers, mimetype=FHIR_JSON)
