"""Prefetch: what came, what came empty, and what is not there - three different things.

Templates use first-level context tokens only ({{context.patientId}}), as CDS Hooks 2.0 asks.
"""

import re
from urllib.parse import quote

import msgspec

from cds_hooks.service import Prefetch

_TOKEN = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_WHITE = b" \t\r\n"
_BUNDLE = re.compile(rb'\{\s*"resourceType"\s*:\s*"Bundle"')
FIRST_PAGE = "only the first page of it was sent"


class Present(msgspec.Struct, frozen=True):
    """A key that came with data: decoded as the reader of the request wished, or the JSON text as it was sent.

    Where that is not all, `incomplete` says why in a sentence for the integrator, and `next_page` is the address at
    which the answer goes on ("" where that is not known). `as_asked` says that it holds as many results as the template
    asks for (`_count`) nevertheless.
    """

    value: object
    incomplete: str = ""
    next_page: str = ""
    as_asked: bool = False


class Empty(msgspec.Struct, frozen=True):
    """A key that was looked up and found nothing: null, or a search without entries."""


class Unavailable(msgspec.Struct, frozen=True):
    """A key that is missing, or whose look-up failed; `why` is a sentence for the integrator."""

    why: str


Prefetched = Present | Empty | Unavailable
NOT_SENT = Unavailable("it was not sent")
FAILED = Unavailable("the client answered with an OperationOutcome")
NO_RESOURCE = Unavailable("its value is not a FHIR resource")
PARTLY_FAILED = "the search reports an error beside its results"


class _Link(msgspec.Struct):
    relation: str | None = None
    url: str | None = None


class _Issue(msgspec.Struct):
    severity: str | None = None
    code: str | None = None


class _Inside(msgspec.Struct):
    resourceType: str | None = None
    issue: list[_Issue] | None = None


class _Entry(msgspec.Struct):
    resource: _Inside | None = None


class _Entries(msgspec.Struct):
    entry: list[msgspec.Raw] | None = None


class _Head(_Entries):
    resourceType: str | None = None
    link: list[_Link] | None = None
    resource: msgspec.Raw = msgspec.Raw()


def of_another_type(part: Prefetch) -> str:
    """Why a value is not what its key asks for, in words."""
    return f"what came holds no {part.kind}"


def prefetched(value: msgspec.Raw | None, part: Prefetch) -> Prefetched:
    """Tell the three cases apart for the value of one key (None: the key is absent)."""
    if value is None:
        return NOT_SENT
    text = memoryview(value).tobytes().lstrip(_WHITE)
    if text.startswith(b"null"):
        return Empty()
    if not text.startswith(b"{"):
        return NO_RESOURCE
    # A look inside costs a scan of the whole value, so a Bundle that holds nothing unusual is not looked into.
    usual = _BUNDLE.match(text) is not None and b'"entry"' in text and f'"{part.kind}"'.encode() in text
    if usual and b'"OperationOutcome"' not in text and b'"next"' not in text:
        return Present(value)
    return _looked_into(value, text, part)


def _looked_into(value: msgspec.Raw, text: bytes, part: Prefetch) -> Prefetched:
    try:
        head = msgspec.json.decode(text, type=_Head)
        if not head.resourceType and memoryview(head.resource).nbytes:  # as CDS Hooks wrapped values before its 1.0
            value = head.resource
            head = msgspec.json.decode(value, type=_Head)
        if head.resourceType == "Bundle":
            return _bundle(value, head, part)
    except (msgspec.ValidationError, RecursionError):
        return Present(value)  # whoever reads it says what is wrong, and where
    if head.resourceType in ("OperationOutcome", "", None):
        return FAILED if head.resourceType else NO_RESOURCE
    return Present(value) if head.resourceType == part.kind else Unavailable(of_another_type(part))


def _bundle(value: msgspec.Raw, head: _Head, part: Prefetch) -> Prefetched:
    """A Bundle of search results, which may have reports on the search among them, and more pages behind it."""
    inside = [found for entry in head.entry or () if (found := _inside(entry)) is not None]
    told = told_of_bundle(
        value,
        {one.resourceType or "" for one in inside},
        part,
        failed=any(is_failure(issue.severity, issue.code) for one in inside for issue in one.issue or ()),
    )
    after = next((link.url for link in head.link or () if link.relation == "next"), None)
    return following(told, value, after or "", len(head.entry or ()), part)


def _inside(entry: msgspec.Raw) -> _Inside | None:
    try:
        return msgspec.json.decode(entry, type=_Entry).resource
    except (msgspec.ValidationError, RecursionError):
        return _Inside()  # one that cannot be read is no other type


def is_failure(severity: str | None, code: str | None) -> bool:
    """Whether an issue beside results says that something could not be had, and not only that it is not there."""
    return severity in ("error", "fatal") and code not in ("not-found", "deleted")


def told_of_bundle(value: object, kinds: set[str], part: Prefetch, *, failed: bool) -> Prefetched:
    """What a Bundle with resources of these types tells; `failed` says that one of them reports an error."""
    results = kinds - {"OperationOutcome"}
    if not results:
        return FAILED if failed else Empty()
    if failed:
        return Present(value, PARTLY_FAILED)
    # A Bundle among them, as a batch of searches is answered, and one of no known type may hold what was asked for.
    if part.kind in kinds or not kinds.isdisjoint(("", "Bundle")):
        return Present(value)
    return Present(value, of_another_type(part))


def following(told: Prefetched, value: object, after: str, entries: int, part: Prefetch) -> Prefetched:
    """What a first page of so many entries tells, with the address of the next one, if there is one."""
    if not after or isinstance(told, Unavailable):
        return told
    return Present(value, FIRST_PAGE, after, as_asked=part.count is not None and entries >= part.count)


def joined(pages: list[msgspec.Raw]) -> msgspec.Raw:
    """One Bundle with the entries of several, each as it was sent; raises msgspec.ValidationError if one is none."""
    entries = [entry for page in pages for entry in msgspec.json.decode(page, type=_Entries).entry or ()]
    text = b",".join(memoryview(entry).tobytes() for entry in entries)
    return msgspec.Raw(b'{"resourceType":"Bundle","type":"searchset","entry":[' + text + b"]}")


def resolve(template: str, tokens: dict[str, str]) -> str | None:
    """The FHIR query for a template, or None where a token has no value.

    `tokens` are the values by what stands between the braces, such as "context.patientId". A value of dots alone would
    be read as a step in the path of an address, so it counts as none.
    """
    names = _TOKEN.findall(template)
    if not all(tokens.get(name, "").strip(".") for name in names):
        return None
    return _TOKEN.sub(lambda token: quote(tokens[token[1]], safe=""), template)
