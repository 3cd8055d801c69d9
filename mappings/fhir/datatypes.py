"""The parts of FHIR's data types that the review reads, R4 names first and R5's beside them.

Types are strict: a number sent as a string is an error of that resource. The collector need not track them
(`gc=False`): decoded JSON holds no cycles, and a request makes thousands of them.
"""

from typing import Any

from msgspec import Struct


class Coding(Struct, gc=False):
    system: str | None = None
    code: str | None = None


class Concept(Struct, gc=False):
    """A CodeableConcept; R5's CodeableReference as well, whose parts are `concept` and `reference`."""

    coding: list[Coding] = []
    text: str | None = None
    concept: "Concept | None" = None
    reference: "Reference | str | None" = None


class WordedCoding(Coding, gc=False):
    display: str | None = None


class Worded(Struct, gc=False):
    """A CodeableConcept whose words count where its codes are not known: body sites, observations."""

    coding: list[WordedCoding] = []
    text: str | None = None
    concept: "Worded | None" = None


class Identifier(Struct, gc=False):
    system: str | None = None
    value: str | None = None


class Reference(Struct, gc=False):
    reference: str | None = None


class Party(Reference, gc=False):
    """A reference that may stand for itself: payers and practitioners are often only printed, or known by a number."""

    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Quantity(Struct, gc=False):
    value: int | float | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Period(Struct, gc=False):
    start: str | None = None
    end: str | None = None


class Annotation(Struct, gc=False):
    text: str | None = None


class OrderParameter(Struct, rename="camel", gc=False):
    code: Concept | None = None
    value_codeable_concept: Concept | None = None
    value_string: str | None = None


class OrderDetail(Concept, gc=False):
    """A concept in R4; in R5 it has parameters, each a concept or a string by the name that its code gives it."""

    parameter: list[OrderParameter] = []


class GoalTarget(Struct, rename="camel", gc=False):
    measure: Concept | None = None
    detail_quantity: Any = None
    detail_range: Any = None
    detail_integer: int | None = None
    detail_string: str | None = None
    detail_boolean: bool | None = None
    detail_ratio: Any = None
    detail_codeable_concept: Any = None


class Qualification(Struct, gc=False):
    code: Worded | None = None


class HumanName(Struct, gc=False):
    """A name, of which only what stands behind it is read: credentials."""

    suffix: list[str | None] = []
