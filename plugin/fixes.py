"""Fixes as actions on the caller's own resources, and in words."""

import functools
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from cds_hooks.cards import Action
from mappings import books_in_force
from mappings.fhir.patch import Change, ClaimParts, claim_parts, patch_claim, patch_order
from mappings.visit import Line
from plugin.findings import (
    AddModifier,
    AskForDocument,
    Fix,
    RemoveLine,
    RemoveModifier,
    ReorderModifiers,
    SetUnits,
)
from plugin.rules.placing import with_modifier, without_modifier
from plugin.text import counted

FORM = "https://visitcue.org/fhir/Questionnaire/visit-documentation"
"""The canonical address of the documentation form, whose linkIds are element ids."""


_REFERENCE = re.compile(r"(?:Claim|ServiceRequest)/[A-Za-z0-9._-]+")


class Draft(msgspec.Struct, frozen=True, dict=True):
    """A resource that suggestions may change: its name in line references, and the caller's JSON.

    `numbers` are those of a Claim's items; an order has none.
    """

    name: str
    raw: msgspec.Raw
    numbers: tuple[int, ...] = ()

    @functools.cached_property
    def reference(self) -> str:
        """The reference that a client knows it by; "" for one without an id, or with that of another draft."""
        return self.name if _REFERENCE.fullmatch(self.name) else ""

    @functools.cached_property
    def parts(self) -> ClaimParts:
        """The Claim taken apart, once for all suggestions."""
        return claim_parts(self.raw, self.numbers)


Drafts = dict[str, Draft]


class Patient(msgspec.Struct, frozen=True):
    """Whom a new form is about."""

    patient: str
    encounter: str


# The kind of a fix is asked for with `type`: the classes are final, and isinstance takes the long way through the
# metaclass of msgspec's Structs.


def is_joinable(fix: tuple[Fix, ...]) -> bool:
    """Whether a fix may be part of the suggestion that applies all: no removed line, no form."""
    return bool(fix) and _ALONE.isdisjoint([type(one) for one in fix])


_ALONE: frozenset[type[Fix]] = frozenset({RemoveLine, AskForDocument})


def together(offered: list[tuple[Fix, ...]], lines: dict[str, Line], places: int) -> list[Fix]:
    """The fixes that can be applied at once, in their order: none where there are not two findings to mend.

    One that would leave a line with more modifiers than it has places stays a suggestion of its own.
    """
    joinable = [fix for fix in offered if is_joinable(fix)]
    if len(joinable) < 2:
        return []
    joined: list[Fix] = []
    findings = 0
    modifiers: dict[str, tuple[str, ...]] = {}
    for fix in joinable:
        after = modifiers.copy()
        for part in fix:
            _modify(part, lines, after)
        if all(len(after.get(part.line, ())) <= places for part in fix):
            joined.extend(fix)
            findings += 1
            modifiers = after
    return joined if findings > 1 else []


def draft_of(ref: str, drafts: Drafts) -> Draft | None:
    """The draft that a line stands on."""
    return drafts.get(ref) or drafts.get(ref.rpartition("#")[0])


def actions(fixes: Sequence[Fix], lines: dict[str, Line], drafts: Drafts, about: Patient) -> list[Action]:
    """The actions of one suggestion: one update a resource, however many of its lines change."""
    done = [_form(fix, lines[fix.line], about) for fix in fixes if type(fix) is AskForDocument]
    by_draft: dict[str, dict[str, Change]] = {}
    for ref, change in _changes(fixes, lines).items():
        draft = draft_of(ref, drafts)
        if draft is not None:
            by_draft.setdefault(draft.name, {})[ref] = change
    for name, of_draft in by_draft.items():
        words = [in_words(fix, lines) for fix in fixes if fix.line in of_draft]
        action = _action(drafts[name], of_draft, "; ".join(words))
        if action is not None:
            done.append(action)
    return done


def _changes(fixes: Sequence[Fix], lines: dict[str, Line]) -> dict[str, Change]:
    """What becomes of each line when all fixes are applied in their order."""
    units: dict[str, int] = {}
    modifiers: dict[str, tuple[str, ...]] = {}
    removed: set[str] = set()
    for fix in fixes:
        if type(fix) is SetUnits:
            units[fix.line] = fix.units
        elif type(fix) is RemoveLine:
            removed.add(fix.line)
        else:
            _modify(fix, lines, modifiers)
    refs = dict.fromkeys([*units, *modifiers, *removed])
    return {ref: Change(units.get(ref), modifiers.get(ref), ref in removed) for ref in refs}


def _modify(fix: Fix, lines: dict[str, Line], modifiers: dict[str, tuple[str, ...]]) -> None:
    """Note the modifiers of the line after a fix; one that is about something else changes none."""
    now = modifiers.get(fix.line, lines[fix.line].modifiers)
    if type(fix) is AddModifier:
        modifiers[fix.line] = with_modifier(now, fix.modifier)
    elif type(fix) is RemoveModifier:
        modifiers[fix.line] = without_modifier(now, fix.modifier)
    elif type(fix) is ReorderModifiers:
        ordered = tuple(one for one in fix.order if one in now)  # another fix may have taken one off
        modifiers[fix.line] = (*ordered, *(one for one in now if one not in ordered))


def _action(draft: Draft, changes: dict[str, Change], words: str) -> Action | None:
    """The action that makes these changes; None for an order to be deleted that no reference can name."""
    if draft.numbers:
        by_sequence = {int(ref.rpartition("#")[2]): change for ref, change in changes.items()}
        return Action("update", words, resource=patch_claim(draft.parts, by_sequence))
    change = changes[draft.name]
    if change.remove:
        return Action("delete", words, resource_id=draft.reference) if draft.reference else None
    return Action("update", words, resource=patch_order(draft.raw, change))


def _form(fix: AskForDocument, line: Line, about: Patient) -> Action:
    """A new form for the missing elements; saved and answered, it is evidence at the next call."""
    asks = books_in_force.questions()
    resource: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": FORM,
        "status": "in-progress",
    }
    if fix.services:
        resource["partOf"] = [{"reference": ref} for ref in fix.services]
    elif line.ref.startswith("ServiceRequest/"):
        resource["basedOn"] = [{"reference": line.ref}]
    if about.patient:
        resource["subject"] = {"reference": f"Patient/{about.patient}"}
    if about.encounter:
        resource["encounter"] = {"reference": f"Encounter/{about.encounter}"}
    resource["item"] = [{"linkId": element, "text": asks[element].ask} for element in fix.elements]
    return Action("create", f"Open a form for what the record of {line.code} lacks", resource=resource)


def in_words(fix: Fix, lines: dict[str, Line]) -> str:
    """One fix as an imperative."""
    code = lines[fix.line].code
    if type(fix) is SetUnits:
        return f"Bill {counted(fix.units, 'unit')} of {code}"
    if type(fix) is AddModifier:
        return f"Add {fix.modifier} to {code}"
    if type(fix) is RemoveModifier:
        return f"Remove {fix.modifier} from {code}"
    if type(fix) is ReorderModifiers:
        return f"List the modifiers of {code} as {', '.join(fix.order)}"
    if type(fix) is RemoveLine:
        return f"Do not bill {code}"
    return f"Fill in the documentation of {code}"
