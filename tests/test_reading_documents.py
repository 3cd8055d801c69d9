"""FHIR to facts: the notes of a visit as a whole, wherever and however they are written."""

import base64
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    BCBSNC,
    DAY,
    ENCOUNTER,
    PATIENT,
    Json,
    bundle,
    claim,
    claim_request,
    form,
    item,
    order,
    procedure,
    ref,
)
from tests.builders import order_request as ordered
from tests.exchange import cards, codes, finding
from tests.facts_of import answered, line, unreadable, visit

WORDS = "Therapeutic exercise: bridges 3x10."
LOINC = "http://loinc.org"
THERE = ref("Encounter", "another-visit")
XHTML = f'<?xml version="1.0"?><div xmlns="http://www.w3.org/1999/xhtml">{WORDS}</div>'


def packed(text: str | bytes, encoding: str = "utf-8") -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode(encoding)).decode()


def attached(text: str | bytes = WORDS, kind: str | None = "text/plain", /, **more: Any) -> Json:
    attachment = {"contentType": kind, "data": packed(text), **more}
    return {"attachment": {key: value for key, value in attachment.items() if value is not None}}


def document(*content: Json, name: str = "note", **more: Any) -> Json:
    """A progress note of the visit, as R4 writes it."""
    told = {
        "resourceType": "DocumentReference",
        "id": name,
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": LOINC, "code": "11506-3", "display": "Progress note"}]},
        "subject": ref("Patient", PATIENT),
        "date": f"{DAY}T18:00:00Z",
        "context": {"encounter": [ref("Encounter", ENCOUNTER)]},
        "content": list(content) or [attached()],
    } | more
    return {key: value for key, value in told.items() if value is not None}


LACKING = {"forms": None, "procedures": bundle(procedure("exercise", "97110", "09:00", 15))}


def sent(*resources: Json, **more: Any) -> Json:
    """A visit with exercise and these resources under `documents`, without any form."""
    return claim_request(claim(item(1, "97110")), **{**LACKING, "documents": bundle(*resources), **more})


def texts(request: Json) -> list[str]:
    return [one.text for one in visit(request).documents]


def unread(request: Json) -> list[str]:
    return [one.path for one in visit(request).unread]


TYPES: list[tuple[str, Json]] = [
    ("plain", attached()),
    ("plain with a charset", attached(WORDS.encode(), "text/plain; charset=UTF-8")),
    ("plain in another charset", attached(f"{WORDS} é".encode("latin-1"), 'text/plain;charset="iso-8859-1"')),
    ("plain in UTF-16", attached(WORDS.encode("utf-16"), "text/plain; charset=utf-16")),
    ("plain in UTF-16, not said", attached(WORDS.encode("utf-16"), None)),
    ("a charset that there is not", attached(WORDS, "text/plain; charset=klingon")),
    ("bytes that are no UTF-8", attached(f"{WORDS} é".encode("cp1252"), "text/plain")),
    ("markdown", attached(f"## Treatment\n\n- {WORDS}", "text/markdown")),
    ("HTML", attached(f"<html><body><p>{WORDS}</p></body></html>", "text/html; charset=utf-8")),
    ("XHTML", attached(XHTML, "application/xhtml+xml")),
    ("CDA", attached(f"<ClinicalDocument><text><paragraph>{WORDS}</paragraph></text></ClinicalDocument>", "text/xml")),
    ("RTF", attached("{\\rtf1\\ansi " + WORDS + "\\par}", "application/rtf")),
    ("RTF that is called text", attached("{\\rtf1\\ansi " + WORDS + "\\par}", "text/plain")),
    ("HTML that is called text", attached(f"<p>{WORDS}</p>", "text/plain")),
    ("no type", attached(WORDS, None)),
    ("any bytes", attached(WORDS, "application/octet-stream")),
    ("a type in capitals", attached(WORDS, "Text/Plain")),
    ("broken lines of base64", {"attachment": {"contentType": "text/plain", "data": "\r\n".join(packed(WORDS * 3))}}),
    ("base64 without its end", {"attachment": {"contentType": "text/plain", "data": packed(WORDS).rstrip("=")}}),
    ("a data address", {"attachment": {"url": f"data:text/plain;base64,{packed(WORDS)}"}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), TYPES, ids=[one[0] for one in TYPES])
def test_types(name: str, content: Json) -> None:
    """The text of a note is read out of plain text, Markdown, HTML, XML and RTF in any charset, without its markup."""
    body = sent(document(content))
    (text,) = texts(body)
    assert WORDS in text
    assert not any(mark in text for mark in ("<", "\\par", "{")), name
    assert not unreadable(body)
    assert not unread(body)


BINARY = {"resourceType": "Binary", "id": "b1", "contentType": "text/plain", "data": packed(WORDS)}


@pytest.mark.parametrize("url", ["Binary/b1", "https://ehr.example/fhir/Binary/b1", "Binary/b1/_history/2"])
def test_binary_sent_along(url: str) -> None:
    """A note whose bytes are a Binary of the same request is read, however it is referred to."""
    assert texts(sent(document({"attachment": {"url": url}}), BINARY)) == [WORDS]


def test_contained_binary() -> None:
    """A note whose bytes are a contained Binary is read."""
    assert texts(sent(document({"attachment": {"url": "#b1"}}, contained=[BINARY]))) == [WORDS]


@pytest.mark.parametrize("kind", ["application/pdf", "image/png", "image/tiff", "audio/mpeg", "application/msword"])
def test_scan(kind: str) -> None:
    """A scan, picture or other file without text is no error: it is kept by name, as one that cannot be read."""
    body = sent(document(attached(b"%PDF-1.7 \0\1", kind)))
    assert texts(body) == []
    assert unread(body) == ["DocumentReference/note"]
    assert not unreadable(body)


@pytest.mark.parametrize("start", [b"%PDF-1.7", b"\x89PNG\r\n\0\0"])
def test_scan_without_a_type(start: bytes) -> None:
    """What a file is shows in its first bytes where no type is stated."""
    assert unread(sent(document(attached(start, None)))) == ["DocumentReference/note"]


def test_scan_beside_its_text() -> None:
    """Of several forms of one note the first that can be read counts, and the others are not asked for."""
    body = sent(document(attached(b"%PDF-1.7", "application/pdf"), attached()))
    assert texts(body) == [WORDS]
    assert not unread(body)


@pytest.mark.parametrize(
    "content",
    [[{"attachment": {"url": "Binary/elsewhere"}}], [{"attachment": {"title": "note"}}], [{}], []],
)
def test_text_not_sent(content: list[Json]) -> None:
    """A note whose text did not come along is kept by name."""
    body = sent(document(content=content))
    assert unread(body) == ["DocumentReference/note"]
    assert not unreadable(body)


@pytest.mark.parametrize("data", ["not base64!", "====", "é"])
def test_broken_base64(data: str) -> None:
    """Broken base64 costs only its note, and is said with its place."""
    body = sent(document({"attachment": {"contentType": "text/plain", "data": data}}, name="bad"), document())
    assert texts(body) == [WORDS]
    assert unreadable(body) == ["DocumentReference/bad.content[0].attachment.data"]


@pytest.mark.parametrize("part", ["content", "context", "relatesTo"])
def test_broken_part(part: str) -> None:
    """A part of the wrong shape costs only its note."""
    body = sent(document(name="bad", **{part: 5}), document())
    assert WORDS in texts(body)
    assert [path.startswith(f"DocumentReference/bad.{part}") for path in unreadable(body)] == [True]


def test_too_long() -> None:
    """A note longer than any note is not searched, and is kept by name."""
    assert unread(sent(document(attached("bridges " * 100_000)))) == ["DocumentReference/note"]


HOSTILE = {
    "deep": "<div>" * 40_000 + WORDS,
    "comments": "<!--" * 60_000,
    "open tags": '<a b="' * 30_000,
    "entities": '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><p>&b;&b;&b;</p>',
    "an outside entity": '<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/hostname">]><p>&a;</p>',
    "groups": "{\\rtf1 " + "{" * 40_000 + WORDS,
    "numbers": "{\\rtf1 \\u99999999999999999999 x}",
    "negative": "{\\rtf1 \\u-99999? x}",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/rtf", "text/xml"])
def test_hostile(client: FlaskClient, name: str, kind: str) -> None:
    """Markup that is nested, broken or meant to grow is answered like any other."""
    body = sent(document(attached(HOSTILE[name], kind)))
    assert {"documentation.missing", "documentation.not-seen"} & set(codes(cards(client, body)))
    assert not any("localhost" in text for text in texts(body))


COUNTED: list[tuple[str, Json, bool]] = [
    ("as usual", {}, True),
    ("without docStatus", {"docStatus": None}, True),
    ("preliminary", {"docStatus": "preliminary"}, True),
    ("amended", {"docStatus": "amended"}, True),
    ("superseded", {"status": "superseded"}, False),
    ("entered in error", {"status": "entered-in-error"}, False),
    ("text entered in error", {"docStatus": "entered-in-error"}, False),
    ("R5: deprecated", {"docStatus": "deprecated"}, False),
    ("another patient", {"subject": ref("Patient", "somebody-else")}, False),
    ("another encounter", {"context": {"encounter": [THERE]}}, False),
    ("R5", {"context": [ref("Encounter", ENCOUNTER)]}, True),
    ("R5: another encounter", {"context": [THERE]}, False),
    ("R5: by its period", {"context": None, "period": {"start": DAY}, "date": "2026-03-20"}, True),
    ("by the period of its context", {"context": {"period": {"start": DAY}}, "date": "2026-03-20"}, True),
    ("a period of another day", {"context": {"period": {"start": "2026-02-20"}}}, False),
    ("no encounter, same day", {"context": None}, True),
    ("no encounter, the next day in UTC", {"context": None, "date": "2026-03-03T01:00:00Z"}, True),
    ("no encounter, later", {"context": None, "date": "2026-03-05"}, False),
    ("no encounter, before", {"context": None, "date": "2026-03-01"}, False),
    ("the encounter, written later", {"date": "2026-03-05"}, True),
    ("the encounter, written before", {"date": "2026-03-01"}, False),
    ("no date", {"date": None}, True),
    ("consent", {"type": {"coding": [{"system": LOINC, "code": "59284-0"}]}}, False),
    ("instruction sheet in words", {"type": {"text": "Exercise handout"}}, False),
    ("no type", {"type": None}, True),
    ("a type of the EHR's own", {"type": {"text": "Daily note"}}, True),
]


@pytest.mark.parametrize(("name", "more", "counts"), COUNTED, ids=[one[0] for one in COUNTED])
def test_which_documents(name: str, more: Json, counts: bool) -> None:
    """A note counts that stands, is of the patient and of the visit, and is a note, in R4 and in R5."""
    assert (texts(sent(document(**more))) == [WORDS]) is counts, name


def test_replaced() -> None:
    """A note that another one says it replaces does not count, in R4 and in R5."""
    for code in ("replaces", {"coding": [{"code": "replaces"}]}):
        newer = document(
            attached("newer"), name="new", relatesTo=[{"code": code, "target": ref("DocumentReference", "note")}]
        )
        assert texts(sent(document(), newer)) == ["newer"]


def test_notes_of_one_long_encounter() -> None:
    """Where an encounter goes on over several days, a note speaks for the day on which it was written."""
    days = ("2026-03-02", "2026-03-04")
    given = [procedure(day, "97110", performedDateTime=day) for day in days]
    notes = [document(attached(day), name=day, date=f"{day}T15:00:00Z") for day in days]
    found = texts(sent(*notes, procedures=bundle(*given)))
    assert found == ["2026-03-02"]


def test_composition() -> None:
    """A Composition is read section by section, with its titles as headings; R5 lists its subject."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{WORDS}</p></div>'
    section = [{"title": "Plan", "text": {"status": "generated", "div": "<div>Planks.</div>"}}]
    note = {
        "resourceType": "Composition",
        "id": "c",
        "status": "final",
        "encounter": ref("Encounter", ENCOUNTER),
        "date": DAY,
        "section": [{"title": "Treatment", "text": {"div": div}, "section": section}],
    }
    for subject in (ref("Patient", PATIENT), [ref("Patient", PATIENT)]):
        (text,) = texts(sent(note | {"subject": subject}))
        assert WORDS in text
        assert text.index("Treatment") < text.index(WORDS) < text.index("Plan")
    assert texts(sent(note | {"status": "entered-in-error"})) == []


def test_note_of_an_observation() -> None:
    """What is noted at an observation of the visit counts, and not what is noted at another day's."""
    seen = {
        "resourceType": "Observation",
        "id": "o",
        "status": "final",
        "code": {"text": "gait"},
        "encounter": ref("Encounter", ENCOUNTER),
        "note": [{"text": f"<p>{WORDS}</p>"}],
    }
    assert texts(sent(observations=bundle(seen))) == [WORDS]
    assert texts(sent(observations=bundle(seen | {"encounter": THERE}))) == []


def test_notes_of_the_line() -> None:
    """Notes of a Procedure and of an order are read without their markup, and stay notes of their line."""
    given = procedure("exercise", "97110", "09:00", 15, note=[{"text": f"<p>{WORDS}</p>"}])
    assert line(sent(procedures=bundle(given))).notes == (WORDS,)
    body = ordered(order("o-1", "97110", note=[{"text": "{\\rtf1 " + WORDS + "}"}]))
    assert line(body).notes == (WORDS,)


def lacking(request: Json) -> list[str]:
    (found,) = [one for one in answered(request).reviewed[0].findings if one.code.startswith("documentation.")]
    missing = found.slots["missing"]
    assert isinstance(missing, list)
    return [f"{found.code}"] + [str(one) for one in missing]


def test_what_the_note_documents() -> None:
    """The elements that a note documents are not called missing, and the card quotes its words."""
    without, beside = lacking(sent()), lacking(sent(document()))
    assert {"97110.exercises", "97110.volume"} <= set(without) - set(beside)
    (found,) = [one for one in answered(sent(document())).reviewed[0].findings if one.code == "documentation.missing"]
    assert any("bridges 3x10" in remark for remark in found.remarks)


def without_the_key() -> Json:
    body = sent()
    del body["prefetch"]["documents"]
    return body


FULL = {"procedures": bundle(procedure("exercise", "97110", "09:00", 15, "49076000")), "conditions": None}


@pytest.mark.parametrize("known", ["not sent", "failed", "a scan"])
def test_notes_that_are_not_to_be_had(client: FlaskClient, known: str) -> None:
    """Where notes were not sent, or cannot be read, what they could show is asked and not called missing."""
    answers = {"rationale": None, "97110.exercises": None}
    every = dict.fromkeys(("rationale", "area", "medical_necessity", "actual_time", "type"), "as written")
    told = form("f", answers={key: value for key, value in every.items() if key not in answers} | {"actual_time": 15})
    body = sent(forms=bundle(told))
    if known == "not sent":
        del body["prefetch"]["documents"]
    else:
        scan = document(attached(b"%PDF", "application/pdf"))
        body["prefetch"]["documents"] = {"resourceType": "OperationOutcome"} if known == "failed" else bundle(scan)
    found = cards(client, body)
    assert "documentation.missing" not in codes(found)
    (asked,) = [finding(one) for one in found if finding(one)["code"] == "documentation.not-seen"]
    assert {"rationale", "97110.exercises"} <= set(asked["slots"]["asked"])
    assert codes(found).count("facts.not-checked") == (0 if known == "a scan" else 1)


@pytest.mark.parametrize("payer", ["Medicare Part B", BCBSNC])
@pytest.mark.parametrize("recorded", [True, False], ids=["with Procedures", "without"])
def test_note_at_an_address(client: FlaskClient, payer: str, recorded: bool) -> None:
    """A note of which only the address was sent leaves one card for the visit, that informs and names the note."""
    codes_of = ("97110", "97112", "97140", "97530")
    draft = claim(*[item(number, code, 1, "GP") for number, code in enumerate(codes_of, start=1)])
    given = [procedure(f"p{code}", code, f"{9 + place:02}:00") for place, code in enumerate(codes_of)]
    note = document({"attachment": {"contentType": "text/html", "url": "Binary/note"}})
    body = claim_request(draft, *(given if recorded else ()), payer=payer, forms=None, documents=bundle(note))
    (told,) = [one for one in cards(client, body) if finding(one)["code"].startswith("documentation.")]
    assert (finding(told)["code"], told["indicator"]) == ("documentation.not-seen", "info")
    assert len(finding(told)["lines"]) == len(codes_of)
    assert "DocumentReference/note" in told["detail"]
    (offered,) = told["suggestions"]
    assert {one["type"] for one in offered["actions"]} == {"create"}


def test_scan_where_nothing_is_lacking(client: FlaskClient) -> None:
    """A scan beside a record that documents everything is not mentioned."""
    scan = document(attached(b"%PDF", "application/pdf"))
    body = sent(scan, forms=bundle(form("f")))
    assert [code for code in codes(cards(client, body)) if code.startswith(("documentation.", "facts."))] == []
