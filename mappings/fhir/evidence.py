"""What the record shows beside the Procedures and forms: care plans, goals, observations."""

import datetime as dt
import re

import msgspec

from mappings.fhir import coding
from mappings.fhir.dates import day_of
from mappings.fhir.reader import Records
from mappings.fhir.resources import CarePlan, Goal, Observation
from mappings.fhir.service_minutes import measured
from mappings.visit import Minutes

MEASURED_WITHIN = dt.timedelta(days=30)

NOTHING_FOUND = re.compile(
    r"\b(?:normal|absent|negative|none|full|wnl|unremarkable|denies|denied|no|not|without)\b|\bwithin normal limits\b"
)
"""Words of an examination that found nothing: it was done, and is no finding of a dysfunction."""

_FINDINGS = frozenset({"part-pain", "part-asymmetry", "part-range", "part-tissue"})
_TOTALS = frozenset({"total-timed-minutes", "total-treatment-minutes"})
_NOTHING: frozenset[str] = frozenset()


class Shown(msgspec.Struct, frozen=True):
    """The kinds of evidence that a record gives for every service of a visit, and the totals of minutes it states."""

    kinds: frozenset[str]
    totals: dict[str, Minutes]


def shared_evidence(records: Records, encounters: frozenset[str], day: dt.date) -> Shown:
    """What care plans, goals and observations show of every service of the visit."""
    kinds: set[str] = set()
    totals: dict[str, Minutes] = {}
    if active_plans(records, day):
        kinds.add("care-plan")
    for goal in records.all(Goal):
        if goal.lifecycle_status in ("cancelled", "entered-in-error", "rejected"):
            continue
        kinds.add("goal")
        if any(_has_detail(target) for target in goal.target):
            kinds.add("measurable-goal")
    for observation in records.all(Observation):
        if observation.status in ("entered-in-error", "cancelled"):
            continue
        seen = _observed(observation, encounters, day, records)
        kinds |= seen
        if not seen.isdisjoint(_TOTALS):
            _add_total(observation, seen & _TOTALS, totals, records)
    return Shown(frozenset(kinds - _TOTALS - {"service-minutes"}), totals)


def _add_total(observation: Observation, kinds: frozenset[str], totals: dict[str, Minutes], records: Records) -> None:
    """The minutes of an observation of a visit's total; one whose value is no number of minutes is a gap."""
    if len(kinds) > 1:
        records.gap(f"Observation/{observation.id or '?'}", "its name is that of two totals of minutes; expected one")
        return
    minutes = measured(observation, "one total of minutes", records)
    if minutes is not None:
        totals.update(dict.fromkeys(kinds, minutes))


def _has_detail(target: object) -> bool:
    return any(
        getattr(target, name) is not None
        for name in (
            "detail_quantity",
            "detail_range",
            "detail_integer",
            "detail_string",
            "detail_boolean",
            "detail_ratio",
            "detail_codeable_concept",
        )
    )


def _observed(observation: Observation, encounters: frozenset[str], day: dt.date, records: Records) -> frozenset[str]:
    """What an observation shows: measures count for a month, examination findings on their own day only."""
    kinds = coding.observation_kinds(observation.code)
    if observation.part_of and kinds & _TOTALS:
        kinds -= _TOTALS  # the minutes of one service, not of the visit
    if kinds & _FINDINGS and _found_nothing(observation):
        kinds -= _FINDINGS
    if not kinds:
        return kinds
    period = observation.effective_period
    seen = day_of(observation.effective_date_time or (period.start if period else None))
    same_visit = records.id_of(observation.encounter, "Encounter") in encounters or seen == day
    if same_visit:
        return kinds
    recent = seen is not None and dt.timedelta(0) <= day - seen <= MEASURED_WITHIN
    before = seen is None or seen <= day
    return kinds & ({"outcome-measure", "x-ray"} if recent else {"x-ray"} if before else _NOTHING)


def _found_nothing(observation: Observation) -> bool:
    """Whether an examination says in words that what it looked for was not there."""
    concepts = [observation.code, observation.value_codeable_concept, *observation.interpretation]
    words = [observation.value_string, *(concept.text for concept in concepts if concept)]
    words += [coding.display for concept in concepts if concept for coding in concept.coding]
    return any(NOTHING_FOUND.search(text.lower()) for text in words if text)


def active_plans(records: Records, day: dt.date) -> list[CarePlan]:
    """The care plans in force on a day."""
    found = []
    for plan in records.all(CarePlan):
        if plan.status not in (None, "active", "on-hold", "completed"):
            continue
        start = day_of(plan.period.start) if plan.period else None
        end = day_of(plan.period.end) if plan.period else None
        if (start and start > day) or (end and end < day):
            continue
        if plan.status == "completed" and start is None:
            continue  # nothing says that it was still in force
        found.append(plan)
    return found
