"""Searches in pages: all are read that the limits allow, from the same server only; what is not read is said."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    DISCHARGE,
    ENCOUNTER,
    NECK,
    PATIENT,
    Json,
    bundle,
    claim,
    discharge_request,
    form,
    item,
    procedure,
    text,
)
from tests.exchange import cards, codes, finding, slots, the, with_code
from tests.fhir_stub import (
    CLAIM,
    GOALS,
    PROCEDURES,
    TOKEN,
    FhirStub,
    fhir_stub,
    installation,
    link,
    not_checked,
    status,
    unreadable,
    withheld,
)

CLAIMS = f"Claim?patient={PATIENT}&status=draft"
FIRST, SECOND = procedure("a", "97110", "09:00", 20), procedure("b", "97110", "09:20", 20)
THIRD = procedure("c", "97140", "09:40", 15, NECK)


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


@pytest.fixture
def listed(stub: FhirStub) -> FlaskClient:
    """An installation that may read from the server."""
    return installation(stub)


def page(*resources: Json, then: str = "") -> Json:
    return {**bundle(*resources), "link": link(then)} if then else bundle(*resources)


def minutes(found: list[Json]) -> Any:
    """The minutes that support the claim's three units, which are too many for less than 38."""
    return slots(the(found, "units.too-many"))["minutes"] if "units.too-many" in codes(found) else "enough"


NEXT = {
    "relative": "Procedure?page=2",
    "a query alone": "?_getpages=7&_offset=20",
    "a path": "/fhir/Procedure?page=2",
    "absolute": "{base}/Procedure?page=2",
    "absolute in other words": "{origin}/fhir/./x/../Procedure?page=2",
    "with what JSON escapes": "Procedure?page=2&name=ü",
}


@pytest.mark.parametrize("after", NEXT.values(), ids=NEXT)
@pytest.mark.parametrize("sent", [False, True], ids=["fetched", "first page sent"])
def test_next_page(stub: FhirStub, listed: FlaskClient, sent: bool, after: str) -> None:
    """The pages behind the first one are read, whether that was fetched or sent, and are reviewed as one."""
    first = page(FIRST, then=after.format(base=stub.base, origin=stub.origin))
    stub.otherwise = page(SECOND)
    stub.replies[PROCEDURES] = first
    body = withheld(CLAIM, "procedures", server=stub.base)
    if sent:
        body["prefetch"]["procedures"] = first
    found = cards(listed, body)
    assert (minutes(found), not_checked(found), unreadable(found)) == ("enough", [], [])
    assert len(stub.asked) == (1 if sent else 2)
    assert set(stub.tokens) == {f"Bearer {TOKEN}"}


def test_three_pages(stub: FhirStub, listed: FlaskClient) -> None:
    """Every page is read, each from the link of the one before; a page without entries ends nothing."""
    stub.replies = {
        PROCEDURES: page(then="p?2"),
        "p?2": page(FIRST, then="p?3"),
        "p?3": page(then="p?4"),
        "p?4": page(SECOND),
    }
    found = cards(listed, withheld(CLAIM, "procedures", server=stub.base))
    assert (minutes(found), not_checked(found)) == ("enough", [])
    assert stub.asked == [PROCEDURES, "p?2", "p?3", "p?4"]


AWAY = {
    "another host": "https://fhir.evil.example/fhir/Procedure?page=2",
    "without a scheme": "//fhir.evil.example/fhir/Procedure?page=2",
    "another port": "http://127.0.0.1:9/fhir/Procedure?page=2",
    "another scheme": "https://127.0.0.1/fhir/Procedure?page=2",
    "a user": "{scheme}fhir.clinic.example@evil.example/Procedure",
    "a backslash": "{base}\\@evil.example/Procedure",
    "another kind": "file:///etc/passwd",
    "no address": "http://[bad",
    "a line break": "{base}/Procedure?page=2\r\nX-Evil: 1",
}


@pytest.mark.parametrize("after", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("sent", [False, True], ids=["fetched", "first page sent"])
def test_next_page_elsewhere(stub: FhirStub, listed: FlaskClient, sent: bool, after: str) -> None:
    """A link that leads away from the server is not followed: what came is reviewed, and the rest is said."""
    first = page(FIRST, then=after.format(base=stub.base, scheme="http://"))
    stub.replies[PROCEDURES] = first
    body = withheld(CLAIM, "procedures", server=stub.base)
    if sent:
        body["prefetch"]["procedures"] = first
    found = cards(listed, body)
    assert (minutes(found), not_checked(found)) == (20, ["procedures"])
    assert stub.asked == ([] if sent else [PROCEDURES])


def test_endless(stub: FhirStub) -> None:
    """A server whose pages never end is read up to the installation's limit, and that is said."""
    pages = iter(range(10_000))

    def more(handler: Any) -> None:
        reply = status(200, text(page(FIRST, then=f"p?{next(pages)}")))
        assert callable(reply)
        reply(handler)

    stub.otherwise = more
    found = cards(installation(stub, fetch_pages=4), withheld(CLAIM, "procedures", server=stub.base))
    assert (minutes(found), not_checked(found)) == (20, ["procedures"])
    assert len(stub.asked) == 4


def test_circle(stub: FhirStub, listed: FlaskClient) -> None:
    """A page that links back to one before ends the reading, and that is said."""
    stub.replies = {PROCEDURES: page(FIRST, then="p?2"), "p?2": page(SECOND, then="p?3"), "p?3": page(then="p?2")}
    found = cards(listed, withheld(CLAIM, "procedures", server=stub.base))
    assert (minutes(found), not_checked(found)) == ("enough", ["procedures"])
    assert stub.asked == [PROCEDURES, "p?2", "p?3"]


def test_pages_count_together(stub: FhirStub) -> None:
    """The limit of bytes is for all pages of a search: what came before it is kept."""
    big = {**SECOND, "note": [{"text": "x" * 3000}]}
    stub.replies = {PROCEDURES: page(FIRST, then="p?2"), "p?2": page(big)}
    listed = installation(stub, fetch_bytes=2000)
    found = cards(listed, withheld(CLAIM, "procedures", server=stub.base))
    assert (minutes(found), not_checked(found)) == (20, ["procedures"])


BAD_PAGES: dict[str, Any] = {
    "500": status(500),
    "404": status(404),
    "HTML": status(200, b"<html></html>"),
    "half": status(200, b'{"resourceType": "Bundle", "entry": [{"res'),
    "an outcome": {"resourceType": "OperationOutcome", "issue": []},
    "another resource": {"resourceType": "Patient"},
    "entries that are none": {"resourceType": "Bundle", "entry": {}},
    "redirect": status(302, Location="/fhir/Procedure"),
}


@pytest.mark.parametrize("bad", BAD_PAGES.values(), ids=BAD_PAGES)
def test_bad_page(stub: FhirStub, listed: FlaskClient, bad: Any) -> None:
    """A page that cannot be had costs itself and those behind it; those before it count, and the rest is said."""
    stub.replies = {PROCEDURES: page(FIRST, then="p?2"), "p?2": bad}
    found = cards(listed, withheld(CLAIM, "procedures", server=stub.base))
    assert (minutes(found), not_checked(found)) == (20, ["procedures"])


def silent(handler: BaseHTTPRequestHandler) -> None:
    handler.rfile.read(1)  # until the client goes


def test_late_page(stub: FhirStub) -> None:
    """Pages that came before the deadline count, though the next one did not."""
    stub.replies = {PROCEDURES: page(FIRST, then="p?2"), "p?2": silent}
    found = cards(installation(stub, fetch_seconds=1), withheld(CLAIM, "procedures", server=stub.base))
    assert (minutes(found), not_checked(found)) == (20, ["procedures"])


@pytest.mark.parametrize("server", ["", "https://fhir.unlisted.example"])
def test_first_page_alone(client: FlaskClient, server: str) -> None:
    """Of a first page that cannot be completed the rest is said, and no more is called missing than without it."""
    body = {**CLAIM, "prefetch": {**CLAIM["prefetch"], "forms": page(then="p?2"), "procedures": bundle(FIRST)}}
    if server:
        body["fhirServer"] = server
    found = cards(client, body)
    body["prefetch"]["forms"] = {"resourceType": "OperationOutcome", "issue": []}
    assert not_checked(found) == ["forms"]
    assert [slots(one) for one in with_code(found, "documentation.missing")] == [
        slots(one) for one in with_code(cards(client, body), "documentation.missing")
    ]


def earlier(count: int) -> Json:
    """A first page of so many services of earlier visits, behind which there are more."""
    given = [procedure(f"old-{number}", "97110", performedDateTime="2026-02-27") for number in range(count)]
    return page(*given, then="Procedure?page=2")


@pytest.mark.parametrize(("count", "said"), [(100, []), (150, []), (99, ["history"]), (1, ["history"])])
@pytest.mark.parametrize("body", [CLAIM, discharge_request(FIRST)], ids=["decoded", "raw"])
@pytest.mark.parametrize("server", ["", "https://fhir.unlisted.example"])
def test_as_many_as_were_asked_for(client: FlaskClient, body: Json, count: int, said: list[str], server: str) -> None:
    """A history with as many entries as its template asks for is enough; nothing is said of the pages behind it."""
    sent = {**body, "prefetch": {**body["prefetch"], "history": earlier(count)}}
    assert not_checked(cards(client, {**sent, "fhirServer": server} if server else sent)) == said


def test_as_many_as_were_asked_for_and_fetched(stub: FhirStub, listed: FlaskClient) -> None:
    """Where the pages behind such a history cannot be read, it is enough as well."""
    stub.otherwise = status(500)
    body = withheld(CLAIM, server=stub.base)
    body["prefetch"]["history"] = earlier(100)
    assert not_checked(cards(listed, body)) == []
    assert stub.asked == ["Procedure?page=2"]


def test_forms_of_the_visit_may_be_behind(client: FlaskClient) -> None:
    """What documents the visit itself is wanted whole, however many came."""
    forms = page(*[form(f"f-{number}") for number in range(50)], then="QuestionnaireResponse?page=2")
    assert not_checked(cards(client, {**CLAIM, "prefetch": {**CLAIM["prefetch"], "forms": forms}})) == ["forms"]


def test_last_page(client: FlaskClient) -> None:
    """A page with links to itself and to those before it is the whole."""
    whole = {
        **bundle(FIRST, SECOND),
        "link": [{"relation": one, "url": "p?1"} for one in ("self", "first", "previous")],
    }
    found = cards(client, {**CLAIM, "prefetch": {**CLAIM["prefetch"], "procedures": whole}})
    assert (minutes(found), not_checked(found)) == ("enough", [])


@pytest.mark.parametrize("links", [None, {}, "next", [7], [{"relation": 7}], [{"relation": "next"}], [{"url": "p?2"}]])
def test_links_that_are_none(client: FlaskClient, links: Any) -> None:
    """Links that cannot be read cost nothing but themselves."""
    sent = {**bundle(FIRST, SECOND), "link": links}
    found = cards(client, {**CLAIM, "prefetch": {**CLAIM["prefetch"], "procedures": sent}})
    assert (minutes(found), not_checked(found)) == ("enough", [])


def test_draft_claim_on_the_second_page(stub: FhirStub, listed: FlaskClient) -> None:
    """A draft claim behind the first page is reviewed, and its fix is a patch of what the server sent."""
    draft = claim(item(1, "97110", 9), vendor={"kept": 65.50})
    stub.replies = {CLAIMS: page(claim(name="other", status="cancelled"), then="c?2"), "c?2": page(draft)}
    body = withheld(discharge_request(FIRST), "claims", server=stub.base)
    card = the(cards(listed, body, DISCHARGE), "units.too-many")
    assert finding(card)["lines"] == ["Claim/test-claim#1"]
    assert card["suggestions"][0]["actions"][0]["resource"]["vendor"] == {"kept": 65.50}


def test_several_keys_in_pages(stub: FhirStub, listed: FlaskClient) -> None:
    """Each key is completed by itself, and those that are whole stay as they are."""
    goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active"}
    stub.replies = {"p?2": page(SECOND, then="p?3"), "p?3": page(THIRD), GOALS: page(goal, then="g?2"), "g?2": page()}
    body = withheld(CLAIM, "goals", server=stub.base)
    body["prefetch"]["procedures"] = page(FIRST, then="p?2")
    found = cards(listed, body)
    assert (minutes(found), not_checked(found)) == ("enough", [])
    assert sorted(stub.asked) == sorted([GOALS, "g?2", "p?2", "p?3"])


def test_encounter_in_a_bundle(stub: FhirStub, listed: FlaskClient) -> None:
    """A read that is answered with a Bundle around the resource is read."""
    stub.replies[f"Encounter/{ENCOUNTER}"] = bundle(CLAIM["prefetch"]["encounter"])
    assert not_checked(cards(listed, withheld(CLAIM, "encounter", server=stub.base))) == []
