"""Units: too many, too few, not stated, too short, untimed, tied, without minutes.

The method comes from the rule book: Medicare adds the minutes of the day, CPT and the network take each
service by its own minutes. Lines of one code on one day are taken together.
"""

from collections.abc import Iterator

import msgspec

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Minutes, Visit
from plugin.findings import Finding, Fix, RemoveLine
from plugin.rules import totals, unit_methods
from plugin.rules.plans import plan_of
from plugin.rules.ties import Tie, billed_units, is_fair, tie_of, unfair
from plugin.rules.unit_advice import compared, most_units, set_units, within
from plugin.rules.unit_methods import Share
from plugin.text import in_code

POOLED = (
    "This payer counts all timed minutes of the day together, so the units of the other timed services were not"
    " checked against the day's total either."
)
"""What one service without minutes means where minutes are pooled."""

ONCE_A_VISIT = frozenset(
    {
        "modality-supervised",
        "group",
        "evaluation",
        "evaluation-management",
        "cmt-spinal",
        "cmt-extraspinal",
    }
)
"""Kinds of code that are one unit whatever they took."""


def once_a_visit(code: str) -> bool:
    """Whether a code is one unit whatever it took, so that `untimed` already says what is too much."""
    known = tables.codes()[code]
    return not known.timed and known.kind in ONCE_A_VISIT


def untimed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A service that is not billed by time is one unit a visit, on however many lines (HNS; CMS 20.2)."""
    by_code: dict[tuple[str, str], list[Line]] = {}
    for line in visit.reviewed:
        if once_a_visit(line.code) and not line.unread:
            by_code.setdefault((line.code, line.encounter), []).append(line)
    for lines in by_code.values():
        units = sum(1 if line.units is None else line.units for line in lines)
        limit = book.untimed_units
        if units > limit.value:
            yield Finding(
                "units.untimed",
                "critical",
                tuple(line.ref for line in lines),
                {"from": units, "to": limit.value},
                (limit.source,),
                fix=set_units(lines[0], limit.value) if len(lines) == 1 else (),
                choices=(_only_the_first(lines, limit.value),) if len(lines) > 1 and lines[0].draft else (),
            )


def _only_the_first(lines: list[Line], units: int) -> tuple[Fix, ...]:
    """The first line with these units, and none of the others."""
    first = () if lines[0].units == units else set_units(lines[0], units)
    return (*first, *(RemoveLine(line.ref) for line in lines[1:]))


def timed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Units of timed services by the book's method, where their minutes are known."""
    groups = _by_code(visit)
    known = {code: _minutes(lines) for code, lines in groups.items()}
    without = [code for code, value in known.items() if value is None]
    unknown = [line for code in without for line in groups[code] if line in visit.reviewed and _is_due(line)]
    yield from _disagreeing(visit, book)
    if unknown and not totals.settles(visit, book):
        yield Finding(
            "units.minutes-unknown",
            "info",
            tuple(line.ref for line in unknown),
            {"codes": list(dict.fromkeys(line.code for line in unknown))},
            (book.units_method.source,),
            remarks=(
                *(_of_the_day(visit) if book.units_method.value == "cms-total" else ()),
                *(_guess(line.guess) for line in unknown if line.guess is not None),
            ),
        )
    minutes = {code: value for code, value in known.items() if value is not None}
    if book.units_method.value == "cms-total":
        if not any(line.billed for code in without for line in groups[code]):
            yield from _by_total(visit, book, groups, minutes)
        else:
            yield from _beyond_any_total(visit, book, groups, minutes)
        return
    # A payer that states no method of its own may follow either: only what both support is advised.
    stated = "units_method" in book.own
    shares = {} if stated or without else unit_methods.shares(minutes)
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if not lines:
            continue
        beside = _billed_beside(groups[code], lines)
        to = max(0, unit_methods.alone(value, book.units_minimum.value) - beside)
        if stated:
            yield from compared(lines, to, value, visit, book)
        else:
            least, most = _by_the_total(value, shares.get(code))
            bounds = min(to, max(0, least - beside)), max(to, 0, most - beside)
            yield from within(lines, to, bounds, value, visit, book)


def settled(visit: Visit, book: RuleBook) -> Visit:
    """The visit, with the least of contradicting minutes where all of them make the same units and nothing hangs on it.

    Where the day's minutes are pooled, the totals of the least and of the most must make the same units too.
    """
    minimum = book.units_minimum.value
    apart = [line for line in visit.lines if line.disputed]
    if any(len({unit_methods.alone(one.value, minimum) for one in line.disputed}) > 1 for line in apart):
        return visit
    if book.units_method.value == "cms-total" or "units_method" not in book.own:
        rest = sum(line.minutes.value for line in visit.lines if line.minutes is not None and _counts(line))
        bounds = [
            sum(pick(one.value for one in line.disputed) for line in apart if _counts(line)) for pick in (min, max)
        ]
        if unit_methods.total(rest + bounds[0]) != unit_methods.total(rest + bounds[1]):
            return visit
    lines = tuple(
        [
            msgspec.structs.replace(line, minutes=min(line.disputed, key=lambda one: one.value), disputed=())
            if line.disputed
            else line
            for line in visit.lines
        ]
    )
    return msgspec.structs.replace(visit, lines=lines)


def _counts(line: Line) -> bool:
    return tables.codes()[line.code].timed and not line.not_given


def _disagreeing(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Minutes that two places of the record state differently decide nothing until one of them is mended."""
    for line in visit.reviewed:
        if line.disputed and tables.codes()[line.code].timed and not line.not_given:
            yield Finding(
                "units.minutes-disagree",
                "warning",
                (line.ref,),
                {"stated": [one.value for one in line.disputed]},
                (book.units_method.source,),
                remarks=tuple(f"- {one.value} in `{in_code(one.read_from)}`" for one in line.disputed),
            )


def _guess(guess: Minutes) -> str:
    return f"`{in_code(guess.read_from)}` speaks of {guess.value} minutes: a guess that only the record can confirm."


def _of_the_day(visit: Visit) -> tuple[str, ...]:
    """What is known of the day's total where the minutes of one service are not."""
    stated = visit.total_timed
    if stated is None:
        return (POOLED,)
    units = unit_methods.total(stated.value)
    billed = sum(line.units or 0 for line in visit.billed if tables.codes()[line.code].timed)
    return (f"The note states {stated.value} timed minutes in all, which support {units}; billed are {billed}.",)


def _is_due(line: Line) -> bool:
    """Whether minutes can be asked for: not for an order that states no units and is not given yet, and not where
    several are stated."""
    return not line.not_given and not line.disputed and not (line.planned and line.units is None)


def _beyond_any_total(
    visit: Visit, book: RuleBook, groups: dict[str, list[Line]], minutes: dict[str, int]
) -> Iterator[Finding]:
    """Units that no total of the day could support: a service never gets two above its whole quarters of an hour."""
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        billed = billed_units(lines) or 0
        most = value // unit_methods.UNIT + 1
        if billed > most:
            yield Finding(
                "units.too-many",
                "critical",
                tuple(line.ref for line in lines),
                {"from": billed, "to": most, "minutes": value, "method": book.units_method.value},
                (book.units_method.source,),
                remarks=("At most so many, whatever the minutes of the other services are.",),
            )


def _by_code(visit: Visit) -> dict[str, list[Line]]:
    """The timed lines of the day by code. A recorded service counts for its minutes though it is not billed."""
    groups: dict[str, list[Line]] = {}
    codes = tables.codes()
    for line in visit.lines:
        if codes[line.code].timed and not line.not_given and (line.billed or line.minutes is not None):
            groups.setdefault(line.code, []).append(line)
    return groups


def _minutes(lines: list[Line]) -> int | None:
    """Minutes of one code; lines documented by the same Procedures count them once."""
    if len(lines) == 1:
        return None if lines[0].minutes is None else lines[0].minutes.value
    values = []
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        if line.minutes is None:
            return None
        if not line.services or line.services not in seen:
            values.append(line.minutes.value)
            seen.add(line.services)
    return sum(values)


def _by_discipline(groups: dict[str, list[Line]], minutes: dict[str, int], visit: Visit) -> dict[str, int]:
    """The units of each service where only the minutes of its own discipline are added; empty where all are of one."""
    plans = {code: plan_of(groups[code][0], visit) for code in minutes}
    if len(set(plans.values())) < 2:
        return {}
    units: dict[str, int] = {}
    for plan in set(plans.values()):
        shares = unit_methods.shares({code: value for code, value in minutes.items() if plans[code] == plan})
        units |= {code: share.units for code, share in shares.items()}
    return units


def _by_the_total(minutes: int, share: Share | None) -> tuple[int, int]:
    """The least and most units of a service by the day's total; `share` is None where that total is not known."""
    if share is not None and not share.tied:
        return share.units, share.units
    units, rest = divmod(minutes, unit_methods.UNIT)
    return units, units + (rest > 0)


def _billed_beside(every: list[Line], lines: list[Line]) -> int:
    """The units that other lines of a code bill, whose minutes are among those of the day."""
    return sum(line.units or 0 for line in every if line.billed and line not in lines)


def _billed_of(tie: Tie) -> int:
    return sum(line.units or 0 for lines in tie.lines.values() for line in lines if line.billed)


def _by_total(
    visit: Visit, book: RuleBook, groups: dict[str, list[Line]], minutes: dict[str, int]
) -> Iterator[Finding]:
    shares = unit_methods.shares(minutes)
    whole_day = sum(minutes.values())
    tie = tie_of(groups, minutes, shares)
    apart = _by_discipline(groups, minutes, visit)
    if tie is not None and not is_fair(tie):
        most = {code: limit for code in tie.lines if (limit := most_units(code, book)) is not None}
        told = unfair(tie, book, whole_day, most)
        if not apart:
            yield told
        elif _billed_of(tie) > max(tie.most, sum(apart[code] for code in tie.lines)):
            # Too many by either reading; where they would go is not offered.
            yield msgspec.structs.replace(told, choices=())
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if lines and not shares[code].tied:
            beside = _billed_beside(groups[code], lines)
            to = max(0, shares[code].units - beside)
            own = max(0, apart.get(code, shares[code].units) - beside)
            billed = billed_units(lines)
            if billed is not None and min(to, own) <= billed <= max(to, own):
                continue  # it depends on whether the disciplines' minutes are added, which no source settles
            above = billed is not None and billed > to
            yield from compared(lines, max(to, own) if above else min(to, own), value, visit, book, total=whole_day)


def supported_units(visit: Visit, book: RuleBook) -> dict[str, int]:
    """The units that the recorded minutes support, by code, where they are known and no tie leaves a choice."""
    known = minutes_by_code(visit)
    minutes = {code: value for code, value in known.items() if value is not None}
    if book.units_method.value != "cms-total":
        return {code: unit_methods.alone(value, book.units_minimum.value) for code, value in minutes.items()}
    if len(minutes) < len(known):
        return {}
    return {code: share.units for code, share in unit_methods.shares(minutes).items() if not share.tied}


def minutes_by_code(visit: Visit) -> dict[str, int | None]:
    """The recorded minutes of each timed code of the day, None where they are not all known."""
    return {code: _minutes(lines) for code, lines in _by_code(visit).items()}
