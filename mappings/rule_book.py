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
    With `of_visit` it is asked for once a visit, and not for each service.
    """

    id: str
    level: str
    of_visit: bool
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


class Cap(msgspec.Struct, frozen=True):
    """The most timed units that a payer pays a day, of the whole visit or of each discipline's therapy.

    `codes` are those that count together; where none is listed all timed ones do.
    """

    units: int
    per: str
    codes: tuple[str, ...] = ()

    def counts(self, code: str, timed: bool) -> bool:
        """Whether a code counts: one of the listed ones, else any timed one."""
        return code in self.codes if self.codes else timed


class Limit(msgspec.Struct, frozen=True):
    """A medically unlikely edit (MUE): the most units of a code that Medicare pays a day.

    `indicator` says how it is applied: 1 to each line, 2 to the day and absolutely, 3 to the day and open to appeal.
    Units of 0 say that Medicare does not cover the code, and limit nobody else.
    """

    code: str
    units: int
    indicator: int
    source: Source


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
    mue                    whether Medicare's unlikely-units edits (MUE) are looked at
    noncovered             codes that the payer does not cover
    timed_units_cap        the most timed units that the payer pays a day
    total_minutes          whether the visit's total minutes stand for the minutes of each service
    assistant_modifiers    the modifier that says an assistant gave the service, by the assistant's profession
    assistant_share        percent of a service that an assistant may give without that modifier
    assistant_last_unit    minutes of the last unit that make it the therapist's
    kx_threshold           dollars of the year's therapy from which KX is needed
    targeted_review        dollars of the year's therapy from which claims may be reviewed
    cmt_coverage           modifiers of which a covered manipulation carries one
    chiropractor_excluded  the modifier of a chiropractor's services that are never covered
    conflicting_modifiers  modifiers that may not meet on a line
    modifier_needs         by modifier, those of which one must stand with it
    distinct_by            by what shows a service to be distinct, the modifier that says so
    certification_days     days from the plan's start within which it is certified
    recertification_days   days after which the certification is renewed
    progress_report_visits treatment days after which a progress report is due
    reevaluation_days      days after which a re-evaluation is due
    reevaluation_visits    visits after which a re-evaluation is due
    prior_authorization    professions whose services need the payer's authorization beforehand
    extraspinal_with_cmt   codes paid beside a manipulation for an extraspinal diagnosis only
    technique_decides      whether the documented technique tells manual therapy from massage
    units_disputed         by code, minutes below which the network's own pages disagree whether a unit is reached

    `own` names the rules that the payer, or its network, states itself; the others are the national book's.
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
    mue: Rule[bool] | None = None
    noncovered: Rule[tuple[str, ...]] | None = None
    timed_units_cap: Rule[Cap] | None = None
    total_minutes: Rule[bool] | None = None
    assistant_modifiers: Rule[dict[str, str]] | None = None
    assistant_share: Rule[int] | None = None
    assistant_last_unit: Rule[int] | None = None
    kx_threshold: Rule[int] | None = None
    targeted_review: Rule[int] | None = None
    cmt_coverage: Rule[tuple[str, ...]] | None = None
    chiropractor_excluded: Rule[str] | None = None
    conflicting_modifiers: Rule[tuple[tuple[str, str], ...]] | None = None
    modifier_needs: Rule[dict[str, tuple[str, ...]]] | None = None
    distinct_by: Rule[dict[str, str]] | None = None
    certification_days: Rule[int] | None = None
    recertification_days: Rule[int] | None = None
    progress_report_visits: Rule[int] | None = None
    reevaluation_days: Rule[int] | None = None
    reevaluation_visits: Rule[int] | None = None
    prior_authorization: Rule[tuple[str, ...]] | None = None
    extraspinal_with_cmt: Rule[tuple[str, ...]] | None = None
    technique_decides: Rule[bool] | None = None
    units_disputed: Rule[dict[str, int]] | None = None
    own: frozenset[str] = frozenset()
    limits: dict[str, Limit] = {}
    pairs: dict[tuple[str, str], Pair] = {}
    pairs_known: bool = False
    elements: dict[str, tuple[Element, ...]] = {}

    @property
    def applies_ncci(self) -> bool:
        """Whether the payer itself applies the NCCI tables, so that what they do not hold needs no modifier."""
        return self.mue is not None and self.mue.may_advise

    @functools.cached_property
    def partners(self) -> dict[str, dict[str, tuple[Source, ...]]]:
        """By code, the codes beside which it must be distinct, with the sources: filled in as codes are asked for."""
        return {}
