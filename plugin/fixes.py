"""Fixes as actions on the caller's own resources, and in words."""

import functools
from typing import Any

import msgspec

from cds_hooks.cards import Action
from mappings import books_in_force
from mappings.fhir.patch import Change, ClaimParts, claim_parts, patch_claim, patch_order
from mappings.visit import Line, Visit
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


class Draft(msgspec.Struct, frozen=True, dict=True):
    """A resource that suggestions may change: its name in line references, and the caller's JSON."""

    name: str
    raw: msgspec.Raw
    is_claim: bool

    @functools.cached_property
    def parts(self) -> ClaimParts:
        """The Claim taken apart, once for all suggestions."""
        return claim_parts(self.raw)


Drafts = dict[str, Draft]


class Patient(msgspec.Struct, frozen=True):
    """Whom a new form is about."""

    patient: str
    encounter: str


def is_joinable(fix: tuple[Fix, ...]) -> bool:
    """Whether a fix may be part of the suggestion that applies all: no removed line, no form."""
    return bool(fix) and not any(isinstance(one, RemoveLine | AskForDocument) for one in fix)


def together(offered: list[tuple[Fix, ...]], visits: list[Visit], places: int) -> list[Fix]:
    """The fixes that can be applied at once, in their order: none where there are not two findings to mend.

    One that would leave a line with more modifiers than it has places stays a suggestion of its own.
    """
    lines = {line.ref: line for visit in visits for line in visit.lines}
    joined: list[Fix] = []
    findings = 0
    for fix in offered:
        if not is_joinable(fix):
            continue
        after = _changes([*joined, *fix], lines)
        if all(len(after[part.line].modifiers or ()) <= places for part in fix):
            joined.extend(fix)
            findings += 1
    return joined if findings > 1 else []


def draft_of(ref: str, drafts: Drafts) -> Draft | None:
    """The draft that a line stands on."""
    return drafts.get(ref) or drafts.get(ref.rpartition("#")[0])


def actions(fixes: list[Fix], lines: dict[str, Line], drafts: Drafts, about: Patient) -> list[Action]:
    """The actions of one suggestion: one update a resource, however many of its lines change."""
    done = [_form(fix, lines[fix.line], about) for fix in fixes if isinstance(fix, AskForDocument)]
    by_draft: dict[str, dict[str, Change]] = {}
    for ref, change in _changes(fixes, lines).items():
        draft = draft_of(ref, drafts)
        if draft is not None:
            by_draft.setdefault(draft.name, {})[ref] = change
    for name, of_draft in by_draft.items():
        words = [in_words(fix, lines) for fix in fixes if fix.line in of_draft]
        done.append(_action(drafts[name], of_draft, "; ".join(words)))
    return done


def _changes(fixes: list[Fix], lines: dict[str, Line]) -> dict[str, Change]:
    """What becomes of each line when all fixes are applied in their order."""
    units: dict[str, int] = {}
    modifiers: dict[str, tuple[str, ...]] = {}
    removed: set[str] = set()
    for fix in fixes:
        now = modifiers.get(fix.line, lines[fix.line].modifiers)
        match fix:
            case SetUnits():
                units[fix.line] = fix.units
            case AddModifier():
                modifiers[fix.line] = with_modifier(now, fix.modifier)
            case RemoveModifier():
                modifiers[fix.line] = without_modifier(now, fix.modifier)
            case ReorderModifiers():
                ordered = tuple(one for one in fix.order if one in now)  # another fix may have taken one off
                modifiers[fix.line] = (*ordered, *(one for one in now if one not in ordered))
            case RemoveLine():
                removed.add(fix.line)
            case AskForDocument():
                pass
    refs = dict.fromkeys([*units, *modifiers, *removed])
    return {ref: Change(units.get(ref), modifiers.get(ref), ref in removed) for ref in refs}


def _action(draft: Draft, changes: dict[str, Change], words: str) -> Action:
    if draft.is_claim:
        by_sequence = {int(ref.rpartition("#")[2]): change for ref, change in changes.items()}
        return Action("update", words, resource=patch_claim(draft.parts, by_sequence))
    change = changes[draft.name]
    if change.remove:
        return Action("delete", words, resource_id=draft.name)
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
    resource["subject"] = {"reference": f"Patient/{about.patient}"}
    if about.encounter:
        resource["encounter"] = {"reference": f"Encounter/{about.encounter}"}
    resource["item"] = [{"linkId": element, "text": asks[element].ask} for element in fix.elements]
    return Action("create", f"Open a form for what the record of {line.code} lacks", resource=resource)


def in_words(fix: Fix, lines: dict[str, Line]) -> str:
    """One fix as an imperative."""
    code = lines[fix.line].code
    match fix:
        case SetUnits():
            return f"Bill {counted(fix.units, 'unit')} of {code}"
        case AddModifier():
            return f"Add {fix.modifier} to {code}"
        case RemoveModifier():
            return f"Remove {fix.modifier} from {code}"
        case ReorderModifiers():
            return f"List the modifiers of {code} as {', '.join(fix.order)}"
        case RemoveLine():
            return f"Do not bill {code}"
        case AskForDocument():
            return f"Fill in the documentation of {code}"
