"""The year's therapy in dollars: KX from the threshold on, and the amount from which claims may be reviewed.

The amount comes from a form; without one nothing is said, for no claim shows what the year has cost.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import AddModifier, Finding
from plugin.rules.placing import EXCLUDED, NOTICES
from plugin.rules.plans import plan_of


def kx(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """KX above the threshold, never below. It attests medical necessity, so that it is a choice and no fix."""
    rule = book.kx_threshold
    if rule is None:
        yield from _not_held(visit, book)
        return
    for line in visit.standing:
        used = _used(line, visit)
        if used is None or not tables.codes()[line.code].always_therapy or not NOTICES.isdisjoint(line.modifiers):
            continue
        has = "KX" in line.modifiers
        room = len(line.modifiers) < book.modifier_places.value
        above = used >= rule.value
        if above == has:
            continue
        yield Finding(
            "modifiers.kx-missing" if above else "modifiers.kx-early",
            "warning" if above and rule.may_advise else "info",
            (line.ref,),
            {"add" if above else "remove": ["KX"], "used": int(used), "threshold": rule.value},
            (rule.source,),
            choices=((AddModifier(line.ref, "KX"),),) if above and rule.may_advise and line.draft and room else (),
        )


def _not_held(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """The year's amount is stated and the year's threshold is not known: silence would mean that all is well."""
    codes = tables.codes()
    lines = [line for line in visit.standing if codes[line.code].always_therapy and _used(line, visit) is not None]
    if lines and book.applies_ncci:
        refs = tuple(line.ref for line in lines)
        yield Finding("policy.threshold-not-held", "info", refs, {"year": visit.date.year})


def targeted_review(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """The year's therapy has reached the amount from which claims may be picked for review."""
    rule = book.targeted_review
    if rule is None:
        return
    by_amount: dict[float, list[Line]] = {}
    for line in visit.standing:
        if tables.codes()[line.code].always_therapy and EXCLUDED.isdisjoint(line.modifiers):
            used = _used(line, visit)
            if used is not None and used >= rule.value:
                by_amount.setdefault(used, []).append(line)
    for used, lines in by_amount.items():
        slots = {"used": int(used), "limit": rule.value}
        yield Finding("policy.targeted-review", "info", tuple(line.ref for line in lines), {**slots}, (rule.source,))


def _used(line: Line, visit: Visit) -> float | None:
    """The year's amount of the line's discipline: occupational therapy apart, physical and speech therapy together."""
    history = visit.history
    if history.used_pt_slp is None and history.used_ot is None:
        return None
    plan = plan_of(line, visit)
    return history.used_ot if plan == "GO" else history.used_pt_slp if plan else None
