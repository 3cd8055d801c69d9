"""The practitioner table of medically unlikely edits, as CMS publishes it: CSV with a notice as its first record.

Code, units, adjudication indicator (a text that begins with its digit), rationale. The header's first cell holds a line
end. Medicaid's file has no adjudication indicator; those for hospitals and suppliers say so in the header.
"""

import csv
import itertools
import re
from collections.abc import Callable, Iterator

from mappings.errors import RuleFileError
from mappings.ncci import editions, files
from mappings.ncci.files import Table
from mappings.ncci.rows import MueRow

COLUMNS, CODES = 4, 1
MOST_BEFORE_HEADER = 20

HEADER = re.compile(r"HCPCS ?/? ?CPT Code", re.IGNORECASE)
UNITS_HEADER = re.compile(r"MUE Values?\b", re.IGNORECASE)
CODE = re.compile(r"[0-9A-Z]{5}")
UNITS = re.compile(r"[0-9]{1,6}")
INDICATOR = re.compile(r"([123])(?![0-9]).*")


def rows(table: Table, advance: Callable[[int], None]) -> Iterator[MueRow]:
    """Every row of a table, in its order; `advance` is told the size of what was read. Raises RuleFileError."""
    seen: dict[str, MueRow] = {}
    rationales: set[str] = set()
    records = _records(table, advance)
    check_header(table.name, records)
    for number, fields, ended in records:
        if not any(fields):
            continue
        row = _row(table.name, number, fields, ended)
        if not ended and row.rationale not in rationales:
            raise _cut_off(table.name, number)
        if seen.setdefault(row.code, row) != row:
            raise RuleFileError(f"{table.name}, line {number}: {row.code} stands here twice, with different values.")
        rationales.add(row.rationale)
        yield row


def check_header(name: str, records: Iterator[tuple[int, list[str], bool]]) -> None:
    """Takes the records up to the header; raises RuleFileError where it is that of another file."""
    before_header = itertools.islice(records, MOST_BEFORE_HEADER)
    header = next((one for one in before_header if one[1] and HEADER.fullmatch(one[1][0])), None)
    if header is None:
        raise RuleFileError(f"{name}: expected a header that begins with 'HCPCS/CPT Code'.")
    number, fields, _ = header
    where = f"{name}, line {number}"
    units, indicator = [*fields, "", ""][1:3]
    if not UNITS_HEADER.search(units):
        raise RuleFileError(f"{where}: expected 'Practitioner Services MUE Values' in the header, not {units!r}.")
    if "practitioner" not in units.lower():
        raise RuleFileError(f"{where}: this is the file of {units!r}; {editions.EXPECTED}.")
    if "adjudication" not in indicator.lower():
        raise RuleFileError(
            f"{where}: this is the Medicaid file, which has no 'MUE Adjudication Indicator'; {editions.EXPECTED}."
        )


def _records(table: Table, advance: Callable[[int], None]) -> Iterator[tuple[int, list[str], bool]]:
    """Each record with the line that it ends on, and whether that has a line end; blanks are made single."""
    ended = True

    def lines() -> Iterator[str]:
        nonlocal ended
        for some in files.read(table, COLUMNS, CODES):
            ended = some.ended
            yield from (f"{line}\n" for line in some.lines)
            advance(some.size)

    # A sheet's cells come parted by tabs, and a quote in them is a quote.
    reader = (
        csv.reader(lines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        if table.is_sheet
        else csv.reader(lines(), strict=True)
    )
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise _cut_off(table.name, reader.line_num) from None
            raise RuleFileError(f"{table.name}, line {reader.line_num}: expected CSV: {error}.") from None
        yield reader.line_num, [" ".join(field.split()) for field in fields], ended


def _row(name: str, number: int, fields: list[str], ended: bool) -> MueRow:
    while len(fields) > COLUMNS and not fields[-1]:
        fields.pop()
    if len(fields) != COLUMNS:
        raise _expected(name, number, f"{COLUMNS} values", len(fields)) if ended else _cut_off(name, number)
    code, units, indicator, rationale = fields
    if not CODE.fullmatch(code):
        raise _expected(name, number, "a code of 5 digits or capital letters", code)
    if not UNITS.fullmatch(units):
        raise _expected(name, number, "a whole number of units", units)
    found = INDICATOR.fullmatch(indicator)
    if not found:
        raise _expected(name, number, "an adjudication indicator that begins with 1, 2 or 3", indicator)
    return MueRow(code, int(units), int(found[1]), rationale)


def _expected(name: str, number: int, what: str, found: object) -> RuleFileError:
    return RuleFileError(f"{name}, line {number}: expected {what}, not {str(found)[:60]!r}.")


def _cut_off(name: str, number: int) -> RuleFileError:
    return RuleFileError(f"{name}, line {number}: the file ends in the middle of a row: download it again.")
