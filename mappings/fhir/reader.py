"""Raw JSON to resources: at once where everything is well, entry by entry where something is not.

One broken entry costs itself: it becomes a Gap with its JSON path, and its neighbours are read.
"""

from typing import TypeVar, cast

import msgspec

from mappings.fhir.base import NOT_SENT, NULL, Resource
from mappings.fhir.datatypes import Reference
from mappings.fhir.decoding import BROKEN, RawEntry, decode, explain, no_bundle, raw_entries, read_one, resource_type
from mappings.fhir.resources import AnyResource, Bundle, Entry, EntryRequest
from mappings.visit import Gap

R = TypeVar("R", bound=Resource)
T = TypeVar("T")

_WHOLE = msgspec.json.Decoder(AnyResource | Bundle)
_ONE = msgspec.json.Decoder(AnyResource)
_REQUEST = msgspec.json.Decoder(EntryRequest | None)
_KNOWN_TYPES = frozenset(struct.__struct_config__.tag for struct in AnyResource.__args__)


class Records:
    """The resources of one request, found by type and by reference, and what could not be read."""

    def __init__(self) -> None:
        self._by_type: dict[type[Resource], list[Resource]] = {}
        self._by_reference: dict[str, Resource] = {}
        self._deleted: set[str] = set()
        self._left_out: set[str] = set()
        self.gaps: list[Gap] = []

    def add(self, entries: list[Entry]) -> None:
        """Keep the resources of entries; one that is known already by type and id is not kept twice.

        Where it says otherwise than the first one, that is a gap, unless the two are versions in a history. There the
        last version comes first, so that what was deleted has older versions only behind the entry that says so.
        """
        known, by_type, deleted = self._by_reference, self._by_type, self._deleted
        for entry in entries:
            resource, full_url = entry.resource, entry.full_url
            if resource is None:
                if entry.request is not NOT_SENT:
                    deleted |= {_deletion(entry)} - known.keys()
                continue
            kind = type(resource)
            if resource.id is not None:
                name = f"{kind.__name__}/{resource.id}"
                if name in known and type(known[name]) is kind:  # a fullUrl may be any text, and another's name
                    if full_url is not None or known[name] != resource:
                        self._again(name, entry)
                    continue
                if name in deleted and entry.request is not NOT_SENT:
                    continue
                known[name] = resource
            if full_url is not None:
                known.setdefault(full_url, resource)
            if kind in by_type:
                by_type[kind].append(resource)
            else:
                by_type[kind] = [resource]

    def _again(self, name: str, entry: Entry) -> None:
        before, again = self._by_reference[name], entry.resource
        if entry.full_url is not None:
            self._by_reference.setdefault(entry.full_url, before)
        if again is not None and again != before and entry.request is NOT_SENT and _contradict(before, again):
            self.gap(name, f"another {type(again).__name__} with the same id says otherwise; the first is read")

    def all(self, kind: type[R]) -> list[R]:
        """Every resource of one type, in the order in which they came."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]

    def keep(self, kind: type[Resource], wanted: list[bool]) -> list[Resource]:
        """Of one type, keep the resources that are wanted, by their places in `all`; the others are returned."""
        every = self._by_type[kind]
        left = [one for one, keep in zip(every, wanted, strict=True) if not keep]
        self._by_type[kind] = [one for one, keep in zip(every, wanted, strict=True) if keep]
        gone = {id(one) for one in left}
        self._left_out |= {name for name, one in self._by_reference.items() if id(one) in gone}
        self._by_reference = {name: one for name, one in self._by_reference.items() if id(one) not in gone}
        return left

    def left_out(self, reference: Reference | str | None) -> bool:
        """Whether a reference names a resource that was not kept."""
        if not self._left_out:
            return False
        text = reference.reference if isinstance(reference, Reference) else reference
        return bool(text) and not self._left_out.isdisjoint((text, local_reference(text or "")))

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


def _contradict(one: Resource, other: Resource) -> bool:
    """Whether two resources of a type state different things, in elements that both have.

    A search may have been asked for a few elements only. Where references lead may be written in several ways.
    """
    stated = [(getattr(one, name), getattr(other, name)) for name in one.__struct_fields__]
    return any(left != right for left, right in stated if _says(left) and _says(right))


def _says(value: object) -> bool:
    parts = value if isinstance(value, list) else [value]
    return any(part is not None and not isinstance(part, msgspec.Raw | Reference) for part in parts)


def _deletion(entry: Entry) -> str:
    """What an entry without a resource says was deleted, as Type/id; "" for nothing."""
    try:
        request = _REQUEST.decode(entry.request)
    except BROKEN:
        return ""
    if request is None or request.method != "DELETE":
        return ""
    return local_reference(entry.full_url or request.url or "")


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
            resource = read_one(raw, kind)
        except BROKEN:
            continue  # another type of resource, or a broken one: what it would have told is then not known
        if resource.id == reference.reference[1:]:
            return resource
    return None


def read_part(raw: msgspec.Raw, decoder: msgspec.json.Decoder[T], path: str, records: Records) -> T | None:
    """A part of a resource that was kept as raw JSON; None where it was not sent, or (a gap) cannot be read."""
    if raw is NOT_SENT:
        return None
    try:
        return decode(decoder, raw)
    except BROKEN as error:
        if raw == NULL:
            return None
        below, what = explain(error)
        records.gap(path + below, what)
        return None


def read_value(value: object, path: str, records: Records) -> bool:
    """Take one resource or Bundle, decoded or as raw JSON, into the records; what cannot be read becomes a gap.

    False where nothing could be read of it: it is no resource, or a Bundle that cannot be taken apart.
    """
    if type(value) is Bundle:
        records.add(value.entry)
    elif isinstance(value, msgspec.Raw | bytes):
        try:
            decoded = _WHOLE.decode(value)
        except BROKEN:
            return _read_apart(value, path, records)
        return read_value(decoded, path, records)
    elif isinstance(value, Resource):
        records.add([Entry(None, cast(AnyResource, value))])
    return True


def _read_apart(raw: msgspec.Raw | bytes, path: str, records: Records) -> bool:
    try:
        entries = raw_entries(raw)
    except BROKEN as error:
        below, what = explain(error)
        records.gap(path + below, what)
        return False
    if entries is None:
        return _read_resource(RawEntry("", msgspec.Raw(raw), None), path, records)
    for entry in entries:
        _read_resource(entry, path, records)
    return True


def _read_resource(entry: RawEntry, path: str, records: Records) -> bool:
    raw, where = entry.resource, path + entry.path
    if not memoryview(raw).nbytes:  # as in a history or a transaction's answer
        records.add([Entry(entry.full_url, None, entry.request)])
        return True
    try:
        records.add([Entry(entry.full_url, decode(_ONE, raw), entry.request)])
    except BROKEN as error:
        kind = resource_type(raw)
        if kind and kind not in _KNOWN_TYPES and kind != "Bundle":
            return True  # a resource that the review does not read
        below, what = no_bundle(raw) if kind == "Bundle" else explain(error)
        records.gap(where + below, what)
        return False
    return True
