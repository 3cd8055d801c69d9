"""What falls due in the course of care: certification, progress report, re-evaluation.

Whatever history does not show is not guessed: without earlier visits, or a plan's start, nothing is called due; nor is
it where only a part of the history came, and the event may stand in the rest.
"""

from mappings.rule_book import RuleBook
from mappings.visit import Visit
from plugin.text import counted


def certification(visit: Visit, book: RuleBook) -> str:
    """Why a certification of the plan is due ("" where it is not): 30 days from its start, then each 90 (Medicare)."""
    first, again = book.certification_days, book.recertification_days
    certified, start = visit.history.certified_on, visit.history.plan_start
    if certified is not None and start is not None and certified < start:
        certified = None  # of a plan before this one
    if certified is None and not visit.history.whole:
        return ""
    if certified is not None:
        if start is not None and first is not None and (certified - start).days <= first.value:
            certified = start  # the first certification holds from the first treatment on
        days = (visit.date - certified).days
        late = again is not None and days > again.value
        return f"{counted(days, 'day')} since {certified}, when the certification began" if late else ""
    if start is None or first is None:
        return ""
    days = (visit.date - start).days
    return f"the plan began on {start}, {counted(days, 'day')} ago" if days > first.value else ""


def progress_report(visit: Visit, book: RuleBook) -> str:
    """Why a progress report is due ("" where it is not): at the latest on every tenth treatment day (Medicare)."""
    rule = book.progress_report_visits
    if rule is None or not visit.history.seen:
        return ""
    day = visit.history.visits_since_report + 1
    since = visit.history.reported_on
    if since is None and (visit.history.care_start is None or not visit.history.whole):
        return ""
    began = "the plan's start" if visit.history.plan_start is not None else "the start of the episode of care"
    after = f"the report of {since}" if since is not None else began
    return f"treatment day {day} after {after}" if day >= rule.value else ""


def reevaluation(visit: Visit, book: RuleBook) -> str:
    """Why a re-evaluation is due ("" where it is not): after 4 weeks or 12 visits (HNS Treatment Plans)."""
    days, visits = book.reevaluation_days, book.reevaluation_visits
    history = visit.history
    since = max(filter(None, (history.evaluated_on, history.care_start)), default=None)
    if days is None or visits is None or since is None or not history.seen:
        return ""
    if history.evaluated_on is None and not history.whole:
        return ""
    renewed = history.evaluated_on is not None and since != history.evaluated_on
    earlier = history.visits if renewed else history.visits_since_evaluation
    passed, number = (visit.date - since).days, earlier + 1
    if passed <= days.value and number <= visits.value:
        return ""
    return f"visit {number} in {counted(passed, 'day')} since {since}"
