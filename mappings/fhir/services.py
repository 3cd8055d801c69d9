"""Procedures as documented services, and what the rest of the record shows about them."""

import datetime as dt

import msgspec

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.dates import day_of, interval_of, naive
from mappings.fhir.reader import Records, id_of
from mappings.fhir.resources import (
    Annotation,
    CarePlan,
    Concept,
    Condition,
    Goal,
    Observation,
    Period,
    Procedure,
    QuestionnaireResponse,
    Reference,
    ResponseItem,
)
from mappings.visit import History, Interval, Minutes

NOT_GIVEN = frozenset({"not-done", "entered-in-error", "stopped", "preparation"})
PROCEDURE_STATUSES = NOT_GIVEN | {"in-progress", "on-hold", "completed", "unknown"}
MASSAGE = "97124"
MEASURED_WITHIN = dt.timedelta(days=30)
_NOTHING: frozenset[str] = frozenset()


class Service(msgspec.Struct, frozen=True):
    """One documented service: a Procedure, and the forms and observations that belong to it."""

    ref: str
    code: str
    modifiers: tuple[str, ...]
    day: dt.date | None
    encounter: str
    orders: frozenset[str]
    minutes: Minutes | None
    times: tuple[Interval, ...]
    regions: frozenset[str]
    diagnoses: tuple[str, ...]
    evidence: frozenset[str]
    answered: frozenset[str]
    notes: tuple[str, ...]


class Form(msgspec.Struct, frozen=True):
    """An answered form: which documentation elements it answers, and what it belongs to."""

    ref: str
    belongs_to: frozenset[str]
    encounter: str
    answered: frozenset[str]
    minutes: int | None


def given(records: Records, patient: str) -> list[Procedure]:
    """The procedures that were given to this patient; those of another patient are gaps."""
    found = []
    for procedure in records.all(Procedure):
        if procedure.status in NOT_GIVEN:
            continue
        if procedure.status not in PROCEDURE_STATUSES:
            records.gap(f"{_name(procedure)}.status", f"expected a procedure status, got {procedure.status!r}")
        if of_patient(procedure.subject, patient, _name(procedure), records):
            found.append(procedure)
    return found


def of_patient(subject: Reference | None, patient: str, name: str, records: Records) -> bool:
    """Whether a resource may be read for this patient; one that names another patient is a gap."""
    other = id_of(subject, "Patient")
    if not patient or not other or other == patient or other.startswith("urn:"):
        return True
    records.gap(name, "it belongs to another patient than the one in context; it was left out")
    return False


def procedure_day(procedure: Procedure) -> dt.date | None:
    """The day on which a procedure was given."""
    period = procedure.performed_period or procedure.occurrence_period
    text = procedure.performed_date_time or procedure.occurrence_date_time
    return day_of(text or (period.start if period else None))


def service_of(procedure: Procedure, records: Records, forms: list[Form]) -> Service:
    """The facts that one Procedure and its forms give."""
    name = _name(procedure)
    named = coding.billed(procedure.code)
    own = [form for form in forms if name in form.belongs_to]
    block = block_of(procedure.performed_period or procedure.occurrence_period, f"{name}.performedPeriod", records)
    minutes = _minutes(block, f"{name}.performedPeriod", own)
    regions, evidence = sites_of(procedure.body_site)
    reasons = [*procedure.reason_code, *procedure.reason]
    diagnoses = diagnoses_of(reasons, procedure.reason_reference, records)
    kinds = {
        "procedure": True,
        "reason": bool(reasons or procedure.reason_reference),
        "diagnosis": bool(diagnoses or procedure.reason_reference),
        "minutes": minutes is not None,
        "technique": named.named_otherwise or bool(procedure.used_code),
        "device": bool(procedure.used_code or procedure.used_reference),
        "outcome": procedure.outcome is not None,
        "performer": bool(procedure.performer),
    }
    return Service(
        ref=name,
        code=named.code,
        modifiers=named.modifiers,
        day=procedure_day(procedure),
        encounter=id_of(procedure.encounter, "Encounter"),
        orders=frozenset(id_of(one, "ServiceRequest") for one in procedure.based_on) - {""},
        minutes=minutes,
        times=() if block is None or naive(block) else (block,),
        regions=regions,
        diagnoses=diagnoses,
        evidence=evidence.union(kind for kind, stands in kinds.items() if stands),
        answered=_NOTHING.union(*(form.answered for form in own)),
        notes=notes_of(procedure.note),
    )


def block_of(period: Period | None, path: str, records: Records) -> Interval | None:
    """The block of time of a period; a wrong one is a gap."""
    block = interval_of(period)
    if isinstance(block, str):
        records.gap(path, block)
        return None
    return block


def _minutes(block: Interval | None, path: str, forms: list[Form]) -> Minutes | None:
    if block is not None:
        return Minutes(int((block.end - block.start).total_seconds() // 60), path)
    return next((Minutes(form.minutes, f"{form.ref}#actual_time") for form in forms if form.minutes is not None), None)


def sites_of(concepts: list[Concept]) -> tuple[frozenset[str], frozenset[str]]:
    """The regions that body sites name, and the kinds of evidence that they are."""
    regions, specific, named = _NOTHING, False, False
    for concept in concepts:
        site = coding.site_of(concept)
        named = named or site is not None
        if site is not None:
            regions, specific = regions | site.regions, specific or site.specific
    if not named:
        return regions, _NOTHING
    return regions, frozenset({"body-site", "specific-site"} if specific else {"body-site"})


def diagnoses_of(reasons: list[Concept], references: list[Reference], records: Records) -> tuple[str, ...]:
    """The ICD-10-CM codes of reasons and of the Conditions that are referenced."""
    conditions = [records.get(Condition, reference) for reference in references]
    concepts = [*reasons, *(condition.code for condition in conditions if condition is not None)]
    return tuple(dict.fromkeys(code for code in map(coding.icd10_of, concepts) if code))


def notes_of(annotations: list[Annotation]) -> tuple[str, ...]:
    """The texts of notes."""
    return tuple(note.text for note in annotations if note.text)


def forms_of(records: Records, patient: str) -> list[Form]:
    """The answered documentation forms of the patient."""
    forms = []
    for response in records.all(QuestionnaireResponse):
        name = f"QuestionnaireResponse/{response.id or '?'}"
        if response.status in ("entered-in-error", "stopped"):
            continue
        if not of_patient(response.subject, patient, name, records):
            continue
        answers = list(_answers(response.item))
        references = [
            *(f"Procedure/{id_of(one, 'Procedure')}" for one in response.part_of),
            *(f"ServiceRequest/{id_of(one, 'ServiceRequest')}" for one in response.based_on),
        ]
        forms.append(
            Form(
                ref=name,
                belongs_to=frozenset(one for one in references if not one.endswith("/")),
                encounter=id_of(response.encounter, "Encounter"),
                answered=frozenset(link for link, _ in answers),
                minutes=next((minutes for link, minutes in answers if link == "actual_time" and minutes), None),
            )
        )
    return forms


def _answers(items: list[ResponseItem]) -> list[tuple[str, int | None]]:
    """The linkIds that are really answered, each with the minutes that its answer states, if it states any."""
    found: list[tuple[str, int | None]] = []
    for item in items:
        for answer in item.answer:
            value = answer.value_integer if answer.value_integer is not None else answer.value_decimal
            minutes = int(value) if value is not None and value > 0 else None
            if answer.value_quantity is not None:
                minutes = coding.minutes_of(answer.value_quantity)
            text = (answer.value_string or answer.value_date or answer.value_date_time or "").strip()
            coded = answer.value_coding is not None and bool(answer.value_coding.code or answer.value_coding.display)
            if text or coded or answer.value_boolean or value is not None or minutes is not None:
                found.append((item.link_id, minutes))
            found.extend(_answers(answer.item))
        found.extend(_answers(item.item))
    return found


def shared_evidence(records: Records, patient: str, encounters: frozenset[str], day: dt.date) -> frozenset[str]:
    """The evidence that care plans, goals and observations give for every service of the visit."""
    kinds: set[str] = set()
    if active_plans(records, patient, day):
        kinds.add("care-plan")
    for goal in records.all(Goal):
        if goal.lifecycle_status in ("cancelled", "entered-in-error", "rejected"):
            continue
        if of_patient(goal.subject, patient, f"Goal/{goal.id or '?'}", records):
            kinds.add("goal")
            if any(_has_detail(target) for target in goal.target):
                kinds.add("measurable-goal")
    for observation in records.all(Observation):
        if observation.status in ("entered-in-error", "cancelled"):
            continue
        if of_patient(observation.subject, patient, f"Observation/{observation.id or '?'}", records):
            kinds |= _observed(observation, encounters, day)
    return frozenset(kinds)


def _has_detail(target: object) -> bool:
    return any(
        getattr(target, name) is not None
        for name in (
            "detail_quantity",
            "detail_range",
            "detail_integer",
            "detail_string",
            "detail_codeable_concept",
        )
    )


def _observed(observation: Observation, encounters: frozenset[str], day: dt.date) -> frozenset[str]:
    """What an observation shows: measures count for a month, examination findings on their own day only."""
    kinds = _observation_kinds(observation.code)
    if not kinds:
        return kinds
    period = observation.effective_period
    seen = day_of(observation.effective_date_time or (period.start if period else None))
    same_visit = id_of(observation.encounter, "Encounter") in encounters or seen == day
    if same_visit:
        return kinds
    recent = seen is not None and dt.timedelta(0) <= day - seen <= MEASURED_WITHIN
    return kinds & ({"outcome-measure", "x-ray"} if recent else {"x-ray"})


def _observation_kinds(concept: Concept | None) -> frozenset[str]:
    if concept is None:
        return _NOTHING
    table = tables.observation_kinds()
    kinds = _NOTHING
    for code in concept.coding:
        kinds |= table.get((tables.system_name(code.system or ""), code.code or ""), _NOTHING)
    if kinds:
        return kinds
    words = " ; ".join(filter(None, [concept.text, *(code.display for code in concept.coding)]))
    return tables.observation_in_words(words) if words else _NOTHING


def active_plans(records: Records, patient: str, day: dt.date) -> list[CarePlan]:
    """The care plans in force on a day."""
    found = []
    for plan in records.all(CarePlan):
        if plan.status not in (None, "active", "on-hold", "completed"):
            continue
        start = day_of(plan.period.start) if plan.period else None
        end = day_of(plan.period.end) if plan.period else None
        if (start and start > day) or (end and end < day):
            continue
        if of_patient(plan.subject, patient, f"CarePlan/{plan.id or '?'}", records):
            found.append(plan)
    return found


def history_of(procedures: list[Procedure], plans: list[CarePlan], day: dt.date, seen: bool) -> History:
    """Earlier visits since the plan's start (all that were sent, where no plan states its start)."""
    starts = [start for plan in plans if plan.period and (start := day_of(plan.period.start))]
    start = max(starts, default=None)
    visits: set[dt.date] = set()
    massages: set[dt.date] = set()
    for procedure in procedures:
        earlier = procedure_day(procedure)
        if earlier is None or earlier >= day or (start and earlier < start):
            continue
        code = coding.billed(procedure.code).code
        if code in tables.codes():
            visits.add(earlier)
            if code == MASSAGE:
                massages.add(earlier)
    return History(seen=seen, visits=len(visits), massage_visits=len(massages), plan_start=start)


def _name(procedure: Procedure) -> str:
    return f"Procedure/{procedure.id or '?'}"
