"""Procedures as documented services, and what the rest of the record shows about them."""

import datetime as dt

import msgspec

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.dates import day_of, interval_of, naive
from mappings.fhir.reader import Records
from mappings.fhir.resources import (
    Annotation,
    Answer,
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
    Worded,
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


NO_SERVICE = Service("", "", (), None, "", _NOTHING, None, (), _NOTHING, (), _NOTHING, _NOTHING, ())
"""What documents a line that no Procedure documents."""


class Form(msgspec.Struct, frozen=True):
    """An answered form: which documentation elements it answers, and what it belongs to."""

    ref: str
    belongs_to: frozenset[str]
    encounter: str
    answered: frozenset[str]
    minutes: int | None


class Given(msgspec.Struct, frozen=True):
    """A Procedure that was given to the patient, with what decides to which visit it belongs."""

    procedure: Procedure
    billed: coding.Billed
    day: dt.date | None
    encounter: str


def given(records: Records, patient: str) -> list[Given]:
    """The procedures that were given to this patient; those of another patient are gaps."""
    me = f"Patient/{patient}"
    found = []
    for procedure in records.all(Procedure):
        status, subject = procedure.status, procedure.subject
        if status in NOT_GIVEN:
            continue
        if status not in PROCEDURE_STATUSES:
            records.gap(f"{_name(procedure)}.status", f"expected a procedure status, got {status!r}")
        if subject is None or subject.reference == me or of_patient(subject, patient, _name(procedure), records):
            billed = coding.billed(procedure.code)
            encounter = procedure.encounter
            here = "" if encounter is None else records.id_of(encounter, "Encounter")
            found.append(Given(procedure, billed, procedure_day(procedure), here))
    return found


def of_patient(subject: Reference | None, patient: str, name: str, records: Records) -> bool:
    """Whether a resource may be read for this patient; one that names another patient is a gap."""
    other = records.id_of(subject, "Patient")
    if not patient or not other or other == patient or other.startswith("urn:"):
        return True
    records.gap(name, "it belongs to another patient than the one in context; it was left out")
    return False


def procedure_day(procedure: Procedure) -> dt.date | None:
    """The day on which a procedure was given."""
    period = procedure.performed_period or procedure.occurrence_period
    text = procedure.performed_date_time or procedure.occurrence_date_time
    return day_of(text or (period.start if period else None))


def service_of(one: Given, records: Records, forms: list[Form]) -> Service:
    """The facts that one Procedure and its forms give."""
    procedure = one.procedure
    name = _name(procedure)
    path = f"{name}.performedPeriod"
    own = [form for form in forms if name in form.belongs_to]
    block = block_of(procedure.performed_period or procedure.occurrence_period, path, records)
    minutes = _minutes(block, path, own)
    regions, sites = sites_of(procedure.body_site)
    diagnoses = diagnoses_of([*procedure.reason_code, *procedure.reason], procedure.reason_reference, records)
    return Service(
        ref=name,
        code=one.billed.code,
        modifiers=one.billed.modifiers,
        day=one.day,
        encounter=one.encounter,
        orders=_orders(procedure, records),
        minutes=minutes,
        times=() if block is None or naive(block) else (block,),
        regions=regions,
        diagnoses=diagnoses,
        evidence=sites | _evidence(one, minutes, diagnoses),
        answered=_NOTHING.union(*(form.answered for form in own)) if own else _NOTHING,
        notes=notes_of(procedure.note),
    )


def _orders(procedure: Procedure, records: Records) -> frozenset[str]:
    if not procedure.based_on:
        return _NOTHING
    return frozenset(records.id_of(order, "ServiceRequest") for order in procedure.based_on) - {""}


def together(services: list[Service]) -> Service:
    """Several services that document one line, as one; its minutes are unknown where one's are."""
    if len(services) == 1:
        return services[0]
    if not services:
        return NO_SERVICE
    first = services[0]
    return Service(
        ref=first.ref,
        code=first.code,
        modifiers=first.modifiers,
        day=first.day,
        encounter=first.encounter,
        orders=_NOTHING.union(*(one.orders for one in services)),
        minutes=_sum([one.minutes for one in services]),
        times=tuple(block for one in services for block in one.times),
        regions=_NOTHING.union(*(one.regions for one in services)),
        diagnoses=tuple(dict.fromkeys(code for one in services for code in one.diagnoses)),
        evidence=_NOTHING.union(*(one.evidence for one in services)),
        answered=_NOTHING.union(*(one.answered for one in services)),
        notes=tuple(note for one in services for note in one.notes),
    )


def _sum(minutes: list[Minutes | None]) -> Minutes | None:
    """The minutes of services together; None where one of them is unknown, so that no total is too small."""
    known = [one for one in minutes if one is not None]
    if len(known) < len(minutes):
        return None
    return Minutes(sum(one.value for one in known), ", ".join(one.read_from for one in known))


def _evidence(one: Given, minutes: Minutes | None, diagnoses: tuple[str, ...]) -> set[str]:
    procedure = one.procedure
    kinds = {"procedure"}
    if procedure.reason_reference:
        kinds |= {"reason", "diagnosis"}
    elif procedure.reason_code or procedure.reason:
        kinds |= {"reason", "diagnosis"} if diagnoses else {"reason"}
    if minutes is not None:
        kinds.add("minutes")
    if one.billed.named_otherwise or procedure.used_code:
        kinds.add("technique")
    if procedure.used_code or procedure.used_reference:
        kinds.add("device")
    if procedure.outcome is not None:
        kinds.add("outcome")
    if procedure.performer:
        kinds.add("performer")
    return kinds


def block_of(period: Period | None, path: str, records: Records) -> Interval | None:
    """The block of time of a period; a wrong one is a gap."""
    block = interval_of(period)
    if isinstance(block, str):
        records.gap(path, block)
        return None
    return block


def _minutes(block: Interval | None, path: str, forms: list[Form]) -> Minutes | None:
    if block is not None:
        return Minutes(block.minutes, path)
    return next((Minutes(form.minutes, f"{form.ref}#actual_time") for form in forms if form.minutes is not None), None)


def sites_of(concepts: list[Worded]) -> tuple[frozenset[str], frozenset[str]]:
    """The regions that body sites name, and the kinds of evidence that they are."""
    if not concepts:
        return _NOTHING, _NOTHING
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
    if not reasons and not references:
        return ()
    named = [*references, *(reason.reference for reason in reasons)]
    conditions = [records.get(Condition, reference) for reference in named if reference is not None]
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
            if answer.value_string is not None:
                if answer.value_string and not answer.value_string.isspace():
                    found.setdefault(item.link_id, None)
            else:
                _read_value(item.link_id, answer, found)
            if answer.item:
                _read_answers(answer.item, found)
        if item.item:
            _read_answers(item.item, found)


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
    if not kinds:
        return kinds
    period = observation.effective_period
    seen = day_of(observation.effective_date_time or (period.start if period else None))
    same_visit = records.id_of(observation.encounter, "Encounter") in encounters or seen == day
    if same_visit:
        return kinds
    recent = seen is not None and dt.timedelta(0) <= day - seen <= MEASURED_WITHIN
    return kinds & ({"outcome-measure", "x-ray"} if recent else {"x-ray"})


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
        if of_patient(plan.subject, patient, f"CarePlan/{plan.id or '?'}", records):
            found.append(plan)
    return found


def history_of(procedures: list[Given], plans: list[CarePlan], day: dt.date, seen: bool) -> History:
    """Earlier visits since the plan's start (all that were sent, where no plan states its start)."""
    starts = [start for plan in plans if plan.period and (start := day_of(plan.period.start))]
    start = max(starts, default=None)
    known = tables.codes()
    visits: set[dt.date] = set()
    massages: set[dt.date] = set()
    for one in procedures:
        earlier = one.day
        if earlier is None or earlier >= day or (start and earlier < start) or one.billed.code not in known:
            continue
        visits.add(earlier)
        if one.billed.code == MASSAGE:
            massages.add(earlier)
    return History(seen=seen, visits=len(visits), massage_visits=len(massages), plan_start=start)


def _name(procedure: Procedure) -> str:
    return f"Procedure/{procedure.id or '?'}"
