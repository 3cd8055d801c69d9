"""Procedures as documented services."""

import datetime as dt

import msgspec

from mappings.fhir import coding, performers
from mappings.fhir.datatypes import Annotation, Concept, Period, Reference, Worded
from mappings.fhir.dates import day_of, interval_of, naive
from mappings.fhir.forms import ACTUAL_TIME, Form, minutes_stated
from mappings.fhir.performers import NOBODY, People, Who
from mappings.fhir.reader import Records
from mappings.fhir.resources import Condition, Procedure
from mappings.visit import Interval, Minutes

NOT_GIVEN = frozenset({"not-done", "entered-in-error", "stopped", "preparation"})
PROCEDURE_STATUSES = NOT_GIVEN | {"in-progress", "on-hold", "completed", "unknown"}
_SITE = frozenset({"body-site"})
_SPECIFIC = frozenset({"body-site", "specific-site"})
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
    who: Who
    assistant: Minutes | None


NO_SERVICE = Service("", "", (), None, "", _NOTHING, None, (), _NOTHING, (), _NOTHING, _NOTHING, (), NOBODY, None)
"""What documents a line that no Procedure documents."""


class Given(msgspec.Struct, frozen=True):
    """A Procedure that was given to the patient, with what decides to which visit it belongs."""

    procedure: Procedure
    billed: coding.Billed
    day: dt.date | None
    encounter: str

    @property
    def ref(self) -> str:
        """How it is known."""
        return _name(self.procedure)

    @property
    def utc_morning(self) -> bool:
        """Whether its time is written in UTC and falls before noon there, which may be the evening before at home."""
        period = self.procedure.performed_period or self.procedure.occurrence_period
        text = (period.start if period else None) or self.procedure.performed_date_time or ""
        return text.endswith(("Z", "+00:00")) and text[11:13] < "12"


def not_given(records: Records) -> list[Given]:
    """The procedures that the record says were not given."""
    return [
        Given(one, coding.billed(one.code), procedure_day(one), records.id_of(one.encounter, "Encounter"))
        for one in records.all(Procedure)
        if one.status in NOT_GIVEN
    ]


def given(records: Records) -> list[Given]:
    """The procedures that were given."""
    encounters: dict[str | None, str] = {None: ""}
    found = []
    for procedure in records.all(Procedure):
        status, encounter = procedure.status, procedure.encounter
        if status in NOT_GIVEN:
            continue
        if status not in PROCEDURE_STATUSES:
            records.gap(f"{_name(procedure)}.status", f"expected a procedure status, got {status!r}")
        named = None if encounter is None else encounter.reference
        here = encounters.get(named)
        if here is None:
            here = encounters[named] = records.id_of(encounter, "Encounter")
        found.append(Given(procedure, coding.billed(procedure.code), procedure_day(procedure), here))
    return found


def procedure_day(procedure: Procedure) -> dt.date | None:
    """The day on which a procedure was given."""
    period = procedure.performed_period or procedure.occurrence_period
    text = procedure.performed_date_time or procedure.occurrence_date_time
    return day_of(text or (period.start if period else None))


def service_of(one: Given, records: Records, forms: dict[str, list[Form]], people: People) -> Service:
    """The facts that one Procedure and its forms (by what they belong to) give."""
    procedure = one.procedure
    name = _name(procedure)
    path = f"{name}.performedPeriod"
    own = forms.get(name, [])
    block = block_of(procedure.performed_period or procedure.occurrence_period, path, records)
    minutes = _minutes(block, path, own)
    regions, sites = sites_of(procedure.body_site)
    diagnoses = diagnoses_of([*procedure.reason_code, *procedure.reason], procedure.reason_reference, records)
    who = people.of_procedure(procedure, name)
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
        evidence=sites | _evidence(one, minutes, diagnoses, who is not None),
        answered=own[0].answered if len(own) == 1 else _NOTHING.union(*(form.answered for form in own)),
        notes=notes_of(procedure.note),
        who=who or NOBODY,
        assistant=performers.assistant_minutes(who, minutes, name, own),
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
        minutes=_sum(services),
        times=tuple(block for one in services for block in one.times),
        regions=_NOTHING.union(*(one.regions for one in services)),
        diagnoses=tuple(dict.fromkeys(code for one in services for code in one.diagnoses)),
        evidence=_NOTHING.union(*(one.evidence for one in services)),
        answered=_NOTHING.union(*(one.answered for one in services)),
        notes=tuple(note for one in services for note in one.notes),
        who=performers.together([one.who for one in services]),
        assistant=_sum_of_assistants(services),
    )


def _sum(services: list[Service]) -> Minutes | None:
    """The minutes of services together; None where one is unknown, so that no total is too small.

    Where all times are known, minutes that two services share count once.
    """
    known = [one.minutes for one in services if one.minutes is not None]
    if len(known) < len(services):
        return None
    read_from = ", ".join(one.read_from for one in known)
    if not all(one.times for one in services):
        return Minutes(sum(one.value for one in known), read_from)
    return Minutes(_covered(services), read_from)


def _covered(services: list[Service]) -> int:
    """The whole minutes in which any of the services was given."""
    seconds, until = 0.0, None
    for block in sorted((block for one in services for block in one.times), key=lambda one: one.start):
        start = block.start if until is None else max(block.start, until)
        until = block.end if until is None else max(block.end, until)
        seconds += max(0.0, (block.end - start).total_seconds())
    return int(seconds // 60)


def _sum_of_assistants(services: list[Service]) -> Minutes | None:
    """The minutes of services that an assistant gave alone; None where one's are unknown.

    Where all times are known, minutes that an assistant's service shares with a therapist's are the therapist's.
    """
    known = [one.assistant for one in services if one.assistant is not None]
    if len(known) < len(services):
        return None
    read_from = ", ".join(one.read_from for one in known)
    stated_in_forms = any(not one.read_from.endswith(".performer") for one in known)
    if stated_in_forms or not all(one.times for one in services):
        return Minutes(sum(one.value for one in known), read_from)
    of_others = [one for one in services if one.assistant is not None and one.assistant.value == 0]
    return Minutes(_covered(services) - _covered(of_others), read_from)


def _evidence(one: Given, minutes: Minutes | None, diagnoses: tuple[str, ...], by_somebody: bool) -> set[str]:
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
    if by_somebody:
        kinds.add("performer")
    return kinds


def block_of(period: Period | None, path: str, records: Records) -> Interval | None:
    """The block of time of a period; a wrong one is a gap."""
    block = interval_of(period)
    if block is None or type(block) is Interval:
        return block
    records.gap(path, str(block))
    return None


def _minutes(block: Interval | None, path: str, forms: list[Form]) -> Minutes | None:
    if block is not None:
        return Minutes(block.minutes, path)
    for form in forms:
        stated = minutes_stated(form, ACTUAL_TIME)
        if stated:
            return Minutes(stated, f"{form.ref}#{ACTUAL_TIME}")
    return None


def sites_of(concepts: list[Worded]) -> tuple[frozenset[str], frozenset[str]]:
    """The regions that body sites name, and the kinds of evidence that they are."""
    if not concepts:
        return _NOTHING, _NOTHING
    if len(concepts) == 1:
        site = coding.site_of(concepts[0])
        return (_NOTHING, _NOTHING) if site is None else (site.regions, _SPECIFIC if site.specific else _SITE)
    regions, specific, named = _NOTHING, False, False
    for concept in concepts:
        site = coding.site_of(concept)
        named = named or site is not None
        if site is not None:
            regions, specific = regions | site.regions, specific or site.specific
    if not named:
        return regions, _NOTHING
    return regions, _SPECIFIC if specific else _SITE


def diagnoses_of(reasons: list[Concept], references: list[Reference], records: Records) -> tuple[str, ...]:
    """The ICD-10-CM codes of reasons and of the Conditions that are referenced."""
    if not reasons and not references:
        return ()
    found = [coding.icd10_of(reason) for reason in reasons]
    found += [diagnosis_of(one, records) for one in references]
    found += [diagnosis_of(reason.reference, records) for reason in reasons]
    return tuple(dict.fromkeys([code for code in found if code]))


def diagnosis_of(reference: Reference | str | None, records: Records) -> str:
    """The ICD-10-CM code of a Condition, "" for one that has none or was not sent."""
    condition = records.get(Condition, reference)
    return coding.icd10_of(condition.code) if condition is not None else ""


def notes_of(annotations: list[Annotation]) -> tuple[str, ...]:
    """The texts of notes."""
    return tuple([note.text for note in annotations if note.text])


def _name(procedure: Procedure) -> str:
    return f"Procedure/{procedure.id or '?'}"
