"""Opening the store: SQLAlchemy's engine with bounds on every wait, and the schema brought up to date.

SQLite writes with `synchronous=NORMAL`: in WAL mode nothing that was committed is lost when the process dies, and the
file stays whole when the machine does; only the last moments before a power cut may be missing. What must survive
that as well is written in a `durable` transaction, which waits for the disk.
"""

import contextlib
import os
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import SQLAlchemyError

from plugin.settings import Settings
from plugin.store import migrating
from plugin.store.address import address, make_file, shown
from plugin.store.errors import StoreError, StoreUnavailable

__all__ = ["Connection", "Engine", "connect", "durable", "open_store", "told"]

WAIT_SECONDS = 3
"""How long a free connection, a new connection or another writer is waited for."""
STATEMENT_SECONDS = 5
CONNECTIONS, MORE = 5, 3
"""Four threads that serve and one that records, and some for probes and retention."""


def open_store(settings: Settings) -> Engine:
    """The store, made or brought up to the program's version; raises StoreError with one sentence.

    The engine belongs to this process: a child that is forked from it begins with connections of its own.
    """
    engine = connect(settings)
    try:
        if engine.dialect.name == "sqlite":
            _make(engine.url)
        migrating.upgrade(engine)
    except StoreError:
        engine.dispose()
        raise
    return engine


def _make(url: sa.URL) -> None:
    try:
        make_file(Path(str(url.database)))
    except OSError as error:
        raise StoreUnavailable(f"The store {shown(url)} cannot be made: {error.strerror}.") from None


def connect(settings: Settings) -> Engine:
    """The engine, without a look at what it leads to; raises StoreError where the setting is no address."""
    url = address(settings)
    engine = _sqlite(url) if url.drivername == "sqlite" else _postgresql(url)
    of_child = weakref.ref(engine)
    os.register_at_fork(after_in_child=lambda: _forget(of_child()))
    weakref.finalize(engine, _close, engine.pool, os.getpid())
    return engine


def _close(pool: sa.Pool, owner: int) -> None:
    """Closes the connections of an engine that nobody holds any more, in the process that they belong to."""
    if os.getpid() == owner:
        pool.dispose()


def _forget(engine: Engine | None) -> None:
    """Lets go of the connections that belong to the parent process, without a word to the database."""
    if engine is not None:
        engine.dispose(close=False)


def _sqlite(url: sa.URL) -> Engine:
    engine = sa.create_engine(
        url,
        connect_args={"timeout": WAIT_SECONDS},
        pool_size=CONNECTIONS,
        max_overflow=MORE,
        pool_timeout=WAIT_SECONDS,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")

    return engine


def _postgresql(url: sa.URL) -> Engine:
    engine = sa.create_engine(
        url,
        connect_args={
            "connect_timeout": WAIT_SECONDS,
            "tcp_user_timeout": STATEMENT_SECONDS * 1000,
            "application_name": "visitcue",
        },
        pool_size=CONNECTIONS,
        max_overflow=MORE,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,  # a database that was restarted is not seen by whoever asks next
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
        connection.commit()

    return engine


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turns the errors of the database into StoreUnavailable. Their own messages may quote values, so none is kept."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The store does not answer ({type(error).__name__}).") from None


@contextlib.contextmanager
def durable(engine: Engine) -> Iterator[Connection]:
    """A transaction that is on the disk when it ends, whatever happens to the machine then.

    PostgreSQL does so by itself; SQLite is told to for this one.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA synchronous = FULL")
        try:
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            connection.exec_driver_sql("PRAGMA synchronous = NORMAL")
