"""Reading the table of NCCI pair edits, as strictly as the books: one row a pair and time, with its source."""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from mappings import tables
from mappings.book_files import FOLDER
from mappings.errors import RuleFileError
from mappings.rule_book import Pair, Rule, Source

COLUMNS = frozenset({"column1", "column2", "indicator", "since", "until", "confidence", "source"})
CONFIDENCES = frozenset({"primary", "secondary", "uncertain"})


class DatedPair(msgspec.Struct, frozen=True):
    """A pair edit with the dates of service that it answers for."""

    since: dt.date
    until: dt.date | None
    pair: Pair


def read_pairs(sources: Mapping[str, Source], path: Path = FOLDER / "pairs.csv") -> tuple[DatedPair, ...]:
    """The pair edits of the embedded table; `sources` are the national book's."""
    pairs = []
    in_force: dict[tuple[str, str], dt.date | None] = {}
    for where, row in _csv_rows(path, sources):
        unknown = {row["column1"], row["column2"]} - tables.codes().keys()
        if unknown:
            raise RuleFileError(f"{where}: {sorted(unknown)} are not in the table of codes.")
        if row["indicator"] not in ("0", "1"):
            raise RuleFileError(f"{where}: indicator: expected 0 or 1, not {row['indicator']!r}.")
        words = f"Column 1 {row['column1']}, column 2 {row['column2']}, modifier indicator {row['indicator']}."
        source = msgspec.structs.replace(sources[row["source"]], words=words)
        rule = Rule(row["indicator"], source, row["confidence"])
        pair = Pair(row["column1"], row["column2"], int(row["indicator"]), rule)
        since, until = _day(where, row["since"]), _last_day(where, row["until"])
        if until is not None and until < since:
            raise RuleFileError(f"{where}: until: expected a day on or after since ({since}).")
        before = in_force.get((pair.column1, pair.column2), dt.date.min)
        if before is None or since <= before:
            raise RuleFileError(f"{where}: since: the row overlaps an earlier one for the same pair.")
        in_force[pair.column1, pair.column2] = until
        pairs.append(DatedPair(since, until, pair))
    return tuple(pairs)


def _csv_rows(path: Path, sources: Mapping[str, Source]) -> Iterator[tuple[str, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        for column in sorted(COLUMNS - set(rows.fieldnames or ())):
            raise RuleFileError(f"{path.name}, line 1: expected a column {column!r}.")
        for number, row in enumerate(rows, start=2):
            where = f"{path.name}, line {number}"
            if None in row or None in row.values():
                raise RuleFileError(f"{where}: expected as many values as line 1 has columns.")
            if row["source"] not in sources:
                raise RuleFileError(f"{where}: source: {row['source']!r} is not a source of the national book.")
            if row["confidence"] not in CONFIDENCES:
                raise RuleFileError(f"{where}: confidence: expected one of {sorted(CONFIDENCES)}.")
            yield where, row


def _day(where: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RuleFileError(f"{where}: expected a date such as 2024-07-01, not {text!r}.") from None


def _last_day(where: str, text: str) -> dt.date | None:
    return _day(where, text) if text else None
