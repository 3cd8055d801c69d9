"""FHIR to facts: what counts as documented, and what only looks like it."""

from typing import Any

import pytest

from tests.builders import (
    DAY,
    ENCOUNTER,
    ICD10,
    SNOMED,
    Json,
    billing,
    bundle,
    claim,
    claim_request,
    coded,
    coverage,
    discharge_request,
    item,
    order,
    order_request,
    procedure,
    ref,
    span,
)
from tests.facts_of import line, unreadable, visit

LOCAL = "https://ehr.example/charges"
LOINC = "http://loinc.org"
PCS = "http://www.cms.gov/Medicare/Coding/ICD10"
EMPTY: Json = {"coding": [{"system": SNOMED, "code": ""}], "text": ""}
NOBODY: Json = {"reference": "", "display": ""}


def shown(**more: Any) -> frozenset[str]:
    """The evidence of a manual therapy that was given."""
    return line(discharge_request(procedure("p", "97140", **more))).evidence


def named_as(*codings: tuple[str, str]) -> Json:
    return {"coding": [*billing("97140")["coding"], *({"system": system, "code": code} for system, code in codings)]}


NAMES: dict[str, tuple[Json, bool]] = {
    "SNOMED CT": (named_as((SNOMED, "243093006")), True),
    "LOINC": (named_as((LOINC, "00000-0")), True),
    "ICD-10-PCS": (named_as((PCS, "F07L0ZZ")), True),
    "SNOMED CT behind a local code": (named_as((LOCAL, "T97140"), (SNOMED, "243093006")), True),
    "a local code": (named_as((LOCAL, "T97140")), False),
    "two local codes": (named_as((LOCAL, "T97140"), ("urn:oid:1.2.3", "7")), False),
    "a diagnosis": (named_as((ICD10, "M54.2")), False),
    "an empty code of SNOMED CT": (named_as((SNOMED, " ")), False),
}


@pytest.mark.parametrize(("code", "technique"), NAMES.values(), ids=NAMES)
def test_technique(code: Json, technique: bool) -> None:
    """A code of a clinical terminology beside the billing code names the technique; one of the price list does not."""
    assert ("technique" in shown(code=code)) == technique


SHOWN: dict[str, tuple[Json, set[str]]] = {
    "a reason": ({"reasonCode": [{"text": "stiff neck"}]}, {"reason"}),
    "a reason by its display": ({"reasonCode": [{"coding": [{"display": "stiff neck"}]}]}, {"reason"}),
    "a diagnosis": ({"reasonCode": [coded(ICD10, "M54.2")]}, {"reason", "diagnosis"}),
    "a diagnosis that was not sent": ({"reasonReference": [ref("Condition", "c")]}, {"reason", "diagnosis"}),
    "a diagnosis in words": ({"reasonReference": [{"reference": "", "display": "Pain"}]}, {"reason", "diagnosis"}),
    "an outcome": ({"outcome": {"text": "less pain"}}, {"outcome"}),
    "a device by name": ({"usedCode": [{"text": "band"}]}, {"device", "technique"}),
    "a device by reference": ({"usedReference": [ref("Device", "d")]}, {"device"}),
    "R5: a device by name": ({"used": [{"concept": {"text": "band"}}]}, {"device", "technique"}),
    "R5: a device by reference": ({"used": [{"reference": ref("Device", "d")}]}, {"device"}),
    "R5: a reason": ({"reason": [{"concept": {"text": "stiff neck"}}]}, {"reason"}),
    "a performer": ({"performer": [{"actor": {"display": "Quinn Quill"}}]}, {"performer"}),
    "an empty reason": ({"reasonCode": [EMPTY]}, set()),
    "a reason that is absent with a reason": ({"reasonCode": [{"extension": [{"url": "urn:x"}]}]}, set()),
    "an empty reference": ({"reasonReference": [NOBODY]}, set()),
    "an empty outcome": ({"outcome": EMPTY}, set()),
    "an empty device": ({"usedCode": [EMPTY], "usedReference": [NOBODY], "used": [{"concept": EMPTY}]}, set()),
    "R5: an empty reason": ({"reason": [{"reference": NOBODY}, {"concept": EMPTY}]}, set()),
    "an empty performer": ({"performer": [{"actor": NOBODY}]}, set()),
}


@pytest.mark.parametrize(("more", "kinds"), SHOWN.values(), ids=SHOWN)
def test_empty_strings_show_nothing(more: Json, kinds: set[str]) -> None:
    """An element counts as documented where something stands in it, in whichever form; empty strings are nothing."""
    assert shown(**more) - shown() == kinds


def test_empty_diagnosis_of_a_claim() -> None:
    """A diagnosis of the claim in which nothing stands is none, and no number points nowhere for it."""
    empty = claim(
        item(1, "97110", diagnosisSequence=[1]), diagnosis=[{"sequence": 1, "diagnosisCodeableConcept": EMPTY}]
    )
    assert "diagnosis" not in line(claim_request(empty)).evidence
    assert unreadable(claim_request(empty)) == []


def test_contained_conditions() -> None:
    """A Condition within the claim, the Procedure or the order is a diagnosis like any other."""
    inside = [{"resourceType": "Condition", "id": "c", "code": coded(ICD10, "M25.561")}]
    why: Json = {"contained": inside, "reasonReference": [{"reference": "#c"}]}
    billed = claim(
        item(1, "97110", diagnosisSequence=[1]),
        contained=inside,
        diagnosis=[{"sequence": 1, "diagnosisReference": {"reference": "#c"}}],
    )
    for request in (
        claim_request(billed),
        claim_request(claim(item(1, "97110")), procedure("p", "97110", **why)),
        order_request(order("o-1", "97110", **why)),
    ):
        assert line(request).diagnoses == ("M25.561",)


def test_contained_condition_of_another_resource() -> None:
    """What one Procedure contains is no diagnosis of another that uses the same local name."""
    inside = [{"resourceType": "Condition", "id": "c", "code": coded(ICD10, "M25.561")}]
    request = discharge_request(
        procedure("p", "97110", contained=inside), procedure("q", "97140", reasonReference=[{"reference": "#c"}])
    )
    assert [one.diagnoses for one in visit(request).lines] == [(), ()]


def parameter(name: str, value: Json) -> Json:
    return {"parameter": [{"code": {"text": name}, **value}]}


PARAMETERS: dict[str, tuple[Json, tuple[str, ...]]] = {
    "a coded modifier": (parameter("Modifier", {"valueCodeableConcept": billing("GP")}), ("GP",)),
    "a modifier as a string": (parameter("Billing modifier", {"valueString": "gp"}), ("GP",)),
    "a modifier by its code": (parameter("extra", {"valueCodeableConcept": billing("59")}), ("59",)),
    "something else of two characters": (parameter("frequency", {"valueString": "3x"}), ()),
    "a concept of two characters": (parameter("when", {"valueCodeableConcept": {"text": "AM"}}), ()),
    "a parameter of another type": (parameter("modifier", {"valueBoolean": True}), ()),
}


@pytest.mark.parametrize(("detail", "found"), PARAMETERS.values(), ids=PARAMETERS)
def test_modifiers_of_an_r5_order(detail: Json, found: tuple[str, ...]) -> None:
    """R5 keeps the modifiers of an order in the parameters of its details; not every parameter is one."""
    assert line(order_request(order("o-1", "97140", orderDetail=[detail]))).modifiers == found


@pytest.mark.parametrize("element", ["performedPeriod", "occurrencePeriod"])
def test_minutes_name_their_element(element: str) -> None:
    """Minutes are said to be read from the element that states them, of R4 or of R5."""
    given = {**procedure("p", "97110"), element: span("09:00", 20)}
    del given["performedDateTime"]
    found = line(discharge_request(given)).minutes
    assert found is not None
    assert (found.value, found.read_from) == (20, f"Procedure/p.{element}")


def total(**values: Any) -> Json:
    about: Json = {"code": {"text": "Total timed minutes"}, "encounter": ref("Encounter", ENCOUNTER)}
    return bundle({"resourceType": "Observation", "id": "o", "status": "final", **about, **values})


def test_two_values_of_a_total() -> None:
    """Of two values of one total neither counts, unless they are the same."""
    quantity = {"value": 40, "unit": "min"}
    exercise = procedure("p", "97110")
    split = discharge_request(exercise, observations=total(valueInteger=55, valueQuantity=quantity))
    assert visit(split).total_timed is None
    assert unreadable(split) == ["Observation/o.value[x]"]
    same = visit(
        discharge_request(procedure("p", "97110"), observations=total(valueInteger=40, valueQuantity=quantity))
    )
    assert same.total_timed is not None
    assert same.total_timed.value == 40


def test_two_days_of_a_service() -> None:
    """Where a service is dated twice it is one of the day on which its period starts, which tells its minutes too."""
    dated = procedure("p", "97110", performedDateTime="2026-03-01", performedPeriod=span("09:00", 20))
    found = visit(discharge_request(dated, procedure("q", "97140", "09:20", 15)))
    assert (found.date.isoformat(), [one.code for one in found.lines]) == (DAY, ["97110", "97140"])


def test_service_of_a_group() -> None:
    """A service of a Group is not the patient's own: it is left out and said, and costs no other one."""
    unknown = procedure("q", "97140", subject={"display": "Fake, Pat"})
    request = discharge_request(procedure("p", "97150", subject=ref("Group", "g")), unknown)
    assert [one.code for one in visit(request).lines] == ["97140"]
    assert unreadable(request) == ["Procedure/p"]


def test_patient_who_pays() -> None:
    """That the patient pays himself is no name of a payer; what else a coverage is called is still seen."""
    pays = coded("http://terminology.hl7.org/CodeSystem/coverage-selfpay", "pay", text="Self-pay")
    alone = discharge_request(procedure("p", "97110"))
    for kind, saw in ((pays, ()), ({"text": "Fake Mutual Plan"}, ("Fake Mutual Plan",))):
        alone["prefetch"]["coverage"] = bundle({**coverage(), "payor": [ref("Patient", "x")], "type": kind})
        assert visit(alone).payer.saw == saw


def test_null_in_lists() -> None:
    """null in a list of strings, which FHIR allows beside an extension, costs nothing."""
    draft = claim(item(1, "97110"))
    draft["insurance"][0]["preAuthRef"] = [None]
    doctor = {"resourceType": "Practitioner", "id": "d", "name": [{"suffix": [None, "PT"]}]}
    given = procedure("p", "97110", performer=[{"actor": ref("Practitioner", "d")}])
    organization = {"resourceType": "Organization", "id": "o", "alias": [None, "Aetna"]}
    paid = bundle({**coverage(), "payor": [ref("Organization", "o")]}, organization)
    request = claim_request(draft, given, doctor, coverage=paid)
    assert unreadable(request) == []
    assert line(request).roles == {"physical-therapist"}
    assert (visit(request).payer.book, visit(request).authorized) == ("aetna", False)


POINTERS: dict[str, tuple[Json, bool]] = {
    "a number that points nowhere": (claim(item(1, "97110", diagnosisSequence=[9])), True),
    "a modifier that is none": (claim(item(1, "97110", modifier=[billing("5-9")])), True),
    "details": (claim(item(1, "97110", detail=[{"sequence": 1}])), False),
    "a code that is none": (claim(item(1, "97110"), item(2, "9711O")), False),
}


@pytest.mark.parametrize(("draft", "says"), POINTERS.values(), ids=POINTERS)
def test_what_the_claim_leaves_out(draft: Json, says: bool) -> None:
    """A service that no line bills is only missed where every line's services are known."""
    request = claim_request(draft, procedure("p", "97140", "09:00", 20))
    assert len(unreadable(request)) == 1
    assert visit(request).says_unbilled == says
