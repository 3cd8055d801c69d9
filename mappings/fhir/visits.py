"""Resources to visits: a Claim gives one visit a date of service, draft orders give one, an Encounter gives one."""

import datetime as dt
from collections import Counter

import msgspec

from mappings import tables
from mappings.fhir import coding, whose
from mappings.fhir import lines as lines_of
from mappings.fhir.dates import day_of, is_broken
from mappings.fhir.financial import Claim, ClaimItem
from mappings.fhir.joining import join_items, services_of_order
from mappings.fhir.lines import DraftClaim, Joint
from mappings.fhir.payer import claim_payer, is_authorized, order_payer
from mappings.fhir.performers import People
from mappings.fhir.reader import Records
from mappings.fhir.record import Context, Dated, Record
from mappings.fhir.resources import ServiceRequest
from mappings.fhir.services import Service
from mappings.visit import Line, Visit

ORDERS = "draftOrders"
_NOTHING: frozenset[str] = frozenset()


def claim_visits(draft: DraftClaim, records: Records, context: Context) -> list[Visit]:
    """The visits that a Claim bills, one for each date of service."""
    claim = draft.claim
    record = Record(records, context, People(records, claim, draft.path))
    payer = claim_payer(claim, records, context)
    diagnosed = lines_of.diagnosed(claim, record)
    by_day: dict[dt.date, list[tuple[int, ClaimItem]]] = {}
    read_from: dict[dt.date, str] = {}
    for index, item in enumerate(claim.item):
        day, element = _item_day(item, claim, record)
        if is_broken(item.serviced_date):
            records.gap(f"{draft.path}.item[{index}].servicedDate", "expected a date such as 2026-03-02")
        by_day.setdefault(day, []).append((index, item))
        read_from.setdefault(day, element)
    authorized = is_authorized(claim, draft.path, records)
    visits = []
    here_on = {day for day, _ in record.days()}
    for day, items in sorted(by_day.items()):
        named = [records.id_of(one, "Encounter") for _, item in items if item.encounter for one in item.encounter]
        # The encounter in context is that of its own days; a claim may bill other days too, with encounters of theirs.
        here = context.encounter if day in here_on else ""
        encounters = frozenset([here, *named]) - {""}
        found = record.services(day, encounters, _linked(items, claim, records))
        shared = record.shared(day, encounters, [one.ref for one in found])
        joined = join_items(items, claim, found, records)
        named_by = Counter(service.ref for joint in joined.values() for service in joint)
        expected = (day in here_on or context.history_sent) and _is_whole(found, context)
        built = [
            lines_of.item_line(
                draft,
                item,
                _joint(joined[item[0]], named_by, expected=expected and not _names_itself(item[1], claim)),
                diagnosed,
                record,
                shared,
            )
            for item in items
        ]
        lines = _with_not_given([line for line in built if line is not None], record.not_given(day, encounters))
        lines.extend(lines_of.recorded(found, set(named_by), shared, billed=False))
        visit = record.visit(draft.name, (day, read_from[day]), payer, lines, shared)
        visits.append(msgspec.structs.replace(visit, authorized=True) if authorized else visit)
    return visits


def _joint(services: list[Service], named_by: Counter[str], *, expected: bool) -> Joint:
    return Joint(services, alone=all(named_by[one.ref] == 1 for one in services), expected=expected)


def _is_whole(found: list[Service], context: Context) -> bool:
    """Whether the visit's Procedures were sent, and each by a code of ours: another one may be any service."""
    known = tables.codes()
    return context.record_sent and context.record_whole and all(one.code in known for one in found)


def _names_itself(item: ClaimItem, claim: Claim) -> bool:
    """Whether an item points to a procedure that the claim states in words or codes and not by a reference."""
    if not item.procedure_sequence:
        return False
    return any(
        one.procedure_codeable_concept is not None and one.sequence in item.procedure_sequence
        for one in claim.procedure
    )


def _linked(items: list[tuple[int, ClaimItem]], claim: Claim, records: Records) -> frozenset[str]:
    """The Procedures that items link to by number."""
    wanted = {sequence for _, item in items for sequence in item.procedure_sequence}
    return frozenset(
        f"Procedure/{records.id_of(one.procedure_reference, 'Procedure')}"
        for one in claim.procedure
        if one.sequence in wanted
    )


def _with_not_given(lines: list[Line], not_given: dict[str, str]) -> list[Line]:
    """The lines, those marked that no Procedure documents and one says were not given."""
    if not not_given:
        return lines
    return [
        msgspec.structs.replace(line, not_given=not_given[line.code])
        if not line.services and line.code in not_given
        else line
        for line in lines
    ]


def _is_own(index: int, order: ServiceRequest, records: Records, context: Context) -> bool:
    """Whether an order is for the patient in context; one that is not is a gap."""
    if context.patient and whose.is_anothers(order.subject, context.patient, records):
        records.gap(lines_of.order_name(index, order), whose.THEIRS)
        return False
    return True


def order_visits(orders: list[tuple[int, ServiceRequest]], records: Records, context: Context) -> list[Visit]:
    """The visit of the draft orders that are ours; none where no order is."""
    ours = [
        (index, order, code)
        for index, order in orders
        if (code := coding.billed(order.code)).code in tables.codes() and _is_own(index, order, records, context)
    ]
    if not ours:
        return []
    record = Record(records, context, People(records))
    encounters = frozenset({context.encounter, *(records.id_of(one.encounter, "Encounter") for _, one, _ in ours)}) - {
        ""
    }
    dated = _order_day([order for _, order, _ in ours], record)
    found = record.services(dated[0], encounters)
    names = [lines_of.order_name(index, order) for index, order, _ in ours]
    shared = record.shared(dated[0], encounters, [*names, *[one.ref for one in found]])
    lines: list[Line] = []
    taken: set[str] = set()
    for index, order, code in ours:
        joint = services_of_order(order, code.code, found, [one for _, one, _ in ours])
        taken |= {service.ref for service in joint}
        lines.append(lines_of.order_line(index, order, code, joint, record, shared))
    lines.extend(lines_of.recorded(found, taken, shared, billed=True))
    payer = order_payer([order for _, order, _ in ours], records, context)
    return [record.visit(ORDERS, dated, payer, lines, shared)]


def encounter_visits(records: Records, context: Context) -> list[Visit]:
    """The visits of an Encounter that has Procedures and no draft, one a day on which any was given."""
    record = Record(records, context, People(records))
    encounters = frozenset({context.encounter}) - {""}
    payer = order_payer([], records, context)
    visits = []
    for dated in record.days():
        found = record.services(dated[0], encounters)
        shared = record.shared(dated[0], encounters, [one.ref for one in found])
        lines = lines_of.recorded(found, set(), shared, billed=True)
        if lines:
            visits.append(record.visit("", dated, payer, lines, shared))
    return visits


def _item_day(item: ClaimItem, claim: Claim, record: Record) -> Dated:
    if day := day_of(item.serviced_date):
        return day, "Claim.item.servicedDate"
    for text, read_from in (
        (item.serviced_period.start if item.serviced_period else None, "Claim.item.servicedPeriod"),
        (claim.billable_period.start if claim.billable_period else None, "Claim.billablePeriod"),
    ):
        if day := day_of(text):
            return day, read_from
    return record.days()[0]


def _order_day(orders: list[ServiceRequest], record: Record) -> Dated:
    of_record = record.days()[-1]
    if of_record[1]:
        return of_record
    for order in orders:
        start = order.occurrence_period.start if order.occurrence_period else None
        if day := day_of(order.occurrence_date_time or start):
            return day, "ServiceRequest.occurrence[x]"
        if day := day_of(order.authored_on):
            return day, "ServiceRequest.authoredOn"
    return of_record
