"""Changing one thing in the caller's own resource: everything else keeps its very bytes.

Only the parts on the way to the change are taken apart; the rest stays raw JSON, vendor fields and number
formats included.
"""

from typing import Any

import msgspec

from mappings.fhir import coding
from mappings.fhir.resources import Concept, Quantity

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_CONCEPT = msgspec.json.Decoder(Concept)


class Change(msgspec.Struct, frozen=True):
    """What becomes of one line: its units, all its modifiers in order, or that it is taken away."""

    units: int | None = None
    modifiers: tuple[str, ...] | None = None
    remove: bool = False


class _Sequence(msgspec.Struct):
    sequence: int | None = None


def patch_claim(claim: msgspec.Raw, changes: dict[int, Change]) -> dict[str, Any]:
    """The Claim with changes to its items, by item sequence (by place, where an item states none)."""
    parts: dict[str, Any] = dict(_PARTS.decode(claim))
    items: list[Any] = []
    for place, item in enumerate(_LIST.decode(parts["item"]), start=1):
        stated = msgspec.json.decode(item, type=_Sequence).sequence
        change = changes.get(place if stated is None else stated)
        if change is None:
            items.append(item)
        elif not change.remove:
            items.append(_patched(item, change, "quantity", "modifier", "productOrService"))
    parts["item"] = items
    if not items:
        del parts["item"]
    return parts


def patch_order(order: msgspec.Raw, change: Change) -> dict[str, Any]:
    """The ServiceRequest with a change: units as quantityQuantity, modifiers among orderDetail."""
    return _patched(order, change, "quantityQuantity", "orderDetail", "code")


def _patched(raw: msgspec.Raw, change: Change, quantity: str, modifiers: str, code: str) -> dict[str, Any]:
    parts: dict[str, Any] = dict(_PARTS.decode(raw))
    if change.units is not None:
        parts[quantity] = _with_units(parts.get(quantity), change.units)
    if change.modifiers is not None:
        beside_code = coding.billed(_CONCEPT.decode(parts[code])).modifiers if code in parts else ()
        wanted = tuple(one for one in change.modifiers if one not in beside_code)
        concepts = _with_modifiers(parts.get(modifiers), wanted)
        if concepts:
            parts[modifiers] = concepts
        else:
            parts.pop(modifiers, None)
    return parts


def _with_units(quantity: msgspec.Raw | None, units: int) -> dict[str, Any]:
    """The quantity with this many units; a unit of time is not kept, for units are not minutes."""
    if quantity is None or coding.minutes_of(msgspec.json.decode(quantity, type=Quantity)) is not None:
        return {"value": units}
    return {**_PARTS.decode(quantity), "value": units}


def _with_modifiers(concepts: msgspec.Raw | None, wanted: tuple[str, ...]) -> list[Any]:
    """The concepts with these modifiers in this order, on the place of the first one; others stay as they are."""
    present: dict[str, msgspec.Raw] = {}
    others: list[Any] = []
    place = None
    systems: dict[bool, str] = {}
    for raw in _LIST.decode(concepts) if concepts is not None else []:
        concept = _CONCEPT.decode(raw)
        modifier = coding.modifier_of(concept)
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
