"""FHIR to facts: the minutes of a whole visit, as its forms and observations state them."""

from typing import Any

import pytest

from tests.builders import (
    ENCOUNTER,
    Json,
    bundle,
    claim,
    claim_request,
    coded,
    discharge_request,
    form,
    item,
    order,
    order_request,
    procedure,
    ref,
)
from tests.facts_of import unreadable, visit, visits

TIMED, TREATMENT = "mcr.total_timed_minutes", "mcr.total_treatment_time"
KINDS = {TIMED: "total-timed-minutes", TREATMENT: "total-treatment-minutes"}
HERE, THERE = ref("Encounter", ENCOUNTER), ref("Encounter", "another-visit")


def stated(request: Json, link: str = TIMED) -> int | None:
    """A stated total of the one visit; every line shows that there is one, and none where there is none."""
    found = visit(request)
    total = found.total_timed if link == TIMED else found.total_treatment
    shown = {KINDS[link] in line.evidence for line in found.lines}
    assert shown == {total is not None}
    return None if total is None else total.value


def told(answer: Json | int, name: str = "f", link: str = TIMED, **more: Any) -> Json:
    value = {"valueInteger": answer} if isinstance(answer, int) else answer
    items = [{"linkId": link, "answer": [value]}]
    return form(name, item=items, **{key: one for key, one in more.items() if one is not None})


def sent(*forms: Json, **more: Any) -> Json:
    return discharge_request(procedure("a", "97110"), procedure("b", "97012"), forms=bundle(*forms), **more)


ANSWERS: list[tuple[str, Json, int | None, bool]] = [
    ("integer", {"valueInteger": 45}, 45, False),
    ("decimal", {"valueDecimal": 45.5}, 45, False),
    ("quantity", {"valueQuantity": {"value": 45, "unit": "min"}}, 45, False),
    ("quantity in hours", {"valueQuantity": {"value": 0.75, "code": "h"}}, 45, False),
    ("text", {"valueString": "45"}, 45, False),
    ("text with a unit", {"valueString": "45 min"}, 45, False),
    ("zero", {"valueInteger": 0}, 0, False),
    ("negative", {"valueInteger": -45}, None, False),
    ("another unit", {"valueQuantity": {"value": 3, "unit": "units"}}, None, False),
    ("words", {"valueString": "as the note says"}, None, False),
    ("text that is not clear", {"valueString": "45 or 50"}, None, True),
    ("not known", {"valueString": "unknown"}, None, False),
]


@pytest.mark.parametrize("link", KINDS)
@pytest.mark.parametrize(("name", "answer", "minutes", "gap"), ANSWERS, ids=[one[0] for one in ANSWERS])
def test_totals_in_a_form(name: str, answer: Json, minutes: int | None, gap: bool, link: str) -> None:
    """A form of the visit states its minutes in all, and says where; a text with a number that is no total is said."""
    body = sent(told(answer, link=link))
    assert stated(body, link) == minutes, name
    assert stated(body, next(other for other in KINDS if other != link)) is None
    assert unreadable(body) == ([f"QuestionnaireResponse/f#{link}"] if gap else [])
    total = visit(body).total_timed or visit(body).total_treatment
    assert total is None or total.read_from == f"QuestionnaireResponse/f#{link}"


WRITTEN: list[tuple[str, Json | None, tuple[str, ...], str | None, bool]] = [
    ("for the visit", HERE, (), None, True),
    ("for the visit, later", HERE, (), "2026-03-06", True),
    ("for the visit, before it", HERE, (), "2026-02-20", False),
    ("for another visit", THERE, (), None, False),
    ("for another visit, on the day", THERE, (), "2026-03-02", False),
    ("about a service of it", None, ("a",), None, True),
    ("about a service of it, later", None, ("a",), "2026-03-06", True),
    ("about another service", None, ("z",), "2026-03-02", False),
    ("for no visit, on the day", None, (), "2026-03-02T18:00:00-05:00", True),
    ("for no visit, in the evening in UTC", None, (), "2026-03-03T01:00:00Z", True),
    ("for no visit, later", None, (), "2026-03-06", False),
    ("for no visit, before it", None, (), "2026-02-20", False),
    ("for no visit, on no day", None, (), None, True),
    ("for the visit, withdrawn", HERE, (), "withdrawn", False),
]


@pytest.mark.parametrize(("name", "encounter", "about", "authored", "counts"), WRITTEN, ids=[one[0] for one in WRITTEN])
def test_forms_that_speak_for_a_visit(
    name: str, encounter: Json | None, about: tuple[str, ...], authored: str | None, counts: bool
) -> None:
    """A total is read from forms of the visit or its services, and from those that name no visit but its day."""
    one = told(45, partOf=[ref("Procedure", other) for other in about] or None)
    del one["encounter"]
    one |= {"encounter": encounter} if encounter else {}
    one |= {"status": "entered-in-error"} if authored == "withdrawn" else {"authored": authored} if authored else {}
    assert stated(sent(one)) == (45 if counts else None), name


ORDERS: list[tuple[str, list[str | None], int]] = [
    ("the one of the day", ["2026-03-05", "2026-03-02", "2026-03-04"], 2),
    ("the last of the day", ["2026-03-02T18:00:00Z", "2026-03-02T15:00:00Z"], 1),
    ("the nearest after it", ["2026-03-09", "2026-03-05"], 2),
]


@pytest.mark.parametrize(("name", "days", "number"), ORDERS, ids=[one[0] for one in ORDERS])
def test_several_forms(name: str, days: list[str | None], number: int) -> None:
    """Of several forms of a visit the nearest to its day counts, of those of one day the last."""
    forms = [told(place, f"f{place}", authored=day) for place, day in enumerate(days, start=1)]
    assert stated(sent(*forms)) == number, name


def test_totals_of_several_visits() -> None:
    """Forms that name no visit speak for the visit of their own day."""
    forms = [told(minutes, f"f{minutes}", authored=f"2026-03-0{minutes}") for minutes in (1, 2)]
    for one in forms:
        del one["encounter"]
    draft = claim(item(1, "97110", servicedDate="2026-02-27"), item(2, "97110", servicedDate="2026-03-02"))
    found = visits(claim_request(draft, forms=bundle(*forms)))
    assert [one.total_timed.value if one.total_timed else None for one in found] == [None, 2]


def test_total_of_draft_orders() -> None:
    """A form about a draft order states the total of its visit."""
    one = told(45, basedOn=[ref("ServiceRequest", "o-1")])
    del one["encounter"]
    assert stated(order_request(order("o-1", "97110"), forms=bundle(one))) == 45


def observation(code: Json, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": code,
        "subject": ref("Patient", "test-patient"),
        "encounter": HERE,
        **more,
    }


NAMES: list[tuple[str, Json, str]] = [
    ("Medicare's words", {"text": "Total Timed Code Treatment Minutes"}, TIMED),
    ("timed minutes", {"text": "Total timed minutes"}, TIMED),
    ("a display", {"coding": [{"system": "https://ehr.example", "code": "7", "display": "Timed minutes"}]}, TIMED),
    ("treatment time", {"text": "Total treatment time in minutes"}, TREATMENT),
    ("treatment minutes", {"text": "total treatment minutes"}, TREATMENT),
    ("a local code", coded("https://ehr.example/observations", "total-timed-minutes"), TIMED),
    ("the question's name", coded("https://ehr.example/observations", TREATMENT), TREATMENT),
]


@pytest.mark.parametrize(("name", "code", "link"), NAMES, ids=[one[0] for one in NAMES])
def test_totals_in_an_observation(name: str, code: Json, link: str) -> None:
    """An observation of the visit states its minutes in all, by its name or by a local code."""
    quantity = observation(code, valueQuantity={"value": 0.75, "unit": "h"})
    whole = observation(code, valueInteger=45)
    for one, element in ((quantity, "valueQuantity"), (whole, "valueInteger")):
        body = sent(observations=bundle(one))
        assert stated(body, link) == 45, name
        total = visit(body).total_timed or visit(body).total_treatment
        assert total is not None
        assert total.read_from == f"Observation/o.{element}"


@pytest.mark.parametrize(
    "value", [{}, {"valueQuantity": {"value": 3, "unit": "units"}}, {"valueInteger": -1}, {"valueString": "45"}]
)
def test_observation_without_minutes(value: Json) -> None:
    """An observation of a total that states no minutes is said, and shows nothing."""
    body = sent(observations=bundle(observation({"text": "Total timed minutes"}, **value)))
    assert stated(body) is None
    assert unreadable(body) == ["Observation/o"]


def test_observation_of_two_totals() -> None:
    """An observation whose name is that of both totals is said, for nobody knows of which one it speaks."""
    one = observation({"text": "Total treatment time / timed minutes"}, valueInteger=45)
    assert stated(sent(observations=bundle(one))) is None
    assert unreadable(sent(observations=bundle(one))) == ["Observation/o"]


@pytest.mark.parametrize("more", [{"encounter": THERE}, {"status": "entered-in-error"}])
def test_observation_of_another_visit(more: Json) -> None:
    """An observation of another visit, or one that was withdrawn, states nothing of this one."""
    one = observation({"text": "Total timed minutes"}, valueInteger=45, **{**more, "effectiveDateTime": "2026-02-20"})
    assert stated(sent(observations=bundle(one))) is None


def test_form_before_observation() -> None:
    """What a form states counts before what an observation does."""
    seen = observation({"text": "Total timed minutes"}, valueInteger=30)
    assert stated(sent(told(45), observations=bundle(seen))) == 45


@pytest.mark.parametrize("broken", [{"valueQuantity": "45 min"}, {"valueInteger": "45"}])
def test_broken_observation(broken: Json) -> None:
    """An observation whose value is of another type than it says is said with its path."""
    body = sent(observations=bundle(observation({"text": "Total timed minutes"}, **broken)))
    (path,) = unreadable(body)
    assert path == f"prefetch.observations.entry[0].resource.{next(iter(broken))}"
