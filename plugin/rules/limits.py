"""The most units of a code: Medicare's unlikely-units edits (MUE)."""

from collections.abc import Iterator

from mappings.rule_book import Limit, RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding, Level, SetUnits
from plugin.rules.totals import counts_by_total
from plugin.rules.unit_methods import UNIT, total
from plugin.rules.units import minutes_by_code, once_a_visit, supported_units

BY_LINE, ABSOLUTE = 1, 2
"""Adjudication indicators: 1 counts each line for itself; 2 the day, without exception; 3 the day, open to appeal."""

DENIED = "Units above it are denied, and those below it with them."
APPEAL = (
    "Medicare looks at the day's units of a claim; units above may be paid on appeal, if the record shows the need."
)
NOT_THE_PAYERS = "This is Medicare's table. That this payer applies it is not known."
ON_LINES = "Each line counts for itself: units that were given beyond it stand on a line of their own, with a modifier."


def above(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """More units of a code than Medicare pays (MUE), where the minutes do not forbid them already.

    A limit of 0 says that Medicare does not cover the code and is no limit for others (`coverage`).
    """
    if book.mue is None or not book.mue.value:
        return
    lines = [line for line in (*visit.billed, *visit.elsewhere) if not line.not_given]
    for code in dict.fromkeys([line.code for line in visit.reviewed if line.billed]):
        limit = book.limits.get(code)
        if limit is None or limit.units == 0:
            continue
        same = [line for line in lines if line.code == code]
        if (
            once_a_visit(code)
            and len({line.encounter for line in same}) == 1
            and all(one in visit.lines for one in same)
        ):
            continue  # `units.untimed` says it
        for counted in [[line] for line in same] if limit.indicator == BY_LINE else [same]:
            units = sum(line.units or 0 for line in counted)
            if units > limit.units and any(line in visit.reviewed for line in counted):
                alone = all(line in visit.lines for line in counted)
                if not alone or not _is_too_much_already(code, limit, visit, book):
                    yield _above(counted, units, limit, book)


def _is_too_much_already(code: str, limit: Limit, visit: Visit, book: RuleBook) -> bool:
    """Whether the minutes, of the code or of the whole visit, support no more than the limit: units say it then."""
    supported = supported_units(visit, book).get(code)
    if supported is not None:
        return supported <= limit.units
    if book.units_method.value != "cms-total":
        return False
    minutes = minutes_by_code(visit).get(code)
    if minutes is not None:
        return minutes // UNIT + 1 <= limit.units
    stated = visit.total_timed
    return stated is not None and counts_by_total(visit, book) and total(stated.value) <= limit.units


def _above(lines: list[Line], units: int, limit: Limit, book: RuleBook) -> Finding:
    sure = book.mue is not None and book.mue.may_advise
    level: Level = "info" if not sure else "critical" if limit.indicator == ABSOLUTE else "warning"
    appealable = limit.indicator not in (BY_LINE, ABSOLUTE)
    one = lines[0] if len(lines) == 1 and lines[0].draft and sure else None
    remarks = [DENIED] if sure else []
    remarks += [APPEAL] if appealable else [ON_LINES] if limit.indicator == BY_LINE else []
    if not sure:
        remarks.append(NOT_THE_PAYERS)
    return Finding(
        "units.above-limit",
        level,
        tuple(line.ref for line in lines),
        {
            "from": units,
            "to": limit.units,
            "per": "line" if limit.indicator == BY_LINE else "day",
            "indicator": limit.indicator,
        },
        (limit.source, *((book.mue.source,) if book.mue is not None else ())),
        fix=(SetUnits(one.ref, limit.units),) if one and not appealable else (),
        choices=((SetUnits(one.ref, limit.units),),) if one and appealable else (),
        remarks=tuple(remarks),
    )
