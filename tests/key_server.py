"""A server on this machine that publishes keys, as a client does: well, slowly, too much, or not at all."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.builders import Json


class KeyServer:
    """What it answers next, once `open` is set, and how often it was asked.

    `drip` seconds pass between two bytes of the body, or of the header where `slow_header` is set.
    """

    def __init__(self) -> None:
        self.body = b'{"keys": []}'
        self.status = 200
        self.headers: dict[str, str] = {}
        self.drip = 0.0
        self.slow_header = False
        self.open = threading.Event()
        self.open.set()
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.jku = f"http://127.0.0.1:{self._server.server_port}/jwks.json"

    def publish(self, *keys: Json) -> None:
        self.body = json.dumps({"keys": list(keys)}).encode()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(keys: KeyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys.asked += 1
            keys.open.wait(60)
            if keys.slow_header:
                self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
                self._drip(b"x" * 1000)
                return
            self.send_response(keys.status)
            self.send_header("Content-Length", str(len(keys.body)))
            for name, value in keys.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if keys.drip:
                self._drip(keys.body)
                return
            with contextlib.suppress(OSError):  # who asked may have gone
                self.wfile.write(keys.body)

        def _drip(self, text: bytes) -> None:
            with contextlib.suppress(OSError):
                for byte in text:
                    self.wfile.write(bytes([byte]))
                    time.sleep(keys.drip)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """A key server that publishes nothing yet."""
    server = KeyServer()
    yield server
    server.stop()
