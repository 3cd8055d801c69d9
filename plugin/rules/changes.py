"""Findings that put modifiers on a line or take them off, with the fixes that do it."""

import msgspec

from mappings.rule_book import RuleBook, Source
from mappings.visit import Line
from plugin.findings import AddModifier, Finding, Fix, RemoveModifier, Slot
from plugin.rules.placing import NO_PLACE, contradictions, with_modifier, without_modifier


def adding(  # noqa: PLR0913 - the parts of a finding, named
    code: str,
    line: Line,
    others: list[Line],
    add: list[str],
    sources: tuple[Source, ...],
    book: RuleBook,
    *,
    remove: list[str] | None = None,
    sure: bool = True,
) -> Finding:
    """A finding that modifiers are missing, with the fix that adds them where the line has room for them.

    `remove` are taken off in the same click. What is not sure, or would contradict what stands there, has no fix.
    """
    modifiers = line.modifiers
    for modifier in remove or ():
        modifiers = without_modifier(modifiers, modifier)
    for modifier in add:
        modifiers = with_modifier(modifiers, modifier)
    room = len(modifiers) <= book.modifier_places.value
    slots: dict[str, Slot] = {"add": add}
    if room:
        slots["order"] = list(modifiers)
    if remove:
        slots["remove"] = remove
    possible = line.draft and sure and room and not contradictions(modifiers, book)
    full = line.draft and sure and not room
    taken_off = [RemoveModifier(line.ref, modifier) for modifier in remove or ()]
    put_on = [AddModifier(line.ref, modifier) for modifier in add]
    return Finding(
        code,
        "warning" if sure else "info",
        (line.ref, *(other.ref for other in others)),
        slots,
        sources,
        fix=(*taken_off, *put_on) if possible else (),
        remarks=(NO_PLACE,) if full else (),
    )


def attesting(  # noqa: PLR0913 - as `adding`
    code: str,
    line: Line,
    others: list[Line],
    add: list[str],
    sources: tuple[Source, ...],
    book: RuleBook,
    *,
    remove: list[str] | None = None,
) -> Finding:
    """As `adding`, for a modifier that attests what no record shows: it is a choice, and no part of apply-all."""
    finding = adding(code, line, others, add, sources, book, remove=remove)
    return msgspec.structs.replace(finding, fix=(), choices=(finding.fix,) if finding.fix else ())


def removing(
    code: str,
    line: Line,
    remove: list[str],
    sources: tuple[Source, ...],
    more: dict[str, Slot] | None = None,
    *,
    sure: bool = True,
) -> Finding:
    """A finding that modifiers are to go, with the fix that takes them off where it is sure."""
    left = line.modifiers
    for modifier in remove:
        left = without_modifier(left, modifier)
    slots: dict[str, Slot] = {"remove": remove, **(more or {})}
    if left:
        slots["order"] = list(left)
    possible = line.draft and sure
    fix: tuple[Fix, ...] = tuple(RemoveModifier(line.ref, one) for one in remove) if possible else ()
    return Finding(code, "warning" if sure else "info", (line.ref,), slots, sources, fix=fix)
