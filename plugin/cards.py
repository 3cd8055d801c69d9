"""Findings as cards: sentences, sources, and suggestions as patches of the caller's own JSON."""

import functools
import hashlib
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from cds_hooks.cards import AT_MOST_ONE, Action, Card, Coding, Link, Source, Suggestion
from mappings import rule_book
from mappings.visit import Line
from plugin import bounds, fixes, sentences
from plugin.finding_list import BY_CODE
from plugin.findings import Finding, Fix
from plugin.fixes import Draft, Drafts
from plugin.review import Reviewed

EXTENSION = "org.visitcue.finding"
ASSOCIATED = "davinci-crd.associated-resource"
"""The drafts that a card is about, as `Type/id` (Da Vinci CRD, "Linking cards to requests"). The guide's profile says
Reference, its text and all of its examples have plain strings; the examples are what clients were built with."""
SYSTEM = "https://visitcue.org/fhir/CodeSystem/"
OURSELVES = {
    "title": "VisitCue",
    "section": "What the review could not know",
    "url": "https://visitcue.org/",
    "words": "What cannot be read, or was not sent, is said and never guessed.",
}
"""What a finding rests on that no policy asks for."""

REASONS = [
    Coding(code, SYSTEM + "override-reason", display)
    for code, display in (
        ("documented-elsewhere", "It is documented where VisitCue cannot see it"),
        ("payer-says-otherwise", "This payer has told us otherwise"),
        ("clinical-judgement", "Clinical judgement"),
        ("record-is-wrong", "The record is wrong and will be corrected"),
        ("not-applicable", "The rule does not apply to this visit"),
    )
]


class Request(msgspec.Struct, frozen=True):
    """What cards need of the request beside its findings."""

    instance: uuid.UUID
    about: fixes.Patient
    drafts: Drafts
    edition: str


def cards(reviewed: tuple[Reviewed, ...], whole: tuple[Finding, ...], request: Request) -> list[Card]:
    """The cards of all findings: draft by draft, the weightiest first, then what concerns the whole request."""
    made: list[Card] = []
    taken: dict[str, int] = {}
    room = _Room(bounds.SUGGESTED_BYTES)
    for draft in dict.fromkeys(one.visit.draft for one in reviewed):
        of_draft = [one for one in reviewed if one.visit.draft == draft]
        made.extend(_of_draft(of_draft, taken, room, request))
    lines = tuple([line.ref for one in reviewed for line in one.visit.reviewed]) or tuple(request.drafts)
    for finding in whole:
        about = msgspec.structs.replace(finding, lines=lines)
        made.append(_card(about, _name(finding, taken), None, [], request))
    return made


class _Room:
    """The bytes of the caller's resources that suggestions may still repeat."""

    def __init__(self, size: int) -> None:
        self.bytes = size

    def take(self, fix: Sequence[Fix], drafts: Drafts) -> bool:
        """Whether there is room for one more; the last one may go beyond it, so that a large claim gets its first."""
        if self.bytes <= 0:
            return False
        names = {draft.name for one in fix if (draft := fixes.draft_of(one.line, drafts)) is not None}
        self.bytes -= sum([memoryview(drafts[name].raw).nbytes for name in names])
        return True


_WEIGHT = {"critical": 0, "warning": 1, "info": 2}


def _of_draft(reviewed: list[Reviewed], taken: dict[str, int], room: _Room, request: Request) -> list[Card]:
    """The cards of one Claim (or of the draft orders); the first one offers all fixes together."""
    told = [(finding, one) for one in reviewed for finding in one.findings]
    told.sort(key=lambda pair: _WEIGHT[pair[0].level])
    lines = {ref: line for one in reviewed for ref, line in one.visit.by_ref.items()}
    together = fixes.together([finding.fix for finding, _ in told], lines, min([one.places for one in reviewed]))
    made = []
    for finding, one in told:
        name = _name(finding, taken)
        suggestions = _suggestions(finding, name, together, lines, room, request)
        unsaid = room.bytes <= 0 and not suggestions and (finding.fix or finding.choices)
        remarks = (*finding.remarks, bounds.NO_ROOM) if unsaid else finding.remarks
        made.append(_card(msgspec.structs.replace(finding, remarks=remarks), name, one, suggestions, request))
        together = []
    return made


def _name(finding: Finding, taken: dict[str, int]) -> str:
    """What a finding is known by among those of one request; of several about the same lines each has a number."""
    name = f"{finding.code} {' '.join(finding.lines)}"
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name} ({taken[name]})"


def _card(finding: Finding, name: str, one: Reviewed | None, suggestions: list[Suggestion], request: Request) -> Card:
    finding = bounds.shortened(finding)
    told = sentences.told(finding, one.visit.by_ref if one else {})
    edition = one.edition if one else request.edition
    drafts = _concerned(finding, request.drafts)
    about = _about(drafts, one, request.drafts) if one and len(drafts) < len(request.drafts) else ""
    return Card(
        uuid=uuid_of(request.instance, name),
        summary=told.summary,
        indicator=finding.level,
        source=_card_source(finding.code, finding.because[0] if finding.because else None),
        detail=_detail(told.detail, about, finding, edition),
        suggestions=suggestions,
        selection_behavior=AT_MOST_ONE if suggestions else "",
        override_reasons=REASONS,
        links=[_link(source) for source in finding.because],
        extension={EXTENSION: _machine_readable(finding, edition), **_associated(drafts)},
    )


def _concerned(finding: Finding, drafts: Drafts) -> list[Draft]:
    """The drafts that the lines of a finding stand on, in their order."""
    names = {draft.name for ref in finding.lines if (draft := fixes.draft_of(ref, drafts)) is not None}
    return [draft for name, draft in drafts.items() if name in names]


def _associated(drafts: list[Draft]) -> dict[str, list[str]]:
    references = [draft.reference for draft in drafts if draft.reference]
    return {ASSOCIATED: references} if references else {}


def _about(drafts: list[Draft], one: Reviewed, every: Drafts) -> str:
    """Which of several drafts a card is about, for people: ids mean nothing to them."""
    places = {name: place for place, name in enumerate(every, start=1)}
    named = [f"{_kind(draft)} {places[draft.name]} of {len(every)}{_told_apart(draft, one)}" for draft in drafts]
    return f"About {'; '.join(named)}." if named else ""


def _kind(draft: Draft) -> str:
    return "claim" if draft.name.startswith("Claim") else "order"


def _told_apart(draft: Draft, one: Reviewed) -> str:
    """What a user knows a draft by: the service of an order, the date of service of a claim."""
    line = one.visit.by_ref.get(draft.name)
    if line is not None:
        return f": {sentences.labelled(line.code)}"
    return f": date of service {one.visit.date}" if draft.name == one.visit.draft else ""


def uuid_of(instance: uuid.UUID, name: str) -> str:
    """The version 5 UUID of a name within a hook instance, as text (uuid.uuid5, without building the object)."""
    digest = hashlib.sha1(instance.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _machine_readable(finding: Finding, edition: str) -> dict[str, Any]:
    """The finding for programs. A finding without lines is about a request of which nothing could be read."""
    lines = {"lines": finding.lines} if finding.lines else {}
    sources = [_cited(source) for source in finding.because] or [OURSELVES]
    return {"code": finding.code, **lines, "slots": finding.slots, "edition": edition, "sources": sources}


@functools.lru_cache(maxsize=4096)
def _cited(source: rule_book.Source) -> dict[str, str]:
    return {"title": source.title, "section": source.section, "url": source.url, "words": source.words}


@functools.lru_cache(maxsize=4096)
def _citation(source: rule_book.Source) -> str:
    dated = f"published {source.published}" if source.published else f"read {source.retrieved}"
    return f"> **[{source.title}]({source.url})**, {source.section} ({dated}): {source.words}"


@functools.lru_cache(maxsize=4096)
def _link(source: rule_book.Source) -> Link:
    return Link(f"{source.title}: {source.section}", source.url)


@functools.lru_cache(maxsize=4096)
def _card_source(code: str, source: rule_book.Source | None) -> Source:
    topic = Coding(code, SYSTEM + "finding", BY_CODE[code].name)
    if source is None:
        return Source(label="VisitCue", topic=topic)
    return Source(label=source.title, url=source.url, topic=topic)


def _detail(sentence: str, about: str, finding: Finding, edition: str) -> str:
    parts = [sentence, about] if about else [sentence]
    if finding.remarks:
        parts.append("\n".join(finding.remarks))
    parts.extend(_citation(source) for source in finding.because)
    parts.append(f"Rules: {edition}")
    return "\n\n".join(parts)


def _suggestions(
    finding: Finding, name: str, together: list[Fix], lines: dict[str, Line], room: _Room, request: Request
) -> list[Suggestion]:
    offered: list[tuple[str, bool, list[Action]]] = []
    if together and room.take(together, request.drafts):
        changes = fixes.actions(together, lines, request.drafts, request.about)
        offered.append((f"Apply all {len(set(together))} changes", True, changes))
    for fix in (finding.fix, *finding.choices):
        if not fix or not room.take(fix, request.drafts):
            continue
        label = "; ".join(dict.fromkeys([fixes.in_words(part, lines) for part in fix]))
        recommended = fix is finding.fix and fixes.is_joinable(fix) and not together
        offered.append((label, recommended, fixes.actions(fix, lines, request.drafts, request.about)))
    return [
        Suggestion(label, uuid_of(request.instance, f"{name} {place} {label}"), changes, recommended)
        for place, (label, recommended, changes) in enumerate(offered)
        if changes
    ]
