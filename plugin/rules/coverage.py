"""What the payer does not cover, pays only for some diagnoses, or wants to have authorized beforehand."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import RuleBook, Source
from mappings.visit import Line, Visit
from plugin.findings import Finding, Level
from plugin.rules.placing import NOTICES

SOME_PLANS = "It holds for the plans that the notice names; check the patient's."
INSTEAD = {"97014": "Medicare's code for unattended electrical stimulation is G0283."}
BUNDLED = "Medicare's table allows no unit of it: it is bundled into other services or not covered at all."


def not_covered(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Codes that the payer does not cover: by its own list, or by Medicare's limit of 0, which limits nobody else."""
    listed = book.noncovered
    medicare = book.mue is not None and book.mue.value and book.mue.may_advise
    if listed is None and not medicare:
        return
    for line in visit.standing:
        if not NOTICES.isdisjoint(line.modifiers):
            continue  # the line says itself that no payment is expected
        if listed is not None and line.code in listed.value:
            yield _not_covered(line, listed.source, (SOME_PLANS,), sure=False)  # the notice is about some plans
            continue
        limit = book.limits.get(line.code) if medicare else None
        if limit is not None and limit.units == 0:
            instead = INSTEAD.get(line.code)
            yield _not_covered(line, limit.source, (instead or BUNDLED,), sure=True)


def _not_covered(line: Line, source: Source, remarks: tuple[str, ...], *, sure: bool) -> Finding:
    level: Level = "warning" if sure else "info"
    return Finding("policy.not-covered", level, (line.ref,), {"code": line.code}, (source,), remarks=remarks)


def authorization(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Services of professions for which the payer wants an authorization that the claim does not name."""
    rule = book.prior_authorization
    if rule is None or visit.authorized:
        return
    lines = [line for line in visit.standing if not line.roles.isdisjoint(rule.value)]
    if lines:
        roles = sorted({role for line in lines for role in line.roles if role in rule.value})
        refs = tuple(line.ref for line in lines)
        yield Finding("policy.prior-authorization", "info", refs, {"roles": roles}, (rule.source,))


def extraspinal_only(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A service that the payer pays beside a manipulation for extraspinal diagnoses only (Aetna, 97140)."""
    rule = book.extraspinal_with_cmt
    if rule is None:
        return
    every = (*visit.billed, *visit.elsewhere)
    manipulated = [line for line in every if tables.codes()[line.code].kind == "cmt-spinal"]
    touched = frozenset[str]().union(*(line.regions for line in manipulated))
    for line in visit.standing:
        if line.code not in rule.value or not manipulated or is_extraspinal(line):
            continue
        if line.regions and line.regions <= touched:
            continue  # the same region is never paid, and that is said already
        diagnosed = sorted(diagnosed_regions(line))
        yield Finding(
            "policy.extraspinal-only",
            "info",
            (line.ref, *(other.ref for other in manipulated)),
            {"code": line.code, "regions": diagnosed or "no region"},
            (rule.source,),
        )


def is_extraspinal(line: Line) -> bool:
    """Whether the first diagnosis of a line names a region, and none of the spine."""
    regions = diagnosed_regions(line)
    return bool(regions) and regions.isdisjoint(tables.spinal_regions())


def diagnosed_regions(line: Line) -> frozenset[str]:
    """The regions that the first diagnosis of a line names."""
    return tables.diagnosis_regions(line.diagnoses[0]) if line.diagnoses else frozenset()
