"""Medicare and the chiropractor: what a covered manipulation carries, and what is excluded by law."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.findings import AddModifier, Finding
from plugin.rules.placing import EXCLUDED, contradictions, with_modifier

CHIROPRACTOR = "chiropractor"
IF_HIS = "The record does not say who gave it. It is excluded only if the chiropractor did."


def coverage(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A manipulation of the spine carries AT, GA or GZ; which one is true only a person knows, so it is asked."""
    rule = book.cmt_coverage
    if rule is None:
        return
    for line in visit.standing:
        if tables.codes()[line.code].kind != "cmt-spinal":
            continue
        if set(rule.value).isdisjoint(line.modifiers) and EXCLUDED.isdisjoint(line.modifiers):
            room = len(line.modifiers) < book.modifier_places.value
            yield Finding(
                "modifiers.coverage-missing",
                "warning",
                (line.ref,),
                {"expected": list(rule.value)},
                (rule.source,),
                choices=tuple((AddModifier(line.ref, one),) for one in rule.value) if line.draft and room else (),
            )


def excluded(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """What a chiropractor gives beside the manipulation of the spine is billed with GY, if at all."""
    rule = book.chiropractor_excluded
    if rule is None:
        return
    codes = tables.codes()
    manipulated = any(codes[line.code].kind == "cmt-spinal" for line in visit.billed)
    for line in visit.standing:
        if codes[line.code].kind == "cmt-spinal" or not EXCLUDED.isdisjoint(line.modifiers):
            continue
        his = line.roles == {CHIROPRACTOR}
        if CHIROPRACTOR not in line.roles and (line.roles or not (manipulated or codes[line.code].is_cmt)):
            continue
        modifiers = with_modifier(line.modifiers, rule.value)
        room = len(modifiers) <= book.modifier_places.value and not contradictions(modifiers, book)
        yield Finding(
            "modifiers.excluded-missing",
            "warning" if his else "info",
            (line.ref,),
            {"add": [rule.value]},
            (rule.source,),
            choices=((AddModifier(line.ref, rule.value),),) if line.draft and room else (),
            remarks=() if his else (IF_HIS,),
        )
