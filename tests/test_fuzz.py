"""Whatever is sent, the answer is JSON: cards, or an OperationOutcome that is the caller's fault and not ours."""

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.answer_checks import assert_sound_answer
from tests.builders import CLAIM_SUBMIT, DISCHARGE, ORDER_SIGN, bundle, discharge_request, order_request
from tests.exchange import EXTENSION, SERVICE_OF, send
from tests.mutations import damaged, encoded, garbled, spliced
from tests.visits import BATCH, CLEAN, CMT, CMT_NECK, CORRECTABLE, EXERCISE, FAULTY, MANUAL

EXAMPLES = [
    json.loads(file.read_bytes())
    for file in sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.json"))
]
BODIES = [*FAULTY.values(), *CLEAN.values(), *EXAMPLES]
TEXTS = [encoded(body) for body in BODIES]
ROUNDS = 40
PER_ROUND = 525
AT_LEAST = 20_000


def assert_sound(client: FlaskClient, raw: bytes, service: str) -> int:
    """A 200 has sound cards; anything else is a 4xx with an OperationOutcome. Returns the status."""
    answer = send(client, raw, service)
    told = f"{answer.status_code} for {raw[:4000]!r}"
    assert answer.status_code in (200, 400, 412, 422), told
    # A resource of the caller's may come back with numbers that Python would not read.
    assert_sound_answer(answer.status_code, json.loads(answer.data, parse_int=str), told)
    return answer.status_code


def of_structure(number: int, dice: random.Random) -> bytes:
    return encoded(damaged(BODIES[number], dice))


def of_text(number: int, dice: random.Random) -> bytes:
    return spliced(of_structure(number, dice) if dice.random() < 0.3 else TEXTS[number], dice)


def of_bytes(number: int, dice: random.Random) -> bytes:
    return garbled(TEXTS[number], dice)


DAMAGE: tuple[Callable[[int, random.Random], bytes], ...] = (*[of_structure] * 5, of_text, of_bytes)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_damaged_requests(client: FlaskClient, seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    """A good request with nodes dropped, doubled, retyped, nested or swapped, or with its text changed, is answered or
    refused, and nothing fails on the way."""
    dice = random.Random(seed)
    statuses: Counter[int] = Counter()
    for turn in range(PER_ROUND):
        number = dice.randrange(len(BODIES))
        raw = DAMAGE[turn % len(DAMAGE)](number, dice)
        statuses[assert_sound(client, raw, SERVICE_OF[BODIES[number]["hook"]])] += 1
    assert statuses.total() * ROUNDS >= AT_LEAST
    assert statuses[200] > PER_ROUND / 4
    assert statuses[400] > PER_ROUND / 20
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert '"failed"' not in said


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
