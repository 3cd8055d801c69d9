"""From raw JSON to typed parts: the entries of Bundles, nulls that say nothing, and a decoder's complaints in words."""

import re
from typing import TypeVar

import msgspec

from mappings.fhir.base import NOT_SENT, NULL, Resource

R = TypeVar("R", bound=Resource)
T = TypeVar("T")

BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for JSON that is not as it should be."""

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_QUOTED = re.compile(r"`([^`]*)`")
_WORDS = {"int": "a whole number", "float": "a number", "str": "a string", "bool": "true or false",
          "array": "a list", "object": "an object", "null": "nothing"}  # fmt: skip


class _Head(msgspec.Struct):
    resourceType: str = ""


class _RawEntry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = NOT_SENT
    request: msgspec.Raw = NOT_SENT


class _RawBundle(msgspec.Struct):
    entry: list[msgspec.Raw] = []


_HEAD = msgspec.json.Decoder(_Head)
_ENTRY = msgspec.json.Decoder(_RawEntry)
_BUNDLE = msgspec.json.Decoder(_RawBundle)


class RawEntry(msgspec.Struct, frozen=True):
    """One entry of a Bundle: its path below the Bundle, its resource as raw JSON, its fullUrl if it has one, and what
    it asked for, as the entries of a history and of a transaction say."""

    path: str
    resource: msgspec.Raw
    full_url: str | None
    request: msgspec.Raw = NOT_SENT


def decode(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes) -> T:
    """As the decoder does it, but null for an element says no more than leaving it out; raises as the decoder does.

    The nulls are looked for only where the decoder complains: it takes most of them by itself.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        return decoder.decode(without_nulls(raw))


def without_nulls(raw: msgspec.Raw | bytes) -> bytes:
    """JSON without the elements that are null. In lists they stay: there they hold the place of something."""
    text = memoryview(raw).tobytes()
    return msgspec.json.encode(_said(msgspec.json.decode(text))) if b"null" in text else text


def _said(value: object) -> object:
    if isinstance(value, dict):
        return {name: _said(one) for name, one in value.items() if one is not None}
    return [_said(one) for one in value] if isinstance(value, list) else value


def read_one(raw: msgspec.Raw | bytes, kind: type[R]) -> R:
    """As `decode`, of one resource of a known type."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        return msgspec.json.decode(without_nulls(raw), type=kind)


def resource_type(raw: msgspec.Raw | bytes) -> str:
    """The resourceType of a raw resource, "" where it states none."""
    try:
        return _HEAD.decode(raw).resourceType
    except BROKEN:
        return ""


def raw_entries(raw: msgspec.Raw | bytes) -> list[RawEntry] | None:
    """The entries of a Bundle, undecoded, and those of the Bundles among them; None where it is no Bundle.

    A server answers a batch of searches with a Bundle of Bundles. Raises msgspec.ValidationError where the entries are
    no list; a Bundle among them of which that is so, or that holds Bundles again, is left as it is.
    """
    if resource_type(raw) != "Bundle":
        return None
    entries = _entries(raw)
    if memoryview(raw).tobytes().count(b'"Bundle"') < 2:
        return entries
    return [one for entry in entries for one in _within(entry)]


def _entries(raw: msgspec.Raw | bytes) -> list[RawEntry]:
    found = []
    for index, entry in enumerate(decode(_BUNDLE, raw).entry):
        try:
            read = decode(_ENTRY, entry)
        except BROKEN:
            read = _RawEntry(resource=entry)
        else:
            read.resource = NOT_SENT if read.resource == NULL else read.resource
        found.append(RawEntry(f".entry[{index}].resource", read.resource, read.full_url, read.request))
    return found


def _within(entry: RawEntry) -> list[RawEntry]:
    if resource_type(entry.resource) != "Bundle":
        return [entry]
    try:
        inner = _entries(entry.resource)
    except BROKEN:
        return [entry]
    return [msgspec.structs.replace(one, path=entry.path + one.path) for one in inner]


def no_bundle(raw: msgspec.Raw | bytes) -> tuple[str, str]:
    """Why a Bundle within others was left as it is: the path below it, and a sentence for a person."""
    try:
        decode(_BUNDLE, raw)
    except BROKEN as error:
        return explain(error)
    return "", "it is a Bundle in a Bundle in a Bundle, of which the resources are not read"


def explain(error: Exception) -> tuple[str, str]:
    """A decoder's complaint as the path below the resource, and a sentence for a person."""
    if isinstance(error, RecursionError):
        return "", "it is nested too deeply"
    found = _AT.match(str(error))
    what, path = (found["what"], found["path"] or "") if found else (str(error), "")
    what = _QUOTED.sub(_in_words, what)
    return path, what[:1].lower() + what[1:]


def _in_words(quoted: re.Match[str]) -> str:
    """What the decoder names in backquotes: types in words (that nothing would do as well goes without saying)."""
    names = quoted[1].split(" | ")
    if not all(name in _WORDS for name in names):
        return f"'{quoted[1]}'"
    if len(names) > 1:
        skipped = {"null", "int"} if "float" in names else {"null"}
        names = [name for name in names if name not in skipped]
    return " or ".join(_WORDS[name] for name in names)
