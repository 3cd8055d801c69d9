"""Answers of FHIR servers that are too large, or none at all: they cost their own key, neither memory nor others."""

import gzip
import random
import socket
import tracemalloc
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from tests.builders import bundle, text
from tests.exchange import cards, codes, send
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
)
from tests.visits import EXERCISE


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


HUGE = b'{"resourceType": "Bundle", "entry": [' + b" " * 30_000_000 + b"]}"


def chunked(body: bytes, **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        for start in range(0, len(body), 50_000):
            part = body[start : start + 50_000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        handler.wfile.write(b"0\r\n\r\n")

    return reply


LARGE: dict[str, Reply] = {
    "plain": status(200, HUGE),
    "in chunks": chunked(HUGE),
    "gzip": status(200, gzip.compress(HUGE), Content_Encoding="gzip"),
    "gzip in chunks": chunked(gzip.compress(HUGE), Content_Encoding="gzip"),
    "gzip twice": status(200, gzip.compress(gzip.compress(HUGE)), Content_Encoding="gzip, gzip"),
    "deflate": status(200, zlib.compress(HUGE), Content_Encoding="deflate"),
}


@pytest.mark.parametrize("large", LARGE.values(), ids=LARGE)
def test_large(stub: FhirStub, large: Reply) -> None:
    """An answer above the limit, decompressed, is put down before it has been read, and never takes up memory."""
    stub.replies[GOALS] = large
    listed = installation(stub, fetch_bytes=100_000)
    cards(listed, withheld(CLAIM, "plans", server=stub.base))
    tracemalloc.start()
    found = cards(listed, withheld(CLAIM, "goals", server=stub.base))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not_checked(found) == ["goals"]
    assert most < 8_000_000


def test_compressed(stub: FhirStub) -> None:
    """An answer within the limit may be compressed."""
    body = gzip.compress(text(bundle(EXERCISE)))
    stub.replies[PROCEDURES] = status(200, body, Content_Encoding="gzip")
    assert codes(cards(installation(stub), withheld(CLAIM, "procedures", server=stub.base))) == ["units.too-many"]


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"resourceType": "Bundle", "entry": []}')
    handler.close_connection = True


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n" * 40)
    handler.close_connection = True


def many_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    for number in range(500):
        handler.send_header(f"X-{number}", "x" * 1000)
    handler.end_headers()


GARBAGE: dict[str, Reply] = {
    "HTML": status(200, b"<!DOCTYPE html><html>Sign in</html>", Content_Type="text/html"),
    "HTML that says it is FHIR": status(200, b"\n <html></html>"),
    "XML": status(200, b'<Bundle xmlns="http://hl7.org/fhir"/>', Content_Type="application/fhir+xml"),
    "junk": status(200, random.Random(1).randbytes(5000)),
    "no gzip": status(200, b"{}", Content_Encoding="gzip"),
    "truncated": cut,
    "truncated gzip": status(200, gzip.compress(text(bundle(EXERCISE)))[:-30], Content_Encoding="gzip"),
    "hangs up": hang_up,
    "no HTTP": no_http,
    "too many headers": many_headers,
    "401": status(401),
    "403 with words": status(403, text({"resourceType": "OperationOutcome", "issue": []})),
    "404 of a search": status(404),
    "410 of a search": status(410),
    "429": status(429, Retry_After="3600"),
    "503": status(503, Retry_After="3600"),
    "no content": status(204),
    "part": status(206, text(bundle())),
    "another resource": status(200, text({"resourceType": "Patient", "id": "p"})),
    "an outcome": status(200, text({"resourceType": "OperationOutcome", "issue": []})),
    "an outcome in a Bundle": status(
        200, text(bundle({"resourceType": "OperationOutcome", "issue": [{"severity": "fatal"}]}))
    ),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage(stub: FhirStub, garbage: Reply) -> None:
    """What is no answer is said, shows nothing of the token, and costs no other key."""
    stub.replies = {GOALS: garbage, PROCEDURES: bundle(EXERCISE)}
    answer = send(installation(stub), withheld(CLAIM, "goals", "procedures", server=stub.base))
    assert answer.status_code == 200
    found = answer.get_json()["cards"]
    assert not_checked(found) == ["goals"]
    assert "units.too-many" in codes(found)
    assert TOKEN not in answer.get_data(as_text=True)
