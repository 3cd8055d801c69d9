"""The parts of Claims and Coverages that the review reads."""

from typing import Any

import msgspec
from msgspec import Struct

from mappings.fhir.base import NOT_SENT, Resource
from mappings.fhir.datatypes import Concept, Party, Period, Quantity, Reference, Worded


class ClaimDiagnosis(Struct, rename="camel", gc=False):
    sequence: int | None = None
    diagnosis_codeable_concept: Concept | None = None
    diagnosis_reference: Party | None = None


class ClaimProcedure(Struct, rename="camel", gc=False):
    sequence: int | None = None
    procedure_reference: Reference | None = None
    procedure_codeable_concept: Concept | None = None


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
    detail: msgspec.Raw = NOT_SENT
    extension: msgspec.Raw = NOT_SENT


class TeamMember(Struct, rename="camel", gc=False):
    """A member of a claim's care team; R5 says `specialty` where R4 said `qualification`."""

    sequence: int | None = None
    provider: Party | None = None
    role: Worded | None = None
    qualification: Worded | None = None
    specialty: Worded | None = None


class Claim(Resource, tag="Claim", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
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


class PaymentBy(Struct, gc=False):
    """R5: who pays under a Coverage stands in `paymentBy` or `insurer`."""

    party: Party | None = None


class CoverageClass(Struct, gc=False):
    """What a plan, a group or a subgroup of a Coverage is called; R5 has an Identifier where R4 has a string."""

    type: Worded | None = None
    name: str | None = None
    value: Any = None


class Coverage(Resource, tag="Coverage", gc=False):
    status: str | None = None
    beside_status: msgspec.Raw = msgspec.field(default=NOT_SENT, name="_status")
    type: Worded | None = None
    classes: list[CoverageClass] = msgspec.field(default_factory=list, name="class")
    payor: list[Party] = []
    insurer: Party | None = None
    payment_by: list[PaymentBy] = []
    beneficiary: Reference | None = None
    order: int | None = None
    contained: list[msgspec.Raw] = []
