"""The patient's record as it was sent: what all visits of one request share."""

import datetime as dt

import msgspec

from mappings import tables
from mappings.fhir import documents, episodes, evidence, history, service_minutes, services, whole_visit
from mappings.fhir.base import NOT_SENT
from mappings.fhir.dates import day_of, interval_of
from mappings.fhir.financial import Claim
from mappings.fhir.forms import Form, forms_of
from mappings.fhir.performers import People
from mappings.fhir.reader import Records
from mappings.fhir.resources import CarePlan, Encounter, EpisodeOfCare, Observation
from mappings.fhir.service_minutes import Stamp
from mappings.fhir.services import Given, Service
from mappings.visit import History, Interval, Line, Minutes, Payer, Visit

_NOTHING: frozenset[str] = frozenset()
_SEPARATE = frozenset({"separate-region"})

Dated = tuple[dt.date, str]
"""A date of service, and the element that it was read from ("" where today had to serve)."""


class Practice(msgspec.Struct, frozen=True):
    """What an installation is told of its own record: extensions that hold minutes beside those of the table, and the
    plans (printed names or identifiers) that Zelis edits."""

    minutes_urls: frozenset[str] = frozenset()
    zelis_plans: frozenset[str] = frozenset()


class Context(msgspec.Struct, frozen=True):
    """What the caller says of the visit: the patient, the encounter, today's date, and what was sent.

    `record_sent` says whether the visit's record (its Procedures) was sent or could be fetched, `history_sent` the same
    for earlier visits; `not_sent` holds the kinds of evidence whose sources were not to be had. `record_whole` and
    `history_whole` are False where only a part of it came: what is missing from that part may stand in the rest.
    """

    patient: str
    encounter: str
    today: dt.date
    record_sent: bool = True
    not_sent: frozenset[str] = frozenset()
    history_sent: bool = True
    practice: Practice = Practice()
    record_whole: bool = True
    history_whole: bool = True


class Shared(msgspec.Struct, frozen=True):
    """What every line of a visit has in common."""

    plans: list[CarePlan]
    evidence: frozenset[str]
    answered: frozenset[str]
    totals: dict[str, Minutes]
    texts: documents.Texts = documents.NONE


class Record:
    """The patient's record as it was sent: what several visits of one request share."""

    def __init__(self, records: Records, context: Context, people: People) -> None:
        self.records = records
        self.context = context
        self.people = people
        self.procedures = services.given(records)
        self.forms = forms_of(records)
        self._told = history.told_by(self.forms, records)
        self._of_whole_visits = [form for form in self.forms if not form.answered.isdisjoint(whole_visit.LINKS)]
        self._written = documents.written(records)
        self._noted = any(one.note is not NOT_SENT for one in records.all(Observation))
        self._earlier = self._told_beside(records)
        by_owner: dict[str, list[Form]] = {}
        for form in self.forms:
            for owner in form.belongs_to:
                by_owner.setdefault(owner, []).append(form)
        self._beside = services.Beside(
            by_owner, service_minutes.observed(records), people, context.practice.minutes_urls
        )

    def _told_beside(self, records: Records) -> history.Beside:
        """What Encounters, Claims and episodes tell of earlier visits; most requests hold the visit's own Encounter."""
        if len(records.all(Encounter)) <= 1 and not records.all(Claim) and not records.all(EpisodeOfCare):
            return history.NOTHING_BESIDE
        recorded = frozenset([one.encounter for one in self.procedures])
        return episodes.beside(records, self.context.encounter, recorded)

    def _history(self, plans: list[CarePlan], day: dt.date) -> History:
        found = history.history_of(self.procedures, self._told, self._earlier, plans, day, self.context.history_sent)
        return found if self.context.history_whole else msgspec.structs.replace(found, whole=False)

    def encounter(self) -> Encounter | None:
        """The encounter in context, else the only one that was sent."""
        found = self.records.get(Encounter, f"Encounter/{self.context.encounter}")
        every = self.records.all(Encounter)
        if found is None and not self.context.encounter and len(every) == 1:
            found = every[0]
        return found

    def days(self) -> list[Dated]:
        """The days of the encounter: those of its procedures, else its own start, else today (read from nowhere)."""
        here = self.context.encounter
        own = [one for one in self.procedures if one.day and (not here or one.encounter == here)]
        encounter = self.encounter()
        period = (encounter.period or encounter.actual_period) if encounter else None
        start = day_of(period.start) if period else None
        if start is not None and all(_is_on(one, start) for one in own):
            return [(start, "Encounter.period")]
        given = {one.day for one in own if one.day}
        if given:
            return [(day, "Procedure.performed[x]") for day in sorted(given)]
        return [(self.context.today, "")]

    def services(self, day: dt.date, encounters: frozenset[str], linked: frozenset[str] = _NOTHING) -> list[Service]:
        """The documented services of a day: those of its encounters, those that name none, those that are linked.

        A server that stores times in UTC moves the evening to the next day. A Procedure that the draft links to may
        therefore be a day off, and so may one of the encounter whose time is a UTC morning.
        """
        chosen = [
            one
            for one in self.procedures
            if _belongs(one, day, encounters) or (one.ref in linked and _near(one.day, day))
        ]
        stamp = self._stamp(chosen)
        return [services.service_of(one, self.records, self._beside, stamp) for one in chosen]

    def _stamp(self, chosen: list[Given]) -> Stamp | None:
        """The time of the encounter, which some systems put on every Procedure."""
        encounter = self.encounter()
        period = (encounter.period or encounter.actual_period) if encounter else None
        block = interval_of(period)
        if period is None or not isinstance(block, Interval):
            return None
        theirs = [one.procedure.performed_period or one.procedure.occurrence_period for one in chosen]
        same = [one for one in theirs if one is not None and one.start == period.start and one.end == period.end]
        return Stamp(block, shared=len(same) > 1)

    def not_given(self, day: dt.date, encounters: frozenset[str]) -> dict[str, str]:
        """The services of a day that the record says were not given: the Procedure's status, by billing code."""
        found = services.not_given(self.records)
        return {one.billed.code: one.procedure.status or "" for one in found if _belongs(one, day, encounters)}

    def shared(self, day: dt.date, encounters: frozenset[str], refs: list[str]) -> Shared:
        """What every line of a visit has in common: plans, goals, observations, forms for the whole visit.

        `refs` are its Procedures and orders: a form about one of them may speak for the visit as well.
        """
        forms = [form.answered for form in self.forms if not form.belongs_to and _is_of(form, day, encounters)]
        answered = _NOTHING.union(*forms)
        shown = evidence.shared_evidence(self.records, encounters, day)
        kinds, totals = shown.kinds, shown.totals
        if self._of_whole_visits:
            speaking = whole_visit.forms_for(self._of_whole_visits, day, encounters, frozenset(refs))
            totals = whole_visit.minutes_in_all(speaking, totals, self.records)
            kinds = kinds.union(whole_visit.done_that_day(speaking, day))
            answered -= {link for link, kind in whole_visit.KINDS.items() if kind not in kinds}
        return Shared(
            plans=evidence.active_plans(self.records, day),
            evidence=kinds.union(totals) if totals else kinds,
            answered=answered,
            totals=totals,
            texts=self._texts(day, encounters) if self._written or self._noted else documents.NONE,
        )

    def _texts(self, day: dt.date, encounters: frozenset[str]) -> documents.Texts:
        """The notes of the visit; other days of its encounters have notes of their own."""
        others = frozenset(
            [one.day for one in self.procedures if one.encounter in encounters and one.day and one.day != day]
        )
        return documents.texts_of(self._written, encounters, day, others, self.records)

    def visit(self, draft: str, dated: Dated, payer: Payer, lines: list[Line], shared: Shared) -> Visit:
        """The visit with these lines; those whose codes are in no table of ours are only named."""
        day, read_from = dated
        known = tables.codes()
        ours = _with_evaluation([line for line in lines if line.code in known])
        texts, not_sent = shared.texts, self.context.not_sent
        if any(not one.ref.startswith("Observation/") for one in texts.documents):
            not_sent -= {"note"}
        elif texts.unread:
            not_sent |= {"note"}
        return Visit(
            draft=draft,
            date=day,
            date_read_from=read_from,
            payer=payer,
            lines=_with_separate_regions(ours),
            history=self._history(shared.plans, day),
            not_sent=not_sent,
            documents=texts.documents,
            unread=texts.unread,
            record_sent=self.context.record_whole and (self.context.record_sent or any(line.services for line in ours)),
            not_ours=tuple([line for line in lines if line.code not in known and line.draft]),
            total_timed=shared.totals.get(whole_visit.TIMED),
            total_treatment=shared.totals.get(whole_visit.TREATMENT),
        )


def _is_of(form: Form, day: dt.date, encounters: frozenset[str]) -> bool:
    """Whether a form is about a visit: by its encounter, else by the day on which it was written (the next, in UTC)."""
    if form.encounter:
        return not encounters or form.encounter in encounters
    written = day_of(form.authored)
    return written is None or 0 <= (written - day).days <= 1


def _belongs(one: Given, day: dt.date, encounters: frozenset[str]) -> bool:
    if one.encounter and encounters and one.encounter not in encounters:
        return False
    if one.day is None:
        return bool(one.encounter)
    return one.day == day or (one.encounter in encounters and _is_on(one, day))


def _is_on(one: Given, day: dt.date) -> bool:
    """Whether a service may have been given on a day, whose evening stands under the next one in UTC."""
    if one.day is None or one.day == day:
        return True
    return one.utc_morning and one.day - day == dt.timedelta(days=1)


def _near(one: dt.date | None, other: dt.date) -> bool:
    return one is None or abs((one - other).days) <= 1


def _with_evaluation(lines: list[Line]) -> list[Line]:
    """The lines, with what one of them shows of the whole visit: that the patient was evaluated, and reported on."""
    codes = {line.code for line in lines if not line.not_given}
    if codes.isdisjoint(history.evaluations()):
        return lines
    kinds = {"evaluation"} if codes.isdisjoint(history.REPORTING) else {"evaluation", "progress-report"}
    return [msgspec.structs.replace(line, evidence=line.evidence | kinds) for line in lines]


def _with_separate_regions(lines: list[Line]) -> tuple[Line, ...]:
    """The lines, with what only all of them together show: that a line's regions were not manipulated."""
    codes = tables.codes()
    manipulated = [line for line in lines if codes[line.code].is_cmt]
    if not manipulated or not all(line.regions and tables.UNREAD not in line.regions for line in manipulated):
        return tuple(lines)
    touched = _NOTHING.union(*[tables.overlapping(region) for line in manipulated for region in line.regions])
    return tuple(
        [
            msgspec.structs.replace(line, evidence=line.evidence | _SEPARATE)
            if line.regions and line.regions.isdisjoint(touched) and tables.UNREAD not in line.regions
            else line
            for line in lines
        ]
    )
