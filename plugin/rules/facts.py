"""What could not be known: payer, date, unreadable parts, parts that were not sent, codes of others.

An empty answer means "looked, and found nothing"; everything that was not looked at is said here.
"""

from collections.abc import Iterator

from mappings.rule_book import RuleBook
from mappings.visit import Facts, Visit
from plugin.findings import Finding, RemoveLine, Slot
from plugin.text import in_code, in_short, plain


def payer(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """An unknown payer is never a default: the base book applies, and the card says so."""
    if not visit.payer.book:
        saw = list(visit.payer.saw)
        slots: dict[str, Slot] = {"book": book.id}
        if saw:
            slots["saw"] = saw
        yield Finding("facts.payer-unknown", "info", _drafted(visit), slots)


def not_given(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """A line whose service the record says was not given, or not finished."""
    for line in visit.reviewed:
        if line.not_given:
            yield Finding(
                "facts.not-given",
                "critical",
                (line.ref,),
                {"status": line.not_given},
                choices=((RemoveLine(line.ref),),) if line.draft else (),
            )


def date(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """No date of service: today's edition had to serve."""
    if not visit.date_read_from:
        yield Finding("facts.date-unknown", "info", _drafted(visit), {"date": visit.date.isoformat()})


def codes(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Lines that no table of ours knows, beside lines that are ours."""
    if visit.not_ours and visit.reviewed:
        refs = tuple(line.ref for line in visit.not_ours)
        named = [in_short(line.code or "no code", line.ref) for line in visit.not_ours]
        yield Finding("facts.codes-not-reviewed", "info", refs, {"codes": list(named)})


def before_the_books(visit: Visit, begins: str) -> Finding:
    """A visit before the rule books begin is not reviewed."""
    slots = {"date": visit.date.isoformat(), "begins": begins}
    return Finding("facts.date-before-books", "info", _drafted(visit), {**slots})


def of_request(facts: Facts) -> Iterator[Finding]:
    """What concerns the whole request: parts that could not be read, parts that were not there."""
    if facts.gaps:
        paths = list(dict.fromkeys(gap.path for gap in facts.gaps))
        yield Finding(
            "facts.unreadable",
            "warning",
            (),
            {"paths": paths, "count": len(paths)},
            remarks=tuple(dict.fromkeys(f"- `{in_code(gap.path)}`: {plain(gap.reason)}" for gap in facts.gaps)),
        )
    if facts.unavailable:
        keys = [gap.path.removeprefix("prefetch.") for gap in facts.unavailable]
        yield Finding(
            "facts.not-checked",
            "info",
            (),
            {"keys": keys},
            remarks=tuple(f"- `{in_code(gap.path)}`: {plain(gap.reason)}" for gap in facts.unavailable),
        )


def _drafted(visit: Visit) -> tuple[str, ...]:
    return tuple(line.ref for line in visit.reviewed)
