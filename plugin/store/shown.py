"""Which cards were shown. Nothing of a patient, a visit, a line or a note: what is kept is named in `ShownCard`."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy.dialects import postgresql, sqlite

from cds_hooks.cards import Card
from plugin.cards import EXTENSION
from plugin.store.engine import Engine, told
from plugin.store.tables import SHOWN_CARD


class ShownCard(NamedTuple):
    """All that is kept of a card. A tuple, because one is made for each card of each answer."""

    card: str
    service: str
    finding: str
    level: str
    edition: str
    day: dt.date
    suggestions: tuple[str, ...]


def of_answer(service: str, cards: list[Card], day: dt.date) -> list[ShownCard]:
    """What is kept of an answer; the cards themselves, which hold the caller's resources, are not held on to."""
    kept = []
    for card in cards:
        finding = card.extension[EXTENSION]
        suggestions = tuple([one.uuid for one in card.suggestions])
        kept.append(
            ShownCard(card.uuid, service, finding["code"], card.indicator, finding["edition"], day, suggestions)
        )
    return kept


def _upsert(insert: "postgresql.Insert | sqlite.Insert") -> "postgresql.Insert | sqlite.Insert":
    return insert.on_conflict_do_update(
        index_elements=[SHOWN_CARD.c.card], set_={"times": SHOWN_CARD.c.times + insert.excluded.times}
    )


_UPSERT = {"sqlite": _upsert(sqlite.insert(SHOWN_CARD)), "postgresql": _upsert(postgresql.insert(SHOWN_CARD))}


def write(engine: Engine, cards: Iterable[ShownCard]) -> None:
    """Stores cards; one that is there already is counted once more. Raises StoreUnavailable."""
    # In the order of their ids, so that two processes that write the same cards do not wait for each other.
    rows = [
        {
            **card._asdict(),
            "card": uuid.UUID(card.card),
            "payer": card.edition.partition("@")[0],
            "suggestions": list(card.suggestions),
            "times": times,
        }
        for card, times in sorted(Counter(cards).items(), key=lambda pair: pair[0].card)
    ]
    if rows:
        with told(), engine.begin() as connection:
            connection.execute(_UPSERT[engine.dialect.name], rows)
