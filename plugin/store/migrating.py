"""Bringing the schema up to the program's version, one process at a time."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from plugin.store.address import shown
from plugin.store.errors import StoreError, StoreUnavailable

VERSION_TABLE = "visitcue_version"
LOCK = 0x7669736974
"""The advisory lock of PostgreSQL under which a schema is changed; any number that others do not use."""
WAIT_SECONDS = 60
"""How long another process that changes the schema is waited for."""


def upgrade(engine: Engine, to: str = "head") -> None:
    """Makes or upgrades the tables; raises StoreError where they are newer, StoreUnavailable where that cannot be."""
    try:
        if engine.dialect.name == "sqlite":
            _write_ahead(engine)
        with engine.connect() as connection:
            _lock(connection)
            _refuse_newer(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            connection.commit()
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The store {shown(engine.url)} cannot be opened: {_why(engine, error)}.") from None


def version(connection: Connection) -> str:
    """The version of the tables, "" where there are none."""
    return _context(connection).get_current_revision() or ""


def newest() -> str:
    """The version that this program works with."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    # The value is one of a configuration file, where a percent sign would begin a name.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _context(connection: Connection) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})


def _refuse_newer(connection: Connection) -> None:
    found = version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found and found not in known:
        raise StoreError(
            f"The store {shown(connection.engine.url)} has the version {found!r}, and this VisitCue knows none newer"
            f" than {newest()!r}: run the VisitCue that wrote it, or restore a backup of the older version."
        )


def _write_ahead(engine: Engine) -> None:
    """Puts the file into WAL mode, in which it stays. SQLite does not wait for others here, so we do."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _lock(connection: Connection) -> None:
    """From here on to the end of the transaction no other process changes the schema."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{WAIT_SECONDS}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _why(engine: Engine, error: SQLAlchemyError) -> str:
    """The driver's own reason, in one line and without the password."""
    words = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
    password = engine.url.password
    return words.replace(str(password), "***") if password else words
