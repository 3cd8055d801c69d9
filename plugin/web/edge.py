"""Between Granian and the application: a request's body is received whole before a thread is spent on it.

A WSGI server hands over a request as soon as its headers are there, and whoever reads the body waits for the client. A
few clients that drip their bodies would hold every thread, for as long as they like. Here bodies arrive on the event
loop, where waiting costs nothing, within a time and a size; the application sees them when they are complete.
"""

import asyncio
import io
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from granian._granian import RSGIHTTPProtocol, RSGIProtocolClosed, RSGIProtocolError
from granian.rsgi import Scope

from cds_hooks.outcome import Issue, Refusal
from plugin import trust_file
from plugin.settings import Settings
from plugin.web import app
from plugin.web.body import NOT_RECEIVED
from plugin.web.trust import may_send

THREADS = 4
"""Requests under way in one worker. With one thread a worker answers a quarter more requests under load, but a FHIR
server that is slow to give missing prefetch would stall all others; two threads were no faster than four."""

SMALL = 256_000
"""Bytes up to which a body is received in one piece, and is answered on the event loop where nothing has to be waited
for. Handing a request to a thread costs some 0.15 ms; a body of 5 MB would keep the loop for a tenth of a second."""

WAITING = ("/feedback", "/ready")
"""Where the store is waited for, which takes a thread."""

HELD = 16
"""How many bodies of the largest size a worker holds at once until they are answered; further large ones are a 503."""

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

_ALWAYS: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": False,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
_UNPREFIXED = {"content-type": "CONTENT_TYPE"}
_OF_THE_CONNECTION = frozenset({"content-length", "transfer-encoding"})
"""Headers about how the body came. It is whole now, and its length is known."""


class Edge:
    """One worker's application, as Granian calls it (RSGI), and the bodies that are arriving."""

    def __init__(self, application: Wsgi, settings: Settings) -> None:
        self._application = application
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, "request")
        self._trust = trust_file.load(settings.trust_file) if settings.trust_file else None
        self._inline = not settings.waits_for_others
        self._held = 0

    async def __rsgi__(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        """Answer one request."""
        try:
            body = await self._received(scope, protocol) if self._is_wanted(scope) else b""
        except (RSGIProtocolClosed, RSGIProtocolError):
            return  # the client is gone, and nobody waits for an answer
        if isinstance(body, Refusal):
            self._answer(scope, b"", protocol, body)
            return
        self._held += len(body)
        try:
            if self._inline and len(body) <= SMALL and not scope.path.endswith(WAITING):
                self._answer(scope, body, protocol)
            else:
                handed = time.monotonic()
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._threads, self._answer_in_turn, scope, body, protocol, handed)
        finally:
            self._held -= len(body)

    def _is_wanted(self, scope: Scope) -> bool:
        """Whether the body is worth receiving, by its headers. One that is not is answered as if there were none.

        Only so many large bodies are held at once; a stranger, who is refused anyway, must not take those places.
        """
        if "transfer-encoding" not in scope.headers and (_size(scope) or 0) <= SMALL:
            return True
        authorization = [value for name, value in scope.headers.items() if name == "authorization"]
        return may_send(scope.path, authorization, self._trust)

    async def _received(self, scope: Scope, protocol: RSGIHTTPProtocol) -> bytes | Refusal:
        """The whole body, or why it is not had: too large, too slow, or one too many.

        A refusal is returned and not raised: a traceback would hold on to the rest of the body, and with it to the
        connection, until the collector comes by.
        """
        if not _announces_body(scope):
            return b""
        size = _size(scope)
        if size is not None and size > self._settings.max_body_bytes:
            return self._too_large()
        try:
            async with asyncio.timeout(self._settings.body_seconds):
                if size is not None and size <= SMALL:
                    return await protocol()
                return await self._in_pieces(protocol)
        except TimeoutError:
            words = f"The body did not arrive within {self._settings.body_seconds:g} seconds."
            return Refusal(408, Issue("timeout", words))

    async def _in_pieces(self, protocol: RSGIHTTPProtocol) -> bytes | Refusal:
        body = bytearray()
        try:
            async for piece in protocol:
                body += piece
                self._held += len(piece)
                if len(body) > self._settings.max_body_bytes:
                    return self._too_large()
                if self._held > HELD * self._settings.max_body_bytes:
                    return _overloaded("Too many large requests are arriving at once; send this one again.")
            return bytes(body)
        finally:
            self._held -= len(body)

    def _too_large(self) -> Refusal:
        return Refusal(413, Issue("too-long", f"The body may have {self._settings.max_body_bytes} bytes at most."))

    def _answer_in_turn(self, scope: Scope, body: bytes, protocol: RSGIHTTPProtocol, handed: float) -> None:
        """Answer in a thread; what waited longer than its caller is likely to is refused, and the queue moves on."""
        late = time.monotonic() - handed > self._settings.wait_seconds
        refusal = _overloaded("All threads were busy for too long; send this request again.") if late else None
        self._answer(scope, body, protocol, refusal)

    def _answer(self, scope: Scope, body: bytes, protocol: RSGIHTTPProtocol, refusal: Refusal | None = None) -> None:
        head: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            head.append((int(status[:3]), headers))

        environ = _environ(scope, body)
        if refusal is not None:
            environ[NOT_RECEIVED] = refusal
        parts = self._application(environ, start_response)
        try:
            whole = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        status, headers = head[-1]
        if refusal is not None or (not body and _announces_body(scope)):
            headers.append(("Connection", "close"))  # the rest of a body is not waited for
        protocol.response_bytes(status, headers, whole)


def worker() -> Edge:
    """What Granian runs in a worker process."""
    settings = Settings()
    return Edge(app.worker(settings).wsgi_app, settings)


def _announces_body(scope: Scope) -> bool:
    return "content-length" in scope.headers or "transfer-encoding" in scope.headers


def _size(scope: Scope) -> int | None:
    """The announced size of the body; None where none is announced."""
    length = scope.headers.get("content-length")
    return int(length) if length is not None and length.isdecimal() else None


def _overloaded(words: str) -> Refusal:
    return Refusal(503, Issue("transient", words), headers={"Retry-After": "1"})


def _environ(scope: Scope, body: bytes) -> Environ:
    """The request as WSGI has it (PEP 3333).

    A header that came twice is joined by a comma, so that no one of the two counts alone. One with an underscore in its
    name is left out, for it could pass for the same name with a hyphen.
    """
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_ALWAYS,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
    }
    for name, value in scope.headers.items():
        if "_" in name or name in _OF_THE_CONNECTION:
            continue
        key = _UNPREFIXED.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    return environ
