"""Billing codes, modifiers, units and minutes out of FHIR's data types."""

import functools
import re
from collections.abc import Iterable

import msgspec

from mappings import tables
from mappings.fhir.datatypes import Concept, Quantity, Worded

BILLING_SYSTEMS = frozenset({"cpt", "hcpcs"})
_CODE = re.compile(r"^(?:\d{5}|\d{4}[TFU]|[A-Z]\d{4})$")
_MODIFIER = re.compile(r"^[A-Z0-9]{2}$")


class Billed(msgspec.Struct, frozen=True, gc=False):
    """A billing code with the modifiers that were written beside it in the same concept."""

    code: str
    modifiers: tuple[str, ...]
    named_otherwise: bool


NOTHING = Billed("", (), False)


@functools.cache
def _bare() -> dict[str, tuple[Billed, Billed]]:
    """Every known code without modifiers: named alone, and named otherwise too. Most concepts are one of these."""
    return {code: (Billed(code, (), False), Billed(code, (), True)) for code in tables.codes()}


def billed(concept: Concept | None) -> Billed:
    """The CPT or HCPCS code of a concept ("" where it has none).

    A coding without a system counts when its code has the form of one; `named_otherwise` says that a
    coding of another system (SNOMED CT, a local one) names the service too.
    """
    if concept is None:
        return NOTHING
    if concept.concept is not None:
        return billed(concept.concept)
    codings = concept.coding
    bare = _bare().get(codings[0].code or "") if codings else None
    if bare is not None and _is_billing_or_none(codings[0].system):
        if len(codings) == 1:
            return bare[0]
        if len(codings) == 2 and codings[1].code and not _is_billing_or_none(codings[1].system):
            return bare[not codings[1].code.isspace()]
    return _read(concept)


@functools.lru_cache(maxsize=4096)
def _is_billing_or_none(uri: str | None) -> bool:
    return not uri or tables.system_name(uri) in BILLING_SYSTEMS


def _read(concept: Concept) -> Billed:
    """As `billed`, of whatever stands in the codings, and in the text where there are none."""
    known = tables.codes()
    code, otherwise = "", False
    modifiers: tuple[str, ...] = ()
    for coding in concept.coding:
        text = (coding.code or "").strip().upper()
        if coding.system and tables.system_name(coding.system) not in BILLING_SYSTEMS:
            otherwise = otherwise or bool(text)
        elif not code and text in known:
            code = text
        elif _MODIFIER.match(text) and text not in modifiers:
            modifiers = (*modifiers, text)
        elif not code:
            base, *written = re.split(r"[\s:,-]+", text) if len(text) > 5 else [text]
            if _CODE.match(base):
                code, modifiers = base, (*modifiers, *(part for part in written if _MODIFIER.match(part)))
    if not code and not concept.coding and concept.text:
        text = concept.text.strip().upper()
        code = text if _CODE.match(text) else ""
    return Billed(code, modifiers, otherwise)


def modifier_of(concept: Concept, *, any_system: bool = False) -> str:
    """The two-character modifier that a concept names, "" where it is none.

    `any_system` is for places that hold modifiers only: there a code system that we do not know does as well.
    """
    for coding in concept.coding:
        text = (coding.code or "").strip().upper()
        if _MODIFIER.match(text) and _holds_modifiers(coding.system, any_system):
            return text
    text = (concept.text or "").strip().upper()
    return text if not concept.coding and _MODIFIER.match(text) else ""


def _holds_modifiers(uri: str | None, any_system: bool) -> bool:
    if not uri or is_billing_system(uri):
        return True
    return any_system and not tables.system_name(uri)


def is_billing_system(uri: str) -> bool:
    """Whether a code system is CPT or HCPCS, however it is spelled."""
    return tables.system_name(uri) in BILLING_SYSTEMS


def modifiers_of(concepts: Iterable[Concept], *, any_system: bool = False) -> tuple[str, ...]:
    """The modifiers of a list of concepts, in its order."""
    return tuple([found for one in concepts if (found := modifier_of(one, any_system=any_system))])


def minutes_of(quantity: Quantity) -> int | None:
    """The whole minutes of a quantity of time; None where its unit is no unit of time."""
    unit = (quantity.code or quantity.unit or "").strip().lower()
    seconds = tables.seconds_per_unit().get(unit)
    if seconds is None and quantity.unit:
        seconds = tables.seconds_per_unit().get(quantity.unit.strip().lower())
    if seconds is None or quantity.value is None or quantity.value < 0:
        return None
    # A number so great that it has no fraction is taken as a whole one, which no multiplication makes infinite.
    value = int(quantity.value) if quantity.value > 2**53 else quantity.value
    return int(value * seconds // 60)


VISITS = re.compile(r"\b(?:visits?|sessions?|treatments?|appointments?|weeks?|times|days?)\b")


def counts_visits(quantity: Quantity) -> bool:
    """Whether a quantity counts visits or sessions, as orders for a series do, and not billing units."""
    return any(VISITS.search(text.lower()) for text in (quantity.unit, quantity.code) if text)


def units_of(quantity: Quantity | None) -> int | str | None:
    """The units of a quantity: None where there is none, a sentence where it is no whole number of units."""
    if quantity is None or quantity.value is None:
        return None
    if quantity.value < 0 or quantity.value != int(quantity.value):
        return f"expected a whole number of units, got {quantity.value}"
    return int(quantity.value)


def icd10_of(concept: Concept | None) -> str:
    """The ICD-10-CM code of a concept, "" where it has none."""
    if concept is None:
        return ""
    if concept.concept is not None:
        return icd10_of(concept.concept)
    for coding in concept.coding:
        if coding.code and coding.system and tables.system_name(coding.system) == "icd10cm":
            return coding.code.strip().upper()
    return ""


def site_of(concept: Worded) -> tables.Site | None:
    """The regions that a body site names, by its codes first, by its words otherwise."""
    if concept.concept is not None:
        return site_of(concept.concept)
    if len(concept.coding) == 1:
        alone = concept.coding[0]
        site = tables.body_sites().get((tables.system_name(alone.system or ""), alone.code or ""))
        if site is not None and site.regions:
            return site if site.sides else _with_side(site, concept)
    regions: frozenset[str] = frozenset()
    sides: frozenset[str] = frozenset()
    specific = False
    for coding in concept.coding:
        site = tables.body_sites().get((tables.system_name(coding.system or ""), coding.code or ""))
        if site is not None:
            regions, specific, sides = regions | site.regions, specific or site.specific, sides | site.sides
    if regions:
        site = tables.Site(regions, specific, sides)
        return site if sides else _with_side(site, concept)
    words = _words(concept)
    return tables.site_in_words(words) if words else None


def _with_side(site: tables.Site, concept: Worded) -> tables.Site:
    """A coded site whose code names no side, with the one that its words name."""
    if not concept.text and not any(one.display for one in concept.coding):
        return site
    sides = tables.sides_in_words(_words(concept))
    return tables.Site(site.regions, site.specific, sides) if sides else site


def _words(concept: Worded) -> str:
    return " ; ".join(filter(None, [concept.text, *(one.display for one in concept.coding)]))


_NO_KINDS: frozenset[str] = frozenset()


def observation_kinds(concept: Worded | None) -> frozenset[str]:
    """The kinds of evidence that an observation's name makes it, by its codes first, by its words otherwise."""
    if concept is None:
        return _NO_KINDS
    table = tables.observation_kinds()
    kinds = _NO_KINDS
    for one in concept.coding:
        kinds |= table.get((tables.system_name(one.system or ""), one.code or ""), _NO_KINDS)
    if kinds:
        return kinds
    words = _words(concept)
    return tables.observation_in_words(words) if words else _NO_KINDS
