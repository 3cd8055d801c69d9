"""The visit facts: the one internal record between FHIR and the rules.

All types are frozen data. A rule sees only these, never FHIR, so the hooks, the subscriptions, the command
line and the bulk audit are reviewed alike.
"""

import datetime as dt
import functools

import msgspec

_MINUTE = dt.timedelta(minutes=1)


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Something that could not be read: where it stands, and why, in words of the person who can mend it."""

    path: str
    reason: str


class Minutes(msgspec.Struct, frozen=True, gc=False):
    """Whole minutes of one service, and the element they were read from."""

    value: int
    read_from: str


class Interval(msgspec.Struct, frozen=True, gc=False):
    """A block of time in which one service was given; both ends are known to the minute."""

    start: dt.datetime
    end: dt.datetime

    @property
    def minutes(self) -> int:
        """Its whole minutes."""
        return (self.end - self.start) // _MINUTE

    def overlap(self, other: "Interval") -> int:
        """Whole minutes that both blocks cover."""
        if self.end <= other.start or other.end <= self.start:
            return 0
        return (min(self.end, other.end) - max(self.start, other.start)) // _MINUTE


class Line(msgspec.Struct, frozen=True):
    """One service of the visit: a claim line, a draft order, or a Procedure that stands on no draft.

    `draft` says whether it stands on the claim or order under review, so that a fix can change it; `billed`
    whether it is billed with this visit at all (a Procedure that a claim leaves out is not); `planned` that it is
    ordered and no Procedure says that it was given; `unread` that units are stated in a way that could not be read;
    `not_given` is the status of a Procedure that says the service was not given ("" where none does).
    `units` is None where the draft states none. `diagnoses` are ICD-10-CM codes, the first pointed one first.
    `evidence` holds kinds from `EVIDENCE`; `answered` holds documentation element ids answered in a form.
    `performers` are who gave it, by reference, `roles` their professions from `ROLES`; both are empty where the record
    does not say. `assistant` are the minutes that an assistant gave without a therapist, None where that is unknown.
    `sides` ("left", "right") are those of its body sites. `disputed` are statements of its minutes that contradict
    each other (`minutes` is None then); `guess` is what only words say of its minutes. `stamped`: its time is that of
    the whole encounter, so that it may be the service's or the system's. `finished` says that its Procedure is
    complete, `undocumented` that the visit's Procedures were sent and that none documents the line.
    """

    ref: str
    code: str
    draft: bool
    billed: bool = True
    planned: bool = False
    unread: bool = False
    not_given: str = ""
    units: int | None = None
    modifiers: tuple[str, ...] = ()
    minutes: Minutes | None = None
    regions: frozenset[str] = frozenset()
    diagnoses: tuple[str, ...] = ()
    evidence: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    times: tuple[Interval, ...] = ()
    encounter: str = ""
    services: tuple[str, ...] = ()
    performers: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    assistant: Minutes | None = None
    sides: frozenset[str] = frozenset()
    disputed: tuple[Minutes, ...] = ()
    guess: Minutes | None = None
    undocumented: bool = False
    stamped: bool = False
    finished: bool = True


class Document(msgspec.Struct, frozen=True, gc=False):
    """A note of the whole visit: the resource it was read from, and its words as plain text."""

    ref: str
    text: str


class Payer(msgspec.Struct, frozen=True):
    """Who pays: the id of a rule book, or "" where none of ours matched; `saw` lists what was printed."""

    book: str
    saw: tuple[str, ...] = ()


class History(msgspec.Struct, frozen=True):
    """Earlier visits of the patient, as far as they were sent; `seen` says whether they were, `whole` whether all were.

    Of a history of which only a part came, an event that is not found may stand in the rest.
    `visits` are treatment days since the active care plan's start (`plan_start`), else the episode's (`episode_start`),
    this visit not among them.
    `evaluated_on` is the day of the last evaluation or re-evaluation before this visit, `reported_on` that of the last
    progress report, `certified_on` that on which the plan was last certified; each None where the record shows none.
    `visits_since_evaluation` and `visits_since_report` count treatment days after them and before this visit, from the
    plan's start where there is none.
    `used_pt_slp` and `used_ot` are the year's allowed charges for therapy in dollars, where a form states them.
    """

    seen: bool = False
    whole: bool = True
    visits: int = 0
    massage_visits: int = 0
    plan_start: dt.date | None = None
    episode_start: dt.date | None = None
    evaluated_on: dt.date | None = None
    reported_on: dt.date | None = None
    certified_on: dt.date | None = None
    visits_since_evaluation: int = 0
    visits_since_report: int = 0
    used_pt_slp: float | None = None
    used_ot: float | None = None

    @property
    def care_start(self) -> dt.date | None:
        """The first day of the present course of care."""
        return self.plan_start or self.episode_start


class Visit(msgspec.Struct, frozen=True, dict=True):
    """One patient on one date of service, under one draft (a Claim, or the draft orders).

    `draft` names what the fixes belong to ("Claim/cl1", "draftOrders", "" where nothing can be changed).
    `date_read_from` is "" where the record states no date and today's edition had to serve.
    `record_sent` says whether the visit's Procedures were sent, so that what is missing is really missing;
    `not_sent` holds the kinds of evidence whose sources were not to be had; "form" stands for answered forms.
    `elsewhere` holds the lines of other claims of the request for the same day: what may not be billed together may not
    be billed on two claims either. `total_timed` and `total_treatment` are the minutes of the whole visit as its note
    states them. `says_unbilled`: every line of the request's claims could be read, and this visit is the one of its day
    to say what none of them bills. `authorized` says that the claim carries a prior authorization. `not_ours` lists
    lines whose codes are in no table, so that they are not reviewed. `documents` are the notes of the visit as a whole,
    and `unread` those whose words could not be had; "note" stands in `not_sent` where notes may say more than could be
    read.
    """

    draft: str
    date: dt.date
    date_read_from: str
    payer: Payer
    lines: tuple[Line, ...]
    history: History = History()
    record_sent: bool = True
    not_sent: frozenset[str] = frozenset()
    not_ours: tuple[Line, ...] = ()
    elsewhere: tuple[Line, ...] = ()
    total_timed: Minutes | None = None
    total_treatment: Minutes | None = None
    authorized: bool = False
    says_unbilled: bool = True
    documents: tuple[Document, ...] = ()
    unread: tuple[Gap, ...] = ()

    @functools.cached_property
    def reviewed(self) -> tuple[Line, ...]:
        """The lines that findings are about: those of the draft, or all of a visit that has no draft."""
        return tuple([line for line in self.lines if line.draft or not self.draft])

    @functools.cached_property
    def standing(self) -> tuple[Line, ...]:
        """The lines that findings are about, without those that the record says were not given."""
        return tuple([line for line in self.reviewed if not line.not_given])

    @functools.cached_property
    def by_ref(self) -> dict[str, Line]:
        """The lines by their references, those elsewhere too."""
        return {line.ref: line for line in (*self.lines, *self.elsewhere)}

    @functools.cached_property
    def billed(self) -> tuple[Line, ...]:
        """The lines that are billed together on this date of service."""
        return tuple([line for line in self.lines if line.billed])


class Facts(msgspec.Struct, frozen=True):
    """Everything read from one request: its visits, what could not be read, and what was not to be had.

    `unavailable` names parts of the record that were neither sent nor reachable, each with the reason.
    """

    visits: tuple[Visit, ...]
    gaps: tuple[Gap, ...] = ()
    unavailable: tuple[Gap, ...] = ()


EVIDENCE = frozenset(
    {
        "procedure", "body-site", "specific-site", "reason", "diagnosis", "minutes", "technique", "care-plan",
        "goal", "measurable-goal", "outcome-measure", "outcome", "device", "performer", "part-pain",
        "part-asymmetry", "part-range", "part-tissue", "x-ray", "separate-region", "diagnosis-region",
        "total-timed-minutes", "total-treatment-minutes", "signature", "plan-certified", "progress-report",
        "evaluation",
    }
)  # fmt: skip
"""Every kind of structured evidence that a documentation element may rest on."""

ROLES = frozenset(
    {
        "chiropractor", "physical-therapist", "physical-therapist-assistant", "occupational-therapist",
        "occupational-therapist-assistant", "speech-pathologist", "massage-therapist", "athletic-trainer", "physician",
    }
)  # fmt: skip
"""Every profession that the review tells apart."""

ASSISTANTS = frozenset({"physical-therapist-assistant", "occupational-therapist-assistant"})
"""The professions whose services carry CQ or CO."""
