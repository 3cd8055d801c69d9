"""Medicare's totals: the timed minutes and the treatment minutes that the note states for the whole visit.

Medicare asks for these two and not for the minutes of each service (Benefit Policy Manual chapter 15, 220.3).
"""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import Finding
from plugin.rules import unit_methods
from plugin.rules.plans import plan_of


def disagree(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Stated totals that the recorded minutes contradict: another timed total, or less treatment than was given."""
    rule = book.total_minutes
    if rule is None:
        return
    timed = [line for line in visit.lines if tables.codes()[line.code].timed and not line.not_given]
    recorded = _together(timed)
    stated = visit.total_timed
    if stated is not None and recorded is not None and timed and stated.value != recorded:
        yield _differ("timed", stated.value, recorded, timed, rule.source)
    whole = visit.total_treatment
    # Modalities may run beside each other or another service, and an office visit is no treatment time.
    one_by_one = [line for line in visit.lines if _takes_its_own_time(line) and line.minutes is not None]
    least = _together(one_by_one) or 0
    if stated is not None:
        least = max(least, stated.value)
    if whole is not None and whole.value < least:
        yield _differ("treatment", whole.value, least, list(visit.reviewed), rule.source)


def _takes_its_own_time(line: Line) -> bool:
    """Whether the treatment is as much longer: timed services and a therapist's evaluation, not what runs beside."""
    code = tables.codes()[line.code]
    return not line.not_given and (code.timed or code.kind == "evaluation")


def _differ(which: str, stated: int, recorded: int, lines: list[Line], source: Source) -> Finding:
    return Finding(
        "units.totals-disagree",
        "warning",
        tuple(line.ref for line in lines),
        {"which": which, "stated": stated, "recorded": recorded},
        (source,),
    )


def above(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """More timed units than the stated total supports, where the services' own minutes are not all known."""
    if not counts_by_total(visit, book):
        return
    lines = [line for line in visit.billed if tables.codes()[line.code].timed]
    stated = visit.total_timed
    billed = sum(line.units or 0 for line in lines)
    if stated is None or not any(line in visit.reviewed for line in lines):
        return
    if len({plan_of(line, visit) for line in lines}) > 1:
        return  # whether the minutes of two disciplines are added no source says
    to = unit_methods.total(stated.value)
    if billed > to:
        yield Finding(
            "units.above-total",
            "critical",
            tuple(line.ref for line in lines),
            {"from": billed, "to": to, "minutes": stated.value},
            (book.units_method.source,),
        )


def settles(visit: Visit, book: RuleBook) -> bool:
    """Whether the stated total supports just the units that are billed, so that no service's minutes are asked for."""
    stated = visit.total_timed
    if stated is None or not counts_by_total(visit, book):
        return False
    lines = [line for line in visit.billed if tables.codes()[line.code].timed]
    return sum(line.units or 0 for line in lines) >= unit_methods.total(stated.value)


def counts_by_total(visit: Visit, book: RuleBook) -> bool:
    """Whether the stated total stands for the minutes of the services, since one of those is unknown."""
    if book.total_minutes is None or visit.total_timed is None or book.units_method.value != "cms-total":
        return False
    return any(tables.codes()[line.code].timed and line.minutes is None for line in visit.billed)


def _together(lines: list[Line]) -> int | None:
    """The minutes of lines; those that the same Procedures document count once. None where one is unknown."""
    minutes = 0
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        if line.minutes is None:
            return None
        if not line.services or line.services not in seen:
            minutes += line.minutes.value
            seen.add(line.services)
    return minutes
