"""A correction that is accepted is the end of it: sent again, the findings are gone and no new one came."""

import random

import pytest
from flask.testing import FlaskClient

from tests.builders import Json
from tests.exchange import applied, cards, finding
from tests.fhir_shapes import with_nulls
from tests.visits import CORRECTABLE, FAULTY, TIED

Key = tuple[str, tuple[str, ...]]


def key(card: Json) -> Key:
    told = finding(card)
    return told["code"], tuple(told.get("lines", ()))


def single(card: Json) -> Json | None:
    """The suggestion that mends this card alone and is the recommended way: none for choices, removals and forms."""
    own: list[Json] = card.get("suggestions", [])[-1:]
    if not own or finding(card)["code"] == "units.tie":
        return None
    types = {action["type"] for action in own[0]["actions"]}
    kept = all(len(action["resource"].get("item", [0])) for action in own[0]["actions"] if action["type"] == "update")
    removal = finding(card)["code"].startswith("pairs.") or finding(card)["slots"].get("to") == 0
    return own[0] if types == {"update"} and kept and not removal else None


@pytest.mark.parametrize("name", CORRECTABLE)
def test_recommended(client: FlaskClient, name: str) -> None:
    """After the recommended suggestion every finding that could be fixed is gone, and no new one came."""
    body = CORRECTABLE[name]
    before = cards(client, body)
    (accepted, *_) = [one for card in before for one in card.get("suggestions", ()) if one.get("isRecommended")]
    after = {key(card) for card in cards(client, applied(body, accepted["actions"]))}
    assert after <= {key(card) for card in before if single(card) is None}


@pytest.mark.parametrize("name", ["batch of two claims", *CORRECTABLE])
def test_each_alone(client: FlaskClient, name: str) -> None:
    """Every correction that is accepted alone ends its own finding, and brings no new one."""
    body = FAULTY[name]
    before = cards(client, body)
    for card in before:
        suggestion = single(card)
        if suggestion is None:
            continue
        after = {key(one) for one in cards(client, applied(body, suggestion["actions"]))}
        assert key(card) not in after
        assert {code for code, _ in after} <= {key(one)[0] for one in before} | {"modifiers.gp-missing"}


@pytest.mark.parametrize("name", ["same region", "never together", "too short", "orders of the same region"])
def test_removal(client: FlaskClient, name: str) -> None:
    """After a line is removed nothing asks for it, or against it, any more."""
    body = FAULTY[name]
    first = cards(client, body)[0]
    removed = finding(first)["lines"][0]
    after = cards(client, applied(body, first["suggestions"][-1]["actions"]))
    assert not any(removed in finding(card).get("lines", ()) for card in after)
    assert finding(first)["code"] not in {finding(card)["code"] for card in after} or name.startswith("orders")


@pytest.mark.parametrize("choice", [0, 1])
def test_tie(client: FlaskClient, choice: int) -> None:
    """Each way to settle a tie settles it."""
    (card,) = cards(client, TIED)
    assert cards(client, applied(TIED, card["suggestions"][choice]["actions"])) == []


@pytest.mark.parametrize("name", CORRECTABLE)
def test_no_second_opinion(client: FlaskClient, name: str) -> None:
    """What is recommended once is not taken back: correcting goes on until nothing is recommended, in two steps."""
    body = CORRECTABLE[name]
    for _ in range(2):
        offered = [
            one for card in cards(client, body) for one in card.get("suggestions", ()) if one.get("isRecommended")
        ]
        if not offered:
            return
        body = applied(body, offered[0]["actions"])
    assert not [one for card in cards(client, body) for one in card.get("suggestions", ()) if one.get("isRecommended")]


@pytest.mark.parametrize("name", sorted(FAULTY))
def test_nulls_change_nothing(client: FlaskClient, name: str) -> None:
    """Programs that write null for what is not known get the same corrections, without their nulls."""
    body = FAULTY[name]
    for seed in range(3):
        sent = with_nulls(body, random.Random(seed))
        assert sent is not None
        assert cards(client, sent) == cards(client, body)
