"""What a schema cannot say of a book's values: that their codes and kinds are in the table, and that ranges part."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mappings import tables
from mappings.rule_book import Cap, Misplaced

VISIT_WHEN = frozenset({"always", "over-30-days", "each-10-days", "each-12-visits"})
"""When a documentation element may be asked for once a visit; all but the first are asked for in no other way."""


def fault(key: str, value: Any) -> str:
    """What is wrong with the value of a rule, "" where nothing is."""
    codes = CODES_IN.get(key)
    if codes is not None and (unknown := sorted({*codes(value)} - tables.codes().keys())):
        return f"{unknown} are not in the table of codes."
    check = CHECKS.get(key)
    return "" if check is None else next(check(value), "")


def fault_of_when(of_visit: bool, when: str) -> str:
    """What is wrong with when a documentation element is asked for, "" where nothing is."""
    if of_visit and when not in VISIT_WHEN:
        return f'expected one of {sorted(VISIT_WHEN)} beside of = "visit", not {when!r}.'
    if not of_visit and when in VISIT_WHEN - {"always"}:
        return f'expected of = "visit" beside {when!r}.'
    return ""


def _pairs_of_two(value: tuple[tuple[str, str], ...]) -> Iterator[str]:
    return (f"expected two different codes, not {one} with itself." for one, two in value if one == two)


def _known_kinds(value: tuple[Misplaced, ...]) -> Iterator[str]:
    known = sorted(tables.CODE_KINDS)
    return (
        f"{kind!r} is no kind of code; expected one of {known}."
        for one in value
        for kind in one.kinds
        if kind not in known
    )


def _levels_apart(value: dict[str, tuple[int, int]]) -> Iterator[str]:
    for code, (fewest, most) in value.items():
        if fewest > most:
            yield f"{code}: expected the fewest regions first, not {fewest} to {most}."
    ordered = sorted(value.items(), key=lambda one: one[1])
    for (one, (_, most)), (other, (fewest, _)) in itertools.pairwise(ordered):
        if fewest <= most and _same_kind(one, other):
            yield f"{one} and {other} overlap: expected each number of regions in one code."


def _same_kind(one: str, other: str) -> bool:
    codes = tables.codes()
    return codes[one].kind == codes[other].kind


def _flat(value: tuple[tuple[str, str], ...]) -> Iterator[str]:
    return itertools.chain.from_iterable(value)


def _of_cap(value: Cap) -> Iterator[str]:
    return iter(value.codes)


CODES_IN: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "distinct_with_cmt": iter,
    "distinct_with_em": iter,
    "gp_with_cmt": iter,
    "never_with_25": iter,
    "own_pairs": _flat,
    "unlisted_codes": iter,
    "cmt_levels": iter,
    "noncovered": iter,
    "timed_units_cap": _of_cap,
    "extraspinal_with_cmt": iter,
    "units_disputed": iter,
}
"""The rules whose values name codes, and where in them these stand."""

CHECKS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "own_pairs": _pairs_of_two,
    "misplaced_modifiers": _known_kinds,
    "cmt_levels": _levels_apart,
}
