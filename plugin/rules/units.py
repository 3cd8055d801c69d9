"""Units: too many, too few, not stated, too short, untimed, tied, without minutes.

The method comes from the rule book: Medicare adds the minutes of the day, CPT and the network take each
service by its own minutes. Lines of one code on one day are taken together.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding, Fix, Level, RemoveLine, SetUnits
from plugin.rules import totals, unit_methods
from plugin.rules.plans import counted_together
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


def once_a_visit(code: str) -> bool:
    """Whether a code is one unit whatever it took, so that `untimed` already says what is too much."""
    known = tables.codes()[code]
    return not known.timed and known.kind in ONCE_A_VISIT


def untimed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A service that is not billed by time is one unit a visit, on however many lines (HNS; CMS 20.2)."""
    by_code: dict[tuple[str, str], list[Line]] = {}
    for line in visit.reviewed:
        if once_a_visit(line.code) and not line.unread:
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
    if unknown and not totals.settles(visit, book):
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
            to = max(0, unit_methods.alone(value, book.units_minimum.value) - _billed_beside(groups[code], lines))
            yield from _compared(lines, to, value, visit, book)


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


def _billed_beside(every: list[Line], lines: list[Line]) -> int:
    """The units that other lines of a code bill, whose minutes are among those of the day."""
    return sum(line.units or 0 for line in every if line.billed and line not in lines)


def _by_total(
    visit: Visit, book: RuleBook, groups: dict[str, list[Line]], minutes: dict[str, int]
) -> Iterator[Finding]:
    shares = unit_methods.shares(minutes)
    whole_day = sum(minutes.values())
    tie = tie_of(groups, minutes, shares)
    if tie is not None and not is_fair(tie):
        most = {code: limit for code in tie.lines if (limit := most_units(code, book)) is not None}
        yield unfair(tie, book, whole_day, most)
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if lines and not shares[code].tied:
            to = max(0, shares[code].units - _billed_beside(groups[code], lines))
            yield from _compared(lines, to, value, visit, book, total=whole_day)


def _compared(
    lines: list[Line], to: int, minutes: int, visit: Visit, book: RuleBook, total: int | None = None
) -> Iterator[Finding]:
    """What is billed for one code against what its minutes support, and no more than the payer's limit."""
    billed = billed_units(lines)
    most = most_units(lines[0].code, book)
    if most is not None and to > most:
        if billed is not None and billed > most:
            return  # `limits` says it
        to = most
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
    if level == "warning" and not _may_raise(lines[0], to - (billed or 0), to, visit, book):
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


def _may_raise(line: Line, more: int, to: int, visit: Visit, book: RuleBook) -> bool:
    """Whether more units may be advised: not by the base book for a payer that is not known, not up to where they draw
    audits (massage, Medicare's table for others than Medicare), and not more than the payer pays a day."""
    massage, cap = book.massage_units, book.timed_units_cap
    if not visit.payer.book or (line.code == tables.MASSAGE and massage is not None and to > massage.value):
        return False
    limit = book.limits.get(line.code) if book.mue is not None and book.mue.value else None
    if limit is not None and 0 < limit.units < to:
        return False
    together = next((lines for lines in counted_together(visit, book).values() if line in lines), [line])
    return cap is None or sum(one.units or 0 for one in together) + more <= cap.value.units


def most_units(code: str, book: RuleBook) -> int | None:
    """The most units of a code that this payer is known to pay a day; None where it states none."""
    if book.mue is None or not book.mue.value or not book.mue.may_advise:
        return None
    limit = book.limits.get(code)
    return limit.units if limit is not None and limit.units and limit.indicator != 1 else None


def supported_units(visit: Visit, book: RuleBook) -> dict[str, int]:
    """The units that the recorded minutes support, by code, where they are known and no tie leaves a choice."""
    known = minutes_by_code(visit)
    minutes = {code: value for code, value in known.items() if value is not None}
    if book.units_method.value != "cms-total":
        return {code: unit_methods.alone(value, book.units_minimum.value) for code, value in minutes.items()}
    if len(minutes) < len(known):
        return {}
    return {code: share.units for code, share in unit_methods.shares(minutes).items() if not share.tied}


def minutes_by_code(visit: Visit) -> dict[str, int | None]:
    """The recorded minutes of each timed code of the day, None where they are not all known."""
    return {code: _minutes(lines) for code, lines in _by_code(visit).items()}


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
