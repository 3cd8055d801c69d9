"""Every imported edition of the units answers for its own quarter, and a newer table of pairs is not lost unasked."""

import datetime as dt
from pathlib import Path

import pytest

from mappings import books_in_force
from mappings.errors import RuleFileError
from mappings.ncci import editions
from mappings.ncci.rows import MueRow, PairRow
from tests import ncci_files as made
from tests.command import Run, save

DAY = dt.date
PAIRS = made.sound_pairs()
EMBEDDED = 6
"""Units of 97110 in the embedded table, which begins on 2024-07-01."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stored tables, in a data folder of the test's own."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "ncci"


def units_file(edition: str, units: int) -> str:
    """A table of units in which 97110 has so many."""
    rows = [MueRow("97110", units, 2, "made up") if row.code == "97110" else row for row in made.sound_limits()]
    return save(f"mue-{edition}.csv", made.mue_text(rows))


def units(folder: Path, on: dt.date) -> int | None:
    """The units of 97110 on a date of service."""
    limit = books_in_force.rule_book("medicare-b", on, books_in_force.installed_ncci(folder)).limits.get("97110")
    return None if limit is None else limit.units


@pytest.mark.parametrize("order", [("2026q2", "2026q3", "2024q1"), ("2024q1", "2026q3", "2026q2")])
def test_each_edition_has_its_quarters(run: Run, folder: Path, order: tuple[str, ...]) -> None:
    """An edition of the units answers from its first day to the day before the next one, embedded ones included."""
    of = {"2024q1": 1, "2026q2": 2, "2026q3": 3}
    for edition in order:
        assert run(*made.IMPORT, units_file(edition, of[edition])).status == 0
    expected = {
        DAY(2023, 12, 31): None,
        DAY(2024, 1, 1): 1,
        DAY(2024, 6, 30): 1,
        DAY(2024, 7, 1): EMBEDDED,
        DAY(2026, 3, 31): EMBEDDED,
        DAY(2026, 4, 1): 2,
        DAY(2026, 6, 30): 2,
        DAY(2026, 7, 1): 3,
        DAY(2027, 1, 1): 3,
    }
    assert {on: units(folder, on) for on in expected} == expected
    assert all(edition in run("rules", "editions").out for edition in of)


def test_older_edition_alone(run: Run, folder: Path) -> None:
    """An edition older than the embedded one does not reach past that one's first day."""
    run(*made.IMPORT, units_file("2024q2", 1))
    assert (units(folder, DAY(2024, 6, 30)), units(folder, DAY(2026, 3, 2))) == (1, EMBEDDED)
    assert books_in_force.edition("hns", books_in_force.installed_ncci(folder)).endswith("+ncci-2024q3")


def test_same_edition_is_replaced(run: Run, folder: Path) -> None:
    """A second import of an edition takes the place of the first, also of the one that is embedded, and says so."""
    run(*made.IMPORT, units_file("2026q3", 1))
    done = run(*made.IMPORT, units_file("2026q3", 2))
    assert "replace those of 2026q3" in done.out
    assert units(folder, DAY(2026, 7, 1)) == 2
    assert "kept: 2026q3" in " ".join(run(*made.IMPORT, units_file("2024q3", 3)).out.split())
    assert units(folder, DAY(2024, 7, 1)) == 3


def test_damaged_editions(run: Run, folder: Path) -> None:
    """Importing mends a stored table that is damaged, and says that its other editions are gone."""
    run(*made.IMPORT, units_file("2026q2", 2))
    (folder / "mue.sqlite").write_bytes(b"not a table")
    done = run(*made.IMPORT, units_file("2026q3", 3))
    assert (done.status, "No other edition" in done.err) == (0, True)
    assert (units(folder, DAY(2026, 4, 1)), units(folder, DAY(2026, 7, 1))) == (EMBEDDED, 3)


def test_older_pairs(run: Run) -> None:
    """Pairs older than the installed ones are refused unless --replace-newer, and then it is said what is gone."""
    newer, older = (save(f"pairs-{edition}.txt", made.ptp_text(PAIRS)) for edition in ("2026q3", "2026q2"))
    run(*made.IMPORT, newer)
    line = run(*made.IMPORT, older).one_line()
    assert all(words in line for words in ("pairs-2026q2.txt", "2026q3", "--replace-newer"))
    assert "replace those of 2026q3" in run(*made.IMPORT, older, "--replace-newer").out
    assert "replace those of 2026q2" in run(*made.IMPORT, newer).out


@pytest.mark.parametrize("edition", ["1995q4", "2026q3", "2027q1", "1996q1"])
def test_editions_that_there_are(edition: str) -> None:
    """An edition of before 1996, or of a quarter more than 100 days ahead, is none."""
    today = DAY(2026, 3, 2)
    if edition in ("1995q4", "2027q1"):
        with pytest.raises(RuleFileError, match=edition):
            editions.refuse_unlikely(edition, today)
    else:
        editions.refuse_unlikely(edition, today if edition == "1996q1" else DAY(2026, 3, 24))


@pytest.mark.parametrize("name", ["pairs-v010.txt", "pairs-2098q1.txt"])
def test_unlikely_edition(run: Run, folder: Path, name: str) -> None:
    """A file whose name says a quarter that cannot be is refused, and nothing is stored."""
    assert "edition" in run(*made.IMPORT, save(name, made.ptp_text(PAIRS))).one_line()
    assert not folder.exists()


def test_few_rows(run: Run, folder: Path) -> None:
    """A table with fewer rows than the official one is refused by the name of its file, unless --few-rows."""
    pairs = save("pairs-2026q3.txt", made.ptp_text(PAIRS))
    line = run("rules", "import-ncci", pairs).one_line()
    assert all(words in line for words in (pairs, "1,000,000", "--few-rows"))
    assert list(folder.iterdir()) == []
    done = run("rules", "import-ncci", pairs, "--few-rows")
    assert (done.status, "1,000,000" in done.err) == (0, True)


def test_different_quarters(run: Run) -> None:
    """Two tables of different quarters in one call are taken in, and it is said that they differ."""
    done = run(*made.IMPORT, save("pairs-2026q3.txt", made.ptp_text(PAIRS)), units_file("2026q2", 2))
    assert (done.status, "different quarters" in done.err) == (0, True)
    assert "different" not in run(*made.IMPORT, units_file("2026q3", 2)).err


NEW = DAY(2026, 1, 1)
CONTRADICTORY = [
    PairRow("97110", "97530", DAY(2019, 1, 1), None, 0, "made up"),
    PairRow("97110", "97530", DAY(2026, 1, 1), None, 1, "made up"),
    PairRow("97110", "97112", DAY(2019, 1, 1), None, 1, "made up"),
    PairRow("97110", "97112", DAY(2019, 1, 1), None, 9, "made up"),
    PairRow("97110", "97112", DAY(2020, 1, 1), DAY(2030, 1, 1), 9, "made up"),
]


def test_contradictory_rows(run: Run, folder: Path) -> None:
    """Of two rows of one day the stricter answers, one that was deleted never does, and the import counts the pairs."""
    done = run(*made.IMPORT, save("pairs-2026q3.txt", made.ptp_text([*PAIRS, *CONTRADICTORY])))
    assert "1 pair of 2026q3" in done.err
    pairs = books_in_force.rule_book("hns", NEW, books_in_force.installed_ncci(folder)).pairs
    assert (pairs["97110", "97530"].indicator, pairs["97110", "97112"].indicator) == (0, 1)


def test_a_code_with_itself(run: Run) -> None:
    """A pair of a code with itself is a row that cannot be."""
    row = PairRow("97110", "97110", NEW, None, 1, "made up")
    line = run(*made.IMPORT, save("pairs-2026q3.txt", made.ptp_text([*PAIRS, row]))).one_line()
    assert all(words in line for words in ("pairs-2026q3.txt, line", "97110 with itself"))
