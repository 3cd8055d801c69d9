"""Excel workbooks as lines of tab-separated cells, so that a sheet and a text file are read by the same eyes."""

import datetime as dt
import itertools
import warnings
from collections.abc import Iterator
from typing import IO

import openpyxl

from mappings.errors import RuleFileError

ROWS = 2000
"""How many rows are handed on at a time."""


def lines(name: str, file: IO[bytes], columns: int, codes: int) -> Iterator[tuple[list[str], float]]:
    """The first sheet's rows, some at a time, each time with the share of the sheet that they are.

    A row has at least so many `columns`; in the first `codes` of them a number is a code, which Excel may have
    robbed of its leading zeros. Raises RuleFileError where the workbook is damaged.
    """
    rows = _rows(file)
    ((total, *_),) = _next(name, rows, 1)
    while batch := _next(name, rows, ROWS):
        share = len(batch) / total if isinstance(total, int) and total else 0.0
        yield ["\t".join(_cells(row, columns, codes)) for row in batch], share


def _rows(file: IO[bytes]) -> Iterator[tuple[object, ...]]:
    """The number of rows where the sheet says it, then the rows."""
    book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    try:
        sheet = book.worksheets[0]
        yield (sheet.max_row,)
        sheet.reset_dimensions()  # some programs write a size that is too small, and the rest would not be read
        yield from sheet.iter_rows(values_only=True)
    finally:
        book.close()


def _next(name: str, rows: Iterator[tuple[object, ...]], count: int) -> list[tuple[object, ...]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and the like; what matters here is checked row by row
        try:
            return list(itertools.islice(rows, count))
        except Exception as error:  # a damaged workbook makes the library fail in whatever way it happens to
            what = type(error).__name__
            raise RuleFileError(f"{name}: this Excel workbook is damaged ({what}): download it again.") from None


def _cells(row: tuple[object, ...], columns: int, codes: int) -> list[str]:
    cells = [_text(cell, index < codes) for index, cell in enumerate(row)]
    return cells + [""] * (columns - len(cells))


def _text(cell: object, is_code: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dt.date):
        return f"{cell:%Y%m%d}"
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if is_code and type(cell) is int:
        return f"{cell:05}"
    return " ".join(str(cell).split())  # a line end within a cell would end the line
