"""FHIR servers that are slow, broken, hostile or gone: the answer comes in time, and says what it could not look at."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask.testing import FlaskClient

from plugin.outside.fetching import THREADS, Circuit
from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import CLAIM_SUBMIT, ENCOUNTER, KEYS, Json, bundle, discharge_request, text
from tests.exchange import cards, expressions, send
from tests.fhir_stub import (
    CLAIM,
    GOALS,
    PROCEDURES,
    TOKEN,
    FhirStub,
    Reply,
    fhir_stub,
    installation,
    not_checked,
    status,
    withheld,
    write,
)

FEW = 0.8
"""Seconds of a deadline that a test lets pass."""

HANG = 15
"""Seconds after which something hangs, on the slowest of machines."""


RELEASED = threading.Event()
"""Set at the end of a test, for the server's threads that still wait."""


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    RELEASED.clear()
    with fhir_stub() as running:
        yield running
        RELEASED.set()


def asking(stub: FhirStub, **more: Any) -> Json:
    return withheld(CLAIM, "goals", server=stub.base, **more)


def readers() -> list[threading.Thread]:
    """The threads that read from FHIR servers."""
    return [one for one in threading.enumerate() if one.name.startswith("fhir")]


def silent(_: BaseHTTPRequestHandler) -> None:
    RELEASED.wait(HANG)


def drip_head(handler: BaseHTTPRequestHandler) -> None:
    drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 10_000)


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "10000")
    handler.end_headers()
    drip(handler, b" " * 10_000)


def drip_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    drip(handler, b"1\r\n \r\n" * 2_000)


def drip(handler: BaseHTTPRequestHandler, octets: bytes) -> None:
    for one in octets:
        if RELEASED.wait(0.02):
            return
        handler.wfile.write(bytes([one]))
        handler.wfile.flush()


SLOW: dict[str, Reply] = {"silent": silent, "head": drip_head, "body": drip_body, "chunks": drip_chunks}


@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
def test_slow(stub: FhirStub, slow: Reply) -> None:
    """A server that is silent or drips costs the deadline and no more; the next answer is whole."""
    stub.replies[GOALS] = slow
    listed = installation(stub, fetch_seconds=FEW)
    began = time.monotonic()
    assert not_checked(cards(listed, asking(stub))) == ["goals"]
    assert time.monotonic() - began < HANG
    stub.replies[GOALS] = bundle()
    assert not_checked(cards(listed, asking(stub))) == []


def test_late_work_does_not_pile_up(stub: FhirStub) -> None:
    """However many answers were late, the next one finds free threads, and there are no more of them than the limit."""
    listed = installation(stub, fetch_seconds=0.8)
    everything = withheld(CLAIM, *KEYS[CLAIM_SUBMIT], server=stub.base)
    before = len(readers())
    stub.otherwise = drip_body
    with ThreadPoolExecutor(4) as callers:
        rounds = [callers.submit(send, listed, everything) for _ in range(8)]
        assert {one.result(HANG).status_code for one in rounds} == {200}
    assert 0 < len(readers()) - before <= THREADS
    stub.otherwise = bundle()
    assert not_checked(cards(listed, everything)) == []


def test_parallel(stub: FhirStub) -> None:
    """What is missing is asked for at the same time: each query is answered only when several have come."""
    together = threading.Barrier(5)

    def met(handler: BaseHTTPRequestHandler) -> None:
        together.wait(HANG)
        write(handler, text(bundle()))

    for query in ("Coverage", "Condition", "CarePlan", "Goal"):
        stub.replies[f"{query}?patient=test-patient"] = met
    stub.replies[f"Observation?encounter={ENCOUNTER}"] = met
    body = withheld(CLAIM, "coverage", "conditions", "plans", "goals", "observations", server=stub.base)
    assert not_checked(cards(installation(stub), body)) == []


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def test_busy_is_not_asked_again(stub: FhirStub) -> None:
    """A server that asks for patience is not asked again for this answer."""
    stub.replies[GOALS] = status(503, Retry_After="1")
    cards(installation(stub), asking(stub))
    assert stub.asked == [GOALS]


def test_reset_is_asked_once_more(stub: FhirStub) -> None:
    """A connection that breaks off without an answer is tried once more, and only once."""
    stub.replies[GOALS] = hang_up
    assert not_checked(cards(installation(stub), asking(stub))) == ["goals"]
    assert stub.asked == [GOALS, GOALS]


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/fhir+json; charset=UTF-8", "", "x"])
def test_content_types(stub: FhirStub, kind: str) -> None:
    """FHIR JSON is read under whatever content type it comes."""
    stub.replies[GOALS] = status(200, text(bundle()), Content_Type=kind)
    assert not_checked(cards(installation(stub), asking(stub))) == []


@pytest.mark.parametrize("code", [404, 410])
def test_instance_that_is_gone(stub: FhirStub, code: int) -> None:
    """An instance that is not there was looked up and found not to be there: that is no want of data."""
    stub.replies[f"Encounter/{ENCOUNTER}"] = status(code)
    assert not_checked(cards(installation(stub), withheld(CLAIM, "encounter", server=stub.base))) == []
    assert stub.asked == [f"Encounter/{ENCOUNTER}"]


def test_found_nothing_is_no_refusal(stub: FhirStub) -> None:
    """A needed key whose search found nothing is no 412; one whose search failed is."""
    body = withheld(discharge_request(), "procedures", server=stub.base)
    listed = installation(stub)
    assert cards(listed, body) == []
    stub.replies[PROCEDURES] = status(500)
    answer = send(listed, body)
    assert (answer.status_code, expressions(answer)) == (412, ["prefetch.procedures"])


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_elsewhere(stub: FhirStub, code: int) -> None:
    """A redirect is followed nowhere, not even on the same server, and least of all with the token."""
    with fhir_stub() as elsewhere:
        stub.replies[GOALS] = status(code, Location=f"{elsewhere.base}/{GOALS}")
        assert not_checked(cards(installation(stub), asking(stub))) == ["goals"]
        stub.replies[GOALS] = status(code, Location=f"{stub.base}/Goal")
        assert not_checked(cards(installation(stub), asking(stub))) == ["goals"]
        assert (elsewhere.asked, set(stub.asked)) == ([], {GOALS})


def test_cookies_are_not_kept(stub: FhirStub) -> None:
    """What a server sets for one caller is not sent for the next one."""
    stub.replies[GOALS] = status(200, text(bundle()), Set_Cookie="session=of-somebody; Path=/")
    listed = installation(stub)
    for _ in range(3):
        cards(listed, asking(stub))
    assert stub.cookies == [None, None, None]


def test_proxy_of_the_environment(stub: FhirStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names is not trusted with a token."""
    with fhir_stub() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.origin)
        assert not_checked(cards(installation(stub), asking(stub))) == []
        assert (len(stub.asked), proxy.asked) == (1, [])


def test_token_of_another_patient(stub: FhirStub) -> None:
    """A token for another patient than the one in context is not used, and that is said."""
    listed = installation(stub)
    assert not_checked(cards(listed, asking(stub, patient="somebody-else"))) == ["goals"]
    assert stub.asked == []
    assert not_checked(cards(listed, asking(stub, patient="test-patient"))) == []
    assert stub.tokens == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize(("seconds", "asked"), [(0, 0), (-5, 0), ("0", 0), (1, 1), ("300", 1), (None, 1)])
def test_expired_token(stub: FhirStub, seconds: int | str | None, asked: int) -> None:
    """A token that has expired is not used; one that does not say when it does, is."""
    found = cards(installation(stub), asking(stub, expires_in=seconds))
    assert len(stub.asked) == asked
    assert not_checked(found) == ["goals"] * (1 - asked)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_dead_server(stub: FhirStub) -> None:
    """A server that gave no answer three times in a row is left alone for a while."""
    stub.replies[GOALS] = silent
    listed = installation(stub, fetch_seconds=0.3)
    for _ in range(Circuit.FAILURES + 4):
        assert not_checked(cards(listed, asking(stub))) == ["goals"]
    assert stub.asked == [GOALS] * Circuit.FAILURES


def test_server_that_is_back(stub: FhirStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """After that while the server is asked again, and once it answers, every time."""
    monkeypatch.setattr(Circuit, "SECONDS", 0)
    stub.replies[GOALS] = silent
    listed = installation(stub, fetch_seconds=FEW)
    for _ in range(Circuit.FAILURES):
        cards(listed, asking(stub))
    stub.replies[GOALS] = bundle()
    for _ in range(3):
        assert not_checked(cards(listed, asking(stub))) == []


def test_server_that_refuses_is_not_dead(stub: FhirStub) -> None:
    """A server that answers, with whatever status, is asked every time."""
    stub.replies[GOALS] = status(500)
    listed = installation(stub)
    for _ in range(Circuit.FAILURES + 2):
        cards(listed, asking(stub))
    assert len(stub.asked) == Circuit.FAILURES + 2


def test_nobody_listens() -> None:
    """Where nobody listens, what is missing is said."""
    base = f"http://127.0.0.1:{free_port()}/fhir"
    listed: FlaskClient = create_app(Settings(fhir_servers=[base])).test_client()
    for _ in range(Circuit.FAILURES + 1):
        assert not_checked(cards(listed, withheld(CLAIM, "goals", server=base))) == ["goals"]
