"""Where a modifier goes among the others of its line."""

from mappings.rule_book import RuleBook
from mappings.visit import Line

DISTINCT = ("59", "XE", "XS", "XP", "XU")
"""The modifiers that say a service was distinct; the X ones say why."""

FIRST = frozenset({"25", *DISTINCT})
"""Modifiers that affect payment and stand before those that inform."""

NO_PLACE = "The line has no free place for another modifier: take one off that does not affect payment, then add it."
"""Why a modifier is advised that no click can add."""

PLANS = ("GP", "GO", "GN")
"""The modifiers that name the discipline under whose plan a therapy was given."""

LAST = frozenset({"KX", "GA", "GY", "GX", "GZ"})
"""Modifiers that inform, and stand after the others."""

EXCLUDED = frozenset({"GY", "GX"})
"""Modifiers that say Medicare excludes the service by law."""

NOTICES = frozenset({"GA", "GX", "GY", "GZ"})
"""Modifiers that say no payment is expected from Medicare, with a notice to the patient or without."""

_RANK = {**dict.fromkeys(FIRST, 0), **dict.fromkeys(PLANS, 2), **dict.fromkeys(LAST, 3)}
_BETWEEN = 1


def with_modifier(modifiers: tuple[str, ...], new: str) -> tuple[str, ...]:
    """The modifiers with a new one, after the last that does not rank after it; unchanged where it stands already."""
    if new in modifiers:
        return modifiers
    rank = _RANK.get(new, _BETWEEN)
    for place in range(len(modifiers), 0, -1):
        if _RANK.get(modifiers[place - 1], _BETWEEN) <= rank:
            return (*modifiers[:place], new, *modifiers[place:])
    return (new, *modifiers)


def without_modifier(modifiers: tuple[str, ...], old: str) -> tuple[str, ...]:
    """The modifiers without one of them."""
    return tuple(one for one in modifiers if one != old)


def says_distinct(line: Line) -> bool:
    """Whether the line carries 59 or an X modifier."""
    return any(modifier in DISTINCT for modifier in line.modifiers)


def contradictions(modifiers: tuple[str, ...], book: RuleBook) -> list[tuple[str, str]]:
    """The pairs among the modifiers that may not meet on a line."""
    rule = book.conflicting_modifiers
    if rule is None or len(modifiers) < 2:
        return []
    return [pair for pair in rule.value if pair[0] in modifiers and pair[1] in modifiers]
