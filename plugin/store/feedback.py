"""Feedback as it is stored: one row for each card and outcome, the latest by the client's own clock."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from cds_hooks.feedback import Feedback, Reason
from plugin.cards import REASONS
from plugin.store.engine import Engine, durable, told
from plugin.store.tables import FEEDBACK

OTHER = "other"
"""What is stored of a reason that none of our cards offers: whatever a client put there may name a patient."""

_OURS = {reason.code: reason.system for reason in REASONS}


def save(engine: Engine, service: str, entries: Iterable[Feedback], received: dt.datetime) -> None:
    """Store feedback, all of it or nothing, and on the disk when this returns. Raises StoreUnavailable.

    The same again changes nothing; a later word on the same card and outcome takes the place of the earlier.
    """
    rows = [_row(entry, service, received) for entry in sorted(entries, key=lambda entry: entry.card)]
    if rows:
        with told(), durable(engine) as connection:
            connection.execute(_UPSERT[engine.dialect.name], rows)


def _row(entry: Feedback, service: str, received: dt.datetime) -> dict[str, Any]:
    code, system = _stored(entry.reason) if entry.reason else (None, None)
    return {
        "card": entry.card,
        "outcome": entry.outcome,
        "at": entry.at,
        "received": received,
        "service": service,
        "suggestions": [str(one) for one in entry.suggestions],
        "reason": code,
        "reason_system": system,
        "commented": entry.commented,
    }


def _stored(reason: Reason) -> tuple[str, str | None]:
    """The code and the system of a reason that our cards offer; the system may be left out."""
    ours = _OURS.get(reason.code)
    return (reason.code, ours) if ours and reason.system in ("", ours) else (OTHER, None)


def _upsert(insert: "postgresql.Insert | sqlite.Insert") -> "postgresql.Insert | sqlite.Insert":
    keys = [FEEDBACK.c.card, FEEDBACK.c.outcome]
    rest = {column.name: insert.excluded[column.name] for column in FEEDBACK.c if column not in set(keys)}
    return insert.on_conflict_do_update(index_elements=keys, set_=rest, where=FEEDBACK.c.at < insert.excluded.at)


_UPSERT: dict[str, sa.Insert] = {
    "sqlite": _upsert(sqlite.insert(FEEDBACK)),
    "postgresql": _upsert(postgresql.insert(FEEDBACK)),
}
