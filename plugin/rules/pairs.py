"""Services on one visit that are paid together only if they were distinct.

NCCI pair edits and the network's own rule for a manipulation with therapy. The evidence decides: another
region, another encounter, separate time. Another diagnosis alone is neither needed nor enough, and where the
record does not show distinctness the review asks and does not advise 59.
"""

from collections.abc import Iterator

import msgspec

from mappings import tables
from mappings.rule_book import Pair, RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AddModifier, Finding, RemoveLine, RemoveModifier, Slot
from plugin.rules.coverage import is_extraspinal
from plugin.rules.distinct import Shown, Verdict, asks_for, by_another_profession, compare
from plugin.rules.placing import DISTINCT, NO_PLACE, says_distinct, with_modifier

ASKS = {
    "region": "another body region, documented for each of the two",
    "time": "separate blocks of time, with start and end for each",
    "region and diagnosis": "another body region, and a first diagnosis of it on the line",
    "no group": "that the therapy was given to this patient alone and was no part of the group session",
    "region or time": "another body region, or separate blocks of time with start and end for each",
}
"""What evidence would show, in words."""


ONE_PRACTITIONER = (
    "The record names another profession for each of the two. The edit is made for one practitioner: ask the payer"
    " before you give one of them up."
)


class Demand(msgspec.Struct, frozen=True):
    """A line that needs a distinct-service modifier beside another one, and what the visit shows of it."""

    other: Line
    verdict: Verdict
    shown_by: Shown
    sources: tuple[Source, ...]


def distinctness(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """59 where distinctness is shown, "do not bill both" where it is refuted, a question where it is unknown."""
    beside = (*visit.billed, *visit.elsewhere)
    for line in visit.billed:
        demands = demands_on(line, beside, book)
        if not demands or not _concerns_draft(visit, line, [demand.other for demand in demands]):
            continue
        same = [demand for demand in demands if demand.verdict == "same"]
        unknown = [demand for demand in demands if demand.verdict == "unknown"]
        if same:
            yield _same_region(line, same)
        elif unknown:
            yield _question(line, unknown, book)
        elif not says_distinct(line):
            yield _add_distinct(line, demands, visit, book)
        else:
            yield from _less_specific(line, demands, visit, book)


def never_together(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Pairs with indicator 0: no modifier rescues them. Where editions disagree, the card only says so."""
    beside = (*visit.billed, *visit.elsewhere)
    for one in visit.billed:
        for other in beside:
            pair = book.pairs.get((other.code, one.code))
            if pair is None or not _concerns_draft(visit, one, [other]):
                continue
            if pair.indicator == 0 or not pair.rule.may_advise:
                yield _never(one, other, pair)


def not_checked(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A visit before the first edition of the pair table that we hold: the pairs were not looked up."""
    if book.pairs_known or len({line.code for line in visit.billed}) < 2:
        return
    yield Finding(
        "pairs.not-checked",
        "info",
        tuple(line.ref for line in visit.reviewed),
        {"date": visit.date.isoformat()},
    )


def demands_on(line: Line, billed: tuple[Line, ...], book: RuleBook) -> list[Demand]:
    """Every service beside which this line needs a distinct-service modifier."""
    partners = book.partners.get(line.code)
    if partners is None:
        every = {code: _sources(line.code, code, book) for code in tables.codes()}
        partners = book.partners[line.code] = {code: sources for code, sources in every.items() if sources}
    demands = []
    for other in billed:
        sources = partners.get(other.code)
        if sources is not None:
            verdict, shown_by = compare(line, other, book)
            demands.append(Demand(other, verdict, shown_by, sources))
    return demands


def _sources(code: str, other: str, book: RuleBook) -> tuple[Source, ...]:
    """The rules that pair two codes, the first being the one that is denied; empty where none does."""
    codes = tables.codes()
    if code == other or codes[code].is_em or codes[other].is_em:
        return ()
    found: list[Source] = []
    policy = book.distinct_with_cmt
    if policy is not None and code in policy.value and codes[other].is_cmt:
        found.append(policy.source)
    pair = book.pairs.get((other, code))
    if pair is not None and pair.indicator == 1 and pair.rule.may_advise:
        found.append(pair.rule.source)
    return tuple(found)


def _concerns_draft(visit: Visit, line: Line, others: list[Line]) -> bool:
    """Whether a finding on these lines is about the draft (or the visit has none)."""
    return not visit.draft or line.draft or any(other.draft for other in others)


def _because(demands: list[Demand]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(source for demand in demands for source in demand.sources))


def _refs(line: Line, demands: list[Demand]) -> tuple[str, ...]:
    return (line.ref, *(demand.other.ref for demand in demands))


def _same_region(line: Line, demands: list[Demand]) -> Finding:
    return Finding(
        "pairs.same-region",
        "critical",
        _refs(line, demands),
        {
            "column1": demands[0].other.code,
            "column2": line.code,
            "regions": sorted(line.regions),
        },
        _because(demands),
        choices=((RemoveLine(line.ref),),) if line.draft else (),
    )


def _question(line: Line, demands: list[Demand], book: RuleBook) -> Finding:
    asks = asks_for(line, demands[0].other, book)
    return Finding(
        "pairs.evidence-missing",
        "warning",
        _refs(line, demands),
        {
            "column1": demands[0].other.code,
            "column2": line.code,
            "asks": asks,
        },
        _because(demands),
        remarks=(f"What would show it: {ASKS[asks]}.",),
    )


def _add_distinct(line: Line, demands: list[Demand], visit: Visit, book: RuleBook) -> Finding:
    add = [_distinct_modifier(demands, book)]
    sources = _because(demands)
    if add != ["59"] and book.distinct_by is not None:
        sources = (*sources, book.distinct_by.source)
    beside_cmt = any(tables.codes()[demand.other.code].is_cmt for demand in demands)
    gp = book.gp_with_cmt
    if gp is not None and beside_cmt and line.code in gp.value and "GP" not in line.modifiers:
        add.append("GP")
        sources = tuple(dict.fromkeys([gp.source, *sources]))
    modifiers = line.modifiers
    for modifier in add:
        modifiers = with_modifier(modifiers, modifier)
    room = len(modifiers) <= book.modifier_places.value
    slots: dict[str, Slot] = {"add": add, "evidence": _evidence(demands)}
    if room:
        slots["order"] = list(modifiers)
    doubtful = beside_cmt and _paid_extraspinal_only(line, book)
    possible = line.draft and room and not doubtful
    return Finding(
        "modifiers.distinct-then-gp" if len(add) > 1 else "modifiers.distinct-missing",
        "info" if doubtful else "warning",
        _refs(line, demands),
        slots,
        sources,
        fix=tuple(AddModifier(line.ref, modifier) for modifier in add) if possible else (),
        remarks=() if room else (NO_PLACE,),
    )


def _distinct_modifier(demands: list[Demand], book: RuleBook) -> str:
    """The most specific modifier that is true of every partner, as the payer takes it; else 59."""
    named = {demand.shown_by.how for demand in demands}
    rule = book.distinct_by
    return rule.value[named.pop()] if rule is not None and len(named) == 1 else "59"


def _less_specific(line: Line, demands: list[Demand], visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """59 where the record shows what an X modifier says more exactly, and the payer asks for that (NCCI manual I-E)."""
    better = _distinct_modifier(demands, book)
    rule = book.distinct_by
    if rule is None or better == "59" or [one for one in line.modifiers if one in DISTINCT] != ["59"]:
        return
    if book.distinct_with_cmt is not None and line.code in book.distinct_with_cmt.value:
        return  # the network names 59 itself
    yield Finding(
        "modifiers.less-specific",
        "warning",
        _refs(line, demands),
        {"remove": ["59"], "add": [better], "evidence": _evidence(demands)},
        (rule.source,),
        fix=(RemoveModifier(line.ref, "59"), AddModifier(line.ref, better)) if line.draft else (),
    )


def _evidence(demands: list[Demand]) -> str:
    return "; ".join(dict.fromkeys([demand.shown_by.words for demand in demands]))


def _paid_extraspinal_only(line: Line, book: RuleBook) -> bool:
    """Whether the payer's own rule leaves it open that a 59 beside a manipulation is paid."""
    rule = book.extraspinal_with_cmt
    return rule is not None and line.code in rule.value and not is_extraspinal(line)


def low_visit_with_cmt(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """An office visit that does not take 25 cannot stand beside a manipulation (Blue Cross NC, 99211)."""
    never = book.never_with_25
    if never is None or book.em_with_cmt is None:
        return
    manipulated = [line for line in visit.billed if tables.codes()[line.code].is_cmt]
    for line in visit.billed:
        if line.code in never.value and manipulated and _concerns_draft(visit, line, manipulated):
            yield Finding(
                "pairs.never-together",
                "critical",
                (line.ref, manipulated[0].ref),
                {"column1": manipulated[0].code, "column2": line.code, "indicator": 0},
                (never.source, book.em_with_cmt.source),
                choices=((RemoveLine(line.ref),),) if line.draft else (),
            )


def _never(line: Line, other: Line, pair: Pair) -> Finding:
    certain = pair.rule.may_advise
    return Finding(
        "pairs.never-together" if certain else "pairs.uncertain",
        "critical" if certain else "info",
        (line.ref, other.ref),
        {"column1": pair.column1, "column2": pair.column2, "indicator": pair.indicator},
        (pair.rule.source,),
        choices=((RemoveLine(line.ref),),) if certain and line.draft else (),
        remarks=(ONE_PRACTITIONER,) if by_another_profession(line, other) else (),
    )
