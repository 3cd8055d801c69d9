"""Cards over HTTP: what every card carries, whatever it is about, and what is never in an answer."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from plugin.finding_list import KINDS
from tests.builders import bundle, changed, claim, claim_request, item
from tests.exchange import cards, codes, finding, send, slots, the
from tests.visits import CLEAN, FAULTY

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODES = {kind.code for kind in KINDS}
SUBJECTS = ("units.", "modifiers.", "pairs.", "documentation.", "policy.", "lines.", "facts.")
MEMBERS = {
    "uuid",
    "summary",
    "detail",
    "indicator",
    "source",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
    "extension",
}
EVERY = {**FAULTY, **CLEAN}

faulty = pytest.mark.parametrize("name", FAULTY)
every = pytest.mark.parametrize("name", EVERY)


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON tree with its path; a caller's resource that comes back is not looked into."""
    yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            if key != "resource":
                yield from nodes(part, f"{path}.{key}")
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from nodes(part, f"{path}[{index}]")


@pytest.mark.parametrize("name", CLEAN)
def test_silence(client: FlaskClient, name: str) -> None:
    """Where there is nothing to find, the answer is an empty list of cards and nothing else."""
    assert send(client, CLEAN[name]).get_json() == {"cards": []}


@faulty
def test_there_are_cards(client: FlaskClient, name: str) -> None:
    """Where there is something to find, there are cards."""
    assert cards(client, FAULTY[name])


@every
def test_same_bytes(client: FlaskClient, name: str) -> None:
    """The same request gives the same bytes."""
    assert send(client, EVERY[name]).data == send(client, EVERY[name]).data


@every
def test_nothing_without_value(client: FlaskClient, name: str) -> None:
    """No null, no empty text, no empty list and no empty object is anywhere in an answer, but for the list of cards."""
    hollow = [
        path for path, value in nodes(send(client, EVERY[name]).get_json()) if value is None or value in ("", [], {})
    ]
    assert hollow in ([], [".cards"])


@faulty
def test_members(client: FlaskClient, name: str) -> None:
    """A card has only members that CDS Hooks defines, and always a summary, a detail, a source and a uuid."""
    for card in cards(client, FAULTY[name]):
        assert set(card) <= MEMBERS
        assert {"uuid", "summary", "detail", "indicator", "source", "overrideReasons", "extension"} <= set(card)


@faulty
def test_summary(client: FlaskClient, name: str) -> None:
    """A summary is one plain sentence of fewer than 140 characters."""
    for card in cards(client, FAULTY[name]):
        assert 0 < len(card["summary"]) < 140
        assert not re.search(r"[\n<>{}]", card["summary"])


@faulty
def test_indicator(client: FlaskClient, name: str) -> None:
    """An indicator is info, warning or critical."""
    assert {card["indicator"] for card in cards(client, FAULTY[name])} <= {"info", "warning", "critical"}


def test_lines_that_were_not_reviewed(client: FlaskClient) -> None:
    """A line of a code of nobody's is named as people know it, by its number on the claim."""
    card = the(cards(client, claim_request(claim(item(1, "97110", 2), item(2, "72100")))), "facts.codes-not-reviewed")
    assert finding(card)["lines"] == ["Claim/test-claim#2"]
    assert slots(card) == {"codes": ["72100 (line 2)"]}


@faulty
def test_source(client: FlaskClient, name: str) -> None:
    """A card names its source, and as its topic the finding's code with system and display."""
    for card in cards(client, FAULTY[name]):
        assert card["source"]["label"]
        assert re.fullmatch(r"https?://.+", card["source"].get("url", "https://none"))
        topic = card["source"]["topic"]
        assert topic["code"] == finding(card)["code"]
        assert topic["system"].startswith("https://")
        assert topic["display"]


@faulty
def test_uuids(client: FlaskClient, name: str) -> None:
    """Cards and suggestions have lower-case UUIDs, and no two of an answer have the same."""
    found = cards(client, FAULTY[name])
    ids = [one["uuid"] for card in found for one in (card, *card.get("suggestions", ()))]
    assert all(UUID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)


@faulty
def test_override_reasons(client: FlaskClient, name: str) -> None:
    """Every card may be overridden, with reasons that have a code, a system and a display."""
    for card in cards(client, FAULTY[name]):
        reasons = card["overrideReasons"]
        assert all(set(reason) == {"code", "system", "display"} for reason in reasons)
        assert len({reason["code"] for reason in reasons}) == len(reasons) > 0


@faulty
def test_selection_behavior(client: FlaskClient, name: str) -> None:
    """A card states how suggestions are selected exactly when it has suggestions."""
    for card in cards(client, FAULTY[name]):
        assert card.get("selectionBehavior") == ("at-most-one" if "suggestions" in card else None)


@faulty
def test_suggestions(client: FlaskClient, name: str) -> None:
    """A suggestion has a label, a uuid and described actions, each with what its type needs."""
    for card in cards(client, FAULTY[name]):
        for suggestion in card.get("suggestions", ()):
            assert suggestion["label"]
            assert suggestion["actions"]
            for action in suggestion["actions"]:
                needs = {"create": "resource", "update": "resource", "delete": "resourceId"}
                assert action["description"]
                assert set(action) == {"type", "description", needs[action["type"]]}


@faulty
def test_one_recommendation(client: FlaskClient, name: str) -> None:
    """Of the suggestions of a card at most one is recommended."""
    for card in cards(client, FAULTY[name]):
        assert sum(one.get("isRecommended", False) for one in card.get("suggestions", ())) <= 1


@faulty
def test_extension(client: FlaskClient, name: str) -> None:
    """A card carries its finding for machines: a code of the closed list, lines, slots, edition and sources."""
    for card in cards(client, FAULTY[name]):
        told = finding(card)
        assert set(card["extension"]) <= {"org.visitcue.finding", "davinci-crd.associated-resource"}
        assert set(told) <= {"code", "lines", "slots", "edition", "sources"}
        assert told["code"] in CODES
        assert told["code"].startswith(SUBJECTS)
        assert all(re.fullmatch(r"(Claim/[^#]+#\d+|ServiceRequest/.+|Procedure/.+)", one) for one in told["lines"])
        assert re.fullmatch(r"[a-z-]+@\d{4}-\d\d-\d\d\+ncci-.+", told["edition"])


@faulty
def test_sources(client: FlaskClient, name: str) -> None:
    """A finding cites its policy, title, section, address and words; a fact about the request cites ourselves."""
    for card in cards(client, FAULTY[name]):
        told = finding(card)
        for source in told["sources"]:
            assert set(source) == {"title", "section", "url", "words"}
            ours = source["title"] == "VisitCue"
            assert (
                told["code"].startswith(("facts.", "lines.", "pairs.not-checked"))
                if ours
                else source["words"] in card["detail"]
            )


@faulty
def test_shape_of_a_finding(client: FlaskClient, name: str) -> None:
    """A finding for programs always has its code, lines, slots, edition and sources."""
    for card in cards(client, FAULTY[name]):
        assert set(finding(card)) == {"code", "lines", "slots", "edition", "sources"}
        assert all(finding(card).values())


@faulty
def test_edition_is_shown(client: FlaskClient, name: str) -> None:
    """A card shows the edition of the rules to the reader as well."""
    assert all(finding(card)["edition"] in card["detail"] for card in cards(client, FAULTY[name]))


def test_every_draft_by_weight(client: FlaskClient) -> None:
    """The cards of a batch come Claim by Claim, each Claim's weightiest first."""
    weight = {"critical": 0, "warning": 1, "info": 2}
    by_claim: dict[str, list[int]] = {}
    for card in cards(client, FAULTY["batch of two claims"]):
        by_claim.setdefault(finding(card)["lines"][0].split("#")[0], []).append(weight[card["indicator"]])
    assert list(by_claim) == ["Claim/claim-of-one", "Claim/claim-of-two"]
    assert all(weights == sorted(weights) for weights in by_claim.values())


def test_another_instance(client: FlaskClient) -> None:
    """Another hook instance gives other uuids, so that feedback tells two calls apart."""
    body = FAULTY["tie"]
    other = changed(body, "hookInstance", to=str(uuid.UUID(int=7)))
    first, second = cards(client, body), cards(client, other)
    assert codes(first) == codes(second)
    assert not {card["uuid"] for card in first} & {card["uuid"] for card in second}


@pytest.mark.parametrize(
    "written", ["D1577C69-DFBE-44AD-BA6D-3E05E953B2EA", "urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"]
)
def test_instance_in_other_spelling(client: FlaskClient, written: str) -> None:
    """The spelling of the hook instance makes no difference."""
    body = changed(FAULTY["tie"], "hookInstance", to=written)
    assert send(client, body).data == send(client, FAULTY["tie"]).data


TEXTS = ("<script>alert(1)</script>", "[a](javascript:alert(1))", "![x](https://e.example/p.png)", "x" * 5000)


@pytest.mark.parametrize("words", TEXTS)
def test_callers_words_are_inert(client: FlaskClient, words: str) -> None:
    """Words of the caller come back as inert text of bounded length: no HTML, no link, no picture."""
    card = the(cards(client, claim_request(claim(item(1, "97110", 2)), payer=words)), "facts.payer-unknown")
    for shown in (card["summary"], card["detail"]):
        assert "<" not in shown
        assert not re.search(r"(?<!\\)\]\(javascript|(?<!\\)!\[", shown)
        assert len(shown) < 2000
    assert slots(card)["saw"] == [words]


@pytest.mark.parametrize("sequence", [1, None])
def test_one_sequence_twice(client: FlaskClient, sequence: int | None) -> None:
    """Items of one sequence, or of none, are told apart: each finding has its own uuid, and a fix its own item."""
    draft = claim(item(1, "97014", 3), item(1, "97016", 3))
    for one in draft["item"]:
        one["sequence"] = sequence
    found = cards(client, claim_request(draft, payer="Commercial"))
    assert codes(found) == ["units.untimed", "units.untimed"]
    assert len({card["uuid"] for card in found}) == 2
    for place, card in enumerate(found):
        (action,) = card["suggestions"][-1]["actions"]
        kept, mended = dict(draft["item"][1 - place]), action["resource"]["item"][place]
        if sequence is None:
            del kept["sequence"]  # no null comes back
        assert (action["resource"]["item"][1 - place], mended["quantity"]["value"]) == (kept, 1)


def test_one_claim_id_twice(client: FlaskClient) -> None:
    """Two Claims of one id in a batch are both reviewed, and their uuids stay unique."""
    twice = bundle(claim(item(1, "97014", 3)), claim(item(1, "97014", 2)), kind="collection")
    found = cards(client, claim_request(twice, payer="Commercial"))
    assert codes(found).count("units.untimed") == 2
    assert len({card["uuid"] for card in found}) == len(found)
