"""What no FHIR library catches: unknown statuses, missing ones, periods that end before they start, two forms at once.

Each is told and costs nothing else: the resource is read as far as it can be. A status whose absence the record
explains (`_status` with an extension) is not missing.
"""

import msgspec

from mappings.fhir.base import NOT_SENT, NULL, Resource
from mappings.fhir.datatypes import Period
from mappings.fhir.dates import day_of, instant_of, is_broken
from mappings.fhir.financial import Coverage
from mappings.fhir.lines import DraftClaim
from mappings.fhir.reader import Records
from mappings.fhir.resources import (
    CarePlan,
    Encounter,
    Goal,
    Observation,
    Procedure,
    QuestionnaireResponse,
    ServiceRequest,
)
from mappings.fhir.services import PROCEDURE_STATUSES

_REQUEST = {"draft", "active", "on-hold", "completed", "entered-in-error", "unknown"}
_FINANCIAL = frozenset({"active", "cancelled", "draft", "entered-in-error"})

STATUSES: dict[type[Resource], frozenset[str]] = {
    Procedure: PROCEDURE_STATUSES,
    Encounter: frozenset(
        {
            "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error",
            "unknown", "on-hold", "discharged", "completed", "discontinued",
        }
    ),
    Coverage: _FINANCIAL,
    CarePlan: frozenset(_REQUEST | {"revoked"}),
    Observation: frozenset(
        {
            "registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown",
            "specimen-in-process", "appended",
        }
    ),
    QuestionnaireResponse: frozenset({"in-progress", "completed", "amended", "entered-in-error", "stopped"}),
}  # fmt: skip
"""The codes of each resource's status, of R4 and R5 together; the element is bound to them."""

_LIFECYCLE = frozenset(
    {
        "proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error",
        "rejected",
    }
)  # fmt: skip
_ORDER = frozenset(_REQUEST | {"revoked", "ended"})

_EXPECTED = "expected a date such as 2026-03-02"

PERFORMED = ("performed_period", "performed_date_time", "performed_string")
OCCURRED = ("occurrence_period", "occurrence_date_time", "occurrence_string")
MEASURED = ("value_string", "value_integer", "value_quantity", "value_codeable_concept")


def record(records: Records) -> None:
    """Check the resources of a record; what is wrong becomes a gap."""
    for kind, known in STATUSES.items():
        for one in records.all(kind):
            if getattr(one, "status", None) not in known:
                _status(one, "status", known, records)
    for goal in records.all(Goal):
        if goal.lifecycle_status not in _LIFECYCLE:
            _status(goal, "lifecycle_status", _LIFECYCLE, records)
    for procedure in records.all(Procedure):
        period, moment = procedure.performed_period, procedure.performed_date_time
        # Written out for the two common forms: a year of visits is a hundred Procedures.
        if (period is None) == (moment is None):
            _one_form(procedure, PERFORMED + OCCURRED, "performed[x]", _name(procedure), records)
            _date(procedure.occurrence_date_time, procedure, "occurrenceDateTime", records)
        if moment is not None and day_of(moment) is None:
            _date(moment, procedure, "performedDateTime", records)
    for observation in records.all(Observation):
        _one_form(observation, MEASURED, "value[x]", _name(observation), records)
        _date(observation.effective_date_time, observation, "effectiveDateTime", records)
    _periods(records)


def _periods(records: Records) -> None:
    for observation in records.all(Observation):
        _ordered(observation.effective_period, f"{_name(observation)}.effectivePeriod", records)
    for encounter in records.all(Encounter):
        _ordered(encounter.period or encounter.actual_period, f"{_name(encounter)}.period", records)
    for plan in records.all(CarePlan):
        _ordered(plan.period, f"{_name(plan)}.period", records)


def claim(draft: DraftClaim, records: Records) -> None:
    """Check a draft claim: its status, its periods, and dates that are stated in two forms."""
    one, path = draft.claim, draft.path
    if one.status not in _FINANCIAL:
        _status(one, "status", _FINANCIAL, records, path)
    _ordered(one.billable_period, f"{path}.billablePeriod", records)
    diagnoses = {None, *[diagnosis.sequence for diagnosis in one.diagnosis]}
    procedures = {None, *[procedure.sequence for procedure in one.procedure]}
    for index, item in enumerate(one.item):
        if not diagnoses.issuperset(item.diagnosis_sequence):
            records.gap(
                f"{path}.item[{index}].diagnosisSequence", "it names a number that no diagnosis of the claim has"
            )
        if not procedures.issuperset(item.procedure_sequence):
            records.gap(
                f"{path}.item[{index}].procedureSequence", "it names a number that no procedure of the claim has"
            )
        if item.serviced_period is not None:
            _ordered(item.serviced_period, f"{path}.item[{index}].servicedPeriod", records)
            _one_form(item, ("serviced_date", "serviced_period"), "serviced[x]", f"{path}.item[{index}]", records)
    for index, diagnosis in enumerate(one.diagnosis):
        forms = ("diagnosis_codeable_concept", "diagnosis_reference")
        _one_form(diagnosis, forms, "diagnosis[x]", f"{path}.diagnosis[{index}]", records)


def order(one: ServiceRequest, path: str, records: Records) -> None:
    """Check a draft order: its status, and when it is to be given."""
    if one.status not in _ORDER:
        _status(one, "status", _ORDER, records, path)
    _one_form(one, ("occurrence_date_time", "occurrence_period"), "occurrence[x]", path, records)


def _status(one: Resource, field: str, known: frozenset[str], records: Records, path: str = "") -> None:
    stated = getattr(one, field)
    if stated is None and getattr(one, "beside_status", NOT_SENT) not in (NOT_SENT, NULL):
        return
    element = "lifecycleStatus" if field == "lifecycle_status" else field
    got = "none" if stated is None else repr(stated)
    records.gap(f"{path or _name(one)}.{element}", f"expected one of {', '.join(sorted(known))}; got {got}")


def _one_form(one: msgspec.Struct, fields: tuple[str, ...], element: str, path: str, records: Records) -> None:
    if sum([getattr(one, field) not in (None, "") for field in fields]) > 1:
        records.gap(f"{path}.{element}", "it is stated in two forms at once; expected one")


def _date(text: str | None, one: Resource, element: str, records: Records) -> None:
    if is_broken(text):
        records.gap(f"{_name(one)}.{element}", _EXPECTED)


def _ordered(period: Period | None, path: str, records: Records) -> None:
    if period is None:
        return
    if is_broken(period.start) or is_broken(period.end):
        records.gap(path, _EXPECTED)
        return
    if not period.start or not period.end:
        return
    start, end = instant_of(period.start), instant_of(period.end)
    if start is not None and end is not None and (start.tzinfo is None) == (end.tzinfo is None):
        wrong = end < start
    else:
        first, last = day_of(period.start), day_of(period.end)
        wrong = first is not None and last is not None and last < first
    if wrong:
        records.gap(path, f"it ends ({period.end}) before it starts ({period.start})")


def _name(one: Resource) -> str:
    return f"{type(one).__name__}/{one.id or '?'}"
