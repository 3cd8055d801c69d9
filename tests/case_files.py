"""Reading the cases: TOML files of visit facts, each with the findings that the source calls for.

The reader is strict. An unknown key, code, region, evidence kind, element or book stops the run, because a case
with a slip in it would pass for the wrong reason.

A case is about one thing: unless it says otherwise its lines are on the claim, billed and fully documented.
`lacking` names the elements that a line's record lacks; `documented = false` leaves it only what it names itself.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from mappings import books_in_force, tables
from mappings.book_files import VALUE_TYPES
from mappings.rule_book import RuleBook
from mappings.visit import EVIDENCE, ROLES, Document, Facts, History, Interval, Line, Minutes, Payer, Visit
from plugin.finding_list import BY_CODE
from plugin.findings import Finding
from plugin.review import review_all

FOLDER = Path(__file__).parent / "cases"
BASE_BOOK = "hns"
"""The book that stands in for a payer that is not known, as in a fresh installation."""

SUBJECTS = frozenset({*VALUE_TYPES, "pairs", "limits", "documentation", "facts"})
"""What a case may prove: a rule of the books, or one of those that are no rule of a single key."""

ON_CLAIM = "Claim/case"
ANOTHER_CLAIM = "Claim/other"
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


class CaseLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service. `times` are pairs such as ["09:00", "09:15"]; `services` are the Procedures that document it.

    `unread` says that units are stated in a way that could not be read.
    """

    code: str
    minutes: int | None = None
    units: int | None = None
    unread: bool = False
    modifiers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    times: tuple[tuple[str, str], ...] = ()
    encounter: str = ""
    services: tuple[str, ...] = ()
    documented: bool = True
    lacking: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    draft: bool = True
    billed: bool = True
    planned: bool = False
    not_given: str = ""
    performers: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    assistant: int | None = None
    sides: tuple[str, ...] = ()
    disputed: tuple[int, ...] = ()
    guess: int | None = None
    undocumented: bool = False
    stamped: bool = False
    finished: bool = True


class Past(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Earlier visits of the patient; with `seen = false` they were not sent, with `whole = false` only a part of them.
    `visits` are those of the plan of care.
    """

    seen: bool = True
    whole: bool = True
    plan_start: dt.date | None = None
    episode_start: dt.date | None = None
    visits: int = 0
    massage_visits: int = 0
    evaluated_on: dt.date | None = None
    reported_on: dt.date | None = None
    certified_on: dt.date | None = None
    visits_since_evaluation: int = 0
    visits_since_report: int = 0
    used_pt_slp: float | None = None
    used_ot: float | None = None


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding: its lines by number, the line to mend first. Level, fix, choices and slots count where they are named.

    `fix` says whether one click may mend it, `choices` among how many ways a person chooses. A finding on the whole
    visit (`facts.`) names no lines.
    """

    code: str
    lines: tuple[int, ...] = ()
    slots: dict[str, Any] = {}
    level: str | None = None
    fix: bool | None = None
    choices: int | None = None


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One visit and all of its findings. `payer` and `date` come from the file where the case has none.

    `elsewhere` are the lines of another claim for the same day; their numbers go on after those of `lines`. `documents`
    are notes of the whole visit; without `notes_sent` there may have been some.
    """

    name: str
    proves: tuple[str, ...]
    lines: tuple[CaseLine, ...]
    expect: tuple[Expected, ...]
    elsewhere: tuple[CaseLine, ...] = ()
    payer: str | None = None
    date: dt.date | None = None
    saw: tuple[str, ...] = ()
    date_known: bool = True
    record_sent: bool = True
    on_a_claim: bool = True
    not_ours: tuple[str, ...] = ()
    total_timed: int | None = None
    total_treatment: int | None = None
    authorized: bool = False
    history: Past = Past()
    documents: tuple[str, ...] = ()
    notes_sent: bool = True


class CaseFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The cases of one chapter or page."""

    chapter: str
    payer: str
    date: dt.date
    case: tuple[Case, ...]


def is_of_visit(code: str) -> bool:
    """Whether a finding is about the whole visit: what could not be known of it."""
    return code.startswith("facts.") and code != "facts.not-given"


def read_cases(folder: Path = FOLDER) -> Iterator[tuple[str, Case]]:
    """Every case with its readable id; raises ValueError naming the file and the case with a slip in it."""
    for path in sorted(folder.glob("*/*.toml")):
        where = f"{path.parent.name}/{path.stem}"
        try:
            file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), CaseFile)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise ValueError(f"{where}: {error}") from None
        names = [case.name for case in file.case]
        if len(set(names)) != len(names):
            raise ValueError(f"{where}: two cases have the same name.")
        for case in file.case:
            payer = file.payer if case.payer is None else case.payer
            whole = msgspec.structs.replace(case, payer=payer, date=case.date or file.date)
            for slip in _slips(whole):
                raise ValueError(f"{where}: {case.name}: {slip}.")
            yield f"{where}: {case.name}", whole


def _slips(case: Case) -> Iterator[str]:
    """What a case names that does not exist."""
    elements = frozenset(books_in_force.questions())
    named: list[tuple[str, tuple[str, ...], frozenset[str]]] = [
        ("subject", case.proves, SUBJECTS),
        ("book", (case.payer or BASE_BOOK,), frozenset(books_in_force.books())),
        ("finding", tuple(one.code for one in case.expect), frozenset(BY_CODE)),
    ]
    every = (*case.lines, *case.elsewhere)
    for line in every:
        named += [
            ("code", (line.code,), frozenset(tables.codes())),
            ("region", line.regions, frozenset(tables.region_parents())),
            ("evidence", line.evidence, EVIDENCE),
            ("role", line.roles, ROLES),
            ("element", (*line.answered, *line.lacking), elements),
        ]
    for what, given, known in named:
        yield from (f"there is no {what} {one!r}" for one in given if one not in known)
    if any(line.documented and not line.lacking and (line.answered or line.evidence or line.notes) for line in every):
        yield "a line that is fully documented by default names its own documentation"
    if any(not line.documented and line.lacking for line in every):
        yield "a line that is not documented by default names what it lacks"
    if any(line.unread and line.units is not None for line in every):
        yield "a line states units that could not be read"
    clock = [time for line in every for block in line.times for time in block]
    yield from (f"there is no time {time!r}" for time in clock if not _CLOCK.fullmatch(time))
    for one in case.expect:
        if any(not 1 <= number <= len(every) for number in one.lines):
            yield f"{one.code} names a line that is not there"
        if bool(one.lines) == is_of_visit(one.code):
            yield f"{one.code}: findings name their lines, and those on the whole visit none"
        if one.fix and one.choices:
            yield f"{one.code}: what one click mends leaves nothing to choose"


def visit_of(case: Case) -> Visit:
    """The visit facts of a case."""
    assert case.date is not None
    return Visit(
        draft=ON_CLAIM if case.on_a_claim else "",
        date=case.date,
        date_read_from="Claim.item.servicedDate" if case.date_known else "",
        payer=Payer(case.payer or "", case.saw),
        lines=tuple(_line(number, line, case) for number, line in enumerate(case.lines, start=1)),
        history=_history(case.history),
        total_timed=_stated(case.total_timed, "mcr.total_timed_minutes"),
        total_treatment=_stated(case.total_treatment, "mcr.total_treatment_time"),
        authorized=case.authorized,
        record_sent=case.record_sent,
        not_sent=frozenset() if case.notes_sent else frozenset({"note"}),
        documents=tuple(Document("DocumentReference/case", text) for text in case.documents),
        elsewhere=tuple(
            _line(number, line, case, ANOTHER_CLAIM)
            for number, line in enumerate(case.elsewhere, start=len(case.lines) + 1)
        ),
        not_ours=tuple(
            Line(f"{ON_CLAIM}#{90 + number}", code, draft=True) for number, code in enumerate(case.not_ours)
        ),
    )


def _history(past: Past) -> History:
    """The earlier visits; those with massage are visits too."""
    given = msgspec.structs.asdict(past)
    return History(**{**given, "visits": max(past.visits, past.massage_visits)})


def _stated(minutes: int | None, element: str) -> Minutes | None:
    return None if minutes is None else Minutes(minutes, f"QuestionnaireResponse/case#{element}")


def _line(number: int, line: CaseLine, case: Case, claim: str = ON_CLAIM) -> Line:
    assert case.date is not None
    draft = line.draft and case.on_a_claim
    full = frozenset(books_in_force.questions()) - frozenset(line.lacking)
    return Line(
        ref=f"{claim}#{number}" if draft else f"Procedure/case#{number}",
        code=line.code,
        draft=draft,
        billed=line.billed,
        planned=line.planned,
        unread=line.unread,
        not_given=line.not_given,
        units=line.units,
        modifiers=line.modifiers,
        minutes=None if line.minutes is None else Minutes(line.minutes, "Procedure.performedPeriod"),
        regions=frozenset(line.regions),
        diagnoses=line.diagnoses,
        evidence=frozenset(line.evidence),
        answered=full if line.documented else frozenset(line.answered),
        notes=line.notes,
        times=tuple(
            Interval(
                dt.datetime.combine(case.date, dt.time.fromisoformat(start), dt.UTC),
                dt.datetime.combine(case.date, dt.time.fromisoformat(end), dt.UTC),
            )
            for start, end in line.times
        ),
        encounter=line.encounter,
        services=line.services,
        performers=frozenset(line.performers),
        roles=frozenset(line.roles),
        assistant=_stated(line.assistant, "assistant_time"),
        sides=frozenset(line.sides),
        disputed=tuple(Minutes(value, f"Procedure/case.place[{place}]") for place, value in enumerate(line.disputed)),
        guess=None if line.guess is None else Minutes(line.guess, "Procedure/case.note[0]"),
        undocumented=line.undocumented,
        stamped=line.stamped,
        finished=line.finished,
    )


def book_for(payer: str, on: dt.date) -> RuleBook:
    """The book of a payer, or the practice's base book where none is known."""
    return books_in_force.rule_book(payer or BASE_BOOK, on)


def findings_of(visit: Visit) -> tuple[Finding, ...]:
    """What the review says about one visit, as every edge of the product asks it."""
    (reviewed,) = review_all(Facts((visit,)), book_for, books_in_force.begins())
    return reviewed.findings
