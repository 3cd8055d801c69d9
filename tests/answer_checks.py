"""What holds for every answer of a service, whatever was asked: shape, no hollow members, no active markup."""

import re
from typing import Any

import jsonschema_rs

from plugin.finding_list import KINDS

CODES = sorted(kind.code for kind in KINDS)
_TEXT = {"type": "string", "minLength": 1}
_URL = {"type": "string", "pattern": '^https?://[^ <>"]+$'}
_CODING = {
    "type": "object",
    "required": ["code", "system"],
    "properties": {"code": _TEXT, "system": _TEXT, "display": _TEXT},
    "additionalProperties": False,
}
_UUID = {"type": "string", "pattern": "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"}
_ACTION = {
    "type": "object",
    "required": ["type", "description"],
    "properties": {
        "type": {"enum": ["create", "update", "delete"]},
        "description": _TEXT,
        "resource": {"type": "object", "required": ["resourceType"]},
        "resourceId": {},
        "extension": {"type": "object"},
    },
    "additionalProperties": False,
    "oneOf": [
        {"required": ["resource"], "properties": {"type": {"enum": ["create", "update"]}}},
        {"required": ["resourceId"], "properties": {"type": {"const": "delete"}}},
    ],
}
_SUGGESTION = {
    "type": "object",
    "required": ["label", "uuid", "actions"],
    "properties": {
        "label": _TEXT,
        "uuid": _UUID,
        "isRecommended": {"const": True},
        "actions": {"type": "array", "minItems": 1, "items": _ACTION},
    },
    "additionalProperties": False,
}
_LINK = {
    "type": "object",
    "required": ["label", "url", "type"],
    "properties": {
        "label": _TEXT,
        "url": _URL,
        "type": {"enum": ["absolute", "smart"]},
        "appContext": _TEXT,
        "autolaunchable": {"type": "boolean"},
    },
    "additionalProperties": False,
}
_CARD = {
    "type": "object",
    "required": ["uuid", "summary", "indicator", "source", "extension"],
    "properties": {
        "uuid": _UUID,
        "summary": {"type": "string", "minLength": 1, "maxLength": 139},
        "detail": _TEXT,
        "indicator": {"enum": ["info", "warning", "critical"]},
        "source": {
            "type": "object",
            "required": ["label"],
            "properties": {"label": _TEXT, "url": _URL, "icon": _URL, "topic": _CODING},
            "additionalProperties": False,
        },
        "suggestions": {"type": "array", "minItems": 1, "items": _SUGGESTION},
        "selectionBehavior": {"enum": ["at-most-one", "any"]},
        "overrideReasons": {"type": "array", "minItems": 1, "items": _CODING},
        "links": {"type": "array", "minItems": 1, "items": _LINK},
        "extension": {
            "type": "object",
            "required": ["org.visitcue.finding"],
            "properties": {"org.visitcue.finding": {"required": ["code"], "properties": {"code": {"enum": CODES}}}},
        },
    },
    "additionalProperties": False,
    "dependentRequired": {"suggestions": ["selectionBehavior"]},
}
RESPONSE = {
    "type": "object",
    "required": ["cards"],
    "properties": {
        "cards": {"type": "array", "items": _CARD},
        "systemActions": {"type": "array", "minItems": 1, "items": _ACTION},
        "extension": {"type": "object"},
    },
    "additionalProperties": False,
}
OUTCOME = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code", "diagnostics"],
                "properties": {
                    "severity": {"const": "error"},
                    "code": _TEXT,
                    "diagnostics": {"type": "string", "minLength": 1, "maxLength": 2000},
                    "expression": {"type": "array", "minItems": 1, "items": _TEXT},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""CDS Hooks 2.0.1, section CDS Service Response, and what we make of an OperationOutcome (FHIR R4)."""

FOR_PROGRAMS = (".extension.", ".resourceId")

_RESPONSE = jsonschema_rs.validator_for(RESPONSE)
_OUTCOME = jsonschema_rs.validator_for(OUTCOME)
_ACTIVE = re.compile(r"<\s*[a-z/!?]|\]\(\s*(?!https?://)|(?<!\\)!\[", re.IGNORECASE)
"""HTML, and links and pictures of Markdown that lead to anything but a page: a client may show a detail as it is."""


def assert_sound_answer(status: int, body: Any, told: str) -> None:
    """A 200 is a CDS Hooks response, anything else an OperationOutcome; `told` is what a failure says."""
    problem = next((_RESPONSE if status == 200 else _OUTCOME).iter_errors(body), None)
    assert problem is None, f"{problem.message} at {problem.instance_path}: {told}"
    cards = body["cards"] if status == 200 else [body]
    ids = [card["uuid"] for card in cards if status == 200]
    assert len(set(ids)) == len(ids), told
    for card in cards:
        _assert_sound_parts(card, told)


def _assert_sound_parts(root: Any, told: str) -> None:
    """No hollow members and no markup, but in what is the caller's own: resources, and the references to them.

    Those in the extension are for programs: a line is named there by the id that its Claim has, whatever that is.
    """
    waiting = [("", root)]
    while waiting:
        path, value = waiting.pop()
        assert value not in (None, "", [], {}), f"{path} is hollow: {told}"
        if isinstance(value, str):
            found = None if path.startswith(FOR_PROGRAMS) else _ACTIVE.search(value)
            assert not found, f"{path} has {value[:200]!r}: {told}"
        elif isinstance(value, list | dict):
            parts = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend((f"{path}.{key}", part) for key, part in parts if key != "resource")
