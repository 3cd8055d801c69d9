"""Hostile bodies: whatever stands wherever in them, the caller is told and the next request is served."""

import json
import tracemalloc
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    CLAIM_SUBMIT,
    DISCHARGE,
    ORDER_SIGN,
    Json,
    bundle,
    changed,
    claim,
    claim_request,
    discharge_request,
    item,
    order,
    order_request,
    text,
)
from tests.exchange import SERVICE_OF, cards, codes, expressions, outcome, send, slots, the
from tests.visits import CMT_NECK, EXERCISE, MANUAL, chiro

HERE = "PUT-IT-HERE"
CLAIM = chiro("59", "GP")
SILENT = b'{"cards":[]}'
PERFORMED = {**EXERCISE, "performer": [{"actor": {"display": HERE}}]}
INSIDE = {**EXERCISE, "contained": [{"resourceType": "Practitioner", "id": "in", "vendor": HERE}]}

PLACES: dict[str, Json] = {
    "beside the members": {**CLAIM, "vendor": HERE},
    "extension": {**CLAIM, "extension": {"vendor": [HERE]}},
    "context": changed(CLAIM, "context", "vendor", to=HERE),
    "claim": changed(CLAIM, "context", "claim", "vendor", to=HERE),
    "a contained resource": changed(CLAIM, "context", "claim", "contained", to=[{"resourceType": "X", "y": HERE}]),
    "units": changed(CLAIM, "context", "claim", "item", 0, "quantity", "value", to=HERE),
    "beside units": changed(CLAIM, "context", "claim", "item", 0, "quantity", "vendor", to=HERE),
    "an order": order_request(order("o-1", "97110", 3, vendor=HERE), procedures=(EXERCISE,)),
    "an order of others": order_request(order("o-1", "97110", 3), {"resourceType": "MedicationRequest", "x": HERE}),
    "a prefetch key of nobody": changed(CLAIM, "prefetch", "vendor", to=HERE),
    "a prefetch key": changed(CLAIM, "prefetch", "goals", to=HERE),
    "a record": claim_request(claim(item(1, "97110", 2)), {**EXERCISE, "vendor": HERE}),
    "a note": claim_request(claim(item(1, "97110", 2)), {**EXERCISE, "note": [{"text": HERE}]}),
    "a part that stays raw": claim_request(claim(item(1, "97110", 2)), PERFORMED),
    "a resource within a record": claim_request(claim(item(1, "97110", 2)), INSIDE),
    "a record that stays raw": discharge_request(CMT_NECK, MANUAL, claims=bundle(claim(item(1, "97140"), vendor=HERE))),
}

NO_JSON: dict[str, bytes] = {
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "100,000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 lists that do not end": b"[" * 100_000,
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "nan in a list": b"[1, NaN]",
    "half a surrogate": b'"\\ud800"',
    "the other half": b'"x\\udc00"',
    "halves in the wrong order": b'"\\udc00\\ud800"',
    "surrogates in bytes": b'"\xed\xa0\x80"',
    "bytes of no text": b'"\xff\xfe"',
    "an overlong slash": b'"\xc0\xaf"',
    "NUL": b'"a\x00b"',
    "a line within a string": b'"a\nb"',
    "an escape of nothing": b'"\\x41"',
    "a comment": b"1 /* one */",
    "a comma too many": b"[1, 2,]",
    "a comma at the end": b'{"a": 1,}',
    "hexadecimal": b"0x10",
    "a leading zero": b"01",
    "a plus": b"+1",
    "a bare word": b"undefined",
    "Python's": b"None",
    "single quotes": b"'a'",
}
JSON: dict[str, bytes] = {
    "5,000 digits": b"9" * 5000,
    "5,000 digits after the point": b"0." + b"1" * 5000,
    "an exponent beyond all": b"1e999999",
    "an exponent beneath all": b"-1e-999999",
    "a string of 5 MB": b'"' + b"x" * 5_000_000 + b'"',
    "a million numbers": b"[" + b"1," * 1_000_000 + b"1]",
    "100,000 members": b"{" + b",".join(b'"m%d":0' % number for number in range(100_000)) + b"}",
    "escaped NUL": b'"a\\u0000b"',
    "400 lists": b"[" * 400 + b"]" * 400,
    "markup": b'"</script><img src=x onerror=alert(1)>"',
}


def with_it(place: str, what: bytes) -> bytes:
    """The request of a place with this in it."""
    found = text(PLACES[place])
    assert found.count(f'"{HERE}"'.encode()) == 1
    return found.replace(f'"{HERE}"'.encode(), what)


def service_of(place: str) -> str:
    return SERVICE_OF[PLACES[place]["hook"]]


@pytest.mark.parametrize("what", NO_JSON)
@pytest.mark.parametrize("place", PLACES)
def test_no_json_anywhere(client: FlaskClient, place: str, what: str) -> None:
    """What is no JSON, or too deep to be read, is refused wherever it stands, also where nobody looks at it."""
    answer = send(client, with_it(place, NO_JSON[what]), service_of(place))
    assert answer.status_code == 400
    assert outcome(answer)["issue"][0]["code"] in ("structure", "too-costly", "invalid")
    assert send(client, CLAIM).data == SILENT


@pytest.mark.parametrize("what", JSON)
@pytest.mark.parametrize("place", PLACES)
def test_odd_json_anywhere(client: FlaskClient, place: str, what: str) -> None:
    """Odd JSON is answered, or refused where it stands for something that is read; nothing else is said of it."""
    answer = send(client, with_it(place, JSON[what]), service_of(place))
    assert answer.status_code == 200 or (answer.status_code == 400 and expressions(answer))
    assert len(answer.data) < 6_000_000
    assert b"onerror" not in answer.data or answer.status_code == 200
    assert send(client, CLAIM).data == SILENT


WHOLE: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \r\n\t",
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a string": b'"hook"',
    "a list": b"[]",
    "a list of requests": b"[" + text(CLAIM) + b"]",
    "an empty object": b"{}",
    "NUL": b"\x00",
    "NULs": b"\x00" * 10_000,
    "two requests": text(CLAIM) + text(CLAIM),
    "a line for each": text(CLAIM) + b"\n" + text(CLAIM),
    "a comma behind it": text(CLAIM) + b",",
    "NUL behind it": text(CLAIM) + b"\x00",
    "a comment before it": b"// a request\n" + text(CLAIM),
    "a guard before it": b")]}',\n" + text(CLAIM),
    "XML": b"<?xml version='1.0'?><Bundle xmlns='http://hl7.org/fhir'/>",
    "entities": b"<!DOCTYPE a [<!ENTITY b 'b'><!ENTITY c '&b;&b;'>]><a>&c;</a>",
    "HTML": b"<html><body>502 Bad Gateway</body></html>",
    "a form": b"hook=order-sign&hookInstance=1",
    "YAML": b"hook: order-sign\n",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "zip": b"PK\x03\x04",
    "half of it": text(CLAIM)[: len(text(CLAIM)) // 2],
    "UTF-8 with a mark": b"\xef\xbb\xbf" + text(CLAIM),
    "UTF-16": text(CLAIM).decode().encode("utf-16"),
    "UTF-16 without a mark": text(CLAIM).decode().encode("utf-16-be"),
    "UTF-32": text(CLAIM).decode().encode("utf-32"),
    "UTF-32 without a mark": text(CLAIM).decode().encode("utf-32-le"),
    "Latin-1": json.dumps({**CLAIM, "vendor": "Zürich"}, ensure_ascii=False).encode("latin-1"),
}


@pytest.mark.parametrize("what", WHOLE)
@pytest.mark.parametrize("service", [CLAIM_SUBMIT, ORDER_SIGN, DISCHARGE])
def test_no_request(client: FlaskClient, service: str, what: str) -> None:
    """A body that is no hook request, or none in UTF-8, is a 400."""
    answer = send(client, WHOLE[what], service)
    assert answer.status_code == 400
    assert outcome(answer)["issue"]
    assert send(client, CLAIM).data == SILENT


ENCODINGS = ["UTF-8 with a mark", "UTF-16", "UTF-16 without a mark", "UTF-32", "UTF-32 without a mark", "Latin-1"]


@pytest.mark.parametrize("what", [*ENCODINGS, "XML", "HTML", "gzip", "empty"])
def test_what_was_expected(client: FlaskClient, what: str) -> None:
    """A body in another encoding or format is told that UTF-8 is expected, or JSON."""
    told = outcome(send(client, WHOLE[what], CLAIM_SUBMIT))["issue"][0]["diagnostics"]
    assert "UTF-8" in told or "JSON" in told


DOUBLED: list[tuple[str, str, str, str]] = [
    ("hook", '"hook":', '"hook": "order-sign", "hook":', "hook"),
    ("hookInstance", '"hookInstance":', '"hookInstance": "x", "hookInstance":', "hookInstance"),
    ("the context", '"context":', '"context": {}, "context":', "context"),
    ("the context, escaped", '"context":', '"conte\\u0078t": {}, "context":', "context"),
    ("prefetch", '"prefetch":', '"prefetch": null, "prefetch":', "prefetch"),
    ("patientId", '"patientId":', '"patientId": "other", "patientId":', "context.patientId"),
    ("claim", '"claim":', '"claim": null, "claim":', "context.claim"),
    ("resourceType", '"resourceType": "Claim"', '"resourceType": "Bundle", "resourceType": "Claim"',
     "context.claim.resourceType"),
    ("item", '"item":', '"item": [], "item":', "context.claim.item"),
    ("units", '"value": 1', '"value": 9, "value": 1', "context.claim.item[0].quantity.value"),
    ("quantity", '"quantity":', '"quantity": {"value": 9}, "quantity":', "context.claim.item[0].quantity"),
    ("the same thing twice", '"use": "claim"', '"use": "claim", "use": "claim"', "context.claim.use"),
    ("in an element of nobody", '"use": "claim"', '"use": "claim", "x": [{"a": 1, "a": 2}]', "context.claim.x[0].a"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "path"), DOUBLED, ids=[one[0] for one in DOUBLED])
def test_doubled(client: FlaskClient, name: str, old: str, new: str, path: str) -> None:
    """Two members of one name are refused by their path, in the envelope, in the context and all through the draft."""
    sent = text(CLAIM)
    assert old.encode() in sent
    answer = send(client, sent.replace(old.encode(), new.encode(), 1), CLAIM_SUBMIT)
    assert (answer.status_code, expressions(answer)) == (400, [path]), name


@pytest.mark.parametrize("name", ["Zebedee Quixworth", "zebedee.quixworth@example.org", "x" * 5000, "é", ""])
@pytest.mark.parametrize("old", ['"hook":', '"patientId":', '"use":'])
def test_doubled_names_are_not_repeated(client: FlaskClient, old: str, name: str) -> None:
    """Of two members whose name is none of FHIR's or CDS Hooks' only the object is told."""
    twice = f"{json.dumps(name)}: 1, {json.dumps(name)}: 2, {old}"
    answer = send(client, text(CLAIM).replace(old.encode(), twice.encode(), 1), CLAIM_SUBMIT)
    assert answer.status_code == 400
    assert json.dumps(name)[1:-1] not in answer.get_data(as_text=True) or not name
    assert b"Zebedee" not in answer.data


def test_doubled_in_one_of_several(client: FlaskClient) -> None:
    """A Claim of a batch, or an order, in which something stands twice costs only itself, and is said."""
    old, new = b'"value": 4711', b'"value": 1, "value": 2'
    batch = bundle(claim(item(1, "97110", 4711), name="a"), claim(item(1, "97110", 3), name="b"), kind="collection")
    found = cards(client, text(claim_request(batch, EXERCISE)).replace(old, new), CLAIM_SUBMIT)
    assert slots(the(found, "facts.unreadable"))["paths"] == ["context.claim.entry[0].resource.item[0].quantity.value"]
    assert "units.too-many" in codes(found)
    orders = order_request(order("o-1", "97110", 4711), order("o-2", "97110", 3), procedures=(EXERCISE,))
    found = cards(client, text(orders).replace(old, new), ORDER_SIGN)
    assert slots(the(found, "facts.unreadable"))["paths"] == [
        "context.draftOrders.entry[0].resource.quantityQuantity.value"
    ]


@pytest.mark.parametrize("old", ['"goals":', '"status": "completed"', '"subject":'])
def test_doubled_in_the_record(client: FlaskClient, old: str) -> None:
    """The record that comes along is not looked through for members of one name."""
    body = text(claim_request(claim(item(1, "97110", 2)), EXERCISE))
    assert old.encode() in body
    assert send(client, body.replace(old.encode(), f'"vendor": 1, "vendor": 2, {old}'.encode(), 1)).data == SILENT


@pytest.mark.parametrize("name", ["a", "b", "quantity", "e\u0301"])
def test_one_of_each(client: FlaskClient, name: str) -> None:
    """The same name in objects beside and within one another, and names that only look alike, are no doubles."""
    more: dict[str, Any] = {name: {name: {name: 1}}, "one": {name: 1}, "two": [{name: 1}, {name: 2}], "é": 1}
    assert send(client, changed(CLAIM, "context", "claim", "vendor", to=more)).data == SILENT


def test_memory_of_a_refusal(client: FlaskClient) -> None:
    """A refused body of 5 MB leaves nothing behind, and takes some times its size while it is looked at."""
    sent = with_it("claim", JSON["100,000 members"] + b", 7")
    send(client, sent, CLAIM_SUBMIT)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            assert send(client, sent, CLAIM_SUBMIT).status_code == 400
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1_000_000
    assert peak < 20 * len(sent) + 1_000_000
