"""Made-up NCCI files in the form of the official ones: the same notice, header and columns, rows of our own."""

import csv
import datetime as dt
import io
import random
import zipfile
from collections.abc import Iterable, Iterator, Mapping

import openpyxl

from mappings.book_files import FOLDER
from mappings.ncci.rows import MueRow, PairRow

IMPORT = ("rules", "import-ncci", "--few-rows")
"""How a made-up table is imported, which has fewer rows than the official one."""

RATIONALES = ("Mutually exclusive procedures", "Standards of practice", "More extensive procedure", "Policy")
INDICATORS = {1: "1 Line Edit", 2: "2 Date of Service Edit: Policy", 3: "3 Date of Service Edit: Clinical"}

PTP_HEADER = [
    ["A notice of copyright stands here.  All rights reserved."],
    ["Column1/Column2 Edits"],
    ["Column 1", "Column 2", "*=in existence", "Effective", "Deletion", "Modifier", "PTP Edit Rationale"],
    ["", "", "prior to 1996", "Date", "Date", "0=not allowed"],
    ["", "", "", "", "*=no data", "1=allowed"],
    ["", "", "", "", "", "9=not applicable"],
]
QUOTED_HEADER = (
    'Column 1\tColumn 2\t"*=in existence \nprior to 1996"\t"Effective \nDate"\t"Deletion \nDate\n*=no data"'
    '\t"Modifier\n0=not allowed\n1=allowed\n9=not applicable"\tPTP Edit Rationale'
)
MEDICAID_HEADER = ["Column 1", "Column 2", "Effective Date", "Deletion Date", "Modifier", "PTP Edit Rationale"]
MUE_NOTICE = 'A notice of copyright, "quoted",\n\nstands here on several lines, with trade marks\xae.'
MUE_HEADER = (
    "HCPCS/\nCPT Code",
    "Practitioner Services MUE Values",
    "MUE Adjudication Indicator",
    "MUE Rationale",
)

PTP_NAME = "medicare-ncci-2026q3-practitioner-ptp-edits-ccipra-v322r0-f{}.zip"
INNER_NAMES = ("ccipra-v322r0-f1.TXT", "ccipra-v322r0-f2.TXT", "ccipra-v322r0-f3.txt", "ccipra-v322r0-f4.txt")
MUE_NAME = "medicare-ncci-2026-q3-practitioner-services-mue-table.zip"
MUE_INNER_NAME = "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv"


def sound_pairs() -> list[PairRow]:
    """As many pairs as an import wants to find before it believes in a table, and a few more rows of other kinds."""
    with (FOLDER / "pairs.csv").open(encoding="utf-8", newline="") as file:
        known = sorted({(row["column1"], row["column2"]) for row in csv.DictReader(file)})
    since = dt.date(2020, 10, 1)
    rows = [PairRow(one, two, since, None, 1, RATIONALES[0]) for one, two in known]
    return [
        PairRow("00100", "97140", dt.date(1996, 1, 1), dt.date(1996, 1, 1), 9, RATIONALES[1]),
        *rows,
        PairRow("97140", "97124", dt.date(1996, 1, 1), dt.date(2019, 12, 31), 1, RATIONALES[3]),
        PairRow("G0283", "0591T", since, None, 0, RATIONALES[0]),
    ]


def sound_limits() -> list[MueRow]:
    """The units of every code that an import wants to find, and of one that VisitCue does not review."""
    with (FOLDER / "limits.csv").open(encoding="utf-8", newline="") as file:
        known = sorted({row["code"] for row in csv.DictReader(file)})
    return [MueRow("0001U", 1, 2, RATIONALES[0]), *(MueRow(code, 4, 3, RATIONALES[1]) for code in known)]


def fields(row: PairRow) -> list[str]:
    """A row as the seven fields of the official file."""
    last = f"{row.until:%Y%m%d}" if row.until else "*"
    before_1996 = "*" if row.since.year < 1996 else ""
    return [row.column1, row.column2, before_1996, f"{row.since:%Y%m%d}", last, str(row.indicator), row.rationale]


def ptp_text(rows: Iterable[PairRow], end: str = "\r\n") -> bytes:
    """The text file of some rows; the lines above them are filled up with tabs, as Excel does."""
    head = ["\t".join([*line, *[""] * (7 - len(line))]) for line in PTP_HEADER]
    return "".join(line + end for line in [*head, *("\t".join(fields(row)) for row in rows)]).encode("latin-1")


def ptp_sheet(rows: Iterable[PairRow], as_numbers: bool = False) -> bytes:
    """The workbook of some rows; with `as_numbers` codes, dates and indicators are numbers where they can be."""
    return sheet([*PTP_HEADER, *(fields(row) for row in rows)], as_numbers)


def ptp_sheet_of_dates(rows: Iterable[PairRow]) -> bytes:
    """The workbook of some rows, its dates as dates."""
    cells: list[list[object]] = [[*line] for line in PTP_HEADER]
    for row in rows:
        day = dt.datetime.combine(row.since, dt.time())
        cells.append([row.column1, row.column2, None, day, row.until or "*", row.indicator, row.rationale])
    return sheet(cells)


def mue_text(rows: Iterable[MueRow], header: Iterable[str] = MUE_HEADER) -> bytes:
    """The CSV file of some limits."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([MUE_NOTICE, "", "", ""])
    writer.writerow(header)
    writer.writerows((row.code, row.units, INDICATORS[row.indicator], row.rationale) for row in rows)
    return file.getvalue().encode("latin-1")


def mue_sheet(rows: Iterable[MueRow]) -> bytes:
    """The workbook of some limits, with numbers as numbers."""
    lines = [[row.code, row.units, INDICATORS[row.indicator], row.rationale] for row in rows]
    return sheet([[MUE_NOTICE], list(MUE_HEADER), *lines], as_numbers=True)


def sheet(lines: Iterable[Iterable[object]], as_numbers: bool = False) -> bytes:
    """A workbook with one sheet of these cells."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("edits")
    for line in lines:
        page.append([_number(cell) if as_numbers else cell for cell in line])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _number(cell: object) -> object:
    return int(cell) if isinstance(cell, str) and cell.isdecimal() else cell


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip of these files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def ptp_parts(rows: list[PairRow]) -> dict[str, bytes]:
    """The four zips of a table, by their official names."""
    share = -(-len(rows) // len(INNER_NAMES))
    return {
        PTP_NAME.format(index + 1): zipped({name: ptp_text(rows[index * share : (index + 1) * share])})
        for index, name in enumerate(INNER_NAMES)
    }


def many_pairs(count: int) -> Iterator[PairRow]:
    """About so many rows in the order of the official table, which hold what an import wants to find."""
    chance = random.Random(count)
    codes = [f"{number:05}" for number in range(100, 100_000, 6)]
    known: dict[str, list[PairRow]] = {}
    for row in sound_pairs():
        known.setdefault(row.column1, []).append(row)
    days = [dt.date(1996, 1, 1) + dt.timedelta(days=91 * quarter) for quarter in range(120)]
    for code in sorted({*codes, *known}):
        yield from known.get(code, ())
        for partner in sorted({*chance.sample(codes, count // len(codes))} - {code}):
            since, until = sorted(chance.sample(days, 2))
            last = None if chance.random() < 0.7 else until
            yield PairRow(code, partner, since, last, chance.randrange(2), chance.choice(RATIONALES))
