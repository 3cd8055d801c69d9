"""Documentation: what the record of each service must and should hold, by the payer's catalogue.

Structured evidence and answered forms come first; a note counts as "found in the note", with its words. A note of the
whole visit counts for a service only where it speaks of it. Where the visit's record was not sent at all, nothing is
called missing; where its notes were not sent, or cannot be read, nothing is either, for they may say it: it is asked,
once for the whole visit.
"""

from collections.abc import Iterator

import msgspec

from mappings import tables
from mappings.notes import WholeNote, quotation, quotation_about, read_documents, read_notes
from mappings.rule_book import Element, RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AskForDocument, Finding, Slot
from plugin.rules import due, excluded
from plugin.rules.placing import EXCLUDED
from plugin.text import in_code, in_short, plain

AT_ORDER = frozenset({"body-site", "specific-site", "reason", "diagnosis", "care-plan", "goal", "measurable-goal"})
"""What can stand in the record when a service is ordered and not yet given."""


class Unshown(msgspec.Struct, frozen=True):
    """What nothing shows of a service, or of the visit: elements, each with why it is due ("" for always).

    `services` are the Procedures that a form for them belongs to; `found` are words of notes, by element.
    """

    lines: tuple[Line, ...]
    services: tuple[str, ...]
    elements: list[tuple[Element, str]]
    found: dict[str, str]


def missing(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a line: the elements that its record lacks, must before should."""
    if not _are_unread(visit):
        yield from [_missing("documentation.missing", one) for one in _of_lines(visit, book)]


def missing_of_visit(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a visit: what its note states once for all services, and what has fallen due in its course."""
    if not _are_unread(visit):
        yield from [_missing("documentation.visit-missing", one) for one in _of_visit(visit, book)]


def not_seen(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a visit whose notes were not read: everything that nothing else shows, which they may say."""
    if not _are_unread(visit):
        return
    parts = [*_of_lines(visit, book), *_of_visit(excluded.covered(visit, book), book)]
    if not parts:
        return
    elements = {element.id: element for one in parts for element, _ in one.elements}
    yield Finding(
        "documentation.not-seen",
        "info",
        tuple(dict.fromkeys([line.ref for one in parts for line in one.lines])),
        {
            "asked": list(elements),
            **_in_words_slot([element for one in parts for element in one.found]),
            "must": sum(element.level == "must" for element in elements.values()),
            "count": len(elements),
        },
        _one_of_each([element.source for element in elements.values()]),
        fix=tuple(_form(one) for one in parts),
        remarks=(
            *(f"- {_of_what(one)}: {'; '.join(_told(element, why) for element, why in one.elements)}" for one in parts),
            *dict.fromkeys([words for one in parts for words in one.found.values()]),
            *(f"- `{in_code(gap.path)}`: {plain(gap.reason)}" for gap in visit.unread),
        ),
    )


def _are_unread(visit: Visit) -> bool:
    """Whether notes were not sent, or none of them can be read, so that what nothing shows may stand in them."""
    return "note" in visit.not_sent


def _of_lines(visit: Visit, book: RuleBook) -> Iterator[Unshown]:
    if not visit.record_sent:
        return
    manipulated = not tables.manipulations().isdisjoint([line.code for line in (*visit.billed, *visit.elsewhere)])
    whole: list[WholeNote] | None = None
    for line in visit.reviewed:
        if line.not_given:
            continue
        unshown = [
            element
            for element in book.elements.get(line.code, ())
            if not element.of_visit
            and element.id not in line.answered
            and not _shown(element, line.evidence)
            and _applies(element, line, manipulated)
            and not (line.planned and _needs_the_service(element))
            and not (visit.not_sent and _cannot_be_seen(element, visit.not_sent))
        ]
        if unshown:
            if whole is None:
                whole = read_documents(visit.documents, frozenset([one.code for one in visit.lines]))
            lacking, found = _after_the_notes(line, unshown, whole)
            if lacking:
                yield Unshown((line,), line.services, [(element, "") for element in lacking], found)


def _of_visit(visit: Visit, book: RuleBook) -> Iterator[Unshown]:
    if not visit.record_sent:
        return
    asking: dict[str, tuple[Element, list[Line]]] = {}
    for line in visit.standing:
        if not EXCLUDED.isdisjoint(line.modifiers):
            continue  # Medicare's demands on therapy are not made of what it excludes
        for element in book.elements.get(line.code, ()):
            if element.of_visit and not (line.planned and _needs_the_service(element)):
                asking.setdefault(element.id, (element, []))[1].append(line)
    unshown = [
        (element, why, asked)
        for element, asked in asking.values()
        if not _shown_by_any(element, visit) and (why := _due(element, visit, book)) is not None
    ]
    if not unshown:
        return
    texts = {note: None for line in visit.standing for note in line.notes} | {one.text: None for one in visit.documents}
    notes = read_notes(texts)
    lacking: list[tuple[Element, str]] = []
    found: dict[str, str] = {}
    concerned: set[str] = set()
    for element, why, lines in unshown:
        words = quotation(element.id, notes) if notes else None
        if words is not None:
            found[element.id] = _in_words(element, words)
            continue
        lacking.append((element, why))
        concerned.update([line.ref for line in lines])
    if lacking:
        yield Unshown(tuple([line for line in visit.standing if line.ref in concerned]), (), lacking, found)


def _due(element: Element, visit: Visit, book: RuleBook) -> str | None:
    """Why an element of the visit is asked for ("" for always), None where it is not due or cannot be seen."""
    if visit.not_sent and _cannot_be_seen(element, visit.not_sent):
        return None
    match element.when:
        case "over-30-days":
            return due.certification(visit, book) or None
        case "each-10-days":
            return due.progress_report(visit, book) or None
        case "each-12-visits":
            return due.reevaluation(visit, book) or None
        case _:
            return ""


def _shown_by_any(element: Element, visit: Visit) -> bool:
    """Whether structured evidence or a form of any service of the visit shows an element."""
    return any(
        element.id in line.answered or _shown(element, line.evidence) for line in visit.lines if not line.not_given
    )


def _after_the_notes(
    line: Line, unshown: list[Element], whole: list[WholeNote]
) -> tuple[list[Element], dict[str, str]]:
    """The elements that no note documents either, and the words of those that one does."""
    notes = read_notes(line.notes)
    lacking: list[Element] = []
    found: dict[str, str] = {}
    for element in unshown:
        words = quotation(element.id, notes) if notes else None
        if words is None and whole:
            words = quotation_about(element.id, line.code, whole)
        if words is not None:
            found[element.id] = _in_words(element, words)
        else:
            lacking.append(element)
    return lacking, found


def _in_words(element: Element, words: str) -> str:
    return f"- found in the note for {element.label}: «{plain(words)}»"


def _applies(element: Element, line: Line, manipulated: bool) -> bool:
    """Whether an element is asked for on this visit. What is used or how long it lasts is not guessed."""
    match element.when:
        case "always" | "timed" | "setting":
            return True
        case "cmt-same-day":
            return manipulated
        case "no-x-ray":
            return "x-ray" not in line.evidence
        case _:
            return False  # a device shows only where it is named, and then it is documented


def _cannot_be_seen(element: Element, not_sent: frozenset[str]) -> bool:
    """Whether everything that could show an element was not to be had, so that it cannot be called missing."""
    if not element.satisfied_by:
        return "form" in not_sent
    return all(not kinds.isdisjoint(not_sent) for kinds in element.satisfied_by)


def _needs_the_service(element: Element) -> bool:
    """Whether only a service that was given can show an element, so that it is not due when it is ordered."""
    return not any(kinds <= AT_ORDER for kinds in element.satisfied_by)


def _shown(element: Element, evidence: frozenset[str]) -> bool:
    for kinds in element.satisfied_by:  # noqa: SIM110 - a generator costs more than the comparison
        if kinds <= evidence:
            return True
    return False


def _missing(code: str, one: Unshown) -> Finding:
    elements = [element for element, _ in one.elements]
    must = sum(element.level == "must" for element in elements)
    return Finding(
        code,
        "warning" if must else "info",
        tuple(line.ref for line in one.lines),
        {
            "missing": [element.id for element in elements],
            **_in_words_slot(list(one.found)),
            "must": must,
            "count": len(elements),
        },
        _one_of_each([element.source for element in elements]),
        fix=(_form(one),),
        remarks=(
            *(f"- {element.level}: {_told(element, why)}" for element, why in one.elements),
            *one.found.values(),
        ),
    )


def _in_words_slot(found: list[str]) -> dict[str, Slot]:
    """The elements found in words; a list of nothing is left out, as everywhere in an answer."""
    return {"in_words": list(dict.fromkeys(found))} if found else {}


def _form(one: Unshown) -> AskForDocument:
    return AskForDocument(one.lines[0].ref, one.services, tuple(element.id for element, _ in one.elements))


def _told(element: Element, why: str) -> str:
    return f"{element.label} (`{element.id}`){f': {why}' if why else ''}"


def _of_what(one: Unshown) -> str:
    """The line that elements belong to, or the visit."""
    line = one.lines[0]
    return "the visit" if one.elements[0][0].of_visit else in_short(line.code, line.ref)


def _one_of_each(sources: list[Source]) -> tuple[Source, ...]:
    """The first source of each page and section: a card cites a page once."""
    found: dict[tuple[str, str], Source] = {}
    for source in sources:
        found.setdefault((source.title, source.section), source)
    return tuple(found.values())
