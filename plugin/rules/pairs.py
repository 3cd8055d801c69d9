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
from plugin.rules.placing import NO_PLACE, says_distinct, with_modifier

Verdict = Literal["distinct", "same", "unknown"]

MANUAL_THERAPY = "97140"

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
            yield _question(line, unknown)
        elif not says_distinct(line):
            yield _add_distinct(line, demands, visit, book)


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


def compare(line: Line, other: Line, book: RuleBook) -> tuple[Verdict, str]:
    """Whether two services were distinct by what the record shows, and by what it shows it."""
    asks = asks_of(line, other)
    verdict: Verdict = "unknown" if asks == "time" else _by_region(line, other, book)
    if verdict == "distinct":
        return "distinct", f"{_names(line.regions)}, not {_names(other.regions)}"
    if asks == "region" and _is_policy(line, book):
        return verdict, ""
    if book.group_alone is not None and _is_group(other):
        return "unknown", ""
    if not _share_time(line, other):
        if line.encounter and other.encounter and line.encounter != other.encounter:
            return "distinct", "another encounter"
        if asks != "region" and line.times and other.times:
            return "distinct", "separate blocks of time"
    return (verdict, "") if asks == "region" else ("unknown", "")


def _by_region(line: Line, other: Line, book: RuleBook) -> Verdict:
    """The verdict of the regions; it is not "distinct" where the record of one of the two is not to be relied on."""
    verdict = _regions(line.regions, other.regions)
    if verdict != "distinct":
        return verdict
    spinal = tables.spinal_regions()
    level = book.cmt_levels.value.get(other.code)
    if level is not None and len(other.regions & spinal) < level[0] and line.regions & spinal:
        return "unknown"  # the manipulation claims more regions than its record names: this may be one of them
    if line.code == MANUAL_THERAPY and _is_policy(line, book) and _diagnosed_elsewhere(line):
        return "unknown"
    return "distinct"


def _is_policy(line: Line, book: RuleBook) -> bool:
    """Whether the network's own rule decides, which knows no reason but the region (HNS 97140)."""
    return book.distinct_with_cmt is not None and line.code in book.distinct_with_cmt.value


def _diagnosed_elsewhere(line: Line) -> bool:
    """Whether the first diagnosis of a line names another region than the one treated (HNS 97140: it must show it)."""
    named = bool(line.diagnoses) and bool(tables.diagnosis_regions(line.diagnoses[0]))
    return named and "diagnosis-region" not in line.evidence


def _is_group(line: Line) -> bool:
    return tables.codes()[line.code].kind == "group"


def asks_of(line: Line, other: Line) -> str:
    """What kind of evidence decides this pair: a key of ASKS (NCCI Policy Manual XI-S, XI-P.2)."""
    codes = tables.codes()
    one, two = codes[line.code], codes[other.code]
    if one.is_cmt or two.is_cmt:
        return "region"
    if (one.timed and two.timed) or not {one.kind, two.kind}.isdisjoint(("group", "evaluation", "test")):
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
    room = len(modifiers) <= book.modifier_places.value
    slots: dict[str, Slot] = {
        "add": add,
        "evidence": "; ".join(dict.fromkeys([demand.shown_by for demand in demands])),
    }
    if room:
        slots["order"] = list(modifiers)
    return Finding(
        "modifiers.distinct-then-gp" if len(add) > 1 else "modifiers.distinct-missing",
        "warning",
        _refs(line, demands),
        slots,
        sources,
        fix=tuple(AddModifier(line.ref, modifier) for modifier in add) if line.draft and room else (),
        remarks=() if room else (NO_PLACE,),
    )


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
    )
