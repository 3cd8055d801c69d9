"""One practitioner: how a reference names him, and the professions that his own resources or his printed name state."""

from collections.abc import Iterable

import msgspec

from mappings.fhir.base import Resource
from mappings.fhir.datatypes import Identifier, Party
from mappings.fhir.professions import roles_in_name, roles_in_words, roles_of
from mappings.fhir.reader import Records, local_reference, resolve
from mappings.fhir.resources import Organization, Practitioner, PractitionerRole

_NOTHING: frozenset[str] = frozenset()
_KINDS = ("Practitioner", "PractitionerRole")


class Person(msgspec.Struct, frozen=True, gc=False):
    """A practitioner: how he is referred to ("" where that tells nobody apart), and his professions."""

    name: str
    roles: frozenset[str]


def person_of(
    party: Party | None, contained: list[msgspec.Raw], records: Records, roles: frozenset[str] = _NOTHING
) -> Person | None:
    """The practitioner that a reference names; None where it names none, or an organization.

    His professions are `roles` where it is known as what he acted, else what his resources or his printed name say.
    """
    if party is None or party.type not in (None, *_KINDS):
        return None
    text = party.reference
    if roles and text is not None and text.startswith("Practitioner/"):
        return Person(local_reference(text), roles)
    found = _resource(party, contained, records)
    role = found if type(found) is PractitionerRole else None
    named = party
    if role is not None and role.practitioner is not None:
        named = role.practitioner
        found = _resource(named, contained, records)
    name = _name(named, found)
    if name is None:
        return None
    if not roles and role is not None:
        roles = _union(map(roles_of, role.code)) or _union(map(roles_of, role.specialty))
    if not roles and type(found) is Practitioner:
        roles = _of_practitioner(found)
    return Person(name, roles or roles_in_name(named.display or party.display or ""))


def _resource(party: Party, contained: list[msgspec.Raw], records: Records) -> Resource | None:
    """Whatever a reference names, of the contained resources those that may stand for a practitioner."""
    if not party.reference or not party.reference.startswith("#"):
        return records.get(Resource, party)
    role = resolve(PractitionerRole, party, contained, records)
    return role or resolve(Practitioner, party, contained, records) or resolve(Organization, party, contained, records)


def _of_practitioner(practitioner: Practitioner) -> frozenset[str]:
    qualified = _union(roles_of(one.code) for one in practitioner.qualification)
    return qualified or _union(roles_in_words(text) for name in practitioner.name for text in name.suffix if text)


def _union(roles: Iterable[frozenset[str]]) -> frozenset[str]:
    return _NOTHING.union(*roles)


def _name(party: Party, found: Resource | None) -> str | None:
    """How a practitioner is referred to: Type/id, an unknown urn, an identifier, or ""; None for anything else."""
    if found is not None and type(found).__name__ not in _KINDS:
        return None
    text = party.reference or ""
    if text.startswith("#"):
        return _number(found.identifier if isinstance(found, Practitioner) else [])
    if text.startswith("urn:"):
        return text if found is None or not found.id else f"{type(found).__name__}/{found.id}"
    if text:
        local = local_reference(text)
        return local if local.startswith(("Practitioner/", "PractitionerRole/")) else None
    if party.identifier is None and not party.display:
        return None
    return _number([party.identifier] if party.identifier else [])


def _number(identifiers: list[Identifier]) -> str:
    """The first identifier that has a value; a contained resource has no other name that others know it by."""
    return next((f"{one.system or ''}|{one.value}" for one in identifiers if one.value), "")
