"""What counts as words of a note that document an element, and what does not: the tables in `tests/notes`."""

import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings import books_in_force, tables
from mappings.note_context import LOSSES, OF_OTHERS, PROSPECTIVE
from mappings.notes import NAMING, quotation, read_notes
from mappings.plain_text import plain
from mappings.tables import FOLDER as TABLES

FOLDER = Path(__file__).parent / "notes"


def rows() -> Iterator[tuple[str, str, str, str | None]]:
    """Element, text and expected words (None where nothing may be found), behind a readable id."""
    for path in sorted(FOLDER.glob("*.toml")):
        for number, (element, text, *words) in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["rows"], 1):
            yield f"{path.stem}-{number}: {text[:50]!r}", element, text, words[0] if words else None


def table(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


ROWS = list(rows())
WORDED = {row["element"] for row in table("phrases.csv")}


@pytest.mark.parametrize(("name", "element", "text", "words"), ROWS, ids=[one[0] for one in ROWS])
def test_row(name: str, element: str, text: str, words: str | None) -> None:
    """A note documents an element with the words that say so, and with none that are denied, planned, past or empty."""
    assert element in WORDED, name
    found = quotation(element, read_notes([plain(text)]))
    assert (found is not None and words in found) if words is not None else found is None, found


def test_there_are_enough() -> None:
    """The tables hold enough notes of both kinds."""
    assert len(ROWS) >= 120
    assert sum(one[3] is None for one in ROWS) >= len(ROWS) / 3
    assert sum(one[3] is not None for one in ROWS) >= len(ROWS) / 3


ALLOWED = [
    ("denials.csv", "where", {"before", "after", "both"}),
    ("denials.csv", "says", {"absent", "denied", "planned", "past", "condition", "another", "lifts"}),
    ("note_sections.csv", "says", {"here", "planned", "past", "told"}),
    ("service_names.csv", "code", set(tables.codes())),
    ("phrases.csv", "element", set(books_in_force.questions())),
]


@pytest.mark.parametrize(("name", "column", "known"), ALLOWED)
def test_values_of_tables(name: str, column: str, known: set[str]) -> None:
    """A column of a table of words holds only values that something reads."""
    assert {row[column] for row in table(name)} <= known


@pytest.mark.parametrize("name", ["denials.csv", "note_sections.csv", "service_names.csv", "phrases.csv"])
def test_no_row_twice(name: str) -> None:
    """No row of a table of words stands in it twice."""
    rows_of = [tuple(row.values()) for row in table(name)]
    assert len(rows_of) == len(set(rows_of))


def test_elements_that_are_told_apart() -> None:
    """The elements that are read in a way of their own are in the catalogue."""
    known = {*books_in_force.questions(), "medical_necessity"}
    assert LOSSES | PROSPECTIVE | OF_OTHERS | set(NAMING.values()) <= known


@pytest.mark.parametrize("text", ["no bridges, " * 8_000, "[ ] bridges " * 8_000, "bridges: " + "_" * 90_000])
def test_endless_line(text: str) -> None:
    """A note that is one endless line is read like another."""
    assert quotation("97110.exercises", read_notes([text])) is None
