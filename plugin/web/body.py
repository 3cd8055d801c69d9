"""Taking a request's body: what it says it is, before anybody reads it."""

from flask import Flask, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from cds_hooks.outcome import Issue, Refusal
from plugin.web.errors import refused
from plugin.web.media import FHIR_JSON, JSON

NOT_RECEIVED = "visitcue.not_received"
"""The key of the WSGI environment under which a server says why (a Refusal) it has no body to hand over."""

_CHARSETS = frozenset({"", "utf-8", "utf8", "us-ascii"})


def add(app: Flask) -> None:
    """Refuse first of all what the server could not receive. To be added before anything that looks at requests."""

    @app.before_request
    def refuse_what_was_not_received() -> Response | None:
        refusal = request.environ.get(NOT_RECEIVED)
        return None if refusal is None else refused(refusal)


def json_body() -> bytes:
    """The bytes of the request under way, which must be announced as plain JSON in UTF-8; raises Refusal (415)
    or the 413 of the framework.

    A compressed body is not taken: a few bytes can unfold to as many as they like. Nothing is gained by it either,
    where EHR and service stand in one network.
    """
    if request.mimetype not in ("", JSON, FHIR_JSON):
        raise Refusal(415, Issue("not-supported", f"The body must be JSON (Content-Type: {JSON})."))
    if request.mimetype_params.get("charset", "").lower() not in _CHARSETS:
        raise Refusal(
            415, Issue("not-supported", "The body must be JSON in UTF-8; Content-Type names another charset.")
        )
    if request.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        words = "The body must not be compressed (Content-Encoding: identity)."
        raise Refusal(415, Issue("not-supported", words), headers={"Accept-Encoding": "identity"})
    body = request.get_data(cache=False)
    if len(body) == request.max_content_length:
        raise RequestEntityTooLarge
    return body
