"""Where a modifier goes among the others of its line."""

from mappings.visit import Line

DISTINCT = ("59", "XE", "XS", "XP", "XU")
"""The modifiers that say a service was distinct; the X ones say why."""

FIRST = frozenset({"25", *DISTINCT})
"""Modifiers that affect payment and stand before those that inform."""

NO_PLACE = "The line has no free place for another modifier: take one off that does not affect payment, then add it."
"""Why a modifier is advised that no click can add."""

LAST = frozenset({"GP", "GO", "GN", "KX", "GA", "GY", "GX", "GZ"})
"""Modifiers that inform, and stand after the others."""


_RANK = {**dict.fromkeys(FIRST, 0), **dict.fromkeys(LAST, 2)}
_BETWEEN = 1


def with_modifier(modifiers: tuple[str, ...], new: str) -> tuple[str, ...]:
    """The modifiers with a new one, before the first that ranks after it; unchanged where it stands already."""
    if new in modifiers:
        return modifiers
    rank = _RANK.get(new, _BETWEEN)
    for place, one in enumerate(modifiers):
        if _RANK.get(one, _BETWEEN) > rank:
            return (*modifiers[:place], new, *modifiers[place:])
    return (*modifiers, new)


def without_modifier(modifiers: tuple[str, ...], old: str) -> tuple[str, ...]:
    """The modifiers without one of them."""
    return tuple(one for one in modifiers if one != old)


def says_distinct(line: Line) -> bool:
    """Whether the line carries 59 or an X modifier."""
    return any(modifier in DISTINCT for modifier in line.modifiers)
