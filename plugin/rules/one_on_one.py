"""One-on-one time: the same minutes cannot be two services'."""

from collections.abc import Iterator
from itertools import combinations

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.findings import Finding


def shares_time(visit: Visit) -> bool:
    """Whether any two one-on-one services of the day were recorded in the same minutes, so that one counts too many."""
    lines = [line for line in (*visit.billed, *visit.elsewhere) if line.times and tables.codes()[line.code].one_on_one]
    return any(
        mine.overlap(theirs)
        for one, other in combinations(lines, 2)
        if not set(one.services) & set(other.services)
        for mine in one.times
        for theirs in other.times
    )


def overlap(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """One-on-one minutes belong to one service (NCCI Policy Manual chapter XI, P.2)."""
    if book.one_on_one_time is None:
        return
    every = (*visit.billed, *visit.elsewhere)
    lines = [line for line in every if line.times and tables.codes()[line.code].one_on_one]
    for one, other in combinations(lines, 2):
        if one not in visit.reviewed and other not in visit.reviewed:
            continue
        if one.code == other.code and set(one.services) & set(other.services):
            continue  # the same time of one service on two lines; its units are judged together
        shared = sum(mine.overlap(theirs) for mine in one.times for theirs in other.times)
        if shared:
            yield Finding(
                "units.minutes-overlap",
                "critical",
                (one.ref, other.ref),
                {"minutes": shared},
                (book.one_on_one_time.source,),
            )
