"""A file that is not the whole practitioner table is refused in one sentence, and what is installed stays."""

import datetime as dt
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from mappings.ncci import importing
from tests import ncci_files as made
from tests.command import Run, save

PAIRS, LIMITS = made.sound_pairs(), made.sound_limits()
PTP, MUE = made.ptp_text(PAIRS), made.mue_text(LIMITS)
LINES = PTP.split(b"\r\n")
SHEET = made.ptp_sheet(PAIRS)
PARTS = made.ptp_parts(PAIRS)
FIRST, SECOND, THIRD, FOURTH = PARTS
HEAD = len(made.PTP_HEADER)


def with_row(row: bytes, number: int = 20) -> bytes:
    """A text file of pairs in which one line, counted from 1, is another."""
    return b"\r\n".join([*LINES[: number - 1], row, *LINES[number:]])


def with_cell(place: int, value: str) -> bytes:
    """A text file of pairs in which one field of line 20 is another."""
    cells = ["97140", "97124", "", "20200101", "20201231", "1", "Policy"]
    return with_row("\t".join([*cells[:place], value, *cells[place + 1 :]]).encode())


def with_header(*header: str) -> bytes:
    return b"\r\n".join(["\t".join(header).encode(), *LINES[HEAD:]])


def mue(old: str, new: str) -> bytes:
    """A table of units in which something that stands there once, or first, is something else."""
    assert old.encode() in MUE
    return MUE.replace(old.encode(), new.encode(), 1)


def patched(content: bytes, place: int, value: bytes) -> bytes:
    """A zip of one member, changed at a place of its local header and at the same of its central one."""
    local, central = content.index(b"PK\3\4") + place, content.index(b"PK\1\2") + place + 2
    for at in (local, central):
        content = content[:at] + value + content[at + len(value) :]
    return content


def damaged(content: bytes, place: float) -> bytes:
    at = int(len(content) * place)
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


ZIP = made.zipped({"a.txt": PTP})

# What is given, by name, and words that the sentence must hold.
Case = tuple[dict[str, bytes], list[str]]
ROWS: dict[str, Case] = {
    "six fields": ({"a-2026q3.txt": with_row(b"97140\t97124\t\t20200101\t*\t1")}, ["line 20", "7 fields", "6"]),
    "eight fields": ({"a-2026q3.txt": with_row(b"97140\t97124\t\t20200101\t*\t1\ta\tb")}, ["line 20", "7 fields", "8"]),
    "commas": ({"a-2026q3.txt": with_row(b"97140,97124,,20200101,*,1,a")}, ["line 20", "7 fields", "tabs"]),
    "lower case": ({"a-2026q3.txt": with_cell(0, "g0283")}, ["line 20", "code", "'g0283'"]),
    "a short code": ({"a-2026q3.txt": with_cell(1, "9714")}, ["line 20", "code", "'9714'"]),
    "a mark": ({"a-2026q3.txt": with_cell(2, "x")}, ["line 20", "third", "'x'"]),
    "no such day": ({"a-2026q3.txt": with_cell(3, "20260231")}, ["line 20", "date", "'20260231'"]),
    "another form of date": ({"a-2026q3.txt": with_cell(3, "2026-07-01")}, ["line 20", "date", "'2026-07-01'"]),
    "no effective date": ({"a-2026q3.txt": with_cell(3, "*")}, ["line 20", "effective date", "'*'"]),
    "no deletion date": ({"a-2026q3.txt": with_cell(4, "")}, ["line 20", "date", "''"]),
    "deleted before": ({"a-2026q3.txt": with_cell(4, "20191231")}, ["line 20", "on or after 20200101", "'20191231'"]),
    "indicator": ({"a-2026q3.txt": with_cell(5, "2")}, ["line 20", "0, 1 or 9", "'2'"]),
    "in a workbook": (
        {"a-2026q3.xlsx": made.ptp_sheet([*PAIRS[:13], msgspec.structs.replace(PAIRS[13], column1="9714")])},
        ["a-2026q3.xlsx", "line 20", "code", "'9714'"],
    ),
    "in a zip": ({"a-2026q3.zip": made.zipped({"x.txt": with_cell(5, "2")})}, ["x.txt in a-2026q3.zip, line 20"]),
    "in the last part": (
        PARTS | {FOURTH: made.zipped({"ccipra-v322r0-f4.txt": with_cell(5, "2")})},
        ["ccipra-v322r0-f4.txt", "line 20"],
    ),
    "cut off in a date": ({"a-2026q3.txt": PTP[:-25]}, [f"line {HEAD + len(PAIRS)}", "middle of a row"]),
    "cut off in a word": ({"a-2026q3.txt": PTP[:-9]}, [f"line {HEAD + len(PAIRS)}", "middle of a row"]),
    "an endless line": ({"a-2026q3.txt": PTP + b"x" * 2_500_000}, ["characters"]),
}
HEADERS: dict[str, Case] = {
    "none": ({"a-2026q3.txt": b"\r\n".join(LINES[HEAD:])}, ["a-2026q3.txt", "header", "Column 1"]),
    "another one": ({"a-2026q3.txt": with_header("Column 1", "Column 2", "Fee")}, ["line 1", "Effective", "Fee"]),
    "Medicaid": ({"a-2026q3.txt": with_header(*made.MEDICAID_HEADER)}, ["Medicaid", "Medicare practitioner"]),
    "Medicaid workbook": (
        {"a-2026q3.zip": made.zipped({"a.xlsx": made.sheet([made.MEDICAID_HEADER, ["97140"]])})},
        ["Medicaid", "Medicare practitioner"],
    ),
    "nothing but the header": ({"a-2026q3.txt": made.ptp_text([])}, ["whole practitioner table"]),
    "half a table": ({"a-2026q3.txt": made.ptp_text(PAIRS[:150])}, ["whole practitioner table"]),
    "without 97140/97124": (
        {"a-2026q3.txt": made.ptp_text(row for row in PAIRS if row.column2 != "97124")},
        ["whole practitioner table"],
    ),
    "another table": ({"a-2026q3.csv": b"code,fee\n97140,30\n"}, ["a-2026q3.csv", "no table of NCCI edits"]),
}
NAMES: dict[str, Case] = {
    "hospital": ({"medicare-ncci-2026q3-hospital-ptp-edits-ccioph-v322r0-f1.zip": ZIP}, ["hospital", "practitioner"]),
    "hospital inside": ({"a-2026q3.zip": made.zipped({"CCIOPH-v322r0.TXT": PTP})}, ["CCIOPH", "hospital"]),
    "outpatient": ({"MCR_MUE_OutpatientHospitalServices_Eff_07-01-2026.csv": MUE}, ["hospital", "practitioner"]),
    "DME": ({"MCR_MUE_DMESupplierServices_Eff_07-01-2026.csv": MUE}, ["DME", "practitioner"]),
    "Medicaid": ({"medicaid-ncci-q2-2026-ptp-edits-practitioner-services.zip": ZIP}, ["Medicaid", "Medicare"]),
    "changes": (
        {"medicare-ncci-2026q2-practitioner-quarterly-additions-deletions-revisions-ptp.zip": ZIP},
        ["changes", "practitioner"],
    ),
    "a part is missing": ({FIRST: PARTS[FIRST], SECOND: PARTS[SECOND], FOURTH: PARTS[FOURTH]}, ["f3 is missing"]),
    "parts are missing": ({SECOND: PARTS[SECOND]}, ["f1 and f3 and f4 are missing"]),
    "a part between is missing": (
        PARTS | {"ccipra-v322r0-f6.txt": PTP},
        ["f5 is missing", "f1 to f6"],
    ),
    "a part twice": (PARTS | {"ccipra-v322r0-f2.txt": PTP}, ["both are part f2"]),
    "a part too many": (PARTS | {"ccipra-v322r0.txt": PTP}, ["ccipra-v322r0.txt", "no number"]),
    "two versions": (PARTS | {"ccipra-v321r0-f4.txt": PTP}, ["different versions", "v321r0", "v322r0"]),
    "two releases": (PARTS | {"ccipra-v322r1-f4.txt": PTP}, ["different versions", "v322r0", "v322r1"]),
    "two editions": ({"a-2026q3.txt": PTP, "b-2026q2.txt": PTP}, ["agree", "2026q2 (b-2026q2.txt)", "2026q3"]),
    "two editions in one name": ({"a-2026q2-v322r0.txt": PTP}, ["agree", "2026q2", "2026q3"]),
    "no edition": ({"pairs.txt": PTP}, ["pairs.txt", "--edition 2026q3"]),
    "two tables of units": ({"a-2026q3.csv": MUE, "b-2026q3.csv": MUE}, ["a-2026q3.csv", "b-2026q3.csv", "one file"]),
}
UNITS: dict[str, Case] = {
    "units": ({"a-2026q3.csv": mue("0001U,1,", "0001U,some,")}, ["a-2026q3.csv", "line 6", "whole number", "'some'"]),
    "negative units": ({"a-2026q3.csv": mue("0001U,1,", "0001U,-1,")}, ["line 6", "whole number", "'-1'"]),
    "indicator": ({"a-2026q3.csv": mue("2 Date", "4 Date")}, ["line 6", "1, 2 or 3", "'4 Date"]),
    "code": ({"a-2026q3.csv": mue("0001U", "0001u")}, ["line 6", "code", "'0001u'"]),
    "values": ({"a-2026q3.csv": mue("0001U,", "0001U,,")}, ["line 6", "4 values", "5"]),
    "twice": ({"a-2026q3.csv": MUE + b"97140,5,3 Date,Policy\r\n"}, ["97140 stands here twice"]),
    "hospital": ({"a-2026q3.csv": mue("Practitioner Services", "Outpatient Hospital Services")}, ["Hospital Services"]),
    "DME": ({"a-2026q3.csv": mue("Practitioner Services", "DME Supplier Services")}, ["DME Supplier"]),
    "Medicaid": (
        {"a-2026q3.csv": made.mue_text(LIMITS, [*made.MUE_HEADER[:2], made.MUE_HEADER[3]])},
        ["Medicaid", "Medicare practitioner"],
    ),
    "another header": ({"a-2026q3.csv": mue("MUE Values", "Fees")}, ["a-2026q3.csv", "no table of NCCI edits"]),
    "no code in the header": ({"a-2026q3.csv": mue("CPT Code", "What")}, ["a-2026q3.csv", "HCPCS/CPT Code"]),
    "cut off in a word": ({"a-2026q3.csv": MUE[:-7]}, ["middle of a row"]),
    "cut off in a number": ({"a-2026q3.csv": MUE[: MUE.rindex(b",4,") + 2]}, ["middle of a row"]),
    "cut off in quotes": ({"a-2026q3.csv": MUE + b'"97'}, ["middle of a row"]),
    "a quote": ({"a-2026q3.csv": mue("0001U,1", '"0001U"x,1')}, ["line 6", "CSV"]),
    "half a table": ({"a-2026q3.csv": made.mue_text(LIMITS[:30])}, ["whole practitioner table"]),
    "both, one bad": (PARTS | {"a-2026q3.csv": mue("2 Date", "4 Date")}, ["a-2026q3.csv", "line 6"]),
}
FILES: dict[str, Case] = {
    "empty": ({"a-2026q3.zip": b""}, ["a-2026q3.zip", "empty"]),
    "a PDF": ({"a-2026q3.zip": b"%PDF-1.7\n"}, ["a-2026q3.zip", "PDF"]),
    "a web page": ({"a-2026q3.zip": b"\n<!DOCTYPE html><title>License</title>"}, ["a-2026q3.zip", "web page"]),
    "an old workbook": ({"a-2026q3.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, ["a-2026q3.xls", "Excel"]),
    "UTF-16": ({"a-2026q3.txt": PTP.decode("latin-1").encode("utf-16")}, ["a-2026q3.txt", "UTF-16"]),
    "bytes": ({"a-2026q3.txt": bytes(range(256)) * 20}, ["a-2026q3.txt", "no table of NCCI edits"]),
    "a zip cut off": ({"a-2026q3.zip": ZIP[:-30]}, ["a-2026q3.zip", "damaged"]),
    "the beginning of a zip": ({"a-2026q3.zip": ZIP[:500]}, ["a-2026q3.zip", "damaged"]),
    "a zip with a wrong byte": ({"a-2026q3.zip": damaged(ZIP, 0.5)}, ["a-2026q3.zip", "damaged"]),
    "a part with a wrong byte": (PARTS | {THIRD: damaged(PARTS[THIRD], 0.5)}, ["-f3.zip", "damaged"]),
    "a password": ({"a-2026q3.zip": patched(ZIP, 6, b"\1")}, ["a-2026q3.zip", "password"]),
    "another packing": ({"a-2026q3.zip": patched(ZIP, 8, b"\x09")}, ["a-2026q3.zip", "packed"]),
    "a bomb": ({"a-2026q3.zip": patched(ZIP, 22, b"\xf0\xff\xff\xff")}, ["a-2026q3.zip", "4,294,967,280 bytes"]),
    "a zip in a zip": ({"a-2026q3.zip": made.zipped({FIRST: PARTS[FIRST]})}, ["another zip", FIRST]),
    "no table in a zip": ({"a-2026q3.zip": made.zipped({"terms.pdf": b"%PDF"})}, ["a-2026q3.zip", "no table"]),
    "nothing in a zip": ({"a-2026q3.zip": made.zipped({})}, ["a-2026q3.zip", "no table"]),
    "another text in a zip": ({"a-2026q3.zip": made.zipped({"a.txt": PTP, "b.txt": b"b"})}, ["b.txt in a-2026q3.zip"]),
    "a workbook cut off": ({"a-2026q3.xlsx": SHEET[:-30]}, ["a-2026q3.xlsx", "damaged"]),
    "a workbook with a wrong byte": ({"a-2026q3.xlsx": damaged(SHEET, 0.2)}, ["a-2026q3.xlsx", "damaged"]),
    "a cut-off workbook in a zip": (
        {"a-2026q3.zip": made.zipped({"a.xlsx": SHEET[:-30]})},
        ["a.xlsx in a-2026q3.zip", "damaged"],
    ),
    "a workbook of nothing": (
        {"a-2026q3.xlsx": made.zipped({"[Content_Types].xml": b"<Types/>"})},
        ["a-2026q3.xlsx", "damaged"],
    ),
    "an empty workbook": ({"a-2026q3.xlsx": made.sheet([])}, ["a-2026q3.xlsx", "no table of NCCI edits"]),
    "a document": (
        {"a-2026q3.docx": made.zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<x/>"})},
        ["a-2026q3.docx", "damaged"],
    ),
}
EVERY = {
    f"{kind}: {name}": case
    for kind, cases in {"row": ROWS, "header": HEADERS, "name": NAMES, "units": UNITS, "file": FILES}.items()
    for name, case in cases.items()
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which both tables were imported."""
    folder = tmp_path_factory.mktemp("sound")
    files = {"old-2026q1.txt": PTP, "old-2026q1.csv": MUE}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    today = dt.date(2026, 1, 2)
    plans = importing.plans([folder / name for name in files], today)
    importing.run(plans, folder / "ncci", today, lambda _: None, importing.Allowed(few_rows=True))
    return folder / "ncci"


@pytest.fixture(autouse=True)
def installed(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, bytes]]:
    """An installed edition of both tables; what its folder holds."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    shutil.copytree(sound, tmp_path / "data" / "ncci")
    return lambda: {path.name: path.read_bytes() for path in (tmp_path / "data" / "ncci").iterdir()}


@pytest.mark.parametrize("name", EVERY)
def test_refused(run: Run, installed: Callable[[], dict[str, bytes]], name: str) -> None:
    """What cannot be imported is one sentence that says which file, where and what was expected; nothing changes."""
    files, words = EVERY[name]
    before = installed()
    line = run(*made.IMPORT, *[save(*file) for file in files.items()]).one_line()
    for word in words:
        assert word in line, line
    assert installed() == before


EDITIONS = [("2026", "2026q3"), ("2026q5", "2026q3"), ("q3", "2026q3"), ("2026q2", "2026q3 (a-2026q3.txt)")]


@pytest.mark.parametrize(("edition", "words"), EDITIONS)
def test_refused_edition(run: Run, installed: Callable[[], dict[str, bytes]], edition: str, words: str) -> None:
    """An --edition that is none, or that a file's name contradicts, is refused; nothing changes."""
    before = installed()
    line = run(*made.IMPORT, save("a-2026q3.txt", PTP), "--edition", edition).one_line()
    assert "--edition" in line
    assert words in line
    assert installed() == before


def test_what_is_no_file(run: Run, installed: Callable[[], dict[str, bytes]]) -> None:
    """A folder, a pipe, a name of nothing and a file that cannot be read are one sentence each; nothing changes."""
    before = installed()
    Path("folder-2026q3").mkdir()
    os.mkfifo("pipe-2026q3")
    Path("ring-2026q3").symlink_to("ring-2026q3")
    said = {
        "folder-2026q3": "folder",
        "pipe-2026q3": "no ordinary file",
        "none-2026q3": "No such",
        "ring-2026q3": "levels",
    }
    for name, words in said.items():
        line = run(*made.IMPORT, name).one_line()
        assert name in line
        assert words in line
    assert installed() == before


def test_folder_that_cannot_be_written(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder in which nothing can be stored is one sentence that names it."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "file"))
    line = run(*made.IMPORT, save("a-2026q3.txt", PTP)).one_line()
    assert str(tmp_path / "file") in line
    assert "stored" in line


def test_full_disk(run: Run, installed: Callable[[], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full, the import says so, and what was installed stays."""
    before = installed()
    monkeypatch.setattr("mappings.ncci.store.WRITING", "PRAGMA journal_mode = OFF; PRAGMA max_page_count = 9;")
    assert "full" in run(*made.IMPORT, save("a-2026q3.txt", PTP)).one_line()
    assert installed() == before
