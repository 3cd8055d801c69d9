"""FHIR to facts: which Procedures document which line, where days, codes or counts do not simply agree."""

import pytest

from tests.builders import (
    CLAIM_SUBMIT,
    DAY,
    NECK,
    Json,
    bundle,
    claim,
    claim_request,
    coverage,
    item,
    order,
    order_request,
    procedure,
    ref,
    request,
    span,
)
from tests.facts_of import answered, line, unreadable, visit, visits

NEXT_DAY = "2026-03-03"
LINKED: Json = {"procedure": [{"sequence": 1, "procedureReference": ref("Procedure", "p1")}]}


def found(sent: Json) -> dict[str, list[str]]:
    """The findings of all visits by code, each with the line to mend first."""
    told: dict[str, list[str]] = {}
    for one in answered(sent).reviewed:
        for finding in one.findings:
            told.setdefault(finding.code, []).append(finding.lines[0])
    return told


def test_one_service_on_two_lines_of_its_code() -> None:
    """A Procedure documents every line of its code, and its minutes count once for all of them."""
    sent = claim_request(claim(item(1, "97110", 2), item(2, "97110", 2)), procedure("p1", "97110", "09:00", 15))
    assert [one.services for one in visit(sent).lines] == [("Procedure/p1",)] * 2
    assert "units.too-many" in found(sent)
    assert "units.minutes-unknown" not in found(sent)


def test_one_service_behind_two_codes() -> None:
    """A Procedure does not document a line of another code, whatever the claim links."""
    draft = claim(item(1, "97110", 2, procedureSequence=[1]), item(2, "97530", 2, procedureSequence=[1]), **LINKED)
    sent = claim_request(draft, procedure("p1", "97110", "09:00", 30))
    assert [one.services for one in visit(sent).lines] == [("Procedure/p1",), ()]
    assert unreadable(sent) == ["Procedure/p1"]


def test_two_services_at_the_same_time() -> None:
    """Minutes that two Procedures of one line share count once."""
    twice = (procedure("p1", "97110", "09:00", 15), procedure("p2", "97110", "09:00", 15))
    one = line(claim_request(claim(item(1, "97110", 2)), *twice))
    assert one.minutes is not None
    assert one.minutes.value == 15


def test_another_level_of_manipulation() -> None:
    """A spinal manipulation documents a line of another level, so that the level can be compared."""
    sites = [{"text": "neck"}, {"text": "low back"}, {"text": "sacrum"}]
    sent = claim_request(claim(item(1, "98942")), procedure("p1", "98941", "09:00", 10, bodySite=sites))
    assert line(sent).regions == {"cervical", "lumbar", "sacral"}
    assert "policy.cmt-level" in found(sent)


@pytest.mark.parametrize("linked", [True, False])
def test_evening_stored_in_utc(linked: bool) -> None:
    """A service of the evening, written in UTC, belongs to the day of its encounter."""
    evening = {"start": f"{NEXT_DAY}T00:30:00Z", "end": f"{NEXT_DAY}T00:45:00Z"}
    draft = claim(item(1, "97110", 3, **({"procedureSequence": [1]} if linked else {})), **(LINKED if linked else {}))
    sent = claim_request(draft, procedure("p1", "97110", "09:00", 15, performedPeriod=evening))
    assert line(sent).services == ("Procedure/p1",)


def test_days_beside_the_encounter() -> None:
    """A claim over two days finds the record of both, though only one is the day of the encounter in context."""
    there: Json = {"performedPeriod": span("09:00", 15, NEXT_DAY), "encounter": ref("Encounter", "other")}
    later = procedure("p2", "97110", "09:00", 15, **there)
    sent = claim_request(
        claim(item(1, "97110", 1), item(2, "97110", 3, servicedDate=NEXT_DAY)),
        procedure("p1", "97110", "09:00", 15),
        history=bundle(later),
    )
    assert [one.lines[0].services for one in visits(sent)] == [("Procedure/p1",), ("Procedure/p2",)]


@pytest.mark.parametrize("status", ["not-done", "stopped", "entered-in-error", "preparation"])
def test_service_that_was_not_given(status: str) -> None:
    """A billed service whose only Procedure says that it was not given is said to be so."""
    sent = claim_request(claim(item(1, "97110", 2)), procedure("p1", "97110", "09:00", 5, status=status))
    assert line(sent).not_given == status
    assert "facts.not-given" in found(sent)


def test_service_that_was_given_after_all() -> None:
    """A service that was begun again and given is not called not given."""
    stopped = procedure("p1", "97110", "09:00", 5, status="stopped")
    sent = claim_request(claim(item(1, "97110", 1)), stopped, procedure("p2", "97110", "09:10", 15))
    assert line(sent).not_given == ""


@pytest.mark.parametrize("unit", ["visits", "Visit", "{visit}", "sessions", "times per week"])
def test_order_for_a_series(unit: str) -> None:
    """A number of visits is no number of units: it is said, and nothing is corrected."""
    sent = order_request(order("o1", "98940", quantityQuantity={"value": 12, "unit": unit}))
    assert line(sent).unread
    assert unreadable(sent) == ["ServiceRequest/o1.quantity"]
    assert not [code for code in found(sent) if code.startswith("units.")]


@pytest.mark.parametrize("value", [1.5, -1])
def test_units_that_are_none(value: float) -> None:
    """Units that are no whole number are said, not overwritten."""
    sent = claim_request(claim(item(1, "97110", value)), procedure("p1", "97110", "09:00", 15))
    assert not [code for code in found(sent) if code.startswith("units.")]
    assert unreadable(sent)


def test_item_over_several_days() -> None:
    """An item that covers several days is not corrected by the minutes of one."""
    week: Json = {"servicedDate": None, "servicedPeriod": {"start": DAY, "end": "2026-03-06"}}
    draft = claim(item(1, "97110", 5, **week))
    del draft["item"][0]["servicedDate"]
    sent = claim_request(draft, procedure("p1", "97110", "09:00", 15))
    assert not [code for code in found(sent) if code.startswith("units.")]


def test_modifier_of_a_system_of_the_ehr() -> None:
    """Where only modifiers can stand, one of a code system that we do not know counts, and is not added again."""
    own = [{"coding": [{"system": "https://ehr.example/modifiers", "code": code}]} for code in ("59", "GP")]
    assert line(claim_request(claim(item(1, "97112", 1, modifier=own)))).modifiers == ("59", "GP")


def test_coverage_of_somebody_else() -> None:
    """A Coverage of another patient pays for nobody here."""
    theirs = coverage("Original Medicare", beneficiary=ref("Patient", "somebody-else"))
    draft = claim(item(1, "97110"))
    del draft["insurance"]
    sent = request(CLAIM_SUBMIT, {"claim": draft}, coverage=bundle(theirs))
    assert visit(sent).payer.book == ""


@pytest.mark.parametrize("date", ["yesterday", "03/10/2026", "2026-13-45"])
def test_broken_date(date: str) -> None:
    """A date of service that is none is said, though the encounter gives one."""
    assert unreadable(claim_request(claim(item(1, "97110", servicedDate=date)))) == [
        "context.claim.item[0].servicedDate"
    ]


@pytest.mark.parametrize("start", ["2026-03-02 09:00", "2026-03-02T9"])
def test_broken_time(start: str) -> None:
    """A time that cannot be read is said."""
    period = {"start": start, "end": f"{DAY}T09:15:00-05:00"}
    sent = claim_request(claim(item(1, "97110")), procedure("p1", "97110", "09:00", 15, performedPeriod=period))
    assert unreadable(sent) == ["Procedure/p1.performedPeriod"]
    assert line(sent).minutes is None


def test_one_visit_on_two_claims() -> None:
    """What may not be billed together may not be billed on two claims of a batch either."""
    both = bundle(claim(item(1, "98940"), name="a"), claim(item(1, "97140"), name="b"), kind="collection")
    adjusted = procedure("p1", "98940", "09:00", 10, NECK)
    treated = procedure("p2", "97140", "09:10", 15, NECK)
    assert found(claim_request(both, adjusted, treated))["pairs.same-region"] == ["Claim/b#1"]


def test_two_visits_in_one_batch() -> None:
    """Claims of two days have nothing to do with each other."""
    later = claim(item(1, "97140", servicedDate=NEXT_DAY), name="b")
    both = bundle(claim(item(1, "98940"), name="a"), later, kind="collection")
    adjusted = procedure("p1", "98940", "09:00", 10, NECK)
    treated = procedure("p2", "97140", "09:10", 15, NECK, performedPeriod=span("09:10", 15, NEXT_DAY))
    assert "pairs.same-region" not in found(claim_request(both, adjusted, treated))
