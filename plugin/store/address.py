"""Where the store is: the embedded SQLite file, or the PostgreSQL database that VISITCUE_DATABASE_URL names."""

import os
import re
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from plugin.settings import Settings
from plugin.store.errors import StoreError

FILE = "visitcue.sqlite"
"""The name of the embedded database in the data folder."""

EXPECTED = (
    "VISITCUE_DATABASE_URL: expected the address of a PostgreSQL database, such as postgresql://user@host:5432/visitcue"
    " (a password stands between user: and @, and what is no letter or digit in it is written as % and two hex digits);"
    " without it the store is a SQLite file in VISITCUE_DATA_DIR."
)
_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_HOST = re.compile(r"[\w.:%\[\]-]*|/[^@?]*", re.ASCII)
"""A host's name or address, or the folder of a socket. Anything else is half of a password that was not encoded."""


def address(settings: Settings) -> URL:
    """The store's address; raises StoreError with a sentence that repeats nothing of the setting."""
    given = settings.database_url.get_secret_value().strip() if settings.database_url else ""
    if not given:
        return URL.create("sqlite", database=str(settings.data_dir / FILE))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise StoreError(EXPECTED) from None
    if url.drivername not in _SCHEMES or not _HOST.fullmatch(url.host or "") or not url.database:
        raise StoreError(EXPECTED)
    if any("password" in option for option in url.query):  # it would be printed with the engine
        raise StoreError(EXPECTED)
    return url.set(drivername="postgresql+psycopg")


def shown(url: URL) -> str:
    """The address as it may be printed: without the password and without options."""
    if url.drivername == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def make_file(path: Path) -> None:
    """An empty file that only its owner may read, in a folder likewise where there was none; one that is there stays.

    SQLite gives the files that it puts beside it the same mode. Raises OSError.
    """
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if path.exists():  # opening and closing a file in use would drop this process's own locks on it
        return
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return  # another process was faster
