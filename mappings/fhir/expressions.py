"""SNOMED CT expressions: a body site by its concept and, refined, its side (SNOMED CT Compositional Grammar 2.3.1)."""

import functools
import re

from mappings import tables

_TERM = re.compile(r"\|[^|]*\|")
_SIDE = re.compile(r"272741003=([0-9]+)")
_SIDES = {
    "7771000": frozenset({"left"}),
    "24028007": frozenset({"right"}),
    "51440002": frozenset({"left", "right"}),
}
"""The values of laterality (272741003) that name a side; the others, such as unilateral, name none."""


@functools.lru_cache(maxsize=1024)
def site_of_expression(text: str) -> tables.Site | None:
    """The body site of an expression: its concepts that we know, and the sides by which they are refined."""
    plain = "".join(_TERM.sub("", text).split())
    concepts, _, refined = plain.removeprefix("===").removeprefix("<<<").partition(":")
    found = [tables.body_sites().get(("snomed", code)) for code in concepts.split("+")]
    sites = [site for site in found if site is not None]
    if not sites:
        return None
    named = [_SIDES.get(code, frozenset()) for code in _SIDE.findall(refined)]
    sides = frozenset[str]().union(*(named or [site.sides for site in sites]))
    regions = frozenset[str]().union(*(site.regions for site in sites))
    if None in found:
        regions |= {tables.UNREAD}
    return tables.Site(regions, any(site.specific for site in sites), sides)
