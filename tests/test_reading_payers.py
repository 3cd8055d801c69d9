"""FHIR to facts: who pays, however a record writes it, and that a name that only resembles a payer's is not it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from mappings import books_in_force
from mappings.book_files import KnownAs
from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import Json, bundle, claim, claim_request, coverage, item, order, order_request, ref
from tests.exchange import cards, codes, finding
from tests.facts_of import visit

PAYERS = [(book.id, known) for book in books_in_force.payer_books() for known in book.known_as]
EHR = "https://ehr.example/fhir"


def organization(known: KnownAs, **more: Any) -> Json:
    named: Json = (
        {"identifier": [{"system": known.system, "value": known.value}]} if known.value else {"name": known.name}
    )
    return {"resourceType": "Organization", "id": "payer", **named, **more}


def printed(known: KnownAs) -> Json:
    """The payer in a reference that names no resource."""
    if known.value:
        return {"identifier": {"system": known.system, "value": known.value}}
    return {"display": known.name}


def paid_by(*payors: Json, others: tuple[Json, ...] = (), of_claim: Json | None = None, **more: Any) -> Json:
    found = bundle(coverage("", payor=list(payors), **more), *others)
    return claim_request(claim(item(1, "97110"), **(of_claim or {})), coverage=found)


def book(request: Json) -> str:
    return visit(request).payer.book


payers = pytest.mark.parametrize(("book_id", "known"), PAYERS, ids=[f"{one}: {k.name or k.value}" for one, k in PAYERS])


@payers
def test_payer_printed(book_id: str, known: KnownAs) -> None:
    """A payer is known by every entry of its book, however it is capitalised and mostly whatever stands around it."""
    assert book(paid_by(printed(known))) == book_id
    if known.whole:
        assert book(paid_by({"display": f"Plan 7 - {known.name}"})) != book_id
    elif known.name:
        for written in (known.name.upper(), f"{known.name}, PPO 80/20", f"Plan 7 - {known.name}"):
            assert book(paid_by({"display": written})) == book_id


@payers
def test_payer_by_reference(book_id: str, known: KnownAs) -> None:
    """A payer is known by the Organization that the Coverage names, sent along or contained."""
    whole = organization(known)
    assert book(paid_by(ref("Organization", "payer"), others=(whole,))) == book_id
    assert book(paid_by({"reference": "#payer"}, contained=[whole])) == book_id
    assert book(paid_by({"reference": f"{EHR}/Organization/payer/_history/2"}, others=(whole,))) == book_id


@payers
def test_payer_as_insurer(book_id: str, known: KnownAs) -> None:
    """Where no Coverage tells, the claim's insurer does."""
    nobody = {"insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "none"}}]}
    assert book(paid_by(of_claim={**nobody, "insurer": printed(known)})) == book_id
    inside = {"contained": [organization(known)], "insurer": {"reference": "#payer"}}
    assert book(paid_by(of_claim={**nobody, **inside})) == book_id


@payers
def test_payer_in_r5(book_id: str, known: KnownAs) -> None:
    """In R5 the payer stands in Coverage.insurer or Coverage.paymentBy."""
    assert book(paid_by(insurer=printed(known))) == book_id
    assert book(paid_by(paymentBy=[{"party": printed(known)}])) == book_id


@payers
def test_payer_of_an_order(book_id: str, known: KnownAs) -> None:
    """An order's payer is that of the Coverage it names, else of the patient's Coverage."""
    mine, other = coverage("", payor=[printed(known)]), coverage("Nobody", "other-coverage", order=1)
    named = order("o-1", "97110", insurance=[ref("Coverage", "test-coverage")])
    assert book(order_request(named, coverage=bundle(other, mine))) == book_id
    assert book(order_request(order("o-1", "97110"), coverage=bundle(mine))) == book_id


UNKNOWN = ("Mutual of Nowhere", "HNSX", "Blue Cross and Blue Shield of South Carolina", "Hum", "", "self pay", "UHCX")


@pytest.mark.parametrize("name", UNKNOWN)
def test_payer_that_is_not_known(name: str) -> None:
    """A payer of another name is not known, however near the name is."""
    found = visit(paid_by({"display": name})).payer
    assert (found.book, found.saw) == ("", (name,) if name else ())


def test_focal_insurance() -> None:
    """Of several insurances the focal one pays, else the first by sequence."""
    both = bundle(coverage("Aetna", "first"), coverage("Cigna", "second"))

    def insured(*insurance: Json) -> Json:
        return claim_request(claim(item(1, "97110"), insurance=list(insurance)), coverage=both)

    first = {"sequence": 2, "focal": False, "coverage": ref("Coverage", "first")}
    second = {"sequence": 1, "focal": False, "coverage": ref("Coverage", "second")}
    assert book(insured(first, second)) == "cigna"
    assert book(insured({**first, "focal": True}, second)) == "aetna"


def test_coverage_in_force() -> None:
    """Of the patient's Coverages an active one counts before a cancelled one, then the one to bill first."""
    old, second = coverage("Aetna", "a", status="cancelled", order=1), coverage("Cigna", "b", order=2)
    first = coverage("Humana", "c", order=1)
    assert book(order_request(order("o-1", "97110"), coverage=bundle(old, second, first))) == "humana"


@pytest.mark.parametrize(
    ("name", "book_id"),
    [
        ("BCBSNC Commercial", "bcbsnc"),
        ("American Commercial Insurance Co", ""),
        ("Medicare", "medicare-b"),
        ("UnitedHealthcare Medicare Advantage", ""),
        ("Medicare Part B supplement", ""),
        ("Healthy Blue (Blue Cross NC Medicaid)", ""),
        ("TriWest TRICARE West", ""),
        ("Self-pay (not Aetna)", ""),
        ("Aetna (NC State Health Plan)", "nc-shp"),
        ("Blue Cross of Wisconsin", ""),
    ],
)
def test_plan_beside_a_name(name: str, book_id: str) -> None:
    """A payer's name is no match where the words beside it speak of another plan."""
    assert book(paid_by({"display": name})) == book_id


def plan(name: str, kind: str = "plan") -> Json:
    return {"type": {"coding": [{"code": kind}]}, "value": "7", "name": name}


PLANS: dict[str, tuple[Json, str]] = {
    "the plan's name, where nobody is printed": ({"payor": [], "class": [plan("Blue Cross NC PPO")]}, "bcbsnc"),
    "the kind of coverage, where nobody is printed": ({"payor": [], "type": {"text": "Medicare Part B"}}, "medicare-b"),
    "R5: a class by an identifier": ({"payor": [], "class": [{"value": {"value": "MedCost"}}]}, "medcost"),
    "an employer is no plan": ({"payor": [], "class": [plan("Aetna", "group")]}, ""),
    "a payer's plan of Medicare is another plan": ({"class": [plan("Medicare Advantage HMO")]}, ""),
    "a payer's plan of its own": ({"class": [plan("Open Access PPO")]}, "bcbsnc"),
    "an employer does not speak against the payer": ({"class": [plan("Auto Workers Local 7", "group")]}, "bcbsnc"),
}


@pytest.mark.parametrize(("more", "book_id"), PLANS.values(), ids=PLANS)
def test_payer_by_plan(more: Json, book_id: str) -> None:
    """What a plan is called tells who pays where nothing else does, and may speak against the payer's own rules."""
    found = bundle(coverage(**more))
    assert book(claim_request(claim(item(1, "97110")), coverage=found)) == book_id


@pytest.mark.parametrize("written", ["mutual of  nowhere", "PLAN-77"])
def test_plan_edited_by_zelis(client: FlaskClient, written: str) -> None:
    """A plan that the practice has marked, by name or identifier, goes by the rules of plans that Zelis edits."""
    payer = {"display": "Mutual of Nowhere", "identifier": {"system": "urn:oid:2.999", "value": "plan-77"}}
    request = paid_by(payer)
    assert "facts.payer-unknown" in codes(cards(client, request))
    found = cards(create_app(Settings(zelis_plans=[written])).test_client(), request)
    assert "facts.payer-unknown" not in codes(found)
    assert all(finding(card)["edition"].startswith("zelis@") for card in found)
