"""The sentences of findings: templates with slots, taken apart once, filled for each card."""

import functools
from collections.abc import Callable
from string import Formatter

import msgspec

from mappings import tables
from mappings.visit import Line
from plugin.finding_list import KINDS
from plugin.findings import Finding, Slot
from plugin.text import counted, in_short, number_on_claim, plain, summary, unmarked

NOUNS = {
    "units": "unit",
    "elements": "documentation element",
    "parts": "part",
    "regions": "spinal region",
}
"""A slot with one of these endings is told as a number with its noun."""

NOT_CERTAIN = frozenset(
    f"modifiers.{name}"
    for name in ("distinct-missing", "distinct-then-gp", "distinct-with-em", "gp-missing", "plan-mismatch", "order")
)
"""Findings that advise unless they only inform, which the first words say then."""

Template = tuple[tuple[str, str], ...]
"""Pieces of a sentence: literal text, and the slot that follows it ("" for none)."""


class Told(msgspec.Struct, frozen=True):
    """A finding in words: one sentence (under 140 characters), and the same at length as Markdown."""

    summary: str
    detail: str


def _template(sentence: str) -> Template:
    return tuple((literal, slot or "") for literal, slot, _, _ in Formatter().parse(sentence))


_TEMPLATES: dict[str, tuple[Template, Template]] = {
    kind.code: (_template(kind.summary), _template(kind.detail)) for kind in KINDS
}


def told(finding: Finding, lines: dict[str, Line]) -> Told:
    """The finding in words; a caller's words come out inert."""
    short, long = _TEMPLATES[finding.code]
    named = [_named(lines[ref]) for ref in finding.lines if ref in lines]
    if finding.level == "info" and finding.code in NOT_CERTAIN:
        named = [(f"Not certain: {one}", other) for one, other in named[:1]] + named[1:]
    summed = _filled(short, finding, [name for name, _ in named], unmarked)
    return Told(summary(summed), _filled(long, finding, [name for _, name in named], plain))


def _filled(template: Template, finding: Finding, names: list[str], inert: Callable[[str], str]) -> str:
    slots = finding.slots
    parts = []
    for literal, slot in template:
        parts.append(literal)
        if slot == "what":
            parts.append(names[0] if names else "")
        elif slot in slots:
            parts.append(_in_words(slots[slot], inert))
        elif slot:
            parts.append(_word(slot, finding, names, inert))
    return "".join(parts)


def _word(slot: str, finding: Finding, names: list[str], inert: Callable[[str], str]) -> str:
    """A word that is made: names of lines, numbers with their nouns, what is told only if it is there."""
    if slot == "others":
        return _listed(names[1:])
    if slot == "all":
        return _listed(names)
    if slot == "support":
        minutes, total = finding.slots["minutes"], finding.slots.get("total")
        return f"{minutes} of the day's {total} timed minutes" if total is not None else f"{minutes} minutes"
    if slot == "payer":
        return f" ({_in_words(finding.slots['saw'], inert)})" if "saw" in finding.slots else ""
    key, _, noun = slot.partition("_")
    value = finding.slots.get(key)
    if not noun:
        return "none"
    return counted(value, NOUNS[noun]) if isinstance(value, int) else f"no {NOUNS[noun]}s"


def _in_words(value: Slot, inert: Callable[[str], str]) -> str:
    """A slot's value; words may be the caller's and are made inert."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, list):
        return ", ".join([inert(str(part)) for part in value])
    return str(value)


def _listed(names: list[str]) -> str:
    if len(names) <= 1:
        return names[0] if names else ""
    return f"{', '.join(names[:-1])} and {names[-1]}"


@functools.lru_cache(maxsize=1024)
def labelled(code: str) -> str:
    """A code with our label."""
    return f"{code} ({tables.codes()[code].label})"


def _named(line: Line) -> tuple[str, str]:
    """A line by code and its number on the claim, in short, and with our label."""
    label = labelled(line.code)
    number = number_on_claim(line.ref)
    return in_short(line.code, line.ref), f"{label}, line {number}" if number else label
