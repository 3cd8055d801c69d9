"""claim-submit: the draft Claim about to go out, with its Encounter and Procedures.

The hook is our proposal (docs/hooks/claim-submit.md). Its announced name is in reverse-domain notation, as CDS
Hooks asks of a hook outside the catalogue; the plain name is accepted as well.
"""

import datetime as dt

import msgspec

from cds_hooks.outcome import bad_request
from cds_hooks.request import HookRequest
from cds_hooks.service import Hook, Service
from mappings.fhir import checks
from mappings.fhir.reader import Records
from mappings.fhir.record import Context
from mappings.fhir.visits import claim_visits
from mappings.visit import Gap, Visit
from plugin.hooks.common import SHARED, Drafted, HookService, add_claims
from plugin.prefetch_reading import DECODED

NAME = "org.visitcue.claim-submit"
PLAIN_NAME = "claim-submit"
VERSION = "1.0.0"
"""The hookVersion of the hook's page; an installation that renames the hook has a page of its own."""


_BESIDE_THE_CODE = frozenset({"diagnosisSequence", "procedureSequence", "modifier"})
"""Elements of a line without which it is still known what is billed."""


def service(hook_name: str) -> HookService:
    """The service `visitcue-claim-submit`, announced under the configured name of the hook."""
    return HookService(
        Service(
            id="visitcue-claim-submit",
            hook=Hook(
                (hook_name, PLAIN_NAME),
                ("userId", "patientId", "claim"),
                "claim",
                VERSION if hook_name == NAME else "",
            ),
            title="VisitCue: claim before submission",
            description="Reviews a draft claim line by line against the visit's record: units, modifiers, pairs that"
            " are not paid together, and missing documentation; every card cites its policy and offers the fix.",
            usage_requirements="Works from prefetch alone. context.claim is a FHIR R4 Claim, or a Bundle of them.",
            prefetch=SHARED,
        ),
        DECODED,
        _drafted,
        in_scope,
        visits,
    )


def _drafted(request: HookRequest, records: Records) -> Drafted:
    drafted = Drafted()
    add_claims(request.resource, "context.claim", request, records, drafted)
    if not drafted.read and not records.gaps:
        raise bad_request("context.claim", "the Bundle holds no Claim.", "required")
    return drafted


def in_scope(drafted: Drafted) -> bool:
    """Whether any line of any claim carries a code of ours, or one that cannot be read and so may be ours."""
    return drafted.lines > 0


def visits(drafted: Drafted, records: Records, context: Context) -> list[Visit]:
    """The visits of all drafted claims, each with what the other claims bill on its day."""
    for draft in drafted.claims:
        checks.claim(draft, records)
    found = [visit for draft in drafted.claims for visit in claim_visits(draft, records, context)]
    unread = any(_may_cost_a_line(gap) for gap in records.gaps)
    if unread or len(found) > 1:
        found = _one_to_say_unbilled(found, unread=unread)
    if len(found) < 2:
        return found
    by_day: dict[dt.date, list[Visit]] = {}
    for visit in found:
        by_day.setdefault(visit.date, []).append(visit)
    return [_beside_others(visit, by_day[visit.date]) for visit in found]


def _may_cost_a_line(gap: Gap) -> bool:
    if not gap.path.startswith(("context.claim", "prefetch.claims", "$")):
        return False
    return gap.path.rpartition(".")[2].partition("[")[0] not in _BESIDE_THE_CODE


def _one_to_say_unbilled(found: list[Visit], *, unread: bool) -> list[Visit]:
    """The visits, of which the first of each day says what is not billed; none does where a line was not read."""
    first = {visit.date: index for index, visit in reversed(list(enumerate(found)))}
    return [
        visit if not unread and first[visit.date] == index else msgspec.structs.replace(visit, says_unbilled=False)
        for index, visit in enumerate(found)
    ]


def _beside_others(visit: Visit, of_day: list[Visit]) -> Visit:
    elsewhere = tuple([line for one in of_day if one is not visit for line in one.reviewed])
    return msgspec.structs.replace(visit, elsewhere=elsewhere) if elsewhere else visit
