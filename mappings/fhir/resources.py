"""The parts of FHIR resources that the review reads, R4 names first and R5's beside them.

Only the elements that we use are named; the rest of a resource is skipped by the decoder without being built.
Parts that only some reviews need are kept as raw JSON (`msgspec.Raw`) and are decoded where they are needed.
"""

from typing import Any

import msgspec
from msgspec import Struct

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

NOT_SENT = msgspec.Raw()
"""What a part that is kept as raw JSON is where it was not sent."""


class Resource(Struct, tag_field="resourceType", rename="camel", kw_only=True, gc=False):
    id: str | None = None


class Encounter(Resource, tag="Encounter", gc=False):
    status: str | None = None
    subject: Reference | None = None
    period: Period | None = None
    actual_period: Period | None = None


class Procedure(Resource, tag="Procedure", gc=False):
    status: str | None = None
    code: Concept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    based_on: list[Reference] = []
    performed_period: Period | None = None
    performed_date_time: str | None = None
    occurrence_period: Period | None = None
    occurrence_date_time: str | None = None
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


class ClaimDiagnosis(Struct, rename="camel", gc=False):
    sequence: int | None = None
    diagnosis_codeable_concept: Concept | None = None
    diagnosis_reference: Reference | None = None


class ClaimProcedure(Struct, rename="camel", gc=False):
    sequence: int | None = None
    procedure_reference: Reference | None = None


class ClaimInsurance(Struct, rename="camel", gc=False):
    sequence: int | None = None
    focal: bool | None = None
    coverage: Party | None = None
    pre_auth_ref: Any = None


class ItemSite(Struct, gc=False):
    """R5: a claim item's bodySite is a list of these."""

    site: list[Worded] = []


class ClaimItem(Struct, rename="camel", gc=False):
    sequence: int | None = None
    product_or_service: Concept | None = None
    modifier: list[Concept] = []
    quantity: Quantity | None = None
    serviced_date: str | None = None
    serviced_period: Period | None = None
    body_site: Worded | list[ItemSite] | None = None
    diagnosis_sequence: list[int] = []
    procedure_sequence: list[int] = []
    care_team_sequence: list[int] = []
    encounter: list[Reference] = []


class TeamMember(Struct, rename="camel", gc=False):
    """A member of a claim's care team; R5 says `specialty` where R4 said `qualification`."""

    sequence: int | None = None
    provider: Party | None = None
    role: Worded | None = None
    qualification: Worded | None = None
    specialty: Worded | None = None


class Claim(Resource, tag="Claim", gc=False):
    status: str | None = None
    use: str | None = None
    patient: Reference | None = None
    billable_period: Period | None = None
    insurer: Party | None = None
    provider: msgspec.Raw = NOT_SENT
    care_team: msgspec.Raw = NOT_SENT
    diagnosis: list[ClaimDiagnosis] = []
    procedure: list[ClaimProcedure] = []
    insurance: list[ClaimInsurance] = []
    item: list[ClaimItem] = []
    contained: list[msgspec.Raw] = []


class ServiceRequest(Resource, tag="ServiceRequest", gc=False):
    status: str | None = None
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
    contained: list[msgspec.Raw] = []


class PaymentBy(Struct, gc=False):
    """R5: who pays under a Coverage stands in `paymentBy` or `insurer`."""

    party: Party | None = None


class Coverage(Resource, tag="Coverage", gc=False):
    status: str | None = None
    payor: list[Party] = []
    insurer: Party | None = None
    payment_by: list[PaymentBy] = []
    beneficiary: Reference | None = None
    order: int | None = None
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
    subject: Reference | None = None
    target: list[GoalTarget] = []


class Observation(Resource, tag="Observation", gc=False):
    status: str | None = None
    code: Worded | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
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
