"""Documentation: what the record of each service must and should hold, by the payer's catalogue.

Structured evidence and answered forms come first; a note counts as "found in the note", with its words.
Where the visit's record was not sent at all, nothing is called missing.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.notes import quotation
from mappings.rule_book import Element, RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AskForDocument, Finding
from plugin.text import plain


def missing(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One finding a line: the elements that its record lacks, must before should."""
    if not visit.record_sent:
        return
    manipulated = any(tables.codes()[line.code].is_cmt for line in visit.billed)
    for line in visit.reviewed:
        lacking: list[Element] = []
        remarks: list[str] = []
        for element in book.elements.get(line.code, ()):
            if not _applies(element, line, manipulated) or _shown(element, line):
                continue
            words = quotation(element.id, line.notes)
            if words is None:
                lacking.append(element)
            else:
                remarks.append(f"Found in the note for {element.label}: «{plain(words)}»")
        if lacking:
            yield _finding(line, lacking, remarks)


def _applies(element: Element, line: Line, manipulated: bool) -> bool:
    """Whether an element is asked for on this visit. What is used or how long it lasts is not guessed."""
    match element.when:
        case "cmt-same-day":
            return manipulated
        case "no-x-ray":
            return "x-ray" not in line.evidence
        case "equipment-used":
            return False  # only a device in the record shows that one was used, and then it is named there
        case "over-30-days" | "each-10-days":
            return False  # needs the history of certification and reports, which is not read yet
        case _:
            return True


def _shown(element: Element, line: Line) -> bool:
    if element.id in line.answered:
        return True
    return any(kinds <= line.evidence for kinds in element.satisfied_by)


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
