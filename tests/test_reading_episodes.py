"""FHIR to facts: earlier visits that no Procedure records, and the start of an episode of care."""

import datetime as dt
from typing import Any

import pytest

from mappings.visit import History
from tests.builders import (
    CPT,
    ENCOUNTER,
    PATIENT,
    Json,
    bundle,
    claim,
    claim_request,
    coded,
    encounter,
    item,
    procedure,
    ref,
)
from tests.facts_of import unreadable, visit

AMB = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
THERAPY = [{"text": "Physical therapy visit"}]
CHIROPRACTOR = {"individual": {"reference": "Practitioner/dc", "display": "Test, Tess, DC"}}


def earlier(day: str = "2026-02-10", name: str = "e1", /, **more: Any) -> Json:
    """A finished outpatient encounter of physical therapy."""
    told = {
        "resourceType": "Encounter",
        "id": name,
        "status": "finished",
        "class": AMB,
        "type": THERAPY,
        "subject": ref("Patient", PATIENT),
        "period": {"start": f"{day}T09:00:00-05:00", "end": f"{day}T10:00:00-05:00"},
    } | more
    return {key: value for key, value in told.items() if value is not None}


def sent(*encounters: Json, before: tuple[Json, ...] = (), **more: Any) -> Json:
    """A visit with exercise, with these earlier encounters and Procedures."""
    told = {"encounters": bundle(*encounters), "history": bundle(*before)} | more
    return claim_request(claim(item(1, "97110")), **told)


def history(request: Json) -> History:
    return visit(request).history


COUNTED: list[tuple[str, Json, bool]] = [
    ("therapy by its type", {}, True),
    ("R5: completed", {"status": "completed", "class": [{"coding": [AMB]}], "period": None,
                       "actualPeriod": {"start": "2026-02-10"}}, True),
    ("R5: discharged", {"status": "discharged"}, True),
    ("planned", {"status": "planned"}, False),
    ("cancelled", {"status": "cancelled"}, False),
    ("arrived", {"status": "arrived"}, False),
    ("R5: discontinued", {"status": "discontinued"}, False),
    ("no status", {"status": None}, False),
    ("emergency", {"class": {"code": "EMER"}}, False),
    ("inpatient", {"class": [{"coding": [{"code": "IMP"}]}]}, False),
    ("at home", {"class": {"code": "HH"}}, True),
    ("no class", {"class": None}, True),
    ("nothing tells what it was", {"type": None}, False),
    ("a laboratory", {"type": [{"text": "Laboratory visit"}]}, False),
    ("a telephone call", {"type": [{"text": "Physical therapy telephone call"}]}, False),
    ("nobody came", {"type": [{"text": "PT visit - no show"}]}, False),
    ("a referral", {"type": [{"text": "Referral to physical therapy"}]}, False),
    ("by a display", {"type": [{"coding": [{"code": "7", "display": "Chiropractic treatment"}]}]}, True),
    ("by its service", {"type": None, "serviceType": {"text": "Occupational Therapy"}}, True),
    ("R5: by its service", {"type": None, "serviceType": [{"concept": {"text": "Physiotherapy"}}]}, True),
    ("by a billing code", {"type": [coded(CPT, "97140")]}, True),
    ("an office visit of anybody", {"type": [coded(CPT, "99213")]}, False),
    ("an office visit of a chiropractor", {"type": [coded(CPT, "99213")], "participant": [CHIROPRACTOR]}, True),
    ("by who took part", {"type": None, "participant": [CHIROPRACTOR]}, True),
    ("R5: by who took part", {"type": None, "participant": [{"actor": CHIROPRACTOR["individual"]}]}, True),
    ("a physician took part", {"type": None, "participant": [{"individual": {"display": "Test, Tom, MD"}}]}, False),
    ("another patient", {"subject": ref("Patient", "somebody-else")}, False),
    ("no day", {"period": None}, False),
    ("a month", {"period": {"start": "2026-02"}}, False),
    ("the visit's own day", {"period": {"start": "2026-03-02"}}, False),
    ("a later day", {"period": {"start": "2026-03-03"}}, False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "more", "counts"), COUNTED, ids=[one[0] for one in COUNTED])
def test_earlier_encounter(name: str, more: Json, counts: bool) -> None:
    """An earlier encounter is a visit where care was given and something says that it was care of ours."""
    assert history(sent(earlier(**more))).visits == int(counts), name


def test_one_day_in_two_resources() -> None:
    """A day that an encounter and a Procedure tell of counts once, also where UTC puts them on two days."""
    given = procedure("p", "97110", performedDateTime="2026-02-10", encounter=ref("Encounter", "e1"))
    apart = procedure("p", "97110", performedDateTime="2026-02-10", encounter=ref("Encounter", "other"))
    assert history(sent(earlier(), before=(given,))).visits == 1
    assert history(sent(earlier("2026-02-11"), before=(given,))).visits == 1
    assert history(sent(earlier(), before=(apart,))).visits == 1
    assert history(sent(earlier("2026-02-12"), before=(apart,))).visits == 2


def test_what_a_code_of_an_encounter_says() -> None:
    """An encounter of an evaluation or of massage is told apart by its billing code."""
    found = history(sent(earlier(type=[coded(CPT, "97164")]), earlier("2026-02-12", "e2", type=[coded(CPT, "97124")])))
    assert (found.visits, found.massage_visits, found.visits_since_evaluation) == (2, 1, 1)
    assert found.evaluated_on == found.reported_on == dt.date(2026, 2, 10)


def bill(*codes: str, **more: Any) -> Json:
    items = [item(place, code, servicedDate="2026-02-10") for place, code in enumerate(codes, 1)]
    return claim(*items, name="earlier", status="active", **more)


CLAIMS: list[tuple[str, Json, int]] = [
    ("a claim that went out", bill("97110", "97140"), 1),
    ("a draft", bill("97110") | {"status": "draft"}, 0),
    ("withdrawn", bill("97110") | {"status": "cancelled"}, 0),
    ("an estimate", bill("97110", use="predetermination"), 0),
    ("office visits alone", bill("99213"), 0),
    ("an office visit with a manipulation", bill("99213", "98940"), 1),
    ("codes of others", bill("70450"), 0),
    ("another patient", bill("97110", patient=ref("Patient", "somebody-else")), 0),
]


@pytest.mark.parametrize(("name", "one", "visits"), CLAIMS, ids=[one[0] for one in CLAIMS])
def test_earlier_claim(name: str, one: Json, visits: int) -> None:
    """A day that an earlier claim bills is a visit, if the claim went out and bills therapy or manipulation."""
    assert history(sent(one)).visits == visits, name


def episode(start: str = "2026-02-01", **more: Any) -> Json:
    told = {
        "resourceType": "EpisodeOfCare",
        "id": "ep",
        "status": "active",
        "patient": ref("Patient", PATIENT),
        "type": [{"text": "Physical therapy"}],
        "period": {"start": start},
    } | more
    return {key: value for key, value in told.items() if value is not None}


EPISODES: list[tuple[str, Json, str | None]] = [
    ("of therapy", {}, "2026-02-01"),
    ("ended before", {"period": {"start": "2026-01-01", "end": "2026-02-01"}}, None),
    ("not begun", {"period": {"start": "2026-03-05"}}, None),
    ("planned", {"status": "planned"}, None),
    ("in error", {"status": "entered-in-error"}, None),
    ("of something else", {"type": [{"text": "Oncology"}]}, None),
    ("untold", {"type": None}, None),
    ("another patient", {"patient": ref("Patient", "somebody-else")}, None),
    ("without a period", {"period": None}, None),
    ("on hold", {"status": "onhold"}, "2026-02-01"),
]


@pytest.mark.parametrize(("name", "more", "start"), EPISODES, ids=[one[0] for one in EPISODES])
def test_episode(name: str, more: Json, start: str | None) -> None:
    """An episode of therapy in force on the day states when the course of care began."""
    found = history(sent(episodes=bundle(episode(**more))))
    assert found.episode_start == (dt.date.fromisoformat(start) if start else None), name
    assert found.plan_start is None


def test_episode_of_the_encounter() -> None:
    """An episode that the visit's encounter names is its episode, whatever its type says."""
    here = encounter(episodeOfCare=[ref("EpisodeOfCare", "ep")])
    found = history(sent(encounter=here, episodes=bundle(episode(type=None))))
    assert found.episode_start == dt.date(2026, 2, 1)


def test_visits_of_the_episode() -> None:
    """Visits are counted from the episode's start, and from the plan's where it states one."""
    days = [earlier("2026-01-20", "e1"), earlier("2026-02-10", "e2"), earlier("2026-02-20", "e3")]
    plan = {"resourceType": "CarePlan", "status": "active", "period": {"start": "2026-02-15"}}
    assert history(sent(*days)).visits == 3
    assert history(sent(*days, episodes=bundle(episode()))).visits == 2
    with_plan = history(sent(*days, episodes=bundle(episode()), plans=bundle(plan)))
    assert (with_plan.visits, with_plan.care_start) == (1, dt.date(2026, 2, 15))


@pytest.mark.parametrize("part", ["type", "serviceType", "class", "participant"])
def test_broken_part(part: str) -> None:
    """A part of the wrong shape costs at most its encounter, and is said."""
    body = sent(earlier("2026-02-10", "bad", **{part: 5}), earlier("2026-02-12"))
    assert history(body).visits in (1, 2)
    assert all(path.startswith(f"Encounter/bad.{part}") for path in unreadable(body))


def test_the_visits_own_encounter() -> None:
    """The encounter in context is no earlier visit, though it began before."""
    own = earlier("2026-02-10", ENCOUNTER)
    assert history(sent(own, encounter=own)).visits == 0


MEASURED = [{"detailBoolean": True}, {"detailRatio": {"numerator": {"value": 1}}}, {"detailInteger": 4}]


@pytest.mark.parametrize("target", MEASURED)
def test_goal(target: Json) -> None:
    """A goal is measurable by any detail that R4 and R5 know."""
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "target": [target], "acceptance": [{}]}
    assert "measurable-goal" in visit(sent(goals=bundle(goal))).lines[0].evidence
