"""The parts of FHIR resources that the review reads, R4 names first and R5's beside them.

Only the elements that we use are named; the rest of a resource is skipped by the decoder without being built.
Parts that only some reviews need are kept as raw JSON (`msgspec.Raw`) and are decoded where they are needed.
"""

import msgspec
from msgspec import Struct

from mappings.fhir.base import NOT_SENT, Resource
from mappings.fhir.datatypes import (
    Annotation,
    Concept,
    GoalTarget,
    HumanName,
    Identifier,
    OrderDetail,
    Party,
    Period,
    Qualification,
    Quantity,
    Reference,
    Worded,
    WordedCoding,
)
from mappings.fhir.financial import Claim, Coverage


class Encounter(Resource, tag="Encounter", gc=False):
    """What tells the kind of care is read of earlier encounters only."""

    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None
    class_: msgspec.Raw = msgspec.field(default=NOT_SENT, name="class")
    type: msgspec.Raw = NOT_SENT
    service_type: msgspec.Raw = NOT_SENT
    participant: msgspec.Raw = NOT_SENT
    episode_of_care: list[Reference] = []


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
    reason_reference: list[Party] = []
    reason: list[Concept] = []
    outcome: Concept | None = None
    note: list[Annotation] = []
    used_code: list[Concept] = []
    used_reference: list[Party] = []
    used: list[Concept] = []
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
    order_detail: list[OrderDetail] = []
    quantity_quantity: Quantity | None = None
    occurrence_date_time: str | None = None
    occurrence_period: Period | None = None
    authored_on: str | None = None
    body_site: list[Worded] = []
    reason_code: list[Concept] = []
    reason_reference: list[Party] = []
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
    alias: list[str | None] = []


class Condition(Resource, tag="Condition", gc=False):
    code: Concept | None = None
    subject: Reference | None = None


class CarePlan(Resource, tag="CarePlan", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    subject: Reference | None = None
    period: Period | None = None


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
    note: msgspec.Raw = NOT_SENT


class DocumentReference(Resource, tag="DocumentReference", gc=False):
    """R4 keeps encounter and period in an object `context`; R5 has a list `context` and `period`."""

    status: str | None = None
    doc_status: str | None = None
    type: Worded | None = None
    subject: Reference | None = None
    date: str | None = None
    period: Period | None = None
    context: msgspec.Raw = NOT_SENT
    content: msgspec.Raw = NOT_SENT
    relates_to: msgspec.Raw = NOT_SENT
    contained: list[msgspec.Raw] = []


class Binary(Resource, tag="Binary", gc=False):
    content_type: str | None = None
    data: str | None = None


class Composition(Resource, tag="Composition", gc=False):
    """Its subject is one in R4, and a list in R5."""

    status: str | None = None
    subject: Reference | list[Reference] | None = None
    encounter: Reference | None = None
    date: str | None = None
    text: msgspec.Raw = NOT_SENT
    section: msgspec.Raw = NOT_SENT


class EpisodeOfCare(Resource, tag="EpisodeOfCare", gc=False):
    status: str | None = None
    patient: Reference | None = None
    type: list[Worded] = []
    period: Period | None = None


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
    code: str | None = None


class OperationOutcome(Resource, tag="OperationOutcome", gc=False):
    issue: list[OutcomeIssue] = []


AnyResource = (
    Encounter | Procedure | Claim | ServiceRequest | Coverage | Organization | Condition | CarePlan | Goal
    | Observation | QuestionnaireResponse | DocumentReference | Binary | Composition | EpisodeOfCare | Patient
    | Practitioner | PractitionerRole | OperationOutcome
)  # fmt: skip
"""Every resource that is read, and a few that often come along and are passed over."""


class EntryRequest(Struct, gc=False):
    """What an entry of a history tells of its version: how it came to be, and of which resource it is one."""

    method: str | None = None
    url: str | None = None


class Entry(Struct, rename="camel", gc=False):
    full_url: str | None = None
    resource: AnyResource | None = None
    request: msgspec.Raw = NOT_SENT


class Link(Struct, gc=False):
    """A link of a Bundle of search results: `next` is where the results go on."""

    relation: str | None = None
    url: str = ""


class Bundle(Resource, tag="Bundle", gc=False):
    entry: list[Entry] = []
    link: msgspec.Raw = NOT_SENT


AnyValue = AnyResource | Bundle | None
"""What a prefetch value may be: a resource, a Bundle of them, or null."""
