"""Whose a resource is: a server that passes over a parameter answers with the records of other patients.

One pass over what was read, before any of it is used, so that no rule has to ask again.
"""

from mappings.fhir.base import Resource
from mappings.fhir.datatypes import Reference
from mappings.fhir.financial import Claim, Coverage
from mappings.fhir.reader import Records, local_reference
from mappings.fhir.resources import (
    CarePlan,
    Composition,
    Condition,
    DocumentReference,
    Encounter,
    EpisodeOfCare,
    Goal,
    Observation,
    Procedure,
    QuestionnaireResponse,
)

_WHOSE: dict[type[Resource], str] = {
    Encounter: "subject",
    Procedure: "subject",
    Condition: "subject",
    CarePlan: "subject",
    Goal: "subject",
    Observation: "subject",
    QuestionnaireResponse: "subject",
    DocumentReference: "subject",
    Composition: "subject",
    Coverage: "beneficiary",
    Claim: "patient",
    EpisodeOfCare: "patient",
}
"""The element that names the patient, by the type of resource."""

OF_A_GROUP = "it belongs to a group and not to the patient in context; it was left out"
THEIRS = "it belongs to another patient than the one in context; it was left out"


def is_anothers(subject: Reference | None, patient: str, records: Records) -> bool | None:
    """Whether a resource with this subject belongs to another patient; None where that cannot be told.

    References may be relative or absolute, or name a Patient that came along by its urn. An identifier, a contained
    Patient, a urn of nothing that came along, and no subject at all tell nothing.
    """
    if subject is None:
        return None
    named = records.id_of(subject, "Patient")
    return None if not named or named.startswith("urn:") else named != patient


def leave_out_others(records: Records, patient: str) -> None:
    """Take the resources of other patients out of the records, with one gap for each type that says how many.

    They are never named: an id is theirs as much as the rest. What was noted of one of them before is forgotten.
    What cannot be told stays, for it came as the answer to a question about this patient - unless another patient's
    resource of its type shows that the question was passed over.
    """
    if not patient:
        return
    mine = f"Patient/{patient}"
    before = len(records.gaps)
    for kind, element in _WHOSE.items():
        subjects = [getattr(one, element) for one in records.all(kind)]
        if [one for one in subjects if one is None or type(one) is list or one.reference != mine]:
            _judge(kind, [_one(one) for one in subjects], patient, records)
            if kind is Condition:
                _without_their_diagnoses(records)
    if len(records.gaps) > before:
        records.gaps[:before] = [gap for gap in records.gaps[:before] if not records.left_out(gap.path)]


def _one(subject: Reference | list[Reference] | None) -> Reference | None:
    """R5 gives a Composition several subjects, of whom the first is looked at."""
    if isinstance(subject, list):
        return subject[0] if subject else None
    return subject


def _without_their_diagnoses(records: Records) -> None:
    """A diagnosis that was left out is no reason of a service."""
    for one in records.all(Procedure):
        if one.reason_reference or one.reason:
            one.reason_reference = [each for each in one.reason_reference if not records.left_out(each)]
            one.reason = [each for each in one.reason if not records.left_out(each.reference)]


def _judge(kind: type[Resource], subjects: list[Reference | None], patient: str, records: Records) -> None:
    groups = [one is not None and local_reference(one.reference or "").startswith("Group/") for one in subjects]
    if True in groups:
        for one in records.keep(kind, [not group for group in groups]):
            records.gap(f"{kind.__name__}/{one.id or '?'}", OF_A_GROUP)
        subjects = [one for one, group in zip(subjects, groups, strict=True) if not group]
    theirs = [is_anothers(one, patient, records) for one in subjects]
    if True not in theirs:
        return
    left = records.keep(kind, [one is False for one in theirs])
    count = theirs.count(True)
    records.gap(
        f"{kind.__name__}/*",
        f"{count} of them belong{'s' if count == 1 else ''} to another patient than the one in context;"
        f" left out: {len(left)}",
    )
