"""Raw JSON to resources: at once where everything is well, entry by entry where something is not.

One broken entry costs itself: it becomes a Gap with its JSON path, and its neighbours are read.
"""

import re
from typing import TypeVar, cast

import msgspec

from mappings.fhir.base import NOT_SENT, Resource
from mappings.fhir.datatypes import Reference
from mappings.fhir.resources import AnyResource, Bundle, Entry
from mappings.visit import Gap

R = TypeVar("R", bound=Resource)
T = TypeVar("T")

_WHOLE = msgspec.json.Decoder(AnyResource | Bundle)
_ONE = msgspec.json.Decoder(AnyResource)
_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_WORDS = {"`int`": "a whole number", "`float`": "a number", "`str`": "a string", "`bool`": "true or false",
          "`array`": "a list", "`object`": "an object", "`null`": "nothing"}  # fmt: skip


class _Head(msgspec.Struct):
    resourceType: str = ""


class _RawEntry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class _RawBundle(msgspec.Struct):
    entry: list[msgspec.Raw] = []


_KNOWN_TYPES = frozenset(struct.__struct_config__.tag for struct in AnyResource.__args__)


class Records:
    """The resources of one request, found by type and by reference, and what could not be read."""

    def __init__(self) -> None:
        self._by_type: dict[type[Resource], list[Resource]] = {}
        self._by_reference: dict[str, Resource] = {}
        self.gaps: list[Gap] = []

    def add(self, entries: list[Entry]) -> None:
        """Keep the resources of entries; one that is known already by type and id is not kept twice."""
        known, by_type = self._by_reference, self._by_type
        for entry in entries:
            resource, full_url = entry.resource, entry.full_url
            if resource is None:
                continue
            kind = type(resource)
            if resource.id is not None:
                name = f"{kind.__name__}/{resource.id}"
                if name in known:
                    continue
                known[name] = resource
            if full_url is not None:
                known.setdefault(full_url, resource)
            if kind in by_type:
                by_type[kind].append(resource)
            else:
                by_type[kind] = [resource]

    def all(self, kind: type[R]) -> list[R]:
        """Every resource of one type, in the order in which they came."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]

    def keep(self, kind: type[Resource], wanted: list[bool]) -> list[Resource]:
        """Of one type, keep the resources that are wanted, by their places in `all`; the others are returned."""
        every = self._by_type[kind]
        left = [one for one, keep in zip(every, wanted, strict=True) if not keep]
        self._by_type[kind] = [one for one, keep in zip(every, wanted, strict=True) if keep]
        gone = {id(one) for one in left}
        self._by_reference = {name: one for name, one in self._by_reference.items() if id(one) not in gone}
        return left

    def get(self, kind: type[R], reference: Reference | str | None) -> R | None:
        """The resource that a reference names (relative, absolute or urn:uuid), if it came along."""
        text = reference if reference is None or isinstance(reference, str) else reference.reference
        if not text:
            return None
        found = self._by_reference.get(text) or self._by_reference.get(local_reference(text))
        return found if isinstance(found, kind) else None

    def id_of(self, reference: Reference | None, kind: str) -> str:
        """As `id_of`; a urn that names a resource that came along gives that resource's id."""
        if reference is None:
            return ""
        text = id_of(reference, kind)
        if not text.startswith("urn:"):
            return text
        found = self._by_reference.get(text)
        return text if found is None else found.id or text

    def gap(self, path: str, reason: str) -> None:
        """Note something that could not be read."""
        self.gaps.append(Gap(path, reason))


def local_reference(text: str) -> str:
    """The Type/id at the end of a reference, without server and version; other forms as they are."""
    if text.startswith(("urn:", "#")):
        return text
    parts = text.split("/_history/", 1)[0].rsplit("/", 2)
    return "/".join(parts[-2:])


def id_of(reference: Reference | None, kind: str) -> str:
    """The id that a reference to this type of resource names, "" where it names none."""
    if reference is None or not reference.reference:
        return ""
    text = reference.reference
    before, _, after = text.partition("/")
    if before == kind and "/" not in after:
        return after  # the common form, Type/id
    text = local_reference(text)
    return text[len(kind) + 1 :] if text.startswith(kind + "/") else text if text.startswith("urn:") else ""


def resolve(kind: type[R], reference: Reference | None, contained: list[msgspec.Raw], records: Records) -> R | None:
    """The resource that a reference names, among the contained ones for "#id", else among those sent along."""
    if reference is None or not reference.reference:
        return None
    if not reference.reference.startswith("#"):
        return records.get(kind, reference)
    for raw in contained:
        try:
            resource = msgspec.json.decode(raw, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # another type of resource, or a broken one: what it would have told is then not known
        if resource.id == reference.reference[1:]:
            return resource
    return None


def read_part(raw: msgspec.Raw, decoder: msgspec.json.Decoder[T], path: str, records: Records) -> T | None:
    """A part of a resource that was kept as raw JSON; None where it was not sent, or (a gap) cannot be read."""
    if raw is NOT_SENT:
        return None
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        below, what = explain(error)
        records.gap(path + below, what)
        return None


def read_value(value: object, path: str, records: Records) -> None:
    """Take one resource or Bundle, decoded or as raw JSON, into the records; what cannot be read becomes a gap."""
    if type(value) is Bundle:
        records.add(value.entry)
    elif isinstance(value, msgspec.Raw | bytes):
        try:
            decoded = _WHOLE.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            _read_apart(value, path, records)
        else:
            read_value(decoded, path, records)
    elif isinstance(value, Resource):
        records.add([Entry(None, cast(AnyResource, value))])


def read_one(raw: msgspec.Raw | bytes, kind: type[R]) -> R:
    """One resource of a known type; raises msgspec.DecodeError (with the path) where it is not one."""
    return msgspec.json.decode(raw, type=kind)


class RawEntry(msgspec.Struct, frozen=True):
    """One entry of a Bundle: its path below the Bundle, its resource as raw JSON, its fullUrl if it has one."""

    path: str
    resource: msgspec.Raw
    full_url: str | None


def raw_entries(raw: msgspec.Raw | bytes) -> list[RawEntry] | None:
    """The entries of a Bundle, undecoded; None where it is no Bundle."""
    try:
        if msgspec.json.decode(raw, type=_Head).resourceType != "Bundle":
            return None
        entries = msgspec.json.decode(raw, type=_RawBundle).entry
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = []
    for index, entry in enumerate(entries):
        try:
            read = msgspec.json.decode(entry, type=_RawEntry)
        except (msgspec.DecodeError, UnicodeDecodeError):
            read = _RawEntry(resource=entry)
        found.append(RawEntry(f".entry[{index}].resource", read.resource, read.full_url))
    return found


def resource_type(raw: msgspec.Raw | bytes) -> str:
    """The resourceType of a raw resource, "" where it states none."""
    try:
        return msgspec.json.decode(raw, type=_Head).resourceType
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def explain(error: Exception) -> tuple[str, str]:
    """A decoder's complaint as the path below the resource, and a sentence for a person."""
    if isinstance(error, RecursionError):
        return "", "it is nested too deeply"
    found = _AT.match(str(error))
    what, path = (found["what"], found["path"] or "") if found else (str(error), "")
    for name, words in _WORDS.items():
        what = what.replace(name, words)
    return path, what[:1].lower() + what[1:].replace("`", "'")


def _read_apart(raw: msgspec.Raw | bytes, path: str, records: Records) -> None:
    entries = raw_entries(raw)
    if entries is None:
        _read_resource(raw, path, records, None)
        return
    for entry in entries:
        _read_resource(entry.resource, path + entry.path, records, entry.full_url)


def _read_resource(raw: msgspec.Raw | bytes, path: str, records: Records, full_url: str | None) -> None:
    if not bytes(memoryview(raw)):
        return  # an entry without a resource, as in a history or a transaction's answer
    try:
        records.add([Entry(full_url, _ONE.decode(raw))])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        kind = resource_type(raw)
        if kind and kind not in _KNOWN_TYPES:
            return  # a resource that the review does not read
        below, what = explain(error)
        records.gap(path + below, what)
