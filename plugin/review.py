"""The review: every rule over every visit, in a fixed order. Pure: no clock, no environment, no IO."""

import datetime as dt
from collections.abc import Callable, Iterator

import msgspec

from mappings.rule_book import RuleBook
from mappings.visit import Facts, Visit
from plugin.findings import Finding
from plugin.rules import (
    assistants,
    caps,
    chiropractic,
    coverage,
    documentation,
    excluded,
    facts,
    limits,
    lines,
    modifier_lists,
    modifiers,
    one_on_one,
    pairs,
    plans,
    policy,
    techniques,
    thresholds,
    totals,
    units,
)

Rule = Callable[[Visit, RuleBook], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    facts.not_given,
    lines.not_documented,
    lines.duplicate,
    pairs.never_together,
    pairs.low_visit_with_cmt,
    pairs.distinctness,
    pairs.not_checked,
    units.untimed,
    units.timed,
    totals.above,
    totals.disagree,
    limits.above,
    caps.above,
    one_on_one.overlap,
    modifiers.em_needs_25,
    modifiers.distinct_with_em,
    plans.plan_modifier,
    assistants.given,
    chiropractic.coverage,
    chiropractic.excluded,
    thresholds.kx,
    modifier_lists.contradicting,
    modifier_lists.incomplete,
    modifiers.conflicts,
    modifiers.misplaced,
    modifiers.unsupported,
    modifier_lists.repeated,
    modifier_lists.order,
    modifier_lists.places,
    coverage.not_covered,
    coverage.extraspinal_only,
    coverage.authorization,
    techniques.other_code,
    policy.cmt_level,
    policy.unlisted,
    policy.therapies_per_visit,
    policy.massage,
    thresholds.targeted_review,
    documentation.missing,
    documentation.missing_of_visit,
    documentation.not_seen,
    lines.not_billed,
    facts.payer,
    facts.date,
    facts.codes,
)
"""Every rule, in the order in which findings of one weight are told."""

OF_COVERED = frozenset(
    {
        pairs.never_together,
        pairs.low_visit_with_cmt,
        pairs.distinctness,
        pairs.not_checked,
        units.untimed,
        units.timed,
        totals.above,
        totals.disagree,
        limits.above,
        modifiers.em_needs_25,
        modifiers.distinct_with_em,
        assistants.given,
        thresholds.kx,
        thresholds.targeted_review,
        coverage.not_covered,
        documentation.missing_of_visit,
    }
)
"""The rules that ask nothing of a service which Medicare excludes by law."""

_WEIGHT = {"critical": 0, "warning": 1, "info": 2}


class Reviewed(msgspec.Struct, frozen=True):
    """A visit with its findings, the edition of the book that it was reviewed by, and the places on a line."""

    visit: Visit
    edition: str
    places: int
    findings: tuple[Finding, ...]


DRAFTS = ("context", "entry[", "prefetch.procedures", "prefetch.claims", "Procedure/", "ServiceRequest/")
"""Where a service that is to be reviewed may stand: what is missing there is said though nothing else is ours."""

BookFor = Callable[[str, dt.date], RuleBook]
"""The rule book of a payer ("" for one that is not known) on a date of service."""


def review(visit: Visit, book: RuleBook) -> tuple[Finding, ...]:
    """All findings of a visit, the weightiest first, each weight in the order of the rules."""
    if any(line.disputed for line in visit.lines):
        visit = units.settled(visit, book)
    paid = excluded.covered(visit, book)
    if paid is visit:
        found = [finding for rule in RULES for finding in rule(visit, book)]
    else:
        found = [finding for rule in RULES for finding in rule(paid if rule in OF_COVERED else visit, book)]
    found.sort(key=lambda finding: _WEIGHT[finding.level])
    return tuple(found)


def review_all(everything: Facts, book_for: BookFor, begins: dt.date) -> tuple[Reviewed, ...]:
    """The visits of a request that have lines of ours, each with its findings."""
    done = []
    for visit in everything.visits:
        if not visit.reviewed:
            continue
        book = book_for(visit.payer.book, visit.date)
        early = visit.date < begins
        found = (facts.before_the_books(visit, begins.isoformat()),) if early else review(visit, book)
        done.append(Reviewed(visit, book.edition, book.modifier_places.value, found))
    return tuple(done)


def of_request(everything: Facts, reviewed: tuple[Reviewed, ...]) -> tuple[Finding, ...]:
    """What concerns the whole request. Where nothing of it is ours, only what may have hidden something of ours."""
    if reviewed:
        return tuple(facts.of_request(everything))
    gaps = tuple(gap for gap in everything.gaps if gap.path.startswith(DRAFTS))
    unavailable = tuple(gap for gap in everything.unavailable if gap.path.startswith(DRAFTS))
    return tuple(facts.of_request(Facts((), gaps, unavailable)))
