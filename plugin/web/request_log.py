"""One log line and one count for each request, and the id by which the caller and the log speak of it."""

import re
import time
import uuid

import structlog
from flask import Flask, Response, g, request

from cds_hooks.outcome import Refusal
from plugin import metrics
from plugin.known_paths import shown_path

HEADER = "X-Request-ID"

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The only ids that are taken over: any other form may be a name or a number of a record, and would be in the log."""

QUIET = frozenset({"live", "ready", "scrape"})
"""What is asked for by machines, many times a minute: logged at the level debug only, unless it is refused."""


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Any other method is a word of the caller's and is not repeated."""


def note(**fields: object) -> None:
    """Add fields to the log line of the request under way; docs/operations.md lists them all."""
    g.told.update(fields)


def note_refusal(refusal: Refusal) -> None:
    """Add why a request is refused: the kinds of issues, and the JSON paths as far as they are ours to know."""
    note(
        reasons=[issue.code for issue in refusal.issues],
        paths=[shown_path(issue.path, g.keys) for issue in refusal.issues if issue.path],
    )


def add(app: Flask, keys: dict[str, frozenset[str]]) -> None:
    """Log and count every request; `keys` are the prefetch keys of each service, by the service's id."""
    log = structlog.get_logger()
    every = frozenset[str]().union(*keys.values())

    @app.before_request
    def began() -> None:
        sent = request.headers.get(HEADER, "")
        g.request_id = sent.lower() if _UUID.fullmatch(sent) else str(uuid.uuid4())
        g.began = time.perf_counter()
        g.told = {}
        g.keys = every
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def ended(response: Response) -> Response:
        seconds = time.perf_counter() - g.began
        response.headers[HEADER] = g.request_id
        route = request.endpoint or "none"
        named = (request.view_args or {}).get("service_id", "")
        service = named if named in keys else ""
        status = response.status_code
        method = request.method if request.method in METHODS else "other"
        told = {"route": route, "method": method, "status": status, "ms": round(seconds * 1000, 3), **g.told}
        if service:
            told["service"] = service
        if client := g.get("client"):
            told["client"] = client
        if status < 400:
            (log.debug if route in QUIET else log.info)("answered", **told)
        elif status < 500:
            log.info("refused", **told)
        else:
            log.error("failed", **told)
        metrics.count_request(route, service, status, seconds, g.told.get("reasons", ()))
        return response
