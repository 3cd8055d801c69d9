"""The way of one request: read, gather, visit facts, review, cards. Only `gather` does IO, and it is handed in."""

import datetime as dt
from collections.abc import Callable, Set

import msgspec

from cds_hooks.cards import Card
from cds_hooks.outcome import Issue, Refusal
from cds_hooks.prefetch import NOT_SENT, Prefetched, Present, Unavailable, resolve
from cds_hooks.request import HookRequest, read_request
from cds_hooks.service import Service
from mappings import books_in_force
from mappings.fhir import checks
from mappings.fhir.reader import Records, read_value
from mappings.fhir.record import Context, Practice
from mappings.fhir.whose import leave_out_others
from mappings.ncci_in_force import NcciTables
from mappings.rule_book import RuleBook
from mappings.visit import Facts, Gap
from plugin import bounds
from plugin import cards as card_making
from plugin.findings import Finding
from plugin.fixes import Patient
from plugin.hooks.common import Drafted, HookService
from plugin.review import Reviewed, of_request, review_all

SHOWN_BY = {
    "plans": frozenset({"care-plan"}),
    "goals": frozenset({"goal", "measurable-goal"}),
    "observations": frozenset(
        {
            "outcome-measure",
            "part-pain",
            "part-asymmetry",
            "part-range",
            "part-tissue",
            "x-ray",
            "total-timed-minutes",
            "total-treatment-minutes",
        }
    ),
    "documents": frozenset({"note"}),
    "forms": frozenset(
        {
            "form",
            "plan-certified",
            "evaluation",
            "progress-report",
            "signature",
            "total-timed-minutes",
            "total-treatment-minutes",
        }
    ),
}
"""The kinds of evidence that come with one prefetch key alone."""

Gather = Callable[[Service, HookRequest], dict[str, Prefetched]]
"""Everything that is known under the service's prefetch keys, read from wherever it can be read."""


class Setup(msgspec.Struct, frozen=True):
    """What an answer depends on beside the request: the practice's base book, today's date, the NCCI tables of the
    installation (None for the embedded ones), and what it is told of its own record."""

    base_book: str
    today: dt.date
    ncci: NcciTables | None = None
    practice: Practice = Practice()

    def book_for(self, payer: str, on: dt.date) -> RuleBook:
        """The payer's book on a date of service; the base book for a payer that is not known."""
        return books_in_force.rule_book(payer or self.base_book, on, self.ncci)


class Answer(msgspec.Struct, frozen=True):
    """The cards, and what they were made of."""

    cards: list[Card]
    reviewed: tuple[Reviewed, ...]
    whole: tuple[Finding, ...]
    facts: Facts


def from_prefetch(service: Service, request: HookRequest) -> dict[str, Prefetched]:
    """Gathering without IO: what was sent is all there is."""
    return {key: request.prefetch[key] for key in service.prefetch}


def answer(hook: HookService, body: bytes, gather: Gather, setup: Setup, *, insist: bool = True) -> Answer:
    """The answer to one hook request; raises Refusal. Without `insist` missing data is said, not refused."""
    request = read_request(hook.service, body, hook.reader)
    records = Records()
    drafted = Drafted()
    if hook.in_scope is not None:
        drafted = hook.drafted(request, records)
        if not hook.in_scope(drafted):
            return conclude(Facts((), tuple(records.gaps)), drafted, request, setup)
    found = gather(hook.service, request)
    if hook.in_scope is None:  # the drafts come with the record, wherever that was read from
        drafted = hook.drafted(msgspec.structs.replace(request, prefetch=found), records)
    # The three cases are told apart with `type`: isinstance of a Struct takes the long way through its metaclass.
    missing = {key: value for key, value in found.items() if type(value) is Unavailable}
    present = [(key, value) for key, value in found.items() if type(value) is Present]
    lost = {key for key, value in present if not read_value(value.value, f"prefetch.{key}", records)}
    leave_out_others(records, request.patient_id)
    if insist:
        issues = _needed(hook.service, missing)
        others = hook.of_others
        if issues and (others is None or not others(drafted, records, request.encounter_id)):
            raise Refusal(412, *issues)
    checks.record(records)
    partly = {key: value for key, value in present if value.incomplete and not _is_enough(key, value)}
    not_whole = partly.keys() | lost
    context = Context(
        patient=request.patient_id,
        encounter=request.encounter_id,
        today=setup.today,
        record_sent="procedures" not in missing,
        not_sent=_not_sent(missing, not_whole),
        history_sent="history" not in missing,
        practice=setup.practice,
        record_whole="procedures" not in not_whole,
        history_whole=not_whole.isdisjoint(("history", "forms")),
    )
    visits = tuple(hook.visits(drafted, records, context))
    unavailable = tuple(
        [_gap(hook.service, request, key, value.why) for key, value in missing.items()]
        + [Gap(f"prefetch.{key}", value.incomplete) for key, value in partly.items()]
    )
    return conclude(Facts(visits, tuple(records.gaps), unavailable), drafted, request, setup)


def _is_enough(key: str, value: Present) -> bool:
    """Whether the newest results of a search, as many as were asked for, will do: they do for earlier visits.

    What is due is counted in weeks and in visits by the dozen. What documents this visit is wanted whole.
    """
    return value.as_asked and key not in SHOWN_BY


def _not_sent(missing: dict[str, Unavailable], not_whole: Set[str]) -> frozenset[str]:
    """The kinds of evidence that cannot be called missing, because what shows them was not to be had, or not all of it.

    An EHR that keeps no forms does not send any; only a look-up that failed means that there may be some. Notes there
    are of every visit: where they were not sent, what they could show ("note") is asked and not called missing.
    """
    failed = {key for key in missing if key != "forms" or missing[key] != NOT_SENT} | not_whole
    return frozenset[str]().union(*(SHOWN_BY[key] for key in failed & SHOWN_BY.keys()))


def conclude(facts: Facts, drafted: Drafted, request: HookRequest, setup: Setup) -> Answer:
    """Review the facts and make the cards."""
    facts = bounds.reviewable(facts)
    reviewed, more = bounds.told(review_all(facts, setup.book_for, books_in_force.begins()))
    whole = (*more, *of_request(facts, reviewed))
    patient = Patient(request.patient_id, request.encounter_id)
    edition = reviewed[0].edition if reviewed else books_in_force.edition(setup.base_book, setup.ncci)
    about = card_making.Request(request.instance, patient, drafted.drafts, edition)
    return Answer(card_making.cards(reviewed, whole, about), reviewed, whole, facts)


def _needed(service: Service, missing: dict[str, Unavailable]) -> list[Issue]:
    """What the service needs and is neither in prefetch nor to be had from the FHIR server."""
    return [
        Issue(
            "required",
            f"prefetch.{key}: {service.prefetch[key].why}; {value.why}, and it could not be read from fhirServer.",
            f"prefetch.{key}",
        )
        for key, value in missing.items()
        if service.prefetch[key].needed
    ]


def _gap(service: Service, request: HookRequest, key: str, why: str) -> Gap:
    part = service.prefetch[key]
    if resolve(part.query, request.tokens) is None:
        why = "the context names no encounter to look it up by"
    return Gap(f"prefetch.{key}", f"{part.why}; {why}")
