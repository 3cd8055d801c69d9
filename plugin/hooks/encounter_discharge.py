"""encounter-discharge: the Encounter's Procedures and any draft Claim; for EHRs that offer only standard hooks."""

from cds_hooks.request import HookRequest
from cds_hooks.service import Hook, Prefetch, Service
from mappings.fhir import episodes
from mappings.fhir.reader import Records
from mappings.fhir.record import Context
from mappings.fhir.visits import encounter_visits
from mappings.visit import Visit
from plugin.hooks import claim_submit
from plugin.hooks.common import PROCEDURES, SHARED, Drafted, HookService, prefetched_claims
from plugin.prefetch_reading import RAW


def service() -> HookService:
    """The service `visitcue-encounter-discharge`."""
    return HookService(
        Service(
            id="visitcue-encounter-discharge",
            hook=Hook(("encounter-discharge",), ("userId", "patientId", "encounterId")),
            title="VisitCue: the visit before it is closed",
            description="Reviews the visit's Procedures, and its draft Claim where there is one: units by minutes,"
            " modifiers, pairs that are not paid together, and missing documentation.",
            usage_requirements="Works from prefetch alone, but needs the encounter's Procedures.",
            prefetch={
                **SHARED,
                "procedures": Prefetch(PROCEDURES.query, True, PROCEDURES.why),
                "claims": Prefetch(
                    "Claim?patient={{context.patientId}}&status=draft",
                    False,
                    "a draft claim of the visit is reviewed and can be corrected",
                ),
            },
        ),
        RAW,
        _drafted,
        None,
        _visits,
        _is_of_others,
    )


def _drafted(request: HookRequest, records: Records) -> Drafted:
    drafted = Drafted()
    prefetched_claims(request, records, drafted)
    return drafted


def _is_of_others(drafted: Drafted, records: Records, encounter: str) -> bool:
    """Whether the visit is known not to be ours: a hospital discharges many that no therapist ever saw."""
    return not claim_submit.in_scope(drafted) and episodes.is_of_others(records, encounter)


def _is_of(encounter: str, visit: Visit) -> bool:
    """Whether a claim's visit may be that of the encounter: no line of it names another one only."""
    return any(line.encounter in ("", encounter) for line in visit.reviewed)


def _visits(drafted: Drafted, records: Records, context: Context) -> list[Visit]:
    of_procedures = encounter_visits(records, context)
    day = of_procedures[0].date if of_procedures else None
    of_claims = [
        visit
        for visit in claim_submit.visits(drafted, records, context)
        if visit.reviewed and (day is None or visit.date == day) and _is_of(context.encounter, visit)
    ]
    emptied = any(not draft.claim.item for draft in drafted.claims)  # every line was taken off: nothing is billed
    return of_claims or ([] if emptied else of_procedures)
