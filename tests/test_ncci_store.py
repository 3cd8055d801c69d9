"""What was imported is answered as it was, by pair, by code and by a list of codes; a damaged table is said."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.errors import RuleFileError
from mappings.ncci import drafts, files, mue_files, ptp_files, store
from mappings.ncci.files import Table
from mappings.ncci.rows import MueRow, PairRow
from mappings.ncci.store import File, Installed
from tests import ncci_files as made
from tests.command import Run

ABOUT = Installed("2026q3", dt.date(2026, 11, 22), (File("a.txt", "0" * 64),), 3)

CODES = st.from_regex(r"[0-9A-Z]{5}", fullmatch=True)
DAYS = st.dates(dt.date(1960, 1, 1), dt.date(2099, 12, 31))
# Words as a rationale has them; a sheet would take a word that begins with "=" for a formula.
WORDS = st.lists(st.text("Aaz/&\"'-é®", min_size=1), max_size=4).map(" ".join)


@st.composite
def pair_rows(draw: st.DrawFn) -> PairRow:
    """Any row that an official file may hold."""
    since = draw(DAYS)
    until = draw(st.none() | st.dates(since, dt.date(2099, 12, 31)))
    one, other = draw(st.lists(CODES, min_size=2, max_size=2, unique=True))
    return PairRow(one, other, since, until, draw(st.sampled_from([0, 1, 9])), draw(WORDS))


MUE_ROWS = st.builds(MueRow, CODES, st.integers(0, 999_999), st.sampled_from([1, 2, 3]), WORDS)

quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def saved(folder: Path, name: str, content: bytes) -> Table:
    (folder / name).write_bytes(content)
    (table,) = files.tables_in(folder / name)
    return table


def stored_pairs(folder: Path, name: str, content: bytes) -> tuple[PairRow, ...]:
    """The pairs of a file once they have been stored."""
    rows = list(ptp_files.rows(saved(folder, name, content), lambda _: None))
    with drafts.draft(folder, "pairs") as draft:
        drafts.write_pairs(draft, rows)
        drafts.finish(draft, ABOUT)
        drafts.install(draft)
    stored = store.stored_pairs(folder, {code for row in rows for code in (row.column1, row.column2)})
    assert stored is not None
    return stored.rows


def stored_limits(folder: Path, name: str, content: bytes) -> tuple[MueRow, ...]:
    """The limits of a file once they have been stored."""
    rows = list(mue_files.rows(saved(folder, name, content), lambda _: None))
    with drafts.draft(folder, "limits") as draft:
        drafts.write_limits(draft, ABOUT.edition, rows)
        drafts.finish(draft, ABOUT)
        drafts.install(draft)
    (stored,) = store.stored_limits(folder, {row.code for row in rows})
    return stored.rows


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every case of a property may write over."""
    return tmp_path_factory.mktemp("scratch")


@quickly
@given(st.lists(pair_rows()))
def test_any_pairs_come_back(scratch: Path, rows: list[PairRow]) -> None:
    """Any rows that a file holds come back as they were, each once, from a text file as from a workbook."""
    assert set(stored_pairs(scratch, "a.txt", made.ptp_text(rows))) == set(rows)
    assert set(stored_pairs(scratch, "a.xlsx", made.ptp_sheet(rows))) == set(rows)
    assert len(stored_pairs(scratch, "a.txt", made.ptp_text([*rows, *rows]))) == len(set(rows))


@quickly
@given(st.lists(MUE_ROWS, unique_by=lambda row: row.code))
def test_any_limits_come_back(scratch: Path, rows: list[MueRow]) -> None:
    """Any limits that a file holds come back as they were, from a text file as from a workbook."""
    assert set(stored_limits(scratch, "a.csv", made.mue_text(rows))) == set(rows)
    assert set(stored_limits(scratch, "a.xlsx", made.mue_sheet(rows))) == set(rows)


def pair(column1: str, column2: str, year: int = 2020, indicator: int = 1) -> PairRow:
    return PairRow(column1, column2, dt.date(year, 1, 1), None, indicator, "Policy")


ROWS = [pair("97140", "97124"), pair("97124", "97140", 2021), pair("98940", "97140"), pair("97140", "97124", 2019, 9)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a few rows of each table in it."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "data" / "ncci"
    with drafts.draft(folder, "pairs") as draft:
        drafts.write_pairs(draft, ROWS)
        drafts.finish(draft, ABOUT)
        drafts.install(draft)
    with drafts.draft(folder, "limits") as draft:
        drafts.write_limits(draft, "2026q3", [MueRow("97140", 6, 3, "Policy"), MueRow("97124", 4, 3, "Policy")])
        drafts.finish(draft, ABOUT)
        drafts.install(draft)
    return folder


def test_pairs_of_a_code(folder: Path) -> None:
    """A code is found in column 1 and in column 2, with rows that have ended or never were in force."""
    found = store.pairs_of(folder, "97140")
    assert found is not None
    assert found.rows == (ROWS[1], ROWS[3], ROWS[0], ROWS[2])


def test_pairs_among_codes(folder: Path) -> None:
    """Of a list of codes the pairs are answered whose two codes are both in it."""
    found = store.stored_pairs(folder, {"97140", "98940", "G0283"})
    assert found is not None
    assert found.rows == (ROWS[2],)


def test_limits_of_codes(folder: Path) -> None:
    """The limits of the codes that were asked for are answered, and of no others."""
    (found,) = store.stored_limits(folder, ["97124", "97110"])
    assert [(row.code, row.units) for row in found.rows] == [("97124", 4)]


def test_nothing_installed(tmp_path: Path) -> None:
    """Where nothing is installed, every question is answered with None, and no folder is made for it."""
    folder = tmp_path / "none"
    assert store.stored_pairs(folder, {"97140"}) is None
    assert store.stored_limits(folder, {"97140"}) == ()
    assert store.pairs_of(folder, "97140") is None
    assert store.installed(folder, "pairs") == ()
    assert not folder.exists()


def sql(path: Path, words: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(words)
    connection.commit()
    connection.close()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no table at all": lambda path: path.write_bytes(b"this is a text, and a rather long one, " * 9),
    "an empty file": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:9000]),
    "overwritten in the middle": lambda path: path.write_bytes(path.read_bytes()[:4096].ljust(40_000, b"x")),
    "another layout": lambda path: sql(path, "UPDATE meta SET value = '1' WHERE key = 'layout'"),
    "no layout": lambda path: sql(path, "DELETE FROM meta WHERE key = 'layout'"),
    "no edition": lambda path: sql(path, "DELETE FROM editions"),
    "an edition that is none": lambda path: sql(path, "UPDATE editions SET edition = 'spring'"),
    "no day of import": lambda path: sql(path, "UPDATE editions SET imported = 'today'"),
    "no list of files": lambda path: sql(path, "UPDATE editions SET files = '['"),
    "a date that is none": lambda path: sql(path, "UPDATE pairs SET since = 'x'"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_table(folder: Path, run: Run, name: str) -> None:
    """A stored table that is damaged or of another layout is one sentence that says what to do about it."""
    DAMAGE[name](folder / "ptp.sqlite")
    with pytest.raises(RuleFileError, match=r"ptp\.sqlite: .*import it again\.$"):
        store.stored_pairs(folder, {"97140", "97124"})
    if name != "a date that is none":
        assert "import it again" in run("rules", "editions").one_line()


def test_damaged_table_is_removed(folder: Path, run: Run) -> None:
    """Going back to the embedded table needs no sound file, and clears away what a killed import has left."""
    (folder / "ptp.sqlite").write_bytes(b"this is a text")
    (folder / "mue.sqlite.0123.part").write_bytes(b"")
    assert "1 file " in run("rules", "remove-ncci").out
    assert not list(folder.iterdir())
