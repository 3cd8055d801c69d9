"""FHIR to facts: a record that tells everything of who, when and how long, however it is damaged on the way."""

import random
from contextlib import suppress
from typing import Any

import pytest

from cds_hooks.outcome import Refusal
from tests.builders import Json, bundle, claim, claim_request, coded, form, item, order, order_request, procedure, ref
from tests.facts_of import answered
from tests.mutations import damaged

NUCC = "http://nucc.org/provider-taxonomy"
PT, PTA = coded(NUCC, "225100000X"), coded(NUCC, "225200000X")
SEEN = {"resourceType": "Observation", "code": {"text": "Total timed minutes"}, "status": "final"}
PEOPLE: list[Json] = [
    {"resourceType": "Practitioner", "id": "one", "qualification": [{"code": PT}], "name": [{"suffix": ["PT"]}]},
    {"resourceType": "PractitionerRole", "id": "r", "practitioner": ref("Practitioner", "one"), "code": [PTA]},
]
INSIDE = {"resourceType": "Practitioner", "id": "in", "qualification": [{"code": PTA}]}
GIVEN: list[Json] = [
    {"actor": {"reference": "PractitionerRole/r", "display": "Quinn Quill, PTA"}, "function": PTA},
    {"actor": {"reference": "#in", "identifier": {"system": "urn:oid:1", "value": "7"}}},
]
ANSWERS: list[Json] = [
    {"linkId": "assistant_time", "answer": [{"valueQuantity": {"value": 8, "unit": "min"}}]},
    {"linkId": "mcr.total_timed_minutes", "answer": [{"valueString": "45 min"}]},
    {"linkId": "mcr.total_treatment_time", "answer": [{"valueInteger": 50}]},
    {"linkId": "reevaluation", "answer": [{"valueString": "on 2/8/2026"}]},
    {"linkId": "mcr.certification", "answer": [{"valueDate": "2026-02-08"}]},
    {"linkId": "mcr.used_ot", "answer": [{"valueString": "$2,150.00"}]},
    {"linkId": "mcr.used_pt_slp", "answer": [{"valueDecimal": 2150.5}]},
]


def _record() -> dict[str, Any]:
    observation = {**SEEN, "encounter": ref("Encounter", "test-visit"), "valueQuantity": {"value": 45, "unit": "min"}}
    return {
        "forms": bundle(form("f", item=ANSWERS, authored="2026-03-02"), form("g", "a", item=ANSWERS)),
        "observations": bundle(observation),
        "history": bundle(*PEOPLE, procedure("e", "97164", performedDateTime="2026-02-08")),
    }


DONE = procedure("a", "97110", "09:00", 20, performer=GIVEN, contained=[INSIDE])
TEAM = [{"sequence": 1, "provider": {"reference": "#in"}, "role": {"text": "supervisor"}, "qualification": PT}]
BILLED = claim(
    item(1, "97110", 1, "CQ", careTeamSequence=[1]),
    item(2, "97140", 1, careTeamSequence=[1]),
    careTeam=TEAM,
    provider=ref("Practitioner", "one"),
    contained=[INSIDE],
)
BILLED["insurance"][0]["preAuthRef"] = ["A-1"]
ORDERED = order("o-1", "97140", performerType=PT, performer=[ref("Practitioner", "one")])
REQUESTS = [
    claim_request(BILLED, DONE, **_record()),
    order_request(ORDERED, procedures=(DONE,), **_record()),
]


@pytest.mark.parametrize("seed", range(20))
def test_damaged_record(seed: int) -> None:
    """Whatever is dropped, doubled, retyped or swapped is read, or said, or refused as the sender's mistake."""
    dice = random.Random(seed)
    for _ in range(40):
        body = dice.choice(REQUESTS)
        sent = {**damaged(body, dice), "hook": body["hook"]}
        with suppress(Refusal):
            answered(sent)
