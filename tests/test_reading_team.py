"""FHIR to facts: who gave what a claim or an order names, where no Procedure says it; and prior authorization."""

from typing import Any

import pytest

from tests.builders import (
    Json,
    bundle,
    changed,
    claim,
    claim_request,
    coded,
    coverage,
    item,
    modifiers,
    order,
    order_request,
    procedure,
    ref,
)
from tests.facts_of import line, unreadable, visit

NUCC = "http://nucc.org/provider-taxonomy"
TEAM_ROLE = "http://terminology.hl7.org/CodeSystem/claimcareteamrole"
PT, PTA = coded(NUCC, "225100000X"), coded(NUCC, "225200000X")
THERAPIST, ASSISTANT = "physical-therapist", "physical-therapist-assistant"
ONE, TWO = ref("Practitioner", "one"), ref("Practitioner", "two")


def member(sequence: int, provider: Json, **more: Any) -> Json:
    return {"sequence": sequence, "provider": provider, **more}


def practitioner(name: str, qualified: Json) -> Json:
    return {"resourceType": "Practitioner", "id": name, "qualification": [{"code": qualified}]}


def billed(*team: Json, sequence: tuple[int, ...] = (1,), done: tuple[Json, ...] = (), **more: Any) -> Json:
    """A claim for exercise whose item names these members of the team."""
    return claim_request(claim(item(1, "97110", careTeamSequence=list(sequence)), careTeam=list(team), **more), *done)


def who(request: Json) -> tuple[set[str], set[str]]:
    found = line(request)
    return set(found.performers), set(found.roles)


MEMBERS: list[tuple[str, Json]] = [
    ("R4 qualification", member(1, ONE, qualification=PTA)),
    ("R5 specialty", member(1, ONE, specialty=PTA)),
    ("its role in words", member(1, ONE, role={"text": "PTA"})),
    ("its printed name", member(1, {**ONE, "display": "Quinn Quill, PTA"})),
    ("a performing member", member(1, ONE, role=coded(TEAM_ROLE, "primary"), qualification=PTA)),
]


@pytest.mark.parametrize(("name", "listed"), MEMBERS, ids=[one[0] for one in MEMBERS])
def test_team_of_a_claim(name: str, listed: Json) -> None:
    """An item that no Procedure documents was given by the members of the team that it names, and by no others."""
    other = member(2, TWO, qualification=PT)
    assert who(billed(listed, other)) == ({"Practitioner/one"}, {ASSISTANT}), name


@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole"])
def test_profession_of_a_member(kind: str) -> None:
    """A member's profession is read from his own resources."""
    sent = practitioner("one", PTA)
    if kind == "PractitionerRole":
        sent = {"resourceType": kind, "id": "one", "practitioner": ONE, "code": [PTA]}
    body = billed(member(1, ref(kind, "one")), done=(sent,))
    assert who(body) == ({"Practitioner/one"}, {ASSISTANT})


def test_contained_member() -> None:
    """A member who is contained in the Claim states his profession there."""
    body = billed(member(1, {"reference": "#one"}), contained=[practitioner("one", PTA)])
    assert who(body) == (set(), {ASSISTANT})


def test_several_members() -> None:
    """An item that names several members was given by all of them."""
    body = billed(member(1, ONE, qualification=PTA), member(2, TWO, qualification=PT), sequence=(1, 2))
    assert who(body) == ({"Practitioner/one", "Practitioner/two"}, {ASSISTANT, THERAPIST})


@pytest.mark.parametrize("role", ["supervisor", "referring", "attending", "ordering"])
def test_member_who_only_answers_for_it(role: str) -> None:
    """A member who supervised, ordered or referred did not give the service."""
    listed = member(2, TWO, role=coded(TEAM_ROLE, role), qualification=PT)
    assert who(billed(member(1, ONE, qualification=PTA), listed, sequence=(1, 2))) == (
        {"Practitioner/one"},
        {ASSISTANT},
    )
    assert who(billed(listed, sequence=(2,))) == (set(), set())


def test_item_that_names_no_member() -> None:
    """The team says nothing of an item that names none of its members."""
    assert who(billed(member(1, ONE, qualification=PTA), sequence=())) == (set(), set())
    assert who(billed(member(1, ONE, qualification=PTA), sequence=(3,))) == (set(), set())


def test_procedures_before_the_team() -> None:
    """Who gave a service is what its Procedure says, whoever stands on the claim."""
    done = procedure("a", "97110", "09:00", 20, performer=[{"actor": ONE, "function": PTA}])
    assert who(billed(member(1, TWO, qualification=PT), done=(done,))) == ({"Practitioner/one"}, {ASSISTANT})


def test_profession_from_the_team() -> None:
    """The team tells the profession of a performer of whom the record says none, and no other member's."""
    done = procedure("a", "97110", "09:00", 20, performer=[{"actor": ONE}])
    known = line(billed(member(1, ONE, qualification=PTA), done=(done,)))
    assert known.roles == {ASSISTANT}
    assert known.assistant is not None
    assert known.assistant.value == 20
    assert who(billed(member(1, TWO, qualification=PT), done=(done,))) == ({"Practitioner/one"}, set())


PROVIDERS: list[tuple[str, Json, list[Json], tuple[set[str], set[str]]]] = [
    ("a practitioner", ONE, [practitioner("one", PT)], ({"Practitioner/one"}, {THERAPIST})),
    ("a printed name", {**ONE, "display": "Dora Bench, DC"}, [], ({"Practitioner/one"}, {"chiropractor"})),
    ("of unknown profession", ONE, [], (set(), set())),
    ("an organization", ref("Organization", "clinic"), [], (set(), set())),
    ("an organization with credentials", {**ref("Organization", "c"), "display": "Quill PT"}, [], (set(), set())),
]


@pytest.mark.parametrize(("name", "provider", "sent", "found"), PROVIDERS, ids=[one[0] for one in PROVIDERS])
def test_provider_of_a_claim(name: str, provider: Json, sent: list[Json], found: tuple[set[str], set[str]]) -> None:
    """Where neither Procedure nor team tells it, the provider did who is a practitioner of a known profession."""
    assert who(billed(sequence=(), provider=provider, done=tuple(sent))) == found, name
    by_member = billed(member(1, TWO, qualification=PTA), provider=provider, done=tuple(sent))
    assert who(by_member) == ({"Practitioner/two"}, {ASSISTANT})


@pytest.mark.parametrize("modifier", ["CQ", "CO"])
def test_claim_that_says_an_assistant_gave_it(modifier: str) -> None:
    """The therapist under whose name a line with CQ or CO is billed did not give it; an assistant did."""
    line_item = item(1, "97110", 1, "GP", careTeamSequence=[1], modifier=modifiers("GP", modifier))
    of_therapist = claim_request(claim(line_item, careTeam=[member(1, ONE, qualification=PT)]))
    of_assistant = claim_request(claim(line_item, careTeam=[member(1, ONE, qualification=PTA)]))
    assert who(of_therapist) == (set(), set())
    assert who(of_assistant) == ({"Practitioner/one"}, {ASSISTANT})


BROKEN: list[tuple[str, Json, str]] = [
    ("team as text", {"careTeam": "PT"}, "context.claim.careTeam"),
    ("member as text", {"careTeam": ["PT"]}, "context.claim.careTeam[0]"),
    (
        "qualification as text",
        {"careTeam": [member(1, ONE, qualification="PT")]},
        "context.claim.careTeam[0].qualification",
    ),
    ("provider as text", {"provider": "Practitioner/one"}, "context.claim.provider"),
]


@pytest.mark.parametrize(("name", "more", "path"), BROKEN, ids=[one[0] for one in BROKEN])
def test_broken_team(name: str, more: Json, path: str) -> None:
    """A team or provider that cannot be read is said, and the claim is reviewed."""
    body = claim_request(claim(item(1, "97110", careTeamSequence=[1]), **more))
    assert unreadable(body) == [path], name
    assert line(body).code == "97110"


ORDERS: list[tuple[str, Json, tuple[set[str], set[str]]]] = [
    ("a profession", {"performerType": PT}, (set(), {THERAPIST})),
    ("a practitioner", {"performer": [ONE]}, ({"Practitioner/one"}, {ASSISTANT})),
    ("a practitioner as what is asked", {"performer": [ONE], "performerType": PT}, ({"Practitioner/one"}, {THERAPIST})),
    ("an organization", {"performer": [ref("Organization", "clinic")]}, (set(), set())),
    ("nobody", {}, (set(), set())),
]


@pytest.mark.parametrize(("name", "more", "found"), ORDERS, ids=[one[0] for one in ORDERS])
def test_performers_of_an_order(name: str, more: Json, found: tuple[set[str], set[str]]) -> None:
    """An order that no Procedure fulfils is given by whom it asks for."""
    body = order_request(order("o-1", "97110", **more), procedures=(practitioner("one", PTA),))
    assert who(body) == found, name


def test_procedures_before_the_order() -> None:
    """Who gave an order is what the Procedure that fulfils it says."""
    done = procedure("a", "97110", "09:00", 20, performer=[{"actor": TWO, "function": PTA}])
    body = order_request(order("o-1", "97110", performerType=PT, performer=[ONE]), procedures=(done,))
    assert who(body) == ({"Practitioner/two"}, {ASSISTANT})


@pytest.mark.parametrize("element", ["performer", "performerType"])
def test_broken_performers_of_an_order(element: str) -> None:
    """Performers of an order that cannot be read are said, and the order is reviewed."""
    body = order_request(order("o-1", "97110", **{element: "PT"}))
    assert unreadable(body) == [f"ServiceRequest/o-1.{element}"]
    assert line(body).code == "97110"


SECOND = {"sequence": 2, "focal": False, "coverage": ref("Coverage", "test-coverage")}
NUMBERS: list[tuple[str, Any, bool]] = [
    ("a number", ["A-123"], True),
    ("a number outside a list", "A-123", True),
    ("an empty list", [], False),
    ("an empty number", [" "], False),
    ("none", None, False),
]


@pytest.mark.parametrize(("name", "numbers", "authorized"), NUMBERS, ids=[one[0] for one in NUMBERS])
@pytest.mark.parametrize("place", [0, 1])
def test_authorization(place: int, name: str, numbers: Any, authorized: bool) -> None:
    """A claim any of whose insurances names a prior authorization is authorized."""
    draft = claim(item(1, "97110"))
    draft["insurance"].append({**SECOND})
    if numbers is not None:
        draft["insurance"][place]["preAuthRef"] = numbers
    assert visit(claim_request(draft)).authorized is authorized, name


def test_broken_authorization() -> None:
    """An authorization that is no text is said, and is none."""
    draft = changed(claim(item(1, "97110")), "insurance", 0, "preAuthRef", to=[7])
    body = claim_request(draft, coverage=bundle(coverage()))
    assert visit(body).authorized is False
    assert unreadable(body) == ["context.claim.insurance[0].preAuthRef"]
