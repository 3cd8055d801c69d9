"""One query to the caller's FHIR server: its pages, its size, and what each kind of failure means."""

import re
from http import HTTPStatus
from importlib.metadata import version
from typing import NoReturn

import msgspec
import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, ProtocolError

from cds_hooks.access import AccessToken, Authorization
from cds_hooks.prefetch import FAILED, Empty, Prefetched, Present, Unavailable, joined, prefetched
from cds_hooks.service import Prefetch
from plugin import addresses
from plugin.outside.connections import Deadline, ForbiddenAddressError

_SENDABLE = re.compile(r"[!-~]+")
_CHUNK = 64 * 1024
_HEADERS = {
    "Accept": "application/fhir+json",
    "Prefer": "handling=strict",  # a server that does not know a parameter says so, and does not pass over it
    "Cache-Control": "no-cache",  # some servers answer a search from a minute ago, without the form just filled in
    "User-Agent": f"VisitCue/{version('visitcue')}",
}
LATE = "the FHIR server did not answer in time"
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Limits(msgspec.Struct, frozen=True):
    """How long all queries of a request may take together, and how many pages and bytes one query may have.

    The bytes are those of all its pages together, as they are once decompressed.
    """

    seconds: float
    pages: int
    bytes: int


class Query(msgspec.Struct, frozen=True):
    """A query below a server's base address, for a prefetch key; `begun` is the first page, where that was sent."""

    part: Prefetch
    path: str
    begun: Present | None = None


class _Failed(Exception):
    """A page could not be had; carries the sentence that says why."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Nothing(Exception):
    """An instance that is not there (any more)."""


class _Bearer(AuthBase):
    """The one place where an access token is shown: the header of a call to the server that it is for."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        secret = self._token.reveal()
        if not _SENDABLE.fullmatch(secret):
            raise _Failed("the access token holds what no header can hold")
        request.headers["Authorization"] = f"Bearer {secret}"
        return request


class FhirClient:
    """Reads from one server, with one caller's access, until one deadline."""

    def __init__(
        self,
        session: requests.Session,
        base: str,
        access: Authorization | None,
        limits: Limits,
        deadline: Deadline,
    ) -> None:
        self._session = session
        self._base = base
        self._access = access
        self._limits = limits
        self._deadline = deadline

    def read(self, query: Query) -> Prefetched:
        """What a query gives, all pages in one Bundle; what could not be had is said in the answer."""
        with self._deadline.for_this_thread():
            if query.begun is not None:
                return self._all_pages(query, query.begun, 0)
            try:
                text = self._page(f"{self._base}/{query.path}", query.part, self._limits.bytes)
            except _Nothing:
                return Empty()
            except _Failed as failed:
                return Unavailable(failed.why)
            first = _told(text, query.part)
            return self._all_pages(query, first, len(text)) if isinstance(first, Present) else first

    def _all_pages(self, query: Query, first: Present, size: int) -> Prefetched:
        """The first page with those that follow it, as far as they could be had."""
        if not isinstance(first.value, msgspec.Raw) or not first.next_page:
            return first
        pages, after, seen, why = [first.value], first.next_page, set[str](), ""
        try:
            while after:
                url = self._following(after, seen, len(pages))
                text = self._page(url, query.part, self._limits.bytes - size)
                size += len(text)
                found = _told(text, query.part)
                if isinstance(found, Unavailable):
                    raise _Failed(found.why)
                after = found.next_page if isinstance(found, Present) else ""
                if isinstance(found, Present) and isinstance(found.value, msgspec.Raw):
                    joined([found.value])  # a page that is no Bundle ends the reading here
                    pages.append(found.value)
                    why = why or ("" if found.next_page else found.incomplete)
        except _Nothing:
            why = "its next page is gone"
        except _Failed as failed:
            why = failed.why
        except msgspec.ValidationError:
            why = "its next page is not as a Bundle should be"
        told = f"only {len(pages)} page{'s' if len(pages) > 1 else ''} of it could be read: {why}" if why else ""
        try:
            return Present(joined(pages), told, as_asked=first.as_asked)
        except msgspec.ValidationError:
            return Present(first.value, "its first page is not as a Bundle should be")

    def _following(self, link: str, seen: set[str], count: int) -> str:
        url = addresses.following(self._base, link)
        if url is None:
            raise _Failed("the link to its next page leads away from the FHIR server")
        if url in seen:
            raise _Failed("the link to its next page leads back to a page before")
        if count >= self._limits.pages:
            raise _Failed("there are more pages than this installation reads")
        seen.add(url)
        return url

    def _page(self, url: str, part: Prefetch, room: int) -> bytes:
        """The body of an answer of 200; raises _Failed or _Nothing."""
        try:
            return self._got(url, part, room)
        except requests.ConnectionError as error:
            # A server may close a connection in the pool at the very moment in which it is taken out.
            if not (error.args and isinstance(error.args[0], ProtocolError)) or not self._deadline.left():
                self._fail(error)
        except (requests.RequestException, HTTPError, UnicodeError, OSError) as error:
            self._fail(error)
        try:
            return self._got(url, part, room)
        except (requests.RequestException, HTTPError, UnicodeError, OSError) as error:
            self._fail(error)

    def _got(self, url: str, part: Prefetch, room: int) -> bytes:
        left = self._deadline.left()
        if not left:
            raise _Failed(LATE)
        token = self._access.token if self._access is not None else None
        with self._session.get(
            url,
            headers=_HEADERS,
            auth=_Bearer(token) if token is not None else None,
            timeout=left,
            allow_redirects=False,
            stream=True,
        ) as answer:
            self._deadline.answered = True
            if answer.status_code != HTTPStatus.OK:
                _refuse(answer.status_code, part, self._access.scope if self._access is not None else "")
            return _body(answer, room)

    def _fail(self, error: Exception) -> NoReturn:
        """Say why a call failed, by the kind of error: its text may hold what the caller sent."""
        if isinstance(error, requests.Timeout) or not self._deadline.left():
            raise _Failed(LATE) from None
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, ForbiddenAddressError):
            raise _Failed("the FHIR server's address is in a network that fhir_networks does not name") from None
        raise _Failed(f"the FHIR server could not be read ({type(error).__name__})") from None


def _refuse(status: int, part: Prefetch, scope: str) -> NoReturn:
    if status in _GONE and "?" not in part.query:
        raise _Nothing
    told = f"the FHIR server answered {status}"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        named = not scope or f"/{part.kind}." in scope or "/*." in scope
        told += f"; the access token may have expired, or lack a scope to read {part.kind}"
        told += "" if named else ", which its scope does not name"
    elif status in _BUSY:
        told += "; it is busy, and is not asked again for this answer"
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        told += "; a redirect is not followed"
    raise _Failed(told)


def _body(answer: requests.Response, room: int) -> bytes:
    """The decompressed body; raises _Failed as soon as it is longer than there is room."""
    chunks = []
    for chunk in answer.iter_content(_CHUNK):
        room -= len(chunk)
        if room < 0:
            raise _Failed("the FHIR server's answer is larger than this installation reads")
        chunks.append(chunk)
    return b"".join(chunks)


def _told(text: bytes, part: Prefetch) -> Prefetched:
    """What one page tells; its content type does not matter, for servers differ in it, but what is in it does."""
    if text.lstrip().startswith(b"<"):
        return Unavailable("the FHIR server's answer is HTML or XML")
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return Unavailable("the FHIR server's answer is not JSON")
    found = prefetched(msgspec.Raw(text), part)
    return Unavailable("the FHIR server answered with an OperationOutcome") if found == FAILED else found
