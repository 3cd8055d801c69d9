"""What a suggestion gives back holds nothing hollow, though the caller sent it; all else keeps its very bytes."""

import json
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from mappings.fhir.pruning import DEEPEST, may_be_hollow, pruned
from tests.answers import drafts, hollow, wrong
from tests.builders import Json, changed, claim, claim_request, item, order, order_request
from tests.exchange import actions, cards, send
from tests.visits import EXERCISE, chiro


def after(text: str) -> str | None:
    """JSON text without its hollow members."""
    left = pruned(msgspec.Raw(text.encode()))
    return None if left is None else memoryview(left).tobytes().decode()


GONE = [
    ('{"a":null,"b":1}', '{"b":1}'),
    ('{"a":"","b":[],"c":{},"d":false}', '{"d":false}'),
    ('{"a":[null,"x",[],{}],"b":0}', '{"a":["x"],"b":0}'),
    ('{"a":{"b":{"c":[{"d":null}]}},"e":1}', '{"e":1}'),
    ('{"a":[ ],"b":{\n},"c":1.10}', '{"c":1.10}'),
    ('{"extension":[{"url":"u","valueString":"x"},{}]}', '{"extension":[{"url":"u","valueString":"x"}]}'),
    ('{"given":[null,"X"]}', '{"given":["X"]}'),
    ('{"birthDate":null,"_birthDate":{"id":"b"}}', '{"_birthDate":{"id":"b"}}'),
    ('{"given":["","X",null],"_given":[null,null,{"id":"b"}]}', '{"given":["X",null],"_given":[null,{"id":"b"}]}'),
    ('{"given":[null,null],"_given":[{"id":"b"},{}]}', '{"_given":[{"id":"b"}]}'),
    ('{"_given":[null,{"id":"b"}]}', '{"_given":[{"id":"b"}]}'),
    ('{"a":{"b":null}}', None),
    ("[[[]]]", None),
]
KEPT = [
    '{"a": 1.10, "b" : [ 1E-7 , {"c":true} ] }',
    '{ "given" : [null, "X"], "_given" : [ {"id":"b"}, null ] }',
    '{"div":"<div>\\"\\" null [] {}</div>", "n": "Zo\\u00eb"}',
    '{"a":" ","b":0,"c":false,"d":"null"}',
    '{"given":["X","Y"],"_given":[null,{"id":"b"}]}',
]


@pytest.mark.parametrize(("before", "left"), GONE)
def test_hollow_goes(before: str, left: str | None) -> None:
    """null, "", [] and {} go, with what becomes hollow by that; nothing else does."""
    assert after(before) == left


@pytest.mark.parametrize("text", KEPT)
def test_the_rest_stays(text: str) -> None:
    """A value without hollow members keeps every byte, and so do nulls that align extensions with primitives."""
    assert after(text) == text


def test_unread_siblings_keep_their_bytes() -> None:
    """Beside a hollow member the others keep their numbers, escapes and white space."""
    kept = '{ "value" : 1.10, "n":"\\u00eb", "big":123456789012345678901234567890 }'
    assert after(f'{{"a":null,"b":{kept}}}') == f'{{"b":{kept}}}'


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "null", '""'])
NAMES = st.sampled_from(["a", "b", "_a", "_b", "c"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=25
)


@given(VALUES)
def test_nothing_hollow_is_left(value: Any) -> None:
    """Whatever is pruned, nothing hollow is left, and pruning it again changes nothing."""
    left = after(json.dumps(value))
    if left is not None:
        assert list(hollow(json.loads(left))) == []
        assert after(left) == left


@given(VALUES)
def test_the_cheap_look_misses_nothing(value: Any) -> None:
    """What the cheap look calls clean holds nothing hollow."""
    text = json.dumps(value, indent=2)
    if not may_be_hollow(msgspec.Raw(text.encode())):
        assert list(hollow(json.loads(text))) == []


@pytest.mark.parametrize("depth", [DEEPEST + 10, 700])
def test_very_deep(depth: int) -> None:
    """What is nested more deeply than any FHIR is left as it came."""
    text = '{"a":' * depth + "null" + "}" * depth
    assert after(text) == text


HOLLOW: Json = {"language": None, "text": {}, "extension": [], "implicitRules": "", "identifier": [{"value": ""}, None]}


@pytest.mark.parametrize("place", ["claim", "item", "code"])
def test_claim(client: FlaskClient, place: str) -> None:
    """A Claim with hollow members comes back without them, and with everything else."""
    body = chiro(units=3)
    draft = body["context"]["claim"]
    line = draft["item"][1]
    part = {"claim": draft, "item": line, "code": line["productOrService"]}[place]
    clean = [one["resource"] for one in actions(cards(client, body))]
    part.update({f"x{name}": value for name, value in HOLLOW.items()})
    answer = send(client, body).get_json()
    assert wrong(answer, drafts(body)) == []
    assert [one["resource"] for one in actions(answer["cards"])] == clean


def test_items_of_nothing(client: FlaskClient) -> None:
    """Items of which nothing is left do not come back, and the change is made to the right one all the same."""
    body = claim_request(claim({}, item(7, "97014", 3), {"modifier": []}, item(8, "97110", 2)), payer="Commercial")
    (one, *_) = [action["resource"] for action in actions(cards(client, body))]
    assert [(line["sequence"], line["quantity"]["value"]) for line in one["item"]] == [(7, 1), (8, 2)]


def test_order(client: FlaskClient) -> None:
    """An order with hollow members comes back without them."""
    body = order_request({**order("o-1", "97110", 4), **HOLLOW}, procedures=(EXERCISE,))
    (action,) = actions(cards(client, body))
    assert action["resource"] == {**order("o-1", "97110"), "quantityQuantity": {"value": 2}}


def test_aligned_extensions_come_back(client: FlaskClient) -> None:
    """A null that aligns extensions with their primitives is no hollow member: it keeps its place."""
    contained = {"resourceType": "Patient", "name": [{"given": [None, "Test"], "_given": [{"id": "unknown"}, None]}]}
    body = changed(chiro(units=3), "context", "claim", "contained", to=[contained])
    answer = send(client, body)
    assert wrong(answer.get_json(), drafts(body)) == []
    assert all(one["resource"]["contained"] == [contained] for one in actions(answer.get_json()["cards"]))
