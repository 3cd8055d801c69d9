"""Whatever is sent, the answer is JSON: cards, or an OperationOutcome that is the caller's fault and not ours."""

import json
import random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.finding_list import KINDS
from tests.builders import CLAIM_SUBMIT, DISCHARGE, ORDER_SIGN, bundle, discharge_request, order_request
from tests.exchange import EXTENSION, SERVICE_OF, send
from tests.mutations import damaged, encoded, garbled
from tests.visits import BATCH, CMT, CMT_NECK, CORRECTABLE, EXERCISE, FAULTY, MANUAL

CODES = {kind.code for kind in KINDS}
BODIES = [*FAULTY.values()]
ROUNDS = 40
PER_ROUND = 60


def assert_sound(client: FlaskClient, raw: bytes, service: str) -> None:
    """A 200 has cards of known findings without hollow members; anything else is a 4xx with an OperationOutcome."""
    answer = send(client, raw, service)
    told = f"{answer.status_code} for {raw[:4000]!r}"
    assert answer.status_code in (200, 400, 412), told
    body = json.loads(answer.data)
    if answer.status_code != 200:
        assert body["resourceType"] == "OperationOutcome", told
        assert all(issue["diagnostics"] for issue in body["issue"]), told
        return
    for card in body["cards"]:
        assert card["extension"][EXTENSION]["code"] in CODES, told
        assert 0 < len(card["summary"]) < 140, told
        assert ("suggestions" in card) == ("selectionBehavior" in card), told
    ids = [card["uuid"] for card in body["cards"]]
    assert len(set(ids)) == len(ids), told


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_damaged_requests(client: FlaskClient, seed: int) -> None:
    """A good request with nodes dropped, doubled, retyped, swapped or renamed is answered or refused."""
    dice = random.Random(seed)
    for _ in range(PER_ROUND):
        body = dice.choice(BODIES)
        assert_sound(client, encoded(damaged(body, dice)), SERVICE_OF[body["hook"]])


@pytest.mark.parametrize("seed", range(10))
def test_garbled_text(client: FlaskClient, seed: int) -> None:
    """A good request with bytes changed on the way is answered or refused."""
    dice = random.Random(seed)
    for _ in range(PER_ROUND):
        body = dice.choice(BODIES)
        assert_sound(client, garbled(encoded(body), dice), SERVICE_OF[body["hook"]])


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEPT = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@KEPT
@given(value=ANYTHING, service=st.sampled_from([CLAIM_SUBMIT, ORDER_SIGN, DISCHARGE]))
def test_any_json(client: FlaskClient, value: Any, service: str) -> None:
    """Any JSON value as a body is refused, by an OperationOutcome."""
    answer = send(client, encoded(value), service)
    assert answer.status_code == 400
    assert answer.get_json()["resourceType"] == "OperationOutcome"


@KEPT
@given(
    value=ANYTHING,
    key=st.sampled_from(["history", "coverage", "conditions", "plans", "goals", "observations", "forms"]),
)
def test_any_prefetch(client: FlaskClient, value: Any, key: str) -> None:
    """Any JSON value under a prefetch key is answered."""
    body = discharge_request(CMT, MANUAL)
    body["prefetch"][key] = value
    answer = send(client, encoded(body), DISCHARGE)
    assert answer.status_code == 200


@KEPT
@given(value=ANYTHING)
def test_any_entry(client: FlaskClient, value: Any) -> None:
    """Any JSON value as an entry of a Bundle costs no other entry."""
    body = discharge_request(CMT_NECK, MANUAL)
    body["prefetch"]["procedures"]["entry"].insert(1, {"resource": value})
    found = json.loads(send(client, encoded(body), DISCHARGE).data)["cards"]
    assert "modifiers.distinct-missing" in [card["extension"][EXTENSION]["code"] for card in found]


@KEPT
@given(note=st.text(max_size=200), name=st.text(max_size=80))
def test_any_text(client: FlaskClient, note: str, name: str) -> None:
    """Any text in a note, a payer's name or an id is answered."""
    procedure = {**EXERCISE, "id": name, "note": [{"text": note}, {"text": f"{note} home exercise"}]}
    body = discharge_request(procedure, payer=note)
    body["prefetch"]["forms"] = None
    assert_sound(client, encoded(body), DISCHARGE)


@pytest.mark.parametrize("count", [200])
def test_many_resources(client: FlaskClient, count: int) -> None:
    """A record of many services, and a batch of many Claims, are answered."""
    many = [{**EXERCISE, "id": f"exercise-{number}"} for number in range(count)]
    assert_sound(client, encoded(discharge_request(*many)), DISCHARGE)
    draft = BATCH["context"]["claim"]["entry"][0]["resource"]
    batch = {**BATCH["context"], "claim": bundle(*({**draft, "id": f"c-{number}"} for number in range(count)))}
    assert_sound(client, encoded({**BATCH, "context": batch}), CLAIM_SUBMIT)


def test_many_orders(client: FlaskClient) -> None:
    """Orders that are all alike are told apart."""
    draft = CORRECTABLE["orders: GP"]["context"]["draftOrders"]["entry"][0]["resource"]
    orders = [{**draft, "id": f"o-{number}"} for number in range(50)]
    assert_sound(client, encoded(order_request(*orders, payer="UHC")), ORDER_SIGN)
