"""How much of one request is reviewed, and how much is told: an answer stays small whatever is sent.

Lines are compared in pairs, and a suggestion holds a whole resource, so that without bounds an answer would grow with
the cube of what was sent. What lies beyond a bound is said and not passed over.
"""

import msgspec

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.financial import ClaimItem
from mappings.visit import Facts, Gap, Visit
from plugin.findings import Finding, Level, Slot
from plugin.review import Reviewed

MOST_LINES = 50
"""Lines of one claim, of those whose codes we review: the 837P has no more of them (loop 2400)."""

MOST_ITEMS = 999
"""Lines of one claim, whatever they bill: the 837I has no more of them."""

MOST_DRAFTS = 50
"""Claims, or orders of ours, of one request."""

MOST_IN_ALL = 200
"""Lines of ours on all claims of one request, and lines that one visit may be compared with."""

LONGEST_REFERENCE = 300
"""Characters. A FHIR id has 64 at most; the reference of a line stands in every card about it."""

MOST_FINDINGS = 100
"""Findings that an answer tells, beside what concerns the whole request."""

MOST_LISTED = 100
"""Lines, values or remarks of one finding."""

SUGGESTED_BYTES = 2_000_000
"""Bytes of the caller's resources in the suggestions of an answer, after which no further one is made."""

NO_ROOM = "The change is not offered here, because the answer would become too large."

_WEIGHT = {"critical": 0, "warning": 1, "info": 2}


def ours(items: list[ClaimItem]) -> int:
    """How many items carry a code that we review, or one that cannot be read and so may be one."""
    codes = [coding.billed(item.product_or_service).code for item in items]
    return sum(not code or code in tables.codes() for code in codes)


def too_many(lines: int, items: int, lines_before: int, claims_before: int) -> str:
    """Why a claim with so many lines of ours, and items in all, is not reviewed after others; "" where it is."""
    if not lines:
        return ""
    if lines > MOST_LINES:
        return f"no more than {MOST_LINES} lines of a claim are reviewed, and this one has {lines}; split the claim"
    if items > MOST_ITEMS:
        return f"a claim of more than {MOST_ITEMS} lines is not reviewed, and this one has {items}"
    if claims_before >= MOST_DRAFTS or lines + lines_before > MOST_IN_ALL:
        return (
            f"no more than {MOST_DRAFTS} claims with {MOST_IN_ALL} lines together are reviewed at once; send this claim"
            " by itself"
        )
    return ""


def reviewable(facts: Facts) -> Facts:
    """The facts without visits of too many services, each of which becomes a gap."""
    kept = [visit for visit in facts.visits if _is_within(visit)]
    if len(kept) == len(facts.visits):
        return facts
    left_out = [visit for visit in facts.visits if not _is_within(visit)]
    words = (
        f"no more than {MOST_IN_ALL} services of one day are reviewed together, and none whose reference has more than"
        f" {LONGEST_REFERENCE} characters"
    )
    gaps = [Gap("context" if visit.draft else "prefetch.procedures", f"{words} ({visit.date})") for visit in left_out]
    return msgspec.structs.replace(facts, visits=tuple(kept), gaps=(*facts.gaps, *gaps))


def _is_within(visit: Visit) -> bool:
    every = (*visit.lines, *visit.elsewhere)
    return len(every) <= MOST_IN_ALL and all(len(line.ref) <= LONGEST_REFERENCE for line in every)


def told(reviewed: tuple[Reviewed, ...]) -> tuple[tuple[Reviewed, ...], tuple[Finding, ...]]:
    """The visits with the weightiest findings, as many as are told, and a finding that counts the others."""
    levels = [finding.level for one in reviewed for finding in one.findings]
    if len(levels) <= MOST_FINDINGS:
        return reviewed, ()
    by_weight = sorted(range(len(levels)), key=lambda place: _WEIGHT[levels[place]])
    kept = set(by_weight[:MOST_FINDINGS])
    level: Level = levels[by_weight[MOST_FINDINGS]]
    shown = []
    place = 0
    for one in reviewed:
        findings = [finding for number, finding in enumerate(one.findings, start=place) if number in kept]
        place += len(one.findings)
        shown.append(msgspec.structs.replace(one, findings=tuple(findings)))
    slots: dict[str, Slot] = {"count": len(levels) - MOST_FINDINGS, "most": MOST_FINDINGS}
    return tuple(shown), (Finding("facts.more-found", level, (), slots),)


def shortened(finding: Finding) -> Finding:
    """The finding with as much of its lists as is told; a remark says that there is more."""
    lists = [value for value in finding.slots.values() if type(value) is list]
    longest = max([len(finding.lines), len(finding.remarks), *map(len, lists)])
    if longest <= MOST_LISTED:
        return finding
    return msgspec.structs.replace(
        finding,
        lines=finding.lines[:MOST_LISTED],
        slots={name: value[:MOST_LISTED] if type(value) is list else value for name, value in finding.slots.items()},
        remarks=(*finding.remarks[:MOST_LISTED], f"- {longest - MOST_LISTED} more are not listed."),
    )
