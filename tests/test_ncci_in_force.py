"""The review goes by the NCCI tables that were imported, by date of service, and by the embedded ones without."""

import datetime as dt
from pathlib import Path

import pytest

from mappings import books_in_force
from mappings.errors import RuleFileError
from mappings.ncci.rows import MueRow, PairRow
from plugin.settings import Settings
from plugin.web.app import create_app
from tests import ncci_files as made
from tests.builders import claim, claim_request, item, procedure
from tests.command import Run, save
from tests.exchange import cards, finding

DAY = dt.date
NEW = DAY(2026, 7, 1)
ADDED = [
    PairRow("97110", "97530", DAY(2026, 1, 1), None, 1, "made up"),
    PairRow("97110", "97112", DAY(2019, 1, 1), DAY(2022, 12, 31), 0, "made up"),
    PairRow("97110", "97116", DAY(2022, 1, 1), DAY(2022, 1, 1), 9, "made up"),
    PairRow("97035", "97110", DAY(2018, 1, 1), DAY(2020, 12, 31), 1, "made up"),
    PairRow("97035", "97110", DAY(2021, 1, 1), None, 0, "made up"),
]


@pytest.fixture
def folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store after both tables of 2026q3 were imported, with a few pairs that the embedded table has not."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    limits = [MueRow("97110", 2, 2, "made up") if row.code == "97110" else row for row in made.sound_limits()]
    pairs = save("pairs-2026q3.txt", made.ptp_text([*made.sound_pairs(), *ADDED]))
    mue = save("medicare-ncci-2026-q3-practitioner-services-mue-table.csv", made.mue_text(limits))
    done = run(*made.IMPORT, pairs, mue)
    assert done.status == 0, done.err
    return tmp_path / "data" / "ncci"


def indicator(folder: Path, one: str, two: str, on: dt.date) -> int | None:
    pair = books_in_force.rule_book("commercial", on, books_in_force.installed_ncci(folder)).pairs.get((one, two))
    return None if pair is None else pair.indicator


@pytest.mark.parametrize(
    ("one", "two", "on", "expected"),
    [
        ("97110", "97530", DAY(2026, 3, 2), 1),
        ("97110", "97530", DAY(2025, 12, 31), None),
        ("97110", "97112", DAY(2022, 12, 31), 0),
        ("97110", "97112", DAY(2023, 1, 1), None),
        ("97110", "97116", DAY(2022, 1, 1), None),
        ("97035", "97110", DAY(2020, 12, 31), 1),
        ("97035", "97110", DAY(2021, 1, 1), 0),
        ("97530", "97110", DAY(2026, 3, 2), None),
    ],
)
def test_pair_by_date_of_service(folder: Path, one: str, two: str, on: dt.date, expected: int | None) -> None:
    """An imported pair answers from its first day to its last, the later row of one pair first, deleted ones never."""
    assert indicator(folder, one, two, on) == expected


def test_limits_by_quarter(folder: Path) -> None:
    """An imported limit answers from the first day of its quarter; before that the embedded one does."""
    tables = books_in_force.installed_ncci(folder)
    units = {
        on: books_in_force.rule_book("medicare-b", on, tables).limits["97110"].units
        for on in (DAY(2026, 6, 30), DAY(2026, 7, 1))
    }
    assert units == {DAY(2026, 6, 30): 6, DAY(2026, 7, 1): 2}


def test_no_pair_is_left_out(folder: Path) -> None:
    """With the whole table at hand no date of service is told that its pairs were not checked."""
    tables = books_in_force.installed_ncci(folder)
    assert books_in_force.rule_book("hns", DAY(2019, 6, 1), tables).pairs_known
    assert not books_in_force.rule_book("hns", DAY(2019, 6, 1)).pairs_known


def test_edition_is_named(folder: Path, tmp_path: Path) -> None:
    """The edition of a book names the tables that answer, and both where they differ."""
    newest = books_in_force.installed_ncci(folder)
    assert books_in_force.edition("commercial", newest).endswith("+ncci-2026q3")
    (folder / "mue.sqlite").unlink()
    mixed = books_in_force.installed_ncci(folder)
    assert books_in_force.edition("commercial", mixed).endswith("+ncci-2026q3+mue-2024q3")
    none = books_in_force.installed_ncci(tmp_path / "nothing")
    assert books_in_force.edition("commercial", none).endswith("+ncci-2024q3")


def test_source_says_what_was_imported(folder: Path) -> None:
    """The source of an imported pair names the edition, the file it came from, and is a primary one."""
    tables = books_in_force.installed_ncci(folder)
    rule = books_in_force.rule_book("commercial", NEW, tables).pairs["97110", "97530"].rule
    assert (rule.confidence, rule.source.published) == ("primary", "2026-07-01")
    assert "2026Q3" in rule.source.section
    assert "pairs-2026q3.txt" in rule.source.section


def test_service_answers_by_it(folder: Path) -> None:
    """The service that is started after an import reviews by it, and every card names its edition."""
    app = create_app(Settings(data_dir=folder.parent)).test_client()
    body = claim_request(
        claim(item(1, "97110"), item(2, "97530")), procedure("one", "97110"), procedure("two", "97530", "10:00")
    )
    found = [finding(card) for card in cards(app, body)]
    assert all(one["edition"].endswith("+ncci-2026q3") for one in found)
    assert [one["slots"]["column1"] for one in found if one["slots"].get("column2") == "97530"] == ["97110"]


def test_damaged_table_stops_the_start(folder: Path) -> None:
    """A service whose imported table is damaged does not start on the embedded one unasked."""
    (folder / "ptp.sqlite").write_bytes(b"not a table")
    with pytest.raises(RuleFileError, match="import it again"):
        create_app(Settings(data_dir=folder.parent))
