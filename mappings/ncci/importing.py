"""From official files to an installed edition: which tables they hold, whether they are whole, and storing them."""

import contextlib
import csv
import datetime as dt
import hashlib
import itertools
from collections.abc import Callable, Iterable, Sequence, Set
from pathlib import Path

import msgspec

from mappings import book_files, tables
from mappings.errors import RuleFileError
from mappings.ncci import drafts, editions, files, mue_files, ptp_files, store
from mappings.ncci.drafts import Draft
from mappings.ncci.files import Table
from mappings.ncci.store import File, Installed, Kind

PARTS = 4
"""The parts in which CMS publishes the practitioner table of pairs."""
ALWAYS = ("97140", "97124")
"""A pair of every edition, and two codes of every one."""


class Plan(msgspec.Struct, frozen=True):
    """One table to import: its edition, and the files that hold it."""

    kind: Kind
    edition: str
    tables: tuple[Table, ...]
    files: tuple[File, ...]

    @property
    def size(self) -> int:
        """How much there is to read, as `advance` counts it."""
        return sum(table.size for table in self.tables)


class Imported(msgspec.Struct, frozen=True):
    """What an import stored; `reviewed` is how many pairs, or codes with a limit, are of codes that we review."""

    kind: Kind
    edition: str
    rows: int
    reviewed: int


def plans(paths: Sequence[Path], edition: str = "") -> list[Plan]:
    """What is to be imported from these files, the pairs first; raises RuleFileError before anything is read whole."""
    edition = edition and editions.checked(edition)
    found: dict[Kind, list[Table]] = {"pairs": [], "limits": []}
    for path in paths:
        editions.refuse_other_files(path.name)
        for table in files.tables_in(path):
            editions.refuse_other_files(table.base_name)
            found[_kind(table)].append(table)
    return [_plan(kind, held, edition) for kind, held in found.items() if held]


def run(every: Sequence[Plan], folder: Path, today: dt.date, advance: Callable[[int], None]) -> list[Imported]:
    """Imports tables; each edition that is installed stays as it was until all of them are written and found whole.

    `advance` is told the size of what was read, `today` is noted as the day of the import. Raises RuleFileError.
    """
    written = []
    with contextlib.ExitStack() as stack:
        for plan in every:
            one = stack.enter_context(drafts.draft(folder, plan.kind))
            written.append((one, plan, _write(one, plan, advance)))
        for one, plan, told in written:
            drafts.install(one, Installed(plan.edition, today, plan.files, told.rows))
    return [told for _, _, told in written]


def embedded(kind: Kind) -> tuple[str, int]:
    """The edition of the table that comes with VisitCue, and how many rows it has."""
    rows = _embedded_rows(kind)
    named = {edition for row in rows for edition in editions.named(row["source"])}
    return " and ".join(sorted(named)), len(rows)


def _kind(table: Table) -> Kind:
    """Which table this is, from its first lines; raises RuleFileError for one that we do not import."""
    with contextlib.closing(files.read(table, columns=0, codes=0)) as reading:
        lines = next((some.lines for some in reading), [])
    if any(ptp_files.is_header(line) for line in lines[: ptp_files.MOST_BEFORE_HEADER]):
        ptp_files.data_begins(table.name, lines)
        return "pairs"
    if any(mue_files.UNITS_HEADER.search(line) for line in lines[: mue_files.MOST_BEFORE_HEADER * 10]):
        return "limits"
    raise RuleFileError(
        f"{table.name}: this is no table of NCCI edits: expected a header that begins with 'Column 1' and 'Column 2',"
        " parted by a tab, or one that holds 'MUE Values'."
    )


def _plan(kind: Kind, held: list[Table], edition: str) -> Plan:
    if kind == "pairs":
        _check_parts(held)
    elif len(held) > 1:
        raise RuleFileError(f"{held[0].name} and {held[1].name}: expected one file of units (MUE), not {len(held)}.")
    paths = sorted({table.path for table in held})
    sums = tuple(File(path.name, _sha256(path)) for path in paths)
    return Plan(kind, _edition(held, edition), tuple(sorted(held, key=_part)), sums)


def _edition(held: Iterable[Table], given: str) -> str:
    said: dict[str, str] = {given: "--edition"} if given else {}
    for table in held:
        for name in (table.path.name, table.base_name):
            for edition in sorted(editions.named(name)):
                said.setdefault(edition, name)
    if not said:
        name = next(iter(held)).path.name
        raise RuleFileError(f"{name}: its name says no edition: name it, as in --edition 2026q3.")
    if len(said) > 1:
        words = ", ".join(f"{edition} ({name})" for edition, name in said.items())
        raise RuleFileError(f"These do not agree on one edition: {words}.")
    return next(iter(said))


def _part(table: Table) -> int:
    return editions.part(table.base_name) or editions.part(table.path.name)


def _check_parts(held: list[Table]) -> None:
    """A table that is published in parts is imported with all of them; raises RuleFileError."""
    versions = {editions.version(name) for table in held for name in (table.path.name, table.base_name)} - {""}
    if len(versions) > 1:
        raise RuleFileError(f"The files are of different versions: {', '.join(sorted(versions))}.")
    numbered: dict[int, Table] = {}
    for table in held:
        part = _part(table)
        if part in numbered:
            raise RuleFileError(f"{numbered[part].name} and {table.name}: both are part f{part}; expected it once.")
        if part:
            numbered[part] = table
    if not numbered:
        return
    if missing := [f"f{one}" for one in range(1, max(PARTS, *numbered) + 1) if one not in numbered]:
        raise RuleFileError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: expected all parts,"
            f" f1 to f{max(PARTS, *numbered)}, together."
        )
    if strange := [table.name for table in held if not _part(table)]:
        raise RuleFileError(f"{strange[0]}: expected parts f1, f2 and so on only, and this file's name has no number.")


def _write(one: Draft, plan: Plan, advance: Callable[[int], None]) -> Imported:
    codes = tables.codes().keys()
    if plan.kind == "pairs":
        count = drafts.write_pairs(
            one, itertools.chain.from_iterable(ptp_files.rows(table, advance) for table in plan.tables)
        )
        rows = store.pairs_among(one.connection, codes)
        known = {
            (row["column1"], row["column2"]) for row in _embedded_rows("pairs") if row["confidence"] != "uncertain"
        }
        _check_whole({(row.column1, row.column2) for row in rows}, known, ALWAYS, "pairs")
        return Imported(
            "pairs", plan.edition, count, len({(one.column1, one.column2) for one in rows if one.indicator != 9})
        )
    count = drafts.write_limits(
        one, itertools.chain.from_iterable(mue_files.rows(table, advance) for table in plan.tables)
    )
    limits = {row.code for row in store.limits_among(one.connection, codes)}
    _check_whole(limits, {row["code"] for row in _embedded_rows("limits")}, ALWAYS[0], "codes")
    return Imported("limits", plan.edition, count, len(limits))


def _check_whole(found: Set[object], known: Set[object], always: object, what: str) -> None:
    """An edition differs from the next one in a few rows; raises RuleFileError where too much is not there."""
    held = len(found & known)
    if always not in found or 2 * held < len(known):
        raise RuleFileError(
            f"This does not look like the whole practitioner table: of {len(known)} {what} that every edition should"
            f" hold, it holds {held}."
        )


def _embedded_rows(kind: Kind) -> list[dict[str, str]]:
    with (book_files.FOLDER / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RuleFileError(f"{path}: {error.strerror}.") from None
