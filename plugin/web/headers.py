"""Headers of every answer: cards hold health information, so no cache keeps them, and no browser guesses their type."""

from flask import Flask, Response

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def add(app: Flask) -> None:
    """Put the headers on every answer, refusals included."""

    @app.after_request
    def with_headers(response: Response) -> Response:
        response.headers.extend(HEADERS)
        return response
