"""FHIR to facts: Bundles within Bundles, entries that are none, null for what is not known, one id that comes twice."""

from typing import Any

import pytest

from cds_hooks.outcome import Refusal
from plugin.answer import Setup
from plugin.documents import review_document
from plugin.services import services
from plugin.settings import Settings
from tests.builders import (
    PATIENT,
    Json,
    bundle,
    claim,
    claim_request,
    discharge_request,
    encounter,
    form,
    item,
    order,
    order_request,
    procedure,
    text,
)
from tests.facts_of import TODAY, answered, line, unreadable, visit, visits

EXERCISE = procedure("a", "97110", "09:00", 20)
MANUAL = procedure("b", "97140", "09:20", 15)
SERVICES = services(Settings())
URN = "urn:uuid:00000000-0000-4000-8000-00000000000"
NOT_A_LIST: list[Any] = [{"resource": EXERCISE}, "entries", 7]


def batch(*bundles: Json) -> Json:
    return bundle(*bundles, kind="batch-response")


def minutes(body: Json) -> dict[str, int]:
    """The minutes of the visits' lines, by code."""
    found = [one for each in visits(body) for one in each.lines]
    return {one.code: one.minutes.value for one in found if one.minutes is not None}


@pytest.mark.parametrize("sent", [batch(bundle(EXERCISE), bundle(MANUAL)), bundle(EXERCISE, bundle(), bundle(MANUAL))])
def test_bundle_of_bundles(sent: Json) -> None:
    """The resources of Bundles in a Bundle are read, as a batch of searches is answered."""
    body = discharge_request(procedures=sent)
    assert minutes(body) == {"97110": 20, "97140": 15}
    assert unreadable(body) == []


def test_claims_and_orders_in_bundles_of_bundles() -> None:
    """Drafts are found in Bundles within a Bundle as well."""
    draft = claim(item(1, "97110", 1), item(2, "97140", 1))
    assert [one.draft for one in visits(claim_request(batch(bundle(draft))))] == [f"Claim/{draft['id']}"]
    orders = order_request()
    orders["context"]["draftOrders"] = batch(bundle(order("o", "97110")), bundle(order("p", "97140")))
    assert [one.code for one in visit(orders).lines] == ["97110", "97140"]


def test_broken_entry_of_an_inner_bundle() -> None:
    """A broken entry of an inner Bundle is said with its whole path, and costs itself."""
    body = discharge_request(procedures=batch(bundle(MANUAL), bundle({**EXERCISE, "note": "a word"})))
    assert minutes(body) == {"97140": 15}
    assert unreadable(body) == ["prefetch.procedures.entry[1].resource.entry[0].resource.note"]


def test_deeper_bundles() -> None:
    """What stands in Bundles in Bundles in Bundles is not read, and is said."""
    deep = batch(batch(bundle(EXERCISE)), bundle(MANUAL))
    assert unreadable(discharge_request(procedures=deep)) == ["prefetch.procedures.entry[0].resource.entry[0].resource"]
    body = claim_request(bundle(claim(item(1, "97110", 1)), batch(bundle(claim(item(1, "97140", 1))))))
    assert unreadable(body) == ["context.claim.entry[1].resource.entry[0].resource"]


@pytest.mark.parametrize("entries", NOT_A_LIST)
def test_entries_that_are_no_list(entries: Any) -> None:
    """A Bundle whose entries are no list is said, and what it may show is not called missing."""
    wrong = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    body = claim_request(claim(item(1, "97110", 1)), procedures=wrong, observations=wrong, history=wrong)
    places = [f"prefetch.{key}.entry" for key in ("procedures", "observations", "history")]
    assert sorted(unreadable(body)) == sorted(places)
    found = visit(body)
    assert (found.record_sent, found.history.whole, found.lines[0].undocumented) == (False, False, False)
    assert "outcome-measure" in found.not_sent
    inside = discharge_request(procedures=bundle(wrong, EXERCISE))
    assert unreadable(inside) == ["prefetch.procedures.entry[0].resource.entry"]
    assert minutes(inside) == {"97110": 20}


@pytest.mark.parametrize("entries", NOT_A_LIST)
def test_drafts_that_are_no_list(entries: Any) -> None:
    """Drafts that are no list are refused, with the place."""
    wrong = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    orders = order_request()
    orders["context"]["draftOrders"] = wrong
    for body, place in ((claim_request(wrong), "context.claim.entry"), (orders, "context.draftOrders.entry")):
        with pytest.raises(Refusal) as refused:
            answered(body)
        assert [issue.path for issue in refused.value.issues] == [place]


@pytest.mark.parametrize("broken", [{"status": 7}, {"component": [], "valueInteger": "3"}])
def test_resource_that_cannot_be_read(broken: Json) -> None:
    """Where the one resource under a key cannot be read, what the key shows is not called missing."""
    body = claim_request(claim(item(1, "97110", 1)), EXERCISE, observations={"resourceType": "Observation", **broken})
    assert "outcome-measure" in visit(body).not_sent
    assert len(unreadable(body)) == 1


NULLS: list[Json] = [
    {"note": None, "bodySite": None, "basedOn": None},
    {"performer": None, "extension": None, "occurrenceTiming": None, "contained": None},
    {"code": {**EXERCISE["code"], "text": None}, "bodySite": [{"text": "knee", "coding": None}]},
    {"performer": [{"actor": {"reference": None, "display": "Quinn Quill"}, "function": None}]},
    {"extension": [{"url": "https://vendor.example/any", "extension": None}]},
]


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("request_of", [claim_request, discharge_request])
def test_nulls(request_of: Any, nulls: Json) -> None:
    """Null for an element says no more than leaving it out."""
    drafts = [claim({**item(1, "97110", 1), "modifier": None, "diagnosisSequence": None}, careTeam=None)]
    drafts = drafts if request_of is claim_request else []
    body = request_of(*drafts, {**EXERCISE, **nulls})
    without = request_of(*drafts, {**EXERCISE, **{key: value for key, value in nulls.items() if value is not None}})
    assert visits(body) == visits(without)
    assert unreadable(body) == []


def test_null_and_a_status_that_is_absent() -> None:
    """A status that is null is missing, whatever null stands beside it."""
    body = discharge_request({**EXERCISE, "status": None, "_status": None})
    assert unreadable(body) == ["Procedure/a.status"]


@pytest.mark.parametrize("value", [2**64, 2**70, -(2**70), 1e300])
def test_null_beside_any_number(value: float) -> None:
    """A null beside a number of any size is still only a null."""
    assert line(discharge_request({**EXERCISE, "note": None, "vendor": [value, None]})).code == "97110"


OTHERWISE: list[Json] = [
    MANUAL | {"id": "a"},
    procedure("a", "97110", "10:00", 20),
    EXERCISE | {"performedPeriod": {"start": "2026-02-09T09:00:00-05:00", "end": "2026-02-09T09:20:00-05:00"}},
]
SAME: list[Json] = [
    EXERCISE,
    {key: EXERCISE[key] for key in ("resourceType", "id", "code", "subject")},
    EXERCISE | {"subject": {"reference": f"https://ehr.example/fhir/Patient/{PATIENT}"}},
]


@pytest.mark.parametrize("other", [*OTHERWISE, *SAME])
def test_one_id_twice(other: Json) -> None:
    """Of two resources with one id the first is read; where the other says otherwise, that is said."""
    body = discharge_request(EXERCISE, MANUAL, history=bundle(other))
    assert minutes(body) == {"97110": 20, "97140": 15}
    assert unreadable(body) == (["Procedure/a"] if other in OTHERWISE else [])


@pytest.mark.parametrize("other", OTHERWISE)
def test_versions(other: Json) -> None:
    """Versions of a resource in a history are one resource, of which the last comes first."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": "Procedure/a"}, "response": {"status": "200"}}
        for one in (EXERCISE, other)
    ]
    body = discharge_request(procedures={"resourceType": "Bundle", "type": "history", "entry": entries})
    assert (minutes(body), unreadable(body)) == ({"97110": 20}, [])


def test_urn_of_what_came_before() -> None:
    """A resource that came before without its fullUrl is known by its urn all the same."""
    here = {**EXERCISE, "encounter": {"reference": f"{URN}1"}}
    record = bundle(here)
    record["entry"].append({"fullUrl": f"{URN}1", "resource": encounter()})
    assert minutes(discharge_request(procedures=record)) == {"97110": 20}


@pytest.mark.parametrize("other", [f"{URN}1", "Patient/p-1", "https://ehr.example/fhir/Patient/p-1"])
@pytest.mark.parametrize("own", [f"{URN}1", "Patient/p-1"])
def test_document_of_a_patient_by_urn(own: str, other: str) -> None:
    """In a document the claim and the record may name the patient by his urn or by his id."""
    draft = {**claim(item(1, "97110", 1)), "patient": {"reference": own}}
    document = bundle({**EXERCISE, "subject": {"reference": other}}, draft, kind="transaction")
    document["entry"].insert(0, {"fullUrl": f"{URN}1", "resource": {"resourceType": "Patient", "id": "p-1"}})
    facts = review_document(text(document), SERVICES, Setup("hns", TODAY)).facts
    assert [one.services for each in facts.visits for one in each.lines] == [("Procedure/a",)]
    assert facts.gaps == ()


def test_document_of_an_unknown_urn() -> None:
    """A urn of nobody that came along tells no patient from another: the record is read."""
    draft = {**claim(item(1, "97110", 1)), "patient": {"reference": f"{URN}9"}}
    facts = review_document(text(bundle(EXERCISE, draft)), SERVICES, Setup("hns", TODAY)).facts
    assert [one.services for each in facts.visits for one in each.lines] == [("Procedure/a",)]


WORDS: list[tuple[str, Any, str]] = [
    ("valueInteger", "7", "expected a whole number, got a string"),
    ("valueDecimal", "7", "expected a number, got a string"),
    ("valueQuantity", 7, "expected an object, got a whole number"),
    ("valueString", 7, "expected a string, got a whole number"),
    ("item", {}, "expected a list, got an object"),
]


@pytest.mark.parametrize(("element", "value", "words"), WORDS)
def test_words_for_types(element: str, value: Any, words: str) -> None:
    """What was expected is said in the sender's words: that the element may be left out goes without saying."""
    forms = bundle(form("f", "a", item=[{"linkId": "actual_time", "answer": [{element: value}]}]))
    (gap,) = answered(discharge_request(EXERCISE, forms=forms)).facts.gaps
    assert gap.reason == words


def version(method: str, name: str, number: int, resource: Json | None = None) -> Json:
    url = f"Procedure/{name}/_history/{number}"
    entry: Json = {"request": {"method": method, "url": url}, "response": {"status": "200"}}
    return entry if resource is None else {**entry, "resource": resource}


HISTORIES: list[tuple[list[Json], set[str]]] = [
    ([version("DELETE", "a", 2), version("POST", "a", 1, EXERCISE), version("POST", "b", 1, MANUAL)], {"97140"}),
    ([version("PUT", "a", 3, EXERCISE), version("DELETE", "a", 2), version("POST", "a", 1, EXERCISE)], {"97110"}),
    ([version("DELETE", "b", 2), version("POST", "a", 1, EXERCISE)], {"97110"}),
    ([version("DELETE", "a", 2), {"resource": EXERCISE}], {"97110"}),
    ([{"request": None}, {"request": {"method": 7}}, version("POST", "a", 1, EXERCISE)], {"97110"}),
]


@pytest.mark.parametrize(("entries", "codes"), HISTORIES)
@pytest.mark.parametrize("apart", [False, True])
def test_deleted(apart: bool, entries: list[Json], codes: set[str]) -> None:
    """Of what a history says was deleted no version counts, unless a search finds it all the same."""
    broken = [{"resource": {"resourceType": "Goal", "target": 7}}] if apart else []
    sent = {"resourceType": "Bundle", "type": "history", "entry": [*entries, *broken]}
    assert set(minutes(discharge_request(procedures=sent))) == codes


def diagnosed_by(patient: str) -> Json:
    """A claim line and its Procedure that both refer to a Condition of this patient."""
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M54.2"}]},
        "subject": {"reference": f"Patient/{patient}"},
    }
    named = {"reference": "Condition/c"}
    draft = claim(item(1, "97110", 1, diagnosisSequence=[1]), diagnosis=[{"sequence": 1, "diagnosisReference": named}])
    record = bundle({**EXERCISE, "reasonReference": [named]}, {**MANUAL, "reason": [{"reference": named}]})
    return claim_request(draft, procedures=record, conditions=bundle(condition))


def test_diagnosis_of_another_patient() -> None:
    """A diagnosis that was left out as another patient's is none of the claim, and no reason of a service."""
    kinds = {"diagnosis", "reason"}
    own, others = diagnosed_by(PATIENT), diagnosed_by("somebody-else")
    assert [one.evidence & kinds for one in visit(own).lines] == [kinds, kinds]
    assert [one.evidence & kinds for one in visit(others).lines] == [set(), set()]
    assert [one.diagnoses for one in visit(others).lines] == [(), ()]
    assert (unreadable(own), unreadable(others)) == ([], ["Condition/*"])


def test_address_that_is_anothers_name() -> None:
    """A fullUrl that is the name of a resource of another type does not stand in its way."""
    goal = {"fullUrl": "Procedure/a", "resource": {"resourceType": "Goal", "lifecycleStatus": "active"}}
    record = {"resourceType": "Bundle", "type": "searchset", "entry": [goal, {"resource": EXERCISE}]}
    assert minutes(discharge_request(procedures=record)) == {"97110": 20}
