"""Documentation: what the record of each service must and should hold, by the payer's catalogue.

Structured evidence and answered forms come first; a note counts as "found in the note", with its words.
Where the visit's record was not sent at all, nothing is called missing.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.notes import quotation, read_notes
from mappings.rule_book import Element, RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AskForDocument, Finding
from plugin.rules import due
from plugin.rules.placing import EXCLUDED
from plugin.text import plain

AT_ORDER = frozenset({"body-site", "specific-site", "reason", "diagnosis", "care-plan", "goal", "measurable-goal"})
"""What can stand in the record when a service is ordered and not yet given."""


def missing(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a line: the elements that its record lacks, must before should."""
    if not visit.record_sent:
        return
    manipulated = not tables.manipulations().isdisjoint([line.code for line in (*visit.billed, *visit.elsewhere)])
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
            yield from _after_the_notes(line, unshown)


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
    notes = read_notes(tuple({note: None for line in visit.standing for note in line.notes}))
    lacking = [one for one in unshown if not notes or quotation(one[0].id, notes) is None]
    if lacking:
        concerned = {line.ref for _, _, asked in lacking for line in asked}
        lines = [line for line in visit.standing if line.ref in concerned]
        yield _of_visit(lines, [(element, why) for element, why, _ in lacking])


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


def _of_visit(lines: list[Line], lacking: list[tuple[Element, str]]) -> Finding:
    must = [element.id for element, _ in lacking if element.level == "must"]
    ids = tuple(element.id for element, _ in lacking)
    return Finding(
        "documentation.visit-missing",
        "warning" if must else "info",
        tuple(line.ref for line in lines),
        {"missing": list(ids), "must": len(must), "count": len(lacking)},
        _one_of_each([element.source for element, _ in lacking]),
        fix=(AskForDocument(lines[0].ref, (), ids),),
        remarks=tuple(
            f"- {element.level}: {element.label} (`{element.id}`){f': {why}' if why else ''}"
            for element, why in lacking
        ),
    )


def _after_the_notes(line: Line, unshown: list[Element]) -> Iterator[Finding]:
    """The finding about elements that no note documents either."""
    notes = read_notes(line.notes)
    lacking: list[Element] = []
    remarks: list[str] = []
    for element in unshown:
        words = quotation(element.id, notes) if notes else None
        if words is None:
            lacking.append(element)
        else:
            remarks.append(f"- found in the note for {element.label}: «{plain(words)}»")
    if lacking:
        yield _finding(line, lacking, remarks)


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


def _finding(line: Line, lacking: list[Element], remarks: list[str]) -> Finding:
    must = [element.id for element in lacking if element.level == "must"]
    return Finding(
        "documentation.missing",
        "warning" if must else "info",
        (line.ref,),
        {"missing": [element.id for element in lacking], "must": len(must), "count": len(lacking)},
        _one_of_each([element.source for element in lacking]),
        fix=(AskForDocument(line.ref, line.services, tuple(element.id for element in lacking)),),
        remarks=(
            *(f"- {element.level}: {element.label} (`{element.id}`)" for element in lacking),
            *remarks,
        ),
    )


def _one_of_each(sources: list[Source]) -> tuple[Source, ...]:
    """The first source of each page and section: a card cites a page once."""
    found: dict[tuple[str, str], Source] = {}
    for source in sources:
        found.setdefault((source.title, source.section), source)
    return tuple(found.values())
