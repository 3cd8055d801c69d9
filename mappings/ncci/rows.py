"""One row of each official table, as its file says it."""

import datetime as dt

import msgspec


class PairRow(msgspec.Struct, frozen=True):
    """A procedure-to-procedure edit with the dates of service that it answers for; `until` is None where it is open.

    `indicator` is 0 (no modifier helps), 1 (one may), or 9: the edit was deleted on the day on which it began.
    """

    column1: str
    column2: str
    since: dt.date
    until: dt.date | None
    indicator: int
    rationale: str


class MueRow(msgspec.Struct, frozen=True):
    """The most units of a code; `indicator` is how they are counted: 1 a line, 2 and 3 a date of service."""

    code: str
    units: int
    indicator: int
    rationale: str
