"""Reading missing prefetch from the caller's FHIR server: only from servers on the list, in parallel, in time."""

from concurrent.futures import ThreadPoolExecutor, wait

import msgspec
import requests

from cds_hooks.prefetch import Prefetched, Unavailable, prefetched
from cds_hooks.request import Authorization

_ACCEPT = "application/fhir+json"
_WORKERS = 6
_OK = 200


class FhirClient:
    """Holds one pooled session and the list of servers that may be read from."""

    def __init__(self, servers: list[str], seconds: float) -> None:
        self._servers = {server.rstrip("/") for server in servers}
        self._seconds = seconds
        self._session = requests.Session()
        self._session.trust_env = False
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="fhir")

    def read(self, server: str, authorization: Authorization | None, queries: dict[str, str]) -> dict[str, Prefetched]:
        """The answers of several queries, by key; what is not there in time is unavailable, with the reason."""
        base = server.rstrip("/")
        if base not in self._servers:
            return {key: Unavailable("its FHIR server is not on this installation's list") for key in queries}
        headers = {"Accept": _ACCEPT, "Prefer": "handling=strict"}
        if authorization is not None:
            headers["Authorization"] = f"Bearer {authorization.access_token}"
        pending = {key: self._threads.submit(self._get, f"{base}/{query}", headers) for key, query in queries.items()}
        wait(pending.values(), timeout=self._seconds)
        late = Unavailable("the FHIR server did not answer in time")
        return {key: one.result() if one.done() else late for key, one in pending.items()}

    def _get(self, url: str, headers: dict[str, str]) -> Prefetched:
        try:
            answer = self._session.get(url, headers=headers, timeout=self._seconds, allow_redirects=False)
        except (requests.RequestException, UnicodeError) as error:  # a token may hold what no header can
            return Unavailable(f"the FHIR server could not be read ({type(error).__name__})")
        if answer.status_code != _OK:
            return Unavailable(f"the FHIR server answered {answer.status_code}")
        try:
            msgspec.json.decode(answer.content)
        except (ValueError, RecursionError):
            return Unavailable("the FHIR server's answer is not JSON")
        return prefetched(msgspec.Raw(answer.content))
