"""What counts as words of a note that document an element, and what does not: the tables in `tests/notes`."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.notes import can_show, quotation, read_notes
from mappings.plain_text import plain

FOLDER = Path(__file__).parent / "notes"


def rows() -> Iterator[tuple[str, str, str, str | None]]:
    """Element, text and expected words (None where nothing may be found), behind a readable id."""
    for path in sorted(FOLDER.glob("*.toml")):
        for number, (element, text, *words) in enumerate(tomllib.loads(path.read_text(encoding="utf-8"))["rows"], 1):
            yield f"{path.stem}-{number}: {text[:50]!r}", element, text, words[0] if words else None


ROWS = list(rows())


@pytest.mark.parametrize(("name", "element", "text", "words"), ROWS, ids=[one[0] for one in ROWS])
def test_row(name: str, element: str, text: str, words: str | None) -> None:
    """A note documents an element with the words that say so, and with none that are denied, planned, past or empty."""
    assert can_show(element), name
    found = quotation(element, read_notes([plain(text)]))
    assert (found is not None and words in found) if words is not None else found is None, found


def test_there_are_enough() -> None:
    """The tables hold enough notes of both kinds."""
    assert len(ROWS) >= 120
    assert sum(one[3] is None for one in ROWS) >= len(ROWS) / 3
    assert sum(one[3] is not None for one in ROWS) >= len(ROWS) / 3
