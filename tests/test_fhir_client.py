"""What was not sent is read from the caller's FHIR server, if it is a listed one, with the caller's token."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import (
    CLAIM_SUBMIT,
    DISCHARGE,
    ENCOUNTER,
    KEYS,
    ORDER_SIGN,
    PATIENT,
    Json,
    bundle,
    claim,
    claim_request,
    coverage,
    discharge_request,
    encounter,
    form,
    item,
    order,
    order_request,
)
from tests.exchange import cards, codes, expressions, finding, send, slots, the, with_code
from tests.visits import CLEAN, EXERCISE

LISTED = "https://fhir.clinic.example/r4"
UNLISTED = "https://fhir.elsewhere.example/r4"
TOKEN = "tok-7f3a9c1e-very-secret"

QUERIES = {
    "encounter": f"Encounter/{ENCOUNTER}",
    "procedures": f"Procedure?encounter={ENCOUNTER}",
    "history": f"Procedure?patient={PATIENT}&_sort=-date&_count=100",
    "encounters": f"Encounter?patient={PATIENT}&_sort=-date&_count=100",
    "episodes": f"EpisodeOfCare?patient={PATIENT}",
    "coverage": f"Coverage?patient={PATIENT}",
    "conditions": f"Condition?patient={PATIENT}",
    "plans": f"CarePlan?patient={PATIENT}",
    "goals": f"Goal?patient={PATIENT}",
    "observations": f"Observation?encounter={ENCOUNTER}",
    "documents": f"DocumentReference?encounter={ENCOUNTER}",
    "forms": f"QuestionnaireResponse?patient={PATIENT}&_sort=-authored&_count=50",
    "claims": f"Claim?patient={PATIENT}&status=draft",
}
DATA: Json = {
    "encounter": encounter(),
    "procedures": bundle(EXERCISE),
    "coverage": bundle(coverage()),
    "forms": bundle(form("f")),
}
REQUESTS = {
    CLAIM_SUBMIT: claim_request(claim(item(1, "97110", 3))),
    ORDER_SIGN: order_request(order("o-1", "97110", 3)),
    DISCHARGE: discharge_request(),
}


@pytest.fixture
def listed() -> FlaskClient:
    """An installation that may read from one FHIR server."""
    return create_app(Settings(fhir_servers=[LISTED + "/"], fetch_seconds=20)).test_client()


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    """No request leaves the machine; one to an address that no test announced fails."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def asking(service: str, *withheld: str, server: str = LISTED) -> Json:
    """A request that leaves these keys (all, if none is named) to be read from the server."""
    body = REQUESTS[service]
    kept = {key: value for key, value in body["prefetch"].items() if withheld and key not in withheld}
    return {
        **body,
        "prefetch": kept,
        "fhirServer": server,
        "fhirAuthorization": {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.read",
            "subject": "visitcue",
        },
    }


def serve_data(network: responses.RequestsMock, **instead: Any) -> None:
    for key, query in QUERIES.items():
        network.get(f"{LISTED}/{query}", **(instead or {"json": DATA.get(key, bundle())}))


def not_checked(found: list[Json]) -> list[str]:
    return [f"prefetch.{key}" for card in with_code(found, "facts.not-checked") for key in slots(card)["keys"]]


@pytest.mark.parametrize("service", REQUESTS)
def test_everything_is_fetched(listed: FlaskClient, network: responses.RequestsMock, service: str) -> None:
    """What was not sent is fetched by the queries that discovery announces, and reviewed as if it had been sent."""
    serve_data(network)
    found = cards(listed, asking(service))
    assert not not_checked(found)
    asked = {str(call.request.url).removeprefix(f"{LISTED}/") for call in network.calls}
    assert asked == {query for key, query in QUERIES.items() if key != "claims" or service == DISCHARGE}
    if service != DISCHARGE:
        assert codes(found) == ["units.too-many"]


def test_fetched_claim_is_reviewed(listed: FlaskClient, network: responses.RequestsMock) -> None:
    """A draft claim that had to be fetched is reviewed and can be corrected like one that was sent."""
    draft = claim(item(1, "97110", 4, "GP"))
    for key, query in QUERIES.items():
        network.get(f"{LISTED}/{query}", json=bundle(draft) if key == "claims" else DATA.get(key, bundle()))
    found = cards(listed, asking(DISCHARGE))
    card = the(found, "units.too-many")
    assert finding(card)["lines"] == ["Claim/test-claim#1"]
    assert card["suggestions"][0]["actions"][0]["resource"]["id"] == "test-claim"


@pytest.mark.parametrize("service", REQUESTS)
def test_nothing_else_is_fetched(listed: FlaskClient, network: responses.RequestsMock, service: str) -> None:
    """What was sent, even as null, is not fetched again."""
    serve_data(network)
    send(listed, asking(service, "goals"))
    assert [call.request.url for call in network.calls] == [f"{LISTED}/{QUERIES['goals']}"]


def test_headers(listed: FlaskClient, network: responses.RequestsMock) -> None:
    """Every query, one for a next page too, carries the caller's token, asks for FHIR JSON, and asks the server to
    refuse what it cannot do."""
    after = f"{LISTED}/Goal?page=2"
    network.get(f"{LISTED}/{QUERIES['goals']}", json={**bundle(), "link": [{"relation": "next", "url": after}]})
    network.get(after, json=bundle())
    serve_data(network)
    send(listed, asking(CLAIM_SUBMIT))
    assert len(network.calls) == len(KEYS[CLAIM_SUBMIT]) + 1
    assert after in [call.request.url for call in network.calls]
    for call in network.calls:
        assert call.request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert call.request.headers["Accept"] == "application/fhir+json"
        assert call.request.headers["Prefer"] == "handling=strict"
        assert call.request.method == "GET"


def test_without_a_token(listed: FlaskClient, network: responses.RequestsMock) -> None:
    """An open server is read without a token."""
    serve_data(network)
    body = asking(CLAIM_SUBMIT, "goals")
    del body["fhirAuthorization"]
    assert codes(cards(listed, body))
    assert "Authorization" not in network.calls[0].request.headers


OTHER_SERVERS = [
    UNLISTED,
    LISTED + ".evil.example",
    LISTED.replace("https", "http"),
    LISTED + "/../admin",
    LISTED + "?x=",
    LISTED + "#",
    "https://user@fhir.clinic.example/r4",
    "https://fhir.clinic.example:8443/r4",
    "file:///etc/passwd",
    "//fhir.clinic.example/r4",
    "nonsense",
    "https://[bad",
    " ",
]


@pytest.mark.parametrize("server", OTHER_SERVERS)
def test_unlisted_server(listed: FlaskClient, network: responses.RequestsMock, server: str) -> None:
    """A server that is not on the list is never called: what is missing is said."""
    found = cards(listed, asking(CLAIM_SUBMIT, "goals", server=server))
    assert len(network.calls) == 0
    assert not_checked(found) == ["prefetch.goals"]


@pytest.mark.parametrize("server", [LISTED, LISTED + "/", LISTED + "//"])
def test_trailing_slash(listed: FlaskClient, network: responses.RequestsMock, server: str) -> None:
    """A slash at the end of the server's address makes no difference."""
    serve_data(network)
    send(listed, asking(CLAIM_SUBMIT, "goals", server=server))
    assert [call.request.url for call in network.calls] == [f"{LISTED}/{QUERIES['goals']}"]


def test_no_server_is_listed(client: FlaskClient, network: responses.RequestsMock) -> None:
    """Out of the box no server is called at all."""
    found = cards(client, asking(CLAIM_SUBMIT))
    assert len(network.calls) == 0
    assert len(not_checked(found)) == 12


NOT_OURS = {"claim": CLEAN["claim, none of ours"], "order": order_request(order("o-1", "80053", 1))}


@pytest.mark.parametrize("server", [LISTED, None])
@pytest.mark.parametrize("body", NOT_OURS.values(), ids=NOT_OURS)
def test_nothing_of_ours(listed: FlaskClient, network: responses.RequestsMock, body: Json, server: str | None) -> None:
    """Where no line is ours nothing is fetched or called missing: a record is not read without a reason."""
    serve_data(network)
    assert cards(listed, {**body, "prefetch": {}, "fhirServer": server}) == []
    assert len(network.calls) == 0


def test_no_encounter(listed: FlaskClient, network: responses.RequestsMock) -> None:
    """Without an encounter only what is asked for by patient is fetched, and the rest is said."""
    serve_data(network)
    body = asking(CLAIM_SUBMIT)
    body["context"] = {**body["context"], "encounterId": None}
    missing = not_checked(cards(listed, body))
    assert all(ENCOUNTER not in str(call.request.url) for call in network.calls)
    assert set(missing) == {f"prefetch.{key}" for key in ("encounter", "procedures", "observations", "documents")}


DEEP = "[" * 100_000 + "]" * 100_000
FAILURES: dict[str, dict[str, Any]] = {
    "400": {"status": 400, "json": {"resourceType": "OperationOutcome"}},
    "401": {"status": 401},
    "404": {"status": 404, "body": "<html>Not found</html>"},
    "500": {"status": 500, "body": "Traceback (most recent call last)"},
    "503": {"status": 503},
    "204": {"status": 204},
    "HTML": {"body": "<html>Sign in</html>", "content_type": "text/html"},
    "empty": {"body": ""},
    "half an answer": {"body": '{"resourceType": "Bundle", "entry": [{"reso'},
    "deep": {"body": DEEP},
    "deep in a resource": {"body": '{"resourceType": "Bundle", "entry": ' + DEEP + "}"},
    "not UTF-8": {"body": b'{"resourceType": "Bundle\xff"}'},
    "NaN": {"body": '{"resourceType": "Bundle", "total": NaN, "entry": []}'},
    "a list": {"body": "[]"},
    "a number": {"body": "7"},
    "OperationOutcome": {"json": {"resourceType": "OperationOutcome", "issue": []}},
    "no connection": {"body": requests.ConnectionError("refused")},
    "timeout": {"body": requests.ReadTimeout("slow")},
    "bad certificate": {"body": requests.exceptions.SSLError("self-signed")},
    "broken off": {"body": requests.exceptions.ChunkedEncodingError("broken")},
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_failure(listed: FlaskClient, network: responses.RequestsMock, failure: dict[str, Any]) -> None:
    """A query that fails makes its key unavailable, which is said; the rest is reviewed."""
    network.get(f"{LISTED}/{QUERIES['goals']}", **failure)
    body = asking(CLAIM_SUBMIT, "goals")
    found = cards(listed, {**body, "prefetch": {**body["prefetch"], "procedures": bundle(EXERCISE)}})
    assert codes(found) == ["units.too-many", "facts.not-checked"]
    assert not_checked(found) == ["prefetch.goals"]
    assert "Traceback" not in json.dumps(found)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(listed: FlaskClient, network: responses.RequestsMock, status: int) -> None:
    """A redirect is not followed: it could lead the token away."""
    network.get(f"{LISTED}/{QUERIES['goals']}", status=status, headers={"Location": f"{UNLISTED}/Goal"})
    network.get(f"{UNLISTED}/Goal", json=bundle())
    assert not_checked(cards(listed, asking(CLAIM_SUBMIT, "goals"))) == ["prefetch.goals"]
    assert [str(call.request.url).startswith(LISTED) for call in network.calls] == [True]


def test_needed_data_is_fetched(listed: FlaskClient, network: responses.RequestsMock) -> None:
    """Data that a service needs may come from the server; where it does not, the refusal names the key."""
    serve_data(network)
    assert send(listed, asking(DISCHARGE)).status_code == 200
    network.replace(responses.GET, f"{LISTED}/{QUERIES['procedures']}", status=500)
    answer = send(listed, asking(DISCHARGE))
    assert (answer.status_code, expressions(answer)) == (412, ["prefetch.procedures"])


@pytest.mark.parametrize(
    "patient", ["..", "p&_count=9", "p/../../admin", "p?x=1", "p#x", "p q", "p%2e", "ü", "$everything"]
)
def test_id_that_is_none(listed: FlaskClient, network: responses.RequestsMock, patient: str) -> None:
    """An id that is no FHIR id never changes a query: neither its path nor its parameters."""
    body = asking(CLAIM_SUBMIT, "goals")
    body["context"] = {**body["context"], "patientId": patient, "claim": {**claim(item(1, "97110")), "patient": {}}}
    assert send(listed, body).status_code in (200, 400)
    for call in network.calls:
        path, _, query = str(call.request.url).partition("?")
        assert path == f"{LISTED}/Goal"
        assert query.startswith("patient=")
        assert not set("&/?#=") & set(query.removeprefix("patient="))


@pytest.mark.parametrize("shown", ["answer", "gone"])
def test_token_is_not_shown(listed: FlaskClient, network: responses.RequestsMock, shown: str) -> None:
    """The token is in no answer, whether the server can be read or not."""
    serve_data(network, **({} if shown == "answer" else {"body": requests.ConnectionError(TOKEN)}))
    assert TOKEN.encode() not in send(listed, asking(CLAIM_SUBMIT)).data


@pytest.mark.parametrize("token", ["", "a b", "a\nX-Evil: 1", "a\r\n", "€uro", "x" * 20_000])
def test_odd_token(listed: FlaskClient, network: responses.RequestsMock, token: str) -> None:
    """A token in any form never makes the service fail, and never becomes a header of its own."""
    serve_data(network)
    body = asking(CLAIM_SUBMIT, "goals")
    body["fhirAuthorization"] = {"access_token": token}
    assert send(listed, body).status_code == 200
    assert not any("X-Evil" in call.request.headers for call in network.calls)
