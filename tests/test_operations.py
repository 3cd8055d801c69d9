"""Metrics and health: what the people who run the service ask it, and who may ask."""

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from plugin import metrics
from plugin.settings import Settings
from plugin.web import operations, request_log
from plugin.web.app import create_app
from tests.builders import CLAIM_SUBMIT, DISCHARGE, discharge_request
from tests.exchange import outcome, send
from tests.test_open_service import FORWARDED
from tests.test_serve import FOR_A_START, Running, start
from tests.visits import CLEAN, chiro

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "operations.md").read_text(encoding="utf-8")
TOKEN = "scrape-4c1f-very-secret"
SECRET = "Zebedee Quixworth"
Labels = frozenset[tuple[str, str]]


def counts(text: str) -> dict[tuple[str, Labels], float]:
    """Every figure of an exposition, by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(client: FlaskClient) -> dict[tuple[str, Labels], float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return counts(answer.get_data(as_text=True))


def added(client: FlaskClient, before: dict[tuple[str, Labels], float], name: str, **labels: str) -> float:
    """By how much a figure grew."""
    key = (name, frozenset(labels.items()))
    return scraped(client).get(key, 0) - before.get(key, 0)


def test_requests_are_counted(client: FlaskClient) -> None:
    """An answer is counted by its route, service and status, and so is the time that it took."""
    before = scraped(client)
    send(client, chiro())
    send(client, CLEAN["PT, Medicare"])
    by = {"route": "serve", "service": CLAIM_SUBMIT}
    assert added(client, before, "visitcue_requests_total", **by, status="200") == 2
    assert added(client, before, "visitcue_request_seconds_count", **by) == 2
    assert added(client, before, "visitcue_request_seconds_bucket", **by, le="+Inf") == 2


def test_cards_are_counted(client: FlaskClient) -> None:
    """A card is counted by its finding and level; an answer without cards counts none."""
    before = scraped(client)
    send(client, chiro())
    send(client, CLEAN["PT, Medicare"])
    found = {name: value - before.get(name, 0) for name, value in scraped(client).items() if "cards" in name[0]}
    assert {name[1]: value for name, value in found.items() if value} == {
        frozenset({("finding", "modifiers.distinct-then-gp"), ("level", "warning")}): 1
    }


def test_refusals_are_counted(client: FlaskClient) -> None:
    """A refusal is counted by its status, and its issues by their kind."""
    before = scraped(client)
    body = discharge_request()
    del body["prefetch"]["procedures"]
    send(client, body, DISCHARGE)
    by = {"route": "serve", "service": DISCHARGE, "status": "412"}
    assert added(client, before, "visitcue_requests_total", **by) == 1
    assert added(client, before, "visitcue_refusals_total", status="412", reason="required") == 1


def test_prefetch_is_counted(client: FlaskClient) -> None:
    """Each prefetch key is counted by whether it was sent, sent empty, or missing with nobody to ask."""
    before = scraped(client)
    body = chiro()
    del body["prefetch"]["goals"]
    send(client, body)
    told = {
        one: added(client, before, "visitcue_prefetch_total", service=CLAIM_SUBMIT, outcome=one)
        for one in ("sent", "empty", "missing", "fetched", "fetched-empty", "not-fetched")
    }
    assert told == {"sent": 4, "empty": 7, "missing": 1, "fetched": 0, "fetched-empty": 0, "not-fetched": 0}


def test_unlisted_server_is_counted(client: FlaskClient) -> None:
    """A key that was asked for in vain is counted as not fetched."""
    before = scraped(client)
    body = {**chiro(), "fhirServer": "https://fhir.elsewhere.example/r4"}
    del body["prefetch"]["goals"]
    send(client, body)
    assert added(client, before, "visitcue_prefetch_total", service=CLAIM_SUBMIT, outcome="not-fetched") == 1


def test_what_others_count(client: FlaskClient) -> None:
    """Feedback and tokens that were not accepted are counted by their closed lists."""
    before = scraped(client)
    metrics.count_feedback(1, 0)
    metrics.count_untrusted("expired")
    assert added(client, before, "visitcue_feedback_total", outcome="accepted") == 1
    assert added(client, before, "visitcue_untrusted_total", reason="expired") == 1


@pytest.mark.parametrize(
    ("method", "address"),
    [("GET", f"/{SECRET}"), ("POST", f"/cds-services/{SECRET}"), ("ZEBEDEE", "/"), ("GET", f"/?name={SECRET}")],
)
def test_labels_are_ours(client: FlaskClient, method: str, address: str) -> None:
    """No word of the caller's becomes a label, so the number of series is bounded."""
    client.open(address, method=method)
    assert "zebedee" not in client.get("/metrics").get_data(as_text=True).lower()


def test_build(client: FlaskClient) -> None:
    """The version and the edition of the rules are there to be compared with what should run."""
    ((labels, value),) = [(dict(key[1]), value) for key, value in scraped(client).items() if "build" in key[0]]
    assert value == 1
    assert labels["base_edition"].startswith("hns@")
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", labels["version"])


def test_page_lists_the_metrics(client: FlaskClient) -> None:
    """docs/operations.md lists every metric of ours with its labels, and no other."""
    metrics.count_untrusted("expired")
    metrics.count_feedback(1, 0)
    send(client, discharge_request(), CLAIM_SUBMIT)
    send(client, chiro())
    told: dict[str, set[str]] = {}
    for name, labels in scraped(client):
        if name.startswith("visitcue_"):
            family = re.sub(r"_(bucket|sum|count)$", "", name)
            told.setdefault(family, set()).update(dict(labels).keys() - {"le"})
    section = PAGE.partition("\n## Metrics\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(visitcue_\w+)` \| ([^|]*) \|", section, re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in listed} == told


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "[::1]", "127.8.9.1"])
def test_metrics_for_this_machine(client: FlaskClient, address: str) -> None:
    """Without a token, metrics answer the machine itself."""
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "", "unix:", "localhost.example"])
def test_metrics_for_no_other_machine(client: FlaskClient, address: str) -> None:
    """Without a token, metrics are refused to every other address."""
    answer = client.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 403
    assert outcome(answer)["issue"][0]["code"] == "forbidden"


@pytest.mark.parametrize("headers", [*FORWARDED, {"Host": "evil.example"}, {"Origin": "https://evil.example"}], ids=str)
def test_metrics_through_a_proxy(client: FlaskClient, headers: dict[str, str]) -> None:
    """Behind a proxy on the same machine, or in a browser on it, everybody looks local, so what shows it is refused."""
    assert client.get("/metrics", headers=headers).status_code == 403


def with_token(*headers: tuple[str, str], address: str = "192.0.2.7") -> TestResponse:
    client = create_app(Settings(metrics_token=TOKEN)).test_client()  # type: ignore[arg-type]
    return client.get("/metrics", headers=[*headers], environ_base={"REMOTE_ADDR": address})


def test_metrics_with_the_token() -> None:
    """With a token, whoever sends it is answered, from anywhere and through a proxy."""
    sent = ("Authorization", f"Bearer {TOKEN}")
    assert with_token(sent).status_code == with_token(sent, ("Via", "1.1 proxy")).status_code == 200


@pytest.mark.parametrize("sent", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer", "Bearer ", "Bearer é€"])
def test_metrics_without_the_token(sent: str) -> None:
    """With a token set, anything else is refused with 401, even on the machine itself."""
    answer = with_token(("Authorization", sent.encode().decode("latin-1")), address="127.0.0.1")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert TOKEN not in answer.get_data(as_text=True)
    assert outcome(answer)["issue"][0]["code"] == "login"


@pytest.mark.parametrize("token", ["", "short"])
def test_metrics_token_that_is_none(token: str) -> None:
    """A token that could be guessed, or none in a variable that is set, stops the start."""
    with pytest.raises(ValueError, match="at least 16"):
        Settings(metrics_token=token)  # type: ignore[arg-type]


def test_alive(client: FlaskClient) -> None:
    """A process that answers says so."""
    answer = client.get("/health/live")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})


def test_ready(client: FlaskClient) -> None:
    """An application that was made has read its rules and is ready."""
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "ok")
    assert answer.get_json()["checks"] == {"rules": "ok", "store": "ok"}


def raises() -> bool:
    raise ConnectionError(SECRET)


@pytest.mark.parametrize("check", [lambda: False, raises], ids=["says no", "raises"])
def test_not_ready(check: Callable[[], bool]) -> None:
    """A check that fails or raises makes 503, named with no more than `failed`; the others are still told."""
    app = Flask(__name__)
    request_log.add(app, {})
    operations.add(app, b"{}", (("rules", lambda: True), ("store", check)), Settings())
    answer = app.test_client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.get_json() == {"status": "failed", "checks": {"rules": "ok", "store": "failed"}}
    assert app.test_client().get("/health/live").status_code == 200


@pytest.mark.parametrize("address", ["/", "/cds-services", "/health/ready", "/metrics", "/nowhere", "/openapi.json"])
def test_nothing_is_cached(client: FlaskClient, address: str) -> None:
    """No cache keeps an answer, and no browser guesses its type."""
    headers = client.get(address).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_cards_are_not_cached(client: FlaskClient) -> None:
    """Cards, which hold health information, and refusals are kept by no cache."""
    for answer in (send(client, chiro()), send(client, b"{")):
        assert answer.headers.getlist("Cache-Control") == ["no-store"]


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Running]:
    """The service with two worker processes."""
    service = start(tmp_path / "log", "--workers", "2")
    yield service
    service.stop()


def test_workers_are_summed_up(workers: Running) -> None:
    """Whichever of several workers is asked tells the requests of all, and the memory of each."""

    def call() -> None:
        for _ in range(10):
            requests.get(f"{workers.base}/cds-services", timeout=FOR_A_START).raise_for_status()

    base = discoveries(workers)
    threads = [threading.Thread(target=call) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [discoveries(workers) - base for _ in range(5)] == [40] * 5
    told = counts(requests.get(f"{workers.base}/metrics", timeout=FOR_A_START).text)
    pids = {dict(labels)["pid"] for name, labels in told if name == "process_start_time_seconds"}
    assert len(pids) == 2


def discoveries(workers: Running) -> float:
    """How many discoveries the workers have counted together."""
    told = counts(requests.get(f"{workers.base}/metrics", timeout=FOR_A_START).text)
    name = ("visitcue_requests_total", frozenset({"route": "announce", "service": "", "status": "200"}.items()))
    return told.get(name, 0.0)
