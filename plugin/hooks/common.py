"""What the hooks share: the prefetch keys, and how drafts are taken out of a request's context."""

from collections.abc import Callable
from typing import Any

import msgspec

from cds_hooks.outcome import Refusal, bad_request, contradiction
from cds_hooks.prefetch import Present
from cds_hooks.request import HookRequest, PrefetchReader
from cds_hooks.service import Prefetch, Service
from mappings import tables
from mappings.fhir import coding
from mappings.fhir.decoding import BROKEN, RawEntry, explain, no_bundle, raw_entries, read_one, resource_type
from mappings.fhir.doubled import doubled
from mappings.fhir.financial import Claim
from mappings.fhir.lines import DraftClaim
from mappings.fhir.patch import numbers
from mappings.fhir.reader import Records, id_of
from mappings.fhir.record import Context
from mappings.fhir.resources import ServiceRequest
from mappings.visit import Visit
from plugin import bounds
from plugin.fixes import Draft, Drafts

ENCOUNTER = Prefetch(
    "Encounter/{{context.encounterId}}", False, "the date of service is read from it where the draft states none"
)
PROCEDURES = Prefetch(
    "Procedure?encounter={{context.encounterId}}",
    False,
    "minutes, regions and documentation of the visit's services are read from them",
)
SHARED: dict[str, Prefetch] = {
    "encounter": ENCOUNTER,
    "procedures": PROCEDURES,
    "history": Prefetch(
        "Procedure?patient={{context.patientId}}&_sort=-date&_count=100",
        False,
        "earlier visits tell how often a service was given",
    ),
    "encounters": Prefetch(
        "Encounter?patient={{context.patientId}}&_sort=-date&_count=100",
        False,
        "earlier visits of which no Procedure is recorded are counted by them",
    ),
    "episodes": Prefetch(
        "EpisodeOfCare?patient={{context.patientId}}",
        False,
        "the start of the course of care is read from them where no plan states it",
    ),
    "coverage": Prefetch(
        "Coverage?patient={{context.patientId}}", False, "the payer, and with it the rule book, is read from it"
    ),
    "conditions": Prefetch(
        "Condition?patient={{context.patientId}}", False, "diagnoses that lines refer to are read from them"
    ),
    "plans": Prefetch(
        "CarePlan?patient={{context.patientId}}", False, "the treatment plan and the phase of care are read from them"
    ),
    "goals": Prefetch("Goal?patient={{context.patientId}}", False, "measurable goals are read from them"),
    "observations": Prefetch(
        "Observation?encounter={{context.encounterId}}", False, "findings and outcome measures are read from them"
    ),
    "documents": Prefetch(
        "DocumentReference?encounter={{context.encounterId}}",
        False,
        "the visit's notes are read from them: words that document what nothing else shows",
    ),
    "forms": Prefetch(
        "QuestionnaireResponse?patient={{context.patientId}}&_sort=-authored&_count=50",
        False,
        "answered forms are read from them: this visit's documentation, earlier reports and certifications",
    ),
}
"""The prefetch keys of every service. Templates use first-level tokens only, as CDS Hooks 2.0 asks."""

TWICE = "it stands there twice, and which of the two counts is not known"


class Drafted(msgspec.Struct):
    """What of the request is under review, and the caller's JSON for suggestions to change.

    `lines` counts the lines of the claims, and the orders, that we review or may have to; `read` the claims that could
    be read, whether drafted or passed over.
    """

    claims: list[DraftClaim] = []
    orders: list[tuple[int, ServiceRequest]] = []
    drafts: Drafts = {}
    lines: int = 0
    read: int = 0


class HookService(msgspec.Struct, frozen=True):
    """A service, how its prefetch is decoded, and its steps: what is drafted, whether any of it is ours, the visits.

    Where the drafts come in the context, both are known before data is asked for. Where they come with the record,
    `in_scope` is None, and `of_others` tells whether what came (for the encounter in context) is known not to be ours.
    """

    service: Service
    reader: PrefetchReader[Any]
    drafted: Callable[[HookRequest, Records], Drafted]
    in_scope: Callable[[Drafted], bool] | None
    visits: Callable[[Drafted, Records, Context], list[Visit]]
    of_others: Callable[[Drafted, Records, str], bool] | None = None


def add_claims(raw: msgspec.Raw, path: str, request: HookRequest, records: Records, drafted: Drafted) -> None:
    """The Claim, or the Claims of a Bundle; a broken one among several is a gap, a broken single one a refusal."""
    kind = resource_type(raw)
    if kind == "Bundle":
        for entry in entries_of(raw, path) or []:
            if _is(entry, "Claim", path, records):
                _add_claim_of_bundle(entry, path, request, records, drafted)
        return
    if kind != "Claim":
        raise bad_request(path, "expected a Claim or a Bundle of Claims, by its resourceType.")
    _add(_claim(raw, path, request, drafted), raw, records, drafted)


def entries_of(raw: msgspec.Raw, path: str) -> list[RawEntry] | None:
    """The entries of a Bundle, None where it is none; raises Refusal where they are no list."""
    try:
        return raw_entries(raw)
    except BROKEN as error:
        below, what = explain(error)
        raise bad_request(path + below, f"{what}.") from None


def _is(entry: RawEntry, kind: str, path: str, records: Records) -> bool:
    """Whether an entry holds a resource of this type; one that holds no resource at all is a gap."""
    found = resource_type(entry.resource)
    if not found and memoryview(entry.resource).nbytes:
        records.gap(path + entry.path, "expected a resource with a resourceType")
    elif found == "Bundle":
        below, what = no_bundle(entry.resource)
        records.gap(path + entry.path + below, what)
    return found == kind


def _add_claim_of_bundle(entry: RawEntry, path: str, request: HookRequest, records: Records, drafted: Drafted) -> None:
    try:
        claim = _claim(entry.resource, path + entry.path, request, drafted)
    except Refusal as refusal:
        for issue in refusal.issues:
            records.gap(issue.path, issue.diagnostics.removeprefix(f"{issue.path}: ").rstrip("."))
        return
    _add(claim, entry.resource, records, drafted)


def _add(claim: DraftClaim, raw: msgspec.Raw, records: Records, drafted: Drafted) -> None:
    """Draft the claim; one that is too large to be reviewed is a gap, and nothing where none of its lines is ours."""
    items = claim.claim.item
    lines = bounds.ours(items)
    drafted.read += 1
    why = bounds.too_many(lines, len(items), drafted.lines, len(drafted.claims))
    if why:
        records.gap(f"{claim.path}.item", why)
    elif lines or (len(items) <= bounds.MOST_ITEMS and len(drafted.claims) < bounds.MOST_DRAFTS):
        drafted.lines += lines
        drafted.claims.append(claim)
        drafted.drafts[claim.name] = Draft(claim.name, raw, claim.numbers)


def _claim(raw: msgspec.Raw, path: str, request: HookRequest, drafted: Drafted) -> DraftClaim:
    try:
        claim = read_one(raw, Claim)
    except BROKEN as error:
        below, what = explain(error)
        raise bad_request(path + below, f"{what}.") from None
    twice = doubled(raw)
    if twice is not None:
        raise bad_request(path + twice, f"{TWICE}.", "structure")
    patient = id_of(claim.patient, "Patient")
    if patient and request.patient_id and patient != request.patient_id and not patient.startswith("urn:"):
        raise contradiction(f"{path}.patient", "the Claim is for another patient than context.patientId.")
    name = f"Claim/{claim.id}" if claim.id else "Claim"
    if name in drafted.drafts:
        name = f"{name}~{len(drafted.drafts) + 1}"
    return DraftClaim(claim, name, path, numbers([item.sequence for item in claim.item]))


def add_orders(raw: msgspec.Raw, path: str, records: Records, drafted: Drafted) -> None:
    """The ServiceRequests of a Bundle of orders; other orders are none of ours, a broken one is a gap."""
    entries = entries_of(raw, path)
    if entries is None:
        if resource_type(raw) != "ServiceRequest":
            raise bad_request(path, "expected a Bundle of orders.")
        entries = [RawEntry("", raw, None)]
    for index, entry in enumerate(entries):
        if not _is(entry, "ServiceRequest", path, records):
            continue
        try:
            order = read_one(entry.resource, ServiceRequest)
        except BROKEN as error:
            below, what = explain(error)
            records.gap(path + entry.path + below, what)
            continue
        twice = doubled(entry.resource)
        if twice is not None:
            records.gap(path + entry.path + twice, TWICE)
            continue
        name = f"ServiceRequest/{order.id}" if order.id else f"ServiceRequest#{index + 1}"
        if name in drafted.drafts:
            records.gap(f"{path}{entry.path}.id", "an order before it has the same id; it was left out")
            continue
        if coding.billed(order.code).code in tables.codes():
            drafted.lines += 1
            if drafted.lines > bounds.MOST_DRAFTS:
                records.gap(path + entry.path, f"no more than {bounds.MOST_DRAFTS} orders are reviewed at once")
                continue
        drafted.orders.append((index, order))
        drafted.drafts[name] = Draft(name, entry.resource)


def prefetched_claims(request: HookRequest, records: Records, drafted: Drafted) -> None:
    """Draft Claims that came under the prefetch key `claims`; those that were withdrawn are none."""
    found = request.prefetch.get("claims")
    if isinstance(found, Present) and isinstance(found.value, msgspec.Raw):
        try:
            add_claims(found.value, "prefetch.claims", request, records, drafted)
        except Refusal as refusal:
            for issue in refusal.issues:
                records.gap(issue.path, issue.diagnostics.removeprefix(f"{issue.path}: ").rstrip("."))
    drafted.claims = [one for one in drafted.claims if one.claim.status not in ("cancelled", "entered-in-error")]
