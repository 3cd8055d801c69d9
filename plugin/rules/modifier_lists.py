"""The list of modifiers on a line: order, repetition, how many fit, and which may not or must stand together."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.findings import AddModifier, Finding, RemoveModifier, ReorderModifiers
from plugin.rules.placing import DISTINCT, contradictions

SEVERAL = 2


def order(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """The payer's order of modifiers (HNS 97112: 59 first, then GP); an X modifier stands where 59 would."""
    rule = book.modifier_order
    if rule is None:
        return
    for line in visit.reviewed:
        if len(line.modifiers) < SEVERAL:
            continue
        listed = _without_what_goes(line.modifiers)
        wanted = _in_order(listed, rule.value)
        if rule.may_advise and rule.value[0] in wanted:  # the payer itself names what stands first
            wanted = (rule.value[0], *(one for one in wanted if one != rule.value[0]))
        if wanted != listed:
            yield Finding(
                "modifiers.order",
                "warning" if rule.may_advise else "info",
                (line.ref,),
                {"order": list(wanted)},
                (rule.source,),
                fix=(ReorderModifiers(line.ref, wanted),) if line.draft and rule.may_advise else (),
            )


def _without_what_goes(modifiers: tuple[str, ...]) -> tuple[str, ...]:
    """The modifiers without what other findings take off: repetitions, and 59 beside an X modifier."""
    once = tuple(dict.fromkeys(modifiers))
    specific = any(one in DISTINCT[1:] for one in once)
    return tuple(one for one in once if one != "59") if specific else once


def _in_order(modifiers: tuple[str, ...], ranks: tuple[str, ...]) -> tuple[str, ...]:
    """The modifiers with the ranked ones in rank order, on the places that ranked ones hold."""

    def rank(modifier: str) -> int:
        stands_for = "59" if modifier in DISTINCT else modifier
        return ranks.index(stands_for) if stands_for in ranks else -1

    ranked = iter(sorted((one for one in modifiers if rank(one) >= 0), key=rank))
    return tuple(next(ranked) if rank(one) >= 0 else one for one in modifiers)


def repeated(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A modifier that stands twice on a line says nothing more and takes a place."""
    for line in visit.reviewed:
        once = tuple(dict.fromkeys(line.modifiers))
        if once != line.modifiers:
            twice = [one for one in once if line.modifiers.count(one) > 1]
            yield Finding(
                "modifiers.repeated",
                "warning",
                (line.ref,),
                {"remove": twice, "order": list(once)},
                (book.modifier_places.source,),
                fix=(ReorderModifiers(line.ref, once),) if line.draft else (),
            )


def places(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """At most four modifiers a line; which to drop is for a person to say."""
    limit = book.modifier_places
    for line in visit.reviewed:
        if len(line.modifiers) > limit.value:
            yield Finding(
                "modifiers.too-many",
                "warning",
                (line.ref,),
                {"count": len(line.modifiers), "places": limit.value, "modifiers": list(line.modifiers)},
                (limit.source,),
            )


def contradicting(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Modifiers that may not meet on a line, since they say opposite things; which one is true a person chooses."""
    rule = book.conflicting_modifiers
    if rule is None:
        return
    for line in visit.reviewed:
        for pair in contradictions(line.modifiers, book):
            yield Finding(
                "modifiers.conflict",
                "warning" if rule.may_advise else "info",
                (line.ref,),
                {"modifiers": list(pair)},
                (rule.source,),
                choices=tuple((RemoveModifier(line.ref, one),) for one in pair)
                if line.draft and rule.may_advise
                else (),
            )


def incomplete(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A modifier that stands only together with another one (GX with GY)."""
    rule = book.modifier_needs
    if rule is None:
        return
    for line in visit.reviewed:
        for has, needs in rule.value.items():
            if tables.codes()[line.code].kind == "cmt-spinal":
                continue  # neither belongs there
            if has in line.modifiers and set(needs).isdisjoint(line.modifiers):
                room = len(line.modifiers) < book.modifier_places.value
                put_on = [(AddModifier(line.ref, one),) for one in needs] if room else []
                yield Finding(
                    "modifiers.needs-another",
                    "warning" if rule.may_advise else "info",
                    (line.ref,),
                    {"has": [has], "add": list(needs)},
                    (rule.source,),
                    choices=(*put_on, (RemoveModifier(line.ref, has),)) if line.draft and rule.may_advise else (),
                )
