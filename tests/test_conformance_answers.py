"""Answers as CDS Hooks wants them: one narrow schema over every answer that the tests can get, and rules beside it."""

import json
import uuid
from pathlib import Path

import msgspec
import pytest
from flask.testing import FlaskClient

from cds_hooks.cards import encode
from mappings import books_in_force
from mappings.visit import Facts, Visit
from plugin import cards as card_making
from plugin.fixes import Draft, Drafts, Patient
from plugin.review import review_all
from plugin.services import services
from plugin.settings import Settings
from plugin.strict import faults
from plugin.text import summary
from tests.answers import drafts, wrong
from tests.builders import (
    INSTANCE,
    Json,
    bundle,
    changed,
    claim,
    claim_request,
    item,
    order,
    order_request,
)
from tests.case_files import Case, book_for, read_cases, visit_of
from tests.exchange import actions, cards, finding, send, the, with_code
from tests.visits import BATCH, BY_THERAPIST, CLEAN, CORRECTABLE, EXERCISE, FAULTY, MANUAL, chiro

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.json"))
EVERY = {**FAULTY, **CLEAN}
SERVICE_OF = {name: one.service.id for one in services(Settings()) for name in one.service.hook.names}
CASES: dict[str, list[tuple[str, Case]]] = {}
for place, one in read_cases():
    CASES.setdefault(place.split("/")[0], []).append((place, one))
ASSOCIATED = "davinci-crd.associated-resource"


@pytest.mark.parametrize("name", EVERY)
def test_every_request(client: FlaskClient, name: str) -> None:
    """An answer keeps to CDS Hooks in shape, holds nothing hollow, and changes nothing but the caller's drafts."""
    assert wrong(send(client, EVERY[name]).get_json(), drafts(EVERY[name])) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example(client: FlaskClient, path: Path) -> None:
    """The answer to an example keeps to CDS Hooks, and changes nothing but the example's drafts."""
    request = json.loads(path.read_bytes())
    answer = client.post(f"/cds-services/{SERVICE_OF[request['hook']]}", data=path.read_bytes())
    assert wrong(answer.get_json(), drafts(request)) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_resources_are_fhir(client: FlaskClient, path: Path) -> None:
    """Every resource that the answer to an example creates or updates is valid FHIR R4."""
    request = json.loads(path.read_bytes())
    done = actions(cards(client, path.read_bytes(), SERVICE_OF[request["hook"]]))
    for resource in (action["resource"] for action in done if "resource" in action):
        assert faults(resource) == []


def drafted(visit: Visit) -> Drafts:
    """Claims on which the lines of a case stand."""
    made: Drafts = {}
    for name in dict.fromkeys(line.ref.rpartition("#")[0] for line in visit.lines if line.ref.startswith("Claim/")):
        lines = {int(one.ref.rpartition("#")[2]): one for one in visit.lines if one.ref.startswith(f"{name}#")}
        items = [item(number, one.code, one.units, *one.modifiers) for number, one in lines.items()]
        raw = json.dumps(claim(*items, name=name.removeprefix("Claim/"))).encode()
        made[name] = Draft(name, msgspec.Raw(raw), tuple(lines))
    return made


@pytest.mark.parametrize("book", CASES)
def test_every_case(book: str) -> None:
    """The cards of every case of a rule book keep to CDS Hooks, and change nothing but the claims of the case."""
    count = 0
    for name, case in CASES[book]:
        visit = visit_of(case)
        reviewed = review_all(Facts((visit,)), book_for, books_in_force.begins())
        given = drafted(visit)
        request = card_making.Request(uuid.UUID(INSTANCE), Patient("test-patient", "test-visit"), given, "test@1")
        answer = json.loads(encode(card_making.cards(reviewed, (), request)))
        assert wrong(answer, set(given)) == [], name
        count += len(answer["cards"])
    assert count > 0


def test_no_system_actions(client: FlaskClient) -> None:
    """An answer has no systemActions: nothing is changed without a user, and an empty list is forbidden."""
    assert all(set(send(client, body).get_json()) == {"cards"} for body in EVERY.values())


@pytest.mark.parametrize("body", [b"", b"not JSON", b"{}"])
def test_refusals_are_no_cards(client: FlaskClient, body: bytes) -> None:
    """A request that cannot be read gets a status of 4xx, not an answer with a card that says so."""
    answer = send(client, body)
    assert 400 <= answer.status_code < 500
    assert "cards" not in answer.get_json()


def test_links(client: FlaskClient) -> None:
    """A card links to the policies that it cites, each by title and section; its source is the first, at its page."""
    for body in FAULTY.values():
        for card in cards(client, body):
            cited = [one for one in finding(card)["sources"] if one["title"] != "VisitCue"]
            linked = [(f"{one['title']}: {one['section']}", one["url"]) for one in cited]
            assert [(one["label"], one["url"]) for one in card.get("links", [])] == linked
            named = [(one["title"], one["url"]) for one in cited[:1]] or [("VisitCue", None)]
            assert [(card["source"]["label"], card["source"].get("url"))] == named


def test_instructions_alone(client: FlaskClient) -> None:
    """A card that rests on no policy has neither links nor suggestions: it informs."""
    card = the(cards(client, FAULTY["code of nobody"]), "facts.codes-not-reviewed")
    assert not {"links", "suggestions", "selectionBehavior"} & set(card)


@pytest.mark.parametrize("name", CORRECTABLE)
def test_changes_are_whole(client: FlaskClient, name: str) -> None:
    """An update carries every member of the caller's resource, and no others than units and modifiers are new."""
    context = CORRECTABLE[name]["context"]
    sent = context.get("claim") or context["draftOrders"]
    originals = [sent] if "entry" not in sent else [one["resource"] for one in sent["entry"]]
    by_id = {one["id"]: one for one in originals}
    for card in cards(client, CORRECTABLE[name]):
        for suggestion in card.get("suggestions", ()):
            for action in suggestion["actions"]:
                if action["type"] == "update":
                    before = by_id[action["resource"]["id"]]
                    new = set(action["resource"]) ^ set(before)
                    assert new <= {"quantityQuantity", "orderDetail"}


ORDERS = {
    "one of three": (
        order_request(
            order("first", "97140"), order("second", "97110", 4), order("third", "80053"), procedures=(EXERCISE, MANUAL)
        ),
        ["ServiceRequest/second"],
    ),
    "the only one": (order_request(order("alone", "97110", 4), procedures=(EXERCISE,)), ["ServiceRequest/alone"]),
    "without an id": (
        order_request({**order("x", "97110", 4), "id": None}, order("other", "97140"), procedures=(EXERCISE, MANUAL)),
        None,
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_associated_resource(client: FlaskClient, name: str) -> None:
    """A card refers to the orders that it is about, for programs; one without an id cannot be referred to."""
    body, expected = ORDERS[name]
    card = the(cards(client, body), "units.too-many")
    assert card["extension"].get(ASSOCIATED) == expected


@pytest.mark.parametrize(("name", "told"), [("one of three", True), ("the only one", False), ("without an id", True)])
def test_told_apart_for_people(client: FlaskClient, name: str, told: bool) -> None:
    """A card about some of several orders says in its detail which, by place and service; about the only one, not."""
    detail = the(cards(client, ORDERS[name][0]), "units.too-many")["detail"]
    place = detail.split("About order ")[1][:6] if told else ""
    assert place == {"one of three": "2 of 3", "the only one": "", "without an id": "1 of 2"}[name]


def test_two_orders_of_one_service(client: FlaskClient) -> None:
    """Cards about two orders of one service differ in their detail, their references and their uuids."""
    body = order_request(
        order("left", "97110", 2), order("right", "97110", 2), procedures=(BY_THERAPIST,), payer="Medicare Part B"
    )
    found = with_code(cards(client, body), "modifiers.gp-missing")
    assert [card["extension"][ASSOCIATED] for card in found] == [["ServiceRequest/left"], ["ServiceRequest/right"]]
    assert len({card["detail"] for card in found}) == len({card["uuid"] for card in found}) == 2


def test_two_claims(client: FlaskClient) -> None:
    """The cards of a batch refer to their own Claim, and say in their detail which it is; those on both name both."""
    found = {tuple(card["extension"][ASSOCIATED]): card["detail"] for card in cards(client, BATCH)}
    assert "About claim 1 of 2" in found["Claim/claim-of-one",]
    assert "About claim 2 of 2" in found["Claim/claim-of-two",]
    assert "About claim" not in found["Claim/claim-of-one", "Claim/claim-of-two"]


def test_two_claims_of_one_id(client: FlaskClient) -> None:
    """Of two Claims of one id only the first is referred to: a reference that fits both would mislead."""
    twice = bundle(claim(item(1, "97014", 3)), claim(item(1, "97014", 2)), kind="collection")
    found = with_code(cards(client, claim_request(twice, payer="Commercial")), "units.untimed")
    assert [card["extension"].get(ASSOCIATED) for card in found] == [["Claim/test-claim"], None]


def test_recorded_services_are_no_drafts(client: FlaskClient) -> None:
    """A card about recorded services only refers to no draft."""
    assert all(ASSOCIATED not in card["extension"] for card in cards(client, FAULTY["discharge"]))


@pytest.mark.parametrize("id_", ["a b", "a/../b", "<b>", "é", "x#1"])
def test_no_reference_to_an_odd_id(client: FlaskClient, id_: str) -> None:
    """An id that no reference can carry is not referred to, and such an order is not offered to be deleted."""
    body = changed(FAULTY["orders of the same region"], "context", "draftOrders", "entry", 1, "resource", "id", to=id_)
    found = cards(client, body)
    assert "suggestions" not in the(found, "pairs.same-region")
    assert the(found, "pairs.same-region")["extension"][ASSOCIATED] == ["ServiceRequest/o-1"]


@pytest.mark.parametrize("others", [1, 7, 8, 40])
def test_long_summary(client: FlaskClient, others: int) -> None:
    """A summary that would name more lines than fit is cut where 140 characters begin, and shows that it is."""
    body = claim_request(claim(item(1, "97110", 2), *[item(2 + number, "72100") for number in range(others)]))
    answer = send(client, body)
    assert wrong(answer.get_json(), drafts(body)) == []
    told = the(answer.get_json()["cards"], "facts.codes-not-reviewed")["summary"]
    assert (len(told) > 130 and told.endswith("…")) == (others > 7)


@pytest.mark.parametrize("symbol", ["\N{GRINNING FACE}", "\N{MATHEMATICAL BOLD CAPITAL A}", "é", "a"])
@pytest.mark.parametrize("length", [1, 40, 69, 70, 100, 138, 139, 140, 500])
def test_summary_in_both_counts(symbol: str, length: int) -> None:
    """A sentence is cut to fewer than 140 characters in code points and in UTF-16 units, and only if it has more."""
    in_utf16 = len(symbol.encode("utf-16-le")) // 2
    told = summary(symbol * length)
    assert len(told.encode("utf-16-le")) // 2 < 140
    assert told == symbol * length if length * in_utf16 < 140 else told == symbol * (138 // in_utf16) + "…"


SAME: dict[str, Json] = {"a batch": BATCH, "orders": CORRECTABLE["orders: units and 59"], "a claim": chiro()}


@pytest.mark.parametrize("name", SAME)
def test_order_of_members_makes_no_difference(client: FlaskClient, name: str) -> None:
    """The order in which the members of the request came does not change cards, their order or their uuids."""
    body = SAME[name]
    turned = dict(reversed(body.items()))
    turned["context"] = dict(reversed(body["context"].items()))
    turned["prefetch"] = dict(reversed(body["prefetch"].items()))
    assert send(client, turned).data == send(client, body).data
