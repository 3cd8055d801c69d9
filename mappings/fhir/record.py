"""The patient's record as it was sent: what all visits of one request share."""

import datetime as dt

import msgspec

from mappings import tables
from mappings.fhir import coding, services
from mappings.fhir.dates import day_of
from mappings.fhir.reader import Records, id_of
from mappings.fhir.resources import Condition, Encounter, Procedure, Reference
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


class Record:
    """The patient's record as it was sent: what several visits of one request share."""

    def __init__(self, records: Records, context: Context) -> None:
        self.records = records
        self.context = context
        self.procedures = services.given(records, context.patient)
        self.forms = services.forms_of(records, context.patient)

    def encounter(self) -> Encounter | None:
        """The encounter in context, else the only one that was sent."""
        found = self.records.get(Encounter, f"Encounter/{self.context.encounter}")
        every = self.records.all(Encounter)
        return found or (every[0] if not self.context.encounter and len(every) == 1 else None)

    def days(self) -> list[Dated]:
        """The days of the encounter: those of its procedures, else its own start, else today (read from nowhere)."""
        given = {
            day
            for procedure in self.procedures
            if (day := services.procedure_day(procedure)) and self._is_here(procedure)
        }
        encounter = self.encounter()
        period = (encounter.period or encounter.actual_period) if encounter else None
        start = day_of(period.start) if period else None
        if start is not None and (not given or (start in given and len(given) == 1)):
            return [(start, "Encounter.period")]
        if given:
            return [(day, "Procedure.performed[x]") for day in sorted(given)]
        return [(self.context.today, "")]

    def _is_here(self, procedure: Procedure) -> bool:
        encounter = id_of(procedure.encounter, "Encounter")
        return not self.context.encounter or encounter == self.context.encounter

    def services(self, day: dt.date, encounters: frozenset[str]) -> list[Service]:
        """The documented services of a day: those of its encounters, and those of the day that name none."""
        found = []
        for procedure in self.procedures:
            encounter = id_of(procedure.encounter, "Encounter")
            given = services.procedure_day(procedure)
            here = given == day or (given is None and bool(encounter))
            if here and (not encounter or not encounters or encounter in encounters):
                found.append(services.service_of(procedure, self.records, self.forms))
        return found

    def diagnosis(self, reference: Reference | None) -> str:
        """The ICD-10-CM code of a Condition."""
        condition = self.records.get(Condition, reference)
        return coding.icd10_of(condition.code) if condition is not None else ""

    def visit(
        self,
        draft: str,
        dated: Dated,
        payer: Payer,
        lines: list[Line],
        not_ours: list[Line],
        encounters: frozenset[str],
    ) -> Visit:
        """The visit with the evidence that all its lines share."""
        patient = self.context.patient
        day, read_from = dated
        plans = services.active_plans(self.records, patient, day)
        evidence = services.shared_evidence(self.records, patient, encounters, day)
        answered = _NOTHING.union(
            *(
                form.answered
                for form in self.forms
                if not form.belongs_to and (not form.encounter or not encounters or form.encounter in encounters)
            )
        )
        return Visit(
            draft=draft,
            date=day,
            date_read_from=read_from,
            payer=payer,
            lines=_with_shared(lines, evidence, answered),
            history=services.history_of(self.procedures, plans, day, self.context.history_sent),
            record_sent=self.context.record_sent or any(line.services for line in lines),
            not_ours=tuple(f"{line.ref} ({line.code})" for line in not_ours),
        )


def _with_shared(lines: list[Line], evidence: frozenset[str], answered: frozenset[str]) -> tuple[Line, ...]:
    """The lines with the shared evidence, and with what only the lines together show of their regions."""
    codes = tables.codes()
    manipulated = [line for line in lines if codes[line.code].is_cmt]
    found = []
    for line in lines:
        kinds = line.evidence | evidence
        if line.regions and manipulated and line not in manipulated and apart(line, manipulated):
            kinds |= {"separate-region"}
        if line.diagnoses and any(
            tables.regions_overlap(one, other)
            for one in tables.diagnosis_regions(line.diagnoses[0])
            for other in line.regions
        ):
            kinds |= {"diagnosis-region"}
        found.append(msgspec.structs.replace(line, evidence=kinds, answered=line.answered | answered))
    return tuple(found)


def apart(line: Line, others: list[Line]) -> bool:
    """Whether a line's regions are all known to be other ones than those of the other lines."""
    touched = [region for other in others for region in other.regions]
    return all(other.regions for other in others) and not any(
        tables.regions_overlap(one, other) for one in line.regions for other in touched
    )
