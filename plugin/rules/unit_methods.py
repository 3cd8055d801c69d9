"""How timed minutes become units: the three methods, as arithmetic.

Sources: CMS Pub. 100-04 chapter 5 section 20.2 (total minutes), the CPT midpoint rule, HNS Therapeutic Procedures.
"""

import msgspec

UNIT = 15
ROUNDING = 7
"""Minutes by which a unit may fall short: 8 minutes make the first unit, 23 the second."""


class Share(msgspec.Struct, frozen=True):
    """Units of one service. With `tied`, one of them may as well go to another tied service."""

    units: int
    tied: bool = False


def alone(minutes: int, minimum: int) -> int:
    """Units of a service by its own minutes (CPT midpoint, HNS per service): none under the minimum."""
    return 0 if minutes < minimum else (minutes + ROUNDING) // UNIT


def total(minutes: int) -> int:
    """Units that all timed minutes of a day support together (CMS)."""
    return (minutes + ROUNDING) // UNIT


def shares(minutes: dict[str, int]) -> dict[str, Share]:
    """The CMS units of each service: whole quarters first, what is left to the largest remainders.

    Where equal remainders compete for the last units, the services listed first get them, marked as tied.
    """
    whole = {code: value // UNIT for code, value in minutes.items()}
    rest = {code: value % UNIT for code, value in minutes.items()}
    left = total(sum(minutes.values())) - sum(whole.values())
    ranked = sorted(minutes, key=lambda code: -rest[code])
    chosen, passed_over = ranked[:left], ranked[left:]
    tied = chosen and passed_over and rest[chosen[-1]] == rest[passed_over[0]]
    level = rest[chosen[-1]] if chosen else -1
    return {code: Share(whole[code] + (code in chosen), bool(tied) and rest[code] == level) for code in minutes}
