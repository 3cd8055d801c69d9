"""A small load generator: keep-alive connections in one thread, so that it costs the measured server little."""

import selectors
import socket
import time


def request_bytes(port: int, path: str, body: bytes) -> bytes:
    """One HTTP/1.1 POST, ready to be sent again and again."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection:
    """One keep-alive connection with one request under way."""

    def __init__(self, port: int, request: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request
        self._buffer = bytearray()
        self._length = -1
        self._began = 0.0

    def send(self) -> None:
        """Send the request once more."""
        self._began = time.perf_counter()
        self._buffer.clear()
        self._length = -1
        self.socket.sendall(self._request)

    def receive(self) -> float | None:
        """Take what has arrived; the seconds that the request took once its answer is whole."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data
        if self._length < 0:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = bytes(self._buffer[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                raise ConnectionError(f"expected 200, got {head[:40]!r}")
            self._length = end + 4 + int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        return time.perf_counter() - self._began if len(self._buffer) >= self._length else None


def run(port: int, request: bytes, connections: int, count: int) -> tuple[list[float], float]:
    """Seconds of each of `count` requests over so many connections, and the seconds of all together."""
    selector = selectors.DefaultSelector()
    open_connections = [_Connection(port, request) for _ in range(connections)]
    for connection in open_connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    took: list[float] = []
    sent = 0
    began = time.perf_counter()
    for connection in open_connections:
        connection.send()
        sent += 1
    while len(took) < count:
        for key, _ in selector.select(timeout=10):
            seconds = key.data.receive()
            if seconds is None:
                continue
            took.append(seconds)
            if sent < count:
                key.data.send()
                sent += 1
    whole = time.perf_counter() - began
    for connection in open_connections:
        connection.socket.close()
    return took, whole
