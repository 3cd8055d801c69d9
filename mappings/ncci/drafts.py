"""Writing a table beside the installed one, and putting it in its place at one stroke: all of it or nothing."""

import contextlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from mappings.errors import RuleFileError
from mappings.ncci import store
from mappings.ncci.rows import MueRow, PairRow
from mappings.ncci.store import FILES, Connection, Installed, Kind

ABANDONED = 3600
"""Seconds without a write after which an unfinished file counts as left behind by an import that was killed."""


class Draft(msgspec.Struct, frozen=True):
    """A table that is being written, in a file of its own: two imports at once do not meet."""

    kind: Kind
    folder: Path
    path: Path
    connection: Connection


@contextlib.contextmanager
def draft(folder: Path, kind: Kind) -> Iterator[Draft]:
    """A table to be filled and then put in place by `install`; without that, nothing of it stays."""
    path = folder / f"{FILES[kind]}.{secrets.token_hex(8)}.part"
    try:
        with _in_sentences(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            connection = store.to_be_written(path)
        with contextlib.closing(connection):
            yield Draft(kind, folder, path, connection)
    finally:
        with contextlib.suppress(OSError):  # whatever the reason, it was told above
            path.unlink()


def write_pairs(to: Draft, rows: Iterable[PairRow]) -> int:
    """Stores rows and says how many; one that stands there twice, word for word, counts once. Raises RuleFileError."""
    numbers: dict[str, int] = {}
    values = (
        (
            row.column1,
            row.column2,
            row.since.toordinal(),
            row.until.toordinal() if row.until else 0,
            row.indicator,
            numbers.setdefault(row.rationale, len(numbers)),
        )
        for row in rows
    )
    with _in_sentences(to.folder):
        to.connection.executemany("INSERT OR IGNORE INTO pairs VALUES (?, ?, ?, ?, ?, ?)", values)
        _write_rationales(to, numbers)
        to.connection.execute(store.SECOND_INDEX)
        return _count(to)


def write_limits(to: Draft, rows: Iterable[MueRow]) -> int:
    """Stores rows and says how many; a code that stands there twice counts once. Raises RuleFileError."""
    numbers: dict[str, int] = {}
    values = ((row.code, row.units, row.indicator, numbers.setdefault(row.rationale, len(numbers))) for row in rows)
    with _in_sentences(to.folder):
        to.connection.executemany("INSERT OR IGNORE INTO limits VALUES (?, ?, ?, ?)", values)
        _write_rationales(to, numbers)
        return _count(to)


def install(one: Draft, about: Installed) -> None:
    """Puts a written table in the place of the old one. Raises RuleFileError."""
    with _in_sentences(one.folder):
        store.describe(one.connection, about)
        one.connection.execute("COMMIT")
        one.connection.close()
        with one.path.open("r+b") as file:
            os.fsync(file.fileno())
        one.path.replace(one.folder / FILES[one.kind])
        if os.name == "posix":  # elsewhere a folder cannot be opened
            handle = os.open(one.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _write_rationales(to: Draft, numbers: dict[str, int]) -> None:
    to.connection.executemany("INSERT INTO rationales VALUES (?, ?)", ((one, words) for words, one in numbers.items()))


def _count(of: Draft) -> int:
    found: int = of.connection.execute(f"SELECT count(*) FROM {of.kind}").fetchone()[0]  # noqa: S608 - one of two words
    return found


def _sweep(folder: Path) -> None:
    for name in FILES.values():
        for path in folder.glob(f"{name}.*.part"):
            with contextlib.suppress(OSError):  # another import may have been quicker
                if path.stat().st_mtime < time.time() - ABANDONED:
                    path.unlink()


@contextlib.contextmanager
def _in_sentences(folder: Path) -> Iterator[None]:
    try:
        yield
    except store.StoreError as error:
        raise RuleFileError(f"{folder}: nothing can be stored in this folder: {error}.") from None
    except OSError as error:
        raise RuleFileError(f"{folder}: nothing can be stored in this folder: {error.strerror}.") from None
