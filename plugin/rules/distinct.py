"""Whether two services were distinct, by what the record shows: region, encounter, time, practitioner.

Another diagnosis alone is neither needed nor enough (NCCI Policy Manual I-E).
"""

from typing import Literal

import msgspec

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line

Verdict = Literal["distinct", "same", "unknown"]

MANUAL_THERAPY = "97140"

PROFESSIONS = {
    "physical-therapist-assistant": "physical-therapist",
    "occupational-therapist-assistant": "occupational-therapist",
}
"""An assistant works under a therapist: for an edit the two are of one profession."""


class Shown(msgspec.Struct, frozen=True):
    """By what the record shows that a service was distinct: the kind of evidence (a key of `distinct_by`), in words."""

    how: str
    words: str


NOT_SHOWN = Shown("", "")


def compare(line: Line, other: Line, book: RuleBook) -> tuple[Verdict, Shown]:
    """Whether two services were distinct by what the record shows, and by what it shows it."""
    asks = asks_of(line, other)
    verdict: Verdict = "unknown" if asks == "time" else _by_region(line, other, book)
    if verdict == "distinct":
        return "distinct", Shown("region", f"{_names(line.regions)}, not {_names(other.regions)}")
    if asks == "region" and _is_policy(line, book):
        return verdict, NOT_SHOWN
    if asks == "region" and verdict == "same" and by_another_profession(line, other):
        return "unknown", NOT_SHOWN  # the edit is one practitioner's; what another gave there is for a person to say
    if book.group_alone is not None and _is_group(other):
        return "unknown", NOT_SHOWN
    if not _share_time(line, other):
        if line.encounter and other.encounter and line.encounter != other.encounter:
            return "distinct", Shown("encounter", "another encounter")
        if asks != "region" and line.times and other.times:
            return "distinct", Shown("time", "separate blocks of time")
        if asks == "region or time" and by_another_profession(line, other):
            return "distinct", Shown(
                "practitioner", f"given by another profession ({_names(line.roles).replace('-', ' ')})"
            )
    return (verdict, NOT_SHOWN) if asks == "region" else ("unknown", NOT_SHOWN)


def by_another_profession(line: Line, other: Line) -> bool:
    """Whether others gave it, of another profession: for an edit, colleagues of one specialty are one practitioner."""
    if not (line.performers and other.performers and line.roles and other.roles):
        return False
    mine, theirs = ({PROFESSIONS.get(role, role) for role in one.roles} for one in (line, other))
    return line.performers.isdisjoint(other.performers) and mine.isdisjoint(theirs)


def _by_region(line: Line, other: Line, book: RuleBook) -> Verdict:
    """The verdict of the regions; it is not "distinct" where the record of one of the two is not to be relied on."""
    verdict = _regions(line.regions, other.regions)
    if verdict == "same" and line.sides and other.sides and line.sides.isdisjoint(other.sides):
        return "unknown"  # one region of CPT all the same, and nothing to call a repetition unasked
    if verdict != "distinct":
        return verdict
    spinal = tables.spinal_regions()
    level = book.cmt_levels.value.get(other.code)
    if level is not None and len(other.regions & spinal) < level[0] and line.regions & spinal:
        return "unknown"  # the manipulation claims more regions than its record names: this may be one of them
    if line.code == MANUAL_THERAPY and _is_policy(line, book) and not _diagnosed_there(line):
        return "unknown"
    return "distinct"


def _is_policy(line: Line, book: RuleBook) -> bool:
    """Whether the network's own rule decides, which knows no reason but the region (HNS 97140)."""
    return book.distinct_with_cmt is not None and line.code in book.distinct_with_cmt.value


def _diagnosed_there(line: Line) -> bool:
    """Whether the record shows that the first diagnosis is of the region treated (HNS 97140: it must show it)."""
    return "diagnosis-region" in line.evidence or "97140.dx_region" in line.answered


def _is_group(line: Line) -> bool:
    return tables.codes()[line.code].kind == "group"


def asks_for(line: Line, other: Line, book: RuleBook) -> str:
    """What the record has to show where it does not yet: a key of ASKS."""
    if book.group_alone is not None and _is_group(other):
        return "no group"
    asks = asks_of(line, other)
    if asks == "region" and line.code == MANUAL_THERAPY and _is_policy(line, book) and not _diagnosed_there(line):
        return "region and diagnosis"
    return asks


def asks_of(line: Line, other: Line) -> str:
    """What kind of evidence decides this pair (NCCI Policy Manual XI-S, XI-P.2)."""
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
