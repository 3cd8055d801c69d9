"""The practitioner table of procedure-to-procedure edits, as CMS publishes it: notice, wrapped header, rows.

Column 1, column 2, "*" (there before 1996), effective and deletion dates (yyyymmdd, "*" for none), modifier indicator,
rationale. Medicaid's file lacks the third of these seven, and would be misread.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence

from mappings.errors import RuleFileError
from mappings.ncci import editions, files
from mappings.ncci.files import Table
from mappings.ncci.rows import PairRow

COLUMNS, CODES = 7, 2
MOST_BEFORE_HEADER = 100

HEADER = re.compile(r"\W*column ?1\W*\t\W*column ?2\b", re.IGNORECASE)
WHOLE_HEADER = re.compile(r"column ?1\b.*column ?2\b.*effective.*deletion.*modifier.*rationale", re.IGNORECASE)
CONTINUED = re.compile(r"\s*|\s*\t\s*\t(?!.*[0-9]{8}).*")
BEFORE_1996 = re.compile(r"prior to 1996|in existence", re.IGNORECASE)

CODE = re.compile(r"[0-9A-Z]{5}")
# Nearly every row is as it must be, and is read by this one expression; what fails it is looked at field by field.
ROW = re.compile(r"([0-9A-Z]{5})\t(?!\1\t)([0-9A-Z]{5})\t\*?\t([0-9]{8})\t([0-9]{8}|\*)\t([019])\t([^\t]*)")

INDICATORS = {"0": 0, "1": 1, "9": 9}


def is_header(line: str) -> bool:
    """Whether the header of a PTP table begins in this line."""
    return HEADER.match(line) is not None


def data_begins(name: str, lines: Sequence[str]) -> int:
    """How many of a table's first lines are notice and header; raises RuleFileError where it is another file."""
    start = next((index for index, line in enumerate(lines[:MOST_BEFORE_HEADER]) if is_header(line)), None)
    if start is None:
        raise RuleFileError(
            f"{name}: expected a header line that begins with 'Column 1' and 'Column 2', parted by a tab."
        )
    # The header is wrapped: either quoted, so that it ends with its last cell, or on lines whose first cell is empty.
    end = start + 1
    while end < len(lines) and "rationale" not in " ".join(lines[start:end]).lower() and end - start < COLUMNS * 3:
        end += 1
    while end < len(lines) and CONTINUED.fullmatch(lines[end]):
        end += 1
    header = " ".join(" ".join(lines[start:end]).split())
    if not WHOLE_HEADER.search(header):
        raise RuleFileError(
            f"{name}, line {start + 1}: expected a header of the columns Column 1, Column 2, *=in existence prior to"
            f" 1996, Effective Date, Deletion Date, Modifier and PTP Edit Rationale, not {header[:100]!r}."
        )
    if not BEFORE_1996.search(header):
        raise RuleFileError(
            f"{name}, line {start + 1}: this is the Medicaid file, which has no column 'prior to 1996';"
            f" {editions.EXPECTED}."
        )
    return end


def rows(table: Table, advance: Callable[[int], None]) -> Iterator[PairRow]:
    """Every row of a table, in its order; `advance` is told the size of what was read. Raises RuleFileError."""
    # A few hundred days and a few dozen rationales stand for millions of rows.
    days: dict[str, dt.date | None] = {"*": None}
    rationales: dict[str, str] = {}
    number = 0
    for some in files.read(table, COLUMNS, CODES):
        lines = some.lines
        if number == 0:
            number = data_begins(table.name, lines)
            lines = lines[number:]
        for line in lines:
            number += 1
            found = ROW.fullmatch(line)
            if found is None:
                if not line.strip():
                    continue
                fields = _fields(table.name, number, line, some.ended)
            else:
                fields = found.groups()
            column1, column2, first, last, indicator, rationale = fields
            try:
                since, until = days[first], days[last]
            except KeyError:
                since, until = (_day(table.name, number, text, days) for text in (first, last))
            if since is None or (until is not None and until < since):
                raise _expected(table.name, number, f"a deletion date on or after {first}", last)
            if not some.ended and rationale not in rationales:
                raise _cut_off(table.name, number)
            reason = rationales.get(rationale)
            if reason is None:
                reason = rationales[rationale] = rationale.strip()
            yield PairRow(column1, column2, since, until, INDICATORS[indicator], reason)
        advance(some.size)


def _fields(name: str, number: int, line: str, ended: bool) -> tuple[str, ...]:
    """The fields of a row that has blanks where none need be; raises RuleFileError for one that has a mistake."""
    fields = [field.strip() for field in line.split("\t")]
    while len(fields) > COLUMNS and not fields[-1]:
        fields.pop()
    if not ended and (len(fields) != COLUMNS or not ROW.fullmatch("\t".join(fields))):
        raise _cut_off(name, number)
    if len(fields) != COLUMNS:
        raise _expected(name, number, f"{COLUMNS} fields parted by tabs", len(fields))
    column1, column2, before_1996, first, last, indicator, rationale = fields
    for code in (column1, column2):
        if not CODE.fullmatch(code):
            raise _expected(name, number, "a code of 5 digits or capital letters", code)
    if column1 == column2:
        raise _expected(name, number, "two different codes", f"{column1} with itself")
    if before_1996 not in ("", "*"):
        raise _expected(name, number, "'*' or nothing in the third field", before_1996)
    if first == "*":
        raise _expected(name, number, "an effective date such as 20260701", first)
    if indicator not in INDICATORS:
        raise _expected(name, number, "a modifier indicator of 0, 1 or 9", indicator)
    return column1, column2, first, last, indicator, rationale


def _day(name: str, number: int, text: str, days: dict[str, dt.date | None]) -> dt.date | None:
    if text not in days:
        try:
            # strptime takes "2026071" as well.
            if len(text) != 8:
                raise ValueError
            days[text] = dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            raise _expected(name, number, "a date such as 20260701", text) from None
    return days[text]


def _expected(name: str, number: int, what: str, found: object) -> RuleFileError:
    return RuleFileError(f"{name}, line {number}: expected {what}, not {str(found)[:60]!r}.")


def _cut_off(name: str, number: int) -> RuleFileError:
    return RuleFileError(f"{name}, line {number}: the file ends in the middle of a row: download it again.")
