"""A server that passes over a parameter answers with other people's records: none of them comes into a card."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    BCBSNC,
    CLAIM_SUBMIT,
    ENCOUNTER,
    MEDICARE,
    PATIENT,
    Json,
    bundle,
    changed,
    claim,
    coverage,
    encounter,
    form,
    item,
    procedure,
    ref,
    request,
)
from tests.exchange import cards, codes, send, slots, the
from tests.fhir_stub import CLAIM, PROCEDURES, FhirStub, fhir_stub, installation, not_checked, unreadable, withheld
from tests.visits import EXERCISE

OTHER = "somebody-else"
THEIRS = {"subject": ref("Patient", OTHER)}
RECORDS: dict[str, Json] = {
    "encounter": encounter(**THEIRS),
    "procedures": {**EXERCISE, **THEIRS},
    "history": {**EXERCISE, "id": "old", **THEIRS},
    "conditions": {"resourceType": "Condition", "id": "c", **THEIRS},
    "plans": {"resourceType": "CarePlan", "id": "c", "status": "active", **THEIRS},
    "goals": {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", **THEIRS},
    "observations": {"resourceType": "Observation", "id": "o", "status": "final", **THEIRS},
    "forms": form("f", **THEIRS),
    "coverage": coverage(MEDICARE, "c", beneficiary=ref("Patient", OTHER)),
}
QUERIES = {
    "encounter": f"Encounter/{ENCOUNTER}",
    "procedures": PROCEDURES,
    "history": f"Procedure?patient={PATIENT}&_sort=-date&_count=100",
    "coverage": f"Coverage?patient={PATIENT}",
    "conditions": f"Condition?patient={PATIENT}",
    "plans": f"CarePlan?patient={PATIENT}",
    "goals": f"Goal?patient={PATIENT}",
    "observations": f"Observation?encounter={ENCOUNTER}",
    "forms": f"QuestionnaireResponse?patient={PATIENT}&_sort=-authored&_count=50",
}


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


def with_key(key: str, value: Any) -> Json:
    return {**CLAIM, "prefetch": {**CLAIM["prefetch"], key: value}}


@pytest.mark.parametrize("key", RECORDS)
@pytest.mark.parametrize("fetched", [True, False], ids=["fetched", "sent"])
def test_of_somebody_else(stub: FhirStub, key: str, fetched: bool) -> None:
    """A resource of another patient is left out, said by its type, and not named, whether it was fetched or sent."""
    value = RECORDS[key] if key == "encounter" else bundle(RECORDS[key])
    stub.replies[QUERIES[key]] = value
    body = withheld(CLAIM, key, server=stub.base) if fetched else with_key(key, value)
    found = cards(installation(stub), body)
    assert unreadable(found) == [f"{RECORDS[key]['resourceType']}/*"]
    assert not_checked(found) == []


@pytest.mark.parametrize("count", [1, 2])
def test_left_out_are_counted(client: FlaskClient, count: int) -> None:
    """Of what is left out there is the type and the number, and no id; nor of what contradicts itself in it."""
    theirs = [{**EXERCISE, "id": f"zebra-{number}", **THEIRS} for number in range(count)]
    again = {**theirs[0], "performedPeriod": {"start": "2026-03-02T07:00:00-05:00"}, "code": {"text": "otherwise"}}
    answer = send(client, with_key("procedures", bundle(*theirs, again)))
    assert unreadable(answer.get_json()["cards"]) == ["Procedure/*"]
    assert f": {count} of them" in the(answer.get_json()["cards"], "facts.unreadable")["detail"]
    assert "zebra" not in answer.get_data(as_text=True)


def test_server_that_passes_over_parameters(stub: FhirStub) -> None:
    """A server that answers with everybody's records is told by how many were left out; only the patient's count."""
    strangers = [{**EXERCISE, "id": f"s-{one}", "subject": ref("Patient", f"p-{one}")} for one in range(40)]
    stub.replies[PROCEDURES] = bundle(*strangers[:20], EXERCISE, *strangers[20:])
    answer = send(installation(stub), withheld(CLAIM, "procedures", server=stub.base))
    found = answer.get_json()["cards"]
    assert slots(the(found, "units.too-many"))["minutes"] == 30
    assert unreadable(found) == ["Procedure/*"]
    assert not [name for name in ("s-1", "p-1", "s-39", "p-39") if f"/{name}" in answer.get_data(as_text=True)]


MINE = {
    "relative": {"reference": f"Patient/{PATIENT}"},
    "absolute": {"reference": f"https://fhir.clinic.example/r4/Patient/{PATIENT}"},
    "of a version": {"reference": f"Patient/{PATIENT}/_history/3"},
    "urn": {"reference": "urn:uuid:6f7a3c52-0f1b-4f0e-9d5a-1f2e3d4c5b6a"},
}
UNTOLD: dict[str, Any] = {
    "an identifier": {"identifier": {"system": "urn:oid:1.2.3", "value": "MRN-TEST-1"}},
    "words": {"display": "Test Patient"},
    "contained": {"reference": "#p"},
    "a urn of nothing that came": {"reference": "urn:uuid:00000000-0f1b-4f0e-9d5a-1f2e3d4c5b6a"},
    "nothing": None,
}
PERSON = {
    "fullUrl": "urn:uuid:6f7a3c52-0f1b-4f0e-9d5a-1f2e3d4c5b6a",
    "resource": {"resourceType": "Patient", "id": PATIENT},
}


def record(*procedures: Json, person: Json = PERSON) -> Json:
    found = bundle(*procedures)
    return {**found, "entry": [*found["entry"], person]}


@pytest.mark.parametrize("subject", [*MINE.values(), *UNTOLD.values()], ids=[*MINE, *UNTOLD])
def test_of_this_patient(client: FlaskClient, subject: Any) -> None:
    """The patient is known in every form of reference; what does not tell came as the answer to the question."""
    found = cards(client, with_key("procedures", record({**EXERCISE, "subject": subject})))
    assert (slots(the(found, "units.too-many"))["minutes"], unreadable(found)) == (30, [])


@pytest.mark.parametrize("subject", UNTOLD.values(), ids=UNTOLD)
def test_untold_beside_others(client: FlaskClient, subject: Any) -> None:
    """Where another patient's record shows that the question was passed over, what does not tell is left out too."""
    stranger = {**procedure("s", "97110", "09:00", 15), **THEIRS}
    found = cards(client, with_key("procedures", record({**EXERCISE, "subject": subject}, stranger)))
    assert unreadable(found) == ["Procedure/*"]
    assert "units.too-many" not in codes(found)


def test_patient_of_a_urn(client: FlaskClient) -> None:
    """A urn that names another Patient who came along is another patient."""
    person = {**PERSON, "resource": {"resourceType": "Patient", "id": OTHER}}
    theirs = {**EXERCISE, "subject": MINE["urn"]}
    assert unreadable(cards(client, with_key("procedures", record(theirs, person=person)))) == ["Procedure/*"]


def test_named_coverage_of_somebody_else(client: FlaskClient) -> None:
    """A Coverage of another patient gives no payer, though the claim names it."""
    theirs = coverage(MEDICARE, beneficiary=ref("Patient", OTHER))
    found = cards(client, request(CLAIM_SUBMIT, {"claim": claim(item(1, "97110"))}, coverage=bundle(theirs)))
    assert {"facts.payer-unknown", "facts.unreadable"} <= set(codes(found))


def test_diagnosis_of_somebody_else(client: FlaskClient) -> None:
    """A Condition of another patient gives no diagnosis, though the claim names it."""
    theirs = {"resourceType": "Condition", "id": "c", "code": {"text": "neck pain"}, **THEIRS}
    draft = claim(item(1, "97110"), diagnosis=[{"sequence": 1, "diagnosisReference": ref("Condition", "c")}])
    body = request(CLAIM_SUBMIT, {"claim": draft}, conditions=bundle(theirs), coverage=bundle(coverage(BCBSNC)))
    assert unreadable(cards(client, body)) == ["Condition/*"]


def test_other_encounter(stub: FhirStub) -> None:
    """A server that passes over the encounter gives other visits too: their minutes do not count for this one."""
    there = {**EXERCISE, "id": "there", "encounter": ref("Encounter", "another-visit")}
    stub.replies[PROCEDURES] = bundle(EXERCISE, there)
    found = cards(installation(stub), withheld(CLAIM, "procedures", server=stub.base))
    assert slots(the(found, "units.too-many"))["minutes"] == 30


def test_patient_of_the_context_decides(client: FlaskClient) -> None:
    """It is the context that says whose record it is, not what most of the record says."""
    body = changed(with_key("procedures", bundle(EXERCISE)), "context", "patientId", to=OTHER)
    body["context"]["claim"] = {**body["context"]["claim"], "patient": ref("Patient", OTHER)}
    assert "Procedure/*" in unreadable(cards(client, body))
