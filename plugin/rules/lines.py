"""Claim lines beside the record: billed and not recorded, recorded and not billed, billed twice."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding
from plugin.rules.units import once_a_visit

SEVERAL_TIMES = frozenset({"59", "XE", "XS", "XP", "XU", "76", "77", "91", "GW"})
"""Modifiers that say why a code stands on a claim more than once."""


def not_documented(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Lines that no Procedure of the visit documents; office visits are not recorded as Procedures."""
    if not visit.draft.startswith("Claim"):
        return
    lines = [line for line in visit.standing if line.undocumented and not tables.codes()[line.code].is_em]
    if lines:
        recorded = any(line.services for line in visit.lines)
        yield Finding(
            "lines.not-documented",
            "warning" if recorded else "info",
            tuple(line.ref for line in lines),
            {"codes": list(dict.fromkeys(line.code for line in lines))},
        )


def not_billed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Services of the visit that were given and stand on no claim of the request.

    Where a line of a claim could not be read, it may be the one.
    """
    if not visit.draft.startswith("Claim") or not visit.says_unbilled:
        return
    elsewhere = {line.code for line in visit.elsewhere}
    lines = [
        line
        for line in visit.lines
        if not line.draft and not line.billed and not line.not_given and line.code not in elsewhere
        if _may_be_billed(line, book)
    ]
    if lines:
        yield Finding(
            "lines.not-billed",
            "info",
            tuple(line.ref for line in lines),
            {"codes": list(dict.fromkeys(line.code for line in lines))},
        )


def _may_be_billed(line: Line, book: RuleBook) -> bool:
    """Whether there was anything to bill: not what the payer does not cover, and not what was too short."""
    if book.noncovered is not None and line.code in book.noncovered.value:
        return False
    timed = tables.codes()[line.code].timed
    return not (timed and line.minutes is not None and line.minutes.value < book.units_minimum.value)


def duplicate(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One timed service on two lines with nothing to tell them apart; of untimed ones `units.untimed` speaks."""
    seen: dict[tuple[object, ...], list[Line]] = {}
    for line in visit.standing:
        if line.draft and not once_a_visit(line.code) and SEVERAL_TIMES.isdisjoint(line.modifiers):
            seen.setdefault((line.code, frozenset(line.modifiers), line.encounter, line.sides), []).append(line)
    for lines in seen.values():
        alike = [line for line in lines if _alike(line, lines[0])]
        if len(alike) > 1:
            yield Finding(
                "lines.duplicate",
                "warning",
                tuple(line.ref for line in alike),
                {"count": len(alike), "units": sum(line.units or 0 for line in alike)},
            )


def _alike(line: Line, first: Line) -> bool:
    """Whether nothing tells two lines of one code apart: not the region, not the practitioner, not the Procedure."""
    if line.regions and first.regions and line.regions != first.regions:
        return False
    if line.performers and first.performers and line.performers.isdisjoint(first.performers):
        return False
    return not (line.services and first.services and set(line.services).isdisjoint(first.services))
