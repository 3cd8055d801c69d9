"""Laws of reading: another shape of the same record gives the same facts, and nothing that is sent is an exception."""

import copy
import json
import random
import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_hooks.outcome import Refusal
from mappings.visit import Facts
from tests.builders import CLAIM_SUBMIT, DISCHARGE, ORDER_SIGN, PATIENT, Json, bundle, claim, item, order, request
from tests.fhir_corpus import Case, facts_of, names, plain_facts, read_case
from tests.fhir_shapes import BROKEN, CHANGES, Change, bundles
from tests.mutations import damaged, places
from tests.test_fuzz import ANYTHING

CASES = [read_case(name) for name in names()]
DICE = st.randoms(use_true_random=False)


def lawful(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )


def told(body: Json) -> Any:
    """The facts without the orders and the places that rightly follow the sender's own."""
    found = plain_facts(body)
    found["gaps"] = sorted(re.sub(r"\[\d+\]", "", gap.partition(": ")[0]) for gap in found.get("gaps", []))
    for visit in found.get("visit", []):
        visit["line"] = sorted(visit.get("line", []), key=lambda line: (not line.get("draft", True), line["ref"]))
    return found


def keeps_its_facts(case: Case) -> bool:
    """Whether the laws hold of an input: it is a request with a visit, and no entry of it is lost for being broken."""
    if case.ordered or not isinstance(case.body.get("prefetch"), dict):
        return False
    found = plain_facts(case.body)
    return "visit" in found and not any("entry[" in gap for gap in found.get("gaps", []))


REQUESTS = [case.body for case in CASES if keeps_its_facts(case)]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: str(change.__name__))
def test_another_shape(change: Change) -> None:
    """The same record in another shape gives the same facts."""
    dice = random.Random(7)
    wrong = []
    for body in REQUESTS:
        for _ in range(3):
            changed = change(body, dice)
            if changed is not None and told(changed) != told(body):
                wrong.append((body["context"], changed))
    assert not wrong, f"{len(wrong)}: {json.dumps(wrong[0])[:4000]}"


@lawful(300)
@given(body=st.sampled_from(REQUESTS), changes=st.lists(st.sampled_from(CHANGES), min_size=2, max_size=5), dice=DICE)
def test_many_changes_of_shape(body: Json, changes: list[Change], dice: random.Random) -> None:
    """Changes of shape give the same facts whichever come together."""
    changed = body
    for change in changes:
        changed = change(changed, dice) or changed
    assert told(changed) == told(body)


@lawful(200)
@given(body=st.sampled_from(REQUESTS), dice=DICE)
def test_a_broken_entry_costs_itself(body: Json, dice: random.Random) -> None:
    """A broken entry is one gap, and everything else is read as before."""
    changed = copy.deepcopy(body)
    _, entries = dice.choice(bundles(changed))
    entries.insert(dice.randint(0, len(entries)), {"resource": BROKEN})
    before, after = told(body), told(changed)
    assert sum(gap.endswith(".entry.resource.status") for gap in after["gaps"]) == 1
    after["gaps"] = [gap for gap in after["gaps"] if not gap.endswith(".entry.resource.status")]
    assert after == before


def as_every_service(body: Json) -> list[Json]:
    """An input as a request to each service: what it drafts, else a claim and an order of ours, with its record."""
    context = {"patientId": PATIENT} | {
        key: value for key, value in body.get("context", {}).items() if key in ("patientId", "encounterId")
    }
    sent = body.get("prefetch", {}) if "hook" in body else {"procedures": body}
    claims = body.get("context", {}).get("claim") or claim(item(1, "97110", 2), item(2, "97140"))
    orders = body.get("context", {}).get("draftOrders") or bundle(order("o", "97110"))
    return [
        request(CLAIM_SUBMIT, {**context, "claim": claims}, **sent),
        request(ORDER_SIGN, {**context, "draftOrders": orders}, **sent),
        request(DISCHARGE, context, **{"claims": claims, **sent}),
    ]


EVERY = [one for case in CASES for one in as_every_service(case.body)]


def assert_read(body: Any) -> None:
    """The whole pipeline gives facts, or refuses what is the caller's mistake."""
    with suppress(Refusal):
        assert isinstance(facts_of(body), Facts)


@pytest.mark.parametrize("seed", range(12))
def test_damaged_inputs(seed: int) -> None:
    """Every input, as a request to every service and damaged in some places, is read or refused."""
    dice = random.Random(seed)
    for body in EVERY:
        assert_read({**damaged(body, dice), "hook": body["hook"]})


@lawful(600)
@given(body=st.sampled_from(EVERY), value=ANYTHING, dice=DICE)
def test_any_json_anywhere(body: Json, value: Any, dice: random.Random) -> None:
    """Any JSON value in any place of an input is read or refused."""
    changed = copy.deepcopy(body)
    container, key = dice.choice(list(places(changed[dice.choice(["context", "prefetch"])])))
    container[key] = value
    assert_read(changed)


@lawful(150)
@given(value=st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4), kind=st.sampled_from(["Claim", "Bundle"]))
def test_any_document(value: Json, kind: str) -> None:
    """Any JSON object that calls itself a Claim or a Bundle is read or refused."""
    assert_read({**value, "resourceType": kind})
