"""What an EHR says of the cards: taken in every shape that clients have sent, and stored before it is answered."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from plugin.cards import REASONS
from plugin.settings import Settings
from plugin.store.tables import FEEDBACK
from tests.builders import CLAIM_SUBMIT, DISCHARGE, ORDER_SIGN, Json
from tests.exchange import expressions, outcome
from tests.stores import NewStore, app_on, dump, execute, rows

REASON = {"code": "clinical-judgement", "system": "https://visitcue.org/fhir/CodeSystem/override-reason"}
EARLY, LATE = "2026-03-02T10:00:00Z", "2026-03-02T10:05:00Z"


@pytest.fixture(scope="module")
def app(store: Settings) -> Iterator[Flask]:
    """The application on the module's store."""
    with app_on(store) as made:
        yield made


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """A client of the application on the module's store."""
    return app.test_client()


def give(
    http: FlaskClient, body: Json | bytes, service: str = CLAIM_SUBMIT, kind: str = "application/json"
) -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http.post(f"/cds-services/{service}/feedback", data=raw, content_type=kind)


def accepted(card: str = "", *suggestions: str, at: str = EARLY, **more: Any) -> Json:
    """A card of which these suggestions were accepted; new ids where none are named."""
    named = [{"id": one} for one in suggestions or (str(uuid.uuid4()),)]
    told = {"card": card or str(uuid.uuid4()), "outcome": "accepted", "acceptedSuggestions": named}
    return {**told, "outcomeTimestamp": at, **more}


def overridden(card: str = "", at: str = EARLY, **reason: Any) -> Json:
    """A card that was overridden; `reason` is what its overrideReason holds."""
    told = {"card": card or str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": at}
    return {**told, "overrideReason": reason} if reason else told


def kept(store: Settings, entry: Json) -> list[dict[str, Any]]:
    """The rows about the entry's card."""
    return [row for row in rows(store, FEEDBACK) if row["card"] == uuid.UUID(entry["card"])]


def taken(http: FlaskClient, store: Settings, *entries: Json) -> dict[str, Any]:
    """The one row about the card of these entries, which came one after the other."""
    for entry in entries:
        answer = give(http, {"feedback": [entry]})
        assert (answer.status_code, answer.get_json()) == (200, {}), answer.text
    (row,) = kept(store, entries[0])
    return row


def instant(row: dict[str, Any]) -> dt.datetime:
    """When it happened, in UTC; SQLite gives it without a time zone."""
    at: dt.datetime = row["at"]
    return at.replace(tzinfo=dt.UTC) if at.tzinfo is None else at.astimezone(dt.UTC)


def test_accepted(http: FlaskClient, store: Settings) -> None:
    """An accepted card is stored with the suggestions that were accepted."""
    one, other = str(uuid.uuid4()), str(uuid.uuid4())
    row = taken(http, store, accepted("", one, other))
    assert (row["outcome"], row["suggestions"], row["service"]) == ("accepted", [one, other], CLAIM_SUBMIT)


def test_overridden(http: FlaskClient, store: Settings) -> None:
    """An overridden card is stored with the code and the system of the reason."""
    row = taken(http, store, overridden(reason={**REASON, "display": "Clinical judgement"}))
    assert (row["outcome"], row["reason"], row["reason_system"]) == ("overridden", REASON["code"], REASON["system"])
    assert not row["commented"]


def test_overridden_without_a_reason(http: FlaskClient, store: Settings) -> None:
    """A card may be overridden without a word."""
    row = taken(http, store, overridden())
    assert (row["reason"], row["reason_system"], row["commented"]) == (None, None, False)


def test_comment_alone(http: FlaskClient, store: Settings) -> None:
    """Of a user's comment only that there was one is stored, never its words."""
    row = taken(http, store, overridden(userComment="Quixworth, Zebedee: see chart 4711"))
    assert (row["reason"], row["commented"]) == (None, True)
    assert "Quixworth" not in dump(store)


def test_older_reason(http: FlaskClient, store: Settings) -> None:
    """The older place of the reason's code, directly in overrideReason, is read as well."""
    row = taken(http, store, overridden(code="not-applicable", system=REASON["system"], userComment="no"))
    assert (row["reason"], row["reason_system"], row["commented"]) == ("not-applicable", REASON["system"], True)


def test_our_reason_without_its_system(http: FlaskClient, store: Settings) -> None:
    """A code of ours that came without its system gets it."""
    assert taken(http, store, overridden(code="record-is-wrong"))["reason_system"] == REASON["system"]


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("ZebedeeQuixworth-MRN4711", REASON["system"]),
        ("ZebedeeQuixworth-MRN4711", None),
        ("Zebedee Quixworth refused", "https://ehr.example/reasons"),
        ("clinical-judgement", "https://ehr.example/Patient/MRN4711"),
        ("clinical-judgement", "urn:oid:2.16.840.1.113883"),
        ("r7", "Zebedee Quixworth"),
        (" ", None),
        ("x" * 5000, None),
    ],
)
def test_foreign_reason(http: FlaskClient, store: Settings, code: str, system: str | None) -> None:
    """A reason that our cards do not offer is stored as "other" without its system, for either may name a patient."""
    row = taken(http, store, overridden(reason={"code": code, "system": system}))
    assert (row["reason"], row["reason_system"]) == ("other", None)
    for word in ("MRN4711", "Quixworth"):
        assert word not in dump(store)


@pytest.mark.parametrize("code", [reason.code for reason in REASONS])
def test_reasons_of_our_cards(http: FlaskClient, store: Settings, code: str) -> None:
    """Every reason that our cards offer is stored as it is."""
    assert taken(http, store, overridden(reason={**REASON, "code": code}))["reason"] == code


def test_one_entry_as_the_body(http: FlaskClient, store: Settings) -> None:
    """The draft's shape, one entry as the whole body, is taken; also where it names no suggestion."""
    one = {"card": str(uuid.uuid4()), "outcome": "accepted", "outcomeTimestamp": "2020-05-06T18:45:26.828Z"}
    assert give(http, one).status_code == 200
    assert [row["outcome"] for row in kept(store, one)] == ["accepted"]
    other = overridden(code="not-applicable")
    assert give(http, other).status_code == 200
    assert [row["reason"] for row in kept(store, other)] == ["not-applicable"]


def test_several_cards(http: FlaskClient, store: Settings) -> None:
    """One body may speak of several cards."""
    entries = [accepted(), overridden(), accepted()]
    assert give(http, {"feedback": entries}).status_code == 200
    assert [len(kept(store, entry)) for entry in entries] == [1, 1, 1]


def test_nothing_to_say(http: FlaskClient, store: Settings) -> None:
    """A body without an entry is taken, and changes nothing."""
    before = len(rows(store, FEEDBACK))
    assert give(http, {"feedback": []}).status_code == 200
    assert len(rows(store, FEEDBACK)) == before


def test_again(http: FlaskClient, store: Settings) -> None:
    """The same entry again changes nothing, not even when it was received."""
    entry = accepted()
    first = taken(http, store, entry)
    assert taken(http, store, entry) == first


def test_twice_in_one_body(http: FlaskClient, store: Settings) -> None:
    """The same entry twice in one body is stored once."""
    entry = accepted()
    assert give(http, {"feedback": [entry, entry]}).status_code == 200
    assert len(kept(store, entry)) == 1


def test_changed_mind(http: FlaskClient, store: Settings) -> None:
    """A card that was overridden and then accepted has a row for each."""
    first = overridden()
    give(http, {"feedback": [first]})
    give(http, {"feedback": [accepted(first["card"], at=LATE)]})
    assert sorted(row["outcome"] for row in kept(store, first)) == ["accepted", "overridden"]


def test_later_word(http: FlaskClient, store: Settings) -> None:
    """A later word on the same outcome takes the place of the earlier, in whichever order they arrive."""
    card = str(uuid.uuid4())
    early, late = overridden(card, code="not-applicable"), overridden(card, LATE, code="record-is-wrong")
    assert taken(http, store, early, late)["reason"] == "record-is-wrong"
    assert taken(http, store, late, early)["reason"] == "record-is-wrong"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00+00:00"),
        ("2026-03-02T10:00:00.123456-05:00", "2026-03-02T15:00:00.123456+00:00"),
        ("2026-03-02t10:00:00z", "2026-03-02T10:00:00+00:00"),
    ],
)
def test_timestamps(http: FlaskClient, store: Settings, text: str, utc: str) -> None:
    """A time of any offset is the same moment in UTC."""
    assert instant(taken(http, store, overridden(at=text))) == dt.datetime.fromisoformat(utc)


def test_upper_case(http: FlaskClient, store: Settings) -> None:
    """A client that prints UUIDs in upper case speaks of the same card."""
    entry = accepted()
    row = taken(http, store, {**entry, "card": entry["card"].upper()})
    assert row["card"] == uuid.UUID(entry["card"])


def test_unknown_members(http: FlaskClient, store: Settings) -> None:
    """What we do not know, extensions among it, is passed over."""
    entry = accepted(extension={"com.example.user": "Zebedee"}, vendor=[1, {"a": None}])
    body = {"feedback": [entry], "extension": {"com.example.x": True}}
    assert give(http, body).status_code == 200
    assert len(kept(store, entry)) == 1


@pytest.mark.parametrize("service", [CLAIM_SUBMIT, ORDER_SIGN, DISCHARGE])
def test_every_service(http: FlaskClient, store: Settings, service: str) -> None:
    """Every service that is announced takes feedback."""
    entry = accepted()
    assert give(http, {"feedback": [entry]}, service).status_code == 200
    assert [row["service"] for row in kept(store, entry)] == [service]


def test_unknown_service(http: FlaskClient) -> None:
    """A service that does not exist is 404."""
    answer = give(http, {"feedback": [accepted()]}, "visitcue-nothing")
    assert (answer.status_code, outcome(answer)["issue"][0]["code"]) == (404, "not-found")


def test_get(http: FlaskClient) -> None:
    """Feedback cannot be read over HTTP."""
    assert http.get(f"/cds-services/{CLAIM_SUBMIT}/feedback").status_code == 405


def test_other_media_type(http: FlaskClient) -> None:
    """A body that says it is no JSON is 415."""
    assert give(http, b"<feedback/>", kind="application/xml").status_code == 415


FAULTS: list[tuple[str, Json | list[Any], str]] = [
    ("no entry", {}, "feedback"),
    ("null", {"feedback": None}, "feedback"),
    ("no list", {"feedback": accepted()}, "feedback"),
    ("no object", {"feedback": ["x"]}, "feedback[0]"),
    ("no card", {"feedback": [{**accepted(), "card": None}]}, "feedback[0].card"),
    ("card of nobody", {"feedback": [accepted("card-1")]}, "feedback[0].card"),
    ("card with an urn", {"feedback": [accepted(f"urn:uuid:{uuid.uuid4()}")]}, "feedback[0].card"),
    ("ignored", {"feedback": [{**accepted(), "outcome": "ignored"}]}, "feedback[0].outcome"),
    ("second entry", {"feedback": [accepted(), {**accepted(), "outcome": ""}]}, "feedback[1].outcome"),
    ("accepted nothing", {"feedback": [{**accepted(), "acceptedSuggestions": []}]}, "feedback[0].acceptedSuggestions"),
    ("no id", {"feedback": [{**accepted(), "acceptedSuggestions": [{}]}]}, "feedback[0].acceptedSuggestions[0].id"),
    ("other id", {"feedback": [accepted("", "s1")]}, "feedback[0].acceptedSuggestions[0].id"),
    ("no time", {"feedback": [accepted(at="")]}, "feedback[0].outcomeTimestamp"),
    ("no offset", {"feedback": [accepted(at="2026-03-02T10:00:00")]}, "feedback[0].outcomeTimestamp"),
    ("a day", {"feedback": [accepted(at="2026-03-02")]}, "feedback[0].outcomeTimestamp"),
    ("no such day", {"feedback": [accepted(at="2026-02-30T10:00:00Z")]}, "feedback[0].outcomeTimestamp"),
    ("before all time", {"feedback": [accepted(at="0001-01-01T00:00:00+14:00")]}, "feedback[0].outcomeTimestamp"),
    ("a number", {"feedback": [{**accepted(), "outcomeTimestamp": 1772445600}]}, "feedback[0].outcomeTimestamp"),
    (
        "reason without code",
        {"feedback": [overridden(reason={"system": "urn:x"})]},
        "feedback[0].overrideReason.reason.code",
    ),
    ("reason as text", {"feedback": [overridden(reason="because")]}, "feedback[0].overrideReason.reason"),
    ("one entry, no outcome", {**accepted(), "outcome": "no"}, "outcome"),
    ("one entry, no time", {**accepted(), "outcomeTimestamp": "yesterday"}, "outcomeTimestamp"),
]


@pytest.mark.parametrize(("body", "path"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
def test_faults(http: FlaskClient, store: Settings, body: Json, path: str) -> None:
    """A fault is 400 with the path of what is wrong, none of the caller's values, and nothing is stored of the body."""
    before = len(rows(store, FEEDBACK))
    answer = give(http, body)
    assert (answer.status_code, expressions(answer)) == (400, [path])
    for value in ("card-1", "ignored", "yesterday", "because", "2026-02-30"):
        assert value not in answer.text
    assert len(rows(store, FEEDBACK)) == before


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"feedback": "\xff"}', b"[" * 100_000, b'{"feedback":[NaN]}']
)
def test_no_json(http: FlaskClient, body: bytes) -> None:
    """What is no JSON object is 400."""
    assert give(http, body).status_code == 400


def test_too_many(http: FlaskClient, store: Settings) -> None:
    """A thousand entries are read at once; one more is 413, and none of them is stored."""
    entries = [overridden() for _ in range(1001)]
    assert give(http, {"feedback": entries}).status_code == 413
    assert kept(store, entries[0]) == []
    assert give(http, {"feedback": entries[:1000]}).status_code == 200
    assert len(kept(store, entries[999])) == 1


def test_store_that_fails(new_store: NewStore) -> None:
    """Feedback that cannot be stored is 503, so that the client sends it again, and is stored then."""
    settings = new_store()
    with app_on(settings) as app:
        http, entry = app.test_client(), accepted()
        execute(settings, "ALTER TABLE feedback RENAME TO away")
        answer = give(http, {"feedback": [entry]})
        assert (answer.status_code, outcome(answer)["issue"][0]["code"]) == (503, "transient")
        execute(settings, "ALTER TABLE away RENAME TO feedback")
        assert give(http, {"feedback": [entry]}).status_code == 200
    assert len(kept(settings, entry)) == 1
