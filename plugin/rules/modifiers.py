"""Modifiers: 25 on an E/M, and those that do not belong. GP is in `plans`, their list on a line in `modifier_lists`.

59 beside a manipulation and between paired services is decided in `pairs`, by evidence.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import Finding
from plugin.rules.changes import adding, attesting, removing
from plugin.rules.distinct import by_another_profession
from plugin.rules.pairs import demands_on
from plugin.rules.placing import DISTINCT, says_distinct

NOT_ON_A_COVERED_CMT = frozenset({"GP", "GO", "GN", "KX", "CQ", "CO"})
"""Modifiers of therapy: only AT, GA or GZ belong on a manipulation of the spine. On GY and GX see `chiropractic`."""

ONLY_ON_A_COVERED_CMT = frozenset({"AT"})
"""Active treatment is said of a manipulation of the spine alone."""

PAIRS_COVER = frozenset(
    {
        "therapeutic-procedure",
        "modality-attended",
        "modality-supervised",
        "group",
        "evaluation",
        "evaluation-management",
        "cmt-spinal",
        "cmt-extraspinal",
    }
)
"""Kinds of code whose pairs among each other the embedded table holds without exception."""


def em_needs_25(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """An E/M beside a manipulation or a therapist's evaluation needs 25, never 59 (NCCI manual XI-S, PTP edits)."""
    for line in visit.billed:
        asking = _asking_for_25(line, visit, book)
        if asking:
            others = [other for other, _ in asking]
            sources = tuple(dict.fromkeys(source for _, source in asking))
            habit = [one for one in line.modifiers if one in DISTINCT]
            yield attesting("modifiers.25-missing", line, others, ["25"], sources, book, remove=habit)


def _asking_for_25(line: Line, visit: Visit, book: RuleBook) -> list[tuple[Line, Source]]:
    """The services beside which an E/M lacks its 25, each with the rule that asks for it."""
    if not tables.codes()[line.code].is_em or "25" in line.modifiers:
        return []
    if book.never_with_25 is not None and line.code in book.never_with_25.value:
        return []
    return [
        (other, source)
        for other in visit.billed
        if (line in visit.reviewed or other in visit.reviewed)
        and not by_another_profession(line, other)
        and (source := _asks_for_25(line, other, book))
    ]


def _asks_for_25(line: Line, other: Line, book: RuleBook) -> Source | None:
    code = tables.codes()[other.code]
    if code.is_em:
        return None
    if code.is_cmt and book.em_with_cmt is not None:
        return book.em_with_cmt.source
    pair = book.pairs.get((other.code, line.code)) or book.pairs.get((line.code, other.code))
    return pair.rule.source if pair is not None and pair.indicator == 1 and pair.rule.may_advise else None


def distinct_with_em(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """The network's 59 on 97112 beside an E/M (HNS 97112, Modifiers Needed); beside a CMT the regions decide.

    It is the network's own rule, so for a payer that is not known it only informs.
    """
    rule = book.distinct_with_em
    codes = tables.codes()
    ems = [line for line in visit.billed if codes[line.code].is_em]
    if rule is None or not ems or any(codes[line.code].is_cmt for line in visit.billed):
        return
    for line in visit.reviewed:
        if line.code in rule.value and not says_distinct(line):
            sure = bool(visit.payer.book) and rule.may_advise
            yield adding("modifiers.distinct-with-em", line, ems, ["59"], (rule.source,), book, sure=sure)


def conflicts(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """59 never stands with an X modifier: the more specific one stays (NCCI manual I-E)."""
    rule = book.misplaced_modifiers
    if rule is None:
        return
    for line in visit.reviewed:
        if "59" not in line.modifiers:
            continue
        specific = [one for one in line.modifiers if one in DISTINCT[1:]]
        if specific and not (visit.payer.book and _is_habit(line, visit, book)):
            yield removing("modifiers.59-with-x", line, ["59"], (rule.source,), {"keep": specific[0]})


def misplaced(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Modifiers that do not belong on this kind of code (NCCI manual I-E; 51 not for therapy or CMT)."""
    rule = book.misplaced_modifiers
    if rule is None:
        return
    for line in visit.reviewed:
        if not line.modifiers:
            continue
        kind = tables.codes()[line.code].kind
        wrong = [
            one
            for one in dict.fromkeys(line.modifiers)
            if any(one == entry.modifier and kind in entry.kinds for entry in rule.value)
        ]
        if wrong and _asking_for_25(line, visit, book):
            wrong = [one for one in wrong if one not in DISTINCT]  # goes with the finding that 25 is missing
        sources = [rule.source] if wrong else []
        covered = book.cmt_coverage
        if covered is not None:
            strange = NOT_ON_A_COVERED_CMT if kind == "cmt-spinal" else ONLY_ON_A_COVERED_CMT
            beside = [one for one in dict.fromkeys(line.modifiers) if one in strange]
            wrong, sources = [*wrong, *beside], [*sources, covered.source] if beside else sources
        never = book.never_with_25
        if never is not None and line.code in never.value and "25" in line.modifiers:
            wrong, sources = [*wrong, "25"], [*sources, never.source]
        if wrong:
            yield removing("modifiers.misplaced", line, wrong, tuple(sources))


def unsupported(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """59 (or X) that no pair of this visit calls for: a modifier by habit (NCCI manual I-E).

    Said only where every service of the visit is of a kind that the pair table covers whole.
    """
    rule = book.misplaced_modifiers
    if rule is None:
        return
    for line in visit.reviewed:
        if _is_habit(line, visit, book):
            known = bool(visit.payer.book) and book.applies_ncci  # another payer may have an edit of its own
            habit = [one for one in line.modifiers if one in DISTINCT]
            yield removing("modifiers.59-unsupported", line, habit, (rule.source,), sure=known)


def _is_habit(line: Line, visit: Visit, book: RuleBook) -> bool:
    """Whether a line carries 59 or an X modifier for which the whole visit shows no reason."""
    codes = tables.codes()
    if not says_distinct(line) or codes[line.code].is_em or codes[line.code].is_cmt:
        return False
    if not book.pairs_known or visit.not_ours or any(codes[one.code].kind not in PAIRS_COVER for one in visit.lines):
        return False
    return not _may_be_called_for(line, visit, book)


def _may_be_called_for(line: Line, visit: Visit, book: RuleBook) -> bool:
    """Whether any rule, or a second line of the same code, can be the reason for a 59 on this line."""
    others = [other for other in (*visit.lines, *visit.elsewhere) if other is not line]
    with_em = book.distinct_with_em
    return any(
        other.code == line.code
        or (other.code, line.code) in book.pairs
        or (line.code, other.code) in book.pairs
        or bool(with_em and line.code in with_em.value and tables.codes()[other.code].is_em)
        for other in others
    ) or bool(demands_on(line, visit.billed, book))
