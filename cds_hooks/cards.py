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


class Link(msgspec.Struct, frozen=True):
    """A page to read on: an absolute address. SMART apps, which have a context of their own, are not offered."""

    label: str
    url: str
    type: str = "absolute"


class Card(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One card. `summary` has fewer than 140 characters, `detail` is GitHub-flavoured Markdown."""

    uuid: str
    summary: str
    indicator: str
    source: Source
    detail: str = ""
    suggestions: list[Suggestion] = []
    selection_behavior: str = ""
    override_reasons: list[Coding] = []
    links: list[Link] = []
    extension: dict[str, Any] = {}


AT_MOST_ONE = "at-most-one"


def encode(cards: list[Card]) -> bytes:
    """The body of a service's answer.

    There is no `systemActions`: nothing is changed without a user, and an empty list is not to be sent (CDS Hooks,
    HTTP Response).
    """
    return msgspec.json.encode({"cards": cards})
