"""The published keys of clients: fetched when they are needed, kept, and fetched anew when they may have changed.

A key that is known is answered from memory. Only a request that needs a key that is not known waits for a fetch, and
only so many requests at a time, so that a client whose server is slow does not stop the others.

KeysUnavailable    the keys cannot be had now; the request may be sent again
"""

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping

import msgspec
import requests
import structlog
from urllib3.exceptions import HTTPError

from cds_hooks.trust import Client, Key, UnusableKeyError, read_jwks, usable
from plugin.outside.connections import Deadline, session

FETCH_SECONDS = 3.0
MOST_BYTES = 256 * 1024
FRESH_SECONDS = 3600.0
"""After this long the keys are fetched anew, so that one that was taken back is no longer believed."""
KEPT_SECONDS = 24 * 3600.0
"""For this long the known keys are believed while they cannot be fetched anew."""
PAUSE_SECONDS = 60.0
"""The least time between two fetches that an unknown kid asks for, and between two that fail."""
WAITING = 2
"""The most requests that wait for keys at a time; the server has four threads."""

_ANYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
"""The address is the installation's own choice, and may be one of its own network."""
_LATE = "the key set did not arrive in time"
_NEVER = float("-inf")
_CHUNK = 16 * 1024
_HEADERS = {"Accept": "application/jwk-set+json, application/json"}


class KeysUnavailable(Exception):
    """The keys of a client cannot be had at the moment."""


class _Failed(Exception):
    """A fetch did not give keys; says why, in a few words."""


class _Known(msgspec.Struct, frozen=True):
    keys: Mapping[str, Key]
    fetched: float


class Keys:
    """Gives the keys of all clients: those of the trust file, and those that clients publish."""

    def __init__(self, clients: Mapping[str, Client], clock: Callable[[], float] = time.monotonic) -> None:
        waiting = threading.BoundedSemaphore(WAITING)
        self._published = {one.issuer: Published(one, clock, waiting) for one in clients.values() if one.jku}

    def of(self, client: Client, kid: str) -> Key | None:
        """The key of a client with this kid, if there is one; raises KeysUnavailable."""
        return self._published[client.issuer].key(kid) if client.jku else client.keys.get(kid)


class Published:
    """The key set behind one client's address."""

    def __init__(self, client: Client, clock: Callable[[], float], waiting: threading.BoundedSemaphore) -> None:
        self._client = client
        self._clock = clock
        self._waiting = waiting
        self._lock = threading.Lock()
        self._known: _Known | None = None
        self._under_way: threading.Event | None = None
        self._failed = self._asked_for_kid = _NEVER

    def key(self, kid: str) -> Key | None:
        """The key with this kid, None where the client publishes none; raises KeysUnavailable."""
        known, now = self._known, self._clock()
        if known is not None and kid in known.keys and now - known.fetched < FRESH_SECONDS:
            return known.keys[kid]
        fetch = self._fetch_if_due(kid, now)
        if known is not None and kid in known.keys and now - known.fetched < KEPT_SECONDS:
            return known.keys[kid]
        if fetch is not None:
            self._wait(fetch)
        known = self._known
        if known is None or now - known.fetched >= KEPT_SECONDS:
            raise KeysUnavailable
        if kid not in known.keys and (self._failed >= known.fetched or (fetch is not None and not fetch.is_set())):
            raise KeysUnavailable  # it may be a new one
        return known.keys.get(kid)

    def _fetch_if_due(self, kid: str, now: float) -> threading.Event | None:
        """The fetch that is under way, or one that is begun because there is reason to."""
        with self._lock:
            if self._under_way is not None:
                return self._under_way
            known = self._known
            if now - self._failed < PAUSE_SECONDS:
                return None
            if known is not None and now - known.fetched < FRESH_SECONDS:
                if kid in known.keys or now - self._asked_for_kid < PAUSE_SECONDS:
                    return None
                self._asked_for_kid = now
            done = self._under_way = threading.Event()
            threading.Thread(target=self._fetch, args=(done,), name="jwks", daemon=True).start()
            return done

    def _wait(self, fetch: threading.Event) -> None:
        if not self._waiting.acquire(blocking=False):
            return
        try:
            fetch.wait(FETCH_SECONDS + 1)
        finally:
            self._waiting.release()

    def _fetch(self, done: threading.Event) -> None:
        try:
            self._known = _Known(usable(read_jwks(fetched(self._client.jku))), self._clock())
            self._failed = _NEVER
        except Exception as error:  # whatever it is, nobody else would hear of it in this thread
            self._failed = self._clock()
            why = str(error) if isinstance(error, _Failed | UnusableKeyError) else type(error).__name__
            structlog.get_logger().warning("keys-not-fetched", client=self._client.issuer, why=why)
        finally:
            with self._lock:
                self._under_way = None
            done.set()


def fetched(address: str) -> bytes:
    """What is behind an address, within bounds of time and size and without redirects; raises an error of requests."""
    deadline = Deadline(FETCH_SECONDS)
    alarm = threading.Timer(FETCH_SECONDS, deadline.end)
    alarm.daemon = True
    alarm.start()
    try:
        with deadline.for_this_thread(), session(_ANYWHERE, None, 1) as calls:
            return _body(calls, address, deadline)
    except (requests.RequestException, HTTPError, OSError):
        if deadline.left():
            raise
        raise _Failed(_LATE) from None
    finally:
        alarm.cancel()


def _body(calls: requests.Session, address: str, deadline: Deadline) -> bytes:
    with calls.get(address, headers=_HEADERS, timeout=FETCH_SECONDS, allow_redirects=False, stream=True) as answer:
        if answer.status_code != requests.codes.ok:
            raise _Failed(f"its server answered {answer.status_code}")
        body = bytearray()
        while chunk := answer.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MOST_BYTES:
                raise _Failed(f"the key set is larger than {MOST_BYTES} bytes")
            if not deadline.left():
                break
        if not deadline.left():  # what was cut off looks like an end
            raise _Failed(_LATE)
        return bytes(body)
