"""The imported NCCI tables on disk, one SQLite file each: what they look like, and what they answer.

The pairs are one edition, since the official file keeps what has ended; of the units every imported edition is kept.
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

LAYOUT = 2
"""Raised when the tables below change; a file of another layout is not read, but imported again."""

# Days are stored as ordinals, 0 where there is none. Without a rowid the table is its own index for a pair; the second
# index answers for a code in column 2, and is made once all rows are there, which is several times quicker.
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE editions (
    edition TEXT PRIMARY KEY, imported TEXT NOT NULL, files TEXT NOT NULL, rows INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE rationales (id INTEGER PRIMARY KEY, words TEXT NOT NULL);
CREATE TABLE pairs (
    column1 TEXT NOT NULL, column2 TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    indicator INTEGER NOT NULL, rationale INTEGER NOT NULL,
    PRIMARY KEY (column1, column2, since, until, indicator, rationale)
) WITHOUT ROWID;
CREATE TABLE limits (
    edition TEXT NOT NULL, code TEXT NOT NULL, units INTEGER NOT NULL, indicator INTEGER NOT NULL,
    rationale INTEGER NOT NULL,
    PRIMARY KEY (edition, code)
) WITHOUT ROWID;
CREATE VIEW pairs_in_words AS
    SELECT column1, column2, since, until, indicator, words FROM pairs JOIN rationales ON id = rationale;
CREATE VIEW limits_in_words AS
    SELECT edition, code, units, indicator, words FROM limits JOIN rationales ON id = rationale;
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
LIMITS = "SELECT code, units, indicator, words FROM limits_in_words WHERE edition = ?"
LIMITS_AMONG = """
SELECT code, units, indicator, words FROM limits_in_words
WHERE edition = ? AND code IN (SELECT value FROM json_each(?))
"""
EDITIONS = "SELECT edition, imported, files, rows FROM editions"
CONTRADICTIONS = """
SELECT count(*) FROM (
    SELECT DISTINCT one.column1, one.column2 FROM pairs AS one JOIN pairs AS other USING (column1, column2)
    WHERE one.indicator = 0 AND other.indicator = 1
    AND (other.until = 0 OR one.since <= other.until) AND (one.until = 0 OR other.since <= one.until)
)
"""


class NotReadableError(RuleFileError):
    """A stored table may be sound, and this user cannot read it."""


class File(msgspec.Struct, frozen=True):
    """A file that a table was imported from."""

    name: str
    sha256: str


class Installed(msgspec.Struct, frozen=True):
    """What is known of a stored edition: its name, when and from what it was imported, and how many rows it has."""

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


def stored_pairs(folder: Path, codes: Collection[str]) -> Stored[PairRow] | None:
    """The rows whose two codes are both among these; None where nothing is installed. Raises RuleFileError."""
    return next(iter(_stored(folder, "pairs", lambda connection, _: pairs_among(connection, codes))), None)


def pairs_of(folder: Path, code: str) -> Stored[PairRow] | None:
    """Every row with this code in column 1 or column 2; None where nothing is installed. Raises RuleFileError."""
    every = _stored(folder, "pairs", lambda connection, _: _pairs(connection.execute(PAIRS_OF, (code,))))
    return next(iter(every), None)


def stored_limits(folder: Path, codes: Collection[str]) -> tuple[Stored[MueRow], ...]:
    """The units of these codes in every edition that is held, the oldest first. Raises RuleFileError."""
    return _stored(folder, "limits", lambda connection, edition: limits_among(connection, edition, codes))


def all_limits(folder: Path) -> Iterator[tuple[Installed, tuple[MueRow, ...]]]:
    """Every edition of the units that is held, whole, the oldest first. Raises RuleFileError."""
    path = folder / FILES["limits"]
    with _opened(path) as connection:
        if connection is None:
            return
        for about in _about(path, connection):
            with _sound(path):
                rows = tuple(MueRow(*row) for row in connection.execute(LIMITS, (about.edition,)))
            yield about, rows


def installed(folder: Path, kind: Kind) -> tuple[Installed, ...]:
    """What is known of each stored edition, the oldest first; none where nothing is. Raises RuleFileError."""
    path = folder / FILES[kind]
    with _opened(path) as connection:
        return _about(path, connection) if connection else ()


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


def limits_among(connection: Connection, edition: str, codes: Collection[str]) -> tuple[MueRow, ...]:
    """The rows of an edition of an open table for these codes."""
    found = connection.execute(LIMITS_AMONG, (edition, json.dumps(sorted(codes))))
    return tuple(sorted((MueRow(*row) for row in found), key=lambda row: row.code))


def contradictions(connection: Connection) -> int:
    """How many pairs of an open table have two rows in force on one day that differ in what a modifier may do."""
    found: int = connection.execute(CONTRADICTIONS).fetchone()[0]
    return found


def _pairs(found: sqlite3.Cursor) -> tuple[PairRow, ...]:
    rows = [
        PairRow(one, two, dt.date.fromordinal(since), dt.date.fromordinal(until) if until else None, indicator, words)
        for one, two, since, until, indicator, words in found
    ]
    rows.sort(key=lambda row: (row.column1, row.column2, row.since, row.until or dt.date.max, row.indicator))
    return tuple(rows)


def _stored(folder: Path, kind: Kind, find: Callable[[Connection, str], tuple[T, ...]]) -> tuple[Stored[T], ...]:
    path = folder / FILES[kind]
    with _opened(path) as connection:
        if connection is None:
            return ()
        every = _about(path, connection)
        with _sound(path):
            return tuple(
                Stored(
                    one.edition,
                    *editions.quarter(one.edition),
                    one.imported,
                    tuple(file.name for file in one.files),
                    find(connection, one.edition),
                )
                for one in every
            )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Connection | None]:
    try:
        path.open("rb").close()  # SQLite does not say why it cannot open a file
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    except OSError as error:
        raise NotReadableError(f"{path}: this stored table cannot be read: {error.strerror}.") from None
    with _sound(path):
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    with contextlib.closing(connection):
        yield connection


def _about(path: Path, connection: Connection) -> tuple[Installed, ...]:
    with _sound(path):
        meta: dict[str, str] = dict(connection.execute("SELECT key, value FROM meta"))
        if meta["layout"] != str(LAYOUT):
            raise RuleFileError(
                f"{path}: expected layout {LAYOUT}, not {meta['layout']}: another version of VisitCue stored this"
                " table; import it again."
            )
        found = tuple(
            msgspec.convert(
                {"edition": edition, "imported": imported, "files": json.loads(files), "rows": rows}, Installed
            )
            for edition, imported, files, rows in connection.execute(EDITIONS)
        )
        if not found:
            raise ValueError("no edition")
        return tuple(sorted(found, key=lambda one: editions.quarter(one.edition)))


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
    connection.execute("INSERT INTO meta VALUES ('layout', ?)", (str(LAYOUT),))
    return connection


def describe(connection: Connection, about: Installed) -> None:
    """Writes what is known of an edition into the table that holds it."""
    files = msgspec.json.encode(about.files).decode()
    connection.execute(
        "INSERT INTO editions VALUES (?, ?, ?, ?)", (about.edition, about.imported.isoformat(), files, about.rows)
    )
