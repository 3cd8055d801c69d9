"""The same record in another shape: changes to a hook request that change nothing of what it says.

Each takes a request and dice and gives a changed copy, or None where it has nothing to change.
"""

import copy
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from mappings.fhir import datatypes, financial
from mappings.fhir import resources as read
from plugin.services import services
from plugin.settings import Settings
from tests.builders import Json

SERVER = "https://ehr.example/fhir"
KINDS = ("searchset", "collection", "transaction", "batch-response", "history", "document", "message")
UNRELATED: list[Json] = [
    {"resourceType": "Location", "id": "x-room", "name": "Room 2"},
    {"resourceType": "Immunization", "id": "x-shot", "status": "completed", "occurrenceDateTime": "2026-03-02"},
    {"resourceType": "MedicationStatement", "id": "x-pill", "status": "active", "dosage": [{"text": "as told"}]},
    {"resourceType": "Provenance", "id": "x-trace", "recorded": "2026-03-02T10:00:00Z", "target": []},
    {"resourceType": "VendorThing", "id": "x-thing", "status": 7, "code": "97110", "subject": ["nobody"]},
    {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]},
]
EXTENSION = {"url": "https://vendor.example/StructureDefinition/any", "valueInteger": 97110}
BROKEN: Json = {"resourceType": "Observation", "id": "x-broken", "status": ["final"]}

KIND_OF = {key: part.kind for one in services(Settings()) for key, part in one.service.prefetch.items()}

ELEMENTS = sorted(
    {
        name
        for module in (datatypes, financial, read)
        for struct in vars(module).values()
        if isinstance(struct, type) and issubclass(struct, msgspec.Struct)
        for name in struct.__struct_encode_fields__
    }
)
"""The elements that are read, of any resource or part."""

Change = Callable[[Json, random.Random], Json | None]


def bundles(request: Json) -> list[tuple[str, list[Json]]]:
    """The entries of every sound Bundle of the prefetch, by key."""
    found = []
    for key, value in (request.get("prefetch") or {}).items():
        entries = value.get("entry") if isinstance(value, dict) and value.get("resourceType") == "Bundle" else None
        if isinstance(entries, list) and all(isinstance(one, dict) for one in entries):
            found.append((key, entries))
    return found


def answered(request: Json) -> list[tuple[str, list[Json]]]:
    """As `bundles`, those that hold what their key asks for: another resource among it changes nothing then."""
    return [(key, entries) for key, entries in bundles(request) if _holds_its_own(key, entries)]


def _holds_its_own(key: str, entries: list[Json]) -> bool:
    held = [entry["resource"] for entry in entries if isinstance(entry.get("resource"), dict)]
    return KIND_OF.get(key) in [one.get("resourceType") for one in held]


def objects(value: Any) -> Iterator[Json]:
    """Every JSON object within a value, itself first."""
    if isinstance(value, dict):
        yield value
        for part in list(value.values()):
            yield from objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from objects(part)


def resources(request: Json) -> Iterator[Json]:
    """The FHIR of a request: what stands in its context and under its prefetch keys."""
    for value in [*request["context"].values(), *(request.get("prefetch") or {}).values()]:
        if isinstance(value, dict) and "resourceType" in value:
            yield value


def with_unrelated(request: Json, dice: random.Random) -> Json | None:
    """Resources of other types come along."""
    changed = copy.deepcopy(request)
    found = answered(changed)
    for _, entries in found:
        for one in UNRELATED:
            entries.insert(dice.randint(0, len(entries)), {"resource": copy.deepcopy(one)})
    return changed if found else None


def with_other_order(request: Json, dice: random.Random) -> Json | None:
    """The entries of every Bundle come in another order."""
    changed = copy.deepcopy(request)
    for _, entries in bundles(changed):
        dice.shuffle(entries)
    return changed


def with_absolute_references(request: Json, _: random.Random) -> Json | None:
    """Every relative reference names the server."""
    return _with_references(request, lambda text: f"{SERVER}/{text}")


def with_urns(request: Json, _: random.Random) -> Json | None:
    """The resources of Bundles are known by a urn, and are referred to by it."""
    changed = copy.deepcopy(request)
    apart = {_name(one) for one in (changed.get("prefetch") or {}).values() if isinstance(one, dict)}
    urns: dict[str, str] = {}
    for _key, entries in bundles(changed):
        for entry in entries:
            name = _name(entry.get("resource"))
            if name and name not in apart and not str(entry.get("fullUrl", "")).startswith("urn:"):
                urns[name] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"
                entry["fullUrl"] = urns[name]
    return _with_references(changed, lambda text: urns.get(text, text)) if urns else None


def _with_references(request: Json, written: Callable[[str], str]) -> Json:
    changed = copy.deepcopy(request)
    for resource in resources(changed):
        for one in objects(resource):
            text = one.get("reference")
            if isinstance(text, str) and text.count("/") == 1 and not text.startswith(("#", "/", "urn:")):
                one["reference"] = written(text)
    return changed


def _name(resource: Any) -> str:
    if not isinstance(resource, dict) or not resource.get("id"):
        return ""
    return f"{resource.get('resourceType')}/{resource['id']}"


def with_two_keys(request: Json, dice: random.Random) -> Json | None:
    """A part of the visit's Procedures comes with the history."""
    changed = copy.deepcopy(request)
    found, sent = dict(answered(changed)), changed["prefetch"]
    if "procedures" not in found or "history" not in sent or (sent["history"] and "history" not in found):
        return None
    here = found["procedures"]
    there = here[dice.randint(1, max(1, len(here))) :]
    del here[len(here) - len(there) :]
    if not _holds_its_own("procedures", here) or not _holds_its_own("history", there):
        return None
    others = sent["history"] or {"resourceType": "Bundle", "type": "searchset"}
    sent["history"] = {**others, "entry": [*there, *found.get("history", [])]}
    return changed


def with_what_came_before(request: Json, dice: random.Random) -> Json | None:
    """What came under one key comes under another as well, as the visit does with the history."""
    changed = copy.deepcopy(request)
    found = answered(changed)
    if len(found) < 2:
        return None
    (_, here), (_, there) = dice.sample(found, 2)
    there.extend(copy.deepcopy([entry for entry in here if _name(entry.get("resource"))]))
    return changed


def with_another_kind_of_bundle(request: Json, dice: random.Random) -> Json | None:
    """Every Bundle is one of another type, with what belongs to an entry of it."""
    changed = copy.deepcopy(request)
    for key, entries in bundles(changed):
        kind = dice.choice(KINDS)
        changed["prefetch"][key]["type"] = kind
        for entry in entries:
            entry.pop("search", None)
            if kind in ("transaction", "history"):
                entry["request"] = {"method": "POST", "url": "Any"}
            if kind in ("batch-response", "history"):
                entry["response"] = {"status": "200 OK", "etag": 'W/"1"', "lastModified": "2026-03-02T10:00:00Z"}
    return changed


def with_unknown_elements(request: Json, dice: random.Random) -> Json | None:
    """Every object has an element that no version of FHIR knows, and many have an extension."""
    changed = copy.deepcopy(request)
    for resource in resources(changed):
        for one in list(objects(resource)):
            one["vendorElement"] = dice.choice([None, 7, "97110", ["x"], {"reference": "Patient/nobody"}])
            if dice.random() < 0.5 and isinstance(one.get("extension", []), list):
                one["extension"] = [{**EXTENSION}, *one.get("extension", [])]
    return changed


def with_nulls(request: Json, dice: random.Random) -> Json | None:
    """Elements of which nothing is known are null, as programs write them that send their whole object."""
    changed = copy.deepcopy(request)
    for resource in resources(changed):
        for one in list(objects(resource)):
            one.update(dict.fromkeys([name for name in dice.sample(ELEMENTS, 12) if name not in one]))
    return changed


CHANGES: tuple[Change, ...] = (
    with_unrelated,
    with_other_order,
    with_absolute_references,
    with_urns,
    with_two_keys,
    with_what_came_before,
    with_another_kind_of_bundle,
    with_unknown_elements,
    with_nulls,
)
