"""encounter-discharge of care that is not ours: a hospital tells of every stay, and most hold nothing to review."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import DISCHARGE, ENCOUNTER, PATIENT, Json, bundle, claim, discharge_request, encounter, item, ref
from tests.exchange import cards, codes, expressions, send, slots, the
from tests.fhir_stub import FhirStub, fhir_stub, installation, status, withheld
from tests.visits import EXERCISE

READ = f"Encounter/{ENCOUNTER}"


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


def of_class(code: str) -> Json:
    return encounter(**{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}})


def by(*names: str) -> Json:
    return encounter(participant=[{"individual": {**ref("Practitioner", name), "display": name}} for name in names])


def without_procedures(met: Json | None, **more: Any) -> Json:
    """A request whose record holds everything but the Procedures."""
    body = discharge_request(encounter=met, **more)
    del body["prefetch"]["procedures"]
    return body


OTHERS = {
    "a stay": of_class("IMP"),
    "an emergency": of_class("EMER"),
    "a stay as R5 states it": encounter(**{"class": [{"coding": [{"code": "IMP"}]}]}),
    "a phone call": encounter(type=[{"text": "Telephone encounter"}]),
    "a physician": by("Ann Heart, MD"),
}
PERHAPS_OURS: dict[str, Json | None] = {
    "no Encounter": None,
    "of another id": {**of_class("IMP"), "id": "another"},
    "of another patient": {**of_class("IMP"), "subject": ref("Patient", "another")},
    "told by nothing": encounter(),
    "an office visit": encounter(type=[{"text": "Office visit"}]),
    "somebody of no known profession": by("Ann Heart"),
    "a physician and somebody": by("Ann Heart, MD", "Ben Hand"),
    "a therapist": by("Ben Hand, PT"),
    "a physician and a therapist": by("Ann Heart, MD", "Ben Hand, PT"),
    "a physician, for therapy": {**by("Ann Heart, MD"), "serviceType": {"text": "Physical therapy"}},
}


@pytest.mark.parametrize("met", OTHERS.values(), ids=OTHERS)
def test_others(client: FlaskClient, met: Json) -> None:
    """A visit that is known not to be ours is no 412: the answer says what was not checked, and nothing else."""
    found = cards(client, without_procedures(met))
    assert codes(found) == ["facts.not-checked"]
    assert slots(found[0])["keys"] == ["procedures"]


@pytest.mark.parametrize("met", PERHAPS_OURS.values(), ids=PERHAPS_OURS)
def test_perhaps_ours(client: FlaskClient, met: Json | None) -> None:
    """A visit that is ours, or that nothing tells apart, still needs its Procedures."""
    answer = send(client, without_procedures(met))
    assert (answer.status_code, expressions(answer)) == (412, ["prefetch.procedures"])


def test_claim_of_ours(client: FlaskClient) -> None:
    """A draft claim with a line of ours makes a visit ours, wherever it was."""
    body = without_procedures(of_class("IMP"), claims=bundle(claim(item(1, "97110"))))
    assert send(client, body).status_code == 412


def test_claim_of_others(client: FlaskClient) -> None:
    """A draft claim without a line of ours does not."""
    body = without_procedures(of_class("IMP"), claims=bundle(claim(item(1, "93306"))))
    assert "facts.not-checked" in codes(cards(client, body))


def test_procedures_of_a_stay(client: FlaskClient) -> None:
    """Procedures that came are reviewed, wherever they were given."""
    plain = cards(client, discharge_request(EXERCISE, encounter=encounter(), forms=None))
    assert codes(plain)
    assert codes(cards(client, discharge_request(EXERCISE, encounter=of_class("IMP"), forms=None))) == codes(plain)


@pytest.mark.parametrize(("kind", "expected"), [("IMP", 200), ("AMB", 412)])
def test_fetched(stub: FhirStub, kind: str, expected: int) -> None:
    """An Encounter that had to be fetched tells as much as one that was sent."""
    stub.replies = {READ: of_class(kind), f"Procedure?encounter={ENCOUNTER}": status(403)}
    body = withheld(discharge_request(), "encounter", "procedures", server=stub.base)
    answer = send(installation(stub), body, DISCHARGE)
    assert answer.status_code == expected
    if expected == 200:
        assert slots(the(answer.get_json()["cards"], "facts.not-checked"))["keys"] == ["procedures"]


def test_nothing_sent(client: FlaskClient) -> None:
    """A hospital that sends nothing but the Encounter gets an answer about every stay."""
    body = {**discharge_request(), "prefetch": {"encounter": of_class("IMP")}}
    assert body["context"]["patientId"] == PATIENT
    assert "facts.not-checked" in codes(cards(client, body))
