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
from mappings.errors import RuleFileError, shown
from mappings.ncci import drafts, editions, files, mue_files, ptp_files, store
from mappings.ncci.drafts import Draft
from mappings.ncci.files import Table
from mappings.ncci.store import File, Installed, Kind

PARTS = 4
"""The parts in which CMS publishes the practitioner table of pairs."""
ALWAYS = ("97140", "97124")
"""A pair of every edition, and two codes of every one."""
FEWEST: dict[Kind, int] = {"pairs": 1_000_000, "limits": 5_000}
"""No official table has fewer rows than this: they have about 2.5 million and 15 thousand."""


class Allowed(msgspec.Struct, frozen=True):
    """What is taken in only where somebody says so: a table with few rows, pairs older than the installed ones."""

    few_rows: bool = False
    replace_newer: bool = False


NOTHING = Allowed()


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
    """What an import stored; `reviewed` is how many pairs, or codes with a limit, are of codes that we review.

    `replaces` is the edition that is gone ("" for none), `kept` are those that answer beside the new one.
    `contradictions` are pairs with two rows of one day that differ.
    """

    kind: Kind
    edition: str
    rows: int
    reviewed: int
    contradictions: int = 0
    replaces: str = ""
    kept: tuple[str, ...] = ()
    warning: str = ""


def plans(paths: Sequence[Path], today: dt.date, edition: str = "") -> list[Plan]:
    """What is to be imported from these files, the pairs first; raises RuleFileError before anything is read whole."""
    edition = edition and editions.checked(edition)
    found: dict[Kind, list[Table]] = {"pairs": [], "limits": []}
    for path in paths:
        editions.refuse_other_files(path.name)
        for table in files.tables_in(path):
            editions.refuse_other_files(table.base_name)
            found[_kind(table)].append(table)
    every = [_plan(kind, held, edition) for kind, held in found.items() if held]
    for plan in every:
        editions.refuse_unlikely(plan.edition, today)
    return every


def run(
    every: Sequence[Plan], folder: Path, today: dt.date, advance: Callable[[int], None], allowed: Allowed = NOTHING
) -> list[Imported]:
    """Imports tables; what is installed stays as it was until all of them are whole and on the disk.

    `advance` is told the size of what was read, `today` is noted as the day of the import. Raises RuleFileError.
    """
    before = {plan.kind: _before(folder, plan, allowed) for plan in every}
    done = []
    with contextlib.ExitStack() as stack:
        written = []
        for plan in every:
            one = stack.enter_context(drafts.draft(folder, plan.kind))
            told = _write(one, plan, advance)
            if told.rows < FEWEST[plan.kind] and not allowed.few_rows:
                raise RuleFileError(
                    f"{_names(plan)}: expected at least {FEWEST[plan.kind]:,} rows, as the official table has, not"
                    f" {told.rows:,}; where that is as it should be, say --few-rows."
                )
            written.append((one, plan, told))
        for one, plan, told in written:
            done.append(_finish(one, plan, msgspec.structs.replace(told, replaces=before[plan.kind]), today))
        for one, _, _ in written:
            drafts.install(one)
    return done


def _before(folder: Path, plan: Plan, allowed: Allowed) -> str:
    """The edition that an import takes the place of, "" for none; raises RuleFileError where that is a newer one."""
    try:
        held = [one.edition for one in store.installed(folder, plan.kind)]
    except store.NotReadableError:
        raise
    except RuleFileError:
        return ""  # whatever it was, it has to be imported again
    if plan.kind == "limits":
        return plan.edition if plan.edition in held else ""
    newer = [one for one in held if editions.quarter(one) > editions.quarter(plan.edition)]
    if newer and not allowed.replace_newer:
        raise RuleFileError(
            f"{_names(plan)}: this is {plan.edition}, and the pairs of {newer[0]} are installed: a newer file holds all"
            " that an older one does. To go back none the less, say --replace-newer."
        )
    return next(iter(held), "")


def _finish(one: Draft, plan: Plan, told: Imported, today: dt.date) -> Imported:
    """Brings a table to the disk, with the other editions of the units, and says what is kept."""
    if plan.kind == "limits":
        try:
            told = msgspec.structs.replace(told, kept=tuple(drafts.keep_limits(one, plan.edition)))
        except RuleFileError as error:
            told = msgspec.structs.replace(told, warning=f"{error} No other edition of it is kept.")
    drafts.finish(one, Installed(plan.edition, today, plan.files, told.rows))
    return told


def _names(plan: Plan) -> str:
    return " and ".join(file.name for file in plan.files)


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
    sums = tuple(File(shown(path.name), _sha256(path)) for path in paths)
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
    versions = {
        version: name
        for table in reversed(held)
        for name in (table.base_name, table.path.name)
        if (version := editions.version(name))
    }
    if len(versions) > 1:
        words = ", ".join(f"{version} ({name})" for version, name in sorted(versions.items()))
        raise RuleFileError(f"The files are of different versions: {words}.")
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
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing beside"
            f" {' and '.join(table.name for table in numbered.values())}: expected all parts,"
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
        _check_whole(plan, {(row.column1, row.column2) for row in rows}, known, ALWAYS)
        reviewed = len({(one.column1, one.column2) for one in rows if one.indicator != 9})
        return Imported("pairs", plan.edition, count, reviewed, store.contradictions(one.connection))
    count = drafts.write_limits(
        one, plan.edition, itertools.chain.from_iterable(mue_files.rows(table, advance) for table in plan.tables)
    )
    limits = {row.code for row in store.limits_among(one.connection, plan.edition, codes)}
    _check_whole(plan, limits, {row["code"] for row in _embedded_rows("limits")}, ALWAYS[0])
    return Imported("limits", plan.edition, count, len(limits))


def _check_whole(plan: Plan, found: Set[object], known: Set[object], always: object) -> None:
    """An edition differs from the next one in a few rows; raises RuleFileError where too much is not there."""
    held = len(found & known)
    if always not in found or 2 * held < len(known):
        what = "pairs" if plan.kind == "pairs" else "codes"
        raise RuleFileError(
            f"{_names(plan)}: this does not look like the whole practitioner table: of {len(known)} {what} that every"
            f" edition should hold, it holds {held}."
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
