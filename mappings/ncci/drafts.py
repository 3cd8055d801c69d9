"""Writing a table beside the installed one, and putting it in its place at one stroke: all of it or nothing."""

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from mappings.errors import RuleFileError
from mappings.ncci import store
from mappings.ncci.files import temporary_folder
from mappings.ncci.rows import MueRow, PairRow
from mappings.ncci.store import FILES, Connection, Installed, Kind

ABANDONED = 3600
"""Seconds without a write after which an unfinished file counts as left behind by an import that was killed."""


class Draft(msgspec.Struct, frozen=True):
    """A table that is being written, in a file of its own: two imports at once do not meet.

    `rationales` are numbered as they come.
    """

    kind: Kind
    folder: Path
    path: Path
    connection: Connection
    rationales: dict[str, int] = {}


@contextlib.contextmanager
def draft(folder: Path, kind: Kind) -> Iterator[Draft]:
    """A table to be filled and then put in place by `finish` and `install`; without that, nothing of it stays."""
    path = folder / f"{FILES[kind]}.{secrets.token_hex(8)}.part"
    try:
        with _in_sentences(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            path.open("xb").close()  # SQLite does not say why it cannot make a file
            connection = store.to_be_written(path)
        with contextlib.closing(connection):
            yield Draft(kind, folder, path, connection)
    finally:
        with contextlib.suppress(OSError):  # whatever the reason, it was told above
            path.unlink()


def write_pairs(to: Draft, rows: Iterable[PairRow]) -> int:
    """Stores rows and says how many; one that stands there twice, word for word, counts once. Raises RuleFileError."""
    numbers = to.rationales
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
        _write_rationales(to)
        to.connection.execute(store.SECOND_INDEX)
        found: int = to.connection.execute("SELECT count(*) FROM pairs").fetchone()[0]
        return found


def write_limits(to: Draft, edition: str, rows: Iterable[MueRow]) -> int:
    """Stores an edition and says how many rows it has; a code that stands there twice counts once.

    Raises RuleFileError.
    """
    values = ((edition, row.code, row.units, row.indicator, _rationale(to, row.rationale)) for row in rows)
    with _in_sentences(to.folder):
        to.connection.executemany("INSERT OR IGNORE INTO limits VALUES (?, ?, ?, ?, ?)", values)
        _write_rationales(to)
        found: int = to.connection.execute("SELECT count(*) FROM limits WHERE edition = ?", (edition,)).fetchone()[0]
        return found


def keep_limits(to: Draft, edition: str) -> list[str]:
    """Takes over the other editions that are installed, and says which. Raises RuleFileError where they are damaged."""
    kept = []
    for about, rows in store.all_limits(to.folder):
        if about.edition != edition:
            write_limits(to, about.edition, rows)
            with _in_sentences(to.folder):
                store.describe(to.connection, about)
            kept.append(about.edition)
    return kept


def finish(one: Draft, about: Installed) -> None:
    """Brings a written table to the disk, whole, still beside the old one. Raises RuleFileError."""
    with _in_sentences(one.folder):
        store.describe(one.connection, about)
        one.connection.execute("COMMIT")
        one.connection.close()
        with one.path.open("r+b") as file:
            os.fsync(file.fileno())


def install(one: Draft) -> None:
    """Puts a finished table in the place of the old one. Raises RuleFileError."""
    with _in_sentences(one.folder):
        one.path.replace(one.folder / FILES[one.kind])
        if os.name == "posix":  # elsewhere a folder cannot be opened
            handle = os.open(one.folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def remove_unfinished(folder: Path) -> int:
    """Takes away what imports that were killed have left behind, and says how many files. Raises RuleFileError."""
    gone = 0
    for path in _unfinished(folder):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RuleFileError(f"{path}: this file cannot be removed: {error.strerror}.") from None
        gone += 1
    return gone


def _write_rationales(to: Draft) -> None:
    to.connection.executemany(
        "INSERT OR IGNORE INTO rationales VALUES (?, ?)", ((number, words) for words, number in to.rationales.items())
    )


def _rationale(to: Draft, words: str) -> int:
    return to.rationales.setdefault(words, len(to.rationales))


def _unfinished(folder: Path) -> list[Path]:
    return [path for name in FILES.values() for path in folder.glob(f"{name}.*.part")]


def _sweep(folder: Path) -> None:
    for path in _unfinished(folder):
        with contextlib.suppress(OSError):  # another import may have been quicker
            if path.stat().st_mtime < time.time() - ABANDONED:
                path.unlink()


@contextlib.contextmanager
def _in_sentences(folder: Path) -> Iterator[None]:
    try:
        yield
    except store.StoreError as error:
        raise RuleFileError(f"{folder}: nothing can be stored in this folder: {error}{_room(folder, error)}.") from None
    except OSError as error:
        raise RuleFileError(f"{folder}: nothing can be stored in this folder: {error.strerror}.") from None


def _room(folder: Path, error: store.StoreError) -> str:
    """What is free in the two places that may be full: SQLite sorts in the folder for temporary files."""
    if "full" not in str(error):
        return ""
    told = []
    for place in (str(folder), temporary_folder()):
        with contextlib.suppress(OSError):
            told.append(f"{place} has {shutil.disk_usage(place).free // 1_000_000:,} MB free")
    return f" ({', and the folder for temporary files, '.join(told)})"
