"""What forms say of a visit as a whole: its minutes in all, and what was done for the course of care that day."""

import datetime as dt

from mappings.fhir.dates import day_of
from mappings.fhir.forms import Form, day_stated, minutes_stated
from mappings.fhir.history import CERTIFIED, DATED, EVALUATED, REPORTED
from mappings.fhir.reader import Records
from mappings.visit import Minutes

TIMED, TREATMENT = "total-timed-minutes", "total-treatment-minutes"
TOTALS = {"mcr.total_timed_minutes": TIMED, "mcr.total_treatment_time": TREATMENT}
"""The questions of a form for a visit's minutes in all, each with the kind of evidence that its answer is."""

KINDS = {EVALUATED: "evaluation", REPORTED: "progress-report", CERTIFIED: "plan-certified"}
LINKS = frozenset({*TOTALS, *DATED})


def forms_for(forms: list[Form], day: dt.date, encounters: frozenset[str], refs: frozenset[str]) -> list[Form]:
    """The forms that speak for a visit, the best first: those written on its day, then those written later.

    A form of another encounter speaks for that one. One that was written before the day cannot speak for it, and one
    that names no encounter and no service (`refs`) only speaks for the day on which it was written; in UTC the evening
    stands under the next day.
    """
    found = []
    for form in forms:
        about_service = not form.belongs_to.isdisjoint(refs)
        if (form.encounter and encounters and form.encounter not in encounters) or (
            form.belongs_to and not form.encounter and not about_service
        ):
            continue
        written = day_of(form.authored)
        late = 0 if written is None else (written - day).days
        if late < 0 or (late > 1 and not form.encounter and not about_service):
            continue
        found.append((late, form))
    # What was written last on the nearest day goes first: it corrects what was written before it.
    found.sort(key=lambda one: one[1].authored, reverse=True)
    found.sort(key=lambda one: one[0])
    return [form for _, form in found]


def minutes_in_all(forms: list[Form], observed: dict[str, Minutes], records: Records) -> dict[str, Minutes]:
    """The minutes of a visit by kind, as its forms state them, else its observations."""
    totals: dict[str, Minutes] = {}
    for form in forms:
        for link, kind in TOTALS.items():
            if kind in totals or link not in form.answers:
                continue
            minutes = minutes_stated(form, link)
            if minutes is not None:
                totals[kind] = Minutes(minutes, f"{form.ref}#{link}")
            elif any(map(str.isdigit, form.answers[link].value_string or "")):
                records.gap(f"{form.ref}#{link}", "expected a number of minutes, such as 45")
    return observed | totals


def done_that_day(forms: list[Form], day: dt.date) -> set[str]:
    """The evidence that the visit's forms give of an evaluation, a progress report and a certified plan.

    An answer that names another day speaks of that day; a plan that was certified before stays certified.
    """
    kinds: set[str] = set()
    for form in forms:
        for link in DATED:
            answer = form.answers.get(link)
            if answer is None:
                continue
            stated = day_stated(answer)
            if stated is None or stated == day or (link == CERTIFIED and isinstance(stated, dt.date) and stated < day):
                kinds.add(KINDS[link])
    return kinds
