"""What is usual and customary: therapies a visit, unlisted codes, massage, manipulation level (HNS, CPT)."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.findings import Finding

JUNCTION = (
    "A junction such as L5-S1 is named by two regions and is one motion segment: count before you bill a higher level."
)


def therapies_per_visit(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """More than the usual therapies in the initial phase (HNS Therapeutic Procedures).

    The phase follows from the start of the care plan, else of the episode; how long the initial phase lasts is our own
    reading, so the finding only informs.
    """
    limit, days = book.therapies_per_visit, book.initial_phase_days
    if limit is None or days is None:
        return
    lines = [line for line in visit.billed if tables.codes()[line.code].is_therapy]
    given = list(dict.fromkeys(line.code for line in lines))
    start = visit.history.care_start
    if start is not None and start > visit.date:
        start = None  # a plan that has not begun says nothing of this visit
    if len(given) <= limit.value or (start is not None and (visit.date - start).days > days.value):
        return
    phase = "initial" if start is not None else "unknown"
    yield Finding(
        "policy.therapies-per-visit",
        "info",
        tuple(line.ref for line in lines),
        {"count": len(given), "limit": limit.value, "codes": given, "phase": phase},
        (limit.source, days.source) if start is not None else (limit.source,),
    )


def unlisted(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Unlisted codes are not billed as a rule (HNS Therapeutic Procedures, note)."""
    rule = book.unlisted_codes
    if rule is None:
        return
    for line in visit.reviewed:
        if line.code in rule.value:
            yield Finding("policy.unlisted-code", "warning", (line.ref,), {"code": line.code}, (rule.source,))


def massage(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """More than one unit, or past the third visit: audit triggers (HNS 97124, Audit-Trigger Code)."""
    lines = [line for line in visit.reviewed if line.code == tables.MASSAGE]
    if not lines:
        return
    refs = tuple(line.ref for line in lines)
    units = sum(line.units or 0 for line in lines)
    limit = book.massage_units
    if limit is not None and units > limit.value:
        slots = {"units": units, "limit": limit.value}
        yield Finding("policy.massage-units", "info", refs, {**slots}, (limit.source,))
    visits = visit.history.massage_visits + 1
    limit = book.massage_visits
    if limit is not None and visits > limit.value:
        slots = {"visits": visits, "limit": limit.value}
        yield Finding("policy.massage-visits", "info", refs, {**slots}, (limit.source,))


def cmt_level(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """The manipulation code against the spinal regions that the record shows (HNS CMT page; each region once)."""
    levels = book.cmt_levels
    for line in visit.reviewed:
        bounds = levels.value.get(line.code)
        if bounds is None:
            continue
        regions = sorted(line.regions & tables.spinal_regions())
        if not line.regions or tables.UNREAD in line.regions or bounds[0] <= len(regions) <= bounds[1]:
            continue
        fewest, most = bounds
        fitting = next((code for code, (low, high) in levels.value.items() if low <= len(regions) <= high), "98943")
        over = len(regions) < fewest
        yield Finding(
            "policy.cmt-level",
            "critical" if over else "info",
            (line.ref,),
            {
                "from": line.code,
                "to": fitting,
                "count": len(regions),
                "range": str(fewest) if fewest == most else f"{fewest} to {most}",
                "regions": regions or sorted(line.regions),
            },
            (levels.source,),
            remarks=() if over else (JUNCTION,),
        )
