"""Requests in the form in which known clients make them; the words and the data are our own.

The public CDS Hooks Sandbox calls from a browser, the Inferno test kit for CRD with a FHIR server that nobody can
reach, and clients that were set up for CRD send the prefetch of a payer.
"""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.answers import drafts, wrong
from tests.builders import CPT, HCPCS, Json, billing, bundle, coded, coverage, order, ref
from tests.exchange import codes, the

JWT = "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6InRlc3QifQ.eyJpc3MiOiJodHRwczovL2Voci5leGFtcGxlIn0.c2lnbmF0dXJl"
SANDBOX = {"Origin": "https://sandbox.ehr.example", "Authorization": f"Bearer {JWT}", "Accept": "application/json"}
INFERNO = {"Authorization": f"Bearer {JWT}", "Content-type": "application/json"}


def call(
    client: FlaskClient, body: Json, headers: dict[str, str], service: str = "visitcue-order-sign"
) -> TestResponse:
    return client.post(f"/cds-services/{service}", json=body, headers=headers)


def found_by(client: FlaskClient, body: Json, headers: dict[str, str]) -> list[Json]:
    """The cards of an answer, which must be 200 and right in shape."""
    answer = call(client, body, headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert wrong(answer.get_json(), drafts(body)) == []
    cards: list[Json] = answer.get_json()["cards"]
    return cards


def sandbox(*orders: Json, **more: Any) -> Json:
    """As the Sandbox sends it: no encounter, no access to its server, and a Bundle of orders without a type."""
    return {
        "hookInstance": "2f1c7b62-1c0d-4b3e-9f5a-0c9d3e6a7b81",
        "hook": "order-sign",
        "fhirServer": "https://fhir.ehr.example/r4",
        "context": {
            "patientId": "test-patient",
            "userId": "Practitioner/TESTUSER1",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": one} for one in orders]},
            **more,
        },
    }


def study(*coding: Json, **more: Any) -> Json:
    """An order of the Sandbox's imaging screen."""
    return {
        "resourceType": "ServiceRequest",
        "id": "order-1",
        "status": "draft",
        "intent": "plan",
        "code": {"coding": list(coding), "text": "a study"},
        "subject": ref("Patient", "test-patient"),
        "reasonCode": [],
        **more,
    }


MEDICATION = {
    "resourceType": "MedicationRequest",
    "id": "order-2",
    "status": "draft",
    "intent": "order",
    "category": coded("http://terminology.hl7.org/CodeSystem/medicationrequest-category", "outpatient"),
    "medicationCodeableConcept": coded("http://www.nlm.nih.gov/research/umls/rxnorm", "0000000", text="Testolol"),
    "subject": ref("Patient", "test-patient"),
    "dosageInstruction": [
        {"doseQuantity": {"value": 1}, "timing": {"repeat": {"boundsPeriod": {"start": "2026-03-02"}}}}
    ],
}

SANDBOX_SILENT = {
    "medication with an object as category": sandbox(MEDICATION),
    "imaging, no study chosen yet": sandbox(study({}), selections=["ServiceRequest/order-1"]),
    "imaging, a study of the head": sandbox(
        study({"system": CPT, "code": "70450"}), selections=["ServiceRequest/order-1"]
    ),
    "no order yet": sandbox(),
}


@pytest.mark.parametrize("name", SANDBOX_SILENT)
def test_sandbox_silent(client: FlaskClient, name: str) -> None:
    """The Sandbox's orders that are none of ours are answered with no card, whatever their form and without data."""
    assert found_by(client, SANDBOX_SILENT[name], SANDBOX) == []


def test_sandbox_therapy(client: FlaskClient) -> None:
    """A therapy order from the Sandbox is reviewed as far as it goes, and what was not sent is said."""
    body = sandbox(study({"system": CPT, "code": "97014"}, quantityQuantity={"value": 3}))
    found = found_by(client, body, SANDBOX)
    assert codes(found)[0] == "units.untimed"
    assert "procedures" in the(found, "facts.not-checked")["extension"]["org.visitcue.finding"]["slots"]["keys"]
    (action,) = found[0]["suggestions"][0]["actions"]
    assert action["resource"]["quantityQuantity"] == {"value": 1}
    assert "reasonCode" not in action["resource"]


@pytest.mark.parametrize(("path", "method"), [("", "GET"), ("/visitcue-order-sign", "POST")])
def test_sandbox_preflight(client: FlaskClient, path: str, method: str) -> None:
    """A browser may ask before discovery too, because every call of the Sandbox carries a token."""
    asks = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    answer = client.options(f"/cds-services{path}", headers={"Origin": SANDBOX["Origin"], **asks})
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", SANDBOX["Origin"])
    assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_sandbox_discovery(client: FlaskClient) -> None:
    """Discovery answers a browser that sends a token, with its origin allowed."""
    answer = client.get("/cds-services", headers=SANDBOX)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", SANDBOX["Origin"])
    assert answer.get_json()["services"]


def inferno(*orders: Json, **more: Any) -> Json:
    """As Inferno sends it: a server that nobody can reach, a token for it, a payer's prefetch, root extensions."""
    return {
        "hook": "order-sign",
        "hookInstance": "f3945c39-2faa-77ad-b0a2-3e05e123b2aa",
        "fhirServer": "https://inferno.invalid/custom/fhir",
        "fhirAuthorization": {
            "access_token": "sample-test-token",
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/Patient.read patient/Observation.read",
            "subject": "cds-service",
        },
        "context": {
            "userId": "PractitionerRole/TESTROLE1",
            "patientId": "test-patient",
            "encounterId": "test-visit",
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": one} for one in orders],
            },
        },
        "prefetch": {
            "patient": {"resourceType": "Patient", "id": "test-patient", "gender": "female", "birthDate": "1970-01-01"},
            "coverage": {**bundle(coverage("Test Payer")), "total": 1},
            "user": {"resourceType": "PractitionerRole", "id": "TESTROLE1"},
        },
        "extension": {"davinci-crd.configuration": {"prior-auth": True, "alt-drug": False}},
        **more,
    }


DEVICE = {
    "resourceType": "DeviceRequest",
    "id": "device-1",
    "meta": {"profile": ["http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-devicerequest"]},
    "status": "draft",
    "intent": "original-order",
    "codeCodeableConcept": coded(HCPCS, "E0250"),
    "subject": ref("Patient", "test-patient"),
    "authoredOn": "2026-03-02",
    "insurance": [ref("Coverage", "test-coverage")],
}


@pytest.mark.parametrize("orders", [(DEVICE,), (order("care", "G0180"),), (DEVICE, order("care", "G0180"))])
def test_inferno_silent(client: FlaskClient, orders: tuple[Json, ...]) -> None:
    """Orders of devices and of care plans are none of ours: 200 and no card, without reaching for any server."""
    assert found_by(client, inferno(*orders), INFERNO) == []


def test_inferno_therapy(client: FlaskClient) -> None:
    """A therapy order beside a device is reviewed, the card refers to it alone, and 412 is not called for."""
    found = found_by(client, inferno(DEVICE, order("stimulation", "G0283", 3)), INFERNO)
    card = the(found, "units.untimed")
    assert card["extension"]["davinci-crd.associated-resource"] == ["ServiceRequest/stimulation"]
    assert card["source"]["topic"]["code"]
    assert all(link["type"] == "absolute" for link in card["links"])


def test_inferno_uuids(client: FlaskClient) -> None:
    """A hookInstance of 8-4-4-4-12 hexadecimal digits is one, whatever its version digit says."""
    body = inferno(DEVICE, hookInstance="d1577c69-dfbe-04ad-0a6d-3e05e953b2ea")
    assert found_by(client, body, INFERNO) == []


def test_token_is_not_shown(client: FlaskClient) -> None:
    """Neither the client's token nor its token for its server is anywhere in the answer."""
    answer = call(client, inferno(order("stimulation", "G0283", 3)), INFERNO)
    assert b"sample-test-token" not in answer.data
    assert JWT.encode() not in answer.data


CRD_PREFETCH = {
    "coverage": bundle(coverage("Test Payer")),
    "coverageBundle": bundle(coverage("Test Payer")),
    "encounterBundle": None,
    "practitioners": bundle({"resourceType": "Practitioner", "id": "TESTUSER1"}),
    "practitionerRoleBundle": {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "forbidden"}],
    },
    "requestBundle": {"resourceType": "Bundle", "type": "searchset", "total": 0},
}


def test_crd_prefetch(client: FlaskClient) -> None:
    """Prefetch that a payer's service would want does not disturb: what we did not ask for is not read."""
    body = inferno(order("stimulation", "G0283", 3), prefetch=CRD_PREFETCH)
    alone = inferno(order("stimulation", "G0283", 3), prefetch={"coverage": CRD_PREFETCH["coverage"]})
    assert call(client, body, INFERNO).data == call(client, alone, INFERNO).data


CRD_ORDER = {
    **order("crd-order", "97110"),
    "meta": {"profile": ["http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-servicerequest"]},
    "intent": "original-order",
    "identifier": [{"system": "urn:test", "value": "1"}],
    "insurance": [ref("Coverage", "test-coverage")],
    "code": {**billing("97110"), "text": "exercise"},
    "extension": [
        {
            "url": "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information",
            "extension": [
                {"url": "covered", "valueCode": "covered"},
                {"url": "coverage-assertion-id", "valueString": "1"},
            ],
        }
    ],
    "quantityQuantity": {"value": 2.0},
}


def test_crd_order_keeps_its_extensions(client: FlaskClient) -> None:
    """An order that a payer's service has marked is changed without losing what the payer wrote on it."""
    body = inferno({**CRD_ORDER, **order("crd-order", "97014", 3)})
    (action,) = the(found_by(client, body, INFERNO), "units.untimed")["suggestions"][0]["actions"]
    assert action["resource"] == {**CRD_ORDER, **order("crd-order", "97014", 1)}


REFUSED = [
    ("POST", "/cds-services/nobody", b"{}", 404),
    ("GET", "/cds-services/visitcue-order-sign", b"", 405),
    ("POST", "/cds-services/visitcue-order-sign", b"{", 400),
    ("POST", "/cds-services/visitcue-encounter-discharge", b'{"hook": "order-sign"}', 400),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), REFUSED)
def test_sandbox_reads_refusals(client: FlaskClient, method: str, path: str, body: bytes, status: int) -> None:
    """A browser can read a refusal as well, and is never told to send credentials of its own."""
    answer = client.open(path, method=method, data=body, headers=SANDBOX)
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", SANDBOX["Origin"])
    assert "Access-Control-Allow-Credentials" not in answer.headers
