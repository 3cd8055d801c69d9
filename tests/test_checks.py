"""What no FHIR library catches is caught and said, and what is valid but rare raises no false alarm."""

from typing import Any

import pytest

from tests.builders import (
    CPT,
    DAY,
    ENCOUNTER,
    Json,
    bundle,
    claim,
    claim_request,
    coded,
    coverage,
    discharge_request,
    encounter,
    item,
    modifiers,
    order,
    order_request,
    procedure,
    span,
)
from tests.facts_of import line, unreadable, visit
from tests.visits import EXERCISE

BACKWARDS = {"start": f"{DAY}T10:00:00-05:00", "end": f"{DAY}T09:00:00-05:00"}
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}


def without(resource: Json, *names: str, **more: Any) -> Json:
    return {key: value for key, value in resource.items() if key not in names} | more


def billed(given: Json = EXERCISE, **more: Any) -> Json:
    return claim_request(claim(item(1, "97110", 2)), given, **more)


PLAN: Json = {"resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan"}


def observed(**more: Any) -> Json:
    measured = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "Oswestry"}, **more}
    return bundle(measured)


WRONG: dict[str, tuple[Json, str]] = {
    "a Procedure that is done": (billed({**EXERCISE, "status": "done"}), f"Procedure/{EXERCISE['id']}.status"),
    "a Procedure without a status": (billed(without(EXERCISE, "status")), f"Procedure/{EXERCISE['id']}.status"),
    "a Procedure with a time in two forms": (
        billed({**EXERCISE, "performedDateTime": DAY}),
        f"Procedure/{EXERCISE['id']}.performed[x]",
    ),
    "a Procedure that ends before it starts": (
        billed({**EXERCISE, "performedPeriod": BACKWARDS}),
        f"Procedure/{EXERCISE['id']}.performedPeriod",
    ),
    "an Encounter of an unknown status": (
        billed(encounter=encounter(status="closed")),
        f"Encounter/{ENCOUNTER}.status",
    ),
    "an Encounter that ends before it starts": (
        billed(encounter=encounter(period=BACKWARDS)),
        f"Encounter/{ENCOUNTER}.period",
    ),
    "an Observation with two values": (
        billed(observations=observed(valueInteger=20, valueString="20")),
        "Observation/o.value[x]",
    ),
    "a Coverage without a status": (
        billed(coverage=bundle(without(coverage(), "status"))),
        "Coverage/test-coverage.status",
    ),
    "a plan of the wrong status": (
        billed(plans=bundle({"resourceType": "CarePlan", "id": "p", "status": "running", "intent": "plan"})),
        "CarePlan/p.status",
    ),
    "a goal without a status": (
        billed(goals=bundle({"resourceType": "Goal", "id": "g", "description": {"text": "Walk"}})),
        "Goal/g.lifecycleStatus",
    ),
    "a Claim that is ready": (
        claim_request(claim(item(1, "97110", 2), status="ready"), EXERCISE),
        "context.claim.status",
    ),
    "a Claim whose period ends before it starts": (
        claim_request(claim(item(1, "97110", 2), billablePeriod={"start": DAY, "end": "2026-03-01"}), EXERCISE),
        "context.claim.billablePeriod",
    ),
    "a line with a date in two forms": (
        claim_request(claim(item(1, "97110", 2, servicedDate=DAY, servicedPeriod=span("09:00", 30))), EXERCISE),
        "context.claim.item[0].serviced[x]",
    ),
    "a line that points to no diagnosis": (
        claim_request(claim(item(1, "97110", 2, diagnosisSequence=[1, 9])), EXERCISE),
        "context.claim.item[0].diagnosisSequence",
    ),
    "a line that points to no procedure": (
        claim_request(claim(item(1, "97110", 2, procedureSequence=[9])), EXERCISE),
        "context.claim.item[0].procedureSequence",
    ),
    "a modifier that is none": (
        claim_request(claim(item(1, "97110", 2, modifier=[*modifiers("GP"), coded(CPT, "5-9")])), EXERCISE),
        "context.claim.item[0].modifier[1]",
    ),
    "services in the details of a line": (
        claim_request(claim(item(1, "97110", 2, detail=[{"sequence": 1}])), EXERCISE),
        "context.claim.item[0].detail",
    ),
    "a Procedure with a broken date": (
        billed(procedure("p", "97110", performedDateTime="3/2/26")),
        "Procedure/p.performedDateTime",
    ),
    "a Procedure of R5 with a broken date": (
        billed(without(procedure("p", "97110", occurrenceDateTime="3/2/26"), "performedDateTime")),
        "Procedure/p.occurrenceDateTime",
    ),
    "a Procedure with a code that is none": (
        billed(procedure("p", "97110", code=coded(CPT, "97110\u200b"))),
        "Procedure/p.code",
    ),
    "a Procedure with digits that are not ours": (
        billed(procedure("p", "97110", code=coded(CPT, "\uff19\uff17\uff11\uff11\uff10"))),
        "Procedure/p.code",
    ),
    "a plan with a broken date": (billed(plans=bundle({**PLAN, "period": {"start": "soon"}})), "CarePlan/p.period"),
    "an Observation with a broken date": (
        billed(observations=observed(effectiveDateTime="03/02/2026")),
        "Observation/o.effectiveDateTime",
    ),
    "an order of the wrong status": (order_request(order("o-1", "97110", status="new")), "ServiceRequest/o-1.status"),
}


@pytest.mark.parametrize(("request_", "path"), WRONG.values(), ids=WRONG)
def test_said(request_: Json, path: str) -> None:
    """What breaks FHIR in ways that no schema catches is said with its place, and the service is reviewed."""
    assert unreadable(request_) == [path]
    assert line(request_).code == "97110"


RARE: dict[str, Json] = {
    "a status that the record explains not to have": billed(without(EXERCISE, "status", _status=ABSENT)),
    "statuses of R5": billed(
        encounter=without(encounter(status="completed"), "period", actualPeriod=span("09:00", 60))
    ),
    "a partial period": billed(
        plans=bundle(
            {
                "resourceType": "CarePlan",
                "id": "p",
                "status": "active",
                "intent": "plan",
                "period": {"start": "2026", "end": "2026"},
            }
        )
    ),
    "a date beside an empty one": claim_request(
        claim(item(1, "97110", 2, servicedDate="", servicedPeriod={"start": DAY})), EXERCISE
    ),
    "a partial date": billed(EXERCISE, history=bundle(procedure("old", "97110", performedDateTime="2026-01"))),
    "a modifier of the practice's own": claim_request(
        claim(item(1, "97110", 2, modifier=[coded("https://ehr.example/modifiers", "5-9")])), EXERCISE
    ),
    "modifiers that are empty": claim_request(claim(item(1, "97110", 2, modifier=[coded(CPT, " "), {}])), EXERCISE),
    "no details": claim_request(claim(item(1, "97110", 2, detail=[])), EXERCISE),
    "a Procedure that is coded in other systems": billed(
        EXERCISE, history=bundle(procedure("p", "97110", code=coded("http://snomed.info/sct", "229070002")))
    ),
    "a period of one day": claim_request(
        claim(item(1, "97110", 2), billablePeriod={"start": DAY, "end": DAY}), EXERCISE
    ),
    "an open period": billed({**EXERCISE, "performedPeriod": {"start": f"{DAY}T09:00:00-05:00"}}),
    "an extension beside a value": billed({**EXERCISE, "_status": ABSENT}),
    "a hole in an array": billed(
        {**EXERCISE, "_instantiatesUri": [None, ABSENT], "instantiatesUri": ["urn:x", "urn:y"]}
    ),
    "a contained resource": billed({**EXERCISE, "contained": [{"resourceType": "Device", "id": "d"}]}),
    "a revoked order": order_request(order("o-1", "97110", status="revoked")),
}


@pytest.mark.parametrize("request_", RARE.values(), ids=RARE)
def test_no_false_alarm(request_: Json) -> None:
    """What is valid but rare is read in silence."""
    assert unreadable(request_) == []


def test_outcome_among_entries() -> None:
    """An OperationOutcome among the entries of a search costs nothing and is no fault."""
    told = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    request = discharge_request(EXERCISE)
    request["prefetch"]["procedures"]["entry"].append({"resource": told, "search": {"mode": "outcome"}})
    assert unreadable(request) == []
    assert visit(request).lines[0].code == "97110"


def test_side_of_a_site() -> None:
    """The side of a body site is read from its code or its words; a site without one may be either."""
    left = {"coding": [{"system": "http://snomed.info/sct", "code": "16982005"}], "text": "Left shoulder"}
    request = billed(procedure("exercise", "97110", "09:00", 30, bodySite=[left]))
    assert line(request).sides == {"left"}
    unsided = {"text": "shoulder"}
    assert line(billed(procedure("exercise", "97110", "09:00", 30, bodySite=[left, unsided]))).sides == frozenset()
    both = {"text": "shoulders, bilateral"}
    assert line(billed(procedure("exercise", "97110", "09:00", 30, bodySite=[both]))).sides == {"left", "right"}


def test_line_beside_the_record() -> None:
    """A claim line that no Procedure documents is known as that, unless the record was not sent at all."""
    assert line(claim_request(claim(item(1, "97140")), EXERCISE)).undocumented
    assert not line(billed()).undocumented
    unsent = claim_request(claim(item(1, "97140")))
    del unsent["prefetch"]["procedures"]
    assert not line(unsent).undocumented
