"""Lines of a visit: claim items and orders, joined to the Procedures that document them.

By reference where the draft gives one, else by code.
"""

import msgspec

from mappings import tables
from mappings.fhir import coding, services
from mappings.fhir.dates import naive
from mappings.fhir.reader import Records, id_of
from mappings.fhir.record import Record
from mappings.fhir.resources import Claim, ClaimItem, Concept, Quantity, ServiceRequest
from mappings.fhir.services import Service
from mappings.visit import Line, Minutes

_NOTHING: frozenset[str] = frozenset()


class DraftClaim(msgspec.Struct, frozen=True):
    """A Claim under review: the resource, the name its lines are known by, and its path in the request."""

    claim: Claim
    name: str
    path: str


def join_items(items: list[tuple[int, ClaimItem]], claim: Claim, found: list[Service]) -> dict[int, list[Service]]:
    """The services that document each item (by the item's index)."""
    named = {one.sequence: id_of(one.procedure_reference, "Procedure") for one in claim.procedure}
    by_ref = {service.ref: service for service in found}
    joined: dict[int, list[Service]] = {}
    taken: set[str] = set()
    for index, item in items:
        refs = [f"Procedure/{named.get(sequence, '')}" for sequence in item.procedure_sequence]
        joined[index] = [by_ref[ref] for ref in refs if ref in by_ref]
        taken |= {service.ref for service in joined[index]}
    open_items = [(index, item) for index, item in items if not joined[index]]
    for code in dict.fromkeys(coding.billed(item.product_or_service).code for _, item in open_items):
        same = [index for index, item in open_items if coding.billed(item.product_or_service).code == code]
        free = [service for service in found if code and service.code == code and service.ref not in taken]
        for place, service in enumerate(free):
            joined[same[min(place, len(same) - 1)]].append(service)
    return joined


def item_line(draft: DraftClaim, index: int, item: ClaimItem, joint: list[Service], record: Record) -> Line | None:
    path = f"{draft.path}.item[{index}]"
    named = coding.billed(item.product_or_service)
    if not named.code:
        record.records.gap(f"{path}.productOrService", "no CPT or HCPCS code could be read")
        return None
    ref = f"{draft.name}#{item.sequence if item.sequence is not None else index + 1}"
    units, minutes = _quantity(item.quantity, f"{path}.quantity", record.records)
    sites = item.body_site
    concepts = [sites] if isinstance(sites, Concept) else [one for site in sites or [] for one in site.site]
    regions, evidence = services.sites_of(concepts)
    by_sequence = {one.sequence: one for one in draft.claim.diagnosis}
    pointed = [by_sequence[one] for one in item.diagnosis_sequence if one in by_sequence]
    diagnoses = [
        coding.icd10_of(one.diagnosis_codeable_concept) or record.diagnosis(one.diagnosis_reference) for one in pointed
    ]
    if pointed:
        evidence |= {"diagnosis"}
    encounter = next((id_of(one, "Encounter") for one in item.encounter), "")
    return _line(
        Line(
            ref=ref,
            code=named.code,
            draft=True,
            units=units,
            modifiers=(*coding.modifiers_of(item.modifier), *named.modifiers),
            minutes=minutes,
            regions=regions,
            diagnoses=tuple(filter(None, diagnoses)),
            evidence=evidence,
            encounter=encounter,
        ),
        joint,
    )


def order_line(index: int, order: ServiceRequest, named: coding.Billed, joint: list[Service], record: Record) -> Line:
    name = order_name(index, order)
    units, minutes = _quantity(order.quantity_quantity, f"{name}.quantityQuantity", record.records)
    block = services.block_of(order.occurrence_period, f"{name}.occurrencePeriod", record.records)
    if minutes is None and block is not None:
        length = int((block.end - block.start).total_seconds() // 60)
        minutes = Minutes(length, f"{name}.occurrencePeriod")
    regions, evidence = services.sites_of(order.body_site)
    reasons = [*order.reason_code, *order.reason]
    diagnoses = services.diagnoses_of(reasons, order.reason_reference, record.records)
    if reasons or order.reason_reference:
        evidence |= {"reason"}
    if diagnoses or order.reason_reference:
        evidence |= {"diagnosis"}
    return _line(
        Line(
            ref=name,
            code=named.code,
            draft=True,
            units=units,
            modifiers=tuple(dict.fromkeys([*coding.modifiers_of(order.order_detail), *named.modifiers])),
            minutes=minutes,
            regions=regions,
            diagnoses=diagnoses,
            evidence=evidence,
            answered=_NOTHING.union(*(form.answered for form in record.forms if name in form.belongs_to)),
            notes=services.notes_of(order.note),
            times=() if block is None or naive(block) else (block,),
            encounter=id_of(order.encounter, "Encounter"),
        ),
        joint,
    )


def _line(line: Line, joint: list[Service]) -> Line:
    """The line with what the services that document it show."""
    if not joint:
        return line
    minutes = _sum([service.minutes for service in joint]) or line.minutes
    return msgspec.structs.replace(
        line,
        minutes=minutes,
        regions=line.regions.union(*(service.regions for service in joint)),
        diagnoses=line.diagnoses or tuple(code for service in joint for code in service.diagnoses),
        evidence=line.evidence.union({"minutes"} if minutes else _NOTHING, *(service.evidence for service in joint)),
        answered=line.answered.union(*(service.answered for service in joint)),
        notes=(*line.notes, *(note for service in joint for note in service.notes)),
        times=tuple(block for service in joint for block in service.times) or line.times,
        encounter=line.encounter or joint[0].encounter,
        services=tuple(service.ref for service in joint),
    )


def recorded(found: list[Service], taken: set[str], *, billed: bool) -> list[Line]:
    """The Procedures of ours that stand on no draft, as lines of the visit."""
    return [
        Line(
            ref=service.ref,
            code=service.code,
            draft=False,
            billed=billed,
            modifiers=service.modifiers,
            minutes=service.minutes,
            regions=service.regions,
            diagnoses=service.diagnoses,
            evidence=service.evidence,
            answered=service.answered,
            notes=service.notes,
            times=service.times,
            encounter=service.encounter,
            services=(service.ref,),
        )
        for service in found
        if service.ref not in taken and service.code in tables.codes()
    ]


def _quantity(quantity: Quantity | None, path: str, records: Records) -> tuple[int | None, Minutes | None]:
    """Units, or minutes where the quantity's unit is one of time; what is neither is a gap."""
    if quantity is None:
        return None, None
    minutes = coding.minutes_of(quantity)
    if minutes is not None:
        return None, Minutes(minutes, path)
    units = coding.units_of(quantity)
    if isinstance(units, str):
        records.gap(f"{path}.value", units)
        return None, None
    return units, None


def services_of_order(
    order: ServiceRequest, code: str, found: list[Service], orders: list[ServiceRequest]
) -> list[Service]:
    """The Procedures that fulfil an order: those based on it, else those of its code that name no other order."""
    based = [service for service in found if order.id and order.id in service.orders]
    if based:
        return based
    same = [one for one in orders if coding.billed(one.code).code == code]
    if same[0] is not order:
        return []
    return [service for service in found if service.code == code and not service.orders]


def _sum(minutes: list[Minutes | None]) -> Minutes | None:
    """The minutes of services together; None where one of them is unknown, so that no total is too small."""
    known = [one for one in minutes if one is not None]
    if not known or len(known) < len(minutes):
        return None
    return Minutes(sum(one.value for one in known), ", ".join(one.read_from for one in known))


def order_name(index: int, order: ServiceRequest) -> str:
    return f"ServiceRequest/{order.id}" if order.id else f"ServiceRequest#{index + 1}"
