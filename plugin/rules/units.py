"""Units: too many, too few, not stated, too short, untimed, tied, without minutes.

The method comes from the rule book: Medicare adds the minutes of the day, CPT and the network take each
service by its own minutes. Lines of one code on one day are taken together.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding, Fix, Level, RemoveLine, SetUnits
from plugin.rules import unit_methods
from plugin.rules.ties import billed_units, is_fair, tie_of, unfair
from plugin.text import counted

POOLED = (
    "This payer counts all timed minutes of the day together, so the units of the other timed services were not"
    " checked against the day's total either."
)
"""What one service without minutes means where minutes are pooled."""

ONCE_A_VISIT = frozenset(
    {
        "modality-supervised",
        "group",
        "evaluation",
        "evaluation-management",
        "cmt-spinal",
        "cmt-extraspinal",
    }
)
"""Kinds of code that are one unit whatever they took."""


def untimed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A service that is not billed by time is one unit a visit, on however many lines (HNS; CMS 20.2)."""
    by_code: dict[tuple[str, str], list[Line]] = {}
    codes = tables.codes()
    for line in visit.reviewed:
        code = codes[line.code]
        if not code.timed and code.kind in ONCE_A_VISIT and not line.unread:
            by_code.setdefault((line.code, line.encounter), []).append(line)
    for lines in by_code.values():
        units = sum(1 if line.units is None else line.units for line in lines)
        limit = book.untimed_units
        if units > limit.value:
            yield Finding(
                "units.untimed",
                "critical",
                tuple(line.ref for line in lines),
                {"from": units, "to": limit.value},
                (limit.source,),
                fix=_set(lines[0], limit.value) if len(lines) == 1 else (),
                choices=(_only_the_first(lines, limit.value),) if len(lines) > 1 and lines[0].draft else (),
            )


def _only_the_first(lines: list[Line], units: int) -> tuple[Fix, ...]:
    """The first line with these units, and none of the others."""
    first = () if lines[0].units == units else _set(lines[0], units)
    return (*first, *(RemoveLine(line.ref) for line in lines[1:]))


def timed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Units of timed services by the book's method, where their minutes are known."""
    groups = _by_code(visit)
    known = {code: _minutes(lines) for code, lines in groups.items()}
    without = [code for code, value in known.items() if value is None]
    unknown = [line for code in without for line in groups[code] if line in visit.reviewed and _is_due(line)]
    if unknown:
        yield Finding(
            "units.minutes-unknown",
            "info",
            tuple(line.ref for line in unknown),
            {"codes": list(dict.fromkeys(line.code for line in unknown))},
            (book.units_method.source,),
            remarks=(POOLED,) if book.units_method.value == "cms-total" else (),
        )
    minutes = {code: value for code, value in known.items() if value is not None}
    if book.units_method.value == "cms-total":
        if not any(line.billed for code in without for line in groups[code]):
            yield from _by_total(visit, book, groups, minutes)
        else:
            yield from _beyond_any_total(visit, book, groups, minutes)
        return
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if lines:
            to = unit_methods.alone(value, book.units_minimum.value)
            yield from _compared(lines, to, value, visit.payer.book, book)


def _is_due(line: Line) -> bool:
    """Whether minutes can be asked for: not for an order that states no units and is not given yet."""
    return not line.not_given and not (line.planned and line.units is None)


def _beyond_any_total(
    visit: Visit, book: RuleBook, groups: dict[str, list[Line]], minutes: dict[str, int]
) -> Iterator[Finding]:
    """Units that no total of the day could support: a service never gets two above its whole quarters of an hour."""
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        billed = billed_units(lines) or 0
        most = value // unit_methods.UNIT + 1
        if billed > most:
            yield Finding(
                "units.too-many",
                "critical",
                tuple(line.ref for line in lines),
                {"from": billed, "to": most, "minutes": value, "method": book.units_method.value},
                (book.units_method.source,),
                remarks=("At most so many, whatever the minutes of the other services are.",),
            )


def _by_code(visit: Visit) -> dict[str, list[Line]]:
    """The timed lines of the day by code. A recorded service counts for its minutes though it is not billed."""
    groups: dict[str, list[Line]] = {}
    codes = tables.codes()
    for line in visit.lines:
        if codes[line.code].timed and (line.billed or line.minutes is not None):
            groups.setdefault(line.code, []).append(line)
    return groups


def _minutes(lines: list[Line]) -> int | None:
    """Minutes of one code; lines documented by the same Procedures count them once."""
    if len(lines) == 1:
        return None if lines[0].minutes is None else lines[0].minutes.value
    values = []
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        if line.minutes is None:
            return None
        if not line.services or line.services not in seen:
            values.append(line.minutes.value)
            seen.add(line.services)
    return sum(values)


def _by_total(
    visit: Visit, book: RuleBook, groups: dict[str, list[Line]], minutes: dict[str, int]
) -> Iterator[Finding]:
    shares = unit_methods.shares(minutes)
    whole_day = sum(minutes.values())
    tie = tie_of(groups, minutes, shares)
    if tie is not None and not is_fair(tie):
        yield unfair(tie, book, whole_day)
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if lines and not shares[code].tied:
            yield from _compared(lines, shares[code].units, value, visit.payer.book, book, total=whole_day)


def _compared(
    lines: list[Line], to: int, minutes: int, payer: str, book: RuleBook, total: int | None = None
) -> Iterator[Finding]:
    """What is billed for one code against what its minutes support."""
    billed = billed_units(lines)
    if billed == to or any(line.unread for line in lines):
        return  # as it should be; or units were stated that could not be read, and the gap says so
    refs = tuple([line.ref for line in lines])
    slots: dict[str, int | str] = {"to": to, "minutes": minutes, "method": book.units_method.value}
    if billed is not None:
        slots["from"] = billed
    if total is not None:
        slots["total"] = total
    if billed is None and to > 0 and not any(line.draft for line in lines):
        return  # a Procedure has no place for units, so none can be missing from it
    one = lines[0] if len(lines) == 1 else None
    if to == 0:
        # By the day's total no single service has a minimum; what is too short then is the day.
        short = (minutes if total is None else total) < book.units_minimum.value
        code = "units.under-minimum" if short else "units.too-many"
        minimum = {"minimum": book.units_minimum.value}
        source = book.units_minimum.source if code == "units.under-minimum" else book.units_method.source
        remove = ((RemoveLine(one.ref),),) if one and one.draft else ()
        yield Finding(code, "critical", refs, {**slots, **minimum}, (source,), choices=remove, remarks=_pooled(total))
        return
    level: Level = "critical" if billed is not None and billed > to else "warning"
    code = "units.missing" if billed is None else "units.too-many" if billed > to else "units.too-few"
    if level == "warning" and not _may_raise(lines[0].code, to, payer, book):
        level, one = "info", None
    yield Finding(
        code,
        level,
        refs,
        {**slots},
        (book.units_method.source,),
        fix=_set(one, to) if one else (),
        remarks=_pooled(total),
    )


def _may_raise(code: str, to: int, payer: str, book: RuleBook) -> bool:
    """Whether more units may be advised: not by the base book for a payer that is not known, and not massage up to
    where it draws audits."""
    limit = book.massage_units
    return bool(payer) and not (code == tables.MASSAGE and limit is not None and to > limit.value)


def _pooled(total: int | None) -> tuple[str, ...]:
    """How the day's total led to the units of one service."""
    if total is None:
        return ()
    whole = unit_methods.total(total)
    return (
        f"The {total} timed minutes of the day support {counted(whole, 'unit')} in all. Each service first gets one for"
        " each whole 15 minutes; what is left of the total goes to the largest remainders.",
    )


def _set(line: Line, units: int) -> tuple[Fix, ...]:
    return (SetUnits(line.ref, units),) if line.draft else ()
