"""Billing codes, modifiers, units and minutes out of FHIR's data types."""

import functools
import re
from collections.abc import Iterable

import msgspec

from mappings import tables
from mappings.fhir.datatypes import Concept, OrderDetail, Party, Quantity, Reference, Worded, WordedCoding
from mappings.fhir.expressions import site_of_expression

BILLING_SYSTEMS = frozenset({"cpt", "hcpcs"})
CLINICAL_SYSTEMS = frozenset({"snomed", "loinc", "icd10pcs"})
"""Terminologies that say what was done; a local code beside a billing code mostly repeats it, for the price list."""

_CODE = re.compile(r"^(?:[0-9]{5}|[0-9]{4}[TFU]|[A-Z][0-9]{4})$")
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
    coding of a clinical terminology (SNOMED CT) names the service too.
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
            return bare[_is_clinical(codings[1].system) and not codings[1].code.isspace()]
    return _read(concept)


@functools.lru_cache(maxsize=4096)
def _is_billing_or_none(uri: str | None) -> bool:
    return not uri or tables.system_name(uri) in BILLING_SYSTEMS


@functools.lru_cache(maxsize=4096)
def _is_clinical(uri: str | None) -> bool:
    return bool(uri) and tables.system_name(uri or "") in CLINICAL_SYSTEMS


def _read(concept: Concept) -> Billed:
    """As `billed`, of whatever stands in the codings, and in the text where there are none."""
    known = tables.codes()
    code, otherwise = "", False
    modifiers: tuple[str, ...] = ()
    for coding in concept.coding:
        text = (coding.code or "").strip().upper()
        if coding.system and tables.system_name(coding.system) not in BILLING_SYSTEMS:
            otherwise = otherwise or (bool(text) and _is_clinical(coding.system))
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


def ordered_modifiers(details: list[OrderDetail]) -> tuple[str, ...]:
    """The modifiers of an order's details; of R5's parameters those that are called so, or coded as such."""
    found = list(modifiers_of(details))
    for one in [parameter for detail in details for parameter in detail.parameter]:
        value = one.value_codeable_concept or Concept(text=one.value_string)
        if one.code is not None and "modifier" in _named(one.code):
            found.append(modifier_of(value, any_system=True))
        elif is_billed(value):
            found.append(modifier_of(value))
    return tuple([one for one in found if one])


def _named(concept: Concept) -> str:
    return " ".join(filter(None, [concept.text, *(one.code for one in concept.coding)])).lower()


def is_billed(concept: Concept) -> bool:
    """Whether a concept holds any code of CPT or HCPCS, be it one that can be read or not."""
    return any(one.system and one.code and one.code.strip() and is_billing_system(one.system) for one in concept.coding)


def says(concept: Concept | None) -> bool:
    """Whether a concept or R5's CodeableReference says anything; empty strings and an absent-reason say nothing.

    A coding without a code may say it in words that are not read.
    """
    if concept is None:
        return False
    if concept.text or any(one.code is None or one.code.strip() for one in concept.coding):
        return True
    if isinstance(concept.reference, Reference):
        return concept.reference.reference != ""
    return bool(concept.reference) or says(concept.concept)


def refers(party: Party | None) -> bool:
    """Whether a reference names anything, in whichever way."""
    return party is not None and (bool(party.reference or party.display) or party.identifier is not None)


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
        site = _coded_site(concept.coding[0])
        if site is not None and site.regions:
            return site if site.sides else _with_side(site, concept)
    regions: frozenset[str] = frozenset()
    sides: frozenset[str] = frozenset()
    specific = False
    for coding in concept.coding:
        site = _coded_site(coding)
        if site is not None:
            regions, specific, sides = regions | site.regions, specific or site.specific, sides | site.sides
    if regions:
        site = tables.Site(regions, specific, sides)
        return site if sides else _with_side(site, concept)
    words = _words(concept)
    return tables.site_in_words(words) if words else None


def _coded_site(coding: WordedCoding) -> tables.Site | None:
    system, code = tables.system_name(coding.system or ""), coding.code or ""
    site = tables.body_sites().get((system, code))
    if site is None and system == "snomed" and not code.isdigit():
        return site_of_expression(code)
    return site


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
