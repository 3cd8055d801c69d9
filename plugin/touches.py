"""Which rule of the books touches which billing code, and why: one table, TOUCHES.

A rule that decides about codes in some new way has its reason here, and its row.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.tables import Code
from plugin.rules.plans import SPEECH
from plugin.rules.techniques import OTHER
from plugin.rules.units import once_a_visit


class Meeting(msgspec.Struct, frozen=True):
    """A code, the value of a rule that may touch it, and the rule book that holds it."""

    code: Code
    value: Any
    book: RuleBook


class Touch(msgspec.Struct, frozen=True):
    """A reason for which a rule touches a code."""

    why: str
    holds: Callable[[Meeting], bool]


LINE = Touch("any line may carry modifiers", lambda _: True)
NAMED = Touch("it is named there", lambda it: it.code.code in it.value)
PAIRED = Touch("it is named there", lambda it: any(it.code.code in pair for pair in it.value))
OF_KIND = Touch("its kind is named there", lambda it: any(it.code.kind in one.kinds for one in it.value))
TIMED = Touch("it is billed by time", lambda it: it.code.timed)
ONCE = Touch("it is billed once a visit", lambda it: once_a_visit(it.code.code))
ONE_ON_ONE = Touch("it is given one on one", lambda it: it.code.one_on_one)
ALWAYS = Touch("it is always therapy", lambda it: it.code.always_therapy)
DISCIPLINE = Touch("a discipline's modifier on it is looked at", lambda it: it.code.code in SPEECH)
TREATMENT = Touch("it is always therapy", lambda it: it.code.always_therapy and it.code.kind != "evaluation")
UNDER_PLAN = Touch(
    "it is therapy where it carries GP, GO or GN",
    lambda it: not (it.code.is_em or it.code.is_cmt or it.code.kind == "evaluation"),
)
CAPPED = Touch("its units count", lambda it: it.value.counts(it.code.code, it.code.timed))
THERAPY = Touch("it is a therapy or modality", lambda it: it.code.is_therapy)
GROUP = Touch("it is a group session", lambda it: it.code.kind == "group")
MASSAGE = Touch("it is massage", lambda it: it.code.code == tables.MASSAGE)
TECHNIQUE = Touch("techniques tell it from another code", lambda it: it.code.code in OTHER)
MANIPULATION = Touch("it is a manipulation", lambda it: it.code.is_cmt)
SPINAL = Touch("it is a manipulation of the spine", lambda it: it.code.kind == "cmt-spinal")
NOT_SPINAL = Touch("it is no manipulation of the spine", lambda it: it.code.kind != "cmt-spinal")
OFFICE_VISIT = Touch("it is an office visit (E/M)", lambda it: it.code.is_em)
NO_AT = Touch("AT belongs on manipulations of the spine only", lambda it: it.code.kind != "cmt-spinal")
LIMITED = Touch("Medicare's table limits it", lambda it: it.code.code in it.book.limits)
DISTINCT = Touch("it may have to be shown distinct", lambda it: not it.code.is_em and not it.code.is_cmt)

TOUCHES: Mapping[str, tuple[Touch, ...]] = {
    "units_method": (TIMED,),
    "untimed_units": (ONCE,),
    "units_minimum": (TIMED,),
    "modifier_places": (LINE,),
    "modifier_order": (LINE,),
    "misplaced_modifiers": (OF_KIND, DISTINCT),
    "em_with_cmt": (OFFICE_VISIT, MANIPULATION),
    "distinct_with_cmt": (NAMED, MANIPULATION),
    "distinct_with_em": (NAMED, OFFICE_VISIT),
    "gp_with_cmt": (NAMED, MANIPULATION),
    "gp_always_therapy": (ALWAYS, DISCIPLINE),
    "never_with_25": (NAMED,),
    "group_alone": (GROUP, THERAPY),
    "own_pairs": (PAIRED,),
    "one_on_one_time": (ONE_ON_ONE,),
    "therapies_per_visit": (THERAPY,),
    "initial_phase_days": (THERAPY,),
    "unlisted_codes": (NAMED,),
    "massage_units": (MASSAGE,),
    "massage_visits": (MASSAGE,),
    "cmt_levels": (NAMED,),
    "mue": (LIMITED,),
    "noncovered": (NAMED,),
    "timed_units_cap": (CAPPED,),
    "total_minutes": (TIMED, ALWAYS, THERAPY),
    "assistant_modifiers": (TREATMENT, UNDER_PLAN),
    "assistant_share": (TREATMENT, UNDER_PLAN),
    "assistant_last_unit": (TIMED,),
    "kx_threshold": (ALWAYS,),
    "targeted_review": (ALWAYS,),
    "cmt_coverage": (SPINAL, NO_AT),
    "chiropractor_excluded": (NOT_SPINAL,),
    "conflicting_modifiers": (LINE,),
    "modifier_needs": (LINE,),
    "distinct_by": (DISTINCT,),
    "certification_days": (THERAPY,),
    "recertification_days": (THERAPY,),
    "progress_report_visits": (THERAPY,),
    "reevaluation_days": (THERAPY, MANIPULATION),
    "reevaluation_visits": (THERAPY, MANIPULATION),
    "prior_authorization": (ALWAYS, THERAPY),
    "extraspinal_with_cmt": (NAMED, SPINAL),
    "technique_decides": (TECHNIQUE,),
    "units_disputed": (NAMED,),
}
"""For every rule of the books, why it touches a code: for the first of these reasons that holds, or not at all."""


def why(key: str, code: Code, value: Any, book: RuleBook) -> str:
    """Why a rule with this value touches a code, "" where it does not."""
    meeting = Meeting(code, value, book)
    return next((touch.why for touch in TOUCHES[key] if touch.holds(meeting)), "")
