"""FHIR to facts: the course of care before a visit, and what was done for it on the day of the visit."""

import datetime as dt
from typing import Any

import pytest

from mappings.visit import History
from tests.builders import (
    Json,
    bundle,
    claim,
    claim_request,
    discharge_request,
    form,
    item,
    order,
    order_request,
    procedure,
    ref,
)
from tests.facts_of import line, unreadable, visit

THERE = ref("Encounter", "another-visit")
EVALUATED, REPORTED, CERTIFIED = "reevaluation", "mcr.progress_report", "mcr.certification"
USED_PT, USED_OT = "mcr.used_pt_slp", "mcr.used_ot"
PLAN = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": ref("Patient", "test-patient"),
    "period": {"start": "2026-02-01"},
}


def earlier(code: str, *days: str) -> list[Json]:
    return [procedure(f"{code}-{day}", code, performedDateTime=day, encounter=THERE) for day in days]


def answered(link: str, answer: Json, name: str = "f", **more: Any) -> Json:
    """A form of another visit with one answer, written on 10 February."""
    told = {"encounter": THERE, "authored": "2026-02-10T15:00:00-05:00"} | more
    items = [{"linkId": link, "answer": [answer]}]
    return form(name, item=items, **{key: value for key, value in told.items() if value is not None})


def sent(*forms: Json, before: list[Json] | None = None, **more: Any) -> Json:
    """A visit with exercise that these forms and earlier Procedures come with."""
    return claim_request(claim(item(1, "97110")), forms=bundle(*forms), history=bundle(*(before or [])), **more)


def history(request: Json) -> History:
    return visit(request).history


EVALUATIONS = ["97161", "97164", "97168", "97172", "99203", "99213"]


@pytest.mark.parametrize("code", EVALUATIONS)
def test_last_evaluation(code: str) -> None:
    """The last evaluation or office visit before this visit counts, and the treatment days after it."""
    before = earlier(code, "2026-01-05", "2026-02-12") + earlier("97110", "2026-02-10", "2026-02-12", "2026-02-14")
    found = history(sent(before=[*before, *earlier("97140", "2026-02-14", "2026-02-20")]))
    assert found.evaluated_on == dt.date(2026, 2, 12)
    assert found.visits_since_evaluation == 2


@pytest.mark.parametrize("day", ["2026-03-02", "2026-03-03"])
def test_evaluation_that_is_not_earlier(day: str) -> None:
    """An evaluation of the visit's own day or of a later one is none before it."""
    found = history(sent(before=earlier("97164", day) + earlier("97110", "2026-02-10", "2026-02-12")))
    assert found.evaluated_on is None
    assert (found.visits_since_evaluation, found.visits_since_report) == (2, 2)


def test_no_evaluation() -> None:
    """Without an evaluation the treatment days since the plan's start count, and a test is no evaluation."""
    before = earlier("97110", "2026-01-20", "2026-02-10") + earlier("97750", "2026-02-12")
    found = history(sent(before=before, plans=bundle(PLAN)))
    assert (found.evaluated_on, found.reported_on, found.certified_on) == (None, None, None)
    assert (found.visits_since_evaluation, found.visits_since_report, found.visits) == (2, 2, 2)


def test_evaluation_before_the_plan() -> None:
    """Treatment days after the last evaluation count from it, though a plan began in between."""
    before = earlier("97164", "2026-01-10") + earlier("97110", "2026-01-20", "2026-02-10")
    found = history(sent(before=before, plans=bundle(PLAN)))
    assert (found.visits_since_evaluation, found.visits) == (2, 1)


def test_evaluation_that_was_not_given() -> None:
    """An evaluation that was not done is none."""
    (planned,) = earlier("97164", "2026-02-12")
    assert history(sent(before=[planned | {"status": "not-done"}])).evaluated_on is None


@pytest.mark.parametrize(("code", "reports"), [("97161", True), ("97168", True), ("97169", False), ("99213", False)])
def test_evaluation_as_a_report(code: str, reports: bool) -> None:
    """An evaluation of physical or occupational therapy is a progress report as well; others are not."""
    found = history(sent(before=earlier(code, "2026-02-12") + earlier("97110", "2026-02-10", "2026-02-20")))
    assert found.reported_on == (dt.date(2026, 2, 12) if reports else None)
    assert found.visits_since_report == (1 if reports else 3)


ANSWERS: list[tuple[str, Json, Json, str | None]] = [
    ("dated by its writing", {"valueBoolean": True}, {}, "2026-02-10"),
    ("in words", {"valueString": "range of motion improved"}, {}, "2026-02-10"),
    ("a date", {"valueDate": "2026-02-08"}, {}, "2026-02-08"),
    ("a time", {"valueDateTime": "2026-02-08T09:00:00-05:00"}, {}, "2026-02-08"),
    ("a date in words", {"valueString": "2026-02-08: improved"}, {}, "2026-02-08"),
    ("an American date in words", {"valueString": "On 2/8/2026, improved"}, {}, "2026-02-08"),
    ("a date without its writing", {"valueDate": "2026-02-08"}, {"authored": None}, "2026-02-08"),
    ("no date at all", {"valueBoolean": True}, {"authored": None}, None),
    ("a month", {"valueDate": "2026-02"}, {}, None),
    ("a month of its writing", {"valueBoolean": True}, {"authored": "2026-02"}, None),
    ("no", {"valueBoolean": False}, {}, None),
    ("no in words", {"valueString": "No."}, {}, None),
    ("no of a list", {"valueCoding": {"code": "N", "display": "No"}}, {}, None),
    ("a later day", {"valueDate": "2026-03-03"}, {}, None),
    ("a withdrawn form", {"valueBoolean": True}, {"status": "entered-in-error"}, None),
]
EVENTS = {EVALUATED: "evaluated_on", REPORTED: "reported_on", CERTIFIED: "certified_on"}


@pytest.mark.parametrize("link", EVENTS)
@pytest.mark.parametrize(("name", "answer", "more", "day"), ANSWERS, ids=[one[0] for one in ANSWERS])
def test_events_in_forms(name: str, answer: Json, more: Json, day: str | None, link: str) -> None:
    """A form of any visit dates an evaluation, a report or a certification: by its answer, else by its writing."""
    body = sent(answered(link, answer, **more))
    found = {one: getattr(history(body), field) for one, field in EVENTS.items()}
    assert found.pop(link) == (dt.date.fromisoformat(day) if day else None), name
    assert set(found.values()) == {None}
    assert not unreadable(body)


@pytest.mark.parametrize(
    ("answer", "more", "path"),
    [
        ({"valueDate": "2026-02-30"}, {}, f"QuestionnaireResponse/f#{CERTIFIED}"),
        ({"valueString": "signed 13/32/2026"}, {}, f"QuestionnaireResponse/f#{CERTIFIED}"),
        ({"valueBoolean": True}, {"authored": "yesterday"}, "QuestionnaireResponse/f.authored"),
    ],
)
def test_broken_date_of_an_event(answer: Json, more: Json, path: str) -> None:
    """A date that is none is said, and dates nothing."""
    body = sent(answered(CERTIFIED, answer, **more))
    assert history(body).certified_on is None
    assert unreadable(body) == [path]


def test_last_of_several_events() -> None:
    """The last of several counts, and treatment days are counted from it."""
    forms = [answered(REPORTED, {"valueDate": day}, day) for day in ("2026-02-05", "2026-02-13", "2026-02-09")]
    found = history(sent(*forms, before=earlier("97110", "2026-02-10", "2026-02-13", "2026-02-14", "2026-02-17")))
    assert (found.reported_on, found.visits_since_report) == (dt.date(2026, 2, 13), 2)


@pytest.mark.parametrize(("link", "field"), EVENTS.items())
def test_event_of_the_day(link: str, field: str) -> None:
    """A certification of the visit's own day counts, an evaluation or a report of that day is not an earlier one."""
    found = history(sent(answered(link, {"valueDate": "2026-03-02"})))
    assert getattr(found, field) == (dt.date(2026, 3, 2) if link == CERTIFIED else None)


def test_form_of_another_patient() -> None:
    """A form of another patient dates nothing."""
    found = sent(answered(EVALUATED, {"valueBoolean": True}, subject=ref("Patient", "somebody-else")))
    assert history(found).evaluated_on is None


AMOUNTS: list[tuple[str, Json, float | None, bool]] = [
    ("decimal", {"valueDecimal": 2150.5}, 2150.5, False),
    ("integer", {"valueInteger": 2150}, 2150.0, False),
    ("nothing yet", {"valueInteger": 0}, 0.0, False),
    (
        "money",
        {"valueQuantity": {"value": 2150, "unit": "USD", "system": "urn:iso:std:iso:4217", "code": "USD"}},
        2150,
        False,
    ),
    ("quantity without a unit", {"valueQuantity": {"value": 2150.25}}, 2150.25, False),
    ("text", {"valueString": "2150"}, 2150.0, False),
    ("text with a comma", {"valueString": "2,150.00"}, 2150.0, False),
    ("text with a sign", {"valueString": "$2,150"}, 2150.0, False),
    ("text with a currency", {"valueString": " 2150.50 USD "}, 2150.5, False),
    ("words", {"valueString": "as the note says"}, None, False),
    ("not known", {"valueString": "unknown"}, None, False),
    ("text that is not clear", {"valueString": "about 2,1"}, None, True),
    ("two amounts", {"valueString": "2150 of 2410"}, None, True),
    ("negative", {"valueDecimal": -1}, None, True),
    ("beyond all measure", {"valueDecimal": 1e300}, None, True),
    ("another unit", {"valueQuantity": {"value": 12, "unit": "visits"}}, None, True),
]


@pytest.mark.parametrize(
    ("link", "field", "other"), [(USED_PT, "used_pt_slp", "used_ot"), (USED_OT, "used_ot", "used_pt_slp")]
)
@pytest.mark.parametrize(("name", "answer", "dollars", "gap"), AMOUNTS, ids=[one[0] for one in AMOUNTS])
def test_amounts(name: str, answer: Json, dollars: float | None, gap: bool, link: str, field: str, other: str) -> None:
    """The year's amount is read in dollars; what has a number in it and is no amount in dollars is said."""
    body = sent(answered(link, answer))
    assert getattr(history(body), field) == dollars, name
    assert getattr(history(body), other) is None
    assert unreadable(body) == ([f"QuestionnaireResponse/f#{link}"] if gap else [])


WRITTEN: list[tuple[str, list[str | None], float | None]] = [
    ("the last one", ["2026-01-05", "2026-02-20", "2026-02-10"], 2.0),
    ("the last one of a day", ["2026-02-20T15:00:00Z", "2026-02-20T09:00:00Z"], 1.0),
    ("on the day of the visit", ["2026-02-20", "2026-03-02T18:00:00-05:00"], 2.0),
    ("after the visit", ["2026-02-20", "2026-03-03"], 1.0),
    ("in another year", ["2025-12-31"], None),
    ("without a date", [None], None),
]


@pytest.mark.parametrize(("name", "days", "dollars"), WRITTEN, ids=[one[0] for one in WRITTEN])
def test_amount_of_the_year(name: str, days: list[str | None], dollars: float | None) -> None:
    """The amount that was written last counts, of the visit's own year and not after the visit."""
    forms = [
        answered(USED_PT, {"valueInteger": number}, f"f{number}", authored=day)
        for number, day in enumerate(days, start=1)
    ]
    assert history(sent(*forms)).used_pt_slp == dollars, name


def evidence(request: Json) -> set[str]:
    """What all lines of the visit have in common of the course of care."""
    found = [one.evidence & {"evaluation", "progress-report", "plan-certified"} for one in visit(request).lines]
    assert len(set(found)) == 1
    return set(found[0])


HERE: list[tuple[str, str, Json, set[str]]] = [
    ("an evaluation", EVALUATED, {"valueString": "improved"}, {"evaluation"}),
    ("a report", REPORTED, {"valueBoolean": True}, {"progress-report"}),
    ("a certification", CERTIFIED, {"valueBoolean": True}, {"plan-certified"}),
    ("an evaluation of the day", EVALUATED, {"valueDate": "2026-03-02"}, {"evaluation"}),
    ("an earlier evaluation", EVALUATED, {"valueDate": "2026-02-10"}, set()),
    ("an earlier report", REPORTED, {"valueDate": "2026-02-10"}, set()),
    ("an earlier certification", CERTIFIED, {"valueDate": "2026-02-10"}, {"plan-certified"}),
    ("a later certification", CERTIFIED, {"valueDate": "2026-03-03"}, set()),
    ("no evaluation", EVALUATED, {"valueBoolean": False}, set()),
]


@pytest.mark.parametrize(("name", "link", "answer", "kinds"), HERE, ids=[one[0] for one in HERE])
@pytest.mark.parametrize("authored", [None, "2026-03-02T17:00:00-05:00"])
def test_evidence_of_the_visits_form(authored: str | None, name: str, link: str, answer: Json, kinds: set[str]) -> None:
    """A form of the visit shows on every line what was done that day, and that the plan has been certified."""
    told = answered(link, answer, encounter=ref("Encounter", "test-visit"), authored=authored)
    body = discharge_request(procedure("a", "97110"), procedure("b", "97140"), forms=bundle(told))
    assert evidence(body) == kinds, name


@pytest.mark.parametrize("link", EVENTS)
def test_form_of_another_visit(link: str) -> None:
    """A form of another visit shows nothing of this one, though it dates the course of care."""
    assert evidence(sent(answered(link, {"valueBoolean": True}))) == set()


CODES = [
    ("97164", {"evaluation", "progress-report"}),
    ("99213", {"evaluation"}),
    ("97169", {"evaluation"}),
    ("97140", set()),
]


@pytest.mark.parametrize(("code", "kinds"), CODES)
def test_evaluation_on_the_day(code: str, kinds: set[str]) -> None:
    """An evaluation that is recorded, billed or ordered that day shows on every line; therapists' hold the report."""
    recorded = discharge_request(procedure("a", "97110"), procedure("b", code), forms=None)
    billed = claim_request(claim(item(1, "97110"), item(2, code)), forms=None)
    ordered = order_request(order("o-1", "97110"), order("o-2", code), forms=None)
    not_billed = claim_request(claim(item(1, "97110")), procedure("b", code), forms=None)
    for body in (recorded, billed, ordered, not_billed):
        assert evidence(body) == kinds


def test_evaluation_of_the_day_that_was_not_done() -> None:
    """An evaluation that the record says was not done shows nothing."""
    body = claim_request(
        claim(item(1, "97110"), item(2, "97164")), procedure("b", "97164", status="not-done"), forms=None
    )
    assert evidence(body) == set()


def test_line_of_an_evaluation() -> None:
    """The evidence of the day stands beside what the line itself shows."""
    body = claim_request(claim(item(1, "97164")), procedure("a", "97164"), forms=None)
    assert {"evaluation", "procedure"} <= line(body).evidence


def of_no_encounter(authored: str | None) -> Json:
    """A form of the patient that says only when it was written."""
    told = answered("rationale", {"valueString": "because of the loss of motion"}, authored=authored)
    return {key: value for key, value in told.items() if key != "encounter"}


@pytest.mark.parametrize("authored", ["2026-03-02", "2026-03-03T01:30:00Z", None])
def test_form_without_an_encounter(authored: str | None) -> None:
    """A form that names no encounter answers for the day on which it was written; in UTC that may be the next."""
    assert "rationale" in line(sent(of_no_encounter(authored))).answered


@pytest.mark.parametrize("authored", ["2026-02-10", "2026-03-01", "2026-03-04"])
def test_form_of_another_day(authored: str) -> None:
    """A form that names no encounter and was written on another day answers nothing for this visit."""
    assert "rationale" not in line(sent(of_no_encounter(authored))).answered


def test_report_of_another_day_in_a_form_of_the_visit() -> None:
    """A question for the last report that is answered with an earlier day is no report of this visit."""
    here = ref("Encounter", "test-visit")
    told = answered(REPORTED, {"valueString": "last one on 2026-02-10"}, encounter=here, authored="2026-03-02")
    body = sent(told)
    assert REPORTED not in line(body).answered
    assert history(body).reported_on == dt.date(2026, 2, 10)
