"""Lines of a visit: claim items and orders with the services that document them, and Procedures on no draft."""

import msgspec

from mappings import tables
from mappings.fhir import coding, services
from mappings.fhir.base import NOT_SENT
from mappings.fhir.datatypes import Quantity, Worded
from mappings.fhir.dates import day_of, naive
from mappings.fhir.extensions import NOTHING as NOTHING_TOLD
from mappings.fhir.extensions import Told, told_by
from mappings.fhir.financial import Claim, ClaimItem
from mappings.fhir.jointly import together
from mappings.fhir.reader import Records
from mappings.fhir.record import Record, Shared
from mappings.fhir.resources import ServiceRequest
from mappings.fhir.service_minutes import Stated, agreed
from mappings.fhir.services import Service
from mappings.visit import Interval, Line, Minutes

_NO_DETAIL = (b"null", b"[]")


class DraftClaim(msgspec.Struct, frozen=True):
    """A Claim under review: the resource, the name and numbers its lines are known by, its path in the request."""

    claim: Claim
    name: str
    path: str
    numbers: tuple[int, ...]


class Joint(msgspec.Struct, frozen=True):
    """The services that document one line; `alone` says that they document no other one, `expected` that a service
    that was recorded would be among them."""

    services: list[Service]
    alone: bool
    expected: bool


def item_line(
    draft: DraftClaim,
    numbered: tuple[int, ClaimItem],
    joint: Joint,
    diagnosed: dict[int | None, str],
    record: Record,
    shared: Shared,
) -> Line | None:
    """The line of a claim item with the services that document it; None (and a gap) where it has no code."""
    index, item = numbered
    path = f"{draft.path}.item[{index}]"
    named = coding.billed(item.product_or_service)
    if item.detail is not NOT_SENT and bytes(item.detail) not in _NO_DETAIL:
        record.records.gap(f"{path}.detail", "services in the details of a line are not reviewed; expected lines")
        if not named.code:
            return None
    if not named.code:
        record.records.gap(f"{path}.productOrService", "no CPT or HCPCS code could be read")
        return None
    service = together(joint.services)
    quantity = _quantity(item.quantity, path, record.records)
    told = _extensions(item.extension, path, record)
    stated = _in_all(service.stated, [quantity.minutes, told.minutes], compare=joint.alone)
    regions, sides, kinds = service.regions, service.sides, service.evidence | shared.evidence
    if item.body_site is not None:
        named_regions, sites, named_sides = services.sites_of(_sites(item))
        regions, sides, kinds = regions | named_regions, sides | named_sides, kinds | sites
    diagnoses = [diagnosed[one] for one in item.diagnosis_sequence if one in diagnosed]
    codes = tuple([code for code in diagnoses if code]) or service.diagnoses
    shown = ["diagnosis"] if diagnoses else []
    if stated.minutes is not None or stated.disputed:
        shown.append("minutes")
    if _in_region(codes, regions):
        shown.append("diagnosis-region")
    modifiers = named.modifiers
    if item.modifier or told.modifiers:
        modifiers = (*_modifiers(item, path, record.records), *modifiers)
        modifiers += tuple(one for one in told.modifiers if one not in modifiers)
    who = service.who
    if not who.performers and not who.roles:
        who = record.people.of_item(item, modifiers)
    return Line(
        ref=f"{draft.name}#{draft.numbers[index]}",
        code=named.code,
        draft=True,
        units=quantity.units,
        unread=quantity.unread or _several_days(item, path, record.records),
        modifiers=modifiers,
        minutes=stated.minutes,
        disputed=stated.disputed,
        guess=stated.guess,
        undocumented=joint.expected and not joint.services,
        stamped=service.stamped,
        regions=regions,
        sides=sides,
        diagnoses=codes,
        evidence=kinds.union(shown),
        answered=service.answered | shared.answered,
        notes=service.notes,
        times=service.times or _own_time(item, path, record.records),
        encounter=record.records.id_of(item.encounter[0], "Encounter") if item.encounter else service.encounter,
        services=tuple([one.ref for one in joint.services]),
        performers=who.performers,
        roles=who.roles,
        assistant=service.assistant,
    )


def _modifiers(item: ClaimItem, path: str, records: Records) -> tuple[str, ...]:
    """The modifiers of an item; one that is coded as a modifier and is none is a gap."""
    found = coding.modifiers_of(item.modifier, any_system=True)
    if len(found) < len(item.modifier):
        for place, one in enumerate(item.modifier):
            if coding.is_billed(one) and not coding.modifier_of(one, any_system=True):
                records.gap(f"{path}.modifier[{place}]", "expected a modifier of two letters or digits, such as GP")
    return found


def _extensions(raw: msgspec.Raw, path: str, record: Record) -> Told:
    if raw is NOT_SENT:
        return NOTHING_TOLD
    return told_by(raw, f"{path}.extension", record.records, record.context.practice.minutes_urls)


def _in_all(service: Stated, others: list[Minutes | None], *, compare: bool) -> Stated:
    """The minutes of a line: those of its services, beside those that the draft itself states.

    Where services document several lines, their minutes are not those of one line and cannot contradict it.
    """
    own = [one for one in others if one is not None]
    if not own:
        return service
    if service.disputed:
        return Stated(disputed=(*service.disputed, *own))
    if service.minutes is None:
        return agreed(own)
    return agreed([service.minutes, *own]) if compare else service


def _own_time(item: ClaimItem, path: str, records: Records) -> tuple[Interval, ...]:
    """The block of time that an item itself states."""
    if item.serviced_period is None:
        return ()
    block = services.block_of(item.serviced_period, f"{path}.servicedPeriod", records)
    return () if block is None or naive(block) else (block,)


def _several_days(item: ClaimItem, path: str, records: Records) -> bool:
    """Whether an item covers several days of service at once, so that its units are those of no one visit."""
    period = item.serviced_period
    if period is None or day_of(period.start) == (day_of(period.end) or day_of(period.start)):
        return False
    records.gap(f"{path}.servicedPeriod", "it covers several days; units are reviewed day by day, one line a day")
    return True


def _sites(item: ClaimItem) -> list[Worded]:
    """The body sites of an item: one concept in R4, a list of groups in R5."""
    sites = item.body_site
    if sites is None:
        return []
    return [sites] if isinstance(sites, Worded) else [one for site in sites for one in site.site]


def diagnosed(claim: Claim, record: Record) -> dict[int | None, str]:
    """The claim's diagnoses by the number that items point to, "" for one whose ICD-10-CM code was not sent.

    A diagnosis in which nothing stands is none, nor is a Condition that was left out as another patient's.
    """
    return {
        one.sequence: coding.icd10_of(one.diagnosis_codeable_concept)
        or services.diagnosis_of(one.diagnosis_reference, claim.contained, record.records)
        for one in claim.diagnosis
        if (coding.says(one.diagnosis_codeable_concept) or coding.refers(one.diagnosis_reference))
        and not record.records.left_out(one.diagnosis_reference)
    }


def _in_region(diagnoses: tuple[str, ...], regions: frozenset[str]) -> bool:
    """Whether the first diagnosis belongs to a region that was treated."""
    if not diagnoses or not regions:
        return False
    for one in tables.diagnosis_regions(diagnoses[0]):  # noqa: SIM110 - a generator costs more than the comparison
        if not regions.isdisjoint(tables.overlapping(one)):
            return True
    return False


def order_line(
    index: int, order: ServiceRequest, named: coding.Billed, joint: list[Service], record: Record, shared: Shared
) -> Line:
    """The line of a draft order with the services that fulfil it."""
    name = order_name(index, order)
    service = together(joint)
    quantity = _quantity(order.quantity_quantity, name, record.records)
    block = services.block_of(order.occurrence_period, f"{name}.occurrencePeriod", record.records)
    told = _extensions(order.extension, name, record)
    planned = Minutes(block.minutes, f"{name}.occurrencePeriod") if block is not None and not joint else None
    # What was ordered need not be what was given: it is not held against the record.
    stated = _in_all(service.stated, [quantity.minutes, told.minutes, planned], compare=False)
    regions, evidence, sides = services.sites_of(order.body_site)
    regions, sides = regions | service.regions, sides | service.sides
    reasons = [*order.reason_code, *order.reason]
    diagnoses = services.diagnoses_of(reasons, order.reason_reference, order.contained, record.records)
    kinds = {*services.reasons_shown(reasons, order.reason_reference, diagnoses)}
    diagnoses = diagnoses or service.diagnoses
    if diagnoses:
        kinds.add("diagnosis")
    if stated.minutes is not None or stated.disputed:
        kinds.add("minutes")
    if _in_region(diagnoses, regions):
        kinds.add("diagnosis-region")
    own = [form.answered for form in record.forms if name in form.belongs_to]
    times = () if block is None or naive(block) else (block,)
    who = service.who if joint else record.people.of_order(order, name)
    return Line(
        ref=name,
        code=named.code,
        draft=True,
        planned=not joint,
        units=quantity.units,
        unread=quantity.unread,
        modifiers=tuple(
            dict.fromkeys([*coding.ordered_modifiers(order.order_detail), *named.modifiers, *told.modifiers])
        ),
        minutes=stated.minutes,
        disputed=stated.disputed,
        guess=stated.guess,
        stamped=service.stamped,
        regions=regions,
        sides=sides,
        diagnoses=diagnoses,
        evidence=evidence.union(kinds, service.evidence, shared.evidence),
        answered=service.answered.union(shared.answered, *own),
        notes=(*services.notes_of(order.note), *service.notes),
        times=service.times or times,
        encounter=record.records.id_of(order.encounter, "Encounter") or service.encounter,
        services=tuple(one.ref for one in joint),
        performers=who.performers,
        roles=who.roles,
        assistant=service.assistant,
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
            minutes=service.stated.minutes,
            disputed=service.stated.disputed,
            guess=service.stated.guess,
            stamped=service.stamped,
            finished=service.finished,
            regions=service.regions,
            sides=service.sides,
            diagnoses=service.diagnoses,
            evidence=service.evidence.union(
                shared.evidence, {"diagnosis-region"} if _in_region(service.diagnoses, service.regions) else ()
            ),
            answered=service.answered | shared.answered,
            notes=service.notes,
            times=service.times,
            encounter=service.encounter,
            services=(service.ref,),
            performers=service.who.performers,
            roles=service.who.roles,
            assistant=service.assistant,
        )
        for service in found
        if service.ref not in taken and service.code in known
    ]


class _Quantity(msgspec.Struct, frozen=True):
    """What a quantity states: units, or minutes where its unit is one of time, or nothing that could be read."""

    units: int | None = None
    minutes: Minutes | None = None
    unread: bool = False


_NOTHING_STATED = _Quantity()


def _quantity(quantity: Quantity | None, path: str, records: Records) -> _Quantity:
    """The units or minutes of a quantity; what is neither is a gap."""
    if quantity is None:
        return _NOTHING_STATED
    if quantity.unit or quantity.code:
        minutes = coding.minutes_of(quantity)
        if minutes is not None:
            return _Quantity(minutes=Minutes(minutes, f"{path}.quantity"))
        if coding.counts_visits(quantity):
            records.gap(
                f"{path}.quantity", f"a number of {quantity.unit or quantity.code} is no number of billing units"
            )
            return _Quantity(unread=True)
    units = coding.units_of(quantity)
    if isinstance(units, str):
        records.gap(f"{path}.quantity.value", units)
        return _Quantity(unread=True)
    return _Quantity(units)


def order_name(index: int, order: ServiceRequest) -> str:
    return f"ServiceRequest/{order.id}" if order.id else f"ServiceRequest#{index + 1}"
