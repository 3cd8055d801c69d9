"""Removing what is old: shown cards with their feedback, day by day, so that nobody waits long for a writer."""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from plugin.store.engine import Engine, told
from plugin.store.tables import FEEDBACK, SHOWN_CARD


class Pruned(NamedTuple):
    """How many rows were removed."""

    cards: int
    feedback: int


_COUNTED = {"preserve_rowcount": True}
_OLDEST = sa.select(sa.func.min(SHOWN_CARD.c.day)).where(SHOWN_CARD.c.day < sa.bindparam("before"))
_CARDS = sa.delete(SHOWN_CARD).where(SHOWN_CARD.c.day == sa.bindparam("that"))
_THEIR_FEEDBACK = sa.delete(FEEDBACK).where(
    FEEDBACK.c.card.in_(sa.select(SHOWN_CARD.c.card).where(SHOWN_CARD.c.day == sa.bindparam("that")))
)
_FEEDBACK_ON_NO_CARD = sa.delete(FEEDBACK).where(
    FEEDBACK.c.received < sa.bindparam("before"),
    ~sa.exists().where(SHOWN_CARD.c.card == FEEDBACK.c.card),
)


def prune(engine: Engine, before: dt.date) -> Pruned:
    """Remove cards first shown before a day, with their feedback, and feedback on unknown cards from before it.

    Raises StoreUnavailable.
    """
    cards = feedback = 0
    with told():
        while True:
            with engine.connect() as connection:
                day = connection.execute(_OLDEST, {"before": before}).scalar_one()
            if day is None:
                break
            with engine.begin() as connection:
                feedback += connection.execute(_THEIR_FEEDBACK, {"that": day}, execution_options=_COUNTED).rowcount
                cards += connection.execute(_CARDS, {"that": day}, execution_options=_COUNTED).rowcount
        midnight = dt.datetime.combine(before, dt.time(), dt.UTC)
        with engine.begin() as connection:
            gone = connection.execute(_FEEDBACK_ON_NO_CARD, {"before": midnight}, execution_options=_COUNTED)
            feedback += gone.rowcount
    return Pruned(cards, feedback)
