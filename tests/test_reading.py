"""FHIR to facts, one service at a time: its minutes, its regions, its code and its modifiers."""

import csv
from typing import Any

import pytest

from mappings import tables
from tests.builders import (
    CPT,
    DAY,
    HCPCS,
    ICD10,
    KNEE,
    LOW_BACK,
    NECK,
    SHOULDER,
    SNOMED,
    UCUM,
    Json,
    bundle,
    claim,
    claim_request,
    coded,
    discharge_request,
    form,
    item,
    modifiers,
    order,
    order_request,
    procedure,
    span,
    time_of,
)
from tests.facts_of import line, unreadable, visits

EARLY, LATE = time_of("09:00"), time_of("09:30")


def aliases(*systems: str) -> list[tuple[str, str]]:
    with (tables.FOLDER / "code_systems.csv").open(encoding="utf-8", newline="") as file:
        return [(row["alias"], row["system"]) for row in csv.DictReader(file) if row["system"] in systems]


def recorded(**more: Any) -> Json:
    """A claim for exercise whose Procedure has these elements and no others about time."""
    given = {**procedure("exercise", "97110"), **more}
    if "performedPeriod" in more or "occurrencePeriod" in more:
        del given["performedDateTime"]
    return claim_request(claim(item(1, "97110")), given)


PERIODS: list[tuple[str, Json, int | None, bool]] = [
    ("minutes", {"start": EARLY, "end": LATE}, 30, False),
    ("two zones", {"start": "2026-03-02T09:00:00-05:00", "end": "2026-03-02T14:30:00Z"}, 30, False),
    ("zone with minutes", {"start": "2026-03-02T09:00:00+05:30", "end": "2026-03-02T09:10:00+05:30"}, 10, False),
    ("seconds", {"start": "2026-03-02T09:00:00Z", "end": "2026-03-02T09:22:59Z"}, 22, False),
    ("parts of a second", {"start": "2026-03-02T09:00:00.500Z", "end": "2026-03-02T09:08:00.499Z"}, 7, False),
    ("over midnight", {"start": "2026-03-02T23:50:00-05:00", "end": "2026-03-03T00:05:00-05:00"}, 15, False),
    ("a time stamp", {"start": EARLY, "end": EARLY}, None, False),
    ("without zones", {"start": "2026-03-02T09:00:00", "end": "2026-03-02T09:30:00"}, 30, False),
    ("one zone only", {"start": "2026-03-02T09:00:00", "end": "2026-03-02T09:30:00Z"}, None, True),
    ("end before start", {"start": LATE, "end": EARLY}, None, True),
    ("thirteen hours", span("07:00", 13 * 60), None, True),
    ("twelve hours", span("07:00", 12 * 60), 720, False),
    ("dates only", {"start": DAY, "end": DAY}, None, False),
    ("no end", {"start": EARLY}, None, False),
    ("no such day", {"start": "2026-02-30T09:00:00Z", "end": "2026-02-30T09:30:00Z"}, None, True),
]


@pytest.mark.parametrize(("name", "period", "minutes", "gap"), PERIODS, ids=[one[0] for one in PERIODS])
@pytest.mark.parametrize("element", ["performedPeriod", "occurrencePeriod"])
def test_minutes_of_a_period(element: str, name: str, period: Json, minutes: int | None, gap: bool) -> None:
    """Minutes are the whole minutes between start and end; a period that cannot be right is said, not counted."""
    body = recorded(**{element: period})
    found = line(body).minutes
    assert (found.value if found else None) == minutes, name
    assert bool([path for path in unreadable(body) if path.startswith("Procedure/exercise.")]) == gap


FORMS: list[tuple[str, Json, int | None]] = [
    ("integer", {"valueInteger": 25}, 25),
    ("decimal", {"valueDecimal": 25.5}, 25),
    ("quantity in minutes", {"valueQuantity": {"value": 25, "unit": "min", "system": UCUM, "code": "min"}}, 25),
    ("quantity in hours", {"valueQuantity": {"value": 0.5, "code": "h"}}, 30),
    ("quantity in meters", {"valueQuantity": {"value": 25, "unit": "m"}}, None),
    ("zero", {"valueInteger": 0}, None),
    ("negative", {"valueInteger": -25}, None),
    ("words", {"valueString": "about half an hour"}, None),
    ("yes", {"valueBoolean": True}, None),
]


@pytest.mark.parametrize(("name", "answer", "minutes"), FORMS, ids=[one[0] for one in FORMS])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_minutes_of_a_form(depth: int, name: str, answer: Json, minutes: int | None) -> None:
    """A form about a Procedure states its minutes under actual_time, however deep the item stands."""
    items: list[Json] = [{"linkId": "actual_time", "answer": [answer]}]
    for _ in range(depth):
        items = [{"linkId": "group", "item": items}]
    given = form("f", "exercise", item=items)
    found = line(claim_request(claim(item(1, "97110")), procedure("exercise", "97110"), forms=bundle(given))).minutes
    assert (found.value if found else None) == minutes, name


def test_minutes_of_the_record_come_first() -> None:
    """Minutes of the Procedure itself count before those of a form that rounds them."""
    given = form("f", "exercise", answers={"actual_time": 21})
    body = claim_request(claim(item(1, "97110")), procedure("exercise", "97110", "09:00", 20), forms=bundle(given))
    found = line(body).minutes
    assert found is not None
    assert (found.value, found.read_from) == (20, "Procedure/exercise.performedPeriod")


@pytest.mark.parametrize("status", ["entered-in-error", "stopped"])
def test_form_that_does_not_count(status: str) -> None:
    """A form that was withdrawn states nothing."""
    given = form("f", "exercise", answers={"actual_time": 50}, status=status)
    body = claim_request(claim(item(1, "97110")), procedure("exercise", "97110"), forms=bundle(given))
    assert line(body).minutes is None


@pytest.mark.parametrize(("unit", "seconds"), tables.seconds_per_unit().items())
@pytest.mark.parametrize("member", ["unit", "code"])
def test_minutes_of_a_quantity(member: str, unit: str, seconds: int) -> None:
    """A quantity in any spelling of a unit of time states minutes, and no units."""
    draft = claim(item(1, "97110", quantity={"value": 1800 / seconds, member: unit.upper()}))
    found = line(claim_request(draft))
    assert found.minutes is not None
    assert (found.minutes.value, found.units) == (30, None)


@pytest.mark.parametrize("unit", ["UN", "units", "each", "1", "", "unit(s)"])
def test_units_of_a_quantity(unit: str) -> None:
    """A quantity in any other unit states units."""
    found = line(claim_request(claim(item(1, "97110", quantity={"value": 2, "unit": unit}))))
    assert (found.units, found.minutes) == (2, None)


SITES: list[tuple[str, Json, set[str]]] = [
    ("SNOMED CT", coded(SNOMED, NECK), {"cervical"}),
    ("SNOMED CT, two regions", coded(SNOMED, "1217253001"), {"lumbar", "sacral"}),
    ("several codings", {"coding": [{"system": SNOMED, "code": KNEE}, {"code": "local"}]}, {"knee"}),
    ("text", {"text": "Left knee"}, {"knee"}),
    ("display", {"coding": [{"system": "urn:local", "code": "7", "display": "neck"}]}, {"cervical"}),
    ("text beside an unknown code", {"text": "low back", "coding": [{"code": "7"}]}, {"lumbar"}),
    ("code before text", coded(SNOMED, NECK, text="low back"), {"cervical"}),
    ("an expression", coded(SNOMED, f"{SHOULDER}:272741003=7771000"), {"shoulder"}),
    ("an expression with terms", coded(SNOMED, f"=== {KNEE} |Knee joint| : 272741003 |Side| = 24028007"), {"knee"}),
    ("an expression of two sites", coded(SNOMED, f"{KNEE} + {NECK}"), {"knee", "cervical"}),
    ("an expression of an unknown site", coded(SNOMED, "1:272741003=7771000"), set()),
    ("nothing known", {"text": "somewhere"}, set()),
    ("part of a word", {"text": "kneeling"}, set()),
    ("unknown code", coded(SNOMED, "1"), set()),
    ("code of another system", coded(ICD10, NECK), set()),
    ("empty", {}, set()),
]
site_cases = pytest.mark.parametrize(("name", "site", "regions"), SITES, ids=[one[0] for one in SITES])


@site_cases
def test_regions_of_a_procedure(name: str, site: Json, regions: set[str]) -> None:
    """Regions come from the body site of the Procedure, by its codes first, by its words otherwise."""
    assert line(recorded(bodySite=[site])).regions == regions, name


@site_cases
def test_regions_of_an_item(name: str, site: Json, regions: set[str]) -> None:
    """Regions come from the claim item as well, in R4's form and in R5's."""
    r4 = claim_request(claim(item(1, "97110", bodySite=site)))
    r5 = claim_request(claim(item(1, "97110", bodySite=[{"site": [{"concept": site}]}])))
    assert line(r4).regions == line(r5).regions == regions, name


@site_cases
def test_regions_of_an_order(name: str, site: Json, regions: set[str]) -> None:
    """Regions come from an order's body site."""
    assert line(order_request(order("o-1", "97110", bodySite=[site]))).regions == regions, name


def test_regions_together() -> None:
    """The regions of the claim item and of its Procedure are taken together."""
    body = claim_request(claim(item(1, "97110", bodySite=coded(SNOMED, KNEE))), procedure("p", "97110", site=LOW_BACK))
    assert line(body).regions == {"knee", "lumbar"}


SPELLINGS = [
    spelled
    for alias, _ in aliases("cpt", "hcpcs")
    for spelled in (alias, alias.upper(), f" {alias}/ ", f"{alias}|2026")
]


@pytest.mark.parametrize("system", SPELLINGS)
def test_code_systems(system: str) -> None:
    """A billing code is read under every spelling of CPT and HCPCS."""
    draft = claim(item(1, "97110", productOrService=coded(system, "97110"), modifier=[coded(system, "GP")]))
    found = line(claim_request(draft))
    assert (found.code, found.modifiers) == ("97110", ("GP",))


@pytest.mark.parametrize("alias", [alias for alias, _ in aliases("snomed")])
def test_spellings_of_snomed(alias: str) -> None:
    """A body site is read under every spelling of SNOMED CT."""
    assert line(recorded(bodySite=[coded(alias, KNEE)])).regions == {"knee"}


EDITION = f"{SNOMED}/900000000000207008"


@pytest.mark.parametrize("version", [EDITION, f"{EDITION}/version/20260301", f"{EDITION}/", f"{SNOMED}|{EDITION}"])
def test_editions_of_snomed(version: str) -> None:
    """A body site is read in every edition and version of SNOMED CT."""
    assert line(recorded(bodySite=[coded(version, KNEE)])).regions == {"knee"}


@pytest.mark.parametrize("alias", [alias for alias, _ in aliases("icd10cm")])
def test_spellings_of_icd10(alias: str) -> None:
    """A diagnosis is read under every spelling of ICD-10-CM, from the Procedure and from the claim."""
    of_claim = claim(
        item(1, "97110", diagnosisSequence=[1]),
        diagnosis=[{"sequence": 1, "diagnosisCodeableConcept": coded(alias, "M54.50")}],
    )
    assert line(recorded(reasonCode=[coded(alias, "M54.50")])).diagnoses == ("M54.50",)
    assert line(claim_request(of_claim)).diagnoses == ("M54.50",)


@pytest.mark.parametrize(
    "system",
    [SNOMED, ICD10, UCUM, "http://example.org/local", "97110", "http://cpt.example", "|2026", "http://cpt.example|cpt"],
)
def test_codes_of_other_systems(system: str) -> None:
    """A number of five digits in another code system is no billing code."""
    draft = claim(item(1, "97110", productOrService=coded(system, "97110")), item(2, "98940"))
    assert [one.code for one in visits(claim_request(draft))[0].lines] == ["98940"]


CODES: list[tuple[str, Json, str, tuple[str, ...]]] = [
    ("second coding", {"coding": [{"system": CPT, "code": "97140"}, {"system": CPT, "code": "59"}]}, "97140", ("59",)),
    ("written into the code", {"coding": [{"code": "97140-59"}]}, "97140", ("59",)),
    ("several written into it", {"coding": [{"code": "97140:59:GP"}]}, "97140", ("59", "GP")),
    ("with spaces", {"coding": [{"code": " 97140 59, GP "}]}, "97140", ("59", "GP")),
    ("lower case", {"coding": [{"system": HCPCS, "code": "g0283"}, {"code": "gp"}]}, "G0283", ("GP",)),
    ("text alone", {"text": "97140"}, "97140", ()),
    ("a name beside it", {"coding": [{"system": SNOMED, "code": "1"}, {"code": "97140"}]}, "97140", ()),
    ("modifier of another system", {"coding": [{"code": "97140"}, {"system": SNOMED, "code": "59"}]}, "97140", ()),
    ("two codes: the first", {"coding": [{"code": "97140"}, {"code": "97110"}]}, "97140", ()),
]


@pytest.mark.parametrize(("name", "concept", "code", "found"), CODES, ids=[one[0] for one in CODES])
def test_codes_and_modifiers(name: str, concept: Json, code: str, found: tuple[str, ...]) -> None:
    """A code is read as senders write it, modifiers beside it or inside it included."""
    of_item = line(claim_request(claim(item(1, "97140", productOrService=concept))))
    of_order = line(order_request(order("o-1", "97140", code=concept)))
    of_r5_order = line(order_request(order("o-1", "97140", code={"concept": concept})))
    of_record = line(discharge_request(procedure("p", "97140", code=concept)))
    for one in (of_item, of_order, of_r5_order, of_record):
        assert (one.code, one.modifiers) == (code, found), name


def test_modifiers_of_an_item() -> None:
    """Modifiers keep the order in which the claim lists them; what is no modifier is left out."""
    listed = [*modifiers("GP", "59"), {"text": "kx"}, {"text": "as agreed"}, coded(SNOMED, "XS")]
    assert line(claim_request(claim(item(1, "97140", modifier=listed)))).modifiers == ("GP", "59", "KX")


def test_modifiers_of_an_order() -> None:
    """Modifiers of an order stand among its orderDetail."""
    details = [{"text": "with ice"}, *modifiers("59", "GP")]
    assert line(order_request(order("o-1", "97140", orderDetail=details))).modifiers == ("59", "GP")
