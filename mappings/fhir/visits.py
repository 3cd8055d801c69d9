"""Resources to visits: a Claim gives one visit a date of service, draft orders give one, an Encounter gives one."""

import datetime as dt

from mappings import tables
from mappings.fhir import coding, evidence
from mappings.fhir import lines as lines_of
from mappings.fhir.dates import day_of
from mappings.fhir.lines import DraftClaim
from mappings.fhir.payer import claim_payer, order_payer
from mappings.fhir.reader import Records
from mappings.fhir.record import Context, Dated, Record
from mappings.fhir.resources import Claim, ClaimItem, ServiceRequest
from mappings.visit import Line, Visit

ORDERS = "draftOrders"
_NOTHING: frozenset[str] = frozenset()


def claim_visits(draft: DraftClaim, records: Records, context: Context) -> list[Visit]:
    """The visits that a Claim bills, one for each date of service."""
    claim = draft.claim
    record = Record(records, context)
    payer = claim_payer(claim, records)
    by_day: dict[dt.date, list[tuple[int, ClaimItem]]] = {}
    read_from: dict[dt.date, str] = {}
    for index, item in enumerate(claim.item):
        day, element = _item_day(item, claim, record)
        by_day.setdefault(day, []).append((index, item))
        read_from.setdefault(day, element)
    visits = []
    for day, items in sorted(by_day.items()):
        encounters = _NOTHING.union(records.id_of(one, "Encounter") for _, item in items for one in item.encounter)
        encounters = (encounters | {context.encounter}) - {""}
        found = record.services(day, encounters)
        shared = record.shared(day, encounters)
        joined = lines_of.join_items(items, claim, found, records)
        built = [lines_of.item_line(draft, index, item, joined[index], record, shared) for index, item in items]
        lines = [line for line in built if line is not None]
        taken = {service.ref for joint in joined.values() for service in joint}
        lines.extend(lines_of.recorded(found, taken, shared, billed=False))
        visits.append(record.visit(draft.name, (day, read_from[day]), payer, lines, shared))
    return visits


def order_visits(orders: list[tuple[int, ServiceRequest]], records: Records, context: Context) -> list[Visit]:
    """The visit of the draft orders that are ours; none where no order is."""
    ours = [
        (index, order, code)
        for index, order in orders
        if (code := coding.billed(order.code)).code in tables.codes()
        and evidence.of_patient(order.subject, context.patient, lines_of.order_name(index, order), records)
    ]
    if not ours:
        return []
    record = Record(records, context)
    encounters = frozenset({context.encounter, *(records.id_of(one.encounter, "Encounter") for _, one, _ in ours)}) - {
        ""
    }
    dated = _order_day([order for _, order, _ in ours], record)
    found = record.services(dated[0], encounters)
    shared = record.shared(dated[0], encounters)
    lines: list[Line] = []
    taken: set[str] = set()
    for index, order, code in ours:
        joint = lines_of.services_of_order(order, code.code, found, [one for _, one, _ in ours])
        taken |= {service.ref for service in joint}
        lines.append(lines_of.order_line(index, order, code, joint, record, shared))
    lines.extend(lines_of.recorded(found, taken, shared, billed=True))
    payer = order_payer([order for _, order, _ in ours], records)
    return [record.visit(ORDERS, dated, payer, lines, shared)]


def encounter_visits(records: Records, context: Context) -> list[Visit]:
    """The visits of an Encounter that has Procedures and no draft, one a day on which any was given."""
    record = Record(records, context)
    encounters = frozenset({context.encounter}) - {""}
    payer = order_payer([], records)
    visits = []
    for dated in record.days():
        shared = record.shared(dated[0], encounters)
        lines = lines_of.recorded(record.services(dated[0], encounters), set(), shared, billed=True)
        if lines:
            visits.append(record.visit("", dated, payer, lines, shared))
    return visits


def _item_day(item: ClaimItem, claim: Claim, record: Record) -> Dated:
    for text, read_from in (
        (item.serviced_date, "Claim.item.servicedDate"),
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
