"""The claim-submit request that is measured: one chiropractic visit with its record, about 60 KB."""

import json
from typing import Any

Json = dict[str, Any]

CPT = "http://www.ama-assn.org/go/cpt"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
PATIENT = {"reference": "Patient/p-bench", "display": "Bench, Benny (test patient)"}
TODAY = "2026-03-02"
SERVICES = (
    ("98940", "09:00", "09:10", "122494005", "cervical and upper back adjustment", 1),
    ("97112", "09:10", "09:35", "72696002", "balance board, single leg stance", 3),
    ("97110", "09:35", "09:52", "72696002", "knee extension sets", 1),
    ("97035", "09:52", "10:02", "72696002", "continuous, 1 MHz", 1),
)


def _meta(profile: str) -> Json:
    return {
        "versionId": "3",
        "lastUpdated": f"{TODAY}T16:20:11.482+00:00",
        "source": "urn:example:ehr:bench",
        "profile": [f"http://hl7.org/fhir/us/core/StructureDefinition/{profile}"],
    }


def _procedure(number: str, day: str, service: tuple[str, str, str, str, str, int], encounter: str) -> Json:
    code, start, end, site, note, _ = service
    return {
        "resourceType": "Procedure",
        "id": f"proc-{number}",
        "meta": _meta("us-core-procedure"),
        "extension": [{"url": "https://ehr.example.org/fhir/room", "valueString": "Treatment room 4"}],
        "identifier": [{"system": "https://ehr.example.org/fhir/procedure", "value": f"PX-2026-{number}"}],
        "status": "completed",
        "category": {"coding": [{"system": SNOMED, "code": "91251008", "display": "physical therapy"}]},
        "code": {
            "coding": [
                {"system": CPT, "code": code, "display": "treatment as billed"},
                {"system": "https://ehr.example.org/fhir/chargemaster", "code": f"CH{code}"},
            ],
            "text": note,
        },
        "subject": PATIENT,
        "encounter": {"reference": f"Encounter/{encounter}"},
        "performedPeriod": {"start": f"{day}T{start}:00-05:00", "end": f"{day}T{end}:00-05:00"},
        "recorder": {"reference": "Practitioner/dc-1", "display": "Bench, Dora DC"},
        "performer": [
            {
                "function": {"coding": [{"system": SNOMED, "code": "3842006", "display": "chiropractor"}]},
                "actor": {"reference": "Practitioner/dc-1", "display": "Bench, Dora DC"},
            }
        ],
        "location": {"reference": "Location/room-4", "display": "Treatment room 4"},
        "reasonReference": [{"reference": "Condition/c-1", "display": "neck pain"}],
        "bodySite": [{"coding": [{"system": SNOMED, "code": site}]}],
        "note": [
            {
                "authorReference": {"reference": "Practitioner/dc-1"},
                "time": f"{day}T10:20:00-05:00",
                "text": f"Today: {note}. Tolerated well, 3 sets of 10 repetitions. To improve gait on stairs.",
            }
        ],
    }


def _condition(number: int, code: str, text: str) -> Json:
    return {
        "resourceType": "Condition",
        "id": f"c-{number}",
        "meta": _meta("us-core-condition-encounter-diagnosis"),
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": ICD10, "code": code}], "text": text},
        "subject": PATIENT,
        "onsetDateTime": "2026-02-10",
    }


def _claim() -> Json:
    items = [
        {
            "sequence": place,
            "careTeamSequence": [1],
            "diagnosisSequence": [1, 2],
            "procedureSequence": [place],
            "productOrService": {"coding": [{"system": CPT, "code": service[0]}]},
            "servicedDate": TODAY,
            "locationCodeableConcept": {
                "coding": [{"system": "https://www.cms.gov/Medicare/Coding/place-of-service-codes", "code": "11"}]
            },
            "quantity": {"value": service[5]},
            "unitPrice": {"value": 42.50, "currency": "USD"},
            "net": {"value": 42.50 * service[5], "currency": "USD"},
        }
        for place, service in enumerate(SERVICES, start=1)
    ]
    return {
        "resourceType": "Claim",
        "id": "cl-bench",
        "meta": _meta("claim"),
        "status": "draft",
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional"}]},
        "use": "claim",
        "patient": PATIENT,
        "created": TODAY,
        "provider": {"reference": "Organization/practice"},
        "priority": {"coding": [{"code": "normal"}]},
        "careTeam": [{"sequence": 1, "provider": {"reference": "Practitioner/dc-1"}}],
        "diagnosis": [
            {"sequence": 1, "diagnosisReference": {"reference": "Condition/c-1"}},
            {"sequence": 2, "diagnosisReference": {"reference": "Condition/c-2"}},
        ],
        "procedure": [
            {"sequence": place, "procedureReference": {"reference": f"Procedure/proc-today-{place}"}}
            for place in range(1, len(SERVICES) + 1)
        ],
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/cov-1"}}],
        "item": items,
        "total": {"value": 255.00, "currency": "USD"},
    }


def _searchset(resources: list[Json]) -> Json:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": [
            {
                "fullUrl": f"https://ehr.example.org/fhir/{one['resourceType']}/{one['id']}",
                "resource": one,
                "search": {"mode": "match"},
            }
            for one in resources
        ],
    }


def _patient_level() -> dict[str, Json | None]:
    coverage = {
        "resourceType": "Coverage",
        "id": "cov-1",
        "meta": _meta("us-core-coverage"),
        "status": "active",
        "subscriberId": "TEST0001",
        "beneficiary": PATIENT,
        "payor": [{"reference": "Organization/payer-1", "display": "Blue Cross NC"}],
        "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "PPO-1", "name": "PPO"}],
    }
    plan = {
        "resourceType": "CarePlan",
        "id": "plan-1",
        "meta": _meta("us-core-careplan"),
        "status": "active",
        "intent": "plan",
        "subject": PATIENT,
        "period": {"start": "2026-02-10"},
    }
    goal = {
        "resourceType": "Goal",
        "id": "goal-1",
        "lifecycleStatus": "active",
        "description": {"text": "climb stairs without a rail"},
        "subject": PATIENT,
        "target": [{"detailQuantity": {"value": 12, "unit": "steps"}}],
    }
    conditions = [_condition(1, "M54.2", "neck pain"), _condition(2, "M25.561", "right knee pain")]
    return {
        "coverage": _searchset([coverage]),
        "conditions": _searchset(conditions),
        "plans": _searchset([plan]),
        "goals": _searchset([goal]),
        "observations": None,
        "encounters": None,
        "episodes": None,
        "documents": None,
    }


def _form(place: int) -> Json:
    """The documentation of one service, answered in the practice's form."""
    answers = {
        "rationale": "gait is unsafe on stairs",
        "medical_necessity": "neck pain and knee instability, plan of 2026-02-10",
        "setting_frequency": "1 MHz continuous",
        "cmt.part": "pain at C5-C6, restricted rotation to the left",
        "97112.body_parts": "vastus medialis, knee",
        "97112.exercises": "balance board, single leg stance",
        "97112.functional_goal": "stairs without a rail",
        "97112.volume": "3 sets of 10",
        "97112.technique": "balance progression",
        "97112.effect": "sway reduced",
        "97110.exercises": "knee extension",
        "97110.parameter": "strength",
        "97110.volume": "3 sets of 10",
        "97110.functional_goal": "stairs without a rail",
        "97110.skilled": "cueing against valgus",
        "97124.expected_outcomes": "less spasm",
    }
    return {
        "resourceType": "QuestionnaireResponse",
        "id": f"form-{place}",
        "status": "completed",
        "subject": PATIENT,
        "encounter": {"reference": "Encounter/enc-today"},
        "partOf": [{"reference": f"Procedure/proc-today-{place}"}],
        "item": [{"linkId": link, "answer": [{"valueString": words}]} for link, words in answers.items()],
    }


def request(kilobytes: int = 60) -> bytes:
    """A request of about this size; what varies is the length of the patient's history."""
    today = [_procedure(f"today-{n}", TODAY, one, "enc-today") for n, one in enumerate(SERVICES, start=1)]
    encounter = {
        "resourceType": "Encounter",
        "id": "enc-today",
        "meta": _meta("us-core-encounter"),
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": PATIENT,
        "period": {"start": f"{TODAY}T09:00:00-05:00", "end": f"{TODAY}T10:20:00-05:00"},
    }
    history: list[Json] = []

    def body() -> bytes:
        content = {
            "hook": "org.visitcue.claim-submit",
            "hookInstance": "0a6a3ad4-9cf6-4f14-8c30-8b0d2ab1b7e6",
            "context": {
                "userId": "Practitioner/dc-1",
                "patientId": "p-bench",
                "encounterId": "enc-today",
                "claim": _claim(),
            },
            "prefetch": {
                "encounter": encounter,
                "procedures": _searchset(today),
                "history": _searchset([*today, *history]),
                **_patient_level(),
                "forms": _searchset([_form(place) for place in range(1, len(SERVICES) + 1)]),
            },
        }
        return json.dumps(content, separators=(",", ":")).encode()

    empty = len(body())
    for number in range(10_000):
        if empty + sum(len(json.dumps(one)) + 120 for one in history) >= kilobytes * 1000:
            break
        day = f"2026-02-{10 + number // len(SERVICES) % 18:02}"
        history.append(_procedure(f"h{number}", day, SERVICES[number % len(SERVICES)], f"enc-h{number // 5}"))
    return body()
