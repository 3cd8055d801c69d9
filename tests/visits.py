"""Hook requests of many kinds, by name: faulty ones, and clean ones that are answered with no card."""

from typing import Any

from tests.builders import (
    BCBSNC,
    HNS,
    KNEE,
    LOW_BACK,
    MEDICARE,
    NECK,
    SHOULDER,
    SNOMED,
    UHC,
    UPPER_BACK,
    Json,
    bundle,
    claim,
    claim_request,
    coded,
    discharge_request,
    item,
    order,
    order_request,
    procedure,
    span,
)

MINUTES = {"value": 30, "unit": "min"}
CPT_59 = {"code": "59", "system": "http://www.ama-assn.org/go/cpt"}

SPINE = [coded(SNOMED, NECK), coded(SNOMED, UPPER_BACK), coded(SNOMED, LOW_BACK)]
CMT = procedure("cmt", "98941", bodySite=SPINE)
CMT_NECK = procedure("cmt", "98940", site=NECK)
BALANCE = procedure("balance", "97112", "09:00", 20, KNEE)
MANUAL = procedure("manual", "97140", "09:20", 15, SHOULDER)
MANUAL_NECK = procedure("manual", "97140", "09:20", 15, NECK)
EXERCISE = procedure("exercise", "97110", "09:35", 30, KNEE)
MASSAGE = procedure("massage", "97124", "10:05", 15, LOW_BACK)
EM = procedure("em", "99213")
STIM = procedure("stim", "97014")


def chiro(*balance: str, payer: str = BCBSNC, units: int = 1, **more: Any) -> Json:
    """A manipulation of the spine and balance training of the knee, with these modifiers on the latter."""
    draft = claim(item(1, "98941"), item(2, "97112", units, *balance, **more))
    return claim_request(draft, CMT, BALANCE, payer=payer)


def pt(*exercise: str, payer: str = MEDICARE, units: int = 2) -> Json:
    """Exercise and manual therapy, with these modifiers on the exercise."""
    draft = claim(item(1, "97110", units, *exercise), item(2, "97140", 1, "GP"))
    return claim_request(draft, EXERCISE, MANUAL, payer=payer)


def em(*codes: str, payer: str = HNS) -> Json:
    """An office visit with these modifiers beside a manipulation."""
    return claim_request(claim(item(1, "99213", 1, *codes), item(2, "98940")), EM, CMT_NECK, payer=payer)


def two_of(first: Json, second: Json, *procedures: Json, payer: str = BCBSNC) -> Json:
    return claim_request(bundle(first, second, kind="collection"), *procedures, payer=payer)


BATCH = two_of(
    claim(item(1, "98941"), item(2, "97112", 3), name="claim-of-one"),
    claim(item(1, "98941", 2), item(2, "97140", 2), name="claim-of-two"),
    *(CMT, BALANCE, MANUAL),
)

TIED = claim_request(
    claim(item(1, "97110", 2, "GP"), item(2, "97140", 2, "GP")),
    procedure("exercise", "97110", "09:00", 20),
    procedure("manual", "97140", "09:20", 20),
    payer=MEDICARE,
)

BY_THERAPIST = EXERCISE | {"performer": [{"function": {"text": "Physical therapist"}, "actor": {"display": "Test"}}]}
"""Exercise with the profession of who gave it, which tells under whose plan it was."""

CORRECTABLE: dict[str, Json] = {
    "chiro: 59 and GP": chiro(),
    "chiro: 59 and GP, and units": chiro(units=3),
    "chiro: 59 before a GP that is there": chiro("GP"),
    "chiro: GP behind a 59 that is there": chiro("59"),
    "chiro: GP behind an X modifier that is there": chiro("XS"),
    "chiro: 59 and GP in the wrong order": chiro("GP", "59"),
    "chiro: 59, GP and units with another modifier": chiro("KX", units=2),
    "chiro: 59 together with XS": chiro("59", "XS", "GP"),
    "chiro: HNS asks for 59 alone": chiro(payer=HNS, units=2),
    "chiro: State Health Plan": chiro(payer="NC State Health Plan"),
    "chiro: MedCost": chiro(payer="MedCost", units=2),
    "chiro: Zelis": chiro("GP", payer="Zelis", units=2),
    "chiro: 59 on the manipulation": claim_request(
        claim(item(1, "98941", 2, "59"), item(2, "97112", 1, "59", "GP")), CMT, BALANCE
    ),
    "chiro: five modifiers, 51 among them": chiro("59", "51", "GP", "KX", "GA"),
    "chiro: three therapies": claim_request(
        claim(item(1, "98941"), item(2, "97112", 2), item(3, "97140", 2), item(4, "97110", 3)),
        *(CMT, BALANCE, MANUAL, EXERCISE),
    ),
    "Medicare: GP": pt(),
    "Medicare: GP and units": pt(units=4),
    "Medicare: too few units": pt("GP", units=1),
    "Medicare: 59 that nothing calls for": pt("59", "GP"),
    "Medicare: 25 on a therapy": pt("25"),
    "UHC: GP and units": pt(payer=UHC, units=3),
    "VA: GP and units": pt(payer="VA Community Care Network", units=3),
    "Anthem: GP and units": pt("51", payer="Anthem", units=3),
    "commercial: units": pt(payer="Commercial", units=3),
    "E/M: 59 beside 25": em("25", "59"),
    "E/M: 97112 beside it": claim_request(claim(item(1, "99213"), item(2, "97112", 3)), EM, BALANCE, payer=HNS),
    "untimed in several units": claim_request(
        claim(item(1, "97014", 3), item(2, "97110", 3)), STIM, EXERCISE, payer=HNS
    ),
    "units not stated": claim_request(claim(item(1, "97110", None), item(2, "97140", 2)), EXERCISE, MANUAL),
    "units as null": claim_request(claim(item(1, "97110", None, quantity=None), item(2, "97140", 2)), EXERCISE, MANUAL),
    "modifier beside the code, misplaced": claim_request(
        claim(item(1, "98941", productOrService={"coding": [{"code": "98941"}, {"code": "59"}]})), CMT
    ),
    "modifier written into the code, misplaced": claim_request(
        claim(item(1, "98941-59", productOrService={"coding": [{"code": "98941-59"}]})), CMT
    ),
    "modifier beside the code, in the wrong order": chiro(
        "GP", productOrService={"coding": [{"code": "97112"}, CPT_59]}
    ),
    "orders: units and 59": order_request(
        order("o-1", "98940"), order("o-2", "97110", 4), order("o-3", "97140"), procedures=(CMT_NECK, EXERCISE, MANUAL)
    ),
    "orders: GP": order_request(
        order("o-1", "97110", 4), order("o-2", "97140"), procedures=(BY_THERAPIST, MANUAL), payer=MEDICARE
    ),
    "orders: minutes in place of units": order_request(
        order("o-1", "97110", None, quantityQuantity=MINUTES, occurrencePeriod=span("09:00", 30)),
        order("o-2", "97014", 3),
    ),
}
"""Requests with findings that the recommended suggestion mends."""

FAULTY: dict[str, Json] = {
    **CORRECTABLE,
    "E/M: 25": em(),
    "E/M: 59 instead of 25": em("59"),
    "batch of two claims": BATCH,
    "same region": claim_request(claim(item(1, "98940"), item(2, "97140", 3)), CMT_NECK, MANUAL_NECK),
    "never together": claim_request(claim(item(1, "97140"), item(2, "97124", 2)), MANUAL, MASSAGE),
    "too short": claim_request(claim(item(1, "97140")), procedure("manual", "97140", "09:20", 6)),
    "tie": TIED,
    "overlap": claim_request(
        claim(item(1, "97140"), item(2, "97110")),
        procedure("manual", "97140", "09:00", 15),
        procedure("exercise", "97110", "09:10", 15),
    ),
    "minutes unknown": claim_request(claim(item(1, "97110")), procedure("exercise", "97110")),
    "distinctness not shown": claim_request(claim(item(1, "98940"), item(2, "97140")), CMT_NECK, STIM),
    "documentation": claim_request(claim(item(1, "97110", 2)), EXERCISE) | {},
    "level": claim_request(claim(item(1, "98942")), CMT_NECK | {"code": coded("", "98942")}),
    "unlisted": claim_request(claim(item(1, "97799")), procedure("other", "97799")),
    "massage": claim_request(claim(item(1, "97124", 2)), MASSAGE),
    "payer unknown": chiro(payer="Mutual of Nowhere"),
    "before the books": claim_request(claim(item(1, "97110", servicedDate="2018-12-31"))),
    "code of nobody": claim_request(claim(item(1, "97110", 2), item(2, "12345")), EXERCISE),
    "discharge": discharge_request(CMT_NECK, MANUAL, EXERCISE),
    "discharge with a draft": discharge_request(
        *(CMT, BALANCE), claims=bundle(claim(item(1, "98941"), item(2, "97112", 3)))
    ),
    "orders of the same region": order_request(
        order("o-1", "98940"), order("o-2", "97140", 2), procedures=(CMT_NECK, MANUAL_NECK)
    ),
}
"""Requests with findings of every kind."""
FAULTY["documentation"]["prefetch"]["forms"] = None

CLEAN: dict[str, Json] = {
    "chiro, 59 and GP in order": chiro("59", "GP"),
    "chiro, XS and GP": chiro("XS", "GP"),
    "chiro, HNS": chiro("59", payer=HNS),
    "PT, Medicare": pt("GP"),
    "PT, UHC": pt("GP", payer=UHC),
    "PT, commercial": pt(payer="Commercial"),
    "E/M with 25": em("25"),
    "manipulation alone": claim_request(claim(item(1, "98940")), CMT_NECK),
    "orders": order_request(order("o-1", "97110", 2), procedures=(EXERCISE,)),
    "orders, none of ours": order_request(order("o-1", "80053")),
    "no orders": order_request(),
    "claim, none of ours": claim_request(claim(item(1, "80053"))),
    "claim without lines": claim_request(claim()),
    "discharge without procedures": discharge_request(),
    "batch": two_of(
        claim(item(1, "98941"), item(2, "97112", 1, "59", "GP"), name="claim-of-one"),
        claim(item(1, "80053"), name="claim-of-two"),
        *(CMT, BALANCE),
    ),
}
"""Requests in which there is nothing to find."""
