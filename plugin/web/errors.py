"""Everything that is not answered with 200 is answered with a FHIR OperationOutcome."""

import msgspec
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_hooks.outcome import Issue, Refusal, operation_outcome
from plugin.logs import place_of
from plugin.web.media import FHIR_JSON
from plugin.web.request_log import note, note_refusal


def add(app: Flask) -> None:
    """Answer refusals, HTTP errors and our own failures; none of them repeats what the caller sent."""

    @app.errorhandler(Refusal)
    def refused(refusal: Refusal) -> Response:
        note_refusal(refusal)
        return outcome(refusal.status, refusal.issues)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        note(reasons=["processing"])
        words = error.description or error.name
        return outcome(error.code or 500, (Issue("processing", words),))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        # The message may hold the caller's data, so only the kind of error and its place are logged.
        note(error=type(error).__name__, where=place_of(error.__traceback__))
        return outcome(500, (Issue("exception", "VisitCue failed on this request; its log says where."),))


def outcome(status: int, issues: tuple[Issue, ...]) -> Response:
    """These issues as an answer."""
    return Response(msgspec.json.encode(operation_outcome(issues)), status, mimetype=FHIR_JSON)
