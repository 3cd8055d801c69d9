"""Clients that are web pages may call: every endpoint answers their browser's question before it asks who calls.

No credentials of the browser's (cookies, certificates) are ever accepted, so any page may be allowed to call; a
token is sent by the page itself.
"""

from flask import Flask, Response, request

from plugin.settings import Settings
from plugin.web.request_log import HEADER

EXPOSED = ("WWW-Authenticate", "Retry-After", HEADER)
"""Headers of answers that a page may read beside those that it always may."""

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": f"Authorization, Content-Type, {HEADER}",
    "Access-Control-Max-Age": "600",
}


def add(app: Flask, settings: Settings) -> None:
    """Put the headers on every answer, refusals included."""
    any_origin = settings.cors_origins == ["*"]
    origins = frozenset(settings.cors_origins)
    exposed = ", ".join(EXPOSED)

    @app.after_request
    def with_cors(response: Response) -> Response:
        headers = response.headers
        if any_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        else:
            headers.add("Vary", "Origin")
            origin = request.headers.get("Origin")
            if origin not in origins:
                return response
            headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = exposed
        if request.method == "OPTIONS":
            headers.extend(PREFLIGHT)
        return response
