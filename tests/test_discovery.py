"""What an EHR is told before it calls: the services, their hooks, and the data that they ask to be sent."""

import re
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import CLAIM_SUBMIT, DISCHARGE, KEYS, ORDER_SIGN, Json, changed, claim, claim_request, item
from tests.exchange import expressions, send

ROOT = Path(__file__).resolve().parent.parent
HOOKS = {
    ORDER_SIGN: "order-sign",
    CLAIM_SUBMIT: "org.visitcue.claim-submit",
    DISCHARGE: "encounter-discharge",
}
TEMPLATES = [(service, key) for service, keys in KEYS.items() for key in keys]
ALLOWED = {
    "patient": r"\{\{context\.patientId\}\}",
    "encounter": r"\{\{context\.encounterId\}\}",
    "status": r"[a-z-]+",
    "_count": r"[0-9]+",
    "_sort": r"-?[a-z-]+",
}
"""The search parameters that templates use, all of the subset that clients are asked to support: references, equal
tokens, a number of results and an order; and the form of their values."""
TOKENS = {"userId", "patientId", "encounterId"}
OWN_HOOK = "com.example.claim-check"


@pytest.fixture
def services(client: FlaskClient) -> dict[str, Json]:
    """The announced services by id."""
    return {one["id"]: one for one in client.get("/cds-services").get_json()["services"]}


@pytest.fixture(scope="module")
def renamed() -> FlaskClient:
    """An installation that announces the claim hook under a name of its own."""
    return create_app(Settings(claim_hook=OWN_HOOK)).test_client()


def test_shape(client: FlaskClient) -> None:
    """Discovery is JSON with one member, the list of services."""
    answer = client.get("/cds-services")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert list(answer.get_json()) == ["services"]


def test_services_and_hooks(services: dict[str, Json]) -> None:
    """There are three services, each for one hook."""
    assert {name: one["hook"] for name, one in services.items()} == HOOKS


@pytest.mark.parametrize("service", HOOKS)
@pytest.mark.parametrize("member", ["title", "description", "version", "usageRequirements"])
def test_members(services: dict[str, Json], service: str, member: str) -> None:
    """Every service states a title, a description, the version it speaks, and what it needs to be used."""
    assert isinstance(services[service][member], str)
    assert services[service][member].strip()


@pytest.mark.parametrize("service", HOOKS)
def test_no_other_members(services: dict[str, Json], service: str) -> None:
    """A service announces only members that CDS Hooks defines."""
    known = {"hook", "hookVersion", "title", "description", "id", "prefetch", "usageRequirements", "version"}
    assert set(services[service]) <= known


@pytest.mark.parametrize("service", HOOKS)
def test_prefetch_keys(services: dict[str, Json], service: str) -> None:
    """The prefetch keys of a service are these, and every one has a template."""
    assert set(services[service]["prefetch"]) == set(KEYS[service])
    assert all(services[service]["prefetch"].values())


@pytest.mark.parametrize(("service", "key"), TEMPLATES)
def test_tokens(services: dict[str, Json], service: str, key: str) -> None:
    """A template names only first-level tokens of the context, as CDS Hooks 2.0 asks."""
    template = services[service]["prefetch"][key]
    tokens = re.findall(r"\{\{(.*?)\}\}", template)
    assert {token.strip().removeprefix("context.") for token in tokens} <= TOKENS
    assert all(token.strip().startswith("context.") for token in tokens)


@pytest.mark.parametrize(("service", "key"), TEMPLATES)
def test_queries(services: dict[str, Json], service: str, key: str) -> None:
    """A template is a read of one instance or a type-level search without chains, includes or special operations."""
    template = services[service]["prefetch"][key]
    kind, _, query = template.partition("?")
    assert re.fullmatch(r"[A-Z][A-Za-z]+(/\{\{context\.\w+\}\})?", kind)
    for name, value in parse_qsl(query, strict_parsing=True) if query else ():
        assert name in ALLOWED, f"{name} is beyond the recommended subset of FHIR search"
        assert re.fullmatch(ALLOWED[name], value), f"{name}={value} is beyond the recommended subset of FHIR search"


def test_token_of_every_service_is_in_its_context(services: dict[str, Json]) -> None:
    """A search by encounter can be left open: every service also asks for something by patient alone."""
    for service in services.values():
        assert any("context.encounterId" not in template for template in service["prefetch"].values())


def test_own_name_is_announced(renamed: FlaskClient) -> None:
    """An installation announces the claim hook under the name that its settings give."""
    announced = {one["id"]: one["hook"] for one in renamed.get("/cds-services").get_json()["services"]}
    assert announced == {**HOOKS, CLAIM_SUBMIT: OWN_HOOK}


@pytest.mark.parametrize(
    ("hook", "status"),
    [(OWN_HOOK, 200), ("claim-submit", 200), ("org.visitcue.claim-submit", 400), ("order-sign", 400)],
)
def test_own_name_is_answered(renamed: FlaskClient, hook: str, status: int) -> None:
    """A renamed claim hook is answered under its new name and the plain one, under no other."""
    body = changed(claim_request(claim(item(1, "97110"))), "hook", to=hook)
    assert send(renamed, body, CLAIM_SUBMIT).status_code == status


@pytest.mark.parametrize("hook", ["org.visitcue.claim-submit", "claim-submit"])
def test_plain_name_is_answered(client: FlaskClient, hook: str) -> None:
    """The claim hook is answered under its announced name and under the plain one."""
    body = changed(claim_request(claim(item(1, "97110"))), "hook", to=hook)
    assert send(client, body, CLAIM_SUBMIT).status_code == 200


def test_wrong_name_is_refused(client: FlaskClient) -> None:
    """A hook of another service is refused, and the refusal names the member."""
    body = changed(claim_request(claim(item(1, "97110"))), "hook", to="patient-view")
    answer = send(client, body, CLAIM_SUBMIT)
    assert (answer.status_code, expressions(answer)) == (400, ["hook"])


@pytest.mark.parametrize("path", ["/cds-services", f"/cds-services/{CLAIM_SUBMIT}"])
def test_browsers_may_call(client: FlaskClient, path: str) -> None:
    """A browser client of another origin may call, without credentials of its own."""
    answer = client.options(path, headers={"Origin": "https://ehr.example", "Access-Control-Request-Method": "POST"})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_two_readings(client: FlaskClient) -> None:
    """Discovery gives the same bytes every time."""
    assert client.get("/cds-services").data == client.get("/cds-services").data


def test_scopes_that_are_documented(services: dict[str, Json]) -> None:
    """The page on FHIR access lists a scope for each type that a template asks for, and no other."""
    asked = {name: {re.split(r"[?/]", one)[0] for one in each["prefetch"].values()} for name, each in services.items()}
    page = (ROOT / "docs" / "fhir-access.md").read_text(encoding="utf-8")
    (sentence,) = re.findall(r"^Scopes that the templates need.*?`Claim`\.", page, re.DOTALL | re.MULTILINE)
    shared, _, at_discharge = sentence.partition("and for `encounter-discharge`")
    named = set(re.findall(r"`([A-Z]\w+)`", shared))
    assert named == asked[CLAIM_SUBMIT] == asked[ORDER_SIGN]
    assert named | set(re.findall(r"`([A-Z]\w+)`", at_discharge)) == asked[DISCHARGE]
