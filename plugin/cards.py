"""Findings as cards: sentences, sources, and suggestions as patches of the caller's own JSON."""

import functools
import uuid
from collections.abc import Callable
from typing import Any

import msgspec

from cds_hooks.cards import AT_MOST_ONE, Action, Card, Coding, Source, Suggestion
from mappings import rule_book, tables
from mappings.visit import Line, Visit
from plugin import fixes
from plugin.findings import BY_CODE, Finding, Fix, Slot
from plugin.fixes import Drafts
from plugin.review import Reviewed
from plugin.text import counted, plain, summary, unmarked

EXTENSION = "org.visitcue.finding"
SYSTEM = "https://visitcue.org/fhir/CodeSystem/"
REASONS = tuple(
    Coding(code, SYSTEM + "override-reason", display)
    for code, display in (
        ("documented-elsewhere", "It is documented where VisitCue cannot see it"),
        ("payer-says-otherwise", "This payer has told us otherwise"),
        ("clinical-judgement", "Clinical judgement"),
        ("record-is-wrong", "The record is wrong and will be corrected"),
        ("not-applicable", "The rule does not apply to this visit"),
    )
)


class Request(msgspec.Struct, frozen=True):
    """What cards need of the request beside its findings."""

    instance: uuid.UUID
    about: fixes.Patient
    drafts: Drafts


def cards(reviewed: tuple[Reviewed, ...], whole: tuple[Finding, ...], request: Request) -> list[Card]:
    """The cards of all findings: draft by draft, the weightiest first, then what concerns the whole request."""
    made: list[Card] = []
    for draft in dict.fromkeys(one.visit.draft for one in reviewed):
        of_draft = [one for one in reviewed if one.visit.draft == draft]
        made.extend(_of_draft(of_draft, request))
    made.extend(_card(finding, None, "", request, []) for finding in whole)
    return made


_WEIGHT = {"critical": 0, "warning": 1, "info": 2}


def _of_draft(reviewed: list[Reviewed], request: Request) -> list[Card]:
    """The cards of one Claim (or of the draft orders); the first one offers all fixes together."""
    told = [(finding, one) for one in reviewed for finding in one.findings]
    told.sort(key=lambda pair: _WEIGHT[pair[0].level])
    fixable = [finding.fix for finding, _ in told if fixes.is_joinable(finding.fix)]
    everything: list[Fix] = [fix for part in fixable for fix in part] if len(fixable) > 1 else []
    visits = [one.visit for one in reviewed]
    made = []
    for place, (finding, one) in enumerate(told):
        together = everything if place == 0 else []
        made.append(_card(finding, one, one.edition, request, together, visits))
    return made


def _card(
    finding: Finding,
    one: Reviewed | None,
    edition: str,
    request: Request,
    together: list[Fix],
    visits: list[Visit] | None = None,
) -> Card:
    kind = BY_CODE[finding.code]
    lines = {line.ref: line for line in one.visit.lines} if one else {}
    words = _words(finding, lines, name)
    short = _words(finding, lines, short_name)
    card_id = uuid.uuid5(request.instance, f"{finding.code} {' '.join(finding.lines)}")
    suggestions = _suggestions(finding, one, request, together, visits or [], card_id)
    return Card(
        uuid=str(card_id),
        summary=summary(unmarked(kind.summary.format_map(short))),
        indicator=finding.level,
        source=_source(finding),
        detail=_detail(kind.detail.format_map(words), finding, edition),
        suggestions=suggestions,
        selection_behavior=AT_MOST_ONE if suggestions else "",
        override_reasons=list(REASONS),
        extension={EXTENSION: _machine_readable(finding, edition)},
    )


def _machine_readable(finding: Finding, edition: str) -> dict[str, Any]:
    """The finding for programs; what has no value is left out."""
    told: dict[str, Any] = {"code": finding.code}
    if finding.lines:
        told["lines"] = finding.lines
    if finding.slots:
        told["slots"] = finding.slots
    if edition:
        told["edition"] = edition
    if finding.because:
        told["sources"] = [_cited(source) for source in finding.because]
    return told


@functools.lru_cache(maxsize=4096)
def _cited(source: rule_book.Source) -> dict[str, str]:
    return {"title": source.title, "section": source.section, "url": source.url, "words": source.words}


@functools.lru_cache(maxsize=4096)
def _citation(source: rule_book.Source) -> str:
    dated = f"published {source.published}" if source.published else f"read {source.retrieved}"
    return f"> **[{source.title}]({source.url})**, {source.section} ({dated}): {source.words}"


def _source(finding: Finding) -> Source:
    return _card_source(finding.code, finding.because[0] if finding.because else None)


@functools.lru_cache(maxsize=4096)
def _card_source(code: str, source: rule_book.Source | None) -> Source:
    topic = Coding(code, SYSTEM + "finding", BY_CODE[code].name)
    if source is None:
        return Source(label="VisitCue", topic=topic)
    return Source(label=source.title, url=source.url, topic=topic)


def _detail(sentence: str, finding: Finding, edition: str) -> str:
    parts = [sentence]
    if finding.remarks:
        parts.append("\n".join(finding.remarks))
    parts.extend(_citation(source) for source in finding.because)
    if edition:
        parts.append(f"Rules: {edition}")
    return "\n\n".join(parts)


def _words(finding: Finding, lines: dict[str, Line], named: Callable[[Line], str]) -> dict[str, str]:
    """The slots as words, with the names of the lines; a caller's words come out inert."""
    names = [named(lines[ref]) for ref in finding.lines if ref in lines]
    words = {"all": _listed(names), "what": names[0] if names else "", "others": _listed(names[1:])}
    words |= {"saw": "", "from": "none"}
    for key, value in finding.slots.items():
        words[key] = _in_words(value)
        if isinstance(value, int):
            words[f"{key}_units"] = counted(value, "unit")
            words[f"{key}_elements"] = counted(value, "documentation element")
            words[f"{key}_parts"] = counted(value, "part")
            words[f"{key}_regions"] = counted(value, "spinal region")
    if "saw" in finding.slots:
        words["saw"] = f" ({words['saw']})"
    words.setdefault("from_units", "no units")
    return words


def _in_words(value: Slot) -> str:
    if isinstance(value, list):
        return ", ".join(plain(str(part)) for part in value)
    return str(value) if isinstance(value, int) else plain(value)


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def name(line: Line) -> str:
    """A line by code, our label, and its number on the claim."""
    label = tables.codes()[line.code].label
    number = line.ref.rpartition("#")[2] if line.ref.startswith("Claim") else ""
    return f"{line.code} ({label}), line {number}" if number else f"{line.code} ({label})"


def short_name(line: Line) -> str:
    """A line by code and its number on the claim."""
    number = line.ref.rpartition("#")[2] if line.ref.startswith("Claim") else ""
    return f"{line.code} (line {number})" if number else line.code


def _suggestions(
    finding: Finding,
    one: Reviewed | None,
    request: Request,
    together: list[Fix],
    visits: list[Visit],
    card_id: uuid.UUID,
) -> list[Suggestion]:
    if one is None:
        return []
    lines = {line.ref: line for line in one.visit.lines}
    offered: list[tuple[str, bool, list[Action]]] = []
    if together:
        changes = fixes.actions(together, visits, request.drafts, request.about)
        offered.append((f"Apply all {len(together)} changes", True, changes))
    for fix in (finding.fix, *finding.choices):
        if not fix:
            continue
        label = "; ".join(fixes.in_words(part, lines) for part in fix)
        recommended = fix is finding.fix and fixes.is_joinable(fix) and not together
        offered.append((label, recommended, fixes.actions(list(fix), [one.visit], request.drafts, request.about)))
    return [
        Suggestion(label, str(uuid.uuid5(card_id, f"{place} {label}")), changes, recommended)
        for place, (label, recommended, changes) in enumerate(offered)
        if changes
    ]
