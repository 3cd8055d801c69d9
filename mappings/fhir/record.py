"""The patient's record as it was sent: what all visits of one request share."""

import datetime as dt

import msgspec

from mappings import tables
from mappings.fhir import coding, evidence, services
from mappings.fhir.dates import day_of
from mappings.fhir.reader import Records
from mappings.fhir.resources import CarePlan, Condition, Encounter, Reference
from mappings.fhir.services import Service
from mappings.visit import Line, Payer, Visit

_NOTHING: frozenset[str] = frozenset()

Dated = tuple[dt.date, str]
"""A date of service, and the element that it was read from ("" where today had to serve)."""


class Context(msgspec.Struct, frozen=True):
    """What the caller says of the visit: the patient, the encounter, today's date, and what was sent.

    `record_sent` says whether the visit's record (its Procedures) was sent or could be fetched, `history_sent`
    the same for earlier visits.
    """

    patient: str
    encounter: str
    today: dt.date
    record_sent: bool = True
    history_sent: bool = True


class Shared(msgspec.Struct, frozen=True):
    """What every line of a visit has in common."""

    plans: list[CarePlan]
    evidence: frozenset[str]
    answered: frozenset[str]


class Record:
    """The patient's record as it was sent: what several visits of one request share."""

    def __init__(self, records: Records, context: Context) -> None:
        self.records = records
        self.context = context
        self.procedures = services.given(records, context.patient)
        self.forms = evidence.forms_of(records, context.patient)

    def encounter(self) -> Encounter | None:
        """The encounter in context, else the only one that was sent."""
        found = self.records.get(Encounter, f"Encounter/{self.context.encounter}")
        every = self.records.all(Encounter)
        return found or (every[0] if not self.context.encounter and len(every) == 1 else None)

    def days(self) -> list[Dated]:
        """The days of the encounter: those of its procedures, else its own start, else today (read from nowhere)."""
        here = self.context.encounter
        given = {one.day for one in self.procedures if one.day and (not here or one.encounter == here)}
        encounter = self.encounter()
        period = (encounter.period or encounter.actual_period) if encounter else None
        start = day_of(period.start) if period else None
        if start is not None and given <= {start}:
            return [(start, "Encounter.period")]
        if given:
            return [(day, "Procedure.performed[x]") for day in sorted(given)]
        return [(self.context.today, "")]

    def services(self, day: dt.date, encounters: frozenset[str]) -> list[Service]:
        """The documented services of a day: those of its encounters, and those of the day that name none."""
        return [
            services.service_of(one, self.records, self.forms)
            for one in self.procedures
            if (one.day == day or (one.day is None and one.encounter))
            and (not one.encounter or not encounters or one.encounter in encounters)
        ]

    def diagnosis(self, reference: Reference | None) -> str:
        """The ICD-10-CM code of a Condition."""
        condition = self.records.get(Condition, reference)
        return coding.icd10_of(condition.code) if condition is not None else ""

    def shared(self, day: dt.date, encounters: frozenset[str]) -> Shared:
        """What every line of a visit has in common: plans, goals, observations, forms for the whole visit."""
        patient = self.context.patient
        forms = [
            form.answered
            for form in self.forms
            if not form.belongs_to and (not form.encounter or not encounters or form.encounter in encounters)
        ]
        return Shared(
            plans=evidence.active_plans(self.records, patient, day),
            evidence=evidence.shared_evidence(self.records, patient, encounters, day),
            answered=_NOTHING.union(*forms),
        )

    def visit(self, draft: str, dated: Dated, payer: Payer, lines: list[Line], shared: Shared) -> Visit:
        """The visit with these lines; those whose codes are in no table of ours are only named."""
        day, read_from = dated
        known = tables.codes()
        ours = [line for line in lines if line.code in known]
        return Visit(
            draft=draft,
            date=day,
            date_read_from=read_from,
            payer=payer,
            lines=_with_separate_regions(ours),
            history=services.history_of(self.procedures, shared.plans, day, self.context.history_sent),
            record_sent=self.context.record_sent or any(line.services for line in ours),
            not_ours=tuple(f"{line.ref} ({line.code})" for line in lines if line.code not in known and line.draft),
        )


def _with_separate_regions(lines: list[Line]) -> tuple[Line, ...]:
    """The lines, with what only all of them together show: that a line's regions were not manipulated."""
    codes = tables.codes()
    manipulated = [line for line in lines if codes[line.code].is_cmt]
    if not manipulated or not all(line.regions for line in manipulated):
        return tuple(lines)
    touched = frozenset[str]().union(*(line.regions for line in manipulated))
    return tuple(
        msgspec.structs.replace(line, evidence=line.evidence | {"separate-region"})
        if line.regions and not any(tables.regions_overlap(one, other) for one in line.regions for other in touched)
        else line
        for line in lines
    )
