"""Units: too many, too few, not stated, too short, untimed, tied, without minutes, overlapping.

The method comes from the rule book: Medicare adds the minutes of the day, CPT and the network take each
service by its own minutes. Lines of one code on one day are taken together.
"""

from collections.abc import Iterator
from itertools import combinations

import msgspec

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding, Fix, RemoveLine, SetUnits, Slot
from plugin.rules import unit_methods

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


def untimed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A service that is not billed by time is one unit a visit, on however many lines (HNS; CMS 20.2)."""
    by_code: dict[tuple[str, str], list[Line]] = {}
    for line in visit.reviewed:
        code = tables.codes()[line.code]
        if not code.timed and code.kind in ONCE_A_VISIT:
            by_code.setdefault((line.code, line.encounter), []).append(line)
    for lines in by_code.values():
        units = sum(1 if line.units is None else line.units for line in lines)
        if units > 1:
            yield Finding(
                "units.untimed",
                "critical",
                tuple(line.ref for line in lines),
                {"from": units, "to": 1},
                (book.units_method.source,),
                fix=_set(lines[0], 1) if len(lines) == 1 else (),
                choices=tuple((RemoveLine(line.ref),) for line in lines[1:] if line.draft),
            )


def timed(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Units of timed services by the book's method, where their minutes are known."""
    groups = _by_code(visit)
    known = {code: _minutes(lines) for code, lines in groups.items()}
    unknown = [
        line for code, lines in groups.items() if known[code] is None for line in lines if line in visit.reviewed
    ]
    if unknown:
        yield Finding(
            "units.minutes-unknown",
            "info",
            tuple(line.ref for line in unknown),
            {"codes": list(dict.fromkeys(line.code for line in unknown))},
            (book.units_method.source,),
        )
    minutes = {code: value for code, value in known.items() if value is not None}
    if book.units_method.value == "cms-total":
        if not any(known[code] is None and any(line.billed for line in groups[code]) for code in groups):
            yield from _by_total(visit, book, groups, minutes)
        return
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if lines:
            yield from _compared(lines, unit_methods.alone(value, book.units_minimum.value), value, book)


def _by_code(visit: Visit) -> dict[str, list[Line]]:
    """The timed lines of the day by code. A recorded service counts for its minutes though it is not billed."""
    groups: dict[str, list[Line]] = {}
    for line in visit.lines:
        code = tables.codes()[line.code]
        if code.timed and (line.billed or line.minutes is not None):
            groups.setdefault(line.code, []).append(line)
    return groups


def _minutes(lines: list[Line]) -> int | None:
    """Minutes of one code; lines documented by the same Procedures count them once."""
    values = []
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        if line.minutes is None:
            return None
        if not line.services or line.services not in seen:
            values.append(line.minutes.value)
            seen.add(line.services)
    return sum(values)


def _by_total(
    visit: Visit, book: RuleBook, groups: dict[str, list[Line]], minutes: dict[str, int]
) -> Iterator[Finding]:
    shares = unit_methods.shares(minutes)
    whole_day = sum(minutes.values())
    tie = _Tie.of(groups, minutes, shares)
    if tie is not None and not tie.is_fair():
        yield tie.finding(book, whole_day)
    for code, value in minutes.items():
        lines = [line for line in groups[code] if line in visit.reviewed]
        if lines and not shares[code].tied:
            yield from _compared(lines, shares[code].units, value, book, total=whole_day)


def _billed_units(lines: list[Line]) -> int | None:
    units = [line.units for line in lines if line.billed]
    return None if None in units else sum(unit for unit in units if unit is not None)


class _Tie(msgspec.Struct, frozen=True):
    """Services of the draft whose equal remainders compete for the last units (CMS 20.2: the clinician chooses).

    `least` and `most` are the units that they may have together; they differ where a service that is not on
    the draft competes as well.
    """

    lines: dict[str, list[Line]]
    minutes: dict[str, int]
    least: int
    most: int

    @classmethod
    def of(
        cls,
        groups: dict[str, list[Line]],
        minutes: dict[str, int],
        shares: dict[str, unit_methods.Share],
    ) -> "_Tie | None":
        """The tie of this visit, if there is one and the draft takes part in it."""
        tied = [code for code in minutes if shares[code].tied]
        lines = {code: [line for line in groups[code] if line.draft] for code in tied}
        mine = {code: found for code, found in lines.items() if found}
        if not mine:
            return None
        extra = sum(shares[code].units - minutes[code] // unit_methods.UNIT for code in tied)
        whole = sum(minutes[code] // unit_methods.UNIT for code in mine)
        least = whole + max(0, extra - (len(tied) - len(mine)))
        most = whole + min(extra, len(mine))
        return cls(mine, {code: minutes[code] for code in mine}, least, most)

    def is_fair(self) -> bool:
        """Whether what is billed is one of the ways in which the units may go."""
        billed = {code: _billed_units(lines) for code, lines in self.lines.items()}
        for code, units in billed.items():
            whole = self.minutes[code] // unit_methods.UNIT
            if units not in (whole, whole + 1):
                return False
        return self.least <= sum(units or 0 for units in billed.values()) <= self.most

    def finding(self, book: RuleBook, whole_day: int) -> Finding:
        """What to choose from."""
        lines = [line for found in self.lines.values() for line in found]
        billed = sum(line.units or 0 for line in lines)
        ways = self._ways()
        slots: dict[str, Slot] = {
            "from": billed,
            "to": self.most,
            "minutes": sum(self.minutes.values()),
            "total": whole_day,
            "choices": [list(way.values()) for way in ways],
        }
        single = all(len(found) == 1 for found in self.lines.values())
        return Finding(
            "units.tie",
            "critical" if billed > self.most else "warning",
            tuple(line.ref for line in lines),
            slots,
            (book.units_method.source,),
            choices=tuple(self._fix(way) for way in ways if all(way.values())) if single else (),
        )

    def _ways(self) -> list[dict[str, int]]:
        whole = {code: value // unit_methods.UNIT for code, value in self.minutes.items()}
        extra = self.most - sum(whole.values())
        return [
            {code: units + (code in chosen) for code, units in whole.items()} for chosen in combinations(whole, extra)
        ]

    def _fix(self, way: dict[str, int]) -> tuple[Fix, ...]:
        first = {code: lines[0] for code, lines in self.lines.items()}
        return tuple(SetUnits(first[code].ref, units) for code, units in way.items() if first[code].units != units)


def _compared(lines: list[Line], to: int, minutes: int, book: RuleBook, total: int | None = None) -> Iterator[Finding]:
    """What is billed for one code against what its minutes support."""
    refs = tuple(line.ref for line in lines)
    billed = _billed_units(lines)
    slots: dict[str, int | str] = {"to": to, "minutes": minutes, "method": book.units_method.value}
    if billed is not None:
        slots["from"] = billed
    if total is not None:
        slots["total"] = total
    if billed == to:
        return
    if billed is None and to > 0 and not any(line.draft for line in lines):
        return  # a Procedure has no place for units, so none can be missing from it
    one = lines[0] if len(lines) == 1 else None
    if to == 0:
        # By the day's total no single service has a minimum; what is too short then is the day.
        short = (minutes if total is None else total) < book.units_minimum.value
        code = "units.under-minimum" if short else "units.too-many"
        minimum = {"minimum": book.units_minimum.value}
        source = book.units_minimum.source if code == "units.under-minimum" else book.units_method.source
        remove = ((RemoveLine(one.ref),),) if one and one.draft else ()
        yield Finding(code, "critical", refs, {**slots, **minimum}, (source,), choices=remove)
        return
    if billed is None:
        code, level = "units.missing", "warning"
    elif billed > to:
        code, level = "units.too-many", "critical"
    else:
        code, level = "units.too-few", "warning"
    yield Finding(
        code,
        "critical" if level == "critical" else "warning",
        refs,
        {**slots},
        (book.units_method.source,),
        fix=_set(one, to) if one else (),
    )


def _set(line: Line, units: int) -> tuple[Fix, ...]:
    return (SetUnits(line.ref, units),) if line.draft else ()


def overlap(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One-on-one minutes belong to one service (NCCI Policy Manual chapter XI, P.2)."""
    if book.one_on_one_time is None:
        return
    lines = [line for line in visit.billed if line.times and tables.codes()[line.code].one_on_one]
    for one, other in combinations(lines, 2):
        if one not in visit.reviewed and other not in visit.reviewed:
            continue
        if one.services and one.services == other.services:
            continue  # one Procedure documents both lines: the same time, not two times
        shared = sum(mine.overlap(theirs) for mine in one.times for theirs in other.times)
        if shared:
            yield Finding(
                "units.minutes-overlap",
                "critical",
                (one.ref, other.ref),
                {"minutes": shared},
                (book.one_on_one_time.source,),
            )
