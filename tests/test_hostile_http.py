"""Hostile clients over real sockets: they get their refusal, and nobody else notices them."""

import http.client
import json
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from plugin.web.edge import HELD, THREADS
from tests.builders import CLAIM_SUBMIT, Json, claim, claim_request, item, text
from tests.exchange import codes
from tests.test_serve import Running, start
from tests.visits import chiro

LIMIT = 8_000_000
PATIENCE = 30
"""Seconds after which a client gives up: no claim about speed, only about hanging."""
INSECURE = {"VISITCUE_INSECURE": "true"}
"""The sockets below call by all kinds of names, which a service of this machine alone would refuse."""
GOOD = text(chiro("59", "GP"))
POST = f"POST /cds-services/{CLAIM_SUBMIT} HTTP/1.1\r\nHost: visitcue.example\r\n".encode()
PLAIN = b"Content-Type: application/json\r\n"


class Reply(NamedTuple):
    """An answer as it came over the socket."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def issue(self) -> Json:
        found: Json = json.loads(self.body)["issue"][0]
        return found


def connected(service: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(service.base.rpartition(":")[2])), timeout=PATIENCE)


def reply(connection: socket.socket) -> Reply:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return Reply(answer.status, answer.headers, answer.read())


def talk(service: Running, *parts: bytes) -> Reply:
    """Send these bytes, piece by piece, and take the answer; a server that has answered may not want all of them."""
    with connected(service) as connection:
        try:
            for part in parts:
                connection.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return reply(connection)


def left(connection: socket.socket) -> bytes:
    """What else comes on a connection, which the server must have closed."""
    try:
        return connection.recv(100)
    except ConnectionResetError:
        return b""


def good(service: Running) -> bool:
    return talk(service, POST, PLAIN, sized(GOOD)).body == b'{"cards":[]}'


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def in_chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with a time for bodies that a test can wait for."""
    log = tmp_path_factory.mktemp("hostile") / "log"
    limits = {"VISITCUE_BODY_SECONDS": "3", "VISITCUE_MAX_BODY_BYTES": str(LIMIT), "VISITCUE_WAIT_SECONDS": "30"}
    running = start(log, **INSECURE, **limits)
    yield running
    running.stop()
    assert "Traceback" not in "\n".join(running.said())
    assert '"failed"' not in "\n".join(running.said())


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """The address of a FHIR server that takes every call and answers none."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/fhir"


@pytest.fixture(scope="module")
def threaded(tmp_path_factory: pytest.TempPathFactory, silent: str) -> Iterator[Running]:
    """A service that may have to wait for the FHIR server, and so answers in threads."""
    running = start(
        tmp_path_factory.mktemp("threaded") / "log",
        **INSECURE,
        VISITCUE_FHIR_SERVERS=json.dumps([silent]),
        VISITCUE_FETCH_SECONDS="1.5",
        VISITCUE_WAIT_SECONDS="0.3",
        VISITCUE_BODY_SECONDS="3",
        VISITCUE_MAX_BODY_BYTES="1000000",
    )
    yield running
    running.stop()
    assert "Traceback" not in "\n".join(running.said())


SHAPES: dict[str, tuple[bytes, set[int]]] = {
    "no body, no length": (POST + PLAIN + b"\r\n", {400}),
    "length and chunks": (
        POST + PLAIN + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(b"{}", b""),
        {400},
    ),
    "two lengths": (POST + PLAIN + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n{} x", {400}),
    "a length that is no number": (POST + PLAIN + b"Content-Length: ten\r\n\r\n{}", {400}),
    "a negative length": (POST + PLAIN + b"Content-Length: -1\r\n\r\n{}", {400}),
    "a length of 30 digits": (POST + PLAIN + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}", {400, 413}),
    "a transfer coding of nobody": (POST + PLAIN + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", {400}),
    "compressed chunks": (POST + PLAIN + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400}),
    "chunks of nonsense": (POST + PLAIN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", {400}),
    "a space before a colon": (POST + b"Content-Type : application/json\r\n" + sized(GOOD), {400}),
    "NUL in a header": (POST + PLAIN + b"X-Name: a\x00b\r\n" + sized(GOOD), {400}),
    "a header of half a megabyte": (POST + PLAIN + b"X-Name: " + b"a" * 500_000 + b"\r\n" + sized(GOOD), {200, 431}),
    "two thousand headers": (POST + PLAIN + b"X-Name: a\r\n" * 2000 + sized(GOOD), {431}),
    "an address of 70 KB": (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n" + sized(GOOD), {404, 414}),
    "an address of 50 KB": (b"POST /" + b"a" * 50_000 + b" HTTP/1.1\r\nHost: x\r\n" + sized(GOOD), {404}),
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {400}),
    "HTTP of the future": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", {400}),
    "two content types": (POST + PLAIN + b"Content-Type: text/xml\r\n" + sized(GOOD), {415}),
    "a compressed body": (POST + PLAIN + b"Content-Encoding: gzip\r\n" + sized(b"\x1f\x8b\x08\x00"), {415}),
    "another method in a header": (POST + PLAIN + b"X-HTTP-Method-Override: DELETE\r\n" + sized(GOOD), {200}),
    "no host": (f"POST /cds-services/{CLAIM_SUBMIT} HTTP/1.0\r\n".encode() + PLAIN + sized(GOOD), {200}),
    "a host of nonsense": (
        POST.replace(b"visitcue.example", b"a b@<c>") + PLAIN + sized(GOOD),
        {200, 400},
    ),
    "a whole address": (POST.replace(b"POST ", b"POST http://visitcue.example") + PLAIN + sized(GOOD), {200}),
    "OPTIONS of everything": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", {200, 204, 404, 405}),
    "two slashes": (b"POST //cds-services//x HTTP/1.1\r\nHost: x\r\n" + sized(GOOD), {404}),
    "a way up": (b"POST /cds-services/..%2f..%2fetc HTTP/1.1\r\nHost: x\r\n" + sized(GOOD), {404}),
    "a way up in the open": (b"GET /cds-services/../cds-services HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    "bytes that are no UTF-8": (b"GET /%ff%fe/%00 HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    "per cent of nothing": (b"GET /%zz%2 HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    "an id in per cents": (POST.replace(b"visitcue-", b"visitcue%2D") + PLAIN + sized(GOOD), {200}),
    "a slash at the end": (POST.replace(b" HTTP/1.1", b"/ HTTP/1.1") + PLAIN + sized(GOOD), {404}),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(service: Running, name: str) -> None:
    """A request of an odd shape is answered or refused, without a word of what it holds, and the next one is served.

    What is no HTTP at all is refused by the server itself, with a status and nothing else.
    """
    sent, expected = SHAPES[name]
    answer = talk(service, sent)
    assert answer.status in expected
    if answer.body and answer.status >= 400:
        assert json.loads(answer.body)["resourceType"] == "OperationOutcome"
        assert b"etc" not in answer.body
    assert good(service)


@pytest.mark.parametrize("length", [LIMIT + 1, 10**12])
@pytest.mark.parametrize("more", [b"", b"Expect: 100-continue\r\n"])
def test_too_large_is_known_before_it_comes(service: Running, length: int, more: bytes) -> None:
    """A body that is announced as too large is a 413 before a byte of it is sent."""
    answer = talk(service, POST, PLAIN, more, b"Content-Length: %d\r\n\r\n" % length)
    assert (answer.status, answer.issue["code"]) == (413, "too-long")
    assert good(service)


def test_endless_body(service: Running) -> None:
    """A body without a length is a 413 as soon as it is larger than the limit, however much would follow."""
    answer = talk(service, POST, PLAIN, b"Transfer-Encoding: chunked\r\n\r\n", *[in_chunks(b" " * 65_536)] * 400)
    assert (answer.status, answer.issue["code"]) == (413, "too-long")
    assert good(service)


@pytest.mark.parametrize("size", [50, 1000, 1_000_000])
def test_body_in_chunks(service: Running, size: int) -> None:
    """A body without a length is read like any other."""
    pieces = [GOOD[at : at + size] for at in range(0, len(GOOD), size)]
    answer = talk(service, POST, PLAIN, b"Transfer-Encoding: chunked\r\n\r\n", in_chunks(*pieces, b""))
    assert answer.body == b'{"cards":[]}'


def test_asked_to_go_on(service: Running) -> None:
    """A client that asks whether it may send its body is told to go on, and is answered."""
    with connected(service) as connection:
        connection.sendall(POST + PLAIN + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(GOOD))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(GOOD)
        assert reply(connection).body == b'{"cards":[]}'


def test_two_on_one_connection(service: Running) -> None:
    """Requests that come on one connection are answered one by one, a refused one between them included."""
    with connected(service) as connection:
        for body, status in ((GOOD, 200), (b"{", 400), (GOOD, 200)):
            connection.sendall(POST + PLAIN + sized(body))
            assert reply(connection).status == status


def test_gone_before_the_end(service: Running) -> None:
    """Clients that hang up in the middle of a body leave nothing behind that others would notice."""
    for _ in range(3 * THREADS):
        with connected(service) as connection:
            connection.sendall(POST + PLAIN + b"Content-Length: 100\r\n\r\n{")
    assert good(service)


@pytest.mark.parametrize("running", ["service", "threaded"])
@pytest.mark.parametrize(
    "begun",
    [
        POST + PLAIN + b"Content-Length: 100\r\n\r\n{",
        POST + PLAIN + b"Content-Length: 900000\r\n\r\n{",
        POST + PLAIN + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["small", "large", "chunked"],
)
def test_slow_bodies(request: pytest.FixtureRequest, running: str, begun: bytes) -> None:
    """Clients that drip their bodies, three for each thread, stop nobody, and are sent away when their time is over."""
    service: Running = request.getfixturevalue(running)
    stop = threading.Event()
    with ExitStack() as opened:
        slow = [opened.enter_context(connected(service)) for _ in range(3 * THREADS)]
        for connection in slow:
            connection.sendall(begun)

        def drip() -> None:
            while not stop.wait(0.2):
                for connection in slow:
                    try:
                        connection.sendall(b"1\r\n \r\n" if b"chunked" in begun else b" ")
                    except OSError:
                        continue

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert all(good(service) for _ in range(10))
            answers = [reply(connection) for connection in slow]
        finally:
            stop.set()
            dripping.join()
        assert not any(left(connection) for connection in slow)
    assert {(one.status, one.issue["code"]) for one in answers} == {(408, "timeout")}


def test_slow_headers(service: Running) -> None:
    """Clients that drip their headers stop nobody."""
    with ExitStack() as opened:
        for _ in range(3 * THREADS):
            opened.enter_context(connected(service)).sendall(POST)
        assert all(good(service) for _ in range(20))


def test_headers_that_never_end(service: Running) -> None:
    """A client whose headers do not end is sent away within some seconds."""
    with connected(service) as connection:
        connection.settimeout(15)
        connection.sendall(POST)
        while connection.recv(1000):
            pass


@pytest.mark.parametrize("running", ["service", "threaded"])
def test_stopped_among_slow_clients(tmp_path: Path, running: str) -> None:
    """A service that is asked to stop while clients drip their bodies stops."""
    more = {"VISITCUE_FHIR_SERVERS": '["http://127.0.0.1:9/fhir"]'} if running == "threaded" else {}
    service = start(tmp_path / "log", **INSECURE, VISITCUE_BODY_SECONDS="3", **more)
    with ExitStack() as opened:
        for _ in range(3 * THREADS):
            opened.enter_context(connected(service)).sendall(POST + PLAIN + b"Content-Length: 100\r\n\r\n{")
        assert good(service)
        service.stop()
    assert "Traceback" not in "\n".join(service.said())


def test_all_threads_busy(threaded: Running, silent: str) -> None:
    """A request that waited too long for a free thread is a 503 that says when to come again; then all is well."""
    body = claim_request(claim(item(1, "97110")))
    del body["prefetch"]["goals"]
    sent = POST + PLAIN + sized(text({**body, "fhirServer": silent}))
    with ThreadPoolExecutor(4 * THREADS) as clients:
        answers = list(clients.map(lambda _: talk(threaded, sent), range(4 * THREADS)))
    statuses = [one.status for one in answers]
    assert statuses.count(200) >= THREADS
    assert set(statuses) == {200, 503}
    for one in answers:
        if one.status == 503:
            assert (one.issue["code"], one.headers["Retry-After"]) == ("transient", "1")
        else:
            assert "facts.not-checked" in codes(json.loads(one.body)["cards"])
    assert good(threaded)


def test_many_large_bodies_at_once(threaded: Running) -> None:
    """Bodies that arrive are held up to a sum; beyond it a large one is a 503, and a small one is read."""
    part = POST + PLAIN + b"Content-Length: 1000000\r\n\r\n" + b" " * 990_000
    with ExitStack() as opened:
        clients = [opened.enter_context(connected(threaded)) for _ in range(HELD + 4)]
        for client in clients:
            client.sendall(part)
        assert good(threaded)
        answers = [reply(client) for client in clients]
    assert {one.status for one in answers} == {408, 503}
    assert good(threaded)


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of another process is read where Linux tells it")
def test_memory(service: Running) -> None:
    """Twenty bodies of 5 MB at once are answered, and again, and the process stays within some times their size."""
    pad = b'{"vendor": "%b", ' % (b"x" * 5_000_000)
    sent = POST + PLAIN + sized(pad + GOOD.lstrip()[1:])
    wide = POST + PLAIN + sized(b'{"vendor": [%b' % (b"[]," * 1_600_000) + b"0]," + GOOD[1:])
    with ThreadPoolExecutor(20) as clients:
        for turn in range(2):
            for request in (sent, wide):
                answers = list(clients.map(lambda _, body=request: talk(service, body), range(20)))
                assert {one.status for one in answers} == {200}, turn
    peak = max(int(_status(pid)["VmHWM"].split()[0]) for pid in _children(service.process.pid))
    assert peak < 900_000, f"{peak} kB"
    assert good(service)


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return dict(line.split(":", 1) for line in lines)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
