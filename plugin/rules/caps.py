"""The timed units that a payer pays a day: of the whole visit (Aetna), or of each discipline (Anthem)."""

from collections.abc import Iterator

from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.findings import Finding
from plugin.rules.plans import counted_together
from plugin.rules.units import supported_units


def above(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """More timed units on one day than the payer pays; which to leave off is a person's choice.

    Units that the minutes do not support are another finding, and do not count here.
    """
    rule = book.timed_units_cap
    if rule is None:
        return
    for discipline, lines in counted_together(visit, book).items():
        count = sum(line.units or 0 for line in lines)
        if count <= rule.value.units or not any(line in visit.reviewed for line in lines):
            continue
        alone = all(line in visit.lines for line in lines)
        if not alone or _supported(lines, supported_units(visit, book)) > rule.value.units:
            yield Finding(
                "units.cap",
                "warning" if rule.may_advise else "info",
                tuple(line.ref for line in lines),
                {"count": count, "limit": rule.value.units, "per": rule.value.per},
                (rule.source,),
                remarks=(f"Counted are the services under {discipline}.",) if discipline else (),
            )


def _supported(lines: list[Line], supported: dict[str, int]) -> int:
    """The billed units, of each code no more than its minutes support."""
    billed: dict[str, int] = {}
    for line in lines:
        billed[line.code] = billed.get(line.code, 0) + (line.units or 0)
    return sum(min(units, supported.get(code, units)) for code, units in billed.items())
