"""What is billed of one timed service against what its minutes support: too many, too few, not stated, too short."""

from collections.abc import Iterator

import msgspec

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding, Fix, Level, RemoveLine, SetUnits
from plugin.rules import unit_methods
from plugin.rules.one_on_one import shares_time
from plugin.rules.plans import counted_together
from plugin.rules.ties import billed_units
from plugin.text import counted

NO_METHOD = (
    "No sentence of this payer is held on how minutes become units, each service for itself or the day's total:"
    " {least} or {most}."
)
"""What is said where the payer's method decides and is not known."""


def compared(
    lines: list[Line], to: int, minutes: int, visit: Visit, book: RuleBook, total: int | None = None
) -> Iterator[Finding]:
    """What is billed for one code against what its minutes support, and no more than the payer's limit."""
    billed = billed_units(lines)
    most = most_units(lines[0].code, book)
    clipped = most is not None and to > most
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
    if level == "warning" and not _may_raise(lines[0], (minutes, to - (billed or 0), to), visit, book):
        level, one = "info", None
    yield Finding(
        code,
        level,
        refs,
        {**slots},
        (book.units_method.source,),
        fix=set_units(one, to) if one else (),
        remarks=(*_pooled(total), *((f"More than {to} Medicare does not pay a day (MUE).",) if clipped else ())),
    )


def _may_raise(line: Line, advised: tuple[int, int, int], visit: Visit, book: RuleBook) -> bool:
    """Whether more units may be advised; `advised` are the minutes, the units more, and those that they make.

    Not on minutes in which another one-on-one service was given as well, nor on a time that may be the encounter's; not
    by the base book for a payer that is not known, not where its own pages disagree, not up to where they draw audits
    (massage, Medicare's table for others than Medicare), and not more than the payer pays a day.
    """
    minutes, more, to = advised
    if line.stamped or shares_time(visit):
        return False
    disputed = book.units_disputed
    if disputed is not None and minutes < disputed.value.get(line.code, 0):
        return False
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


def within(
    lines: list[Line], to: int, bounds: tuple[int, int], minutes: int, visit: Visit, book: RuleBook
) -> Iterator[Finding]:
    """What is billed against two readings of the same minutes: above both it is too many, below both too few.

    `to` is the one by the book's method, `bounds` the least and the most of both. Between them nothing is said, for the
    payer may follow either; units that are not stated, and services too short by themselves, are only told.
    """
    billed = billed_units(lines)
    least, most = bounds
    if least == most:
        yield from compared(lines, to, minutes, visit, book)
    elif billed is None or to == 0:
        # A service too short for a unit of its own may have one by the day's total, so that it is told and not mended.
        above = billed is not None and billed > most
        for finding in compared(lines, to, minutes, visit, book):
            level = finding.level if above else "info"
            remarks = (*finding.remarks, NO_METHOD.format(least=least, most=most))
            yield msgspec.structs.replace(finding, level=level, fix=(), choices=(), remarks=remarks)
    elif not least <= billed <= most:
        yield from compared(lines, most if billed > most else least, minutes, visit, book)


def _pooled(total: int | None) -> tuple[str, ...]:
    """How the day's total led to the units of one service."""
    if total is None:
        return ()
    whole = unit_methods.total(total)
    return (
        f"The {total} timed minutes of the day support {counted(whole, 'unit')} in all. Each service first gets one for"
        " each whole 15 minutes; what is left of the total goes to the largest remainders.",
    )


def set_units(line: Line, units: int) -> tuple[Fix, ...]:
    return (SetUnits(line.ref, units),) if line.draft else ()
