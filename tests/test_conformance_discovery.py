"""Discovery as CDS Hooks wants it, beside tests/test_discovery.py: addresses, versions, and JSON on every route."""

import re

import msgspec
import pytest
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.answers import hollow
from tests.builders import CLAIM_SUBMIT, DISCHARGE, ORDER_SIGN, Json
from tests.conformance import ROOT
from tests.exchange import send
from tests.visits import CLEAN, FAULTY

HOOK_PAGE = (ROOT / "docs" / "hooks" / "claim-submit.md").read_text(encoding="utf-8")
GOOD = {ORDER_SIGN: "orders", CLAIM_SUBMIT: "manipulation alone", DISCHARGE: "discharge without procedures"}


@pytest.fixture
def services(client: FlaskClient) -> list[Json]:
    """What discovery announces."""
    found: list[Json] = client.get("/cds-services").get_json()["services"]
    return found


def test_address_of_a_service(client: FlaskClient, services: list[Json]) -> None:
    """The id of a service is the last segment of its address: each is answered there, and no other is."""
    for service in services:
        assert send(client, CLEAN[GOOD[service["id"]]], service["id"]).status_code == 200
    assert send(client, CLEAN["orders"], services[0]["hook"]).status_code == 404


@pytest.mark.parametrize("path", ["/cds-services/", "/CDS-Services", "/cds-service", "/v1/cds-services"])
def test_one_address(client: FlaskClient, path: str) -> None:
    """Discovery is at exactly its path, and nowhere else."""
    assert client.get(path).status_code == 404


def test_discovery_is_always_there(client: FlaskClient) -> None:
    """Discovery answers the same after requests that were answered and refused."""
    before = client.get("/cds-services").data
    for body in (b"", b"{", FAULTY["tie"]):
        send(client, body)
    assert client.get("/cds-services").data == before


def test_nothing_hollow(services: list[Json]) -> None:
    """No null, no empty text, no empty list and no empty object is in discovery."""
    assert list(hollow(services)) == []


def test_ids_are_not_reused(services: list[Json]) -> None:
    """No id stands under two hooks, for that would announce that answers replace each other."""
    assert len({one["id"] for one in services}) == len(services)


def test_hooks_are_not_repeated(services: list[Json]) -> None:
    """Every hook is announced in one version, at one address."""
    assert len({one["hook"] for one in services}) == len(services)


def test_version_of_the_specification(services: list[Json]) -> None:
    """Every service states the release of CDS Hooks that it speaks, in semantic versioning."""
    assert {one["version"] for one in services} == {"2.0.1"}


def test_version_of_the_hook(services: list[Json]) -> None:
    """A hookVersion is stated for our own hook alone, and is that of the hook's page."""
    stated = {one["hook"]: one["hookVersion"] for one in services if "hookVersion" in one}
    version = re.search(r"^\| hookVersion \| (\S+) \|$", HOOK_PAGE, re.MULTILINE)
    assert version is not None
    assert stated == {"org.visitcue.claim-submit": version[1]}


def test_no_version_of_a_renamed_hook() -> None:
    """An installation that renames the hook has a page of its own, so no version is stated for it."""
    renamed = create_app(Settings(claim_hook="com.example.claim-check")).test_client()
    assert all("hookVersion" not in one for one in renamed.get("/cds-services").get_json()["services"])


@pytest.mark.parametrize("body", [FAULTY["tie"], CLEAN["orders"], b"{}", b"nothing"])
def test_strict_json(client: FlaskClient, body: Json | bytes) -> None:
    """What goes out is JSON by a decoder that allows no comment, no trailing comma, no NaN: refusals as well."""
    answer = send(client, body)
    assert answer.mimetype in ("application/json", "application/fhir+json")
    msgspec.json.decode(answer.data)
    msgspec.json.decode(client.get("/cds-services").data)
