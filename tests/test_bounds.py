"""An answer stays small whatever is sent, and what lies beyond a bound is said."""

import datetime as dt
import itertools

import pytest
from flask.testing import FlaskClient

from plugin import bounds
from tests.builders import (
    DAY,
    Json,
    bundle,
    claim,
    claim_request,
    item,
    order,
    order_request,
    procedure,
)
from tests.exchange import cards, codes, send, the, with_code
from tests.visits import chiro

CODES = ("97112", "98941", "97110", "97140", "97124")
OF_ANOTHER = "99999"
LARGEST = 4_000_000
"""Bytes of an answer: suggestions, and the words of as many cards as are told."""


def many(lines: int, name: str = "test-claim", **more: str) -> Json:
    """A claim whose lines are in each other's way as often as can be."""
    named = itertools.islice(itertools.cycle(CODES), lines)
    return {**claim(*[item(place, code, 9) for place, code in enumerate(named, start=1)], name=name), **more}


def batch(*claims: Json) -> Json:
    request = claim_request(claims[0])
    request["context"]["claim"] = bundle(*claims)
    return request


@pytest.mark.parametrize("lines", [50, 500, 5_000])
def test_size(client: FlaskClient, lines: int) -> None:
    """However many lines a claim has, the answer has a size that an EHR can take, and is not silent."""
    answer = send(client, claim_request(many(lines)))
    assert answer.status_code == 200
    assert len(answer.data) < LARGEST
    assert 0 < len(answer.get_json()["cards"]) <= bounds.MOST_FINDINGS + 5


def test_largest_claim(client: FlaskClient) -> None:
    """A claim of as many lines as an 837P holds is reviewed, the weightiest findings first, and more are counted."""
    found = cards(client, claim_request(many(50)))
    told = [card for card in found if card["source"]["topic"]["code"].partition(".")[0] != "facts"]
    assert len(told) >= bounds.MOST_FINDINGS - 5
    assert {card["indicator"] for card in told} == {"critical"}
    assert the(found, "facts.more-found")["extension"]["org.visitcue.finding"]["slots"]["count"] > 0


def test_one_line_more(client: FlaskClient) -> None:
    """A claim with one line more than that is not reviewed, and a card says where it is."""
    found = cards(client, claim_request(many(51)))
    assert codes(found) == ["facts.unreadable"]
    assert found[0]["extension"]["org.visitcue.finding"]["slots"]["paths"] == ["context.claim.item"]


def test_many_lines_of_others(client: FlaskClient) -> None:
    """Lines that are not ours to review do not count: a long claim of a hospital is answered with silence."""
    assert cards(client, claim_request(claim(*[item(place, OF_ANOTHER) for place in range(1, 1500)]))) == []


def test_few_of_ours_among_many(client: FlaskClient) -> None:
    """A claim that bills much besides is reviewed for what is ours."""
    others = [item(place, OF_ANOTHER) for place in range(2, 300)]
    found = cards(client, claim_request(claim(item(1, "97110", 9), *others)))
    assert {"units.above-limit", "facts.codes-not-reviewed"} <= set(codes(found))
    assert "facts.unreadable" not in codes(found)


def test_claim_beside_one_too_large(client: FlaskClient) -> None:
    """A claim that is too large costs itself: the one beside it is reviewed."""
    found = cards(client, batch(many(60, name="large"), many(2, name="small")))
    assert len(with_code(found, "facts.unreadable")) == 1
    assert len(found) > 1


def test_claims_at_once(client: FlaskClient) -> None:
    """Of very many claims at once the first are reviewed, and the answer is of a size that an EHR can take."""
    answer = send(client, batch(*[many(5, name=f"claim-{number}") for number in range(500)]))
    assert answer.status_code == 200
    assert len(answer.data) < LARGEST
    found = answer.get_json()["cards"]
    unreadable = the(found, "facts.unreadable")["extension"]["org.visitcue.finding"]["slots"]
    assert unreadable["count"] == 500 - bounds.MOST_IN_ALL // 5
    assert len(unreadable["paths"]) == bounds.MOST_LISTED


def test_a_month_at_once(client: FlaskClient) -> None:
    """The claims of a month of visits are all reviewed."""
    days = [(dt.date.fromisoformat(DAY) + dt.timedelta(days=number)).isoformat() for number in range(20)]
    month = [claim(item(1, "97140", 1, servicedDate=day), name=f"of-{day}") for day in days]
    assert "facts.unreadable" not in codes(cards(client, batch(*month)))


def test_large_claim_is_offered_once(client: FlaskClient) -> None:
    """A claim with a large attachment comes back in the first suggestion, and not in all of them."""
    attachment = "x" * 3_000_000
    answer = send(client, claim_request(many(20, vendor=attachment)))
    assert answer.data.count(attachment.encode()) == 1


def test_usual_claim_is_offered_each_time(client: FlaskClient) -> None:
    """Every finding on a usual claim that can be mended has its suggestion."""
    assert all(card["suggestions"] for card in cards(client, chiro()))


def test_many_gaps(client: FlaskClient) -> None:
    """Of very many parts that cannot be read the first are listed, and all are counted."""
    request = chiro("59", "GP")
    request["prefetch"]["history"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": {}}] * 5000}
    answer = send(client, request)
    assert len(answer.data) < 100_000
    told = the(answer.get_json()["cards"], "facts.unreadable")["extension"]["org.visitcue.finding"]["slots"]
    assert (told["count"], len(told["paths"])) == (5000, bounds.MOST_LISTED)


def test_many_orders(client: FlaskClient) -> None:
    """Of very many orders of ours the first are reviewed, and those of others do not count."""
    ours = [order(f"ours-{number}", "97110") for number in range(60)]
    others = [order(f"others-{number}", OF_ANOTHER) for number in range(100)]
    assert "facts.unreadable" not in codes(cards(client, order_request(*others, *ours[:50])))
    told = the(cards(client, order_request(*ours)), "facts.unreadable")
    assert told["extension"]["org.visitcue.finding"]["slots"]["count"] == 10


def test_many_procedures(client: FlaskClient) -> None:
    """A record with more services of one day than can be compared is not reviewed, and a card says so."""
    request = chiro("59", "GP")
    crowd = [procedure(f"p-{number}", "97110") for number in range(300)]
    request["prefetch"]["procedures"] = bundle(*crowd)
    assert codes(cards(client, request)) == ["facts.unreadable"]
