"""Reviewing a document from a file: a hook request, a Claim, an order, or a Bundle of a visit's resources.

The same pipeline as for a hook; what a hook would have prefetched is read from the document itself.
"""

import uuid

import msgspec

from cds_hooks.outcome import bad_request
from cds_hooks.request import HookRequest
from mappings.fhir import checks
from mappings.fhir.decoding import resource_type
from mappings.fhir.reader import Records, read_value
from mappings.fhir.record import Context
from mappings.fhir.visits import encounter_visits, order_visits
from mappings.fhir.whose import leave_out_others
from mappings.visit import Facts, Gap
from plugin.answer import Answer, Setup, answer, conclude, from_prefetch
from plugin.hooks import claim_submit
from plugin.hooks.common import Drafted, HookService, add_claims, add_orders, entries_of

INSTANCE = uuid.uuid5(uuid.NAMESPACE_URL, "https://visitcue.org/document")
"""A document has no hook instance; with this one its cards have the same ids every time."""


class _Peek(msgspec.Struct):
    hook: str | None = None
    resourceType: str | None = None


def review_document(body: bytes, services: tuple[HookService, ...], setup: Setup) -> Answer:
    """The answer to a document; raises Refusal with the JSON path where it cannot be reviewed."""
    try:
        msgspec.json.decode(body)
        peek = msgspec.json.decode(body, type=_Peek)
    except msgspec.ValidationError:
        raise bad_request("", "Expected a hook request, or a FHIR Claim, ServiceRequest or Bundle.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request("", f"This is not JSON: {error}.", "structure") from None
    if peek.hook is not None:
        return answer(_service_for(peek.hook, services), body, from_prefetch, setup, insist=False)
    if peek.resourceType not in ("Claim", "ServiceRequest", "Bundle"):
        got = peek.resourceType or "no resourceType"
        raise bad_request("resourceType", f"expected a Claim, a ServiceRequest or a Bundle, got {got}.")
    return _review_resource(msgspec.Raw(body), setup)


def _service_for(hook: str, services: tuple[HookService, ...]) -> HookService:
    for one in services:
        if hook in one.service.hook.names:
            return one
    known = ", ".join(one.service.hook.names[0] for one in services)
    raise bad_request("hook", f"no service answers {hook!r}; the hooks are {known}.", "value")


def _patient(drafted: Drafted, records: Records) -> str:
    """The patient that the drafts name, "" where they name none or several, or a urn of nobody that came along."""
    subjects = [*(one.claim.patient for one in drafted.claims), *(order.subject for _, order in drafted.orders)]
    patients = {records.id_of(one, "Patient") for one in subjects} - {""}
    named = patients.pop() if len(patients) == 1 else ""
    return "" if named.startswith("urn:") else named


def _review_resource(raw: msgspec.Raw, setup: Setup) -> Answer:
    request = HookRequest("document", INSTANCE, "", "", "", raw, {})
    records = Records()
    drafted = Drafted()
    types = {resource_type(entry.resource) for entry in entries_of(raw, "$") or []} or {resource_type(raw)}
    if "Claim" in types:
        add_claims(raw, "$", request, records, drafted)
    elif "ServiceRequest" in types:
        add_orders(raw, "$", records, drafted)
    alone = not types - {"Claim", "ServiceRequest"}
    if not alone:
        read_value(raw, "$", records)
        leave_out_others(records, _patient(drafted, records))
        checks.record(records)
    context = Context(
        _patient(drafted, records),
        "",
        setup.today,
        record_sent=not alone,
        history_sent=not alone,
        practice=setup.practice,
    )
    if drafted.claims:
        visits = claim_submit.visits(drafted, records, context)
    elif drafted.orders:
        visits = order_visits(drafted.orders, records, context)
    else:
        visits = encounter_visits(records, context)
    gaps = tuple(Gap(gap.path.removeprefix("$").lstrip("."), gap.reason) for gap in records.gaps)
    missing = (Gap("Procedures", "the file holds no record of the visit beside the draft"),) if alone else ()
    return conclude(Facts(tuple(visits), gaps, missing), drafted, request, setup)
