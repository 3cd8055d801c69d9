"""FHIR to facts: the minutes of a service, wherever a record states them, and records that contradict themselves."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import (
    CPT,
    DAY,
    UCUM,
    Json,
    bundle,
    claim,
    claim_request,
    coded,
    encounter,
    form,
    item,
    order,
    order_request,
    procedure,
    ref,
    span,
)
from tests.exchange import cards, codes, slots, the
from tests.facts_of import line, unreadable

OURS = "https://visitcue.org/fhir/StructureDefinition/treatment-minutes"
THEIRS = "https://ehr.example/fhir/StructureDefinition/time-on-task"
TEN = {"value": 10, "system": UCUM, "code": "min", "unit": "minutes"}


def given(**more: Any) -> Json:
    """Exercise of the visit, of which the day is known."""
    return procedure("exercise", "97110", **more)


def billed(*procedures: Json, **more: Any) -> Json:
    return claim_request(claim(item(1, "97110")), *procedures, **more)


def measured(value: Json, **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": "time",
        "status": "final",
        "code": {"text": "Treatment time"},
        "partOf": [ref("Procedure", "exercise")],
        **(value | more),
    }


EXTENDED: dict[str, Json] = {
    "a duration": {"url": OURS, "valueDuration": TEN},
    "a quantity": {"url": OURS, "valueQuantity": {"value": 600, "code": "s", "system": UCUM}},
    "a whole number": {"url": OURS, "valueInteger": 10},
    "an unsigned number": {"url": OURS, "valueUnsignedInt": 10},
    "a decimal": {"url": OURS, "valueDecimal": 10.4},
}


@pytest.mark.parametrize("extension", EXTENDED.values(), ids=EXTENDED)
def test_minutes_of_an_extension(extension: Json) -> None:
    """An extension of the table holds the minutes of its Procedure, whatever type of value it has."""
    found = line(billed(given(extension=[{"url": "https://ehr.example/other", "valueString": "x"}, extension]))).minutes
    assert found is not None
    assert (found.value, found.read_from) == (10, "Procedure/exercise.extension[1]")


def test_minutes_beside_a_date() -> None:
    """An extension of the date of a Procedure says how long it took."""
    beside = {"extension": [{"url": OURS, "valueDuration": TEN}]}
    found = line(billed(given(_performedDateTime=beside))).minutes
    assert found is not None
    assert found.value == 10


def test_extension_of_another_kind() -> None:
    """An extension that is in no table tells nothing, whatever it holds, and is no fault."""
    request = billed(given(extension=[{"url": THEIRS, "valueDuration": {"value": "ten"}}, {"url": 7}, "x"]))
    assert line(request).minutes is None
    assert unreadable(request) == []


BROKEN: dict[str, Json] = {
    "no unit of time": {"url": OURS, "valueQuantity": {"value": 3, "unit": "visits"}},
    "a number as a string": {"url": OURS, "valueInteger": "10"},
    "no value": {"url": OURS},
    "a negative number": {"url": OURS, "valueInteger": -3},
}


@pytest.mark.parametrize("extension", BROKEN.values(), ids=BROKEN)
def test_broken_extension(extension: Json) -> None:
    """An extension of the table that holds no minutes is a gap, and the Procedure is read all the same."""
    request = billed(given(extension=[extension]))
    assert line(request).services == ("Procedure/exercise",)
    assert [path.startswith("Procedure/exercise.extension[0]") for path in unreadable(request)] == [True]


def test_extension_of_the_practice(client: FlaskClient) -> None:
    """An EHR's own extension holds minutes once the practice has named it."""
    request = billed(given(extension=[{"url": THEIRS, "valueDuration": TEN}]), payer="Commercial")
    assert "units.minutes-unknown" in codes(cards(client, request))
    told = create_app(Settings(minutes_extensions=[THEIRS])).test_client()
    assert "units.minutes-unknown" not in codes(cards(told, request))


VALUES: dict[str, Json] = {
    "a quantity": {"valueQuantity": TEN},
    "a whole number": {"valueInteger": 10},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("link", ["partOf", "focus"])
def test_minutes_of_an_observation(link: str, value: Json) -> None:
    """An Observation of treatment time that is part of a Procedure states its minutes, and not the visit's."""
    one = measured(value, **({"partOf": []} | {link: [ref("Procedure", "exercise")]}))
    request = billed(given(), observations=bundle(one))
    found = line(request).minutes
    assert found is not None
    assert (found.value, found.read_from.split(".")[0]) == (10, "Observation/time")


@pytest.mark.parametrize(
    "more",
    [
        {"status": "entered-in-error"},
        {"partOf": [ref("Procedure", "another")]},
        {"code": coded("http://loinc.org", "8867-4", text="Heart rate")},
    ],
    ids=["withdrawn", "of another service", "of something else"],
)
def test_observation_that_does_not_count(more: Json) -> None:
    """An Observation that was withdrawn, is part of another service or measures something else states no minutes."""
    assert line(billed(given(), observations=bundle(measured({"valueInteger": 10}, **more)))).minutes is None


def test_minutes_of_a_timing() -> None:
    """In R5 the Timing of a Procedure may say how long it took."""
    timing = {"repeat": {"duration": 10, "durationUnit": "min"}}
    one = {key: value for key, value in given(occurrenceTiming=timing).items() if key != "performedDateTime"}
    found = line(billed(one)).minutes
    assert found is not None
    assert (found.value, found.read_from) == (10, "Procedure/exercise.occurrenceTiming")


def test_minutes_of_the_claim() -> None:
    """A quantity in minutes on the claim line counts where the record states none."""
    found = line(claim_request(claim(item(1, "97110", quantity=TEN)), given())).minutes
    assert found is not None
    assert found.value == 10


AGREED: dict[str, Json] = {
    "the form rounds": billed(
        procedure("exercise", "97110", "09:00", 16), forms=bundle(form("f", "exercise", answers={"actual_time": 15}))
    ),
    "the claim says the same": claim_request(
        claim(item(1, "97110", quantity=TEN)), procedure("exercise", "97110", "09:00", 10)
    ),
    "two lines share one Procedure": claim_request(
        claim(item(1, "97110", quantity=TEN), item(2, "97110", quantity=TEN)),
        procedure("exercise", "97110", "09:00", 20),
    ),
    "what was ordered need not be what was given": order_request(
        order("o", "97110", occurrencePeriod=span("14:00", 45)),
        procedures=(procedure("exercise", "97110", "09:00", 20, basedOn=[ref("ServiceRequest", "o")]),),
    ),
}


@pytest.mark.parametrize("request_", AGREED.values(), ids=AGREED)
def test_no_contradiction(request_: Json) -> None:
    """Minutes that differ by rounding, or that are not those of the same service, contradict nothing."""
    assert line(request_).disputed == ()
    assert line(request_).minutes is not None


CONTRADICTED: dict[str, tuple[Json, list[int]]] = {
    "by a form": (
        billed(
            procedure("exercise", "97110", "09:00", 20),
            forms=bundle(form("f", "exercise", answers={"actual_time": 50})),
        ),
        [20, 50],
    ),
    "by an extension": (
        billed(procedure("exercise", "97110", "09:00", 20, extension=[{"url": OURS, "valueInteger": 38}])),
        [20, 38],
    ),
    "by an observation": (
        billed(procedure("exercise", "97110", "09:00", 20), observations=bundle(measured({"valueInteger": 38}))),
        [20, 38],
    ),
    "by the claim": (
        claim_request(claim(item(1, "97110", quantity=TEN)), procedure("exercise", "97110", "09:00", 40)),
        [40, 10],
    ),
}


@pytest.mark.parametrize(("request_", "stated"), CONTRADICTED.values(), ids=CONTRADICTED)
def test_contradicted(client: FlaskClient, request_: Json, stated: list[int]) -> None:
    """Minutes that two places state differently are a finding with both, and no units are advised from either."""
    found = cards(client, request_)
    assert slots(the(found, "units.minutes-disagree"))["stated"] == stated
    assert not [code for code in codes(found) if code.startswith("units.") and code != "units.minutes-disagree"]


WORDS: dict[str, tuple[Json, int | None]] = {
    "a note": ({"note": [{"text": "Bridges and step-ups, 15 min."}]}, 15),
    "the printed name": ({"code": {"coding": [{"system": CPT, "code": "97110"}], "text": "97110 x 23 minutes"}}, 23),
    "a time in words": ({"performedDateTime": None, "performedString": "15-minute block"}, 15),
    "the same number twice": ({"note": [{"text": "15 min, as planned: 15 minutes"}]}, 15),
    "two numbers": ({"note": [{"text": "15 min bridges, 8 min stretching"}]}, None),
    "a clock": ({"note": [{"text": "Done at 9:15 min"}]}, None),
    "too much": ({"note": [{"text": "600 minutes"}]}, None),
    "no minutes": ({"note": [{"text": "3 sets of 10"}]}, None),
}


@pytest.mark.parametrize(("more", "guess"), WORDS.values(), ids=WORDS)
def test_minutes_in_words(client: FlaskClient, more: Json, guess: int | None) -> None:
    """Minutes that only words speak of are a guess: they are told, and decide nothing."""
    one = {key: value for key, value in given(**more).items() if value is not None}
    request = billed(one, payer="Commercial")
    found = line(request)
    assert (found.minutes, found.guess.value if found.guess else None) == (None, guess)
    assert "suggestions" not in the(cards(client, request), "units.minutes-unknown")


def test_words_beside_minutes() -> None:
    """Where minutes are stated, words beside them are no second statement."""
    one = procedure("exercise", "97110", "09:00", 20, note=[{"text": "15 min of bridges, then steps"}])
    found = line(billed(one))
    assert (found.minutes.value if found.minutes else None, found.guess, found.disputed) == (20, None, ())


def test_partial_date() -> None:
    """A Procedure of a month is of no day, has no minutes, and is no fault."""
    request = billed(given(performedDateTime=DAY[:7]))
    assert unreadable(request) == []
    assert line(request).minutes is None


MODIFIED: dict[str, Json] = {
    "our own": {
        "url": "https://visitcue.org/fhir/StructureDefinition/billing-modifier",
        "valueCode": "GP",
    },
    "nested": {
        "url": "https://fhir-ehr.cerner.com/r4/StructureDefinition/modifier-code",
        "extension": [
            {
                "url": "code",
                "valueCodeableConcept": {"coding": [{"system": "https://ehr.example/set/1", "code": "GP"}]},
            },
            {"url": "priority", "valueUnsignedInt": 1},
        ],
    },
}


@pytest.mark.parametrize("extension", MODIFIED.values(), ids=MODIFIED)
def test_modifiers_of_an_extension(extension: Json) -> None:
    """An extension of the table names a modifier of a claim line, an order or a Procedure."""
    assert line(claim_request(claim(item(1, "97110", extension=[extension])), given())).modifiers == ("GP",)
    assert line(order_request(order("o", "97110", extension=[extension]))).modifiers == ("GP",)


VISIT = span("09:00", 60)


def test_time_of_the_encounter_on_every_service() -> None:
    """Where several Procedures carry the encounter's own time, it is a stamp: neither minutes nor shared time."""
    stamped = [procedure(name, code, "09:00", 60) for name, code in (("exercise", "97110"), ("manual", "97140"))]
    request = claim_request(claim(item(1, "97110"), item(2, "97140")), *stamped, encounter=encounter(period=VISIT))
    for place in (0, 1):
        found = line(request, place)
        assert (found.minutes, found.times, found.stamped) == (None, (), False)


def test_time_of_the_encounter_beside_minutes() -> None:
    """Where another place states the minutes, the encounter's own time on a Procedure does not contradict it."""
    one = procedure("exercise", "97110", "09:00", 60, extension=[{"url": OURS, "valueInteger": 15}])
    found = line(billed(one, encounter=encounter(period=VISIT)))
    assert (found.minutes.value if found.minutes else None, found.disputed) == (15, ())


def test_time_of_the_encounter_on_one_service() -> None:
    """One service may have taken the whole encounter: its minutes count, and are known to be those of the encounter."""
    found = line(billed(procedure("exercise", "97110", "09:00", 60), encounter=encounter(period=VISIT)))
    assert (found.minutes.value if found.minutes else None, found.stamped) == (60, True)


def test_no_click_raises_units_by_a_stamp(client: FlaskClient) -> None:
    """No suggestion raises units on a time that is the encounter's, or that two one-on-one services share."""
    whole = billed(procedure("exercise", "97110", "09:00", 60), encounter=encounter(period=VISIT), payer="Commercial")
    shared = claim_request(
        claim(item(1, "97110"), item(2, "97140")),
        procedure("exercise", "97110", "09:00", 45),
        procedure("manual", "97140", "09:05", 45),
        payer="Commercial",
    )
    for request in (whole, shared):
        labels = [one["label"] for card in cards(client, request) for one in card.get("suggestions", ())]
        assert not [label for label in labels if label.startswith(("Bill", "Apply"))]


def test_one_service_under_two_codes() -> None:
    """Unattended stimulation is recorded as 97014 and billed as G0283: one documents the other."""
    request = claim_request(claim(item(1, "G0283")), procedure("stim", "97014"), payer="Medicare Part B")
    assert (line(request).services, line(request).undocumented) == (("Procedure/stim",), False)
