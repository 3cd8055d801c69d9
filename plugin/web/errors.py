"""Everything that is not answered with 200 is answered with a FHIR OperationOutcome."""

from collections.abc import Mapping

import msgspec
from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_hooks.outcome import Issue, Refusal, code_of_status, operation_outcome
from plugin.logs import place_of
from plugin.web.media import FHIR_JSON
from plugin.web.request_log import note, note_refusal

WORDS = {
    400: "The request is not one that HTTP allows.",
    404: "There is nothing at this address; GET /cds-services lists the services.",
    405: "This address does not answer this method; the Allow header has those that it answers.",
    413: "The body is larger than this service reads.",
}
"""What the framework's own refusals say. Its descriptions are not used: some of them quote the request."""

KEPT_HEADERS = ("Allow", "Retry-After", "WWW-Authenticate")


def add(app: Flask) -> None:
    """Answer refusals, HTTP errors and our own failures; none of them repeats what the caller sent."""
    # Two slashes in a row would be answered with a redirect to the address that was called, in HTML.
    app.url_map.merge_slashes = False

    app.register_error_handler(Refusal, refused)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        issue = Issue(code_of_status(status), WORDS.get(status, f"{error.name}."))
        note(reasons=[issue.code])
        sent = dict(error.get_headers())
        return outcome(status, (issue,), {name: sent[name] for name in KEPT_HEADERS if name in sent})

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        # The message may hold the caller's data, so only the kind of error and its place are logged.
        note(error=type(error).__name__, where=place_of(error.__traceback__))
        return outcome(500, (Issue("exception", "VisitCue failed on this request; its log says where."),))


def refused(refusal: Refusal) -> Response:
    """A refusal as an answer, and in the log."""
    note_refusal(refusal)
    return outcome(refusal.status, refusal.issues, refusal.headers)


def outcome(status: int, issues: tuple[Issue, ...], headers: Mapping[str, str] | None = None) -> Response:
    """These issues as an answer."""
    return Response(msgspec.json.encode(operation_outcome(issues)), status, headers, mimetype=FHIR_JSON)
