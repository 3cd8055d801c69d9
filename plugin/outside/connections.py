"""Connections to FHIR servers: only to allowed addresses, only for a time, without proxies, cookies and redirects.

An address is looked up once, and the very address that was checked is connected to, so a name that is answered
differently the second time (DNS rebinding) gains nothing.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from plugin.addresses import Network, is_this_machine, may_connect


class ForbiddenAddressError(NewConnectionError):
    """A server's name leads only to addresses that this installation does not allow."""


class Deadline:
    """A moment until which a group of calls may use the network; `end` frees the threads that still wait for it.

    A timeout of a socket begins anew with every byte, so a server that drips its answer would hold a thread for as
    long as it likes. What is shut down wakes whoever reads from it.
    """

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._in_use: dict[int, socket.socket] = {}
        self._ended = False
        self.answered = False

    def left(self) -> float:
        """The seconds that are left, 0 where none are."""
        return 0.0 if self._ended else max(0.0, self._at - time.monotonic())

    def end(self) -> None:
        """Shut down every connection that is in use."""
        with self._lock:
            self._ended = True
            for guard in self._in_use.values():
                _shut(guard)

    @contextlib.contextmanager
    def for_this_thread(self) -> Iterator[None]:
        """Whatever this thread connects to, or takes from the pool, is shut down when the time is over."""
        _current.deadline = self
        try:
            yield
        finally:
            _current.deadline = None
            with self._lock:
                self._in_use.pop(threading.get_ident(), None)

    def use(self, guard: socket.socket) -> None:
        """Note the connection that this thread uses from here on."""
        with self._lock:
            self._in_use[threading.get_ident()] = guard
            if self._ended:
                _shut(guard)


class _Current(threading.local):
    deadline: Deadline | None = None


_current = _Current()


class _Guarded(HTTPConnection):
    """A connection to an allowed address, with a second handle to its socket.

    TLS takes the first handle over in the middle of connecting; the second one can shut the socket at any time.
    """

    networks: Sequence[Network] = ()
    guard: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        sock = self._connected()
        self.guard = sock.dup()
        self._note()
        return sock

    def request(self, *args: Any, **more: Any) -> None:
        self._note()  # a connection out of the pool
        super().request(*args, **more)

    def close(self) -> None:
        super().close()
        if self.guard is not None:
            self.guard.close()
            self.guard = None

    def _note(self) -> None:
        if self.guard is not None and _current.deadline is not None:
            _current.deadline.use(self.guard)

    def _connected(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        here = is_this_machine(self.host.strip("[]"))
        allowed = [one for one in found if may_connect(str(one[4][0]), self.networks) or (here and _is_loopback(one))]
        if not allowed:
            raise ForbiddenAddressError(self, "No address of it is allowed.")
        failed: OSError | None = None
        for family, kind, protocol, _, address in allowed:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(_current.deadline.left() or 0.001 if _current.deadline else None)
                sock.connect(address)
            except OSError as error:
                sock.close()
                failed = error
            else:
                return sock
        if isinstance(failed, TimeoutError):
            raise ConnectTimeoutError(self, "It did not answer in time.") from failed
        raise NewConnectionError(self, "It could not be connected to.") from failed


class _GuardedTls(_Guarded, HTTPSConnection):
    pass


class _Adapter(HTTPAdapter):
    def __init__(self, networks: Sequence[Network], size: int) -> None:
        plain = type("Plain", (_Guarded,), {"networks": networks})
        tls = type("Tls", (_GuardedTls,), {"networks": networks})
        self._pools = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }
        super().__init__(pool_maxsize=size)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools


def session(networks: Sequence[Network], ca_file: Path | None, size: int) -> requests.Session:
    """A session that keeps up to `size` connections to each server, for any number of threads.

    Certificates are always checked, against `ca_file` where one is given. Nothing is taken from the environment (no
    proxy, no .netrc), and no cookie is kept: it would carry one caller's access over to the next.
    """
    made = requests.Session()
    made.trust_env = False
    made.verify = str(ca_file) if ca_file else True
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(networks, size)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _is_loopback(found: tuple[Any, ...]) -> bool:
    return is_this_machine(str(found[4][0]))


def _shut(guard: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have gone already
        guard.shutdown(socket.SHUT_RDWR)
