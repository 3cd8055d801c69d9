"""What the store is: where, which version, how much is in it."""

from pathlib import Path

import msgspec
import sqlalchemy as sa

from plugin.store import migrating
from plugin.store.address import shown
from plugin.store.engine import Engine, told
from plugin.store.tables import FEEDBACK, SEEN_TOKEN, SHOWN_CARD

_KEPT = {"shown_cards": SHOWN_CARD, "feedback": FEEDBACK, "seen_tokens": SEEN_TOKEN}


class Info(msgspec.Struct, frozen=True):
    """The store's address without a password, its version ("" for an empty one), the program's, and rows by table."""

    address: str
    version: str
    newest: str
    rows: dict[str, int]


def info(engine: Engine) -> Info:
    """What there is to say of a store, which is not changed; raises StoreUnavailable."""
    if engine.dialect.name == "sqlite" and not Path(str(engine.url.database)).exists():
        return Info(shown(engine.url), "", migrating.newest(), {})  # to connect would be to make it
    with told(), engine.connect() as connection:
        there = set(sa.inspect(connection).get_table_names())
        rows = {
            name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for name, table in _KEPT.items()
            if table.name in there
        }
        return Info(shown(engine.url), migrating.version(connection), migrating.newest(), rows)
