"""One log line and one count for each request, and the id by which the caller and the log speak of it."""

import re
import time
import uuid
from typing import Any

import msgspec
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


class _Under(msgspec.Struct, gc=False):
    """The request under way: its id, when it began, the prefetch keys that a path may name, and what is told of it."""

    id: str
    began: float
    keys: frozenset[str]
    told: dict[str, Any]


def note(**fields: object) -> None:
    """Add fields to the log line of the request under way; docs/operations.md lists them all."""
    under: _Under = g.under
    under.told.update(fields)


def note_refusal(refusal: Refusal) -> None:
    """Add why a request is refused: the kinds of issues, and the JSON paths as far as they are ours to know."""
    under: _Under = g.under
    under.told["reasons"] = [issue.code for issue in refusal.issues]
    under.told["paths"] = [shown_path(issue.path, under.keys) for issue in refusal.issues if issue.path]


def add(app: Flask, keys: dict[str, frozenset[str]]) -> None:
    """Log and count every request; `keys` are the prefetch keys of each service, by the service's id."""
    log = structlog.get_logger()
    every = frozenset[str]().union(*keys.values())

    @app.before_request
    def began() -> None:
        sent = request.headers.get(HEADER, "")
        under = _Under(sent.lower() if _UUID.fullmatch(sent) else str(uuid.uuid4()), time.perf_counter(), every, {})
        g.under = under
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=under.id)

    @app.after_request
    def ended(response: Response) -> Response:
        under: _Under = g.under
        asked = request._get_current_object()  # type: ignore[attr-defined]  # each use of the proxy is a look-up
        seconds = time.perf_counter() - under.began
        response.headers[HEADER] = under.id
        route = asked.endpoint or "none"
        method = asked.method if asked.method in METHODS else "other"
        status = response.status_code
        told = {"route": route, "method": method, "status": status, "ms": round(seconds * 1000, 3), **under.told}
        service = (asked.view_args or {}).get("service_id", "")
        if service in keys:
            told["service"] = service
        else:
            service = ""  # an id that the caller made up is not repeated
        if client := g.get("client"):
            told["client"] = client
        event, write = "answered", log.debug if route in QUIET else log.info
        if status >= 400:
            event, write = ("refused", log.info) if status < 500 else ("failed", log.error)
        write(event, **told)
        metrics.count_request(route, service, status, seconds, told.get("reasons", ()))
        return response
