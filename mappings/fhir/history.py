"""The course of care before a visit: earlier visits, evaluations, reports, certifications, the year's amounts."""

import datetime as dt
import functools
import re

import msgspec

from mappings import tables
from mappings.fhir.dates import day_of, is_broken
from mappings.fhir.forms import USED_OT, USED_PT_SLP, Form, day_stated
from mappings.fhir.reader import Records
from mappings.fhir.resources import Answer, CarePlan
from mappings.fhir.services import Given
from mappings.visit import History

EVALUATED = "reevaluation"
REPORTED = "mcr.progress_report"
CERTIFIED = "mcr.certification"
DATED = (EVALUATED, REPORTED, CERTIFIED)
"""The questions of a form whose answer is an event of the course of care."""

REPORTING = frozenset({"97161", "97162", "97163", "97164", "97165", "97166", "97167", "97168"})
"""Evaluations of physical and occupational therapy: they hold what a progress report holds."""

_DOLLARS = frozenset({"", "$", "us$", "usd", "dollar", "dollars"})
_AMOUNT = re.compile(r"^(?:US)?\$?\s*(\d{1,3}(?:,\d{3})+|\d{1,9})(\.\d{1,2})?\s*(?:USD|dollars?)?$", re.IGNORECASE)
_LINKS = frozenset({*DATED, USED_PT_SLP, USED_OT})


class Amount(msgspec.Struct, frozen=True):
    """Dollars that a form states, and when it was written."""

    day: dt.date
    authored: str
    dollars: float


class Told(msgspec.Struct, frozen=True):
    """What the patient's forms tell of the course of care: the days of its events, and amounts, by question."""

    days: dict[str, frozenset[dt.date]]
    amounts: dict[str, list[Amount]]


NOTHING_TOLD = Told({}, {})


class Episode(msgspec.Struct, frozen=True):
    """An episode of care: its first day, and its last where it has ended."""

    start: dt.date
    end: dt.date | None


class Beside(msgspec.Struct, frozen=True):
    """What tells of the course of care beside Procedures: treatment days with a code ("" for none), and episodes."""

    visits: tuple[tuple[dt.date, str], ...]
    episodes: tuple[Episode, ...]

    def start_on(self, day: dt.date) -> dt.date | None:
        """The start of the episode that a day lies in, the latest of several."""
        starts = [one.start for one in self.episodes if one.start <= day and (one.end is None or day <= one.end)]
        return max(starts, default=None)


NOTHING_BESIDE = Beside((), ())


@functools.cache
def evaluations() -> frozenset[str]:
    """The codes of evaluations; an office visit is a chiropractor's."""
    kinds = ("evaluation", "evaluation-management")
    return frozenset(number for number, code in tables.codes().items() if code.kind in kinds)


_TREATED, _MASSAGED, _EVALUATED, _REPORTED = range(4)


@functools.cache
def _marks() -> dict[str, int]:
    """What each code of ours says of the day on which it was given; a report is an evaluation as well."""
    marks = dict.fromkeys(tables.codes(), _TREATED)
    marks |= dict.fromkeys(evaluations(), _EVALUATED)
    return marks | dict.fromkeys(REPORTING & marks.keys(), _REPORTED) | {tables.MASSAGE: _MASSAGED}


def told_by(forms: list[Form], records: Records) -> Told:
    """What forms tell of the course of care, whichever visit they were written for."""
    telling = [form for form in forms if not form.answered.isdisjoint(_LINKS)]
    if not telling:
        return NOTHING_TOLD
    days: dict[str, frozenset[dt.date]] = {}
    amounts: dict[str, list[Amount]] = {}
    for form in telling:
        for link in DATED:
            if link in form.answers and (day := _day_of_event(form, link, records)) is not None:
                days[link] = days.get(link, frozenset()) | {day}
        authored = day_of(form.authored)
        for link in (USED_PT_SLP, USED_OT):
            if link in form.answers:
                dollars = _dollars(form.answers[link], f"{form.ref}#{link}", records)
                if dollars is not None and authored is not None:
                    amounts.setdefault(link, []).append(Amount(authored, form.authored, dollars))
    return Told(days, amounts)


def _day_of_event(form: Form, link: str, records: Records) -> dt.date | None:
    """The day of an event: the one that the answer names, else that on which the form was written."""
    stated = day_stated(form.answers[link])
    if isinstance(stated, dt.date):
        return stated
    if is_broken(stated or form.authored):
        where = f"{form.ref}#{link}" if stated else f"{form.ref}.authored"
        records.gap(where, f"expected a date such as 2026-03-02, got {stated or form.authored!r}")
    return None if stated else day_of(form.authored)


def _dollars(answer: Answer, path: str, records: Records) -> float | None:
    """The amount of an answer; one with a number in it that is no amount in dollars is a gap."""
    quantity, words = answer.value_quantity, answer.value_string
    number = answer.value_integer if answer.value_integer is not None else answer.value_decimal
    if words is not None:
        amount = _AMOUNT.match(words.strip())
        if amount is not None:
            return float(amount[1].replace(",", "") + (amount[2] or ""))
        if not any(map(str.isdigit, words)):
            return None
    elif quantity is not None and (quantity.code or quantity.unit or "").strip().lower() in _DOLLARS:
        number = quantity.value
    if number is not None and 0 <= number < 1e9:
        return float(number)
    if number is not None or words is not None or quantity is not None:
        records.gap(path, "expected an amount in dollars, such as 2150.00")
    return None


def history_of(
    procedures: list[Given], told: Told, beside: Beside, plans: list[CarePlan], day: dt.date, seen: bool
) -> History:
    """Earlier visits since the plan's start, else the episode's (all that were sent, where neither is stated), and what
    fell in. A day counts once, whatever tells of it."""
    starts = [start for plan in plans if plan.period and (start := day_of(plan.period.start))]
    plan_start = max(starts, default=None)
    episode_start = beside.start_on(day) if beside.episodes else None
    start = plan_start or episode_start
    marks = _marks()
    visits: set[dt.date] = set()
    marked: tuple[set[dt.date], ...] = (set(), set(), set(), set())
    for one in procedures:
        earlier = one.day
        if earlier is not None and earlier < day:
            mark = marks.get(one.billed.code)
            if mark is not None:
                visits.add(earlier)
                if mark:
                    marked[mark].add(earlier)
    for earlier, code in beside.visits:
        if earlier < day:
            visits.add(earlier)
            if mark := marks.get(code, _TREATED):
                marked[mark].add(earlier)
    reported = marked[_REPORTED]
    evaluated = marked[_EVALUATED] | reported
    certified: frozenset[dt.date] = frozenset()
    if told.days:
        evaluated.update([one for one in told.days.get(EVALUATED, ()) if one < day])
        reported.update([one for one in told.days.get(REPORTED, ()) if one < day])
        certified = told.days.get(CERTIFIED, certified)
    evaluated_on, reported_on = max(evaluated, default=None), max(reported, default=None)
    since = _on_or_after(start, visits)
    return History(
        seen=seen,
        visits=since,
        massage_visits=_on_or_after(start, marked[_MASSAGED]),
        plan_start=plan_start,
        episode_start=episode_start,
        evaluated_on=evaluated_on,
        reported_on=reported_on,
        certified_on=max([one for one in certified if one <= day], default=None),
        visits_since_evaluation=since if evaluated_on is None else sum([one > evaluated_on for one in visits]),
        visits_since_report=since if reported_on is None else sum([one > reported_on for one in visits]),
        used_pt_slp=_used(told.amounts.get(USED_PT_SLP), day),
        used_ot=_used(told.amounts.get(USED_OT), day),
    )


def _on_or_after(start: dt.date | None, days: set[dt.date]) -> int:
    return len(days) if start is None else sum([one >= start for one in days])


def _used(amounts: list[Amount] | None, day: dt.date) -> float | None:
    """The amount that was stated last in the year of a day, up to that day."""
    found: Amount | None = None
    for one in amounts or ():
        if one.day.year == day.year and one.day <= day and (found is None or one.authored >= found.authored):
            found = one
    return None if found is None else found.dollars
