"""Every element that is read, with every type of JSON value in its place: answered or refused, never a failure.

The elements are taken from the Structs themselves, so a new one is tried without being added here.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest
from flask.testing import FlaskClient
from msgspec import inspect

from mappings.fhir import datatypes, documents, episodes, extensions, financial, resources, service_minutes
from tests.builders import (
    CLAIM_SUBMIT,
    DISCHARGE,
    ORDER_SIGN,
    Json,
    bundle,
    changed,
    claim,
    claim_request,
    discharge_request,
    item,
    order,
    order_request,
    text,
)
from tests.exchange import EXTENSION, expressions, send
from tests.visits import CMT_NECK, EXERCISE, MANUAL

DEEPEST = 4
VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "false": False,
    "zero": 0,
    "a whole number": 7,
    "a negative number": -7,
    "a fraction": 0.5,
    "a great number": 10**30,
    "an empty string": "",
    "a space": " ",
    "words": "some words",
    "a date": "2026-03-02",
    "an empty list": [],
    "a list of null": [None],
    "a list of a list": [[]],
    "a list of an empty object": [{}],
    "a list of words": ["some words"],
    "a list of numbers": [1, 2],
    "an empty object": {},
    "an object of nobody": {"vendor": 1},
    "a concept": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "97110"}], "text": "x"},
    "a list of concepts": [{"coding": [{"code": "97110"}, {}]}, {"text": ""}],
    "a reference": {"reference": "Procedure/exercise"},
    "a list of references": [{"reference": "#x"}, {"reference": ""}],
    "a quantity": {"value": 2, "unit": "min"},
    "a period": {"start": "2026-03-02T09:00:00-05:00", "end": "2026-03-02"},
    "a resource": {"resourceType": "Procedure", "id": "x"},
}
FEW = ("null", "true", "a great number", "words", "an empty string", "a list of null", "an empty object", "a concept")
"""What is tried of these where the place is deep: there are many such places, and they are read by the same code."""

HOOKS = {
    CLAIM_SUBMIT: claim_request(claim(item(1, "97110", 3)), EXERCISE),
    ORDER_SIGN: order_request(order("o-1", "97110", 3), procedures=(EXERCISE,)),
    DISCHARGE: discharge_request(CMT_NECK, MANUAL, claims=bundle(claim(item(1, "97140", 1)))),
}
KEY_OF = {
    "Encounter": "encounter",
    "Procedure": "procedures",
    "Coverage": "coverage",
    "Organization": "coverage",
    "Condition": "conditions",
    "CarePlan": "plans",
    "Goal": "goals",
    "Observation": "observations",
    "QuestionnaireResponse": "forms",
    "Practitioner": "procedures",
    "PractitionerRole": "procedures",
    "Claim": "claims",
    "ServiceRequest": "history",
    "DocumentReference": "documents",
    "Composition": "documents",
    "Binary": "documents",
    "EpisodeOfCare": "episodes",
}
"""Under which prefetch key a resource of a type comes."""
RAW = {
    ("Procedure", "performer"): resources.Performer,
    ("Claim", "provider"): datatypes.Party,
    ("Claim", "careTeam"): financial.TeamMember,
    ("ServiceRequest", "performerType"): datatypes.Worded,
    ("ServiceRequest", "performer"): datatypes.Party,
    ("ServiceRequest", "extension"): extensions.Extension,
    ("Procedure", "extension"): extensions.Extension,
    ("Procedure", "_performedDateTime"): extensions.Element,
    ("Procedure", "_occurrenceDateTime"): extensions.Element,
    ("Procedure", "occurrenceTiming"): service_minutes.Timing,
    ("Encounter", "class"): datatypes.WordedCoding,
    ("Encounter", "type"): datatypes.Worded,
    ("Encounter", "serviceType"): datatypes.Worded,
    ("Encounter", "participant"): episodes.Participant,
    ("DocumentReference", "context"): documents.Context,
    ("DocumentReference", "content"): documents.Content,
    ("DocumentReference", "relatesTo"): documents.Relation,
    ("Composition", "section"): documents.Section,
    ("Composition", "text"): documents.Narrative,
    ("Observation", "note"): datatypes.Annotation,
}
"""The parts that are kept as raw JSON, and what they are decoded as when they are needed."""

Path = tuple[str, ...]


def structs(kind: inspect.Type) -> Iterator[tuple[inspect.StructType, bool]]:
    """The Structs among what an element may be, and whether they come in a list."""
    for one in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(one, inspect.StructType):
            yield one, False
        elif isinstance(one, inspect.ListType) and isinstance(one.item_type, inspect.StructType):
            yield one.item_type, True


def elements(struct: inspect.StructType, above: Path = (), within: tuple[type, ...] = ()) -> Iterator[Path]:
    """The path of each element of a Struct, and of those below it; "[]" stands for one of a list.

    What may stand within itself, such as a form's item, is entered once.
    """
    if struct.cls in within:
        return
    for field in struct.fields:
        path = (*above, field.encode_name)
        yield path
        if len([one for one in path if one != "[]"]) == DEEPEST:
            continue
        for below, listed in structs(field.type):
            yield from elements(below, (*path, "[]") if listed else path, (*within, struct.cls))


def holding(path: Path, value: Any) -> Any:
    """Elements that lead to this value."""
    for name in reversed(path):
        value = [value] if name == "[]" else {name: value}
    return value


TAGS = {str(kind.__struct_config__.tag): kind for kind in (*resources.AnyResource.__args__, resources.Bundle)}


def of_type(name: str) -> list[Path]:
    found = inspect.type_info(TAGS[name])
    assert isinstance(found, inspect.StructType)
    paths = list(elements(found))
    for (kind, element), struct in RAW.items():
        part = inspect.type_info(struct)
        assert isinstance(part, inspect.StructType)
        if kind == name:
            paths += [*elements(part, (element,)), *elements(part, (element, "[]"))]
    return [*paths, ("resourceType",), ("meta",)]


def requests(kind: str, resource: Json) -> Iterator[tuple[str, Json]]:
    """Requests in which the review comes upon a resource: as a draft, or in the record."""
    if kind == "Claim":
        yield CLAIM_SUBMIT, changed(HOOKS[CLAIM_SUBMIT], "context", "claim", to=resource)
        yield CLAIM_SUBMIT, changed(HOOKS[CLAIM_SUBMIT], "context", "claim", to=bundle(resource))
    elif kind == "ServiceRequest":
        yield ORDER_SIGN, changed(HOOKS[ORDER_SIGN], "context", "draftOrders", to=bundle(resource))
    key = KEY_OF[kind]
    yield DISCHARGE, changed(HOOKS[DISCHARGE], "prefetch", key, to=bundle(CMT_NECK, resource, MANUAL))


def whole(kind: str) -> Json:
    """A resource of this type with what leads the review to look at it."""
    known: dict[str, Json] = {
        "Claim": claim(item(1, "97110", 3)),
        "ServiceRequest": order("o-1", "97110", 3),
        "Procedure": EXERCISE,
    }
    common = {"resourceType": kind, "id": "x", "subject": {"reference": "Patient/test-patient"}}
    return known.get(kind, common)


def merged(resource: Any, part: Any) -> Any:
    """The resource with the elements of `part` put in, down to the one place that differs."""
    if isinstance(resource, dict) and isinstance(part, dict) and len(part) == 1:
        (name,) = part
        return {**resource, name: merged(resource.get(name), part[name])}
    if isinstance(resource, list) and isinstance(part, list) and resource and len(part) == 1:
        return [merged(resource[0], part[0]), *resource[1:]]
    return part


@pytest.mark.parametrize("kind", KEY_OF)
def test_any_type_anywhere(client: FlaskClient, kind: str) -> None:
    """A value of any type in the place of any element is answered, or refused by the path of it."""
    tried = 0
    for path in of_type(kind):
        deep = len(path) - path.count("[]") > 2
        for name in FEW if deep else VALUES:
            resource = merged(whole(kind), holding(path, VALUES[name]))
            for service, body in islice(requests(kind, resource), 1 if deep else None):
                answer = send(client, text(body), service)
                tried += 1
                told = f"{kind}.{'.'.join(path)}: {name}: {answer.get_data(as_text=True)[:300]}"
                assert answer.status_code in (200, 400, 422), told
                if answer.status_code == 200:
                    found = json.loads(answer.data)["cards"]
                    assert all(card["extension"][EXTENSION]["code"] for card in found), told
                else:
                    assert expressions(answer), told
    assert tried >= len(VALUES) * 4


def test_every_type_is_tried() -> None:
    """Every type of resource that is read is tried, but those of which nothing is read."""
    assert set(TAGS) - set(KEY_OF) == {"Patient", "OperationOutcome", "Bundle"}


def test_raw_parts_are_known() -> None:
    """The parts that are kept raw are those that are tried as what they are decoded into, and contained resources."""
    found = {
        (name, field.encode_name)
        for name, kind in TAGS.items()
        for field in msgspec.structs.fields(kind)
        if field.type is msgspec.Raw
    }
    beside = {(name, element) for name, element in found if element in ("_status", "_lifecycleStatus")}
    assert found - beside - {("Bundle", "link")} == set(RAW)  # of these only the presence counts
