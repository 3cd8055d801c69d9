"""The parts of FHIR resources that the review reads, R4 names first and R5's beside them.

Only the elements that we use are named; the rest of a resource is skipped by the decoder without being built.
Parts that only some reviews need are kept as raw JSON (`msgspec.Raw`) and are decoded where they are needed.
"""

from typing import Any

import msgspec
from msgspec import Struct

from mappings.fhir.base import NOT_SENT, Resource
from mappings.fhir.datatypes import (
    Annotation,
    Concept,
    Identifier,
    Party,
    Period,
    Quantity,
    Reference,
    Something,
    Worded,
    WordedCoding,
)
from mappings.fhir.financial import Claim, Coverage


class Encounter(Resource, tag="Encounter", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None


class Procedure(Resource, tag="Procedure", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    code: Concept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    based_on: list[Reference] = []
    performed_period: Period | None = None
    performed_date_time: str | None = None
    performed_string: str | None = None
    occurrence_period: Period | None = None
    occurrence_date_time: str | None = None
    occurrence_string: str | None = None
    occurrence_timing: msgspec.Raw = NOT_SENT
    beside_performed: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_performedDateTime")
    beside_occurrence: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_occurrenceDateTime")
    extension: msgspec.Raw = NOT_SENT
    performer: msgspec.Raw = NOT_SENT
    body_site: list[Worded] = []
    reason_code: list[Concept] = []
    reason_reference: list[Reference] = []
    reason: list[Concept] = []
    outcome: Something | None = None
    note: list[Annotation] = []
    used_code: list[Something] = []
    used_reference: list[Something] = []
    contained: list[msgspec.Raw] = []


class Performer(Struct, gc=False):
    """Who gave a service, and in what function."""

    function: Worded | None = None
    actor: Party | None = None


class ServiceRequest(Resource, tag="ServiceRequest", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    code: Concept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    order_detail: list[Concept] = []
    quantity_quantity: Quantity | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    authored_on: str | None = None
    body_site: list[Worded] = []
    reason_code: list[Concept] = []
    reason_reference: list[Reference] = []
    reason: list[Concept] = []
    insurance: list[Party] = []
    performer_type: msgspec.Raw = NOT_SENT
    performer: msgspec.Raw = NOT_SENT
    note: list[Annotation] = []
    extension: msgspec.Raw = NOT_SENT
    contained: list[msgspec.Raw] = []


class Organization(Resource, tag="Organization", gc=False):
    identifier: list[Identifier] = []
    name: str | None = None
    alias: list[str] = []


class Condition(Resource, tag="Condition", gc=False):
    code: Concept | None = None
    subject: Reference | None = None


class CarePlan(Resource, tag="CarePlan", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    subject: Reference | None = None
    period: Period | None = None


class GoalTarget(Struct, rename="camel", gc=False):
    measure: Concept | None = None
    detail_quantity: Any = None
    detail_range: Any = None
    detail_integer: int | None = None
    detail_string: str | None = None
    detail_codeable_concept: Any = None


class Goal(Resource, tag="Goal", gc=False):
    lifecycle_status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_lifecycleStatus")
    subject: Reference | None = None
    target: list[GoalTarget] = []


class Observation(Resource, tag="Observation", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    code: Worded | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    part_of: list[Reference] = []
    focus: list[Reference] = []
    effective_date_time: str | None = None
    effective_period: Period | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_quantity: Quantity | None = None
    value_codeable_concept: Worded | None = None
    interpretation: list[Worded] = []


class Answer(Struct, rename="camel", gc=False):
    value_boolean: bool | None = None
    value_decimal: int | float | None = None
    value_integer: int | None = None
    value_string: str | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    value_coding: WordedCoding | None = None
    value_quantity: Quantity | None = None
    item: "list[ResponseItem]" = []


class ResponseItem(Struct, rename="camel", gc=False):
    link_id: str = ""
    answer: list[Answer] = []
    item: "list[ResponseItem]" = []


class QuestionnaireResponse(Resource, tag="QuestionnaireResponse", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    subject: Reference | None = None
    encounter: Reference | None = None
    part_of: list[Reference] = []
    based_on: list[Reference] = []
    authored: str | None = None
    item: list[ResponseItem] = []


class Patient(Resource, tag="Patient", gc=False):
    pass


class Qualification(Struct, gc=False):
    code: Worded | None = None


class HumanName(Struct, gc=False):
    """A name, of which only what stands behind it is read: credentials."""

    suffix: list[str] = []


class Practitioner(Resource, tag="Practitioner", gc=False):
    identifier: list[Identifier] = []
    name: list[HumanName] = []
    qualification: list[Qualification] = []


class PractitionerRole(Resource, tag="PractitionerRole", gc=False):
    practitioner: Party | None = None
    code: list[Worded] = []
    specialty: list[Worded] = []


class OutcomeIssue(Struct, gc=False):
    severity: str | None = None


class OperationOutcome(Resource, tag="OperationOutcome", gc=False):
    issue: list[OutcomeIssue] = []


AnyResource = (
    Encounter | Procedure | Claim | ServiceRequest | Coverage | Organization | Condition | CarePlan | Goal
    | Observation | QuestionnaireResponse | Patient | Practitioner | PractitionerRole | OperationOutcome
)  # fmt: skip
"""Every resource that is read, and a few that often come along and are passed over."""


class Entry(Struct, rename="camel", gc=False):
    full_url: str | None = None
    resource: AnyResource | None = None


class Link(Struct, gc=False):
    """A link of a Bundle of search results: `next` is where the results go on."""

    relation: str | None = None
    url: str = ""


class Bundle(Resource, tag="Bundle", gc=False):
    entry: list[Entry] = []
    link: msgspec.Raw = NOT_SENT


AnyValue = AnyResource | Bundle | None
"""What a prefetch value may be: a resource, a Bundle of them, or null."""
