"""Requests as CDS Hooks lets clients make them: what is optional may be missing, what is unknown may be there."""

import time

import pytest
from flask.testing import FlaskClient

from tests.answers import drafts, wrong
from tests.bench.payload import request as large_request
from tests.builders import CLAIM_SUBMIT, PATIENT, Json, changed
from tests.exchange import cards, codes, send
from tests.visits import CLEAN, CORRECTABLE, FAULTY, chiro

UUIDS = {
    "version 1": "07bc9814-9d2a-11ee-8c90-0242ac120002",
    "version 4": "9f1c2a3b-4d5e-4f60-8a7b-0c1d2e3f4a5b",
    "version 5": "6ba7b810-9dad-51d1-80b4-00c04fd430c8",
    "version 7": "018f3c1e-7b2a-7c3d-9e4f-5a6b7c8d9e0f",
    "no version that there is": "f3945c39-2faa-e7ad-00a2-3e05e123b2aa",
    "upper case": "07BC9814-9D2A-11EE-8C90-0242AC120002",
    "nothing but zeros": "00000000-0000-0000-0000-000000000000",
}


@pytest.mark.parametrize("name", UUIDS)
def test_any_uuid(client: FlaskClient, name: str) -> None:
    """A hookInstance may be a UUID of any version, in any case."""
    assert send(client, changed(chiro(), "hookInstance", to=UUIDS[name])).status_code == 200


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/A2340113", "Patient/1", "RelatedPerson/1"])
def test_any_user(client: FlaskClient, user: str) -> None:
    """The user may be known by a role as well as by a person, and makes no difference to the review."""
    body = changed(CORRECTABLE["orders: GP"], "context", "userId", to=user)
    assert send(client, body).data == send(client, CORRECTABLE["orders: GP"]).data


def without_encounter(body: Json) -> Json:
    context = {name: value for name, value in body["context"].items() if name != "encounterId"}
    return {**body, "context": context}


@pytest.mark.parametrize("name", ["orders: GP", "orders: units and 59", "orders of the same region"])
def test_without_an_encounter(client: FlaskClient, name: str) -> None:
    """order-sign works without encounterId from what was sent: the same findings, in the same order."""
    before, after = cards(client, FAULTY[name]), cards(client, without_encounter(FAULTY[name]))
    assert set(codes(after)) >= set(codes(before)) - {"facts.not-checked"}


EXTENDED = {
    "at the root": ("extension",),
    "in the context": ("context", "extension"),
    "in the Claim": ("context", "claim", "vendorElement"),
    "a member of nobody": ("vendorMember",),
    "in the context, of nobody": ("context", "vendorMember"),
    "in the prefetch": ("prefetch", "vendorKey"),
}


@pytest.mark.parametrize("name", EXTENDED)
def test_extensions(client: FlaskClient, name: str) -> None:
    """Extensions and members that nobody knows change no finding, wherever they stand."""
    body = changed(chiro(), *EXTENDED[name], to={"com.example.setting": {"deep": [1, None, "x"]}})
    answer = send(client, body)
    assert codes(answer.get_json()["cards"]) == codes(cards(client, chiro()))
    assert wrong(answer.get_json(), drafts(body)) == []


@pytest.mark.parametrize("status", ["draft", "active", "on-hold"])
def test_signed_again(client: FlaskClient, status: str) -> None:
    """Orders that are signed anew are no drafts any more, and are reviewed all the same."""
    body = CORRECTABLE["orders: GP"]
    for place in range(2):
        body = changed(body, "context", "draftOrders", "entry", place, "resource", "status", to=status)
    assert codes(cards(client, body)) == codes(cards(client, CORRECTABLE["orders: GP"]))


def test_in_time(client: FlaskClient) -> None:
    """A large request is answered within the 500 ms that CDS Hooks names, which is hundreds of times what it takes."""
    body = large_request(60)
    send(client, body, CLAIM_SUBMIT)
    began = time.perf_counter()
    assert send(client, body, CLAIM_SUBMIT).status_code == 200
    assert time.perf_counter() - began < 0.5


def test_record_that_lacks_data(client: FlaskClient) -> None:
    """Data that was looked up and is not there is no reason for a 412, not even where it is needed."""
    body = CLEAN["discharge without procedures"]
    assert send(client, body).status_code == 200
    assert send(client, changed(body, "prefetch", "procedures", to=None)).status_code == 200


def test_patient_of_the_context(client: FlaskClient) -> None:
    """The id of the context's patient is a bare id, and is understood as a reference too."""
    body = changed(chiro(), "context", "patientId", to=f"Patient/{PATIENT}")
    assert send(client, body).data == send(client, chiro()).data
