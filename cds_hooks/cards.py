"""Cards, suggestions and actions, as they go over the wire: nothing that has no value is written."""

from typing import Any

import msgspec


class Coding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A code with its system and what it says."""

    code: str
    system: str
    display: str = ""


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a card's advice comes from; `topic` says what it is about."""

    label: str
    url: str = ""
    topic: Coding | None = None


class Action(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One change: a resource to create or to update (whole), or the reference of one to delete."""

    type: str
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str = ""


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One way to follow a card: all its actions together."""

    label: str
    uuid: str
    actions: list[Action]
    is_recommended: bool = False


class Card(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One card. `summary` has fewer than 140 characters, `detail` is Markdown."""

    uuid: str
    summary: str
    indicator: str
    source: Source
    detail: str = ""
    suggestions: list[Suggestion] = []
    selection_behavior: str = ""
    override_reasons: list[Coding] = []
    extension: dict[str, Any] = {}


AT_MOST_ONE = "at-most-one"


def encode(cards: list[Card]) -> bytes:
    """The body of a service's answer."""
    return msgspec.json.encode({"cards": cards})
