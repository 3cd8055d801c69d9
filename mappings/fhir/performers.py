"""Who gave a service: practitioners by reference, their professions, and the minutes that an assistant gave alone."""

import functools
from collections.abc import Sequence

import msgspec

from mappings.fhir import coding
from mappings.fhir.base import NOT_SENT
from mappings.fhir.datatypes import Party, Worded
from mappings.fhir.financial import Claim, ClaimItem, TeamMember
from mappings.fhir.forms import ASSISTANT_TIME, Form, minutes_stated
from mappings.fhir.practitioners import Person, person_of
from mappings.fhir.professions import roles_of, told_of
from mappings.fhir.reader import Records, read_part
from mappings.fhir.resources import Performer, Procedure, ServiceRequest
from mappings.visit import ASSISTANTS, ROLES, Minutes

THERAPISTS = ROLES - ASSISTANTS - {"massage-therapist", "athletic-trainer"}
"""The professions beside whom an assistant does not give a service alone."""

BY_ASSISTANT = frozenset({"CQ", "CO"})

_NOTHING: frozenset[str] = frozenset()
_PERFORMERS = msgspec.json.Decoder(list[Performer])
_TEAM = msgspec.json.Decoder(list[TeamMember])
_PARTY = msgspec.json.Decoder(Party)
_PARTIES = msgspec.json.Decoder(list[Party])
_TYPE = msgspec.json.Decoder(Worded)


class Who(msgspec.Struct, frozen=True, gc=False):
    """Who gave a service; `whole` says that everybody's profession is known."""

    performers: frozenset[str]
    roles: frozenset[str]
    whole: bool


NOBODY = Who(_NOTHING, _NOTHING, False)
"""Who gave a service of which the record does not say it."""


def joint(people: list[Person]) -> Who:
    """Several people who gave a service together."""
    if len(people) == 1:
        one = people[0]
        return _who(frozenset([one.name]) if one.name else _NOTHING, one.roles, bool(one.roles))
    names = frozenset([one.name for one in people if one.name])
    known = {one.name for one in people if one.roles}
    whole = bool(people) and all(one.roles or (one.name and one.name in known) for one in people)
    return _who(names, _NOTHING.union(*[one.roles for one in people]), whole)


def together(every: Sequence[Who]) -> Who:
    """Who gave several services of one line."""
    names = _NOTHING.union(*[one.performers for one in every])
    return _who(names, _NOTHING.union(*[one.roles for one in every]), all(one.whole for one in every))


def _who(names: frozenset[str], roles: frozenset[str], whole: bool) -> Who:
    if not whole and roles <= ASSISTANTS:
        roles = _NOTHING  # somebody else took part, who may be the therapist: nobody knows what the assistant gave
    return Who(names, roles, whole)


class _Member(msgspec.Struct, frozen=True):
    """A member of a claim's care team: his number, who he is, and whether he takes part in services."""

    sequence: int | None
    person: Person
    gives: bool


class People:
    """The practitioners of a request. The team and the provider of its claim are read when somebody asks for them."""

    def __init__(self, records: Records, claim: Claim | None = None, path: str = "") -> None:
        self._records = records
        self._claim = claim
        self._path = path
        self._read: dict[bytes, Who | None] = {}

    def of_procedure(self, procedure: Procedure, name: str) -> Who | None:
        """Who gave a Procedure; None where it names no performer."""
        if procedure.performer is NOT_SENT:
            return None
        if procedure.contained:
            return self._performed(procedure, name)
        # Most visits are given by one person, who is written in the same way on every service.
        written = bytes(procedure.performer)
        if written not in self._read:
            self._read[written] = self._performed(procedure, name)
        return self._read[written]

    def _performed(self, procedure: Procedure, name: str) -> Who | None:
        performers = read_part(procedure.performer, _PERFORMERS, f"{name}.performer", self._records)
        performers = [one for one in performers or [] if one.function is not None or coding.refers(one.actor)]
        if not performers:
            return None
        people = []
        for one in performers:
            function = told_of(one.function)
            if not function.gives:
                continue
            person = person_of(one.actor, procedure.contained, self._records, function.roles)
            if person is not None:
                people.append(person if person.roles else Person(person.name, self._of_team(person.name)))
            elif function.roles:
                people.append(Person("", function.roles))
        return joint(people)

    def _of_team(self, name: str) -> frozenset[str]:
        """The professions that the claim's care team states of a practitioner."""
        return _NOTHING.union(*[one.person.roles for one in self._team if name and one.person.name == name])

    def of_item(self, item: ClaimItem, modifiers: tuple[str, ...]) -> Who:
        """Who gave a claim item as far as the claim says: its members of the care team, else the claim's provider.

        Where CQ or CO says that an assistant gave it, a therapist there is the one who is enrolled and answers for it.
        """
        if self._claim is None:
            return NOBODY
        members = [one.person for one in self._team if one.gives and one.sequence in item.care_team_sequence]
        if not members and self._provider is not None and self._provider.roles:
            members = [self._provider]
        found = joint(members)
        contradicted = found.roles.isdisjoint(ASSISTANTS) and not BY_ASSISTANT.isdisjoint(modifiers)
        return NOBODY if contradicted else found

    def of_order(self, order: ServiceRequest, name: str) -> Who:
        """Who is to give an order: its performers, of the profession that it asks for."""
        if order.performer is NOT_SENT and order.performer_type is NOT_SENT:
            return NOBODY
        roles = roles_of(read_part(order.performer_type, _TYPE, f"{name}.performerType", self._records))
        parties = read_part(order.performer, _PARTIES, f"{name}.performer", self._records) or []
        people = [person_of(party, order.contained, self._records, roles) for party in parties]
        known = [one for one in people if one is not None]
        return joint(known or ([Person("", roles)] if roles else []))

    @functools.cached_property
    def _team(self) -> list[_Member]:
        """The members of the claim's care team."""
        claim = self._claim
        if claim is None:
            return []
        members = []
        for one in read_part(claim.care_team, _TEAM, f"{self._path}.careTeam", self._records) or []:
            person = person_of(one.provider, claim.contained, self._records)
            if person is not None:
                role = told_of(one.role)
                roles = roles_of(one.qualification) or roles_of(one.specialty) or person.roles or role.roles
                members.append(_Member(one.sequence, Person(person.name, roles), role.gives))
        return members

    @functools.cached_property
    def _provider(self) -> Person | None:
        """The claim's provider, where that is a practitioner."""
        if self._claim is None:
            return None
        party = read_part(self._claim.provider, _PARTY, f"{self._path}.provider", self._records)
        return person_of(party, self._claim.contained, self._records)


def assistant_minutes(who: Who | None, minutes: Minutes | None, name: str, forms: list[Form]) -> Minutes | None:
    """The minutes of a Procedure that an assistant gave alone; None where that is unknown.

    A form of the Procedure says it itself. Else all are the assistant's where no therapist took part.
    """
    for form in forms:
        stated = minutes_stated(form, ASSISTANT_TIME)
        if stated is not None:
            return Minutes(stated, f"{form.ref}#{ASSISTANT_TIME}")
    if who is None or not who.roles:
        return None
    if not who.roles.isdisjoint(THERAPISTS) or (who.whole and who.roles.isdisjoint(ASSISTANTS)):
        return Minutes(0, f"{name}.performer")
    return None if minutes is None or not who.whole else Minutes(minutes.value, f"{name}.performer")
