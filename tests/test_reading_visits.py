"""FHIR to facts, the visit as a whole: its dates, its history, and what documents which line."""

import datetime as dt
from typing import Any

import pytest

from tests.builders import (
    DAY,
    ENCOUNTER,
    KNEE,
    NECK,
    Json,
    bundle,
    changed,
    claim,
    claim_request,
    discharge_request,
    encounter,
    form,
    item,
    order,
    order_request,
    procedure,
    ref,
    span,
)
from tests.facts_of import TODAY, line, visit, visits

EHR = "https://ehr.example/fhir"
URN = "urn:uuid:3f5c1c1e-7a4d-4f65-9d8e-0d8a3a1c2b11"
SPANS = {"exercise-1": span("09:00", 20), "exercise-2": span("09:30", 35)}

DATES: list[tuple[str, Json, Json, str, str]] = [
    ("servicedDate", {"servicedDate": "2026-02-01"}, {}, "2026-02-01", "Claim.item.servicedDate"),
    ("servicedPeriod", {"servicedPeriod": {"start": "2026-02-02"}}, {}, "2026-02-02", "Claim.item.servicedPeriod"),
    (
        "billablePeriod",
        {},
        {"billablePeriod": {"start": "2026-02-03T23:30:00-05:00"}},
        "2026-02-03",
        "Claim.billablePeriod",
    ),
    ("the item first", {"servicedDate": "2026-02-01"}, {"billablePeriod": {"start": "2026-02-03"}}, "2026-02-01", ""),
    ("a month only", {"servicedDate": "2026-02"}, {"billablePeriod": {"start": "2026-02-03"}}, "2026-02-03", ""),
    ("the encounter", {}, {}, DAY, "Encounter.period"),
    ("no such day", {"servicedDate": "2026-02-30"}, {}, DAY, "Encounter.period"),
]


@pytest.mark.parametrize(("name", "of_item", "of_claim", "day", "read_from"), DATES, ids=[one[0] for one in DATES])
def test_date_of_service(name: str, of_item: Json, of_claim: Json, day: str, read_from: str) -> None:
    """The date of service is the item's, else the claim's, else the Encounter's."""
    line_item = item(1, "97110")
    del line_item["servicedDate"]
    found = visit(claim_request(claim({**line_item, **of_item}, **of_claim)))
    assert found.date == dt.date.fromisoformat(day), name
    assert found.date_read_from == read_from or not read_from


@pytest.mark.parametrize("period", ["period", "actualPeriod"])
def test_date_of_an_encounter(period: str) -> None:
    """The Encounter's date is read under its names in R4 and R5."""
    visit_of = encounter(period=None) | {period: span("09:00", 60, "2026-02-05")}
    found = visit(order_request(order("o-1", "97110"), encounter=visit_of))
    assert (found.date, found.date_read_from) == (dt.date(2026, 2, 5), "Encounter.period")


def test_no_date() -> None:
    """Without any date today serves, and is not said to be read from anywhere."""
    bare = order("o-1", "97110")
    del bare["occurrenceDateTime"]
    found = visit(order_request(bare, encounter=None))
    assert (found.date, found.date_read_from) == (TODAY, "")


def test_claim_over_two_dates() -> None:
    """A claim over two dates of service is two visits, each with its own lines, in the order of the dates."""
    draft = claim(item(1, "97110"), item(2, "97140", 1, servicedDate="2026-03-01"), item(3, "97112"))
    found = visits(claim_request(draft, procedure("p", "97140", performedDateTime="2026-03-01")))
    assert [(one.date.day, [line.code for line in one.lines]) for one in found] == [
        (1, ["97140"]),
        (2, ["97110", "97112"]),
    ]
    assert found[0].lines[0].services == ("Procedure/p",)


def minutes(request: Json) -> list[int | None]:
    return [one.minutes.value if one.minutes else None for one in visit(request).lines]


def twice(*order_of_joins: int, how: str = "") -> Json:
    """Two lines of one code and two Procedures of it, joined by procedureSequence in this order."""
    reference = {"": "Procedure/{}", "absolute": EHR + "/Procedure/{}", "urn": URN[:-1] + "{}"}[how]
    done = [procedure(f"exercise-{n}", "97110", performedPeriod=SPANS[f"exercise-{n}"]) for n in (1, 2)]
    for one in done:
        del one["performedDateTime"]
    named = [
        {"sequence": n, "procedureReference": {"reference": reference.format(n if how == "urn" else f"exercise-{n}")}}
        for n in (1, 2)
    ]
    items = [item(place, "97110", 1, procedureSequence=[n]) for place, n in enumerate(order_of_joins, start=1)]
    body = claim_request(claim(*items, procedure=named), *done)
    if how == "urn":
        for n, entry in enumerate(body["prefetch"]["procedures"]["entry"], start=1):
            entry["fullUrl"] = f"{URN[:-1]}{n}"
    return body


@pytest.mark.parametrize("how", ["", "absolute", "urn"])
@pytest.mark.parametrize(("joins", "found"), [((1, 2), [20, 35]), ((2, 1), [35, 20])])
def test_join_by_reference(joins: tuple[int, int], found: list[int], how: str) -> None:
    """A line is documented by the Procedures that it points to, in a relative, absolute or urn reference."""
    assert minutes(twice(*joins, how=how)) == found


def test_join_by_code() -> None:
    """A line that points to nothing is documented by the Procedures of its code, in their order."""
    body = twice(1, 2)
    for one in body["context"]["claim"]["item"]:
        del one["procedureSequence"]
    assert minutes(body) == [20, 35]


def test_several_procedures_on_one_line() -> None:
    """A line that several Procedures document has their minutes together and the regions of all."""
    body = claim_request(
        claim(item(1, "97110", 2)),
        procedure("a", "97110", "09:00", 10, KNEE),
        procedure("b", "97110", "09:10", 13, NECK),
    )
    assert minutes(body) == [23]
    assert line(body).regions == {"knee", "cervical"}
    assert line(body).services == ("Procedure/a", "Procedure/b")


def test_one_procedure_without_minutes() -> None:
    """Where one of several Procedures of a line has no minutes, the line's are unknown: a sum would be too small."""
    body = claim_request(claim(item(1, "97110", 2)), procedure("a", "97110", "09:00", 10), procedure("b", "97110"))
    assert minutes(body) == [None]


def test_procedure_that_is_not_billed() -> None:
    """A Procedure that no line bills is a line of the record, not of the draft."""
    found = visit(claim_request(claim(item(1, "97110")), procedure("b", "97140")))
    assert [(one.code, one.draft, one.billed) for one in found.lines] == [
        ("97110", True, True),
        ("97140", False, False),
    ]


@pytest.mark.parametrize("status", ["not-done", "entered-in-error", "stopped", "preparation"])
def test_procedure_that_was_not_given(status: str) -> None:
    """A Procedure that was not given documents nothing."""
    body = claim_request(claim(item(1, "97110")), procedure("a", "97110", "09:00", 15, status=status))
    assert minutes(body) == [None]


@pytest.mark.parametrize("reference", ["ServiceRequest/o-2", f"{EHR}/ServiceRequest/o-2"])
def test_procedure_of_an_order(reference: str) -> None:
    """A Procedure that is based on an order documents that order."""
    done = procedure("a", "97110", "09:00", 25, basedOn=[{"reference": reference}])
    body = order_request(order("o-1", "97110"), order("o-2", "97110"), procedures=(done,))
    assert minutes(body) == [None, 25]


@pytest.mark.parametrize("reference", ["Procedure/a", f"{EHR}/Procedure/a", URN])
def test_form_of_a_procedure(reference: str) -> None:
    """A form belongs to the Procedure that it is part of, and to no other."""
    about = form("f", answers={"rationale": "weak"}, partOf=[{"reference": reference}])
    body = discharge_request(procedure("a", "97110"), procedure("b", "97140"), forms=bundle(about))
    body["prefetch"]["procedures"]["entry"][0]["fullUrl"] = URN
    assert [one.answered for one in visit(body).lines] == [{"rationale"}, frozenset()]


def test_form_of_the_visit() -> None:
    """A form that names no Procedure belongs to every line of its visit; one of another visit to none."""
    here = form("f", answers={"rationale": "weak"})
    there = form("g", answers={"patient_response": "good"}, encounter=ref("Encounter", f"not-{ENCOUNTER}"))
    body = discharge_request(procedure("a", "97110"), procedure("b", "97140"), forms=bundle(here, there))
    assert [one.answered for one in visit(body).lines] == [{"rationale"}, {"rationale"}]


def massage(name: str, day: str, **more: Any) -> Json:
    return procedure(name, "97124", performedDateTime=day, encounter=ref("Encounter", f"visit-{day}"), **more)


def test_history() -> None:
    """Earlier visits are counted by days, since the start of the plan, and those with massage apart."""
    earlier = bundle(
        *(massage("a", "2026-02-10"), massage("b", "2026-02-10"), massage("c", "2026-02-12")),
        *(massage("d", "2026-01-05"), massage("e", "2026-02-13", status="not-done")),
        procedure("f", "97110", performedDateTime="2026-02-14"),
        procedure("g", "80053", performedDateTime="2026-02-15"),
    )
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": ref("Patient", "test-patient"),
        "period": {"start": "2026-02-01"},
    }
    found = visit(claim_request(claim(item(1, "97124")), history=earlier, plans=bundle(plan))).history
    assert (found.seen, found.visits, found.massage_visits) == (True, 3, 2)
    assert found.plan_start == dt.date(2026, 2, 1)


def test_no_history() -> None:
    """Where the history was not sent, no visit counts as seen."""
    body = claim_request(claim(item(1, "97124")))
    del body["prefetch"]["history"]
    assert visit(body).history.seen is False


R5_REASONS: list[tuple[str, Json]] = [
    ("reasonCode", {"reasonCode": [{"coding": [{"system": "icd-10-cm", "code": "M25.561"}]}]}),
    ("reasonReference", {"reasonReference": [ref("Condition", "knee")]}),
    ("R5 reason", {"reason": [{"concept": {"coding": [{"system": "icd-10-cm", "code": "M25.561"}]}}]}),
    ("R5 reason by reference", {"reason": [{"reference": ref("Condition", "knee")}]}),
]


@pytest.mark.parametrize(("name", "reason"), R5_REASONS, ids=[one[0] for one in R5_REASONS])
def test_reasons(name: str, reason: Json) -> None:
    """Reasons are read as codes and as Conditions, under their names in R4 and R5."""
    condition = {
        "resourceType": "Condition",
        "id": "knee",
        "code": {"coding": [{"system": "icd10cm", "code": "m25.561"}]},
    }
    body = discharge_request(procedure("a", "97110", **reason), conditions=bundle(condition))
    assert line(body).diagnoses == ("M25.561",), name
    assert {"reason", "diagnosis"} <= line(body).evidence


def test_diagnosis_by_reference() -> None:
    """A diagnosis of a claim is read from the Condition that it names."""
    condition = {
        "resourceType": "Condition",
        "id": "knee",
        "code": {"coding": [{"system": "icd10cm", "code": "M25.561"}]},
    }
    pointed = [{"sequence": 4, "diagnosisReference": ref("Condition", "knee")}]
    draft = claim(item(1, "97110", diagnosisSequence=[4]), diagnosis=pointed)
    assert line(claim_request(draft, conditions=bundle(condition))).diagnoses == ("M25.561",)


def test_resource_that_comes_twice() -> None:
    """A Procedure that comes under two prefetch keys counts once."""
    done = procedure("a", "97110", "09:00", 20)
    body = changed(claim_request(claim(item(1, "97110")), done), "prefetch", "history", to=bundle(done))
    assert minutes(body) == [20]
