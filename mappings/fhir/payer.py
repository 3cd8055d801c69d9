"""Who pays: from the focal insurance of a Claim, or the patient's Coverage, to names and identifiers."""

import msgspec

from mappings import books_in_force
from mappings.fhir.datatypes import Party
from mappings.fhir.financial import Claim, Coverage
from mappings.fhir.reader import Records, resolve
from mappings.fhir.record import Context
from mappings.fhir.resources import Organization, ServiceRequest
from mappings.visit import Payer


class _Printed:
    """What was printed of the payer so far, in the order of trust."""

    def __init__(self, zelis_plans: frozenset[str]) -> None:
        self.identifiers: list[tuple[str, str]] = []
        self.names: list[str] = []
        self.plans: list[str] = []
        self._zelis_plans = zelis_plans

    def payer(self) -> Payer:
        """One that the practice marked as edited by Zelis, else by who pays, else by what the plan alone is called.

        What the plan is called may also speak against the payer's book: its Medicare Advantage plan is another plan.
        """
        book = self._marked()
        if not book and (self.identifiers or self.names):
            book = books_in_force.payer_known_as(tuple(self.identifiers), tuple(self.names))
            if book and any(books_in_force.speaks_against(book, text) for text in self.plans):
                book = ""
        elif not book:
            book = books_in_force.payer_known_as((), tuple(self.plans))
        saw = [*self.names, *self.plans, *(f"{system}|{value}" for system, value in self.identifiers)]
        return Payer(book, tuple(dict.fromkeys(saw)))

    def _marked(self) -> str:
        if not self._zelis_plans:
            return ""
        printed = {*self.names, *self.plans, *(value for _, value in self.identifiers)}
        return ZELIS if not self._zelis_plans.isdisjoint(marked(text) for text in printed) else ""


_GROUPS = frozenset({"group", "subgroup"})
_SELF_PAY = "pay"
"""The type of a coverage under which nobody but the patient pays: it is no plan's name."""

ZELIS = "zelis"
"""The book of plans that Zelis edits, whoever pays."""


def marked(text: str) -> str:
    """A plan's name or identifier in the form in which marks are compared."""
    return " ".join(text.lower().split())


def claim_payer(claim: Claim, records: Records, context: Context) -> Payer:
    """The payer of the claim's focal insurance (else the first by sequence), then of its insurer."""
    printed = _Printed(context.practice.zelis_plans)
    insurance = sorted(claim.insurance, key=lambda one: (not one.focal, one.sequence or 0))
    if insurance:
        reference = insurance[0].coverage
        coverage = resolve(Coverage, reference, claim.contained, records)
        if coverage is not None:
            _read_coverage(coverage, claim.contained, records, printed)
        elif reference is not None:
            _read_reference(reference, claim.contained, records, printed)
    else:
        coverage = _primary(records)
        if coverage is not None:
            _read_coverage(coverage, claim.contained, records, printed)
    if claim.insurer is not None:
        _read_reference(claim.insurer, claim.contained, records, printed)
    return printed.payer()


def is_authorized(claim: Claim, path: str, records: Records) -> bool:
    """Whether any insurance of a claim names a prior authorization; what stands there and is no text is a gap."""
    found = False
    for place, insurance in enumerate(claim.insurance):
        named = insurance.pre_auth_ref
        if named is None:
            continue
        numbers = named if isinstance(named, list) else [named]
        if not all(number is None or isinstance(number, str) for number in numbers):
            records.gap(f"{path}.insurance[{place}].preAuthRef", "expected a list of strings")
        found = found or any(isinstance(number, str) and number.strip() for number in numbers)
    return found


def order_payer(orders: list[ServiceRequest], records: Records, context: Context) -> Payer:
    """The payer of the coverage that the orders name, else of the patient's first coverage."""
    printed = _Printed(context.practice.zelis_plans)
    named = [reference for order in orders for reference in order.insurance]
    coverage = next(filter(None, (records.get(Coverage, reference) for reference in named)), None)
    if coverage is None:
        coverage = _primary(records)
    if coverage is not None:
        _read_coverage(coverage, [], records, printed)
    else:
        for reference in named:
            _read_reference(reference, [], records, printed)
    return printed.payer()


def _primary(records: Records) -> Coverage | None:
    """The patient's own coverage to bill first: active before others, then by its stated order."""
    every = records.all(Coverage)
    return min(every, key=lambda one: (one.status not in (None, "active"), one.order or 1), default=None)


def _read_coverage(coverage: Coverage, contained: list[msgspec.Raw], records: Records, printed: _Printed) -> None:
    inside = [*coverage.contained, *contained]
    parties = [*coverage.payor, *(part.party for part in coverage.payment_by if part.party)]
    if coverage.insurer is not None:
        parties.append(coverage.insurer)
    for reference in parties:
        _read_reference(reference, inside, records, printed)
    for one in coverage.classes:
        if one.type is not None and not _GROUPS.isdisjoint(coding.code for coding in one.type.coding):
            continue  # an employer's name says nothing of the plan
        printed.plans.extend(text for text in (one.name, _value(one.value)) if text)
    kind = coverage.type
    if kind is not None and all((coding.code or "").lower() != _SELF_PAY for coding in kind.coding):
        words = [kind.text, *(coding.display for coding in kind.coding)]
        printed.plans.extend(text for text in words if text)


def _value(value: object) -> str:
    """The text of a class's value: a string in R4, an Identifier in R5."""
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, str) else ""


def _read_reference(reference: Party, contained: list[msgspec.Raw], records: Records, printed: _Printed) -> None:
    organization = resolve(Organization, reference, contained, records)
    for identifier in [reference.identifier, *(organization.identifier if organization else [])]:
        if identifier is not None and identifier.value:
            printed.identifiers.append((identifier.system or "", identifier.value))
    names = [organization.name, *organization.alias] if organization else []
    printed.names.extend(name for name in [*names, reference.display] if name)
