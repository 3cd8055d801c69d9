"""Claim lines beside the record: billed and not recorded, recorded and not billed, billed twice."""

from collections.abc import Iterator

from mappings import notes, tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding
from plugin.rules import unit_methods
from plugin.rules.units import once_a_visit

SEVERAL_TIMES = frozenset({"59", "XE", "XS", "XP", "XU", "76", "77", "91", "GW"})
"""Modifiers that say why a code stands on a claim more than once."""


NOTES_ALONE = frozenset({"evaluation", "evaluation-management", "test"})
"""Kinds of service that are mostly a note and seldom a Procedure."""


def not_documented(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Lines that no Procedure of the visit documents, while Procedures document others of its lines.

    A system that records no therapy as Procedures is not asked for them, nor is a service that the note names.
    """
    if not visit.draft.startswith("Claim") or not any(line.services for line in visit.reviewed):
        return
    lines = [
        line
        for line in visit.standing
        if line.undocumented
        and tables.codes()[line.code].kind not in NOTES_ALONE
        and not notes.names(visit.documents, line.code)
    ]
    if lines:
        yield Finding(
            "lines.not-documented",
            "info" if "note" in visit.not_sent or visit.unread else "warning",
            tuple(line.ref for line in lines),
            {"codes": list(dict.fromkeys(line.code for line in lines))},
        )


def not_billed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Services of the visit that were given, could be billed, and stand on no claim of the request.

    Where a line of a claim could not be read, it may be the one. A Medicare chiropractor bills the manipulation alone.
    """
    if not visit.draft.startswith("Claim") or not visit.says_unbilled:
        return
    if book.cmt_coverage is not None and any(tables.codes()[line.code].is_cmt for line in visit.billed):
        return
    elsewhere = {line.code for line in visit.elsewhere}
    lines = [
        line
        for line in visit.lines
        if not line.draft and not line.billed and not line.not_given and line.code not in elsewhere
        if _may_be_billed(line, visit, book)
    ]
    if lines:
        yield Finding(
            "lines.not-billed",
            "info",
            tuple(line.ref for line in lines),
            {"codes": list(dict.fromkeys(line.code for line in lines))},
        )


BUNDLED = frozenset({"97010"})
"""Heat and cold packs, which Medicare bundles into every other service (MUE 0) and others seldom pay."""


def _may_be_billed(line: Line, visit: Visit, book: RuleBook) -> bool:
    """Whether there was anything to bill: a complete service that the payer covers, long enough, beside no partner."""
    if not line.finished or line.code in BUNDLED:
        return False
    if book.noncovered is not None and line.code in book.noncovered.value:
        return False
    if any(_paired(line.code, other.code, book) for other in (*visit.billed, *visit.elsewhere)):
        return False
    if not tables.codes()[line.code].timed or line.minutes is None:
        return True
    if line.minutes.value < book.units_minimum.value:
        return False
    return book.units_method.value != "cms-total" or _adds_a_unit(line.minutes.value, visit)


def _paired(code: str, other: str, book: RuleBook) -> bool:
    """Whether two codes are a pair of an edit or of the network's policy: one of them is mostly left off on purpose."""
    policy = book.distinct_with_cmt
    if policy is not None and code in policy.value and tables.codes()[other].is_cmt:
        return True
    return (code, other) in book.pairs or (other, code) in book.pairs


def _adds_a_unit(minutes: int, visit: Visit) -> bool:
    """Whether the day's total with these minutes supports more units than are billed."""
    timed = [line for line in visit.billed if tables.codes()[line.code].timed]
    known = sum(line.minutes.value for line in timed if line.minutes is not None)
    return unit_methods.total(known + minutes) > sum(line.units or 0 for line in timed)


def duplicate(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One timed service on two lines with nothing to tell them apart; of untimed ones `units.untimed` speaks.

    On another claim of the day it is one only where the very same record documents both.
    """
    seen: dict[tuple[object, ...], list[Line]] = {}
    elsewhere = visit.elsewhere if visit.says_unbilled else ()
    for line in (*visit.standing, *elsewhere):
        if line.draft and not once_a_visit(line.code) and SEVERAL_TIMES.isdisjoint(line.modifiers):
            seen.setdefault((line.code, frozenset(line.modifiers), line.encounter, line.sides), []).append(line)
    for lines in seen.values():
        first = lines[0]
        alike = [line for line in lines if _alike(line, first) and _of_one_record(line, first, visit)]
        if len(alike) > 1:
            yield Finding(
                "lines.duplicate",
                "warning" if all(_equal(line, first) for line in alike) else "info",
                tuple(line.ref for line in alike),
                {"count": len(alike), "units": sum(line.units or 0 for line in alike)},
            )


def _of_one_record(line: Line, first: Line, visit: Visit) -> bool:
    return line not in visit.elsewhere or bool(line.services and line.services == first.services)


def _alike(line: Line, first: Line) -> bool:
    """Whether nothing tells two lines of one code apart: region, diagnosis, time, practitioner, Procedure."""
    for mine, theirs in ((line.regions, first.regions), (line.diagnoses, first.diagnoses)):
        if mine and theirs and mine != theirs:
            return False
    if line.performers and first.performers and line.performers.isdisjoint(first.performers):
        return False
    if line.times and first.times and not any(one.overlap(other) for one in line.times for other in first.times):
        return False
    return not (line.services and first.services and set(line.services).isdisjoint(first.services))


def _equal(line: Line, first: Line) -> bool:
    """Whether two lines state the same, and not one of them less."""
    return (line.regions, line.diagnoses, line.services) == (first.regions, first.diagnoses, first.services)
