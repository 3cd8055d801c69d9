"""Reading the embedded NCCI tables, as strictly as the books: pair edits, and the most units of a code (MUE).

One row a pair (or code) and time, with its source. A row with indicator 9 was deleted on the day it began; it is kept
so that it can be shown, and answers for no day.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from mappings import tables
from mappings.book_files import FOLDER
from mappings.errors import RuleFileError
from mappings.rule_book import Limit, Pair, Rule, Source

COLUMNS = frozenset({"column1", "column2", "indicator", "since", "until", "confidence", "source"})
LIMIT_COLUMNS = frozenset({"code", "units", "indicator", "since", "until", "source"})
DELETED = 9
"""The indicator of a pair that was deleted on the day it began."""
CONFIDENCES = frozenset({"primary", "secondary", "uncertain"})


class DatedPair(msgspec.Struct, frozen=True):
    """A pair edit with the dates of service that it answers for."""

    since: dt.date
    until: dt.date | None
    pair: Pair

    def in_force(self, on: dt.date) -> bool:
        """Whether it answers for this date of service."""
        if self.pair.indicator == DELETED:
            return False
        return self.since <= on and (self.until is None or on <= self.until)


class DatedLimit(msgspec.Struct, frozen=True):
    """The most units of a code, with the dates of service that it answers for."""

    since: dt.date
    until: dt.date | None
    limit: Limit

    def in_force(self, on: dt.date) -> bool:
        """Whether it answers for this date of service."""
        return self.since <= on and (self.until is None or on <= self.until)


def read_pairs(sources: Mapping[str, Source], path: Path = FOLDER / "pairs.csv") -> tuple[DatedPair, ...]:
    """The pair edits of the embedded table; `sources` are the national book's."""
    pairs = []
    in_force: dict[tuple[str, str], dt.date | None] = {}
    for where, row in _csv_rows(path, COLUMNS, sources):
        if row["confidence"] not in CONFIDENCES:
            raise RuleFileError(f"{where}: confidence: expected one of {sorted(CONFIDENCES)}.")
        unknown = {row["column1"], row["column2"]} - tables.codes().keys()
        if unknown:
            raise RuleFileError(f"{where}: {sorted(unknown)} are not in the table of codes.")
        if row["column1"] == row["column2"]:
            raise RuleFileError(f"{where}: expected two different codes, not {row['column1']} with itself.")
        if row["indicator"] not in ("0", "1", "9"):
            raise RuleFileError(f"{where}: indicator: expected 0, 1 or 9, not {row['indicator']!r}.")
        indicator = int(row["indicator"])
        pair = pair_of(row["column1"], row["column2"], indicator, sources[row["source"]], row["confidence"])
        since, until = _dates(where, row)
        before = in_force.get((pair.column1, pair.column2), dt.date.min)
        if pair.indicator != DELETED:
            if before is None or since <= before:
                raise RuleFileError(f"{where}: since: the row overlaps an earlier one for the same pair.")
            in_force[pair.column1, pair.column2] = until
        pairs.append(DatedPair(since, until, pair))
    return tuple(pairs)


def read_limits(sources: Mapping[str, Source], path: Path = FOLDER / "limits.csv") -> tuple[DatedLimit, ...]:
    """The most units of each code, from the embedded table; `sources` are the national book's."""
    limits = []
    in_force: dict[str, dt.date | None] = {}
    for where, row in _csv_rows(path, LIMIT_COLUMNS, sources):
        code = row["code"]
        if code not in tables.codes():
            raise RuleFileError(f"{where}: {code!r} is not in the table of codes.")
        if not row["units"].isdecimal():
            raise RuleFileError(f"{where}: units: expected a whole number, not {row['units']!r}.")
        if row["indicator"] not in ("1", "2", "3"):
            raise RuleFileError(f"{where}: indicator: expected 1, 2 or 3, not {row['indicator']!r}.")
        since, until = _dates(where, row)
        before = in_force.get(code, dt.date.min)
        if before is None or since <= before:
            raise RuleFileError(f"{where}: since: the row overlaps an earlier one for the same code.")
        in_force[code] = until
        units, indicator = int(row["units"]), int(row["indicator"])
        limits.append(DatedLimit(since, until, limit_of(code, units, indicator, sources[row["source"]])))
    return tuple(limits)


def limit_of(code: str, units: int, indicator: int, source: Source) -> Limit:
    """A limit with its own words."""
    words = f"{code}: {units} units, adjudication indicator {indicator}."
    return Limit(code, units, indicator, msgspec.structs.replace(source, words=words))


def pair_of(column1: str, column2: str, indicator: int, source: Source, confidence: str) -> Pair:
    """A pair edit with its own words."""
    words = f"Column 1 {column1}, column 2 {column2}, modifier indicator {indicator}."
    rule = Rule(str(indicator), msgspec.structs.replace(source, words=words), confidence)
    return Pair(column1, column2, indicator, rule)


def _csv_rows(
    path: Path, columns: frozenset[str], sources: Mapping[str, Source]
) -> Iterator[tuple[str, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        for column in sorted(columns - set(rows.fieldnames or ())):
            raise RuleFileError(f"{path.name}, line 1: expected a column {column!r}.")
        for number, row in enumerate(rows, start=2):
            where = f"{path.name}, line {number}"
            if None in row or None in row.values():
                raise RuleFileError(f"{where}: expected as many values as line 1 has columns.")
            if row["source"] not in sources:
                raise RuleFileError(f"{where}: source: {row['source']!r} is not a source of the national book.")
            yield where, row


def _dates(where: str, row: Mapping[str, str]) -> tuple[dt.date, dt.date | None]:
    since, until = _day(where, row["since"]), _last_day(where, row["until"])
    if until is not None and until < since:
        raise RuleFileError(f"{where}: until: expected a day on or after since ({since}).")
    return since, until


def _day(where: str, text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RuleFileError(f"{where}: expected a date such as 2024-07-01, not {text!r}.") from None


def _last_day(where: str, text: str) -> dt.date | None:
    return _day(where, text) if text else None
