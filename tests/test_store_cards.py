"""What is kept of the cards that were shown, and that keeping it never stands in the way of an answer."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.store import recorder
from plugin.store.engine import open_store
from plugin.store.errors import StoreUnavailable
from plugin.store.recorder import Recorder
from plugin.store.shown import ShownCard
from plugin.store.tables import SHOWN_CARD
from tests.builders import CLAIM_SUBMIT, Json, changed
from tests.exchange import cards, codes, finding, send
from tests.stores import NewStore, app_on, dump, execute, rows
from tests.visits import CLEAN, FAULTY, chiro

EXAMPLES = sorted((Path(__file__).resolve().parent.parent / "examples").glob("*.json"))


def fresh(body: Json) -> Json:
    """The request as another call of its own."""
    return changed(body, "hookInstance", to=str(uuid.uuid4()))


@pytest.fixture(scope="module")
def app(store: Settings) -> Iterator[Flask]:
    """The application on the module's store."""
    with app_on(store) as made:
        yield made


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    """A client of the application on the module's store."""
    return app.test_client()


def kept(app: Flask, store: Settings, found: list[Json]) -> list[dict[str, Any]]:
    """The rows of these cards, in the cards' order."""
    app.extensions["recorder"].flush()
    by_card = {str(row["card"]): row for row in rows(store, SHOWN_CARD)}
    return [by_card[card["uuid"]] for card in found if card["uuid"] in by_card]


def test_row_of_a_card(app: Flask, http: FlaskClient, store: Settings) -> None:
    """A card is kept as its service, finding, level, payer, edition, day and the ids of its suggestions."""
    found = cards(http, fresh(chiro()))
    (row,) = kept(app, store, found)
    edition = finding(found[0])["edition"]
    assert edition.startswith("bcbsnc@")
    assert row.pop("day").year >= 2026
    assert row == {
        "card": uuid.UUID(found[0]["uuid"]),
        "service": CLAIM_SUBMIT,
        "finding": finding(found[0])["code"],
        "level": found[0]["indicator"],
        "payer": "bcbsnc",
        "edition": edition,
        "times": 1,
        "suggestions": [one["uuid"] for one in found[0]["suggestions"]],
    }


@pytest.mark.parametrize("name", list(FAULTY)[:6])
def test_every_card(app: Flask, http: FlaskClient, store: Settings, name: str) -> None:
    """Every card of an answer is kept."""
    body = fresh(FAULTY[name])
    found = cards(http, body)
    assert [row["finding"] for row in kept(app, store, found)] == codes(found)


def test_same_request_again(app: Flask, http: FlaskClient, store: Settings) -> None:
    """The same request again is the same cards: one row each, with how often they were shown."""
    body = fresh(chiro())
    found = cards(http, body)
    for _ in range(2):
        app.extensions["recorder"].flush()
        cards(http, body)
    cards(http, body)
    cards(http, body)
    assert [row["times"] for row in kept(app, store, found)] == [5]


def test_no_card(app: Flask, http: FlaskClient, store: Settings) -> None:
    """An answer without a card leaves nothing."""
    app.extensions["recorder"].flush()
    before = len(rows(store, SHOWN_CARD))
    assert cards(http, fresh(CLEAN["PT, Medicare"])) == []
    app.extensions["recorder"].flush()
    assert len(rows(store, SHOWN_CARD)) == before


def test_nothing_of_the_patient(app: Flask, http: FlaskClient, store: Settings) -> None:
    """Of the examples and the made-up visits, no name, id, date, address or line is in the store."""
    for example in EXAMPLES:
        assert send(http, example.read_bytes(), _service_of(example)).status_code == 200
    for body in FAULTY.values():
        send(http, {**fresh(body), "vendor": "Zebedee Quixworth"})
    app.extensions["recorder"].flush()
    held = dump(store)
    assert "visitcue" in held
    for word in ("test-patient", "test-visit", "test-claim", "Patient/", "Practitioner/", "Quixworth", "97140", "C5,"):
        assert word not in held, word
    for word in ("Health Network Solutions", "North Carolina", "example", "Bearer"):
        assert word not in held, word


def _service_of(example: Path) -> str:
    return "visitcue-" + next(
        hook for hook in ("claim-submit", "order-sign", "encounter-discharge") if example.name.startswith(hook)
    )


def test_store_that_fails_later(new_store: NewStore) -> None:
    """When the store fails after the start, hooks are answered as before, and the cards are written once it is back."""
    settings = new_store()
    with app_on(settings) as app:
        http = app.test_client()
        before = cards(http, chiro())
        app.extensions["recorder"].flush()
        execute(settings, "ALTER TABLE shown_card RENAME TO away")
        body = fresh(chiro())
        assert codes(cards(http, body)) == codes(before)
        again = cards(http, body)
        with pytest.raises(StoreUnavailable):
            app.extensions["recorder"].flush()
        assert app.extensions["recorder"].waiting > 0
        execute(settings, "ALTER TABLE away RENAME TO shown_card")
        assert [row["times"] for row in kept(app, settings, again)] == [2]
        assert app.extensions["recorder"].lost == 0


def test_full_queue(new_store: NewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards for which there is no room are counted, not kept, and nobody waits for room."""
    monkeypatch.setattr(recorder, "WAITING_AT_MOST", 10)
    monkeypatch.setattr(recorder, "EVERY_SECONDS", 600)
    settings = new_store()
    engine = open_store(settings)
    of_test = Recorder(engine, keep_days=0)
    day = dt.date(2026, 3, 2)
    some = [ShownCard(str(uuid.uuid4()), CLAIM_SUBMIT, "units.too-many", "warning", "hns@x", day, ()) for _ in range(4)]
    for _ in range(5):
        of_test.note(some)
    assert (of_test.waiting, of_test.lost) == (8, 12)
    of_test.close()
    assert (of_test.waiting, [row["times"] for row in rows(settings, SHOWN_CARD)]) == (0, [2, 2, 2, 2])
    engine.dispose()
