"""The official NCCI files are taken in whole, whatever form they come in, and replaced at one stroke."""

import datetime as dt
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mappings import tables
from mappings.ncci import drafts, editions, importing, store
from mappings.ncci.rows import PairRow
from tests import ncci_files as made
from tests.builders import Json
from tests.command import Run, save

PAIRS, LIMITS = made.sound_pairs(), made.sound_limits()
CODES = {row.column1 for row in PAIRS} | {row.column2 for row in PAIRS}
TODAY = dt.date(2026, 11, 22)
FEW = importing.Allowed(few_rows=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stored tables, in a data folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data" / "ncci"


def in_order(rows: list[PairRow]) -> tuple[PairRow, ...]:
    return tuple(sorted(rows, key=lambda row: (row.column1, row.column2, row.since)))


def save_all(files: dict[str, bytes]) -> list[str]:
    return [save(name, content) for name, content in files.items()]


PTP_NAMES = [f"ccipra-v322r0-f{part}" for part in range(1, 5)]
QUARTERS = [PAIRS[place::4] for place in range(4)]
QUOTED = "\n".join(["A notice.", "Column1/Column2 Edits", made.QUOTED_HEADER]).encode()
LINES = made.ptp_text(PAIRS).split(b"\r\n")

FORMS: dict[str, dict[str, bytes]] = {
    "four zips of text": made.ptp_parts(PAIRS),
    "four text files": {f"{PTP_NAMES[n]}.txt": made.ptp_text(QUARTERS[n]) for n in range(4)},
    "four workbooks": {f"{PTP_NAMES[n]}.xlsx": made.ptp_sheet(QUARTERS[n]) for n in range(4)},
    "workbook with numbers": {"pairs-2026q3.xlsx": made.ptp_sheet(PAIRS, as_numbers=True)},
    "workbook with dates": {"pairs-2026q3.xlsx": made.ptp_sheet_of_dates(PAIRS)},
    "zip of a workbook": {"pairs-2026q3.zip": made.zipped({"all.xlsx": made.ptp_sheet(PAIRS)})},
    "zip of text and workbook": {
        "pairs-2026q3.zip": made.zipped({"all.XLSX": b"is not read", "ALL.txt": made.ptp_text(PAIRS)})
    },
    "one zip of four": {
        "pairs.zip": made.zipped({f"NCCI/{PTP_NAMES[n].upper()}.TXT": made.ptp_text(QUARTERS[n]) for n in range(4)})
    },
    "zip from a Mac": {
        "pairs-2026q3.zip": made.zipped({"a.txt": made.ptp_text(PAIRS), "__MACOSX/._a.txt": b"\0\5\26\7"})
    },
    "zip with a page of terms": {
        "pairs-2026q3.zip": made.zipped({"a.txt": made.ptp_text(PAIRS), "terms.pdf": b"%PDF"})
    },
    "one text file": {"pairs-2026q3.txt": made.ptp_text(PAIRS)},
    "Unix line ends": {"pairs-2026q3.txt": made.ptp_text(PAIRS, end="\n")},
    "quoted header": {"pairs-2026q3.txt": b"\n".join([QUOTED, *LINES[len(made.PTP_HEADER) :]])},
    "byte order mark": {"pairs-2026q3.txt": b"\xef\xbb\xbf" + made.ptp_text(PAIRS)},
    "no line end at the end": {"pairs-2026q3.txt": made.ptp_text(PAIRS).removesuffix(b"\r\n")},
    "blanks and empty lines": {"pairs-2026q3.txt": made.ptp_text(PAIRS).replace(b"\t1\t", b" \t1 \t") + b"\r\n\r\n"},
    "rows that stand there twice": {"pairs-2026q3.txt": made.ptp_text([*PAIRS, *PAIRS[::3]])},
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_pairs(run: Run, folder: Path, form: str) -> None:
    """The same pairs come out of every form in which the files are published or lie about on a disk."""
    done = run(*made.IMPORT, *save_all(FORMS[form]))
    assert (done.status, "Traceback" in done.err) == (0, False)
    stored = store.stored_pairs(folder, CODES)
    assert stored is not None
    assert stored.rows == in_order(PAIRS)
    assert (stored.edition, stored.begins, stored.ends) == ("2026q3", dt.date(2026, 7, 1), dt.date(2026, 9, 30))
    assert stored.files == tuple(sorted(FORMS[form]))


MUE_FORMS: dict[str, dict[str, bytes]] = {
    "zip of text": {made.MUE_NAME: made.zipped({made.MUE_INNER_NAME: made.mue_text(LIMITS)})},
    "text": {made.MUE_INNER_NAME: made.mue_text(LIMITS)},
    "workbook": {"practitioner-services-2026-q3.xlsx": made.mue_sheet(LIMITS)},
    "zip of text and workbook": {
        "mue-2026-07-01.zip": made.zipped({"a.xlsx": b"is not read", "a.csv": made.mue_text(LIMITS)})
    },
    "empty records at the end": {made.MUE_INNER_NAME: made.mue_text(LIMITS) + b",,,\r\n\r\n"},
    "rows that stand there twice": {made.MUE_INNER_NAME: made.mue_text([*LIMITS, *LIMITS[::5]])},
}


@pytest.mark.parametrize("form", MUE_FORMS)
def test_forms_of_limits(run: Run, folder: Path, form: str) -> None:
    """The same limits come out of every form in which the table of units is published."""
    done = run(*made.IMPORT, *save_all(MUE_FORMS[form]))
    assert (done.status, "Traceback" in done.err) == (0, False)
    (stored,) = store.stored_limits(folder, {row.code for row in LIMITS})
    assert (stored.edition, stored.rows) == ("2026q3", tuple(LIMITS))


EDITIONS = [
    ("ccipra-v302r0-f1.txt", "2024q3"),
    ("ccipra-v313r0-f4.TXT", "2025q4"),
    ("CCIPRA-V322R0-F1.txt", "2026q3"),
    ("ccipra-v323.txt", "2026q4"),
    ("medicare-ncci-2026q3-practitioner-ptp-edits.zip", "2026q3"),
    ("medicare-ncci-2026-q3-practitioner-services-mue-table (1).zip", "2026q3"),
    ("mue-2027-01-01.csv", "2027q1"),
    ("MCR_MUE_PractitionerServices_Eff_10-01-2026.csv", "2026q4"),
]


@pytest.mark.parametrize(("name", "edition"), EDITIONS)
def test_edition_in_a_name(name: str, edition: str) -> None:
    """The names of the official files say their edition: by version, by quarter, or by their first day."""
    assert editions.named(name) == {edition}


@pytest.mark.parametrize("name", ["mue-2026-11-20.csv", "table.zip", "v9999.txt", "pairs-12026q34.txt"])
def test_no_edition_in_a_name(name: str) -> None:
    """A day of download and other numbers are no edition."""
    assert editions.named(name) == set()


def test_edition_named_by_hand(run: Run, folder: Path) -> None:
    """The edition of a file whose name does not say it is that of --edition, in either case of its letters."""
    assert run(*made.IMPORT, save("p.txt", made.ptp_text(PAIRS)), "--edition", "2025Q4").status == 0
    stored = store.stored_pairs(folder, ())
    assert stored is not None
    assert (stored.edition, stored.ends) == ("2025q4", dt.date(2025, 12, 31))


def both() -> list[str]:
    return save_all(FORMS["four zips of text"] | MUE_FORMS["zip of text"])


def told(run: Run) -> list[Json]:
    listed: list[Json] = json.loads(run("rules", "editions", "--json").out)
    return listed


def test_both_tables(run: Run) -> None:
    """Pairs and units are told apart and imported by one call, which says editions, rows and what is left to do."""
    done = run(*made.IMPORT, *both())
    for words in ("2026q3", f"{len(PAIRS)} rows", f"{len(LIMITS)} rows", "restart"):
        assert words in done.out, words


def test_editions(run: Run) -> None:
    """The embedded tables answer until others are imported (that of the units for its own quarters then), and again
    once those are removed.
    """
    before = told(run)
    assert [(one["table"], one["imported"], one["files"]) for one in before] == [
        ("pairs", None, []),
        ("limits", None, []),
    ]
    names = both()
    run(*made.IMPORT, *names)
    pairs, still, limits = told(run)
    assert (still["edition"], still["imported"]) == ("2024q3", None)
    assert (pairs["edition"], pairs["rows"], limits["rows"]) == ("2026q3", len(PAIRS), len(LIMITS))
    assert [file["name"] for file in pairs["files"] + limits["files"]] == names
    assert all(len(file["sha256"]) == 64 for file in pairs["files"])
    assert "2026q3" in run("rules", "editions").out
    assert run("rules", "remove-ncci").status == 0
    assert told(run) == before
    assert run("rules", "remove-ncci").status == 0


def test_import_replaces(run: Run, folder: Path) -> None:
    """A later import replaces the table as a whole: what it does not hold is gone."""
    run(*made.IMPORT, save("a-2026q2.txt", made.ptp_text(PAIRS)))
    run(*made.IMPORT, save("b-2026q3.txt", made.ptp_text(PAIRS[1:])))
    stored = store.stored_pairs(folder, CODES)
    assert stored is not None
    assert (stored.edition, stored.rows) == ("2026q3", in_order(PAIRS[1:]))
    assert [path.name for path in folder.iterdir()] == ["ptp.sqlite"]


@pytest.mark.parametrize("call", [1, 2])
def test_both_or_none(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Of two tables in one call none is put in its place before both of them are on the disk."""
    run(*made.IMPORT, save("a-2026q2.txt", made.ptp_text(PAIRS)), save("a-2026q2.csv", made.mue_text(LIMITS)))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    calls = []

    def fail(handle: int) -> None:
        calls.append(handle)
        if len(calls) == call:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", fail)
    assert "Input/output error" in run(*made.IMPORT, *both()).one_line()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_bar(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a bar shows how far an import is; elsewhere nothing but the result is printed."""
    name = save("a-2026q3.txt", made.ptp_text(PAIRS))
    assert "Importing" not in run(*made.IMPORT, name).err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "Importing" in run(*made.IMPORT, name).err


def test_progress(folder: Path) -> None:
    """The progress of an import adds up to about what there is to read, from text and from workbooks."""
    for form in ("four zips of text", "four workbooks", "Unix line ends"):
        plans = importing.plans([Path(name) for name in save_all(FORMS[form])], TODAY)
        read: list[int] = []
        importing.run(plans, folder, TODAY, read.append, FEW)
        whole = sum(plan.size for plan in plans)
        assert 0.9 * whole < sum(read) <= whole, form


def run_import(folder: Path, file: str, advance: Callable[[int], None] = lambda _: None) -> None:
    importing.run(importing.plans([Path(file)], TODAY), folder, TODAY, advance, FEW)


def test_interrupted(folder: Path) -> None:
    """An import that is interrupted leaves the installed table as it was, and nothing else."""
    run_import(folder, save("a-2026q2.txt", made.ptp_text(PAIRS)))
    before = (folder / "ptp.sqlite").read_bytes()

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_import(folder, save("b-2026q3.txt", made.ptp_text(PAIRS[1:])), interrupt)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"ptp.sqlite": before}


def test_two_imports_at_once(folder: Path) -> None:
    """Two imports at once do not harm each other: both end well, and the table is that of the last to end."""
    first = save("a-2026q2.txt", made.ptp_text(PAIRS))
    second = save("b-2026q3.txt", made.ptp_text(PAIRS[1:]))
    run_import(folder, first, lambda _: run_import(folder, second))
    stored = store.stored_pairs(folder, CODES)
    assert stored is not None
    assert (stored.edition, stored.rows) == ("2026q2", in_order(PAIRS))
    assert [path.name for path in folder.iterdir()] == ["ptp.sqlite"]


# An import that says when it is in the middle, and stays there.
HANGING = """
import datetime, pathlib, sys, time
from mappings.ncci import importing

def hang(_):
    print("in the middle", flush=True)
    time.sleep(60)

today = datetime.date(2026, 11, 22)
importing.run(importing.plans([pathlib.Path(sys.argv[1])], today), pathlib.Path(sys.argv[2]), today, hang)
"""


def test_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After kill -9 in the middle of an import the old edition answers, and a later import clears up."""
    run_import(folder, save("a-2026q2.txt", made.ptp_text(PAIRS)))
    file = save("b-2026q3.txt", made.ptp_text(PAIRS[1:]))
    with subprocess.Popen([sys.executable, "-c", HANGING, file, str(folder)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"in the middle\n"
        child.send_signal(signal.SIGKILL)
    (left,) = folder.glob("*.part")
    stored = store.stored_pairs(folder, CODES)
    assert stored is not None
    assert (stored.edition, stored.rows) == ("2026q2", in_order(PAIRS))
    run_import(folder, file)
    assert left.exists(), "It might be the file of another import that is under way."
    monkeypatch.setattr(drafts, "ABANDONED", -1)
    run_import(folder, file)
    assert [path.name for path in folder.iterdir()] == ["ptp.sqlite"]


def test_what_is_reviewed(run: Run) -> None:
    """The import counts the pairs of codes that VisitCue reviews, without those that never were in force."""
    live = {(row.column1, row.column2) for row in PAIRS if row.indicator != 9}
    count = len([one for one in live if tables.codes().keys() >= set(one)])
    assert f"{count} pairs" in run(*made.IMPORT, save("a-2026q3.txt", made.ptp_text(PAIRS))).out
