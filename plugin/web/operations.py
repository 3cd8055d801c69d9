"""What the people who run the service ask it: is it alive, is it ready, what has it done, what does it offer."""

import hmac
from collections.abc import Callable

import msgspec
import structlog
from flask import Flask, Response, request

from cds_hooks.outcome import Issue, Refusal
from mappings import books_in_force
from plugin import metrics
from plugin.settings import Settings
from plugin.web.calling import from_outside
from plugin.web.errors import outcome
from plugin.web.media import JSON
from plugin.web.request_log import note

Check = tuple[str, Callable[[], bool]]
"""A name for the answer, and whether the thing is ready. A check must end in time by itself; one that raises failed."""


def add(app: Flask, description: bytes, checks: tuple[Check, ...], settings: Settings) -> None:
    """Add /health/live, /health/ready, /metrics and /openapi.json; `description` is the body of the last."""
    log = structlog.get_logger()
    token = settings.metrics_token
    ncci = books_in_force.installed_ncci(settings.ncci_folder)
    editions = {"base_edition": books_in_force.edition(settings.base_book, ncci)}

    @app.get("/health/live")
    def live() -> Response:
        return Response(msgspec.json.encode({"status": "ok"}), mimetype=JSON)

    @app.get("/health/ready")
    def ready() -> Response:
        told = {name: "ok" if _holds(log, name, check) else "failed" for name, check in checks}
        failed = [name for name, state in told.items() if state == "failed"]
        if failed:
            note(checks=failed)
        body = msgspec.json.encode({"status": "failed" if failed else "ok", "checks": told})
        return Response(body, 503 if failed else 200, mimetype=JSON)

    @app.get("/metrics")
    def scrape() -> Response:
        if token is None:
            # A page of the web may call by a browser on this machine; it then says so.
            if from_outside(request) or "Origin" in request.headers:
                words = "Metrics are for this machine alone; set VISITCUE_METRICS_TOKEN to read them from another one."
                raise Refusal(403, Issue("forbidden", words))
        elif not hmac.compare_digest(_bearer(), token.get_secret_value().encode()):
            note(reasons=["login"])
            refused = outcome(401, (Issue("login", "Metrics need the token of VISITCUE_METRICS_TOKEN as a Bearer."),))
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        return Response(metrics.exposition(editions), content_type=metrics.MEDIA_TYPE)

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(description, mimetype=JSON)


def _holds(log: structlog.typing.FilteringBoundLogger, name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Exception as error:  # whatever it raises, the answer is no
        log.warning("check-failed", check=name, error=type(error).__name__)
        return False


def _bearer() -> bytes:
    kind, _, sent = request.headers.get("Authorization", "").partition(" ")
    return sent.strip().encode() if kind.lower() == "bearer" else b""
