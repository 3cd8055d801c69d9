"""A record that is broken, incomplete or not there: what is read counts, and what is not is said."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    DAY,
    DISCHARGE,
    ENCOUNTER,
    KEYS,
    KNEE,
    NECK,
    Json,
    bundle,
    changed,
    claim,
    claim_request,
    coverage,
    discharge_request,
    form,
    item,
    order,
    order_request,
    procedure,
    ref,
)
from tests.exchange import cards, codes, expressions, finding, outcome, send, slots, the, with_code
from tests.visits import BALANCE, CMT, CMT_NECK, EXERCISE, MANUAL, chiro

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
CLAIM = claim_request(claim(item(1, "97110", 3)), EXERCISE)
REQUESTS = {
    "claim": CLAIM,
    "order": order_request(order("o-1", "97110", 3), procedures=(EXERCISE,)),
    "discharge": discharge_request(CMT_NECK, MANUAL, EXERCISE),
}
WITHHELD = [(name, key) for name, body in REQUESTS.items() for key in body["prefetch"]]

BROKEN: list[tuple[str, Any, str]] = [
    ("status a number", {**MANUAL, "status": 7}, ".status"),
    ("no such status", {**MANUAL, "status": "finished"}, ""),
    ("code text", {**MANUAL, "code": "97140"}, ".code"),
    ("coding an object", {**MANUAL, "code": {"coding": {"code": "97140"}}}, ".code.coding"),
    ("coding null", {**MANUAL, "code": {"coding": [None]}}, ".code.coding[0]"),
    ("period text", {**MANUAL, "performedPeriod": DAY}, ".performedPeriod"),
    ("start a number", {**MANUAL, "performedPeriod": {"start": 900}}, ".performedPeriod.start"),
    ("body site an object", {**MANUAL, "bodySite": {"text": "neck"}}, ".bodySite"),
    ("subject text", {**MANUAL, "subject": "Patient/test-patient"}, ".subject"),
    ("id a number", {**MANUAL, "id": 17}, ".id"),
    ("note text", {**MANUAL, "note": "knee"}, ".note"),
    ("a list", [MANUAL], ""),
    ("text", "Procedure/manual", ""),
    ("no type", {"id": "manual"}, ""),
    ("a type of a number", {**MANUAL, "resourceType": 7}, ".resourceType"),
]


def with_procedures(*entries: Any, **more: Any) -> Json:
    found = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in entries], **more}
    return changed(CLAIM, "prefetch", "procedures", to=found)


def paths(found: list[Json]) -> list[str]:
    return [path for card in with_code(found, "facts.unreadable") for path in slots(card)["paths"]]


def not_checked(found: list[Json]) -> list[str]:
    return [f"prefetch.{key}" for card in with_code(found, "facts.not-checked") for key in slots(card)["keys"]]


@pytest.mark.parametrize(("name", "broken", "below"), BROKEN, ids=[one[0] for one in BROKEN])
@pytest.mark.parametrize("place", [0, 1])
def test_broken_entry(client: FlaskClient, place: int, name: str, broken: Any, below: str) -> None:
    """A broken entry of a Bundle costs only itself: its path is said, and its neighbour is reviewed."""
    entries = [broken, EXERCISE] if place == 0 else [EXERCISE, broken]
    found = cards(client, with_procedures(*entries))
    assert slots(the(found, "units.too-many"))["minutes"] == 30
    (path,) = paths(found)
    assert path.startswith((f"prefetch.procedures.entry[{place}].resource{below}", "Procedure/manual")), name


@pytest.mark.parametrize("entry", [None, 7, "x", [], {}, {"resource": None}, {"fullUrl": 7, "resource": MANUAL}])
def test_broken_wrapping(client: FlaskClient, entry: Any) -> None:
    """An entry that is none costs only itself."""
    body = with_procedures(EXERCISE)
    body["prefetch"]["procedures"]["entry"].append(entry)
    assert "units.too-many" in codes(cards(client, body))


IGNORED: list[Json] = [
    {"resourceType": "Immunization", "id": "i", "status": 7},
    {"resourceType": "Xyz"},
    {"resourceType": "Patient", "id": "test-patient", "name": [{"family": "Quixworth"}]},
    {"resourceType": "Practitioner", "id": "p"},
    {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]},
    {"resourceType": "Bundle", "entry": []},
]


@pytest.mark.parametrize("other", IGNORED, ids=[one["resourceType"] for one in IGNORED])
def test_other_resources(client: FlaskClient, other: Json) -> None:
    """Resources that the review does not read are passed over without a word."""
    found = cards(client, with_procedures(EXERCISE, other))
    assert codes(found) == ["units.too-many"]


@pytest.mark.parametrize("key", [key for key in KEYS[DISCHARGE] if key not in ("procedures", "coverage")])
@pytest.mark.parametrize("value", [None, {"resourceType": "Bundle", "type": "searchset"}, bundle()])
def test_looked_and_found_nothing(client: FlaskClient, key: str, value: Any) -> None:
    """A key that came empty was looked up and held nothing: that is no reason for a card."""
    found = cards(client, changed(REQUESTS["discharge"], "prefetch", key, to=value))
    assert not with_code(found, "facts.not-checked")
    assert not with_code(found, "facts.unreadable")


FAILED: dict[str, Any] = {
    "OperationOutcome": OUTCOME,
    "HTML": "<html><body>502 Bad Gateway</body></html>",
    "list": [],
    "number": 502,
    "false": False,
}


@pytest.mark.parametrize("value", FAILED.values(), ids=FAILED)
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("key", ["history", "plans", "conditions"])
def test_looking_failed(client: FlaskClient, key: str, name: str, value: Any) -> None:
    """A key whose look-up failed is said, and costs no other key."""
    found = cards(client, changed(REQUESTS[name], "prefetch", key, to=value))
    assert not_checked(found) == [f"prefetch.{key}"]
    assert {finding(card)["code"] for card in found} & {"units.too-many", "modifiers.distinct-missing"}


@pytest.mark.parametrize(("name", "key"), [one for one in WITHHELD if one != ("discharge", "procedures")])
def test_withheld(client: FlaskClient, name: str, key: str) -> None:
    """A key that was not sent is said, and the request is answered."""
    body = {**REQUESTS[name], "prefetch": {one: v for one, v in REQUESTS[name]["prefetch"].items() if one != key}}
    assert not_checked(cards(client, body)) == [f"prefetch.{key}"]


@pytest.mark.parametrize("name", ["claim", "order"])
@pytest.mark.parametrize("sent", [None, {}, "nothing"])
def test_no_prefetch(client: FlaskClient, name: str, sent: Any) -> None:
    """Without any prefetch the draft is reviewed for what it says itself, and every key is said."""
    body = {**REQUESTS[name], "prefetch": sent}
    if sent == "nothing":
        del body["prefetch"]
    found = cards(client, body)
    assert set(not_checked(found)) == {f"prefetch.{key}" for key in KEYS["visitcue-claim-submit"]}
    assert "documentation.missing" not in codes(found)


@pytest.mark.parametrize("value", ["absent", OUTCOME, "<html>", 7])
def test_needed_data(client: FlaskClient, value: Any) -> None:
    """encounter-discharge without the Procedures is a 412 that names the key and says what it is for."""
    body = changed(REQUESTS["discharge"], "prefetch", "procedures", to=value)
    if value == "absent":
        del body["prefetch"]["procedures"]
    answer = send(client, body)
    assert (answer.status_code, expressions(answer)) == (412, ["prefetch.procedures"])
    assert "minutes" in outcome(answer)["issue"][0]["diagnostics"]


def test_no_encounter(client: FlaskClient) -> None:
    """Keys that need an encounter are said where the context names none and they were not sent."""
    body = changed(CLAIM, "context", "encounterId", to=None)
    del body["prefetch"]["forms"]
    assert not_checked(cards(client, body)) == ["prefetch.forms"]


ELSEWHERE = {"subject": ref("Patient", "somebody-else")}
OTHERS: dict[str, Json] = {
    "procedures": {**MANUAL, **ELSEWHERE},
    "observations": {"resourceType": "Observation", "id": "o", "status": "final", **ELSEWHERE},
    "forms": form("f", **ELSEWHERE),
    "goals": {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", **ELSEWHERE},
    "plans": {"resourceType": "CarePlan", "id": "c", "status": "active", **ELSEWHERE},
}


@pytest.mark.parametrize(("key", "resource"), OTHERS.items(), ids=OTHERS)
def test_another_patients_record(client: FlaskClient, key: str, resource: Json) -> None:
    """What belongs to another patient is left out of the review, and that is said by its type."""
    before = CLAIM["prefetch"][key]
    entries = [*(before["entry"] if before else ()), {"resource": resource}]
    found = cards(client, changed(CLAIM, "prefetch", key, to={"resourceType": "Bundle", "entry": entries}))
    assert paths(found) == [f"{resource['resourceType']}/*"]


def test_another_patients_order(client: FlaskClient) -> None:
    """An order for another patient is left out of the review, and that is said."""
    strange = order("o-2", "97014", 9, subject=ref("Patient", "somebody-else"))
    found = cards(client, order_request(order("o-1", "97110", 3), strange, procedures=(EXERCISE,)))
    assert codes(found) == ["units.too-many", "facts.unreadable"]


def test_another_patients_minutes_do_not_count(client: FlaskClient) -> None:
    """Minutes of another patient support no unit."""
    strange = {**EXERCISE, "subject": ref("Patient", "somebody-else")}
    found = cards(client, claim_request(claim(item(1, "97110", 2)), strange))
    assert "units.minutes-unknown" in codes(found)


@pytest.mark.parametrize(
    "patient", ["Patient/test-patient", "https://ehr.example/fhir/Patient/test-patient/_history/3"]
)
def test_this_patient_in_other_words(client: FlaskClient, patient: str) -> None:
    """The patient of the context is recognised in a relative and in an absolute reference."""
    mine = {**EXERCISE, "subject": {"reference": patient}}
    assert cards(client, claim_request(claim(item(1, "97110", 2)), mine)) == []


def test_broken_claim_in_a_batch(client: FlaskClient) -> None:
    """A broken Claim of a batch costs only itself; its path is said."""
    broken = claim(item(1, "98941", quantity={"value": "2"}), name="broken")
    batch = bundle(broken, claim(item(1, "98941", 2), name="whole"), kind="collection")
    found = cards(client, claim_request(batch, CMT, BALANCE))
    assert codes(found) == ["units.untimed", "facts.unreadable"]
    assert paths(found) == ["context.claim.entry[0].resource.item[0].quantity.value"]


def test_broken_order(client: FlaskClient) -> None:
    """A broken order costs only itself; its path is said."""
    broken = order("o-2", "97140", quantityQuantity={"value": "1"})
    found = cards(client, order_request(order("o-1", "97110", 3), broken, procedures=(EXERCISE,)))
    assert codes(found) == ["units.too-many", "facts.unreadable"]
    assert paths(found) == ["context.draftOrders.entry[1].resource.quantityQuantity.value"]


HIDDEN: dict[str, Json] = {
    "the only order": order_request(order("o-1", "97140", quantityQuantity={"value": "1"})),
    "the only Procedure": discharge_request({**MANUAL, "code": "97140"}),
    "the only draft Claim": discharge_request(claims=bundle(claim(item(1, "97110", quantity=[])))),
    "another patient's Procedure": discharge_request({**MANUAL, "subject": ref("Patient", "somebody-else")}),
    "another patient's order": order_request(order("o-1", "97110", subject=ref("Patient", "somebody-else"))),
    "the only Claim of a batch": claim_request(bundle(claim(item(1, "97110", quantity=[])))),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_nothing_else_to_review(client: FlaskClient, name: str) -> None:
    """Where nothing is left to review because something could not be read, the answer says so and is not silence."""
    assert codes(cards(client, HIDDEN[name])) == ["facts.unreadable"]


def test_nothing_of_ours(client: FlaskClient) -> None:
    """A visit without any service of ours is answered with silence, whatever else of it cannot be read."""
    body = changed(
        discharge_request(procedure("p", "93000")), "prefetch", "goals", to=bundle({"resourceType": "Goal", "id": 7})
    )
    assert cards(client, body) == []


@pytest.mark.parametrize("written", ["1.10", "12345678", "eins", "9711", "97110X"])
def test_line_without_a_code(client: FlaskClient, written: str) -> None:
    """A line whose code has not the form of one is said, and the other lines are reviewed."""
    strange = item(2, "97110", productOrService={"coding": [{"code": written}]})
    found = cards(client, claim_request(claim(item(1, "97110", 3), strange), EXERCISE))
    assert codes(found) == ["units.too-many", "facts.unreadable"]
    assert paths(found) == ["context.claim.item[1].productOrService"]


def test_broken_coverage(client: FlaskClient) -> None:
    """A Coverage that cannot be read leaves the payer unknown; both are said."""
    body = changed(chiro("59"), "prefetch", "coverage", to=bundle({**coverage(), "payor": "BCBSNC"}))
    assert {"facts.payer-unknown", "facts.unreadable"} <= set(codes(cards(client, body)))


def test_procedure_of_no_encounter(client: FlaskClient) -> None:
    """A Procedure of the day that names no encounter belongs to the visit; one of another encounter does not."""
    here, there = procedure("a", "97110", "09:00", 15, KNEE), procedure("b", "97110", "09:15", 15, NECK)
    del here["encounter"]
    there["encounter"] = ref("Encounter", f"not-{ENCOUNTER}")
    found = cards(
        client, claim_request(claim(item(1, "97110", 2, encounter=[ref("Encounter", ENCOUNTER)])), here, there)
    )
    assert slots(the(found, "units.too-many"))["minutes"] == 15
