"""Visits that nobody thought of: strategies for the laws, and the visits that once broke one."""

import datetime as dt
from itertools import combinations, islice, permutations
from typing import Any

from hypothesis import strategies as st

from mappings import books_in_force, tables
from mappings.visit import History, Interval, Line, Minutes, Payer, Visit

DAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
DATES = [
    *["2026-03-02"] * 8,
    "2019-01-01", "2019-04-30", "2019-12-01", "2020-06-30", "2021-11-01", "2024-06-30", "2024-07-01",
]  # fmt: skip
PAYERS = [
    "",
    "hns",
    "bcbsnc",
    "bcbsnc",
    "medicare-b",
    "medicare-b",
    "medicare-b",
    "uhc",
    "anthem",
    "aetna",
    "va-ccn",
    "commercial",
]
MODIFIERS = ["59", "XE", "XS", "XU", "GP", "GO", "25", "51", "KX", "RT", "76", "AT", "GA", "GY", "GX", "CQ", "CO"]
ELEMENTS = frozenset(books_in_force.questions())

# Services that meet in a rule. A visit is one of these, shuffled, with now and then any other service.
MEETINGS = [
    ("98940", "97112"), ("98941", "97140", "97124"), ("98943", "97112"), ("99213", "98940", "97112"),
    ("99213", "97112"), ("97150", "97110"), ("97150", "97110", "97110"), ("97012", "97140"), ("98940", "97110"),
    ("98940", "97012", "97140"), ("97161", "97165", "97530"), ("97161", "99211"), ("97161", "98941"),
    ("97164", "97750"), ("97124", "97164"), ("97110", "97112", "97530"), ("97110", "97530", "97110"),
    ("97110", "97116", "97140", "97035"), ("97110",), ("97124", "97124"), ("97039", "97124"), ("98940", "98941"),
    ("98940", "98943", "97140"), ("97032", "G0283"),
]  # fmt: skip
MINUTES = [None, 0, 5, 7, 8, 10, 15, 20, 22, 23, 30, 35, 37, 38, 53]
SITES = ["cervical", "thoracic", "lumbar", "knee", "lower-extremity", "shoulder"]
BLOCKS = [(0, 15), (0, 30), (7, 15), (15, 30), (30, 53)]

# Drawn as a whole, one draw for each: a visit of five services is then cheap to make.
MEETING = st.sampled_from(MEETINGS)
ANY_CODE = st.sampled_from(["", "", "", *sorted(tables.codes())])
ALL_MINUTES = st.sampled_from(MINUTES) | st.integers(0, 130)
FEW_REGIONS = [frozenset(chosen) for length in (0, 1, 1, 1, 2) for chosen in combinations(SITES, length)]
ANY_REGIONS = st.frozensets(st.sampled_from(sorted(tables.region_parents())), max_size=5)
ALL_REGIONS = st.sampled_from(FEW_REGIONS) | ANY_REGIONS
STANDING = st.sampled_from([(True, True)] * 4 + [(False, True), (False, False)])
TIMES = st.sampled_from([()] * 3 + [(Interval(DAY + start * MINUTE, DAY + end * MINUTE),) for start, end in BLOCKS])
ORDERS = [
    [chosen for length, most in enumerate([1, 5, 20, 20, 4, 4]) for chosen in islice(permutations(few, length), most)]
    + [()] * 40
    for few in islice(combinations(MODIFIERS, 5), 0, None, 13)
]
GIVEN_BY = st.sampled_from(
    [(frozenset[str](), frozenset[str]())] * 4
    + [
        (frozenset({f"Practitioner/{role}"}), frozenset({role}))
        for role in ("chiropractor", "physical-therapist", "physical-therapist-assistant", "occupational-therapist")
    ]
)
NOTES = st.sampled_from([(), (), (), ("Effleurage.",), ("Joint mobilization to increase range of motion.",)])
UNITS = st.sampled_from([None, 0, 1, 1, 2, 2, 3, 4, 9])
ANSWERED = st.sampled_from([ELEMENTS, ELEMENTS, ELEMENTS, frozenset[str]()])
STATED = st.sampled_from([None, None, None, Minutes(15, "form"), Minutes(53, "form")])
ENCOUNTERS = st.sampled_from(["", "", "", "Encounter/a", "Encounter/b"])


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    """A visit with one to five services, at least one of them on the claim.

    Minutes and modifiers are drawn from a few of the visit's own, so that they meet in ties and in orders. Most
    lines are on the claim, some are billed elsewhere, some are only recorded.
    """
    meeting, other = draw(MEETING), draw(ANY_CODE)
    codes = (*meeting, other) if other else meeting
    minutes = draw(st.lists(ALL_MINUTES, min_size=1, max_size=3))
    orders = st.sampled_from(draw(st.sampled_from(ORDERS)))
    made = []
    for number, code in enumerate(codes, start=1):
        draft, billed = (True, True) if number == 1 else draw(STANDING)
        value = draw(st.sampled_from(minutes))
        performers, roles = draw(GIVEN_BY)
        by_assistant = draw(st.sampled_from([None, None, 0, 5, 15])) if value is not None else None
        line = Line(
            ref=f"Claim/case#{number}" if draft else f"Procedure/case#{number}",
            code=code,
            draft=draft,
            billed=billed,
            units=draw(UNITS) if billed else None,
            modifiers=draw(orders),
            minutes=None if value is None else Minutes(value, "Procedure.performedPeriod"),
            regions=draw(ALL_REGIONS),
            answered=draw(ANSWERED),
            times=draw(TIMES),
            encounter=draw(ENCOUNTERS),
            notes=draw(NOTES),
            performers=performers,
            roles=roles,
            assistant=None if by_assistant is None else Minutes(min(by_assistant, value or 0), "Procedure.performer"),
        )
        made.append(line)
    date = dt.date.fromisoformat(draw(st.sampled_from(DATES)))
    days = draw(st.sampled_from([None, 0, 28, 29]))
    return Visit(
        draft="Claim/case",
        date=date,
        date_read_from="Claim.item.servicedDate",
        payer=Payer(draw(st.sampled_from(PAYERS))),
        lines=tuple(draw(st.permutations(made))),
        history=History(
            seen=True,
            massage_visits=draw(st.integers(0, 4)),
            plan_start=None if days is None else date - dt.timedelta(days=days),
            visits_since_report=draw(st.sampled_from([0, 8, 9, 30])),
            visits_since_evaluation=draw(st.sampled_from([0, 11, 12])),
            used_pt_slp=draw(st.sampled_from([None, None, 100.0, 2480.0, 3000.0])),
        ),
        total_timed=draw(STATED),
        total_treatment=draw(STATED),
        record_sent=draw(st.booleans()),
    )


def visit_with(payer: str, *services: Line) -> Visit:
    """A visit that once broke a law, or would under a plausible slip; each is tried on every run."""
    return Visit("Claim/case", dt.date(2026, 3, 2), "Claim.item.servicedDate", Payer(payer), services)


def service(number: int, code: str, minutes: int | None, units: int | None = 1, **more: Any) -> Line:
    """One documented line of such a visit."""
    draft: bool = more.get("draft", True)
    return Line(
        f"Claim/case#{number}" if draft else f"Procedure/case#{number}",
        code,
        units=units,
        minutes=None if minutes is None else Minutes(minutes, "Procedure.performedPeriod"),
        answered=ELEMENTS,
        **{"draft": True, **more},
    )


RECORDED: dict[str, bool] = {"draft": False, "billed": False}
LUMBAR, CERVICAL = frozenset({"lumbar"}), frozenset({"cervical"})

# One modifier is to go, and the rest to change places: the new order must not bring it back.
REMOVED_AND_REORDERED = visit_with(
    "bcbsnc",
    service(1, "98940", None, regions=LUMBAR),
    service(2, "97112", 15, modifiers=("GP", "59", "25"), regions=CERVICAL),
)
# Two findings each add a modifier, and the line has one place.
TWO_FOR_ONE_PLACE = visit_with(
    "uhc",
    service(1, "98940", None, regions=LUMBAR),
    service(2, "97140", 15, modifiers=("KX", "RT", "CQ"), regions=CERVICAL),
)
# A tie with a service that is recorded and not billed.
TIED_WITH_UNBILLED = visit_with(
    "medicare-b",
    service(1, "97112", 20, None, **RECORDED),
    service(2, "97110", 20, 2, modifiers=("GP",)),
)
# One service recorded with minutes, and billed on a line without: the total is not known.
RECORDED_AND_BILLED_WITHOUT_MINUTES = visit_with(
    "medicare-b",
    service(1, "97110", 10, None, **RECORDED),
    service(2, "97110", None, 2, modifiers=("GP",)),
    service(3, "97140", 20, 2, modifiers=("GP",)),
)
# A tie with a line of another claim that states no units.
TIED_WITH_ANOTHER_CLAIM = visit_with(
    "medicare-b",
    service(1, "97140", 20, 1, modifiers=("GP",)),
    service(2, "97530", 20, None, draft=False),
)


def minutes_by_code() -> st.SearchStrategy[dict[str, int]]:
    """The minutes of a day by timed service."""
    timed = sorted(code.code for code in tables.codes().values() if code.timed)
    return st.dictionaries(st.sampled_from(timed), st.integers(0, 130), min_size=1, max_size=6)
