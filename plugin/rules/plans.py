"""GP, GO and GN: the discipline under whose plan a therapy was given, where the payer asks for it."""

from collections.abc import Iterator

from mappings import tables
from mappings.rule_book import Rule, RuleBook
from mappings.visit import Line, Visit
from plugin.findings import AddModifier, Finding
from plugin.rules.changes import adding
from plugin.rules.excluded import may_be_excluded
from plugin.rules.pairs import demands_on
from plugin.rules.placing import EXCLUDED, PLANS, says_distinct

PLAN_OF = {
    "physical-therapist": "GP",
    "physical-therapist-assistant": "GP",
    "chiropractor": "GP",
    "occupational-therapist": "GO",
    "occupational-therapist-assistant": "GO",
    "speech-pathologist": "GN",
}
"""The discipline's modifier by profession; chiropractors' therapy stands under a physical therapy plan."""

ASSISTED = {"CQ": "GP", "CO": "GO"}
"""The plan that an assistant's modifier goes with."""

PHYSICAL = frozenset({"97161", "97162", "97163", "97164"})
OCCUPATIONAL = frozenset({"97165", "97166", "97167", "97168"})
SPEECH = frozenset({"92507", "92508", "92521", "92522", "92523", "92524", "92526"})


def plan_modifier(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """GP (GO, GN) where the payer asks for it: on every always-therapy line, or beside a manipulation."""
    codes = tables.codes()
    always, beside = book.gp_always_therapy, book.gp_with_cmt
    if (always is None or not always.value) and beside is None:
        return
    manipulated = not tables.manipulations().isdisjoint([line.code for line in (*visit.billed, *visit.elsewhere)])
    for line in visit.reviewed:
        if line.modifiers and any(plan in line.modifiers for plan in PLANS):
            if always is not None and always.value and _takes_a_plan(line):
                yield from _mismatch(line, always, book)
            continue
        if always is not None and always.value and codes[line.code].always_therapy:
            plan = plan_of(line, visit)
            if EXCLUDED.isdisjoint(line.modifiers) and may_be_excluded(line, visit, book):
                continue  # told with GY
            if plan:
                sure = always.may_advise
                yield adding("modifiers.gp-missing", line, [], [plan], (always.source,), book, sure=sure)
            else:
                yield _which_plan(line, always, book)
        elif beside is not None and manipulated and line.code in beside.value and _stands_alone(line, visit, book):
            yield adding("modifiers.gp-missing", line, [], ["GP"], (beside.source,), book)


def _takes_a_plan(line: Line) -> bool:
    return tables.codes()[line.code].always_therapy or line.code in SPEECH


def _which_plan(line: Line, rule: Rule[bool], book: RuleBook) -> Finding:
    """A line whose discipline nothing tells: the three are choices."""
    room = len(line.modifiers) < book.modifier_places.value
    offered = PLANS if line.draft and room and rule.may_advise else ()
    return Finding(
        "modifiers.plan-unknown",
        "warning" if rule.may_advise else "info",
        (line.ref,),
        {"choose": list(PLANS)},
        (rule.source,),
        choices=tuple((AddModifier(line.ref, plan),) for plan in offered),
    )


def _mismatch(line: Line, rule: Rule[bool], book: RuleBook) -> Iterator[Finding]:
    """A plan modifier of another discipline than the code, or the one who gave the service, belongs to."""
    stated = [plan for plan in PLANS if plan in line.modifiers]
    own = own_plan(line)
    if own and len(stated) == 1 and stated != [own]:
        yield adding(
            "modifiers.plan-mismatch", line, [], [own], (rule.source,), book, remove=stated, sure=rule.may_advise
        )


def own_plan(line: Line) -> str:
    """The modifier of the discipline to which a line's code, or the profession of who gave it, belongs; "" for none."""
    if line.code in OCCUPATIONAL:
        return "GO"
    if line.code in SPEECH:
        return "GN"
    if line.code in PHYSICAL:
        return "GP"
    plans = {PLAN_OF[role] for role in line.roles if role in PLAN_OF}
    return plans.pop() if len(plans) == 1 else ""


def plan_of(line: Line, visit: Visit) -> str:
    """The discipline's modifier, as far as the record tells it: the line's own, else that of the visit's other lines.

    "" where nothing tells it, or two disciplines gave or evaluated. A chiropractor's therapy stands under GP.
    """
    if told := own_plan(line) or _stated_plan(line):
        return told
    if len({PLAN_OF[role] for role in line.roles if role in PLAN_OF}) > 1:
        return ""
    stated = {plan for one in visit.billed if (plan := own_plan(one) or _stated_plan(one))}
    if stated:
        return stated.pop() if len(stated) == 1 else ""
    codes = {one.code for one in visit.billed}
    if codes & OCCUPATIONAL:
        return "" if codes & PHYSICAL else "GO"
    return "GP" if codes & (PHYSICAL | tables.manipulations()) else ""


def _stated_plan(line: Line) -> str:
    """The plan that a line's modifiers name, themselves or by the assistant's; "" where they name none or several."""
    stated = [plan for plan in PLANS if plan in line.modifiers]
    if not stated:
        stated = [plan for assistant, plan in ASSISTED.items() if assistant in line.modifiers]
    return stated[0] if len(stated) == 1 else ""


def _stands_alone(line: Line, visit: Visit, book: RuleBook) -> bool:
    """Whether GP is told by itself: not with 59 in one finding, and not on a line that is not to be billed."""
    demands = demands_on(line, visit.billed, book)
    if any(one.verdict == "same" for one in demands):
        return False
    return not demands or says_distinct(line) or any(one.verdict != "distinct" for one in demands)


def counted_together(visit: Visit, book: RuleBook) -> dict[str, list[Line]]:
    """The day's timed lines by what the payer counts together ("" for all of them, else the discipline's modifier)."""
    rule = book.timed_units_cap
    codes = tables.codes()
    groups: dict[str, list[Line]] = {}
    for line in (*visit.billed, *visit.elsewhere):
        if rule is not None and not line.not_given and rule.value.counts(line.code, codes[line.code].timed):
            groups.setdefault(plan_of(line, visit) if rule.value.per == "discipline" else "", []).append(line)
    return groups
