"""Numbers as nobody means them: every one is answered, and none is taken for what it is not."""

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    CLAIM_SUBMIT,
    ORDER_SIGN,
    Json,
    changed,
    claim,
    claim_request,
    item,
    order,
    order_request,
    text,
)
from tests.exchange import cards, expressions, finding, send, slots, the, with_code
from tests.visits import FAULTY

HUGE = ("99999999999999999999", "1" + "0" * 300, "1e300", "1.7976931348623157e308", "18446744073709551616")
ODD = (*HUGE, "-1", "1.5", "-9e99", "0", "-0", "0.0", "1e-320")


def with_minutes() -> Json:
    """A visit whose minutes a form states: 4711."""
    answers = {"linkId": "actual_time", "answer": [{"valueDecimal": 4711}]}
    return changed(FAULTY["minutes unknown"], "prefetch", "forms", "entry", 0, "resource", "item", to=[answers])


PLACES = {
    "claim units": (CLAIM_SUBMIT, claim_request(claim(item(1, "97014", 4711)))),
    "claim minutes": (CLAIM_SUBMIT, claim_request(claim(item(1, "97110", quantity={"value": 4711, "unit": "h"})))),
    "sequence": (CLAIM_SUBMIT, claim_request(claim(item(4711, "97014", 3)))),
    "two sequences": (CLAIM_SUBMIT, claim_request(claim(item(4711, "97014", 3), item(4711, "97016", 3)))),
    "procedure sequence": (CLAIM_SUBMIT, claim_request(claim(item(1, "97014", 3, procedureSequence=[4711])))),
    "order units": (ORDER_SIGN, order_request(order("o-1", "97014", 4711))),
    "order minutes": (
        ORDER_SIGN,
        order_request(order("o-1", "97110", quantityQuantity={"value": 4711, "unit": "min"})),
    ),
    "form minutes": (CLAIM_SUBMIT, with_minutes()),
}


@pytest.mark.parametrize("number", ODD)
@pytest.mark.parametrize("place", PLACES)
def test_any_number(client: FlaskClient, place: str, number: str) -> None:
    """A number of any size and sign is answered, or refused by its path; it never makes the service fail."""
    service, body = PLACES[place]
    answer = send(client, text(body).replace(b"4711", number.encode()), service)
    assert answer.status_code == 200 or expressions(answer)


@pytest.mark.parametrize("number", ["-1", "1.5", "-9e99", "0.5"])
def test_no_number_of_units(client: FlaskClient, number: str) -> None:
    """What is no whole number of units is said, with its path, and is not taken for one."""
    service, body = PLACES["claim units"]
    found = cards(client, text(body).replace(b"4711", number.encode()), service)
    assert not with_code(found, "units.untimed")
    assert slots(the(found, "facts.unreadable"))["paths"] == ["context.claim.item[0].quantity.value"]


@pytest.mark.parametrize("number", ["2", "2.0", "2.00", "2e0", "20E-1"])
def test_whole_number_in_any_form(client: FlaskClient, number: str) -> None:
    """A whole number is one however it is written."""
    service, body = PLACES["claim units"]
    card = the(cards(client, text(body).replace(b"4711", number.encode()), service), "units.untimed")
    assert finding(card)["slots"] == {"from": 2, "to": 1}
