"""The conformance list is whole, and what it calls met is proved by tests that exist and run."""

from collections import Counter

import pytest

from tests.conformance import GROUPS, PAGE, ROOT, STATUS, Row, ids, page, rows, unskipped_tests

ROWS = rows()
NAMED = sorted({name for row in ROWS.values() for name in row.tests})


def test_every_row_once() -> None:
    """The list holds each of the 137 ids exactly once, in order; TOML itself refuses an id that stands twice."""
    assert sum(count for _, count in GROUPS.values()) == 137
    assert list(ROWS) == ids()


def test_page_is_fresh() -> None:
    """The page is the one that would be written now; `make docs` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_counts_at_the_top() -> None:
    """The page begins with how many rows have which status."""
    counts = Counter[str](row.status for row in ROWS.values())
    top = page().partition("## ")[0]
    assert all(f"| {status} | {counts[status]} |" in top for status in STATUS)


@pytest.mark.parametrize("name", NAMED)
def test_proof_exists(name: str) -> None:
    """A test that a row names exists, and is not skipped."""
    file, _, function = name.partition("::")
    assert function in unskipped_tests(ROOT / file)


@pytest.mark.parametrize("key", ROWS)
def test_row_is_honest(key: str) -> None:
    """A row that is met names tests, and any other says why it is not."""
    row: Row = ROWS[key]
    assert row.requirement.strip()
    assert row.tests if row.status == "met" else row.why
    assert len(set(row.tests)) == len(row.tests)
