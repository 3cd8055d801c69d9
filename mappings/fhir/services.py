"""Procedures as documented services."""

import datetime as dt

import msgspec

from mappings.fhir import coding, performers, service_minutes
from mappings.fhir.datatypes import Annotation, Concept, Party, Period, Reference, Worded
from mappings.fhir.dates import day_of, interval_of, naive
from mappings.fhir.forms import Form
from mappings.fhir.performers import NOBODY, People, Who
from mappings.fhir.reader import Records, resolve
from mappings.fhir.resources import Condition, Procedure
from mappings.fhir.service_minutes import Stamp, Stated
from mappings.plain_text import plain
from mappings.visit import Interval, Minutes

NOT_GIVEN = frozenset({"not-done", "entered-in-error", "stopped", "preparation"})
PROCEDURE_STATUSES = NOT_GIVEN | {"in-progress", "on-hold", "completed", "unknown"}
_SITE = frozenset({"body-site"})
_SPECIFIC = frozenset({"body-site", "specific-site"})
_REASON, _DIAGNOSED = frozenset({"reason"}), frozenset({"reason", "diagnosis"})
_USED, _USED_BY_NAME = frozenset({"device"}), frozenset({"device", "technique"})
_NOTHING: frozenset[str] = frozenset()
_NO_SITE = (_NOTHING, _NOTHING, _NOTHING)


class Service(msgspec.Struct, frozen=True):
    """One documented service: a Procedure, and the forms and observations that belong to it."""

    ref: str
    code: str
    modifiers: tuple[str, ...]
    day: dt.date | None
    encounter: str
    orders: frozenset[str]
    stated: Stated
    stamped: bool
    finished: bool
    times: tuple[Interval, ...]
    regions: frozenset[str]
    sides: frozenset[str]
    diagnoses: tuple[str, ...]
    evidence: frozenset[str]
    answered: frozenset[str]
    notes: tuple[str, ...]
    who: Who
    assistant: Minutes | None


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
        named = None if encounter is None else encounter.reference
        here = encounters.get(named)
        if here is None:
            here = encounters[named] = records.id_of(encounter, "Encounter")
        found.append(Given(procedure, coding.billed(procedure.code), procedure_day(procedure), here))
    return found


def procedure_day(procedure: Procedure) -> dt.date | None:
    """The day on which a procedure was given; that of its period, which tells its minutes, where it is said twice."""
    period = procedure.performed_period or procedure.occurrence_period
    day = None if period is None else day_of(period.start)
    return day or day_of(procedure.performed_date_time or procedure.occurrence_date_time)


class Beside(msgspec.Struct, frozen=True):
    """What else the record holds of services: forms and measured minutes by the Procedure they belong to, who gave
    them, and the extensions that hold minutes beside those of the table."""

    forms: dict[str, list[Form]]
    observed: dict[str, list[Minutes]]
    people: People
    minutes_urls: frozenset[str]


def service_of(one: Given, records: Records, beside: Beside, stamp: Stamp | None = None) -> Service:
    """The facts that one Procedure gives, with its forms and observations.

    `stamp` is the time of the whole encounter, which some systems put on every Procedure: it is no statement of one
    service's minutes where several carry it, or where another place states them.
    """
    procedure = one.procedure
    name = _name(procedure)
    own = beside.forms.get(name, [])
    performed = procedure.performed_period
    path = f"{name}.occurrencePeriod" if performed is None else f"{name}.performedPeriod"
    block = block_of(performed or procedure.occurrence_period, path, records)
    told = service_minutes.extensions_of(procedure, name, records, beside.minutes_urls)
    others = service_minutes.beside_of(told, beside.observed.get(name, []), own)
    stamped = block is not None and stamp is not None and block == stamp.block
    if stamped and stamp is not None and (stamp.shared or others):
        block, stamped = None, False
    lasted = None if block is None else Minutes(block.minutes, path)
    stated = service_minutes.of_procedure(procedure, name, lasted, others, records)
    if stated is service_minutes.NOTHING:
        stated = _guessed(one, name)
    regions, sites, sides = sites_of(procedure.body_site)
    reasons = [*procedure.reason_code, *procedure.reason]
    diagnoses = diagnoses_of(reasons, procedure.reason_reference, procedure.contained, records)
    shown = reasons_shown(reasons, procedure.reason_reference, diagnoses)
    if not one.billed.code and procedure.code is not None and coding.is_billed(procedure.code):
        records.gap(f"{name}.code", "its code of CPT or HCPCS cannot be read; expected such as 97110")
    who = beside.people.of_procedure(procedure, name)
    modifiers = one.billed.modifiers
    if told:
        modifiers = tuple(dict.fromkeys([*modifiers, *(found for each in told for found in each.modifiers)]))
    return Service(
        ref=name,
        code=one.billed.code,
        modifiers=modifiers,
        day=one.day,
        encounter=one.encounter,
        orders=_orders(procedure, records),
        stated=stated,
        stamped=stamped,
        finished=procedure.status == "completed",
        times=() if block is None or naive(block) else (block,),
        regions=regions,
        sides=sides,
        diagnoses=diagnoses,
        evidence=sites | _evidence(one, stated, shown, who is not None),
        answered=own[0].answered if len(own) == 1 else _NOTHING.union(*(form.answered for form in own)),
        notes=notes_of(procedure.note),
        who=who or NOBODY,
        assistant=performers.assistant_minutes(who, stated.minutes, name, own),
    )


def _guessed(one: Given, name: str) -> Stated:
    """The minutes that words of a Procedure speak of, where no element states them."""
    procedure = one.procedure
    texts = {
        f"{name}.performedString": procedure.performed_string,
        f"{name}.occurrenceString": procedure.occurrence_string,
        f"{name}.code.text": procedure.code.text if procedure.code is not None else None,
    }
    texts.update({f"{name}.note[{place}]": note.text for place, note in enumerate(procedure.note)})
    guess = service_minutes.guessed(one.billed.code, texts)
    return service_minutes.NOTHING if guess is None else Stated(guess=guess)


def _orders(procedure: Procedure, records: Records) -> frozenset[str]:
    if not procedure.based_on:
        return _NOTHING
    return frozenset(records.id_of(order, "ServiceRequest") for order in procedure.based_on) - {""}


def _evidence(one: Given, stated: Stated, shown: frozenset[str], by_somebody: bool) -> set[str]:
    procedure = one.procedure
    kinds = {"procedure", *shown}
    if stated.minutes is not None or stated.disputed:
        kinds.add("minutes")
    if one.billed.named_otherwise:
        kinds.add("technique")
    if procedure.used_code or procedure.used_reference or procedure.used:
        kinds |= _used(procedure)
    if coding.says(procedure.outcome):
        kinds.add("outcome")
    if by_somebody:
        kinds.add("performer")
    return kinds


def reasons_shown(reasons: list[Concept], references: list[Party], diagnoses: tuple[str, ...]) -> frozenset[str]:
    """The kinds of evidence that the reasons of a service are; a resource that is referred to is a diagnosis."""
    if diagnoses or (references and any(map(coding.refers, references))):
        return _DIAGNOSED
    return _REASON if reasons and any(map(coding.says, reasons)) else _NOTHING


def _used(procedure: Procedure) -> frozenset[str]:
    """The kinds of evidence that things used are; one that is named and not only referred to tells the technique."""
    if any(map(coding.says, [*procedure.used_code, *(one.concept for one in procedure.used)])):
        return _USED_BY_NAME
    referred = any(map(coding.refers, procedure.used_reference)) or any(map(coding.says, procedure.used))
    return _USED if referred else _NOTHING


def block_of(period: Period | None, path: str, records: Records) -> Interval | None:
    """The block of time of a period; a wrong one is a gap."""
    block = interval_of(period)
    if block is None or type(block) is Interval:
        return block
    records.gap(path, str(block))
    return None


def sites_of(concepts: list[Worded]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The regions that body sites name, the kinds of evidence that they are, and the sides ("left", "right")."""
    if not concepts:
        return _NOTHING, _NOTHING, _NOTHING
    if len(concepts) == 1:
        site = coding.site_of(concepts[0])
        return _NO_SITE if site is None else (site.regions, _SPECIFIC if site.specific else _SITE, site.sides)
    named = [site for one in concepts if (site := coding.site_of(one)) is not None]
    if not named:
        return _NO_SITE
    return (
        _NOTHING.union(*[site.regions for site in named]),
        _SPECIFIC if any(site.specific for site in named) else _SITE,
        # Where one of the sites names no side, it may be either.
        _NOTHING.union(*[site.sides for site in named]) if all(site.sides for site in named) else _NOTHING,
    )


def diagnoses_of(
    reasons: list[Concept], references: list[Party], contained: list[msgspec.Raw], records: Records
) -> tuple[str, ...]:
    """The ICD-10-CM codes of reasons and of the Conditions that are referenced."""
    if not reasons:
        if not references:
            return ()
        if len(references) == 1:
            code = diagnosis_of(references[0], contained, records)
            return (code,) if code else ()
    found = [coding.icd10_of(reason) for reason in reasons]
    found += [diagnosis_of(one, contained, records) for one in references]
    found += [diagnosis_of(reason.reference, contained, records) for reason in reasons]
    return tuple(dict.fromkeys([code for code in found if code]))


def diagnosis_of(reference: Reference | str | None, contained: list[msgspec.Raw], records: Records) -> str:
    """The ICD-10-CM code of a Condition, "" for one that has none or was not sent."""
    named = Reference(reference) if isinstance(reference, str) else reference
    condition = resolve(Condition, named, contained, records)
    return coding.icd10_of(condition.code) if condition is not None else ""


def notes_of(annotations: list[Annotation]) -> tuple[str, ...]:
    """The texts of notes."""
    return tuple([plain(note.text) for note in annotations if note.text])


def _name(procedure: Procedure) -> str:
    return f"Procedure/{procedure.id or '?'}"
