"""Several services that document one line, as one."""

from mappings.fhir import performers
from mappings.fhir.performers import NOBODY
from mappings.fhir.service_minutes import NOTHING as NO_MINUTES
from mappings.fhir.service_minutes import Stated
from mappings.fhir.services import Service
from mappings.visit import Minutes

_NOTHING: frozenset[str] = frozenset()

NO_SERVICE = Service(
    ref="", code="", modifiers=(), day=None, encounter="", orders=_NOTHING,
    stated=NO_MINUTES, stamped=False, finished=True, times=(),
    regions=_NOTHING, sides=_NOTHING, diagnoses=(), evidence=_NOTHING, answered=_NOTHING, notes=(), who=NOBODY,
    assistant=None,
)  # fmt: skip
"""What documents a line that no Procedure documents."""


def together(services: list[Service]) -> Service:
    """Several services that document one line, as one; its minutes are unknown where one's are."""
    if len(services) == 1:
        return services[0]
    if not services:
        return NO_SERVICE
    first = services[0]
    return Service(
        ref=first.ref,
        code=first.code,
        modifiers=first.modifiers,
        day=first.day,
        encounter=first.encounter,
        orders=_NOTHING.union(*(one.orders for one in services)),
        stated=_stated(services),
        stamped=any(one.stamped for one in services),
        finished=all(one.finished for one in services),
        times=tuple(block for one in services for block in one.times),
        regions=_NOTHING.union(*(one.regions for one in services)),
        sides=_NOTHING.union(*(one.sides for one in services)) if all(one.sides for one in services) else _NOTHING,
        diagnoses=tuple(dict.fromkeys(code for one in services for code in one.diagnoses)),
        evidence=_NOTHING.union(*(one.evidence for one in services)),
        answered=_NOTHING.union(*(one.answered for one in services)),
        notes=tuple(note for one in services for note in one.notes),
        who=performers.together([one.who for one in services]),
        assistant=_sum_of_assistants(services),
    )


def _stated(services: list[Service]) -> Stated:
    """The minutes of services together: disputed where one's are, a guess where one's are only guessed."""
    disputed = tuple(minutes for one in services for minutes in one.stated.disputed)
    if disputed:
        return Stated(disputed=disputed)
    minutes = _sum(services)
    guess = next((one.stated.guess for one in services if one.stated.guess is not None), None)
    return Stated(minutes=minutes, guess=guess if minutes is None and len(services) == 1 else None)


def _sum(services: list[Service]) -> Minutes | None:
    """The minutes of services together; None where one is unknown, so that no total is too small.

    Where all times are known, minutes that two services share count once.
    """
    known = [one.stated.minutes for one in services if one.stated.minutes is not None]
    if len(known) < len(services):
        return None
    read_from = ", ".join(one.read_from for one in known)
    if not all(one.times for one in services):
        return Minutes(sum(one.value for one in known), read_from)
    return Minutes(_covered(services), read_from)


def _covered(services: list[Service]) -> int:
    """The whole minutes in which any of the services was given."""
    seconds, until = 0.0, None
    for block in sorted((block for one in services for block in one.times), key=lambda one: one.start):
        start = block.start if until is None else max(block.start, until)
        until = block.end if until is None else max(block.end, until)
        seconds += max(0.0, (block.end - start).total_seconds())
    return int(seconds // 60)


def _sum_of_assistants(services: list[Service]) -> Minutes | None:
    """The minutes of services that an assistant gave alone; None where one's are unknown.

    Where all times are known, minutes that an assistant's service shares with a therapist's are the therapist's.
    """
    known = [one.assistant for one in services if one.assistant is not None]
    if len(known) < len(services):
        return None
    read_from = ", ".join(one.read_from for one in known)
    stated_in_forms = any(not one.read_from.endswith(".performer") for one in known)
    if stated_in_forms or not all(one.times for one in services):
        return Minutes(sum(one.value for one in known), read_from)
    of_others = [one for one in services if one.assistant is not None and one.assistant.value == 0]
    return Minutes(_covered(services) - _covered(of_others), read_from)
