"""Prefetch: what came, what came empty, and what is not there - three different things.

Templates use first-level context tokens only ({{context.patientId}}), as CDS Hooks 2.0 asks.
"""

import re
from urllib.parse import quote

import msgspec

_TOKEN = re.compile(r"\{\{\s*context\.(\w+)\s*\}\}")
_WHITE = b" \t\r\n"


class Present(msgspec.Struct, frozen=True):
    """A key that came with data: decoded as the reader of the request wished, or the JSON text as it was sent."""

    value: object


class Empty(msgspec.Struct, frozen=True):
    """A key that was looked up and found nothing: null, or a search without entries."""


class Unavailable(msgspec.Struct, frozen=True):
    """A key that is missing, or whose look-up failed; `why` is a sentence for the integrator."""

    why: str


Prefetched = Present | Empty | Unavailable
NOT_SENT = Unavailable("it was not sent")
FAILED = Unavailable("the client answered with an OperationOutcome")


class _Head(msgspec.Struct):
    resourceType: str = ""
    entry: list[msgspec.Raw] = []


def prefetched(value: msgspec.Raw | None) -> Prefetched:
    """Tell the three cases apart for one key's value (None: the key is absent)."""
    if value is None:
        return NOT_SENT
    text = memoryview(value).tobytes().lstrip(_WHITE)
    if text.startswith(b"null"):
        return Empty()
    if not text.startswith(b"{"):
        return Unavailable("its value is not a FHIR resource")
    # A look inside costs a scan of the whole value, so only values that can be one of the two are looked into.
    if b'"OperationOutcome"' in text or b'"entry"' not in text:
        try:
            head = msgspec.json.decode(text, type=_Head)
        except msgspec.ValidationError:
            return Present(value)
        if head.resourceType == "OperationOutcome":
            return FAILED
        if head.resourceType == "Bundle" and not head.entry:
            return Empty()
    return Present(value)


def resolve(template: str, context: dict[str, str]) -> str | None:
    """The FHIR query for a template, or None where a token has no value in this context."""
    names = _TOKEN.findall(template)
    if any(not context.get(name) for name in names):
        return None
    return _TOKEN.sub(lambda token: quote(context[token[1]], safe=""), template)
