"""Requests that break CDS Hooks or FHIR: a 4xx that names the place, never the caller's values, never a traceback."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import (
    CLAIM_SUBMIT,
    DISCHARGE,
    ORDER_SIGN,
    Json,
    changed,
    claim,
    discharge_request,
    order,
    order_request,
    text,
)
from tests.exchange import expressions, outcome, send
from tests.visits import CLEAN, FAULTY, chiro

SECRET = "Zebedee Quixworth"
CLAIM = chiro("59", "GP")
ORDERS = order_request(order("o-1", "97110", 2), order("o-2", "97140"))
VISIT = discharge_request()
GOOD = {CLAIM_SUBMIT: CLAIM, ORDER_SIGN: ORDERS, DISCHARGE: VISIT}


def without(body: Json, *path: str) -> Json:
    """The request without one member."""
    *way, last = path
    copied = json.loads(json.dumps(body))
    place = copied
    for step in way:
        place = place[step]
    del place[last]
    return dict(copied)


def in_claim(*path: str | int, to: Any) -> Json:
    return changed(CLAIM, "context", "claim", *path, to=to)


def raw(body: Json, old: str, new: bytes) -> bytes:
    """The request's text with some of it replaced."""
    found = text(body)
    assert old.encode() in found
    return found.replace(old.encode(), new, 1)


NOT_JSON: dict[str, bytes] = {
    "no body": b"",
    "white space": b" \n ",
    "words": b"Zebedee Quixworth",
    "cut": text(CLAIM)[:-7],
    "form data": b"hook=order-sign&context=%7B%7D",
    "XML": b"<Claim xmlns='http://hl7.org/fhir'/>",
    "two values": text(CLAIM) + b"{}",
    "NaN": raw(CLAIM, '"value": 1', b'"value": NaN'),
    "Infinity": raw(CLAIM, '"value": 1', b'"value": -Infinity'),
    "NaN in a part that is passed over": raw(CLAIM, '"use": "claim"', b'"use": "claim", "vendor": [NaN]'),
    "single quotes": b"{'hook': 'order-sign'}",
    "a comment": b"/* hello */ " + text(CLAIM),
    "byte order mark alone": b"\xef\xbb\xbf",
    "UTF-16": text(CLAIM).decode().encode("utf-16"),
    "invalid UTF-8": raw(CLAIM, "claim-submit", b"claim\xff-submit"),
    "invalid UTF-8 in a value": raw(CLAIM, "North Carolina", b"North \xc3\x28 Carolina"),
    "invalid UTF-8 in a part that is passed over": raw(CLAIM, '"use": "claim"', b'"use": "claim", "x": "\xfe"'),
    "invalid UTF-8 in a name that is passed over": raw(CLAIM, '"use": "claim"', b'"use": "claim", "\xed\xa0\x80": 1'),
    "invalid UTF-8 beside the members": raw(CLAIM, '"hook":', b'"vendor": {"\xff": 1}, "hook":'),
    "lone surrogate": raw(CLAIM, "North Carolina", b"North \\ud800 Carolina"),
    "lone surrogate in a part that is passed over": raw(CLAIM, '"use": "claim"', b'"use": "claim", "x": "\\udc00 "'),
    "lone surrogate in a name": raw(CLAIM, '"use": "claim"', b'"use": "claim", "\\ud800": 1'),
    "control character": raw(CLAIM, "North Carolina", b"North \x00 Carolina"),
    "2 MB of junk": b"\x00\xff}{" * 500_000,
    "2 MB of brackets": b"[" * 2_000_000,
}

DEEP = b"[" * 100_000 + b"]" * 100_000

REFUSED: list[tuple[str, str, Json | bytes, list[str]]] = [
    ("a list", CLAIM_SUBMIT, b"[]", []),
    ("a number", CLAIM_SUBMIT, b"7", []),
    ("null", CLAIM_SUBMIT, b"null", []),
    ("an empty object", CLAIM_SUBMIT, b"{}", ["hook"]),
    ("no hook", CLAIM_SUBMIT, without(CLAIM, "hook"), ["hook"]),
    ("no hookInstance", CLAIM_SUBMIT, without(CLAIM, "hookInstance"), ["hookInstance"]),
    ("no context", CLAIM_SUBMIT, without(CLAIM, "context"), ["context"]),
    ("hook null", CLAIM_SUBMIT, changed(CLAIM, "hook", to=None), ["hook"]),
    ("hook a number", CLAIM_SUBMIT, changed(CLAIM, "hook", to=7), ["hook"]),
    ("hook of another service", CLAIM_SUBMIT, changed(CLAIM, "hook", to="order-sign"), ["hook"]),
    ("hook of nobody", ORDER_SIGN, changed(ORDERS, "hook", to="order-select"), ["hook"]),
    ("hook empty", DISCHARGE, changed(VISIT, "hook", to=""), ["hook"]),
    ("hookInstance a number", CLAIM_SUBMIT, changed(CLAIM, "hookInstance", to=7), ["hookInstance"]),
    ("hookInstance null", CLAIM_SUBMIT, changed(CLAIM, "hookInstance", to=None), ["hookInstance"]),
    ("hookInstance no UUID", CLAIM_SUBMIT, changed(CLAIM, "hookInstance", to="17"), ["hookInstance"]),
    ("hookInstance a name", CLAIM_SUBMIT, changed(CLAIM, "hookInstance", to=SECRET), ["hookInstance"]),
    ("context a list", CLAIM_SUBMIT, changed(CLAIM, "context", to=[]), ["context"]),
    ("context null", CLAIM_SUBMIT, changed(CLAIM, "context", to=None), ["context"]),
    ("context text", CLAIM_SUBMIT, changed(CLAIM, "context", to=SECRET), ["context"]),
    ("prefetch a list", CLAIM_SUBMIT, changed(CLAIM, "prefetch", to=[]), ["prefetch"]),
    ("prefetch text", CLAIM_SUBMIT, changed(CLAIM, "prefetch", to=SECRET), ["prefetch"]),
    ("fhirServer a number", CLAIM_SUBMIT, {**CLAIM, "fhirServer": 7}, ["fhirServer"]),
    ("fhirServer an object", CLAIM_SUBMIT, {**CLAIM, "fhirServer": {}}, ["fhirServer"]),
    ("authorization text", CLAIM_SUBMIT, {**CLAIM, "fhirAuthorization": SECRET}, ["fhirAuthorization"]),
    (
        "token a number",
        CLAIM_SUBMIT,
        {**CLAIM, "fhirAuthorization": {"access_token": 7}},
        ["fhirAuthorization.access_token"],
    ),
    ("userId a number", CLAIM_SUBMIT, changed(CLAIM, "context", "userId", to=7), ["context.userId"]),
    ("userId empty", CLAIM_SUBMIT, changed(CLAIM, "context", "userId", to=""), ["context.userId"]),
    ("patientId null", CLAIM_SUBMIT, changed(CLAIM, "context", "patientId", to=None), ["context.patientId"]),
    ("encounterId a list", CLAIM_SUBMIT, changed(CLAIM, "context", "encounterId", to=[]), ["context.encounterId"]),
    *(
        (f"no {name} for {service}", service, without(body, "context", name), [f"context.{name}"])
        for service, body in GOOD.items()
        for name in {
            CLAIM_SUBMIT: ("userId", "patientId", "claim"),
            ORDER_SIGN: ("userId", "patientId", "draftOrders"),
            DISCHARGE: ("userId", "patientId", "encounterId"),
        }[service]
    ),
    (
        "claim null",
        CLAIM_SUBMIT,
        changed(CLAIM, "context", "claim", to=None),
        ["context.claim"],
    ),
    ("claim text", CLAIM_SUBMIT, changed(CLAIM, "context", "claim", to=SECRET), ["context.claim"]),
    ("claim a list", CLAIM_SUBMIT, changed(CLAIM, "context", "claim", to=[]), ["context.claim"]),
    ("claim without a type", CLAIM_SUBMIT, changed(CLAIM, "context", "claim", to={}), ["context.claim"]),
    ("claim of another type", CLAIM_SUBMIT, in_claim("resourceType", to="Procedure"), ["context.claim"]),
    ("claim of no type", CLAIM_SUBMIT, in_claim("resourceType", to=7), ["context.claim"]),
    (
        "draftOrders of another type",
        ORDER_SIGN,
        changed(ORDERS, "context", "draftOrders", to=claim()),
        ["context.draftOrders"],
    ),
    ("draftOrders a list", ORDER_SIGN, changed(ORDERS, "context", "draftOrders", to=[]), ["context.draftOrders"]),
    ("draftOrders text", ORDER_SIGN, changed(ORDERS, "context", "draftOrders", to=SECRET), ["context.draftOrders"]),
    (
        "units as text",
        CLAIM_SUBMIT,
        in_claim("item", 1, "quantity", "value", to="3"),
        ["context.claim.item[1].quantity.value"],
    ),
    (
        "units true",
        CLAIM_SUBMIT,
        in_claim("item", 1, "quantity", "value", to=True),
        ["context.claim.item[1].quantity.value"],
    ),
    ("quantity a number", CLAIM_SUBMIT, in_claim("item", 0, "quantity", to=3), ["context.claim.item[0].quantity"]),
    ("items an object", CLAIM_SUBMIT, in_claim("item", to={"sequence": 1}), ["context.claim.item"]),
    ("an item null", CLAIM_SUBMIT, in_claim("item", 0, to=None), ["context.claim.item[0]"]),
    ("sequence text", CLAIM_SUBMIT, in_claim("item", 0, "sequence", to="1"), ["context.claim.item[0].sequence"]),
    ("modifier text", CLAIM_SUBMIT, in_claim("item", 1, "modifier", to="59"), ["context.claim.item[1].modifier"]),
    (
        "units beyond every number",
        CLAIM_SUBMIT,
        raw(CLAIM, '"value": 1', b'"value": 1e400'),
        ["context.claim.item[0].quantity.value"],
    ),
    (
        "units of 5000 digits",
        CLAIM_SUBMIT,
        raw(CLAIM, '"value": 1', b'"value": ' + b"9" * 5000),
        ["context.claim.item[0].quantity.value"],
    ),
    ("deep claim", CLAIM_SUBMIT, raw(CLAIM, '"use": "claim"', b'"use": ' + DEEP), []),
    ("deep context", CLAIM_SUBMIT, raw(CLAIM, '"userId":', b'"x": ' + DEEP + b', "userId":'), []),
    ("deep prefetch", CLAIM_SUBMIT, raw(CLAIM, '"goals": null', b'"goals": ' + DEEP), []),
    ("deep beside the members", CLAIM_SUBMIT, raw(CLAIM, '"hook":', b'"x": ' + DEEP + b', "hook":'), []),
    ("deep alone", CLAIM_SUBMIT, DEEP, []),
]


def assert_tells_nothing(answer_text: str) -> None:
    for word in ("Traceback", 'File "', "site-packages", SECRET, "test-patient"):
        assert word not in answer_text


def named(body: Json | bytes) -> Json | bytes:
    """The request with a patient's name in a place that every service passes over."""
    return {**body, "vendor": {"patientName": SECRET}} if isinstance(body, dict) else body


@pytest.mark.parametrize("name", NOT_JSON)
@pytest.mark.parametrize("service", [CLAIM_SUBMIT, DISCHARGE])
def test_not_json(client: FlaskClient, service: str, name: str) -> None:
    """A body that is not JSON in UTF-8 is refused, and the next good request is answered."""
    answer = send(client, NOT_JSON[name], service)
    assert answer.status_code == 400
    assert_tells_nothing(json.dumps(outcome(answer)))
    assert send(client, CLAIM).get_json() == {"cards": []}


@pytest.mark.parametrize(("name", "service", "body", "paths"), REFUSED, ids=[one[0] for one in REFUSED])
def test_refused(client: FlaskClient, name: str, service: str, body: Json | bytes, paths: list[str]) -> None:
    """A request that breaks the protocol or FHIR is refused with the path, and the next good one is answered."""
    answer = send(client, named(body), service)
    assert (answer.status_code, expressions(answer)) == (400, paths), name
    assert_tells_nothing(json.dumps(outcome(answer)))
    assert send(client, GOOD[service], service).status_code == 200


@pytest.mark.parametrize("member", ["hook", "hookInstance", "context"])
def test_missing_member_is_named(client: FlaskClient, member: str) -> None:
    """The refusal of a request without a required member names it, as a path too."""
    issue = outcome(send(client, without(CLAIM, member), CLAIM_SUBMIT))["issue"][0]
    assert issue["expression"] == [member]
    assert issue["diagnostics"].startswith(f"{member}: ")


@pytest.mark.parametrize("service", [*GOOD, "visitcue", "../../etc/passwd", "%00", SECRET])
def test_unknown_service(client: FlaskClient, service: str) -> None:
    """A service that is not there is a 404 that lists those that are."""
    answer = client.post(f"/cds-services/x{service}", json=CLAIM)
    assert answer.status_code == 404
    assert_tells_nothing(json.dumps(outcome(answer)))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_wrong_method(client: FlaskClient, method: str) -> None:
    """A service is called by POST alone."""
    answer = client.open(f"/cds-services/{CLAIM_SUBMIT}", method=method)
    assert answer.status_code == 405
    outcome(answer)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"])
def test_wrong_content_type(client: FlaskClient, kind: str) -> None:
    """A body that is not JSON by its content type is a 415."""
    answer = client.post(f"/cds-services/{CLAIM_SUBMIT}", data=text(CLAIM), content_type=kind)
    assert answer.status_code == 415
    outcome(answer)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/fhir+json"])
def test_content_types(client: FlaskClient, kind: str) -> None:
    """JSON is accepted under its own content type, with parameters, and under FHIR's."""
    answer = client.post(f"/cds-services/{CLAIM_SUBMIT}", data=text(CLAIM), content_type=kind)
    assert answer.get_json() == {"cards": []}


@pytest.mark.parametrize(("size", "status"), [(-1, 200), (1, 413), (1_000_000, 413)])
def test_too_large(size: int, status: int) -> None:
    """A body above the installation's limit is a 413; one below it is answered."""
    small = create_app(Settings(max_body_bytes=len(text(CLAIM)) + 100)).test_client()
    assert send(small, text(CLAIM) + b" " * (100 + size), CLAIM_SUBMIT).status_code == status
    assert send(small, CLAIM).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/cds-services/", "/nothing", "/fhir/Questionnaire/visit-documentation", "/.env"]
)
def test_other_paths(client: FlaskClient, path: str) -> None:
    """Whatever path is called, the answer is a page, a resource or an OperationOutcome, and no failure."""
    answer = client.get(path)
    assert answer.status_code in (200, 404)
    if answer.status_code == 404:
        outcome(answer)


@pytest.mark.parametrize("name", [*FAULTY, *CLEAN])
def test_unknown_elements(client: FlaskClient, name: str) -> None:
    """Unknown members, elements and prefetch keys make no difference to the findings."""
    body = {**FAULTY, **CLEAN}[name]
    extra = {**body, "vendor": {"deep": [1, {}]}, "prefetch": {**body["prefetch"], "vendor": {"resourceType": "X"}}}
    extra["context"] = {**body["context"], "vendor": [SECRET]}
    assert send(client, extra).data == send(client, body).data
