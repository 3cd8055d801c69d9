"""What extensions tell that FHIR has no element for: the minutes of a service, its modifiers (extensions.csv)."""

import msgspec

from mappings import tables
from mappings.fhir import coding
from mappings.fhir.datatypes import Coding, Concept, Quantity
from mappings.fhir.decoding import BROKEN, decode, explain
from mappings.fhir.reader import Records, read_part
from mappings.visit import Minutes


class Extension(msgspec.Struct, rename="camel", gc=False):
    """An extension with the values that are read; those of others, and extensions within it, are kept apart."""

    url: str = ""
    value_duration: Quantity | None = None
    value_quantity: Quantity | None = None
    value_integer: int | None = None
    value_positive_int: int | None = None
    value_unsigned_int: int | None = None
    value_decimal: int | float | None = None
    value_code: str | None = None
    value_string: str | None = None
    value_coding: Coding | None = None
    value_codeable_concept: Concept | None = None
    extension: "list[Extension]" = []


class Element(msgspec.Struct, gc=False):
    """What stands beside a primitive value: the extensions of its `_name` twin."""

    extension: list[msgspec.Raw] = []


class Told(msgspec.Struct, frozen=True):
    """What the extensions of one element tell."""

    minutes: Minutes | None = None
    modifiers: tuple[str, ...] = ()


NOTHING = Told()

_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_URL = msgspec.json.Decoder(Extension)
_ELEMENT = msgspec.json.Decoder(Element)


def told_by(raw: msgspec.Raw, path: str, records: Records, minutes_urls: frozenset[str]) -> Told:
    """What a list of extensions tells; `minutes_urls` are those that hold minutes beside the ones of the table.

    An extension of another kind is none of ours and may hold whatever it likes.
    """
    if not memoryview(raw).nbytes:
        return NOTHING
    every = read_part(raw, _LIST, path, records)
    if every is None:
        return NOTHING
    minutes: Minutes | None = None
    modifiers: tuple[str, ...] = ()
    for place, one in enumerate(every):
        where = f"{path}[{place}]"
        holds = _holds(one, minutes_urls)
        if not holds:
            continue
        try:
            extension = decode(_URL, one)
        except BROKEN as error:
            below, what = explain(error)
            records.gap(where + below, what)
            continue
        if holds == "minutes":
            value = _minutes(extension)
            if value is None:
                records.gap(where, "expected minutes: a duration with a unit of time, or a whole number of minutes")
            else:
                minutes = minutes or Minutes(value, where)
        else:
            modifiers += tuple(found for found in _modifiers(extension) if found not in modifiers)
    return Told(minutes, modifiers)


def of_primitive(raw: msgspec.Raw, path: str, records: Records, minutes_urls: frozenset[str]) -> Told:
    """As `told_by`, of the `_name` twin of a primitive element."""
    if not memoryview(raw).nbytes:
        return NOTHING
    try:
        beside = _ELEMENT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOTHING
    return told_by(msgspec.Raw(msgspec.json.encode(beside.extension)), f"{path}.extension", records, minutes_urls)


class _Url(msgspec.Struct, gc=False):
    url: str = ""


def _holds(raw: msgspec.Raw, minutes_urls: frozenset[str]) -> str:
    try:
        url = msgspec.json.decode(raw, type=_Url).url
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return "minutes" if url in minutes_urls else tables.extensions().get(url, "")


def _minutes(extension: Extension) -> int | None:
    quantity = extension.value_duration or extension.value_quantity
    if quantity is not None:
        return coding.minutes_of(quantity)
    for number in (extension.value_integer, extension.value_positive_int, extension.value_unsigned_int):
        if number is not None:
            return number if number >= 0 else None
    decimal = extension.value_decimal
    return int(decimal) if decimal is not None and decimal >= 0 else None


def _modifiers(extension: Extension) -> tuple[str, ...]:
    """The modifiers that an extension names, itself or in the extensions within it."""
    concepts = [extension.value_codeable_concept or Concept()]
    if extension.value_coding is not None:
        concepts.append(Concept(coding=[extension.value_coding]))
    concepts.extend(Concept(text=text) for text in (extension.value_code, extension.value_string))
    own = coding.modifiers_of(concepts, any_system=True)
    return own or tuple(found for inner in extension.extension for found in _modifiers(inner))
