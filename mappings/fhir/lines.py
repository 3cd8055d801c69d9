"""Lines of a visit: claim items and orders, joined to the Procedures that document them.

By reference where the draft gives one, else by code.
"""

import msgspec

from mappings import tables
from mappings.fhir import coding, services
from mappings.fhir.dates import naive
from mappings.fhir.reader import Records
from mappings.fhir.record import Record, Shared
from mappings.fhir.resources import Claim, ClaimItem, Quantity, ServiceRequest, Worded
from mappings.fhir.services import Service
from mappings.visit import Line, Minutes


class DraftClaim(msgspec.Struct, frozen=True):
    """A Claim under review: the resource, the name and numbers its lines are known by, its path in the request."""

    claim: Claim
    name: str
    path: str
    numbers: tuple[int, ...]


def join_items(
    items: list[tuple[int, ClaimItem]], claim: Claim, found: list[Service], records: Records
) -> dict[int, list[Service]]:
    """The services that document each item (by the item's index)."""
    named = {one.sequence: records.id_of(one.procedure_reference, "Procedure") for one in claim.procedure}
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


def item_line(
    draft: DraftClaim, index: int, item: ClaimItem, joint: list[Service], record: Record, shared: Shared
) -> Line | None:
    """The line of a claim item with the services that document it; None (and a gap) where it has no code."""
    path = f"{draft.path}.item[{index}]"
    named = coding.billed(item.product_or_service)
    if not named.code:
        record.records.gap(f"{path}.productOrService", "no CPT or HCPCS code could be read")
        return None
    service = services.together(joint)
    units, minutes = _quantity(item.quantity, path, record.records)
    regions, evidence = services.sites_of(_sites(item))
    diagnoses = _pointed(draft.claim, item, record)
    regions |= service.regions
    minutes = service.minutes or minutes
    kinds = {"diagnosis"} if diagnoses else set()
    if minutes is not None:
        kinds.add("minutes")
    codes = tuple(filter(None, diagnoses)) or service.diagnoses
    if _in_region(codes, regions):
        kinds.add("diagnosis-region")
    return Line(
        ref=f"{draft.name}#{draft.numbers[index]}",
        code=named.code,
        draft=True,
        units=units,
        modifiers=(*coding.modifiers_of(item.modifier), *named.modifiers),
        minutes=minutes,
        regions=regions,
        diagnoses=codes,
        evidence=evidence.union(kinds, service.evidence, shared.evidence),
        answered=service.answered | shared.answered,
        notes=service.notes,
        times=service.times,
        encounter=record.records.id_of(item.encounter[0], "Encounter") if item.encounter else service.encounter,
        services=tuple(one.ref for one in joint),
    )


def _sites(item: ClaimItem) -> list[Worded]:
    """The body sites of an item: one concept in R4, a list of groups in R5."""
    sites = item.body_site
    if sites is None:
        return []
    return [sites] if isinstance(sites, Worded) else [one for site in sites for one in site.site]


def _pointed(claim: Claim, item: ClaimItem, record: Record) -> list[str]:
    """The diagnoses that an item points to, "" for one whose ICD-10-CM code was not sent."""
    by_sequence = {one.sequence: one for one in claim.diagnosis}
    pointed = [by_sequence[one] for one in item.diagnosis_sequence if one in by_sequence]
    return [
        coding.icd10_of(one.diagnosis_codeable_concept) or record.diagnosis(one.diagnosis_reference) for one in pointed
    ]


def _in_region(diagnoses: tuple[str, ...], regions: frozenset[str]) -> bool:
    """Whether the first diagnosis belongs to a region that was treated."""
    return bool(diagnoses) and any(
        tables.regions_overlap(one, other) for one in tables.diagnosis_regions(diagnoses[0]) for other in regions
    )


def order_line(
    index: int, order: ServiceRequest, named: coding.Billed, joint: list[Service], record: Record, shared: Shared
) -> Line:
    """The line of a draft order with the services that fulfil it."""
    name = order_name(index, order)
    service = services.together(joint)
    units, minutes = _quantity(order.quantity_quantity, name, record.records)
    block = services.block_of(order.occurrence_period, f"{name}.occurrencePeriod", record.records)
    if minutes is None and block is not None:
        minutes = Minutes(block.minutes, f"{name}.occurrencePeriod")
    minutes = service.minutes or minutes
    regions, evidence = services.sites_of(order.body_site)
    regions |= service.regions
    reasons = [*order.reason_code, *order.reason]
    diagnoses = services.diagnoses_of(reasons, order.reason_reference, record.records) or service.diagnoses
    kinds = {"reason"} if reasons or order.reason_reference else set()
    if diagnoses or order.reason_reference:
        kinds.add("diagnosis")
    if minutes is not None:
        kinds.add("minutes")
    if _in_region(diagnoses, regions):
        kinds.add("diagnosis-region")
    own = [form.answered for form in record.forms if name in form.belongs_to]
    times = () if block is None or naive(block) else (block,)
    return Line(
        ref=name,
        code=named.code,
        draft=True,
        planned=not joint,
        units=units,
        modifiers=tuple(dict.fromkeys([*coding.modifiers_of(order.order_detail), *named.modifiers])),
        minutes=minutes,
        regions=regions,
        diagnoses=diagnoses,
        evidence=evidence.union(kinds, service.evidence, shared.evidence),
        answered=service.answered.union(shared.answered, *own),
        notes=(*services.notes_of(order.note), *service.notes),
        times=service.times or times,
        encounter=record.records.id_of(order.encounter, "Encounter") or service.encounter,
        services=tuple(one.ref for one in joint),
    )


def recorded(found: list[Service], taken: set[str], shared: Shared, *, billed: bool) -> list[Line]:
    """The Procedures of ours that stand on no draft, as lines of the visit."""
    known = tables.codes()
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
            evidence=service.evidence.union(
                shared.evidence, {"diagnosis-region"} if _in_region(service.diagnoses, service.regions) else ()
            ),
            answered=service.answered | shared.answered,
            notes=service.notes,
            times=service.times,
            encounter=service.encounter,
            services=(service.ref,),
        )
        for service in found
        if service.ref not in taken and service.code in known
    ]


def _quantity(quantity: Quantity | None, path: str, records: Records) -> tuple[int | None, Minutes | None]:
    """Units, or minutes where the quantity's unit is one of time; what is neither is a gap."""
    if quantity is None:
        return None, None
    if quantity.unit or quantity.code:
        minutes = coding.minutes_of(quantity)
        if minutes is not None:
            return None, Minutes(minutes, f"{path}.quantity")
    units = coding.units_of(quantity)
    if isinstance(units, str):
        records.gap(f"{path}.quantity.value", units)
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


def order_name(index: int, order: ServiceRequest) -> str:
    return f"ServiceRequest/{order.id}" if order.id else f"ServiceRequest#{index + 1}"
