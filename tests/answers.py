"""What is wrong with an answer, by CDS Hooks: the schema of `answer_schema.json`, and what no schema can say."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.builders import Json

_SCHEMA = json.loads((Path(__file__).parent / "answer_schema.json").read_text(encoding="utf-8"))
_VALIDATOR = Draft202012Validator(_SCHEMA)


def wrong(answer: Json, targets: set[str]) -> list[str]:
    """Everything that is wrong, as sentences with a path.

    `targets` are the references of the drafts, which alone may be changed ("Claim/" is one without an id).
    """
    found = [f"{error.json_path}: {error.message[:200]}" for error in _VALIDATOR.iter_errors(answer)]
    found += [f"{path}: hollow" for path in hollow(answer) if path != "$.cards"]
    for place, card in enumerate(answer["cards"]):
        path = f"$.cards[{place}]"
        if len(card["summary"].encode("utf-16-le")) // 2 >= 140:
            found.append(f"{path}.summary: 140 UTF-16 units or more")
        if sum(one.get("isRecommended", False) for one in card.get("suggestions", ())) > 1:
            found.append(f"{path}.suggestions: several are recommended, and at most one may be chosen")
        strange = changed_by(card) - targets
        found += [f"{path}: changes {name}, which is no draft" for name in sorted(strange)]
    ids = [one["uuid"] for card in answer["cards"] for one in (card, *card.get("suggestions", ()))]
    if len(set(ids)) < len(ids):
        found.append("$.cards: a uuid stands there twice")
    return found


def changed_by(card: Json) -> set[str]:
    """The references of all resources that a card's suggestions would update or delete."""
    found = set()
    for suggestion in card.get("suggestions", ()):
        for action in suggestion["actions"]:
            if action["type"] == "update":
                found.add(f"{action['resource']['resourceType']}/{action['resource'].get('id', '')}")
            elif action["type"] == "delete":
                found.add(action["resourceId"])
    return found


def drafts(request: Json) -> set[str]:
    """The references of everything that a request drafts."""
    found = set()
    for value in (*request["context"].values(), (request.get("prefetch") or {}).get("claims")):
        if isinstance(value, dict):
            resources = [one["resource"] for one in value.get("entry", ())] if value.get("entry") else [value]
            found |= {f"{one.get('resourceType')}/{one.get('id') or ''}" for one in resources}
    return found


def hollow(value: Any, path: str = "$") -> Iterator[str]:
    """The paths of every null, "", [] and {}, but for nulls that FHIR wants for the extensions of primitives."""
    if value is None or value in ("", [], {}):
        yield path
    elif isinstance(value, dict):
        for name, part in value.items():
            beside = value.get(name[1:] if name.startswith("_") else f"_{name}")
            if isinstance(part, list) and isinstance(beside, list) and part:
                yield from _unpaired(part, beside, f"{path}.{name}")
            else:
                yield from hollow(part, f"{path}.{name}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from hollow(part, f"{path}[{place}]")


def _unpaired(mine: list[Any], theirs: list[Any], path: str) -> Iterator[str]:
    for place, (one, other) in enumerate(list(zip_longest(mine, theirs))[: len(mine)]):
        if one is not None or other is None:
            yield from hollow(one, f"{path}[{place}]")
