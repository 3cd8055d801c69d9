"""Laws: what holds of every visit, whatever was done on it, over visits that nobody thought of.

The examples are the same on every run. Nothing here says how long a review may take.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

import msgspec
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mappings import tables
from mappings.rule_book import Rule, RuleBook, Source
from mappings.visit import Line, Minutes, Visit
from plugin.findings import AddModifier, AskForDocument, Finding, Fix, RemoveLine
from plugin.fixes import _changes, is_joinable, together
from plugin.rules import unit_methods
from plugin.rules.excluded import covered
from plugin.rules.placing import DISTINCT
from tests.any_visit import (
    ELEMENTS,
    RECORDED_AND_BILLED_WITHOUT_MINUTES,
    REMOVED_AND_REORDERED,
    TIED_WITH_ANOTHER_CLAIM,
    TIED_WITH_UNBILLED,
    TWO_FOR_ONE_PLACE,
    minutes_by_code,
    visits,
)
from tests.case_files import book_for, findings_of

lawful = settings(max_examples=800, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


METHODS: dict[str, Callable[[dict[str, int]], int]] = {
    "cms-total": lambda minutes: sum(share.units for share in unit_methods.shares(minutes).values()),
    "cpt-midpoint": lambda minutes: sum(unit_methods.alone(value, 8) for value in minutes.values()),
}


# Units.


@lawful
@given(minutes=minutes_by_code(), more=st.integers(1, 60), data=st.data())
def test_more_minutes_never_lower_the_day(minutes: dict[str, int], more: int, data: st.DataObject) -> None:
    """Adding minutes to a service never lowers the day's units, by any method."""
    code = data.draw(st.sampled_from(sorted(minutes)))
    longer = {**minutes, code: minutes[code] + more}
    assert all(method(longer) >= method(minutes) for method in METHODS.values())


@lawful
@given(minutes=minutes_by_code())
def test_shares_are_the_total(minutes: dict[str, int]) -> None:
    """The CMS shares make up the units of the total, and none exceeds its whole quarters by more than one."""
    shares = unit_methods.shares(minutes)
    assert sum(share.units for share in shares.values()) == unit_methods.total(sum(minutes.values()))
    assert all(0 <= share.units - minutes[code] // 15 <= 1 for code, share in shares.items())


@lawful
@given(minutes=minutes_by_code())
def test_a_larger_remainder_is_served_first(minutes: dict[str, int]) -> None:
    """No service is passed over for one with a smaller remainder; with an equal one both are marked as tied."""
    shares = unit_methods.shares(minutes)
    extra = {code for code, share in shares.items() if share.units > minutes[code] // 15}
    for code in extra:
        for other in minutes.keys() - extra:
            assert minutes[code] % 15 >= minutes[other] % 15
            if minutes[code] % 15 == minutes[other] % 15:
                assert shares[code].tied
                assert shares[other].tied


@lawful
@given(minutes=st.integers(0, 7), visit=visits())
def test_nothing_short_is_billed_alone(minutes: int, visit: Visit) -> None:
    """Where each service stands alone, a billed one of less than 8 minutes is found, whatever else was done."""
    assert unit_methods.alone(minutes, 8) == 0
    if book_of(visit).units_method.value == "cms-total":
        return
    short = Line("Claim/case#9", "97533", draft=True, units=1, minutes=Minutes(minutes, "test"), answered=ELEMENTS)
    others = tuple(line for line in visit.lines if line.code != short.code)
    found = findings_of(msgspec.structs.replace(visit, lines=(*others, short)))
    assert [one.slots["to"] for one in found if one.code == "units.under-minimum" and one.lines == (short.ref,)] == [0]


# Order.


def canonical(finding: Finding) -> tuple[str, frozenset[str], tuple[tuple[str, str], ...]]:
    """A finding without the orders that rightly follow the claim's own.

    Lists of several lines, choices and evidence stand in the order of the lines. `order` is an order of modifiers
    and is compared as it is. With several partners `column1` and `asks` name the first of them.
    """
    several = len(finding.lines) > 2
    slots = [
        (name, repr(value if name == "order" else plain(value)))
        for name, value in sorted(finding.slots.items())
        if name != "choices" and not (several and name in ("column1", "asks"))
    ]
    return finding.code, frozenset(finding.lines), tuple(slots)


def plain(value: object) -> object:
    """A slot without an order."""
    if isinstance(value, list):
        return sorted(value)
    return sorted(value.split("; ")) if isinstance(value, str) else value


@lawful
@given(visit=visits(), order=st.randoms(use_true_random=False))
@example(visit=TIED_WITH_UNBILLED, order=None)
@example(visit=RECORDED_AND_BILLED_WITHOUT_MINUTES, order=None)
def test_order_of_lines_does_not_matter(visit: Visit, order: Random | None) -> None:
    """The order of the lines changes no finding. A tie stays a tie, though another way is named first."""
    turned = list(visit.lines[::-1])
    if order is not None:
        order.shuffle(turned)
    shuffled = msgspec.structs.replace(visit, lines=tuple(turned))
    assert Counter(map(canonical, findings_of(visit))) == Counter(map(canonical, findings_of(shuffled)))


# Fixes.


def after(visit: Visit, fixes: list[Fix]) -> Visit:
    """The visit after the claim was changed as the suggestion says, and the forms were answered."""
    changes = _changes(fixes, {line.ref: line for line in visit.lines})
    answers = {fix.line: fix.elements for fix in fixes if isinstance(fix, AskForDocument)}
    changed = []
    for line in visit.lines:
        change = changes.get(line.ref)
        if change is not None and change.remove:
            continue
        if change is not None and change.units is not None:
            line = msgspec.structs.replace(line, units=change.units)  # noqa: PLW2901 - one line, step by step
        if change is not None and change.modifiers is not None:
            line = msgspec.structs.replace(line, modifiers=change.modifiers)  # noqa: PLW2901
        answered = line.answered.union(answers.get(line.ref, ()))
        changed.append(msgspec.structs.replace(line, answered=answered))
    return msgspec.structs.replace(visit, lines=tuple(changed))


Topic = tuple[str, tuple[str, ...]]


def topics(found: tuple[Finding, ...]) -> set[Topic]:
    """What the findings are about: code and lines. Slots may change when another finding is mended."""
    return {(finding.code, tuple(sorted(finding.lines))) for finding in found}


def follows_from(fixed: Finding, new: Topic) -> bool:
    """Whether a new finding is a rightful consequence: units that the minutes support, and that draw audits."""
    raised = fixed.code in ("units.too-few", "units.missing")
    return raised and new[0] == "policy.massage-units"


@lawful
@given(visit=visits())
def test_a_fix_mends_its_finding(visit: Visit) -> None:
    """Applying the fix of a finding removes that finding and makes no new one."""
    found = findings_of(visit)
    for finding in found:
        if not finding.fix:
            continue
        left = topics(findings_of(after(visit, list(finding.fix))))
        assert (finding.code, tuple(sorted(finding.lines))) not in left, finding
        assert not {new for new in left - topics(found) if not follows_from(finding, new)}, finding


def joined(visit: Visit, found: tuple[Finding, ...]) -> list[Fix]:
    """The fixes of the one suggestion that applies everything; the only fix, where there is only one."""
    places = book_of(visit).modifier_places.value
    several = together([finding.fix for finding in found], visit.by_ref, places)
    return several or next(([*finding.fix] for finding in found if is_joinable(finding.fix)), [])


@lawful
@given(visit=visits())
@example(visit=REMOVED_AND_REORDERED)
def test_all_fixes_together_mend_everything(visit: Visit) -> None:
    """After all joinable fixes no joinable finding is left, but for one that the full line had no place for."""
    found = findings_of(visit)
    applied = joined(visit, found)
    had_no_place = [one for one in found if not one.fix or not set(one.fix) <= set(applied)]
    left = findings_of(after(visit, applied))
    assert topics(tuple(one for one in left if is_joinable(one.fix))) <= topics(tuple(had_no_place))


@lawful
@given(visit=visits())
@example(visit=TWO_FOR_ONE_PLACE)
def test_all_fixes_together_fit_on_the_line(visit: Visit) -> None:
    """All joinable fixes together put no more modifiers on a line than it has places, unless it had them before."""
    places = book_of(visit).modifier_places.value
    changed = after(visit, joined(visit, findings_of(visit)))
    for before, now in zip(visit.lines, changed.lines, strict=True):
        assert len(now.modifiers) <= max(places, len(before.modifiers)), (before, now)


DECIDED_BY_THE_CHOICE = {
    "policy.massage-units",
    "modifiers.assistant-missing",
    "modifiers.assistant-split",
    "modifiers.assistant-unsupported",
}
"""What a chosen number of units may bring with it: one that draws audits, and whose the units then are."""


@lawful
@given(visit=visits())
@example(visit=TIED_WITH_ANOTHER_CLAIM)
def test_a_choice_ends_its_tie(visit: Visit) -> None:
    """Whichever way of a tie is chosen, the tie is gone and nothing else was made by it."""
    found = findings_of(visit)
    for finding in found:
        for way in finding.choices if finding.code == "units.tie" else ():
            left = topics(findings_of(after(visit, list(way))))
            assert not [topic for topic in left if topic[0] == "units.tie"], way
            assert {code for code, _ in left - topics(found)} <= DECIDED_BY_THE_CHOICE, way


@lawful
@given(visit=visits())
def test_only_lines_of_the_claim_are_changed(visit: Visit) -> None:
    """No fix and no choice touches a line that does not stand on the claim; a line is removed only by choice."""
    on_claim = {line.ref for line in visit.lines if line.draft}
    for finding in findings_of(visit):
        everything = [*finding.fix, *(fix for way in finding.choices for fix in way)]
        assert all(isinstance(fix, AskForDocument) or fix.line in on_claim for fix in everything)
        assert not any(isinstance(fix, RemoveLine) for fix in finding.fix)


# Modifiers for distinct services.


def book_of(visit: Visit) -> RuleBook:
    """The book by which the visit is reviewed."""
    return book_for(visit.payer.book, visit.date)


def advised(finding: Finding) -> Iterator[AddModifier]:
    """Every modifier that a finding would have somebody add, at one click or by choice."""
    for fix in [*finding.fix, *(fix for way in finding.choices for fix in way)]:
        if isinstance(fix, AddModifier):
            yield fix


def were_distinct(one: Line, other: Line) -> bool:
    """Another encounter, regions of which none is a part of another, blocks of time apart, or another profession."""
    if one.performers and other.performers and one.roles.isdisjoint(other.roles) and one.roles and other.roles:
        assert one.performers.isdisjoint(other.performers)
        return True
    if one.encounter and other.encounter and one.encounter != other.encounter:
        return True
    if one.regions and other.regions:
        parents = tables.region_parents()
        mine = {*one.regions, *(parents[region] for region in one.regions)} - {""}
        theirs = {*other.regions, *(parents[region] for region in other.regions)} - {""}
        if not (mine & other.regions or theirs & one.regions):
            return True
    blocks_apart = all(a.end <= b.start or b.end <= a.start for a in one.times for b in other.times)
    return bool(one.times and other.times) and blocks_apart


@lawful
@given(visit=visits())
def test_59_is_never_a_habit(visit: Visit) -> None:
    """59 is added only where the visit shows distinctness from every partner, or by the network beside an E/M."""
    of = {line.ref: line for line in visit.lines}
    for finding in findings_of(visit):
        for fix in advised(finding):
            if fix.modifier not in DISTINCT:
                continue
            partners = [of[ref] for ref in finding.lines if ref != fix.line]
            assert partners, finding
            if finding.code == "modifiers.distinct-with-em":
                assert of[fix.line].code == "97112"
                assert all(tables.codes()[partner.code].is_em for partner in partners)
                assert visit.payer.book in ("hns", "bcbsnc", "nc-shp", "medcost", "zelis")
                assert visit.date >= dt.date(2019, 5, 1)
            else:
                assert all(were_distinct(of[fix.line], partner) for partner in partners), finding


@lawful
@given(visit=visits())
def test_indicator_0_is_never_rescued(visit: Visit) -> None:
    """No modifier is advised because of a pair that no modifier allows."""
    of = {line.ref: line for line in visit.lines}
    pairs = book_of(visit).pairs
    for finding in findings_of(visit):
        for fix in advised(finding):
            for ref in finding.lines:
                pair = pairs.get((of[ref].code, of[fix.line].code)) or pairs.get((of[fix.line].code, of[ref].code))
                assert pair is None or pair.indicator == 1, finding


@lawful
@given(visit=visits())
def test_every_forbidden_pair_is_told(visit: Visit) -> None:
    """A billed pair with indicator 0 on the claim is always told, whatever regions, times and modifiers say.

    What Medicare excludes by law is no part of a pair: it is billed for a denial, if at all.
    """
    pairs, billed = book_of(visit).pairs, covered(visit, book_of(visit)).billed
    codes = ("pairs.never-together", "pairs.uncertain")
    told = {finding.lines for finding in findings_of(visit) if finding.code in codes}
    for one in billed:
        for other in billed:
            pair = pairs.get((other.code, one.code))
            if pair is not None and pair.indicator == 0 and (one.draft or other.draft):
                assert (one.ref, other.ref) in told


# Confidence.


def uncertain_sources(book: RuleBook) -> set[Source]:
    """The sources of every rule that a book is not sure of."""
    rules = [rule for name in book.__struct_fields__ if isinstance(rule := getattr(book, name), Rule)]
    rules += [pair.rule for pair in book.pairs.values()]
    return {rule.source for rule in rules if rule.confidence == "uncertain"}


@lawful
@given(visit=visits())
def test_what_is_uncertain_changes_nothing(visit: Visit) -> None:
    """A finding that rests on an uncertain rule has no fix and no choice. (A form asks, and changes no claim.)"""
    doubted = uncertain_sources(book_of(visit))
    for finding in findings_of(visit):
        if doubted & set(finding.because):
            assert not finding.fix, finding
            assert not finding.choices, finding
