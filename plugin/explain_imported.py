"""What the imported NCCI files say of a code beyond the codes that VisitCue reviews: its other pairs, and its units."""

import datetime as dt
from collections.abc import Iterator

import msgspec

from mappings import ncci_in_force, tables
from mappings.ncci.rows import MueRow, PairRow
from mappings.ncci.store import Stored
from mappings.ncci_files import DELETED

COUNTED = {1: "a line", 2: "a day, without exception", 3: "a day, open to appeal"}
"""How the units of a limit are counted, by its adjudication indicator."""
MEANS = {
    0: "never paid together on one day",
    1: "paid together only if distinct",
    DELETED: "deleted on the day on which it began",
}
"""What the modifier indicator of a pair says."""


class ImportedPair(msgspec.Struct, frozen=True):
    """A pair edit of the imported file that answers for the date."""

    column1: str
    column2: str
    indicator: int
    means: str
    since: dt.date
    until: dt.date | None
    rationale: str


class ImportedPairs(msgspec.Struct, frozen=True):
    """The pairs in force with codes that VisitCue does not review, and the edition and files that they are from."""

    edition: str
    files: tuple[str, ...]
    count: int
    pairs: tuple[ImportedPair, ...]


class ImportedLimit(msgspec.Struct, frozen=True):
    """The most units of a code (MUE) in an imported edition, with the dates for which that one answers."""

    edition: str
    units: int
    indicator: int
    means: str
    since: dt.date
    until: dt.date | None


class ImportedCode(msgspec.Struct, frozen=True):
    """A code's number, of which VisitCue has no label."""

    code: str


class ImportedExplanation(msgspec.Struct, frozen=True):
    """A code that VisitCue does not review, as the imported files have it on a date of service."""

    code: ImportedCode
    on: dt.date
    imported: ImportedPairs | None
    mue: ImportedLimit | None


def other_pairs(stored: Stored[PairRow] | None, on: dt.date) -> ImportedPairs | None:
    """The rows that answer for a date, without those of two codes that we review; None where nothing is imported."""
    if stored is None:
        return None
    known = tables.codes().keys()
    rows = [row for row in stored.rows if not {row.column1, row.column2} <= known]
    found = tuple(_in_force(rows, on))
    return ImportedPairs(stored.edition, stored.files, len(found), found)


def explained_by_imported(
    code: str, on: dt.date, pairs: Stored[PairRow] | None, limits: tuple[Stored[MueRow], ...]
) -> ImportedExplanation | None:
    """What the imported files say of a code that we do not review; None where it stands in none of them."""
    if not (pairs and pairs.rows) and not any(one.rows for one in limits):
        return None
    return ImportedExplanation(ImportedCode(code), on, other_pairs(pairs, on), _limit(limits, on))


def _in_force(rows: list[PairRow], on: dt.date) -> Iterator[ImportedPair]:
    """Of each pair the row that answers: the one that no modifier helps, else the later one."""
    answers: dict[tuple[str, str], PairRow] = {}
    for row in sorted(rows, key=lambda row: (-row.indicator, row.since)):
        if row.indicator != DELETED and row.since <= on and (row.until is None or on <= row.until):
            answers[row.column1, row.column2] = row
    for _, row in sorted(answers.items()):
        means = MEANS[row.indicator]
        yield ImportedPair(row.column1, row.column2, row.indicator, means, row.since, row.until, row.rationale)


def _limit(limits: tuple[Stored[MueRow], ...], on: dt.date) -> ImportedLimit | None:
    for edition, until in ncci_in_force.spans(limits):
        if edition.begins <= on and (until is None or on <= until):
            for row in edition.rows:
                means = f"at most {row.units} {COUNTED[row.indicator]}" if row.units else "Medicare allows none"
                return ImportedLimit(edition.edition, row.units, row.indicator, means, edition.begins, until)
    return None
