"""The log of the whole session, read at its end: no word that identifies somebody, and no field that is not listed."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from mappings import books_in_force
from plugin import finding_list, known_paths
from plugin.openapi import description
from plugin.services import services
from plugin.settings import Settings
from tests.builders import PATIENT, Json
from tests.exchange import send
from tests.logged import identifying, leaks, told, whole_log
from tests.visits import chiro

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
SERVICES = [hook.service for hook in services(Settings())]


def rows(heading: str) -> list[str]:
    """The first cells of the table below a heading of docs/operations.md."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def our_words() -> frozenset[str]:
    """What a line may say of itself: codes, names of elements, services, books and modules."""
    modules = [file.stem for name in ("cds_hooks", "mappings", "plugin") for file in (ROOT / name).rglob("*.py")]
    return frozenset(
        {*finding_list.BY_CODE, *books_in_force.books(), *modules, *rows("Log fields"), *rows("Log events")}
        | known_paths.read_names()
        | {key for one in SERVICES for key in one.prefetch}
        | {one.id for one in SERVICES}
    )


def test_identifiers_are_found() -> None:
    """The words that are looked for hold the fixtures' patients, visits, tokens and notes."""
    words = identifying(our_words())
    assert {PATIENT, "pat-phony", "enc-0512", "tok-9b1d-very-secret", "Quixworth", "supraspinatus"} <= words
    assert len(words) > 100


@pytest.mark.parametrize(
    "planted",
    [
        {"event": "answered", "body": '{"patientId":"test-patient"}'},
        {"event": "answered", "url": "https://fhir.example/Procedure?patient=Patient%2Fpat-phony&_count=1"},
        {"event": "library", "message": "Bearer tok-9b1d-very-secret"},
        {"event": "failed", "error": {"note": ["pain at the SUPRASPINATUS"]}},
    ],
)
def test_a_leak_is_seen(planted: Json) -> None:
    """An identifier is found wherever in a line it stands, in whatever case."""
    assert leaks([{"event": "answered"}, planted], identifying(our_words()))


@pytest.fixture
def apart() -> Iterator[Path]:
    """A folder of which the test at the end does not know."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_no_leak_is_no_leak(client: FlaskClient, apart: Path) -> None:
    """The line of an answer holds none of the words, and a file that is no log is not looked at."""
    (apart / "other").write_text(f'{{"patient":"{PATIENT}"}}\n')
    send(client, chiro())
    assert leaks(told(whole_log(apart)), identifying(our_words())) == []


@pytest.mark.parametrize(
    "text", ['{"time":"Zebedee","event":"x"}', '{"time":"2026-01-01T00:00:00Z","ms":"Zebedee"}', "Traceback (most\n"]
)
def test_lines_that_are_none(apart: Path, text: str) -> None:
    """A file with a line that is not as a line has to be is seen in the folder."""
    (apart / "log").write_text('{"time":"2026-01-01T00:00:00Z","event":"x"}\n' + text)
    with pytest.raises(AssertionError):
        told(whole_log(apart))


@pytest.mark.last
def test_whole_log(client: FlaskClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing that the session logged names a patient, a visit, a token or a note; every field and event is listed."""
    send(client, chiro())
    lines = told(whole_log(tmp_path_factory.getbasetemp()))
    assert lines
    assert leaks(lines, identifying(our_words())) == []
    fields = {field for line in lines for field in line} | {"time", "ms", "request_id"}
    assert fields <= set(rows("Log fields"))
    assert {line["event"] for line in lines} <= set(rows("Log events"))


@pytest.mark.last
def test_whole_log_answers_as_described(client: FlaskClient, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No service answered in this session with a status that the OpenAPI description does not have."""
    send(client, chiro())
    paths = description(SERVICES)["paths"]
    seen = {
        (f"/cds-services/{line['service']}", str(line["status"]))
        for line in told(whole_log(tmp_path_factory.getbasetemp()))
        if line.get("route") == "serve" and "service" in line
    }
    assert seen
    assert {(path, status) for path, status in seen if status not in paths[path]["post"]["responses"]} == set()
