"""Documentation: what the record of each service must and should hold, by the payer's catalogue.

Structured evidence and answered forms come first; a note counts as "found in the note", with its words. A note of the
whole visit counts for a service only where it speaks of it. Where the visit's record was not sent at all, nothing is
called missing; where its notes were not sent, or cannot be read, what they could show is asked and not called missing.
"""

from collections.abc import Iterator, Sequence

from mappings import tables
from mappings.notes import WholeNote, can_show, quotation, quotation_about, read_documents, read_notes
from mappings.rule_book import Element, RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AskForDocument, Finding, Slot
from plugin.rules import due
from plugin.rules.placing import EXCLUDED
from plugin.text import in_code, plain

AT_ORDER = frozenset({"body-site", "specific-site", "reason", "diagnosis", "care-plan", "goal", "measurable-goal"})
"""What can stand in the record when a service is ordered and not yet given."""


def missing(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a line: the elements that its record lacks, must before should."""
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
            yield from _after_the_notes(line, unshown, whole, visit)


def missing_of_visit(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a visit: what its note states once for all services, and what has fallen due in its course."""
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
    asked: list[tuple[Element, str]] = []
    found: dict[str, str] = {}
    concerned: set[str] = set()
    for element, why, lines in unshown:
        words = quotation(element.id, notes) if notes else None
        if words is not None:
            found[element.id] = _in_words(element, words)
            continue
        (asked if _may_be_noted(element, visit) else lacking).append((element, why))
        concerned.update([line.ref for line in lines])
    if concerned:
        of = [line for line in visit.standing if line.ref in concerned]
        yield _of_visit(of, lacking, asked, found, visit)


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


def _of_visit(
    lines: list[Line],
    lacking: list[tuple[Element, str]],
    asked: list[tuple[Element, str]],
    found: dict[str, str],
    visit: Visit,
) -> Finding:
    told = lacking or asked
    must = [element.id for element, _ in lacking if element.level == "must"]
    ids = tuple(element.id for element, _ in (*lacking, *asked))
    slots = _slots([element for element, _ in lacking], [element for element, _ in asked], found)
    return Finding(
        "documentation.visit-missing" if lacking else "documentation.visit-not-seen",
        "warning" if must else "info",
        tuple(line.ref for line in lines),
        slots | {"count": len(told)},
        _one_of_each([element.source for element, _ in told]),
        fix=(AskForDocument(lines[0].ref, (), ids),),
        remarks=(
            *(
                f"- {element.level}: {element.label} (`{element.id}`){f': {why}' if why else ''}"
                for element, why in told
            ),
            *_asked_beside(lacking, [element for element, _ in asked]),
            *found.values(),
            *_unread(visit, asked),
        ),
    )


def _after_the_notes(line: Line, unshown: list[Element], whole: list[WholeNote], visit: Visit) -> Iterator[Finding]:
    """The finding about elements that no note documents either."""
    notes = read_notes(line.notes)
    lacking: list[Element] = []
    asked: list[Element] = []
    found: dict[str, str] = {}
    for element in unshown:
        words = quotation(element.id, notes) if notes else None
        if words is None and whole:
            words = quotation_about(element.id, line.code, whole)
        if words is not None:
            found[element.id] = _in_words(element, words)
        else:
            (asked if _may_be_noted(element, visit) else lacking).append(element)
    if lacking or asked:
        yield _finding(line, lacking, asked, found, visit)


def _in_words(element: Element, words: str) -> str:
    return f"- found in the note for {element.label}: «{plain(words)}»"


def _may_be_noted(element: Element, visit: Visit) -> bool:
    """Whether a note that was not sent, or cannot be read, may show an element."""
    return "note" in visit.not_sent and can_show(element.id)


def _unread(visit: Visit, asked: Sequence[object]) -> tuple[str, ...]:
    """The notes that cannot be read, where something is asked that they may say."""
    return tuple(f"- `{in_code(gap.path)}`: {plain(gap.reason)}" for gap in visit.unread) if asked else ()


def _asked_beside(lacking: Sequence[object], asked: list[Element]) -> Iterator[str]:
    """What is only asked, behind what is missing."""
    if lacking:
        yield from (f"- asked, for the notes were not read: {one.label} (`{one.id}`)" for one in asked)


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


def _slots(lacking: list[Element], asked: list[Element], found: dict[str, str]) -> dict[str, Slot]:
    """What is missing, asked, and found in words; a list of nothing is left out, as everywhere in an answer."""
    lists = {
        "missing": [element.id for element in lacking],
        "asked": [element.id for element in asked],
        "in_words": list(found),
    }
    must = sum(element.level == "must" for element in lacking)
    return {**{name: ids for name, ids in lists.items() if ids}, "must": must}


def _finding(line: Line, lacking: list[Element], asked: list[Element], found: dict[str, str], visit: Visit) -> Finding:
    told = lacking or asked
    must = [element.id for element in lacking if element.level == "must"]
    slots = _slots(lacking, asked, found)
    return Finding(
        "documentation.missing" if lacking else "documentation.not-seen",
        "warning" if must else "info",
        (line.ref,),
        slots | {"count": len(told)},
        _one_of_each([element.source for element in told]),
        fix=(AskForDocument(line.ref, line.services, tuple(element.id for element in (*lacking, *asked))),),
        remarks=(
            *(f"- {element.level}: {element.label} (`{element.id}`)" for element in told),
            *_asked_beside(lacking, asked),
            *found.values(),
            *_unread(visit, asked),
        ),
    )


def _one_of_each(sources: list[Source]) -> tuple[Source, ...]:
    """The first source of each page and section: a card cites a page once."""
    found: dict[tuple[str, str], Source] = {}
    for source in sources:
        found.setdefault((source.title, source.section), source)
    return tuple(found.values())
