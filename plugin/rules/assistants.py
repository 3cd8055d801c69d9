"""CQ and CO: what an assistant gave (CMS billing examples; 10 percent, by unit where the service is timed).

Minutes together with the therapist are the therapist's. Where nobody says who gave a service nothing is said.
"""

from collections.abc import Iterator

import msgspec

from mappings import tables
from mappings.rule_book import Rule, RuleBook, Source
from mappings.visit import ASSISTANTS, Line, Visit
from plugin.findings import Finding
from plugin.rules.changes import adding, removing
from plugin.rules.placing import PLANS
from plugin.rules.plans import plan_of
from plugin.rules.unit_methods import UNIT
from plugin.rules.units import supported_units


def given(visit: Visit, book: RuleBook) -> Iterator[Finding]:
    """Lines without the modifier of the assistant who gave them, and lines with it that a therapist gave."""
    rule = book.assistant_modifiers
    if rule is None:
        return
    by_code: dict[str, list[Line]] = {}
    for line in visit.standing:
        if line.billed and _is_therapy(line) and (line.roles or line.assistant is not None):
            by_code.setdefault(line.code, []).append(line)
    supported = supported_units(visit, book) if by_code else {}
    for code, lines in by_code.items():
        if None not in (judged := [_by_assistant_alone(line) for line in lines]):
            for line, alone in zip(lines, judged, strict=True):
                yield from _of_one(line, bool(alone), rule, visit, book)
            continue
        if any(line.code == code and line not in lines for line in (*visit.billed, *visit.elsewhere)):
            continue  # another line of the code shares its units, and nobody says who gave that one
        # By the minutes where they are known: units that are wrong as billed are about to be mended.
        units = supported.get(code, sum(1 if line.units is None else line.units for line in lines))
        by_assistant = _units_of_assistant(lines, units, book)
        if by_assistant is not None and units > 0:
            yield from _compared(lines, (units, by_assistant), rule, visit, book)


def _is_therapy(line: Line) -> bool:
    """Whether a line may carry CQ or CO: therapy under a plan. Evaluations are the therapist's own.

    A manipulation or an office visit is no therapy, and GP on it is to be taken off.
    """
    code = tables.codes()[line.code]
    if code.is_cmt or code.is_em:
        return False
    return code.kind != "evaluation" and (code.always_therapy or any(plan in line.modifiers for plan in PLANS))


def _by_assistant_alone(line: Line) -> bool | None:
    """Whether an assistant gave a whole line (False: a therapist did); None where both had a part or nobody says."""
    if not line.roles or line.assistant is not None:
        return None
    return True if line.roles <= ASSISTANTS else False if line.roles.isdisjoint(ASSISTANTS) else None


def _of_one(
    line: Line, by_assistant: bool, rule: Rule[dict[str, str]], visit: Visit, book: RuleBook
) -> Iterator[Finding]:
    """A line that one of them gave alone: the modifier that it lacks, or carries without reason."""
    marks = [one for one in line.modifiers if one in rule.value.values()]
    if by_assistant and not marks:
        yield from _missing(line, _modifier(line, visit, rule.value), rule.source, book)
    elif marks and not by_assistant:
        yield _unsupported(line, marks, rule.source)


def _compared(
    lines: list[Line], counted: tuple[int, int], rule: Rule[dict[str, str]], visit: Visit, book: RuleBook
) -> Iterator[Finding]:
    """Lines of one code against the units that are the assistant's; `counted` are all units, and those."""
    units, by_assistant = counted
    marked = [line for line in lines if any(one in line.modifiers for one in rule.value.values())]
    stated = sum(1 if line.units is None else line.units for line in marked)
    if stated == by_assistant:
        return
    source = rule.source if book.assistant_share is None else book.assistant_share.source
    if by_assistant == 0:
        for line in marked:
            wrong = [one for one in line.modifiers if one in rule.value.values()]
            yield _unsupported(line, wrong, source)
    elif by_assistant == units:
        for line in lines:
            if line not in marked:
                yield from _missing(line, _modifier(line, visit, rule.value), rule.source, book)
    elif modifier := _modifier(lines[0], visit, rule.value):
        yield Finding(
            "modifiers.assistant-split",
            "warning",
            tuple(line.ref for line in lines),
            {"modifier": modifier, "with": by_assistant, "without": units - by_assistant},
            (rule.source, source) if source is not rule.source else (source,),
        )


def _missing(line: Line, modifier: str, source: Source, book: RuleBook) -> Iterator[Finding]:
    if modifier:
        yield adding("modifiers.assistant-missing", line, [], [modifier], (source,), book)


def _unsupported(line: Line, marks: list[str], source: Source) -> Finding:
    """CQ or CO without an assistant in the record. Taking it off raises the pay, so that it is a choice and no fix."""
    finding = removing("modifiers.assistant-unsupported", line, marks, (source,))
    return msgspec.structs.replace(finding, fix=(), choices=(finding.fix,) if finding.fix else ())


def _modifier(line: Line, visit: Visit, by_role: dict[str, str]) -> str:
    """The assistant's modifier by profession, else by the plan of the line; "" where neither tells it yet."""
    for role, modifier in by_role.items():
        if role in line.roles:
            return modifier
    return {"GO": "CO", "GP": "CQ"}.get(plan_of(line, visit), "")


def _units_of_assistant(lines: list[Line], units: int, book: RuleBook) -> int | None:
    """The billed units that are the assistant's; None where the record does not tell."""
    parts = _minutes(lines)
    if parts is None:
        return None
    therapist, assistant = parts
    share = book.assistant_share.value if book.assistant_share is not None else 0
    if not tables.codes()[lines[0].code].timed:
        return units if assistant >= _too_much(therapist + assistant, share) else 0
    return _timed(therapist, assistant, units, book)


def _minutes(lines: list[Line]) -> tuple[int, int] | None:
    """The minutes of the therapist and of the assistant; services that several lines share count once."""
    therapist = assistant = 0
    seen: set[tuple[str, ...]] = set()
    for line in lines:
        if line.assistant is None or line.minutes is None:
            return None
        if not line.services or line.services not in seen:
            assistant += line.assistant.value
            therapist += max(0, line.minutes.value - line.assistant.value)
            seen.add(line.services)
    return therapist, assistant


def _timed(therapist: int, assistant: int, units: int, book: RuleBook) -> int | None:
    """The assistant's units of a timed service: whole quarters first, then what is left; None where units are wrong."""
    if assistant == 0:
        return 0
    if therapist == 0:
        return units
    own, left = assistant // UNIT, units - assistant // UNIT - therapist // UNIT
    rest, rest_of_assistant = therapist % UNIT, assistant % UNIT
    if left < 0 or left > 2:
        return None  # the minutes do not support what is billed, and the finding on units says so
    enough = book.assistant_last_unit
    if left == 0:
        return own
    if left == 2:
        return own + 1 if enough is not None else None  # one each, by the rule that came with the 8 minutes
    if enough is not None and rest >= enough.value:
        return own
    share = book.assistant_share.value if book.assistant_share is not None else 0
    return own + (rest_of_assistant >= _too_much(rest + rest_of_assistant, share))


def _too_much(minutes: int, percent: int) -> int:
    """The assistant's minutes from which its part counts: the percentage, rounded, and one more (CMS)."""
    return (minutes * percent + 50) // 100 + 1
