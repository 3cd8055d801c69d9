"""The description at /openapi.json: valid OpenAPI 3.1, of every route and no other, and true of what is answered."""

import json

import jsonschema
import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import Json
from tests.exchange import SERVICE_OF, send
from tests.openapi_examples import FILE, SHOWN, shown
from tests.visits import CLEAN, FAULTY

APP = create_app()
DESCRIPTION: Json = json.loads(APP.test_client().get("/openapi.json").data)
OPERATIONS = [(path, method) for path, operations in DESCRIPTION["paths"].items() for method in operations]


def faults(name: str, value: object) -> list[str]:
    """What of a value is not as the schema of this name wants it."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def test_valid() -> None:
    """The description is valid OpenAPI 3.1."""
    validate(DESCRIPTION, cls=OpenAPIV31SpecValidator)


def test_every_route_is_described() -> None:
    """Every route of the application is described under its address, with each of its methods."""
    described = APP.url_map.bind("localhost")
    found = {(described.match(path, method.upper())[0], method.upper()) for path, method in OPERATIONS}
    routes = {
        (rule.endpoint, method)
        for rule in APP.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found == routes


def test_every_service_is_described(client: FlaskClient) -> None:
    """Every service that discovery announces is described, under the name of its hook."""
    for service in client.get("/cds-services").get_json()["services"]:
        operation = DESCRIPTION["paths"][f"/cds-services/{service['id']}"]["post"]
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        request = DESCRIPTION["components"]["schemas"][name]
        assert service["hook"] in request["properties"]["hook"]["enum"]
        assert set(request["properties"]["prefetch"]["properties"]) == set(service["prefetch"])


def test_hook_of_the_settings_is_described() -> None:
    """The name that an installation gives the claim hook stands in its description."""
    own = (
        create_app(Settings(claim_hook="org.example.own-claim"))
        .test_client()
        .get("/openapi.json")
        .get_data(as_text=True)
    )
    assert "org.example.own-claim" in own


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_refusals_are_outcomes(path: str, method: str) -> None:
    """Every refusal that is described, and there is one of each operation, is an OperationOutcome with the id."""
    responses = DESCRIPTION["paths"][path][method]["responses"]
    refusals = {status: one for status, one in responses.items() if status >= "400" and "fhir" in str(one["content"])}
    assert "500" in refusals
    for one in refusals.values():
        assert one["content"]["application/fhir+json"]["schema"]["$ref"].endswith("/OperationOutcome")
    assert all("X-Request-ID" in one["headers"] for one in responses.values())


@pytest.mark.parametrize("name", [*FAULTY, *CLEAN])
def test_exchange_is_as_described(client: FlaskClient, name: str) -> None:
    """A request of the suite is one of those described, and so is its answer."""
    body = {**FAULTY, **CLEAN}[name]
    assert faults(f"Request-{SERVICE_OF[body['hook']]}", body) == []
    assert faults("Cards", send(client, body).get_json()) == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("Cards", {}),
        ("Card", {"uuid": "x", "summary": "s", "indicator": "loud", "source": {"label": "l"}}),
        ("Card", {"uuid": "x", "summary": "s" * 140, "indicator": "info", "source": {"label": "l"}}),
        ("OperationOutcome", {"resourceType": "OperationOutcome", "issue": []}),
        ("Request-visitcue-claim-submit", {"hook": "order-sign", "hookInstance": "x", "context": {}}),
    ],
)
def test_what_is_not_as_described(schema: str, value: Json) -> None:
    """The schemas are not such that everything is as described."""
    assert faults(schema, value)


def test_examples_are_those_of_the_project() -> None:
    """The examples of the description are those of the folder; `python -m tests.openapi_examples` writes them anew."""
    assert FILE.read_text(encoding="utf-8") == shown()
    found = {
        name: example["value"]
        for path, method in OPERATIONS
        for media in DESCRIPTION["paths"][path][method].get("requestBody", {}).get("content", {}).values()
        for name, example in media.get("examples", {}).items()
    }
    assert set(found) == set(SHOWN)
    assert all(faults(f"Request-{SERVICE_OF[one['hook']]}", one) == [] for one in found.values())


def test_linked(client: FlaskClient) -> None:
    """The page for people links to the description."""
    assert 'href="/openapi.json"' in client.get("/").get_data(as_text=True)
