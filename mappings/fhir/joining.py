"""Which Procedures document which claim item or order: by reference where the draft gives one, else by code."""

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.financial import Claim, ClaimItem
from mappings.fhir.reader import Records
from mappings.fhir.resources import ServiceRequest
from mappings.fhir.services import Service

SPINAL = "cmt-spinal"
"""Manipulations of the spine differ by level only: the record of one documents a line of another."""


def join_items(
    items: list[tuple[int, ClaimItem]], claim: Claim, found: list[Service], records: Records
) -> dict[int, list[Service]]:
    """The services that document each item (by the item's index)."""
    by_ref = {service.ref: service for service in found}
    named = {
        one.sequence: by_ref.get(f"Procedure/{records.id_of(one.procedure_reference, 'Procedure')}")
        for one in claim.procedure
    }
    families = {index: family(coding.billed(item.product_or_service).code) for index, item in items}
    joined: dict[int, list[Service]] = {}
    for index, item in items:
        linked = [service for sequence in item.procedure_sequence if (service := named.get(sequence))]
        joined[index] = [one for one in linked if not one.code or family(one.code) == families[index]]
        for one in linked:
            if one not in joined[index]:
                records.gap(one.ref, f"it is coded {one.code}, the claim line that names it {families[index]}")
    taken = {service.ref for joint in joined.values() for service in joint}
    for kind in dict.fromkeys(families[index] for index, _ in items if not joined[index]):
        places = [index for index, _ in items if families[index] == kind and not joined[index]]
        free = [one for one in found if kind and family(one.code) == kind and one.ref not in taken]
        joined.update(zip(places, shared_out(free, len(places)), strict=True))
    return joined


def services_of_order(
    order: ServiceRequest, code: str, found: list[Service], orders: list[ServiceRequest]
) -> list[Service]:
    """The Procedures that fulfil an order: those based on it, else those of its code that name no order."""
    based = [service for service in found if order.id and order.id in service.orders]
    if based:
        return based
    same = [one for one in orders if coding.billed(one.code).code == code]
    free = [service for service in found if family(service.code) == family(code) and not service.orders]
    place = next(place for place, one in enumerate(same) if one is order)
    return shared_out(free, len(same))[place]


def shared_out(services: list[Service], lines: int) -> list[list[Service]]:
    """The services for each of several lines of one code, in order; the last line has those that are left.

    Where there are fewer services than lines, every line has all of them: their minutes count once for all lines.
    """
    if len(services) < lines:
        return [services] * lines
    return [*([one] for one in services[: lines - 1]), services[lines - 1 :]]


STIMULATION = frozenset({"97014", "G0283"})
"""One service under two codes, of which Medicare and some others take the second."""


def family(code: str) -> str:
    """What a code is joined by: itself, or the one word for all levels of spinal manipulation, or for its two codes."""
    if code in STIMULATION:
        return "e-stim"
    known = tables.codes().get(code)
    return SPINAL if known is not None and known.kind == SPINAL else code
