"""What stands under a prefetch key: data, nothing, or what is neither; the same whether it was sent or fetched."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    CLAIM_SUBMIT,
    DISCHARGE,
    PATIENT,
    Json,
    bundle,
    claim,
    discharge_request,
    encounter,
    item,
)
from tests.exchange import cards, codes, expressions, send, slots, the
from tests.fhir_stub import CLAIM, PROCEDURES, FhirStub, fhir_stub, installation, not_checked, unreadable, withheld
from tests.visits import EXERCISE, MANUAL

VISIT = discharge_request(EXERCISE)


def outcome(*severities: str) -> Json:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": one, "code": "processing"} for one in severities],
    }


def with_key(body: Json, key: str, value: Any) -> Json:
    return {**body, "prefetch": {**body["prefetch"], key: value}}


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


DATA: dict[str, Any] = {
    "a searchset": bundle(EXERCISE),
    "a collection": bundle(EXERCISE, kind="collection"),
    "no type of Bundle": {"resourceType": "Bundle", "entry": [{"resource": EXERCISE}]},
    "the resource itself": EXERCISE,
    "the resource in an entry": {"resource": EXERCISE},
    "a Bundle in an entry": {"response": {"status": "200"}, "resource": bundle(EXERCISE)},
    "with a hint of the search": bundle(EXERCISE, outcome("information", "warning")),
    "with what was asked to be included": bundle({"resourceType": "Practitioner", "id": "p"}, EXERCISE),
    "with a resource of no known type": bundle({"resourceType": "Zebra"}, EXERCISE),
}
DATA["with a read of what is not there"] = bundle(
    EXERCISE, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}
)
NOTHING: dict[str, Any] = {
    "null": None,
    "no entries": bundle(),
    "no list of entries": {"resourceType": "Bundle", "type": "searchset", "total": 0},
    "a hint alone": bundle(outcome("warning")),
    "entries without resources": {"resourceType": "Bundle", "entry": [{}, {"fullUrl": "urn:x"}]},
}
NEITHER: dict[str, Any] = {
    "an outcome": outcome("error"),
    "an outcome of no severity": {"resourceType": "OperationOutcome"},
    "an outcome in a Bundle": bundle(outcome("warning", "error")),
    "an outcome in an entry": {"response": {"status": "500"}, "resource": outcome("fatal")},
    "HTML": "<!DOCTYPE html><html><body>HTTP Status 500</body></html>",
    "a resource of another type": {"resourceType": "Patient", "id": PATIENT},
    "a resource of no known type": {"resourceType": "Zebra", "id": "z"},
    "an object of no type": {"id": "p"},
    "an empty object": {},
    "a list": [EXERCISE],
    "a number": 500,
    "true": True,
}
PARTLY: dict[str, Any] = {
    "with an error of the search": bundle(EXERCISE, outcome("error")),
    "of other types": bundle({"resourceType": "Practitioner", "id": "p"}),
}


@pytest.mark.parametrize("value", DATA.values(), ids=DATA)
@pytest.mark.parametrize("fetched", [True, False], ids=["fetched", "sent"])
def test_data(stub: FhirStub, fetched: bool, value: Any) -> None:
    """Data is read in whatever wrapping it comes, with a hint of the server or without."""
    stub.replies[PROCEDURES] = value
    body = withheld(CLAIM, "procedures", server=stub.base) if fetched else with_key(CLAIM, "procedures", value)
    found = cards(installation(stub), body)
    assert slots(the(found, "units.too-many"))["minutes"] == 30
    assert (not_checked(found), unreadable(found)) == ([], [])


@pytest.mark.parametrize("value", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("body", [CLAIM, VISIT], ids=["decoded", "raw"])
def test_nothing(client: FlaskClient, body: Json, value: Any) -> None:
    """A look-up that found nothing is no want of data."""
    found = cards(client, with_key(body, "plans", value))
    assert (not_checked(found), unreadable(found)) == ([], [])


@pytest.mark.parametrize("value", NOTHING.values(), ids=NOTHING)
def test_nothing_is_no_refusal(client: FlaskClient, value: Any) -> None:
    """Needed data that was looked up and not found leads to no 412."""
    assert send(client, with_key(VISIT, "procedures", value)).status_code == 200


@pytest.mark.parametrize("value", NEITHER.values(), ids=NEITHER)
@pytest.mark.parametrize("body", [CLAIM, VISIT], ids=["decoded", "raw"])
def test_neither(client: FlaskClient, body: Json, value: Any) -> None:
    """What is neither data nor the absence of data is a key that was not looked up."""
    assert not_checked(cards(client, with_key(body, "plans", value))) == ["plans"]


@pytest.mark.parametrize("value", NEITHER.values(), ids=NEITHER)
def test_neither_of_what_is_needed(client: FlaskClient, value: Any) -> None:
    """Needed data that was not looked up is a 412 that names the key."""
    answer = send(client, with_key(VISIT, "procedures", value))
    assert (answer.status_code, expressions(answer)) == (412, ["prefetch.procedures"])


@pytest.mark.parametrize("value", NEITHER.values(), ids=NEITHER)
def test_neither_is_fetched(stub: FhirStub, value: Any) -> None:
    """What was not looked up by the client is fetched, as if it had not been sent."""
    stub.replies[PROCEDURES] = bundle(EXERCISE)
    body = withheld(with_key(CLAIM, "procedures", value), server=stub.base)
    found = cards(installation(stub), body)
    assert slots(the(found, "units.too-many"))["minutes"] == 30
    assert (not_checked(found), stub.asked) == ([], [PROCEDURES])


@pytest.mark.parametrize("value", PARTLY.values(), ids=PARTLY)
@pytest.mark.parametrize("service", [CLAIM_SUBMIT, DISCHARGE])
@pytest.mark.parametrize("fetched", [True, False], ids=["fetched", "sent"])
def test_partly(stub: FhirStub, fetched: bool, service: str, value: Any) -> None:
    """What came only in part is used, is said, and is no reason for a 412."""
    body = CLAIM if service == CLAIM_SUBMIT else with_key(VISIT, "claims", bundle(claim(item(1, "97110", 3))))
    stub.replies[PROCEDURES] = value
    sent = withheld(body, "procedures", server=stub.base) if fetched else with_key(body, "procedures", value)
    assert not_checked(cards(installation(stub), sent, service)) == ["procedures"]


def test_documentation_of_a_record_in_part(client: FlaskClient) -> None:
    """Where the visit's record came only in part, nothing is called undocumented."""
    body = with_key(CLAIM, "forms", None)
    assert "documentation.missing" in codes(cards(client, with_key(body, "procedures", bundle(MANUAL))))
    partly = with_key(body, "procedures", bundle(MANUAL, outcome("error")))
    assert "documentation.missing" not in codes(cards(client, partly))


@pytest.mark.parametrize(
    "value",
    [encounter(), bundle(encounter()), {"resource": encounter()}, {"response": {}, "resource": bundle(encounter())}],
    ids=["itself", "in a Bundle", "in an entry", "in a Bundle in an entry"],
)
def test_encounter(client: FlaskClient, value: Any) -> None:
    """An Encounter is read by itself and in the wrappings that clients have given it."""
    body = with_key({**CLAIM, "context": {**CLAIM["context"], "claim": undated()}}, "encounter", value)
    found = cards(client, body)
    assert "facts.date-unknown" not in codes(found)
    assert not_checked(found) == []


def undated() -> Json:
    """The claim without any date, which the Encounter then gives."""
    line = item(1, "97110", 3)
    del line["servicedDate"]
    return claim(line)


def test_undated_without_an_encounter(client: FlaskClient) -> None:
    """Without the Encounter the same claim has no date: the test above can fail."""
    body = with_key({**CLAIM, "context": {**CLAIM["context"], "claim": undated()}}, "encounter", None)
    assert "facts.date-unknown" in codes(cards(client, body))
