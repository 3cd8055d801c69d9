"""Modifiers: 25 on an E/M, GP by payer, and those that do not belong. Their list on a line is in `modifier_lists`.

59 beside a manipulation and between paired services is decided in `pairs`, by evidence.
"""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AddModifier, Finding, Fix, RemoveModifier, Slot
from plugin.rules.pairs import demands_on
from plugin.rules.placing import DISTINCT, NO_PLACE, says_distinct, with_modifier, without_modifier

PLANS = ("GP", "GO", "GN")
"""The modifiers that name the discipline under whose plan a therapy was given."""

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

PHYSICAL = frozenset({"97161", "97162", "97163", "97164"})
OCCUPATIONAL = frozenset({"97165", "97166", "97167", "97168"})
SPEECH = frozenset({"92507", "92508", "92521", "92522", "92523", "92524", "92526"})


def em_needs_25(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """An E/M beside a manipulation or a therapist's evaluation needs 25, never 59 (NCCI manual XI-S, PTP edits)."""
    for line in visit.billed:
        asking = _asking_for_25(line, visit, book)
        if asking:
            others = [other for other, _ in asking]
            sources = tuple(dict.fromkeys(source for _, source in asking))
            habit = [one for one in line.modifiers if one in DISTINCT]
            yield _adding("modifiers.25-missing", line, others, ["25"], sources, book, remove=habit)


def _asking_for_25(line: Line, visit: Visit, book: RuleBook) -> list[tuple[Line, Source]]:
    """The services beside which an E/M lacks its 25, each with the rule that asks for it."""
    if not tables.codes()[line.code].is_em or "25" in line.modifiers:
        return []
    if book.never_with_25 is not None and line.code in book.never_with_25.value:
        return []
    return [
        (other, source)
        for other in visit.billed
        if (line in visit.reviewed or other in visit.reviewed) and (source := _asks_for_25(line, other, book))
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
            yield _adding("modifiers.distinct-with-em", line, ems, ["59"], (rule.source,), book, sure=sure)


def plan_modifier(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """GP (GO, GN) where the payer asks for it: on every always-therapy line, or beside a manipulation."""
    codes = tables.codes()
    always, beside = book.gp_always_therapy, book.gp_with_cmt
    if (always is None or not always.value) and beside is None:
        return
    manipulated = not tables.manipulations().isdisjoint([line.code for line in visit.billed])
    for line in visit.reviewed:
        if line.modifiers and any(plan in line.modifiers for plan in PLANS):
            continue
        if always is not None and always.value and codes[line.code].always_therapy:
            plan = _plan(line, visit)
            sure = always.may_advise and bool(plan)
            yield _adding("modifiers.gp-missing", line, [], [plan or "GP"], (always.source,), book, sure=sure)
        elif beside is not None and manipulated and line.code in beside.value and _stands_alone(line, visit, book):
            yield _adding("modifiers.gp-missing", line, [], ["GP"], (beside.source,), book)


def _plan(line: Line, visit: Visit) -> str:
    """The discipline's modifier, as far as the codes tell it: the line's own, else that of the visit's evaluations.

    "" where both a physical and an occupational therapist evaluated, so that only a person can tell.
    """
    if line.code in OCCUPATIONAL:
        return "GO"
    if line.code in SPEECH:
        return "GN"
    if line.code in PHYSICAL:
        return "GP"
    stated = {plan for one in visit.billed for plan in PLANS if plan in one.modifiers}
    if stated:
        return stated.pop() if len(stated) == 1 else ""
    codes = {one.code for one in visit.billed}
    if codes & OCCUPATIONAL:
        return "" if codes & PHYSICAL else "GO"
    return "GP"


def _stands_alone(line: Line, visit: Visit, book: RuleBook) -> bool:
    """Whether GP is told by itself: not with 59 in one finding, and not on a line that is not to be billed."""
    demands = demands_on(line, visit.billed, book)
    if any(one.verdict == "same" for one in demands):
        return False
    return not demands or says_distinct(line) or any(one.verdict != "distinct" for one in demands)


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
            yield _removing("modifiers.59-with-x", line, ["59"], rule.source, {"keep": specific[0]})


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
        if wrong:
            yield _removing("modifiers.misplaced", line, wrong, rule.source)
        never = book.never_with_25
        if never is not None and line.code in never.value and "25" in line.modifiers:
            yield _removing("modifiers.misplaced", line, ["25"], never.source)


def unsupported(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """59 (or X) that no pair of this visit calls for: a modifier by habit (NCCI manual I-E).

    Said only where every service of the visit is of a kind that the pair table covers whole.
    """
    rule = book.misplaced_modifiers
    if rule is None:
        return
    for line in visit.reviewed:
        if _is_habit(line, visit, book):
            known = bool(visit.payer.book)  # a payer that is not known may have an edit of its own
            habit = [one for one in line.modifiers if one in DISTINCT]
            yield _removing("modifiers.59-unsupported", line, habit, rule.source, sure=known)


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


def _adding(  # noqa: PLR0913 - the parts of a finding, named
    code: str,
    line: Line,
    others: list[Line],
    add: list[str],
    sources: tuple[Source, ...],
    book: RuleBook,
    *,
    remove: list[str] | None = None,
    sure: bool = True,
) -> Finding:
    modifiers = line.modifiers
    for modifier in remove or ():
        modifiers = without_modifier(modifiers, modifier)
    for modifier in add:
        modifiers = with_modifier(modifiers, modifier)
    room = len(modifiers) <= book.modifier_places.value
    slots: dict[str, Slot] = {"add": add}
    if room:
        slots["order"] = list(modifiers)
    if remove:
        slots["remove"] = remove
    possible = line.draft and sure and room
    full = line.draft and sure and not possible
    taken_off = [RemoveModifier(line.ref, modifier) for modifier in remove or ()]
    put_on = [AddModifier(line.ref, modifier) for modifier in add]
    return Finding(
        code,
        "warning" if sure else "info",
        (line.ref, *(other.ref for other in others)),
        slots,
        sources,
        fix=(*taken_off, *put_on) if possible else (),
        remarks=(NO_PLACE,) if full else (),
    )


def _removing(
    code: str,
    line: Line,
    remove: list[str],
    source: Source,
    more: dict[str, Slot] | None = None,
    *,
    sure: bool = True,
) -> Finding:
    left = line.modifiers
    for modifier in remove:
        left = without_modifier(left, modifier)
    slots: dict[str, Slot] = {"remove": remove, **(more or {})}
    if left:
        slots["order"] = list(left)
    possible = line.draft and sure
    fix: tuple[Fix, ...] = tuple(RemoveModifier(line.ref, one) for one in remove) if possible else ()
    return Finding(code, "warning" if sure else "info", (line.ref,), slots, (source,), fix=fix)
