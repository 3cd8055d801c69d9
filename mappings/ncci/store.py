"""The imported NCCI tables on disk, one SQLite file each: what they look like, and what they answer.

A file is never changed once it is in place (`drafts` writes another one beside it), so readers need no locks, and a
reader that has it open keeps what it had.
"""

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Generic, Literal, TypeVar

import msgspec

from mappings.errors import RuleFileError
from mappings.ncci import editions
from mappings.ncci.rows import MueRow, PairRow

T = TypeVar("T")
Kind = Literal["pairs", "limits"]
FILES: dict[Kind, str] = {"pairs": "ptp.sqlite", "limits": "mue.sqlite"}

Connection = sqlite3.Connection
StoreError = sqlite3.Error

LAYOUT = 1
"""Raised when the tables below change; a file of another layout is not read, but imported again."""

# Days are stored as ordinals, 0 where there is none. Without a rowid the table is its own index for a pair; the second
# index answers for a code in column 2, and is made once all rows are there, which is several times quicker.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rationales (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
CREATE TABLE pairs (
    column1 TEXT NOT NULL, column2 TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    indicator INTEGER NOT NULL, rationale INTEGER NOT NULL,
    PRIMARY KEY (column1, column2, since, until, indicator, rationale)
) WITHOUT ROWID;
CREATE TABLE limits (
    code TEXT PRIMARY KEY, units INTEGER NOT NULL, indicator INTEGER NOT NULL, rationale INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIEW pairs_in_words AS
    SELECT column1, column2, since, until, indicator, words FROM pairs JOIN rationales ON id = rationale;
CREATE VIEW limits_in_words AS
    SELECT code, units, indicator, words FROM limits JOIN rationales ON id = rationale;
"""
SECOND_INDEX = "CREATE INDEX pairs_by_column2 ON pairs (column2)"

# What is written is thrown away unless it is whole, so it needs no journal and no promise until the end.
WRITING = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -32768;
"""

PAIRS_AMONG = """
SELECT * FROM pairs_in_words
WHERE column1 IN (SELECT value FROM json_each(?1)) AND column2 IN (SELECT value FROM json_each(?1))
"""
PAIRS_OF = "SELECT * FROM pairs_in_words WHERE column1 = ?1 OR column2 = ?1"
PAIR = "SELECT * FROM pairs_in_words WHERE column1 = ? AND column2 = ?"
LIMITS_AMONG = "SELECT * FROM limits_in_words WHERE code IN (SELECT value FROM json_each(?))"


class File(msgspec.Struct, frozen=True):
    """A file that a table was imported from."""

    name: str
    sha256: str


class Installed(msgspec.Struct, frozen=True):
    """What is known of a stored table: its edition, when and from what it was imported, and how many rows it has."""

    edition: str
    imported: dt.date
    files: tuple[File, ...]
    rows: int


class Stored(msgspec.Struct, Generic[T], frozen=True):
    """Rows of a stored table; its edition is such as "2026q3", a quarter from the day `begins` to the day `ends`."""

    edition: str
    begins: dt.date
    ends: dt.date
    imported: dt.date
    files: tuple[str, ...]
    rows: tuple[T, ...]


Look = Callable[[str, str], tuple[PairRow, ...]]
"""The rows of one pair, column 1 first."""


def stored_pairs(folder: Path, codes: Collection[str]) -> Stored[PairRow] | None:
    """The rows whose two codes are both among these; None where nothing is installed. Raises RuleFileError."""
    return _stored(folder, "pairs", lambda connection: pairs_among(connection, codes))


def pairs_of(folder: Path, code: str) -> Stored[PairRow] | None:
    """Every row with this code in column 1 or column 2; None where nothing is installed. Raises RuleFileError."""
    return _stored(folder, "pairs", lambda connection: _pairs(connection.execute(PAIRS_OF, (code,))))


def stored_limits(folder: Path, codes: Collection[str]) -> Stored[MueRow] | None:
    """The units of these codes; None where nothing is installed. Raises RuleFileError."""
    return _stored(folder, "limits", lambda connection: limits_among(connection, codes))


def pair_rows(folder: Path, column1: str, column2: str) -> tuple[PairRow, ...] | None:
    """The rows of one pair; None where nothing is installed. `reader` is for many of them. Raises RuleFileError."""
    with reader(folder) as look:
        return look(column1, column2) if look else None


@contextlib.contextmanager
def reader(folder: Path) -> Iterator[Look | None]:
    """A look-up of pairs that keeps its connection, for one thread; None where nothing is installed."""
    path = folder / FILES["pairs"]
    with _opened(path) as connection:
        if connection is None:
            yield None
            return
        _about(path, connection)

        def look(column1: str, column2: str) -> tuple[PairRow, ...]:
            with _sound(path):
                return _pairs(connection.execute(PAIR, (column1, column2)))

        yield look


def installed(folder: Path, kind: Kind) -> Installed | None:
    """What is known of a stored table; None where nothing is installed. Raises RuleFileError."""
    path = folder / FILES[kind]
    with _opened(path) as connection:
        return _about(path, connection) if connection else None


def remove(folder: Path) -> list[Kind]:
    """Takes away the stored tables, whatever state they are in, and says which there were. Raises RuleFileError."""
    gone: list[Kind] = []
    for kind, name in FILES.items():
        try:
            (folder / name).unlink()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise RuleFileError(f"{folder / name}: this table cannot be removed: {error.strerror}.") from None
        gone.append(kind)
    return gone


def pairs_among(connection: Connection, codes: Collection[str]) -> tuple[PairRow, ...]:
    """The rows of an open table whose two codes are both among these."""
    return _pairs(connection.execute(PAIRS_AMONG, (json.dumps(sorted(codes)),)))


def limits_among(connection: Connection, codes: Collection[str]) -> tuple[MueRow, ...]:
    """The rows of an open table for these codes."""
    found = connection.execute(LIMITS_AMONG, (json.dumps(sorted(codes)),))
    return tuple(sorted((MueRow(*row) for row in found), key=lambda row: row.code))


def _pairs(found: sqlite3.Cursor) -> tuple[PairRow, ...]:
    rows = [
        PairRow(one, two, dt.date.fromordinal(since), dt.date.fromordinal(until) if until else None, indicator, words)
        for one, two, since, until, indicator, words in found
    ]
    rows.sort(key=lambda row: (row.column1, row.column2, row.since, row.until or dt.date.max, row.indicator))
    return tuple(rows)


def _stored(folder: Path, kind: Kind, find: Callable[[Connection], tuple[T, ...]]) -> Stored[T] | None:
    path = folder / FILES[kind]
    with _opened(path) as connection:
        if connection is None:
            return None
        about = _about(path, connection)
        with _sound(path):
            begins, ends = editions.quarter(about.edition)
            names = tuple(file.name for file in about.files)
            return Stored(about.edition, begins, ends, about.imported, names, find(connection))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Connection | None]:
    if not path.exists():
        yield None
        return
    with _sound(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    with contextlib.closing(connection):
        yield connection


def _about(path: Path, connection: Connection) -> Installed:
    with _sound(path):
        meta: dict[str, str] = dict(connection.execute("SELECT key, value FROM meta"))
        if meta["layout"] != str(LAYOUT):
            raise RuleFileError(
                f"{path}: expected layout {LAYOUT}, not {meta['layout']}: another version of VisitCue stored this"
                " table; import it again."
            )
        editions.quarter(meta["edition"])
        return msgspec.convert({**meta, "files": json.loads(meta["files"])}, Installed, strict=False)


@contextlib.contextmanager
def _sound(path: Path) -> Iterator[None]:
    """Whatever a damaged file leads to while it is read, in a sentence."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError, KeyError, OverflowError) as error:
        raise RuleFileError(f"{path}: this stored table is damaged ({error}); import it again.") from None


def to_be_written(path: Path) -> Connection:
    """An empty table in a new file, within a transaction that ends with the writing."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(WRITING + TABLES)
    connection.execute("BEGIN")
    return connection


def describe(connection: Connection, about: Installed) -> None:
    """Writes what is known of a table into it."""
    meta = {
        "layout": str(LAYOUT),
        "edition": about.edition,
        "imported": about.imported.isoformat(),
        "files": msgspec.json.encode(about.files).decode(),
        "rows": str(about.rows),
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
