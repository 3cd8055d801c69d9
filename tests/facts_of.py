"""The visit facts of a hook request, by the way that every request takes."""

import datetime as dt
import functools

from mappings.visit import Line, Visit
from plugin.answer import Answer, Setup, answer, from_prefetch
from plugin.hooks.common import HookService
from plugin.services import services
from plugin.settings import Settings
from tests.builders import Json, text
from tests.exchange import SERVICE_OF

TODAY = dt.date(2026, 11, 21)
"""What the tests' calendar says; no visit of theirs is on that day."""


@functools.cache
def _services() -> dict[str, HookService]:
    return {one.service.id: one for one in services(Settings())}


def answered(request: Json) -> Answer:
    """What becomes of a request, before it is written as JSON."""
    setup = Setup("hns", TODAY)
    return answer(_services()[SERVICE_OF[request["hook"]]], text(request), from_prefetch, setup, insist=False)


def visits(request: Json) -> list[Visit]:
    return [one.visit for one in answered(request).reviewed]


def visit(request: Json) -> Visit:
    """The one visit of a request."""
    (one,) = visits(request)
    return one


def line(request: Json, place: int = 0) -> Line:
    """A line of the one visit."""
    return visit(request).lines[place]


def unreadable(request: Json) -> list[str]:
    """The paths of what could not be read."""
    return [
        str(path)
        for finding in answered(request).whole
        if finding.code == "facts.unreadable"
        for path in _texts(finding.slots["paths"])
    ]


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
