"""Browser clients may call from anywhere; no credentials are accepted from them."""

from flask import Flask, Response

HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization",
    "Access-Control-Max-Age": "600",
}


def add(app: Flask) -> None:
    """Put the headers on every answer, refusals included."""

    @app.after_request
    def with_cors(response: Response) -> Response:
        response.headers.extend(HEADERS)
        return response
