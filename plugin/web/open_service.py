"""A service that anybody may call answers this machine only, unless it was said that it may be reached from outside.

Whatever server runs the application: a request that came from elsewhere shows by its address, by what a proxy put on
it, or by the name that was called.
"""

import re

from flask import Flask, Request, Response, request

from cds_hooks.outcome import Issue
from plugin.loopback import is_loopback
from plugin.settings import Settings
from plugin.web.errors import outcome
from plugin.web.request_log import note
from plugin.web.trust import is_protocol

REASON = "open-service"
_PORT = re.compile(r":\d*$")

_OF_PROXIES = (
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP",
    "HTTP_CF_CONNECTING_IP",
    "HTTP_TRUE_CLIENT_IP",
)


def add(app: Flask, settings: Settings) -> None:
    """Refuse calls of the protocol that come from outside, as long as the installation is not made for them."""
    if not settings.why_not_reached:
        return
    words = f"This service answers its own machine only, because {settings.why_not_reached}."

    @app.before_request
    def stay_inside() -> Response | None:
        asked = request._get_current_object()  # type: ignore[attr-defined]  # each use of the proxy is a look-up
        if asked.method == "OPTIONS" or not is_protocol(asked.path) or not _from_outside(asked):
            return None
        note(reasons=[REASON])
        return outcome(403, (Issue("forbidden", words),))


def _from_outside(asked: Request) -> bool:
    if not is_loopback(asked.remote_addr or "") or any(name in asked.environ for name in _OF_PROXIES):
        return True
    # A proxy calls it by a public name; a page in a browser of this machine by a name of the page's (DNS rebinding).
    host = asked.host.lower()
    return not is_loopback(_PORT.sub("", host))
