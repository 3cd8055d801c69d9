"""The minutes of one service: every place that states them, whether these agree, and at worst a guess from words."""

import re

import msgspec

from mappings import tables
from mappings.fhir import coding, extensions
from mappings.fhir.base import NOT_SENT
from mappings.fhir.datatypes import Quantity
from mappings.fhir.extensions import Told
from mappings.fhir.forms import ACTUAL_TIME, Form, minutes_stated
from mappings.fhir.reader import Records, read_part
from mappings.fhir.resources import Observation, Procedure
from mappings.visit import Interval, Minutes

ROUNDING = 1
"""Minutes by which two places may differ: one counts from bell to bell, another rounds."""

LONGEST_GUESS = 240

_IN_WORDS = re.compile(r"(?<![\w.:/-])(\d{1,3})\s*-?\s*(?:minutes?|mins?)\b", re.IGNORECASE)


class Stated(msgspec.Struct, frozen=True):
    """What a record states of the minutes of a service.

    `minutes` is None where nothing states them, and where `disputed` holds statements that contradict each other.
    `guess` is what words say where nothing else does: it asks for a confirmation and decides nothing.
    """

    minutes: Minutes | None = None
    disputed: tuple[Minutes, ...] = ()
    guess: Minutes | None = None


NOTHING = Stated()


class Stamp(msgspec.Struct, frozen=True):
    """The time of a whole encounter; `shared` says that several services carry it as their own."""

    block: Interval
    shared: bool


MEASURED = frozenset({"service-minutes", "total-treatment-minutes", "total-timed-minutes"})
"""The kinds of observation that state a service's minutes where they are part of its Procedure."""


class _Repeat(msgspec.Struct, rename="camel", gc=False):
    duration: int | float | None = None
    duration_unit: str | None = None


class Timing(msgspec.Struct, gc=False):
    """R5: when a service was given may be a Timing, with how long it took."""

    repeat: _Repeat | None = None


_TIMING = msgspec.json.Decoder(Timing)


def of_procedure(
    procedure: Procedure, name: str, lasted: Minutes | None, beside: list[Minutes], records: Records
) -> Stated:
    """The minutes of a Procedure: how long it `lasted`, and what extensions, observations and forms state beside."""
    found = beside
    if procedure.occurrence_timing is not NOT_SENT:
        path = f"{name}.occurrenceTiming"
        timing = read_part(procedure.occurrence_timing, _TIMING, path, records)
        if timing is not None and timing.repeat is not None and timing.repeat.duration is not None:
            quantity = Quantity(value=timing.repeat.duration, code=timing.repeat.duration_unit)
            minutes = coding.minutes_of(quantity)
            if minutes is not None:
                found = [Minutes(minutes, path), *found]
    if lasted is not None:
        if not found:
            return Stated(lasted)
        found = [lasted, *found]
    return agreed(found)


def agreed(found: list[Minutes]) -> Stated:
    """What several places state, the most trusted one first: its minutes where no other contradicts them."""
    if not found:
        return NOTHING
    first = found[0]
    if len(found) > 1 and any(abs(one.value - first.value) > ROUNDING for one in found):
        return Stated(disputed=tuple(found))
    return Stated(first)


def beside_of(told: list[Told], observed: list[Minutes], forms: list[Form]) -> list[Minutes]:
    """The minutes that extensions, observations and forms state, in the order of trust."""
    found = [one.minutes for one in told if one.minutes is not None]
    found += observed
    for form in forms:
        stated = minutes_stated(form, ACTUAL_TIME)
        if stated:
            found.append(Minutes(stated, f"{form.ref}#{ACTUAL_TIME}"))
            break
    return found


def extensions_of(procedure: Procedure, name: str, records: Records, urls: frozenset[str]) -> list[Told]:
    """What the extensions of a Procedure tell, and those of the time at which it was given."""
    if (
        procedure.extension is NOT_SENT
        and procedure.beside_performed is NOT_SENT
        and procedure.beside_occurrence is NOT_SENT
    ):
        return []
    told = []
    if procedure.extension is not NOT_SENT:
        told.append(extensions.told_by(procedure.extension, f"{name}.extension", records, urls))
    for raw, element in (
        (procedure.beside_performed, "_performedDateTime"),
        (procedure.beside_occurrence, "_occurrenceDateTime"),
    ):
        if raw is not NOT_SENT:
            told.append(extensions.of_primitive(raw, f"{name}.{element}", records, urls))
    return told


def observed(records: Records) -> dict[str, list[Minutes]]:
    """The minutes that observations state of the Procedures that they are part of, by Procedure."""
    found: dict[str, list[Minutes]] = {}
    for one in records.all(Observation):
        if not one.part_of and not one.focus:
            continue
        if one.status in ("entered-in-error", "cancelled") or coding.observation_kinds(one.code).isdisjoint(MEASURED):
            continue
        services = services_of(one, records)
        minutes = measured(one, "minutes", records) if services else None
        if minutes is not None:
            for service in services:
                found.setdefault(service, []).append(minutes)
    return found


def measured(observation: Observation, what: str, records: Records) -> Minutes | None:
    """The minutes that are the value of an observation; one that states none is a gap.

    Two values that contradict each other are none: that they are two is said where forms of a choice are checked.
    """
    name = f"Observation/{observation.id or '?'}"
    minutes, element, quantity = observation.value_integer, "valueInteger", observation.value_quantity
    if quantity is not None:
        measure = coding.minutes_of(quantity)
        if minutes is not None and minutes != measure:
            return None
        minutes, element = measure, "valueQuantity"
    if minutes is None or minutes < 0:
        records.gap(name, f"expected {what}, as valueInteger or as valueQuantity with a unit of time")
        return None
    return Minutes(minutes, f"{name}.{element}")


def services_of(observation: Observation, records: Records) -> list[str]:
    """The Procedures that an observation is part of, or is about."""
    ids = [records.id_of(one, "Procedure") for one in (*observation.part_of, *observation.focus)]
    return [f"Procedure/{one}" for one in dict.fromkeys(ids) if one]


def guessed(code: str, texts: dict[str, str | None]) -> Minutes | None:
    """The minutes that words speak of, by the element they stand in; None where they speak of none, or of several."""
    known = tables.codes().get(code)
    if known is None or not known.timed:
        return None
    said = [(int(number), path) for path, text in texts.items() if text for number in _IN_WORDS.findall(text)]
    values = {value for value, _ in said}
    if len(values) != 1 or not 0 < said[0][0] <= LONGEST_GUESS:
        return None
    return Minutes(*said[0])
