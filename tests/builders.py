"""Small FHIR R4 resources and hook requests for tests: pure functions, obviously invented data.

What is usual is the default; `**more` adds or replaces elements by their FHIR names.
"""

import copy
import datetime as dt
import json
from typing import Any

from mappings import books_in_force

Json = dict[str, Any]

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"

PATIENT = "test-patient"
ENCOUNTER = "test-visit"
DAY = "2026-03-02"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"

NECK, UPPER_BACK, LOW_BACK, KNEE, SHOULDER = "45048000", "122495006", "52612000", "49076000", "16982005"
"""Body sites as SNOMED CT names them: cervical, thoracic, lumbar, knee and shoulder."""

BCBSNC = "Blue Cross and Blue Shield of North Carolina"
MEDICARE = "Medicare Part B"
HNS = "Health Network Solutions"
UHC = "UnitedHealthcare"

ORDER_SIGN = "visitcue-order-sign"
CLAIM_SUBMIT = "visitcue-claim-submit"
DISCHARGE = "visitcue-encounter-discharge"
SHARED_KEYS = (
    "encounter",
    "procedures",
    "history",
    "encounters",
    "episodes",
    "coverage",
    "conditions",
    "plans",
    "goals",
    "observations",
    "documents",
    "forms",
)
KEYS = {ORDER_SIGN: SHARED_KEYS, CLAIM_SUBMIT: SHARED_KEYS, DISCHARGE: (*SHARED_KEYS, "claims")}
"""The prefetch keys of each service."""


def ref(kind: str, name: str) -> Json:
    return {"reference": f"{kind}/{name}"}


def coded(system: str, code: str, /, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code}], **more}


def billing(code: str) -> Json:
    return coded(HCPCS if code[0].isalpha() else CPT, code)


def modifiers(*codes: str) -> list[Json]:
    return [billing(code) for code in codes]


def time_of(clock: str, minutes: int = 0, day: str = DAY) -> str:
    moment = dt.datetime.fromisoformat(f"{day}T{clock}:00-05:00") + dt.timedelta(minutes=minutes)
    return moment.isoformat()


def span(clock: str, minutes: int, day: str = DAY) -> Json:
    return {"start": time_of(clock, day=day), "end": time_of(clock, minutes, day)}


def procedure(name: str, code: str, /, clock: str = "", minutes: int = 15, site: str = "", **more: Any) -> Json:
    """A completed Procedure of the visit; without `clock` its day is known and its minutes are not."""
    performed = {"performedPeriod": span(clock, minutes)} if clock else {"performedDateTime": DAY}
    return {
        "resourceType": "Procedure",
        "id": name,
        "status": "completed",
        "code": billing(code),
        "subject": ref("Patient", PATIENT),
        "encounter": ref("Encounter", ENCOUNTER),
        **performed,
        **({"bodySite": [coded(SNOMED, site)]} if site else {}),
        **more,
    }


def item(sequence: int, code: str, units: float | None = 1, /, *codes: str, **more: Any) -> Json:
    """A claim item with its units and its modifiers in order."""
    return {
        "sequence": sequence,
        "productOrService": billing(code),
        **({"modifier": modifiers(*codes)} if codes else {}),
        **({"quantity": {"value": units}} if units is not None else {}),
        "servicedDate": DAY,
        **more,
    }


def claim(*items: Json, name: str = "test-claim", coverage: str = "test-coverage", **more: Any) -> Json:
    return {
        "resourceType": "Claim",
        "id": name,
        "status": "draft",
        "type": coded("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        "use": "claim",
        "patient": ref("Patient", PATIENT),
        "created": DAY,
        "provider": ref("Organization", "test-clinic"),
        "priority": {"coding": [{"code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": ref("Coverage", coverage)}],
        "item": list(items),
        **more,
    }


def coverage(payer: str = BCBSNC, name: str = "test-coverage", /, **more: Any) -> Json:
    return {
        "resourceType": "Coverage",
        "id": name,
        "status": "active",
        "beneficiary": ref("Patient", PATIENT),
        "payor": [{"display": payer}],
        **more,
    }


def encounter(**more: Any) -> Json:
    return {
        "resourceType": "Encounter",
        "id": ENCOUNTER,
        "status": "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": ref("Patient", PATIENT),
        "period": span("09:00", 60),
        **more,
    }


def order(name: str, code: str, units: float | None = 1, /, *codes: str, **more: Any) -> Json:
    """A draft ServiceRequest with its units and its modifiers as orderDetail."""
    return {
        "resourceType": "ServiceRequest",
        "id": name,
        "status": "draft",
        "intent": "order",
        "code": billing(code),
        **({"orderDetail": modifiers(*codes)} if codes else {}),
        **({"quantityQuantity": {"value": units}} if units is not None else {}),
        "subject": ref("Patient", PATIENT),
        "encounter": ref("Encounter", ENCOUNTER),
        "occurrenceDateTime": DAY,
        **more,
    }


def bundle(*resources: Json, kind: str = "searchset") -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]}


def form(name: str, /, *procedures: str, answers: Json | None = None, **more: Any) -> Json:
    """An answered form for these Procedures (for the visit, if none): every element, or those in `answers`.

    The minutes are left to the record unless `answers` states them, so that the form speaks for all of them.
    """
    every = {one: "as the note says" for one in books_in_force.questions() if one != "actual_time"}
    told = every if answers is None else answers
    return {
        "resourceType": "QuestionnaireResponse",
        "id": name,
        "status": "completed",
        "subject": ref("Patient", PATIENT),
        "encounter": ref("Encounter", ENCOUNTER),
        **({"partOf": [ref("Procedure", one) for one in procedures]} if procedures else {}),
        "item": [{"linkId": link, "answer": [_answer(value)]} for link, value in told.items()],
        **more,
    }


def _answer(value: object) -> Json:
    return {"valueInteger": value} if isinstance(value, int) else {"valueString": value}


def request(service: str, context: Json, **prefetch: Any) -> Json:
    """A hook request for a service, with every prefetch key: null, or what is given."""
    hook = {
        ORDER_SIGN: "order-sign",
        CLAIM_SUBMIT: "org.visitcue.claim-submit",
        DISCHARGE: "encounter-discharge",
    }[service]
    return {
        "hook": hook,
        "hookInstance": INSTANCE,
        "context": {
            "userId": "Practitioner/test-user",
            "patientId": PATIENT,
            "encounterId": ENCOUNTER,
            **context,
        },
        "prefetch": {**dict.fromkeys(KEYS[service]), **prefetch},
    }


def claim_request(draft: Json, *procedures: Json, payer: str = BCBSNC, **prefetch: Any) -> Json:
    """claim-submit for a Claim (or a Bundle of them) whose visit is recorded and documented in full."""
    return request(CLAIM_SUBMIT, {"claim": draft}, **(_record(procedures, payer) | prefetch))


def order_request(*orders: Json, procedures: tuple[Json, ...] = (), payer: str = BCBSNC, **prefetch: Any) -> Json:
    """order-sign for these orders; their visit is recorded and documented in full."""
    drafts = bundle(*orders, kind="collection")
    return request(ORDER_SIGN, {"draftOrders": drafts}, **(_record(procedures, payer) | prefetch))


def discharge_request(*procedures: Json, payer: str = BCBSNC, **prefetch: Any) -> Json:
    """encounter-discharge for a visit that is recorded and documented in full."""
    return request(DISCHARGE, {}, **(_record(procedures, payer) | prefetch))


def _record(procedures: tuple[Json, ...], payer: str) -> Json:
    return {
        "encounter": encounter(),
        "procedures": bundle(*procedures),
        "coverage": bundle(coverage(payer)),
        "forms": bundle(form("test-form")),
    }


def changed(value: Json, *path: str | int, to: Any) -> Json:
    """A copy with one place changed."""
    copied = copy.deepcopy(value)
    place: Any = copied
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return copied


def text(value: Any) -> bytes:
    """The JSON text of a value, as a client would send it."""
    return json.dumps(value).encode()
