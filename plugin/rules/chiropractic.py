"""Medicare and the chiropractor: what a covered manipulation carries, and what is excluded by law."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.findings import AddModifier, Finding, Fix, RemoveModifier
from plugin.rules.excluded import CHIROPRACTOR, may_be_excluded
from plugin.rules.placing import EXCLUDED, PLANS, contradictions, with_modifier

IF_HIS = (
    "The record does not say who gave it. It is excluded only if the chiropractor did; where a therapist did, name the"
    " therapist, and the line is reviewed as covered."
)


def coverage(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A manipulation of the spine carries AT, GA or GZ; which one is true only a person knows, so it is asked."""
    rule = book.cmt_coverage
    if rule is None:
        return
    for line in visit.standing:
        if tables.codes()[line.code].kind != "cmt-spinal":
            continue
        if set(rule.value).isdisjoint(line.modifiers):
            gone = tuple(one for one in line.modifiers if one in EXCLUDED)
            room = len(line.modifiers) - len(gone) < book.modifier_places.value
            taken_off = tuple(RemoveModifier(line.ref, old) for old in gone)
            ways: list[tuple[Fix, ...]] = [(*taken_off, AddModifier(line.ref, one)) for one in rule.value]
            yield Finding(
                "modifiers.coverage-missing",
                "warning",
                (line.ref,),
                {"expected": list(rule.value)},
                (rule.source,),
                choices=tuple(ways) if line.draft and room else (),
            )


def excluded(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """What a chiropractor gives beside the manipulation of the spine is billed with GY, if at all; therapy with its
    plan as well. Nothing else is asked of such a line, and where nobody is named the card says so."""
    rule = book.chiropractor_excluded
    if rule is None:
        return
    for line in visit.standing:
        if not EXCLUDED.isdisjoint(line.modifiers) or not may_be_excluded(line, visit, book):
            continue
        his = line.roles == {CHIROPRACTOR}
        always = book.gp_always_therapy is not None and tables.codes()[line.code].always_therapy
        add = ["GP", rule.value] if always and not any(plan in line.modifiers for plan in PLANS) else [rule.value]
        modifiers = line.modifiers
        for one in add:
            modifiers = with_modifier(modifiers, one)
        room = len(modifiers) <= book.modifier_places.value and not contradictions(modifiers, book)
        yield Finding(
            "modifiers.excluded-missing",
            "warning",
            (line.ref,),
            {"add": add},
            (rule.source,),
            choices=(tuple(AddModifier(line.ref, one) for one in add),) if line.draft and room else (),
            remarks=() if his else (IF_HIS,),
        )
