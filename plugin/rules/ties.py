"""Ties: services whose equal remainders compete for the last units of a day (CMS 20.2: the clinician chooses)."""

from itertools import combinations

import msgspec

from mappings.rule_book import RuleBook
from mappings.visit import Line
from plugin.findings import Finding, Fix, SetUnits, Slot
from plugin.rules.unit_methods import UNIT, Share


class Tie(msgspec.Struct, frozen=True):
    """The tied services of the draft by code, with their minutes.

    `least` and `most` are the units that they may have together; they differ where a service that is not on
    the draft competes as well.
    """

    lines: dict[str, list[Line]]
    minutes: dict[str, int]
    least: int
    most: int


def tie_of(groups: dict[str, list[Line]], minutes: dict[str, int], shares: dict[str, Share]) -> Tie | None:
    """The tie of this visit, if there is one and the draft takes part in it."""
    tied = [code for code in minutes if shares[code].tied]
    lines = {code: [line for line in groups[code] if line.draft] for code in tied}
    mine = {code: found for code, found in lines.items() if found}
    if not mine:
        return None
    extra = sum(shares[code].units - minutes[code] // UNIT for code in tied)
    whole = sum(minutes[code] // UNIT for code in mine)
    least = whole + max(0, extra - (len(tied) - len(mine)))
    return Tie(mine, {code: minutes[code] for code in mine}, least, whole + min(extra, len(mine)))


def is_fair(tie: Tie) -> bool:
    """Whether what is billed is one of the ways in which the units may go."""
    billed = {code: billed_units(lines) for code, lines in tie.lines.items()}
    for code, units in billed.items():
        whole = tie.minutes[code] // UNIT
        if units not in (whole, whole + 1):
            return False
    return tie.least <= sum(units or 0 for units in billed.values()) <= tie.most


def billed_units(lines: list[Line]) -> int | None:
    """The units that lines of one code bill together; None where one of them states none."""
    if len(lines) == 1:
        return lines[0].units if lines[0].billed else 0
    units = [line.units for line in lines if line.billed]
    return None if None in units else sum(unit for unit in units if unit is not None)


def unfair(tie: Tie, book: RuleBook, whole_day: int, most: dict[str, int]) -> Finding:
    """The finding about units that went in none of the fair ways, with those ways to choose from.

    `most` are the payer's limits by code: a way that goes beyond one is not offered.
    """
    lines = [line for found in tie.lines.values() for line in found]
    billed = sum(line.units or 0 for line in lines)
    ways = [way for way in _ways(tie) if all(units <= most.get(code, units) for code, units in way.items())]
    slots: dict[str, Slot] = {
        "from": billed,
        "to": tie.most,
        "minutes": sum(tie.minutes.values()),
        "total": whole_day,
        "choices": [list(way.values()) for way in ways],
    }
    single = all(len(found) == 1 for found in tie.lines.values())
    return Finding(
        "units.tie",
        "critical" if billed > tie.most else "warning",
        tuple(line.ref for line in lines),
        slots,
        (book.units_method.source,),
        choices=tuple(_fix(tie, way) for way in ways if all(way.values())) if single else (),
    )


def _ways(tie: Tie) -> list[dict[str, int]]:
    whole = {code: value // UNIT for code, value in tie.minutes.items()}
    extra = tie.most - sum(whole.values())
    return [{code: units + (code in chosen) for code, units in whole.items()} for chosen in combinations(whole, extra)]


def _fix(tie: Tie, way: dict[str, int]) -> tuple[Fix, ...]:
    first = {code: lines[0] for code, lines in tie.lines.items()}
    return tuple(SetUnits(first[code].ref, units) for code, units in way.items() if first[code].units != units)
