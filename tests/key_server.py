"""A server on this machine that publishes keys, as a client does: well, slowly, too much, or not at all."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.builders import Json


class KeyServer:
    """What it answers next, and how often it was asked. `drip` seconds pass between two bytes, `delay` before all."""

    def __init__(self) -> None:
        self.body = b'{"keys": []}'
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = self.drip = 0.0
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
            time.sleep(keys.delay)
            self.send_response(keys.status)
            self.send_header("Content-Length", str(len(keys.body)))
            for name, value in keys.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                if not keys.drip:
                    self.wfile.write(keys.body)
                    return
                for byte in keys.body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(keys.drip)
            except OSError:
                return  # who asked has gone

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    return Handler


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    """A key server that publishes nothing yet."""
    server = KeyServer()
    yield server
    server.stop()
