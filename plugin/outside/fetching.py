"""Several queries at once, under one deadline: threads and connections are bounded, and late work is dropped."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from cds_hooks.access import Authorization
from cds_hooks.prefetch import Prefetched, Unavailable
from plugin import addresses
from plugin.addresses import Network
from plugin.outside.connections import Deadline, session
from plugin.outside.fhir_client import LATE, FhirClient, Limits, Query

THREADS = 16
"""Queries under way in one process, for all requests together; others wait, until the deadline of their request."""

_GRACE = 0.1
"""Seconds in which a query whose connection was shut hands over the pages that it has."""


class Circuit:
    """Whether a server is worth asking: after three fetches in a row without any answer it is left alone for a while.

    So a server that is down costs some answers the whole deadline, and not every one.
    """

    FAILURES = 3
    SECONDS = 10.0

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._closed_until = 0.0

    def is_open(self) -> bool:
        """Whether the server may be asked now."""
        return time.monotonic() >= self._closed_until

    def note(self, *, answered: bool) -> None:
        """Note whether a fetch was answered at all, with whatever status."""
        with self._lock:
            self._failures = 0 if answered else self._failures + 1
            if self._failures >= self.FAILURES:
                self._closed_until = time.monotonic() + self.SECONDS


class Fetcher:
    """Holds the listed servers, the pooled connections to them, and the threads that read from them."""

    def __init__(
        self, servers: Sequence[str], limits: Limits, networks: Sequence[Network] = (), ca_file: Path | None = None
    ) -> None:
        self._circuits = {addresses.base_url(server): Circuit() for server in servers}
        self._limits = limits
        self._session = session(networks, ca_file, THREADS)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="fhir")

    def read(self, server: str, access: Authorization | None, queries: dict[str, Query]) -> dict[str, Prefetched]:
        """The answers of several queries, by key; what is not there in time is unavailable, with the reason."""
        base = self._listed(server)
        if base is None:
            return _none(queries, "its FHIR server is not on this installation's list")
        circuit = self._circuits[base]
        if not circuit.is_open():
            return _none(queries, "the FHIR server did not answer just before, and was not asked again")
        deadline = Deadline(self._limits.seconds)
        client = FhirClient(self._session, base, access, self._limits, deadline)
        pending = {key: self._threads.submit(client.read, query) for key, query in queries.items()}
        _, late = wait(pending.values(), timeout=deadline.left())
        deadline.end()
        if late:
            for one in late:
                one.cancel()
            wait([one for one in late if not one.cancelled()], timeout=_GRACE)
        circuit.note(answered=deadline.answered)
        return {key: _result(one) for key, one in pending.items()}

    def _listed(self, server: str) -> str | None:
        try:
            base = addresses.base_url(server)
        except ValueError:
            return None
        return base if base in self._circuits else None


def _none(queries: dict[str, Query], why: str) -> dict[str, Prefetched]:
    return dict.fromkeys(queries, Unavailable(why))


def _result(one: Future[Prefetched]) -> Prefetched:
    return one.result() if one.done() and not one.cancelled() else Unavailable(LATE)
