"""Services on one visit that are paid together only if they were distinct.

NCCI pair edits and the network's own rule for a manipulation with therapy. The evidence decides: another
region, another encounter, separate time. Another diagnosis alone is neither needed nor enough, and where the
record does not show distinctness the review asks and does not advise 59.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from mappings import tables
from mappings.rule_book import Pair, RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import AddModifier, Finding, RemoveLine, Slot
from plugin.rules.placing import says_distinct, with_modifier

Verdict = Literal["distinct", "same", "unknown"]

ASKS = {
    "region": "another body region, documented for each of the two",
    "time": "separate blocks of time, with start and end for each",
    "region or time": "another body region, or separate blocks of time with start and end for each",
}
"""What evidence would show, in words."""


class Demand(msgspec.Struct, frozen=True):
    """A line that needs a distinct-service modifier beside another one, and what the visit shows of it."""

    other: Line
    verdict: Verdict
    shown_by: str
    sources: tuple[Source, ...]


def distinctness(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """59 where distinctness is shown, "do not bill both" where it is refuted, a question where it is unknown."""
    billed = visit.billed
    for line in billed:
        demands = demands_on(line, billed, book)
        if not demands or not _concerns_draft(visit, line, [demand.other for demand in demands]):
            continue
        same = [demand for demand in demands if demand.verdict == "same"]
        unknown = [demand for demand in demands if demand.verdict == "unknown"]
        if same:
            yield _same_region(line, same)
        elif unknown:
            yield _question(line, unknown)
        elif not says_distinct(line):
            yield _add_distinct(line, demands, visit, book)


def never_together(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Pairs with indicator 0: no modifier rescues them. Where editions disagree, the card only says so."""
    lines = visit.billed
    for one in lines:
        for other in lines:
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
    codes = tables.codes()
    if codes[line.code].is_em:
        return []
    by_policy = book.distinct_with_cmt is not None and line.code in book.distinct_with_cmt.value
    demands = []
    for other in billed:
        if not by_policy and (other.code, line.code) not in book.pairs:
            continue
        if other.code == line.code or codes[other.code].is_em:
            continue
        sources = _sources(line, other, book)
        if sources:
            verdict, shown_by = compare(line, other)
            demands.append(Demand(other, verdict, shown_by, sources))
    return demands


def _sources(line: Line, other: Line, book: RuleBook) -> tuple[Source, ...]:
    """The rules that pair these two, the line being the one that is denied; empty where none does."""
    found: list[Source] = []
    policy = book.distinct_with_cmt
    if policy is not None and line.code in policy.value and tables.codes()[other.code].is_cmt:
        found.append(policy.source)
    pair = book.pairs.get((other.code, line.code))
    if pair is not None and pair.indicator == 1 and pair.rule.may_advise:
        found.append(pair.rule.source)
    return tuple(found)


def compare(line: Line, other: Line) -> tuple[Verdict, str]:
    """Whether two services were distinct by what the record shows, and by what it shows it."""
    if line.encounter and other.encounter and line.encounter != other.encounter:
        return "distinct", "another encounter"
    if asks_of(line, other) != "time":
        verdict = _regions(line.regions, other.regions)
        if verdict == "distinct":
            return "distinct", f"{_names(line.regions)}, not {_names(other.regions)}"
        if asks_of(line, other) == "region":
            return verdict, ""
    if line.times and other.times and not _share_time(line, other):
        return "distinct", "separate blocks of time"
    return "unknown", ""


def asks_of(line: Line, other: Line) -> str:
    """What kind of evidence decides this pair: a key of ASKS (NCCI Policy Manual XI-S, XI-P.2)."""
    codes = tables.codes()
    pair = (codes[line.code], codes[other.code])
    if any(code.is_cmt for code in pair):
        return "region"
    if all(code.timed for code in pair) or any(code.kind in ("group", "evaluation", "test") for code in pair):
        return "time"
    return "region or time"


def _regions(mine: frozenset[str], theirs: frozenset[str]) -> Verdict:
    """Distinct where no region is near one of theirs, same where every region is one of theirs, else unknown."""
    if not mine or not theirs:
        return "unknown"
    if mine <= theirs:
        return "same"
    near = any(tables.regions_near(region, other) for region in mine for other in theirs)
    return "unknown" if near else "distinct"


def _share_time(line: Line, other: Line) -> bool:
    return any(mine.overlap(theirs) for mine in line.times for theirs in other.times)


def _names(regions: frozenset[str]) -> str:
    return ", ".join(sorted(regions))


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


def _question(line: Line, demands: list[Demand]) -> Finding:
    return Finding(
        "pairs.evidence-missing",
        "warning",
        _refs(line, demands),
        {
            "column1": demands[0].other.code,
            "column2": line.code,
            "asks": asks_of(line, demands[0].other),
        },
        _because(demands),
        remarks=(f"What would show it: {ASKS[asks_of(line, demands[0].other)]}.",),
    )


def _add_distinct(line: Line, demands: list[Demand], visit: Visit, book: RuleBook) -> Finding:
    add = ["59"]
    sources = _because(demands)
    beside_cmt = any(tables.codes()[demand.other.code].is_cmt for demand in demands)
    gp = book.gp_with_cmt
    if gp is not None and beside_cmt and line.code in gp.value and "GP" not in line.modifiers:
        add.append("GP")
        sources = tuple(dict.fromkeys([gp.source, *sources]))
    modifiers = line.modifiers
    for modifier in add:
        modifiers = with_modifier(modifiers, modifier)
    slots: dict[str, Slot] = {
        "add": add,
        "order": list(modifiers),
        "evidence": "; ".join(dict.fromkeys(demand.shown_by for demand in demands)),
    }
    room = len(modifiers) <= book.modifier_places.value
    return Finding(
        "modifiers.distinct-then-gp" if len(add) > 1 else "modifiers.distinct-missing",
        "warning",
        _refs(line, demands),
        slots,
        sources,
        fix=tuple(AddModifier(line.ref, modifier) for modifier in add) if line.draft and room else (),
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
    )
