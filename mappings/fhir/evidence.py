"""What the record shows beside the Procedures: answered forms, care plans, goals, observations."""

import datetime as dt
import re

import msgspec

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.dates import day_of
from mappings.fhir.reader import Records
from mappings.fhir.resources import (
    Answer,
    CarePlan,
    Goal,
    Observation,
    QuestionnaireResponse,
    Reference,
    ResponseItem,
    Worded,
)

MEASURED_WITHIN = dt.timedelta(days=30)
NO_ANSWER = frozenset(
    {"", "-", "--", "?", "n/a", "na", "nil", "no", "none", "not applicable", "not documented", "tbd", "unknown"}
)
"""What stands in a field of a form that nobody answered, lower case."""

LONGEST_NO_ANSWER = 20

NOTHING_FOUND = re.compile(
    r"\b(?:normal|absent|negative|none|full|wnl|unremarkable|denies|denied|no|not|without)\b|\bwithin normal limits\b"
)
"""Words of an examination that found nothing: it was done, and is no finding of a dysfunction."""

_MINUTES = re.compile(r"^\s*(\d{1,3})\s*(?:m|min|mins|min\.|minutes?)?\s*$", re.IGNORECASE)

_FINDINGS = frozenset({"part-pain", "part-asymmetry", "part-range", "part-tissue"})
_NOTHING: frozenset[str] = frozenset()


class Form(msgspec.Struct, frozen=True):
    """An answered form: which documentation elements it answers, and what it belongs to."""

    ref: str
    belongs_to: frozenset[str]
    encounter: str
    answered: frozenset[str]
    minutes: int | None


def of_patient(subject: Reference | None, patient: str, name: str, records: Records) -> bool:
    """Whether a resource may be read for this patient; one that names another patient is a gap."""
    if subject is None or subject.reference == f"Patient/{patient}":
        return True
    other = records.id_of(subject, "Patient")
    if not patient or not other or other == patient or other.startswith("urn:"):
        return True
    records.gap(name, "it belongs to another patient than the one in context; it was left out")
    return False


def forms_of(records: Records, patient: str) -> list[Form]:
    """The answered documentation forms of the patient."""
    forms = []
    for response in records.all(QuestionnaireResponse):
        name = f"QuestionnaireResponse/{response.id or '?'}"
        if response.status in ("entered-in-error", "stopped"):
            continue
        if not of_patient(response.subject, patient, name, records):
            continue
        answers: dict[str, int | None] = {}
        _read_answers(response.item, answers)
        about = [f"Procedure/{records.id_of(one, 'Procedure')}" for one in response.part_of]
        about += [f"ServiceRequest/{records.id_of(one, 'ServiceRequest')}" for one in response.based_on]
        belongs_to = frozenset([one for one in about if not one.endswith("/")])
        here = records.id_of(response.encounter, "Encounter")
        forms.append(Form(name, belongs_to, here, frozenset(answers), answers.get("actual_time")))
    return forms


def _read_answers(items: list[ResponseItem], found: dict[str, int | None]) -> None:
    """The linkIds that are really answered, each with the minutes that its answer states, if it states any."""
    for item in items:
        for answer in item.answer:
            words = answer.value_string
            if words is not None:
                if len(words) > LONGEST_NO_ANSWER or words.strip().rstrip(".").lower() not in NO_ANSWER:
                    found.setdefault(item.link_id, _minutes_in(words) if item.link_id == "actual_time" else None)
            else:
                _read_value(item.link_id, answer, found)
            if answer.item:
                _read_answers(answer.item, found)
        if item.item:
            _read_answers(item.item, found)


def _minutes_in(words: str) -> int | None:
    """The minutes of an answer that is nothing but a number of them, as a text field may hold it."""
    stated = _MINUTES.match(words)
    return int(stated[1]) if stated else None


def _read_value(link: str, answer: Answer, found: dict[str, int | None]) -> None:
    """An answer that is no text: "no" and an empty coding are no answer; a number may state minutes."""
    number = answer.value_integer if answer.value_integer is not None else answer.value_decimal
    coded = answer.value_coding is not None and bool(answer.value_coding.code or answer.value_coding.display)
    if answer.value_quantity is not None:
        minutes = coding.minutes_of(answer.value_quantity)
    else:
        minutes = int(number) if number is not None and number > 0 else None
    dated = answer.value_date or answer.value_date_time
    if coded or dated or answer.value_boolean or number is not None or minutes is not None:
        found[link] = minutes


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
            kinds |= _observed(observation, encounters, day, records)
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


def _observed(observation: Observation, encounters: frozenset[str], day: dt.date, records: Records) -> frozenset[str]:
    """What an observation shows: measures count for a month, examination findings on their own day only."""
    kinds = _observation_kinds(observation.code)
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


def _observation_kinds(concept: Worded | None) -> frozenset[str]:
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
        if plan.status == "completed" and start is None:
            continue  # nothing says that it was still in force
        if of_patient(plan.subject, patient, f"CarePlan/{plan.id or '?'}", records):
            found.append(plan)
    return found
