"""The rule book: the rules of one payer that are in force on one date of service, each with its source.

Every rule is a `Rule`: the value, where it comes from, and how sure we are. Only primary and secondary facts
may advise a change; an uncertain one may only inform.
"""

import datetime as dt
import functools
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Source(msgspec.Struct, frozen=True, cache_hash=True):
    """Where a rule comes from. `words` is the sentence relied on: a short quotation or our own sentence.

    `published` is the source's own date ("" where it states none); `retrieved` is when it was last read.
    """

    title: str
    section: str
    url: str
    published: str
    retrieved: str
    words: str


class Rule(msgspec.Struct, Generic[T], frozen=True):
    """One value with its source. `confidence` is primary, secondary or uncertain."""

    value: T
    source: Source
    confidence: str

    @property
    def may_advise(self) -> bool:
        """Whether it is sure enough to tell somebody to change a claim."""
        return self.confidence != "uncertain"


class Element(msgspec.Struct, frozen=True):
    """One documentation element as this book asks for it.

    `level` is must or should; `satisfied_by` lists alternatives, each a set of evidence kinds that stand together.
    """

    id: str
    level: str
    when: str
    label: str
    ask: str
    answer: str
    satisfied_by: tuple[frozenset[str], ...]
    source: Source


class Pair(msgspec.Struct, frozen=True):
    """A procedure-to-procedure edit: column 1 is paid, column 2 is not, unless the indicator (0 or 1) allows."""

    column1: str
    column2: str
    indicator: int
    rule: Rule[str]


class Misplaced(msgspec.Struct, frozen=True):
    """A modifier that does not belong on codes of these kinds."""

    modifier: str
    kinds: tuple[str, ...]


class RuleBook(msgspec.Struct, frozen=True, dict=True):
    """What a payer asks for on one date of service. A rule that is None is not asked for by this payer.

    units_method           cms-total, cpt-midpoint or per-service
    untimed_units          units of a service that is not billed by time
    units_minimum          minutes below which a timed service is not billed
    modifier_places        modifiers that fit on a line
    modifier_order         modifiers in the order in which the payer wants them
    em_with_cmt            modifier that an E/M needs beside a manipulation
    distinct_with_cmt      codes that need 59 (or X) beside a manipulation
    distinct_with_em       codes that need 59 beside an E/M
    gp_with_cmt            codes that need GP beside a manipulation
    gp_always_therapy      whether every always-therapy line needs GP
    misplaced_modifiers    modifiers that do not belong on some kinds of code
    never_with_25          E/M codes that do not take 25
    group_alone            whether a group session takes in the patient's own therapy, so that 59 is never advised
    own_pairs              pairs (column 1, column 2) of the payer's own that need 59 or X
    one_on_one_time        whether one-on-one minutes belong to one service only
    therapies_per_visit    usual therapies a visit in the initial phase of care
    initial_phase_days     days since the plan's start that count as the initial phase
    unlisted_codes         codes that are not to be billed as a rule
    massage_units          massage units a visit that are not yet an audit trigger
    massage_visits         massage visits that are not yet an audit trigger
    cmt_levels             spinal regions (fewest, most) by manipulation code
    """

    id: str
    title: str
    on: dt.date
    edition: str
    units_method: Rule[str]
    units_minimum: Rule[int]
    untimed_units: Rule[int]
    modifier_places: Rule[int]
    cmt_levels: Rule[dict[str, tuple[int, int]]]
    misplaced_modifiers: Rule[tuple[Misplaced, ...]] | None = None
    modifier_order: Rule[tuple[str, ...]] | None = None
    em_with_cmt: Rule[str] | None = None
    distinct_with_cmt: Rule[tuple[str, ...]] | None = None
    distinct_with_em: Rule[tuple[str, ...]] | None = None
    gp_with_cmt: Rule[tuple[str, ...]] | None = None
    gp_always_therapy: Rule[bool] | None = None
    never_with_25: Rule[tuple[str, ...]] | None = None
    group_alone: Rule[bool] | None = None
    own_pairs: Rule[tuple[tuple[str, str], ...]] | None = None
    one_on_one_time: Rule[bool] | None = None
    therapies_per_visit: Rule[int] | None = None
    initial_phase_days: Rule[int] | None = None
    unlisted_codes: Rule[tuple[str, ...]] | None = None
    massage_units: Rule[int] | None = None
    massage_visits: Rule[int] | None = None
    pairs: dict[tuple[str, str], Pair] = {}
    pairs_known: bool = False
    elements: dict[str, tuple[Element, ...]] = {}

    @functools.cached_property
    def partners(self) -> dict[str, dict[str, tuple[Source, ...]]]:
        """By code, the codes beside which it must be distinct, with the sources: filled in as codes are asked for."""
        return {}
