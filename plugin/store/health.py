"""Whether the store answers."""

import threading

import sqlalchemy as sa

from plugin.store.engine import Engine, told
from plugin.store.errors import StoreUnavailable
from plugin.store.tables import SHOWN_CARD

WITHIN_SECONDS = 1.0

_LOOK = sa.select(SHOWN_CARD.c.times).limit(1)


def is_ready(engine: Engine, seconds: float = WITHIN_SECONDS) -> bool:
    """Whether a table can be read within this time.

    A database that went away without a word keeps its caller waiting for longer than a probe has, so the look is taken
    by a thread, which the engine's own bounds end within some seconds.
    """
    answered = threading.Event()

    def look() -> None:
        try:
            with told(), engine.connect() as connection:
                connection.execute(_LOOK).all()
        except StoreUnavailable:
            return
        answered.set()

    thread = threading.Thread(target=look, name="store-probe", daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()
