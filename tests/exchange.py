"""Sending hook requests and taking answers apart."""

import json
from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.builders import CLAIM_SUBMIT, DISCHARGE, ORDER_SIGN, Json

EXTENSION = "org.visitcue.finding"
SERVICE_OF = {
    "order-sign": ORDER_SIGN,
    "claim-submit": CLAIM_SUBMIT,
    "org.visitcue.claim-submit": CLAIM_SUBMIT,
    "encounter-discharge": DISCHARGE,
}


def send(client: FlaskClient, body: Json | bytes, service: str = "") -> TestResponse:
    """The answer of a service (the one for the request's hook) to a body."""
    name = service or (SERVICE_OF[body["hook"]] if isinstance(body, dict) else CLAIM_SUBMIT)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(f"/cds-services/{name}", data=raw, content_type="application/json")


def cards(client: FlaskClient, body: Json | bytes, service: str = "") -> list[Json]:
    """The cards of an answer that must be 200."""
    answer = send(client, body, service)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[Json] = answer.get_json()["cards"]
    return found


def finding(card: Json) -> Json:
    told: Json = card["extension"][EXTENSION]
    return told


def codes(found: list[Json]) -> list[str]:
    return [finding(card)["code"] for card in found]


def with_code(found: list[Json], code: str) -> list[Json]:
    return [card for card in found if finding(card)["code"] == code]


def the(found: list[Json], code: str) -> Json:
    """The one card of this code."""
    (card,) = with_code(found, code)
    return card


def slots(card: Json) -> Json:
    told: Json = finding(card).get("slots", {})
    return told


def actions(found: list[Json]) -> Iterator[Json]:
    """Every action of every suggestion."""
    for card in found:
        for suggestion in card.get("suggestions", ()):
            yield from suggestion["actions"]


def outcome(answer: TestResponse) -> Json:
    """The OperationOutcome of a refusal, which must be one."""
    assert answer.mimetype == "application/fhir+json", answer.get_data(as_text=True)
    body: Json = answer.get_json()
    assert body["resourceType"] == "OperationOutcome"
    assert body["issue"]
    return body


def expressions(answer: TestResponse) -> list[str]:
    """The JSON paths that a refusal names."""
    return [path for issue in outcome(answer)["issue"] for path in issue.get("expression", ())]


def applied(request: Json, done: list[Json]) -> Json:
    """The request as it would come again after a user accepted these actions on its draft."""
    context: dict[str, Any] = {**request["context"]}
    for key in ("claim", "draftOrders"):
        if key in context:
            context[key] = _with(context[key], done)
    return {**request, "context": context}


def _with(draft: Json, done: list[Json]) -> Json:
    updated = {_name(one["resource"]): one["resource"] for one in done if one["type"] == "update"}
    deleted = {one["resourceId"] for one in done if one["type"] == "delete"}
    if draft["resourceType"] != "Bundle":
        one: Json = updated.get(_name(draft), draft)
        return one
    entries = [
        {**entry, "resource": updated.get(_name(entry["resource"]), entry["resource"])}
        for entry in draft["entry"]
        if _name(entry["resource"]) not in deleted
    ]
    return {**draft, "entry": entries}


def _name(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}"
