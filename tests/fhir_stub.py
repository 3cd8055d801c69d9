"""A FHIR server on loopback that does what a test tells it to, good or bad, over real sockets."""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import ENCOUNTER, PATIENT, Json, bundle, claim, claim_request, item
from tests.exchange import slots, with_code

TOKEN = "tok-4c1d9b7a-very-secret"
GOALS = f"Goal?patient={PATIENT}"
PROCEDURES = f"Procedure?encounter={ENCOUNTER}"

Reply = Json | Callable[[BaseHTTPRequestHandler], None]
"""What a query is answered with: this JSON, or whatever the function writes."""


class FhirStub:
    """A running server: its base address, what it was asked, and what it answers by the query below the base."""

    def __init__(self, port: int, path: str) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.base = f"{self.origin}{path}"
        self.path = path
        self.replies: dict[str, Reply] = {}
        self.otherwise: Reply = bundle()
        self.connected = 0
        self.asked: list[str] = []
        self.tokens: list[str | None] = []
        self.cookies: list[str | None] = []

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        query = unquote(handler.path).removeprefix(f"{self.path}/").removeprefix(self.path)
        self.asked.append(query)
        self.tokens.append(handler.headers.get("Authorization"))
        self.cookies.append(handler.headers.get("Cookie"))
        reply = self.replies.get(query, self.otherwise)
        if callable(reply):
            reply(handler)
        else:
            write(handler, json.dumps(reply).encode())


def write(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    """One whole answer."""
    handler.send_response(status)
    for name, value in {"Content-Type": "application/fhir+json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def status(code: int, body: bytes = b"", **headers: str) -> Reply:
    """An answer with this status."""
    return lambda handler: write(handler, body, code, **headers)


@contextlib.contextmanager
def fhir_stub(path: str = "/fhir", tls: ssl.SSLContext | None = None) -> Iterator[FhirStub]:
    """A server that is there until the block ends, over TLS where a context is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with contextlib.suppress(OSError):  # the client may have gone
                stub.reply(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def process_request(self, request: Any, client_address: Any) -> None:
            stub.connected += 1
            super().process_request(request, client_address)

        def handle_error(self, *_: Any) -> None:
            pass  # a client that goes away is what many of the tests are about

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    stub = FhirStub(server.server_address[1], path)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()


def installation(stub: FhirStub, **settings: Any) -> FlaskClient:
    """An installation that may read from this server."""
    return create_app(Settings(**{"fhir_servers": [stub.base], "fetch_seconds": 20, **settings})).test_client()


def withheld(body: Json, *keys: str, server: str, **more: Any) -> Json:
    """A request that leaves these keys to be read from a server, with the caller's token."""
    return {
        **body,
        "prefetch": {key: value for key, value in body["prefetch"].items() if key not in keys},
        "fhirServer": server,
        "fhirAuthorization": {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "user/*.rs",
            "subject": "visitcue",
            **more,
        },
    }


CLAIM = claim_request(claim(item(1, "97110", 3)))
"""A claim of three units; what it says of the record is left to the test."""


def not_checked(found: list[Json]) -> list[str]:
    """The prefetch keys that an answer says were not to be had, or not as a whole."""
    return [key for card in with_code(found, "facts.not-checked") for key in slots(card)["keys"]]


def unreadable(found: list[Json]) -> list[str]:
    """The paths of what an answer says was left out."""
    return [path for card in with_code(found, "facts.unreadable") for path in slots(card)["paths"]]


def link(url: str) -> list[Json]:
    """The links of a page behind which there is another."""
    return [{"relation": "self", "url": "ignored"}, {"relation": "next", "url": url}]
