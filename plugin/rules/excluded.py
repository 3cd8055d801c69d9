"""Services that Medicare excludes by law when a chiropractor gives them: billed for a denial, if at all.

What is asked of a covered service (units, pairs, 25, KX, documentation of therapy) is not asked of them.
"""

import msgspec

from mappings import tables
from mappings.rule_book import RuleBook
from mappings.visit import Line, Visit
from plugin.rules.placing import EXCLUDED

CHIROPRACTOR = "chiropractor"
COVERED = frozenset(
    {
        "physical-therapist",
        "physical-therapist-assistant",
        "occupational-therapist",
        "occupational-therapist-assistant",
        "speech-pathologist",
        "physician",
    }
)
"""Professions whose therapy Medicare covers beside a chiropractor's manipulation."""


OF_A_THERAPIST = frozenset({"GO", "GN", "CQ", "CO", "KX"})
"""Modifiers that no chiropractor's line carries: another discipline's plan, an assistant, the threshold's."""


def may_be_excluded(line: Line, visit: Visit, book: RuleBook) -> bool:
    """Whether a line says itself that it is excluded, or a chiropractor gave it, or may have: nobody is named whose
    services are covered, and the spine was manipulated on the same day."""
    if book.chiropractor_excluded is None or tables.codes()[line.code].kind == "cmt-spinal":
        return False
    if not EXCLUDED.isdisjoint(line.modifiers) or line.roles == {CHIROPRACTOR}:
        return True
    if not line.roles.isdisjoint(COVERED):
        return False
    codes = tables.codes()
    if not OF_A_THERAPIST.isdisjoint(line.modifiers) or codes[line.code].kind == "evaluation":
        return False
    every = (*visit.billed, *visit.elsewhere)
    return codes[line.code].is_cmt or any(codes[one.code].kind == "cmt-spinal" for one in every)


def covered(visit: Visit, book: RuleBook) -> Visit:
    """The visit without what is excluded, or may be: the whole visit for every payer but Medicare."""
    if book.chiropractor_excluded is None:
        return visit
    lines = tuple([line for line in visit.lines if not may_be_excluded(line, visit, book)])
    elsewhere = tuple([line for line in visit.elsewhere if EXCLUDED.isdisjoint(line.modifiers)])
    if len(lines) == len(visit.lines) and len(elsewhere) == len(visit.elsewhere):
        return visit
    return msgspec.structs.replace(visit, lines=lines, elsewhere=elsewhere)
