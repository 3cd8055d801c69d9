"""What the service logs: one JSON line for each request, by its id, and no word of the caller's in it."""

import json
import logging
import subprocess
import sys
import uuid
from collections import Counter
from typing import Any

import pytest
from flask.testing import FlaskClient

from plugin import logs
from plugin.known_paths import shown_path
from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import CLAIM_SUBMIT, DISCHARGE, Json, changed, discharge_request
from tests.exchange import codes, outcome, send
from tests.visits import CLEAN, chiro

SECRET = "Zebedee Quixworth"
GIVEN = "0b4c9e5e-3f0a-4c55-9d2e-6a2d8a3b7c11"
HEADER = "X-Request-ID"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """Every line that is logged from now on."""
    found: list[Json] = []
    write = logs.emit

    def keep(line: bytes) -> None:
        found.append(json.loads(line))
        write(line)

    monkeypatch.setattr(logs, "emit", keep)
    return found


def test_line_of_an_answer(client: FlaskClient, lines: list[Json]) -> None:
    """An answer is one line: which service, how it ended, what was found by which rules, and how many cards."""
    answer = send(client, chiro())
    (line,) = lines
    assert (line["event"], line["level"], line["status"], line["method"]) == ("answered", "info", 200, "POST")
    assert (line["route"], line["service"]) == ("serve", CLAIM_SUBMIT)
    assert line["findings"] == Counter(codes(answer.get_json()["cards"])) == {"modifiers.distinct-then-gp": 1}
    assert line["cards"] == 1
    assert line["editions"][0].startswith("bcbsnc@")
    assert line["ms"] >= 0


def test_line_of_silence(client: FlaskClient, lines: list[Json]) -> None:
    """An answer without cards is a line as well, with no finding."""
    send(client, CLEAN["PT, Medicare"])
    assert [(line["findings"], line["cards"]) for line in lines] == [({}, 0)]


def test_line_of_a_refusal(client: FlaskClient, lines: list[Json]) -> None:
    """A refusal is one line with its status, the kinds of its issues and the JSON paths that they name."""
    answer = send(client, changed(chiro(), "context", "claim", "item", 1, "quantity", to=SECRET))
    (line,) = lines
    assert (line["event"], line["status"]) == ("refused", 400)
    assert line["reasons"] == [issue["code"] for issue in outcome(answer)["issue"]]
    assert line["paths"] == ["context.claim.item[1].quantity"]


def test_line_of_missing_data(client: FlaskClient, lines: list[Json]) -> None:
    """A 412 names the prefetch key in its line."""
    body = discharge_request()
    del body["prefetch"]["procedures"]
    send(client, body, DISCHARGE)
    assert [(line["status"], line["paths"]) for line in lines] == [(412, ["prefetch.procedures"])]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("context.claim.item[0].quantity.value", "context.claim.item[0].quantity.value"),
        ("prefetch.procedures.entry[12].resource", "prefetch.procedures.entry[12].resource"),
        ("prefetch[...].resourceType", "prefetch[...].resourceType"),
        ("", ""),
        (f"context.{SECRET}", "context.?"),
        (f"prefetch.Smith.{SECRET}[3]", "prefetch.?.?[3]"),
        ("prefetch.555123456", "prefetch.?"),
        ("context[555123456].claim", "context[?].claim"),
    ],
)
def test_paths(path: str, shown: str) -> None:
    """A path is shown as far as it is made of names that we read; a name of the caller's becomes a question mark."""
    assert shown_path(path, frozenset({"procedures"})) == shown


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", f"/nothing/{SECRET}?patient={SECRET}"),
        ("POST", f"/cds-services/{SECRET}"),
        ("POST", f"/cds-services/{CLAIM_SUBMIT}?name={SECRET}"),
        ("GET", f"/cds-services?patient={SECRET}"),
        (SECRET.split(maxsplit=1)[0].upper(), "/cds-services"),
    ],
)
def test_address_is_not_repeated(client: FlaskClient, lines: list[Json], method: str, address: str) -> None:
    """Neither a path, a query nor a method that the caller made up stands in the line."""
    client.open(address, method=method, data=b"{}", content_type="application/json", headers={"User-Agent": SECRET})
    assert len(lines) == 1
    assert "zebedee" not in json.dumps(lines).lower()


def test_failure(lines: list[Json]) -> None:
    """A failure of ours is one line with the kind of error and its place in our code, without the message."""
    app = create_app()
    lines.clear()

    def broken() -> str:
        raise KeyError(SECRET)

    app.add_url_rule("/broken", "broken", broken)
    answer = app.test_client().get("/broken")
    (line,) = lines
    assert answer.status_code == 500
    assert (line["event"], line["level"], line["status"], line["error"]) == ("failed", "error", 500, "KeyError")
    module, _, number = line["where"].rpartition(":")
    assert module
    assert number.isdigit()
    assert SECRET not in json.dumps(line)


def test_place_of_a_failure() -> None:
    """A failure inside a library is placed where our code called it, and in the library where none of ours did."""
    with pytest.raises(TypeError) as ours:
        shown_path("a", None)  # type: ignore[arg-type]
    assert logs.place_of(ours.tb).startswith("plugin.known_paths:")
    with pytest.raises(ValueError, match="property name") as theirs:
        json.loads("{")
    assert logs.place_of(theirs.tb).startswith("json.decoder:")
    assert logs.place_of(None) == ""


@pytest.mark.parametrize("address", ["/", "/cds-services", "/health/live", "/metrics", "/nowhere", "/openapi.json"])
def test_id_is_made(client: FlaskClient, address: str) -> None:
    """Every answer, a refusal too, carries the id of its request, and no two are the same."""
    one, other = (uuid.UUID(client.get(address).headers[HEADER]) for _ in range(2))
    assert one != other


def test_id_is_taken_over(client: FlaskClient, lines: list[Json]) -> None:
    """A UUID that the caller names the request by is the one in the answer and in the log."""
    answer = client.get("/cds-services", headers={HEADER: GIVEN.upper()})
    assert answer.headers.getlist(HEADER) == [GIVEN]
    assert [line["request_id"] for line in lines] == [GIVEN]


@pytest.mark.parametrize(
    "sent", ["", "MRN-555123456", SECRET, GIVEN + "0", GIVEN.replace("-", ""), GIVEN + " " + SECRET]
)
def test_id_that_is_none(client: FlaskClient, lines: list[Json], sent: str) -> None:
    """Any other text than a UUID may be data: it is replaced, and stands neither in the answer nor in the log."""
    answer = client.get("/cds-services", headers={HEADER: sent})
    made = answer.headers[HEADER]
    assert str(uuid.UUID(made)) == made != sent
    assert [line["request_id"] for line in lines] == [made]
    assert not sent or sent not in json.dumps(lines)


def test_probes_are_quiet(client: FlaskClient, lines: list[Json]) -> None:
    """Probes and scrapes, many a minute, leave no line at the usual level."""
    for address in ("/health/live", "/health/ready", "/metrics"):
        assert client.get(address).status_code == 200
    assert lines == []


def test_level(lines: list[Json]) -> None:
    """At the level `error` an answer and a refusal leave no line, at `debug` a probe does."""
    quiet = create_app(Settings(log_level="error")).test_client()
    quiet.get("/cds-services")
    quiet.get("/nowhere")
    assert lines == []
    create_app(Settings(log_level="debug")).test_client().get("/health/live")
    assert [(line["event"], line["level"]) for line in lines] == [("answered", "debug")]
    create_app()  # the level is the process's: back to the usual one


def test_level_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level may be written in capitals, as other programs want it."""
    monkeypatch.setenv("VISITCUE_LOG_LEVEL", "WARNING")
    assert Settings().log_level == "warning"


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "werkzeug", "flask.app", "sqlalchemy.engine"])
def test_words_of_libraries(client: FlaskClient, lines: list[Json], name: str) -> None:
    """A library's warning is one line with its place, without its words: they may hold addresses and values."""
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger(name).exception("GET /Patient?name=%s", SECRET)
    (line,) = lines
    assert (line["event"], line["logger"], line["error"]) == ("library", name, "ValueError")
    assert line["where"].startswith("test_logs:")
    assert "message" not in line
    assert SECRET not in json.dumps(line)
    assert client.get("/cds-services").status_code == 200


@pytest.mark.parametrize("name", ["_granian", "alembic.runtime.migration"])
def test_words_of_libraries_that_see_no_request(client: FlaskClient, lines: list[Json], name: str) -> None:
    """The server and the migrations speak of processes and revisions; their words are logged."""
    logging.getLogger(name).warning("worker-%s ended", 2)
    assert [line["message"] for line in lines] == ["worker-2 ended"]
    assert client.get("/cds-services").status_code == 200


OWN_PROCESS = """
import gc, sys, threading, warnings
from plugin import logs
logs.configure_logs()
logs.take_over()
def broken(): raise ValueError("Zebedee")
class Odd:
    def __del__(self): raise LookupError("Zebedee")
thread = threading.Thread(target=broken)
thread.start()
thread.join()
Odd()
gc.collect()
warnings.warn("Zebedee")
broken()
"""


def test_uncaught() -> None:
    """What nobody caught, in a thread or at all, is a line of its own without its message; so is a warning."""
    done = subprocess.run([sys.executable, "-c", OWN_PROCESS], capture_output=True, text=True, check=False, timeout=60)
    told: list[dict[str, Any]] = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line.get("error") for line in told] == ["ValueError", "LookupError", None, "ValueError"]
    assert [line["event"] for line in told] == ["failed", "failed", "library", "failed"]
    assert "Zebedee" not in done.stderr
    assert done.stdout == ""
