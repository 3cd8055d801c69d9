"""Suggestions: each is one change to the caller's own resource, and nothing else of it changes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    HNS,
    KNEE,
    Json,
    changed,
    claim,
    claim_request,
    coded,
    item,
    modifiers,
    order,
    order_request,
    procedure,
)
from tests.exchange import cards, codes, finding, send, the
from tests.visits import BATCH, BY_THERAPIST, CMT, CORRECTABLE, EXERCISE, FAULTY, chiro

VENDOR = {"url": "https://ehr.example/price", "valueDecimal": 1.10}
ODD_NUMBERS = {
    "net": '{"value": 1.10, "currency": "USD"}',
    "factor": "1.0",
    "vendorId": "123456789012345678901234567890",
    "vendorTiny": "1E-7",
    "vendorName": '"Zo\\u00eb \\ud83d\\ude00"',
}
"""Elements of an item as JSON text, in forms that a decoder and an encoder would not keep."""

JOINT = {name: body for name, body in FAULTY.items() if name not in CORRECTABLE or "units" in name}


def exact(raw: bytes) -> Json:
    """JSON with its numbers as they are written."""
    parsed: Json = json.loads(raw, parse_float=lambda text: ("number", text), parse_int=lambda text: ("number", text))
    return parsed


def differences(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """The paths at which two JSON trees differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key not in one or key not in other:
                yield f"{path}.{key}"
            else:
                yield from differences(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{path}[{index}]")
    elif one != other:
        yield path


def updates(card: Json, place: int = -1) -> list[Json]:
    return [action["resource"] for action in card["suggestions"][place]["actions"] if action["type"] == "update"]


def modifiers_of(line: Json) -> list[str]:
    concepts = line.get("modifier") or line.get("orderDetail") or []
    return [concept["coding"][0]["code"] for concept in concepts]


def with_oddities(body: Json) -> bytes:
    """The request as text, its claim and the claim's items with vendor elements in odd forms."""
    marked = json.loads(json.dumps(body))
    draft = marked["context"]["claim"]
    for part in (draft, *draft["item"]):
        part["extension"] = [VENDOR]
        part["vendor:element"] = {"kept": [[7], {"deep": False}, " ", True, 0]}
        for name in ODD_NUMBERS:
            part[name] = f"@{name}@"
    text = json.dumps(marked, indent=1)
    for name, written in ODD_NUMBERS.items():
        text = text.replace(f'"@{name}@"', written)
    return text.encode()


SINGLE = [
    ("units", "units.too-many", chiro("59", "GP", units=3), {".item[1].quantity.value"}),
    ("modifier", "modifiers.gp-missing", chiro("59"), {".item[1].modifier"}),
    ("modifiers", "modifiers.distinct-then-gp", chiro(), {".item[1].modifier"}),
    ("order", "modifiers.order", chiro("GP", "59"), {".item[1].modifier[0].coding", ".item[1].modifier[1].coding"}),
    ("away", "modifiers.59-with-x", chiro("59", "XS", "GP"), {".item[1].modifier"}),
    ("last away", "modifiers.misplaced", CORRECTABLE["chiro: 59 on the manipulation"], {".item[0].modifier"}),
    ("not stated", "units.missing", CORRECTABLE["units not stated"], {".item[0].quantity"}),
]


@pytest.mark.parametrize(("name", "code", "body", "places"), SINGLE, ids=[one[0] for one in SINGLE])
def test_only_its_own_thing(client: FlaskClient, name: str, code: str, body: Json, places: set[str]) -> None:
    """A suggestion changes its own thing on its own line; every other element keeps its value, digits included."""
    raw = with_oddities(body)
    answer = send(client, raw)
    card = the(exact(answer.data)["cards"], code)
    (resource,) = updates(card)
    before = exact(raw)["context"]["claim"]
    found = {
        path.partition("coding")[0] + "coding" if "coding" in path else path for path in differences(before, resource)
    }
    assert found == places, name


@pytest.mark.parametrize("written", ODD_NUMBERS.values())
def test_text_is_kept(client: FlaskClient, written: str) -> None:
    """What a suggestion does not change comes back in the very characters in which it came."""
    answer = send(client, with_oddities(chiro(units=3)))
    assert written.encode() in answer.data


def test_vendor_elements_are_kept(client: FlaskClient) -> None:
    """Extensions and unknown elements come back as they came."""
    (card,) = cards(client, with_oddities(chiro("59")))
    (resource,) = updates(card)
    for part in (resource, *resource["item"]):
        assert part["extension"] == [VENDOR]
        assert part["vendor:element"] == {"kept": [[7], {"deep": False}, " ", True, 0]}


def test_quantity_keeps_its_unit(client: FlaskClient) -> None:
    """New units leave the quantity's other elements as they are."""
    quantity = {"value": 3, "unit": "UN", "system": "http://unitsofmeasure.org", "extension": [VENDOR]}
    body = claim_request(claim(item(1, "97110", quantity=quantity)), EXERCISE)
    (resource,) = updates(the(cards(client, body), "units.too-many"))
    assert resource["item"][0]["quantity"] == {**quantity, "value": 2}


def test_modifiers_keep_their_form(client: FlaskClient) -> None:
    """Modifiers that stay keep the caller's concepts, and a new one takes the caller's code system for its kind."""
    system = "https://ehr.example/hcpcs"
    given = [coded("urn:hcpcs", "GP", text="as entered"), {"text": "KX"}]
    body = changed(chiro(), "context", "claim", "item", 1, "modifier", to=given)
    card = the(cards(client, body), "modifiers.distinct-missing")
    (resource,) = updates(card)
    new, *kept = resource["item"][1]["modifier"]
    assert kept == given
    assert new["coding"][0]["code"] == "59"
    assert system not in str(new)


FIFTY_NINE = [
    ("none before", (), ["59", "GP"]),
    ("GP before", ("GP",), ["59", "GP"]),
    ("59 before", ("59",), ["59", "GP"]),
    ("wrong order", ("GP", "59"), ["59", "GP"]),
    ("KX between", ("KX", "GP"), ["59", "KX", "GP"]),
    ("XS before", ("XS",), ["XS", "GP"]),
]


@pytest.mark.parametrize(("name", "before", "after"), FIFTY_NINE, ids=[one[0] for one in FIFTY_NINE])
def test_59_then_gp(client: FlaskClient, name: str, before: tuple[str, ...], after: list[str]) -> None:
    """59 lands before GP, whatever was on the line before."""
    (card,) = cards(client, chiro(*before))
    (resource,) = updates(card)
    assert modifiers_of(resource["item"][1]) == after, name


REMOVING = [
    ("pairs.same-region", "same region", 0),
    ("pairs.never-together", "never together", 1),
    ("units.under-minimum", "too short", None),
]


@pytest.mark.parametrize(("code", "name", "left"), REMOVING, ids=[one[0] for one in REMOVING])
def test_removing_a_line(client: FlaskClient, code: str, name: str, left: int | None) -> None:
    """Removing a line takes that item away and leaves the rest of the claim as it was."""
    body = FAULTY[name]
    before = body["context"]["claim"]
    card = the(cards(client, body), code)
    (resource,) = updates(card)
    kept = [] if left is None else [before["item"][0]]
    assert resource.get("item", []) == kept
    assert {**resource, "item": 0} == {**before, "item": 0}
    assert not any(one.get("isRecommended") for one in card["suggestions"])


def test_removing_an_order(client: FlaskClient) -> None:
    """Removing an order is a delete action that names it."""
    card = the(cards(client, FAULTY["orders of the same region"]), "pairs.same-region")
    (action,) = card["suggestions"][-1]["actions"]
    assert (action["type"], action["resourceId"]) == ("delete", "ServiceRequest/o-2")


def test_together(client: FlaskClient) -> None:
    """Where two findings can be fixed, the first card offers all fixes as one recommended suggestion."""
    first, *others = cards(client, chiro(units=3))
    together = first["suggestions"][0]
    assert together["isRecommended"] is True
    (action,) = together["actions"]
    line = action["resource"]["item"][1]
    assert (line["quantity"]["value"], modifiers_of(line)) == (1, ["59", "GP"])
    assert not any(len(card["suggestions"]) > 1 for card in others)


@pytest.mark.parametrize("code", ["units.too-many", "modifiers.distinct-then-gp"])
def test_alone_beside_together(client: FlaskClient, code: str) -> None:
    """A finding whose fix is also offered together with others can still be fixed alone."""
    body = chiro(units=3)
    (resource,) = updates(the(cards(client, body), code))
    changed_lines = list(differences(body["context"]["claim"], resource))
    assert len(changed_lines) == 1


@pytest.mark.parametrize("name", ["same region", "never together", "documentation", "tie", "discharge"])
def test_nothing_to_join(client: FlaskClient, name: str) -> None:
    """A removed line, a form and a choice are never part of a recommended suggestion."""
    for card in cards(client, FAULTY[name]):
        for suggestion in card.get("suggestions", ()):
            if suggestion.get("isRecommended"):
                assert [action["type"] for action in suggestion["actions"]] == ["update"]
                resource = suggestion["actions"][0]["resource"]
                assert len(resource["item"]) == len(FAULTY[name]["context"]["claim"]["item"])


def test_together_in_a_batch(client: FlaskClient) -> None:
    """In a batch each Claim has its own suggestion for all, with its own Claim alone."""
    found = cards(client, BATCH)
    together = [card["suggestions"][0] for card in found if len(card.get("suggestions", ())) > 1]
    drafts = [["claim-of-one"], ["claim-of-two"]]
    assert [[action["resource"]["id"] for action in one["actions"]] for one in together] == drafts


def test_together_for_orders(client: FlaskClient) -> None:
    """For draft orders the suggestion for all has one action for each order that changes, and none for the others."""
    first = cards(client, CORRECTABLE["orders: units and 59"])[0]
    changed_orders = {action["resource"]["id"]: action["resource"] for action in first["suggestions"][0]["actions"]}
    assert set(changed_orders) == {"o-2", "o-3"}
    assert changed_orders["o-2"]["quantityQuantity"] == {"value": 2}
    assert modifiers_of(changed_orders["o-3"]) == ["59"]


def test_order_keeps_other_details(client: FlaskClient) -> None:
    """Modifiers of an order go among its orderDetail; details that are no modifiers stay where they are."""
    details = [{"text": "left side first"}, *modifiers("KX"), coded("https://ehr.example/detail", "GENTLE")]
    body = order_request(order("o-1", "97110", 2, orderDetail=details), procedures=(BY_THERAPIST,), payer="UHC")
    (resource,) = updates(the(cards(client, body), "modifiers.gp-missing"))
    assert [one for one in resource["orderDetail"] if one in details] == details
    assert [one["coding"][0]["code"] for one in resource["orderDetail"] if one not in details] == ["GP"]


@pytest.mark.parametrize("quantity", [{"value": 30, "unit": "min"}, {"value": 30, "code": "min", "system": "u"}])
def test_order_minutes_become_units(client: FlaskClient, quantity: Json) -> None:
    """Units in place of minutes do not keep the unit of time."""
    body = order_request(order("o-1", "97110", quantityQuantity=quantity), payer=HNS)
    (resource,) = updates(the(cards(client, body), "units.missing"))
    assert resource["quantityQuantity"] == {"value": 2}


def test_two_orders_of_one_id(client: FlaskClient) -> None:
    """Of two orders of one id the second is left out and said, so that no suggestion is about the wrong one."""
    body = order_request(order("same", "97110", 4), order("same", "97014", 3), procedures=(EXERCISE,))
    found = cards(client, body)
    assert codes(found) == ["units.too-many", "facts.unreadable"]
    assert finding(found[1])["slots"]["paths"] == ["context.draftOrders.entry[1].resource.id"]
    (resource,) = updates(found[0])
    assert resource == {**order("same", "97110"), "quantityQuantity": {"value": 2}}


def test_form(client: FlaskClient) -> None:
    """What the record lacks can be filled in: a new form about this patient, visit and Procedure."""
    card = the(cards(client, FAULTY["documentation"]), "documentation.missing")
    (action,) = card["suggestions"][0]["actions"]
    made = action["resource"]
    assert (action["type"], made["resourceType"]) == ("create", "QuestionnaireResponse")
    assert [one["linkId"] for one in made["item"]] == finding(card)["slots"]["missing"]
    assert made["partOf"] == [{"reference": "Procedure/exercise"}]
    assert made["encounter"] == {"reference": "Encounter/test-visit"}
    assert made["subject"] == {"reference": "Patient/test-patient"}


def test_no_room(client: FlaskClient) -> None:
    """Where a line has no place left, a modifier is asked for, and adding it is left to a person."""
    found = cards(client, chiro("KX", "GA", "76", "77"))
    assert "modifiers.distinct-then-gp" in codes(found)
    assert "suggestions" not in the(found, "modifiers.distinct-then-gp")


def test_what_no_draft_holds(client: FlaskClient) -> None:
    """A service that stands on no draft gets findings and no correction."""
    for card in cards(client, FAULTY["discharge"]):
        assert all(one["actions"][0]["type"] == "create" for one in card.get("suggestions", ()))


def test_claim_without_an_id(client: FlaskClient) -> None:
    """A Claim that has no id yet is corrected all the same."""
    draft = claim(item(1, "98941"), item(2, "97112", 3))
    del draft["id"]
    knee = procedure("balance", "97112", "09:00", 20, KNEE)
    first = cards(client, claim_request(draft, CMT, knee))[0]
    (resource,) = updates(first, 0)
    assert "id" not in resource
    assert modifiers_of(resource["item"][1]) == ["59", "GP"]
