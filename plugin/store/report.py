"""What became of the cards, counted: for each finding, payer, service or reason."""

import datetime as dt
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from plugin.store.engine import Connection, Engine, told
from plugin.store.tables import FEEDBACK, SHOWN_CARD

By = Literal["finding", "payer", "service", "reason"]
NO_REASON = "(none given)"


class Counted(msgspec.Struct, frozen=True):
    """The cards of one finding, payer or service. A card counts with the last that was said of it."""

    key: str
    shown: int
    accepted: int
    overridden: int

    @property
    def unanswered(self) -> int:
        """Cards of which nothing was said: they were ignored, or the EHR sends no feedback."""
        return self.shown - self.accepted - self.overridden


class Reasons(msgspec.Struct, frozen=True):
    """The overridden cards for which one reason was given; `commented` are those with words of the user's own."""

    key: str
    system: str
    overridden: int
    commented: int


class Report(msgspec.Struct, frozen=True):
    """What was asked for, the sum of all cards, and the feedback that fits no card.

    `unknown_cards`: feedback on cards of which there is no record (never shown, removed since, or not yet written).
    `unknown_suggestions`: accepted cards that name a suggestion which the card did not offer.
    """

    rows: tuple[Counted, ...] | tuple[Reasons, ...]
    total: Counted
    unknown_cards: int
    unknown_suggestions: int


_PLACE = sa.func.row_number().over(
    partition_by=FEEDBACK.c.card,
    order_by=(FEEDBACK.c.at.desc(), FEEDBACK.c.received.desc(), FEEDBACK.c.outcome),
)
_RANKED = sa.select(FEEDBACK, _PLACE.label("place")).subquery()
_LAST = sa.select(_RANKED).where(_RANKED.c.place == 1).subquery("last")
_TOLD = SHOWN_CARD.outerjoin(_LAST, _LAST.c.card == SHOWN_CARD.c.card)


def report(engine: Engine, since: dt.date | None, until: dt.date | None, by: By) -> Report:
    """The report over the cards first shown from one day to another, both included. Raises StoreUnavailable."""
    with told(), engine.connect() as connection:
        days = _between(SHOWN_CARD.c.day, since, until)
        (total,) = _counted(connection, sa.literal("all"), days)
        rows: tuple[Counted, ...] | tuple[Reasons, ...]
        rows = _reasons(connection, days) if by == "reason" else _counted(connection, SHOWN_CARD.c[by], days)
        return Report(rows, total, _unknown_cards(connection, since, until), _unknown_suggestions(connection, days))


def _counted(connection: Connection, key: sa.ColumnElement[str], days: sa.ColumnElement[bool]) -> tuple[Counted, ...]:
    shown = sa.func.count()
    query = sa.select(key.label("key"), shown, _times("accepted"), _times("overridden")).select_from(_TOLD).where(days)
    if isinstance(key, sa.Column):
        query = query.group_by(key).order_by(shown.desc(), key)
    return tuple(Counted(*row) for row in connection.execute(query))


def _times(outcome: str) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((_LAST.c.outcome == outcome, 1), else_=0)), 0)


def _reasons(connection: Connection, days: sa.ColumnElement[bool]) -> tuple[Reasons, ...]:
    reason = sa.func.coalesce(_LAST.c.reason, NO_REASON)
    system = sa.func.coalesce(_LAST.c.reason_system, "")
    commented = sa.func.sum(sa.case((_LAST.c.commented, 1), else_=0))
    query = (
        sa.select(reason, system, sa.func.count(), commented)
        .select_from(_TOLD)
        .where(days, _LAST.c.outcome == "overridden")
        .group_by(_LAST.c.reason, _LAST.c.reason_system)
        .order_by(sa.func.count().desc(), _LAST.c.reason, _LAST.c.reason_system)
    )
    return tuple(Reasons(*row) for row in connection.execute(query))


def _unknown_cards(connection: Connection, since: dt.date | None, until: dt.date | None) -> int:
    after = dt.datetime.combine(since, dt.time(), dt.UTC) if since else None
    before = dt.datetime.combine(until + dt.timedelta(days=1), dt.time(), dt.UTC) if until else None
    received = sa.and_(
        sa.true(),
        *([_LAST.c.received >= after] if after else []),
        *([_LAST.c.received < before] if before else []),
    )
    of_no_card = ~sa.exists().where(SHOWN_CARD.c.card == _LAST.c.card)
    found: int = connection.execute(
        sa.select(sa.func.count()).select_from(_LAST).where(received, of_no_card)
    ).scalar_one()
    return found


def _unknown_suggestions(connection: Connection, days: sa.ColumnElement[bool]) -> int:
    query = (
        sa.select(SHOWN_CARD.c.suggestions, _LAST.c.suggestions)
        .select_from(_TOLD)
        .where(days, _LAST.c.outcome == "accepted")
    )
    pairs: list[Any] = list(connection.execute(query))
    return sum(not set(accepted) <= set(offered) for offered, accepted in pairs)


def _between(day: sa.Column[Any], since: dt.date | None, until: dt.date | None) -> sa.ColumnElement[bool]:
    return sa.and_(sa.true(), *([day >= since] if since else []), *([day <= until] if until else []))
