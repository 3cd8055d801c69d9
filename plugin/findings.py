"""What the review finds: findings, and the fixes that mend them. What they say is in `plugin.finding_list`."""

from typing import Literal

import msgspec

from mappings.rule_book import Source

Level = Literal["critical", "warning", "info"]
Slot = int | str | list[str] | list[int] | list[list[int]]


class SetUnits(msgspec.Struct, frozen=True):
    """Bill a line with this many units."""

    line: str
    units: int


class AddModifier(msgspec.Struct, frozen=True):
    """Put a modifier on a line, at the place where it belongs among the others."""

    line: str
    modifier: str


class RemoveModifier(msgspec.Struct, frozen=True):
    """Take a modifier off a line."""

    line: str
    modifier: str


class ReorderModifiers(msgspec.Struct, frozen=True):
    """Put the modifiers of a line in this order."""

    line: str
    order: tuple[str, ...]


class RemoveLine(msgspec.Struct, frozen=True):
    """Do not bill a line. Always a suggestion of its own."""

    line: str


class AskForDocument(msgspec.Struct, frozen=True):
    """Open a form with these documentation elements for the services of a line."""

    line: str
    services: tuple[str, ...]
    elements: tuple[str, ...]


Fix = SetUnits | AddModifier | RemoveModifier | ReorderModifiers | RemoveLine | AskForDocument


class Finding(msgspec.Struct, frozen=True):
    """One thing the review found.

    `lines` are references, the line to mend first. `fix` mends it, all parts together; `choices` are
    alternatives among which only a person can choose. `because` are the sources it rests on.
    `remarks` are further sentences for the card.
    """

    code: str
    level: Level
    lines: tuple[str, ...]
    slots: dict[str, Slot]
    because: tuple[Source, ...] = ()
    fix: tuple[Fix, ...] = ()
    choices: tuple[tuple[Fix, ...], ...] = ()
    remarks: tuple[str, ...] = ()
