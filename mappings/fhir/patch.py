"""Changing one thing in the caller's own resource: everything else keeps its very bytes.

Only the parts on the way to the change are taken apart; the rest stays raw JSON, vendor fields and number
formats included. Hollow members (null, "", [] and {}) do not come back: see `mappings.fhir.pruning`.
"""

from typing import Any

import msgspec

from mappings.fhir import coding
from mappings.fhir.datatypes import Coding, Concept, Quantity
from mappings.fhir.pruning import may_be_hollow, pruned, pruned_members

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_CONCEPT = msgspec.json.Decoder(Concept)
_QUANTITY = msgspec.json.Decoder(Quantity | None)
_NOTHING = msgspec.Raw(b"{}")
"""An item of which nothing is left. It keeps its place until the others are found by theirs, and does not come back."""


class Change(msgspec.Struct, frozen=True):
    """What becomes of one line: its units, all its modifiers in order, or that it is taken away."""

    units: int | None = None
    modifiers: tuple[str, ...] | None = None
    remove: bool = False


def numbers(sequences: list[int | None]) -> tuple[int, ...]:
    """The number that each item of a claim is known by: its sequence, or its place unless all state their own one."""
    stated = [one for one in sequences if one is not None]
    unique = len(set(stated)) == len(sequences)
    return tuple(stated) if unique else tuple(range(1, len(sequences) + 1))


class ClaimParts(msgspec.Struct, frozen=True):
    """A Claim taken apart: its elements and its items as raw JSON, and the place of each item by its number.

    `patched` keeps each changed item, for a change is mostly offered twice: by itself, and together with all others.
    """

    elements: dict[str, msgspec.Raw]
    items: list[msgspec.Raw]
    places: dict[int, int]
    patched: dict[tuple[int, Change], dict[str, Any]] = {}


def claim_parts(claim: msgspec.Raw, known_by: tuple[int, ...]) -> ClaimParts:
    """Take a Claim apart whose items are known by these numbers."""
    elements = _PARTS.decode(claim)
    items = _LIST.decode(elements["item"])
    if may_be_hollow(claim):
        elements = pruned_members(elements)
        items = [pruned(item) or _NOTHING for item in items]
    return ClaimParts(elements, items, {number: place for place, number in enumerate(known_by)})


def patch_claim(claim: ClaimParts, changes: dict[int, Change]) -> dict[str, Any]:
    """The Claim with changes to its items, by their `numbers`."""
    items: list[Any] = list(claim.items)
    for number, change in changes.items():
        place = claim.places[number]
        items[place] = None if change.remove else _patched_item(claim, place, change)
    kept = [item for item in items if item is not None and item is not _NOTHING]
    parts: dict[str, Any] = {**claim.elements, "item": kept}
    if not kept:
        del parts["item"]
    return parts


def _patched_item(claim: ClaimParts, place: int, change: Change) -> dict[str, Any]:
    item = claim.patched.get((place, change))
    if item is None:
        item = claim.patched[place, change] = _patched(claim.items[place], change, *_ITEM)
    return item


def patch_order(order: msgspec.Raw, change: Change) -> dict[str, Any]:
    """The ServiceRequest with a change: units as quantityQuantity, modifiers among orderDetail."""
    return _patched(pruned(order) or order, change, *_ORDER)


_ITEM = ("quantity", "modifier", "productOrService")
_ORDER = ("quantityQuantity", "orderDetail", "code")
"""Where units, modifiers and the code stand in an item, and in an order."""


def _patched(raw: msgspec.Raw, change: Change, quantity: str, modifiers: str, code: str) -> dict[str, Any]:
    parts: dict[str, Any] = dict(_PARTS.decode(raw))
    if change.units is not None:
        parts[quantity] = _with_units(parts.get(quantity), change.units)
    if change.modifiers is not None:
        beside_code = coding.billed(_CONCEPT.decode(parts[code])).modifiers if code in parts else ()
        if beside_code and change.modifiers[-len(beside_code) :] != beside_code:
            # Those beside the code are read last; where that is not their place any more, all go to the list.
            parts[code], beside_code = _without_modifiers(parts[code]), ()
        wanted = tuple(one for one in change.modifiers if one not in beside_code)
        concepts = _with_modifiers(parts.get(modifiers), wanted, any_system=modifiers == "modifier")
        if concepts:
            parts[modifiers] = concepts
        else:
            parts.pop(modifiers, None)
    return parts


def _with_units(quantity: msgspec.Raw | None, units: int) -> dict[str, Any]:
    """The quantity with this many units; a unit of time is not kept, for units are not minutes."""
    stated = _QUANTITY.decode(quantity) if quantity is not None else None
    if quantity is None or stated is None or coding.minutes_of(stated) is not None:
        return {"value": units}
    return {**_PARTS.decode(quantity), "value": units}


def _without_modifiers(concept: msgspec.Raw) -> dict[str, Any]:
    """A billing code's concept without the modifiers that stand beside the code or are written into it."""
    parts: dict[str, Any] = dict(_PARTS.decode(concept))
    if _CONCEPT.decode(concept).concept is not None:
        return {**parts, "concept": _without_modifiers(parts["concept"])}
    kept: list[Any] = []
    for raw in _LIST.decode(parts["coding"]):
        one = coding.billed(Concept(coding=[msgspec.json.decode(raw, type=Coding)]))
        if one.code and one.modifiers:
            kept.append({**_PARTS.decode(raw), "code": one.code})
        elif not one.modifiers:
            kept.append(raw)
    return {**parts, "coding": kept}


def _with_modifiers(concepts: msgspec.Raw | None, wanted: tuple[str, ...], *, any_system: bool) -> list[Any]:
    """The concepts with these modifiers in this order, on the place of the first one; others stay as they are."""
    present: dict[str, msgspec.Raw] = {}
    others: list[Any] = []
    place = None
    systems: dict[bool, str] = {}
    for raw in _LIST.decode(concepts) if concepts is not None else []:
        concept = _CONCEPT.decode(raw)
        modifier = coding.modifier_of(concept, any_system=any_system)
        if not modifier:
            others.append(raw)
            continue
        place = len(others) if place is None else place
        present[modifier] = raw
        systems.setdefault(modifier.isdigit(), concept.coding[0].system or "" if concept.coding else "")
    built = [present.get(one) or _concept(one, systems) for one in wanted]
    place = len(others) if place is None else place
    return [*others[:place], *built, *others[place:]]


def _concept(modifier: str, systems: dict[bool, str]) -> dict[str, Any]:
    """A new modifier, in the code system that the caller uses for its kind, else in the official one."""
    number = modifier.isdigit()
    system = systems.get(number) or (CPT if number else HCPCS)
    return {"coding": [{"system": system, "code": modifier}]}
