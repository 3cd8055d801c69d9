"""A service that anybody may call answers this machine only, unless it was said that it may be reached from outside.

Whatever server runs the application, a call that came from elsewhere is told by plugin/web/calling.py.
"""

from flask import Flask, Response, request

from cds_hooks.outcome import Issue
from plugin.settings import Settings
from plugin.web.calling import from_outside
from plugin.web.errors import outcome
from plugin.web.request_log import note
from plugin.web.trust import is_protocol

REASON = "open-service"


def add(app: Flask, settings: Settings) -> None:
    """Refuse calls of the protocol that come from outside, as long as the installation is not made for them."""
    if not settings.why_not_reached:
        return
    words = f"This service answers its own machine only, because {settings.why_not_reached}."

    @app.before_request
    def stay_inside() -> Response | None:
        asked = request._get_current_object()  # type: ignore[attr-defined]  # each use of the proxy is a look-up
        if asked.method == "OPTIONS" or not is_protocol(asked.path) or not from_outside(asked):
            return None
        note(reasons=[REASON])
        return outcome(403, (Issue("forbidden", words),))
