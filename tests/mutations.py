"""Random damage to JSON, from a seed: what a broken sender, a proxy or an attacker makes of a good request."""

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

Place = tuple[Any, str | int]
"""A container and the key or index of one of its parts."""

STRINGS = (
    "",
    " ",
    "null",
    "0",
    "NaN",
    "\x00",
    "\u2028",
    "\U0001f600",
    "e\u0301",
    "٣",
    "Ⅷ",
    "\u017f",
    "x" * 3000,
    "#",
    "##",
    "/",
    "Patient/",
    "Procedure/",
    "Claim/a#1",
    "urn:uuid:",
    "urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "https://ehr.example/fhir/Procedure/manual/_history/2",
    "{{context.patientId}}",
    "{0} {what} %s",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE claims; --",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-03",
    "2026",
    "2026-03-02T09:00",
    "2026-03-02T09:00:60Z",
    "2026-03-02T24:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-03-02T09:00:00.123456789Z",
    "2026-03-02T09:00:00",
    "20260302T0900",
    "97110",
    "97140-59",
    "97140-59-GP-XS-XE-XP-XU",
    "98940",
    "99213",
    "98943",
    "59",
    "GP",
    "XS",
    "min",
    "h",
    "Bundle",
    "Claim",
    "Procedure",
    "OperationOutcome",
    "completed",
    "entered-in-error",
    "\u202e97110",
    "a\u0300" * 500,
    "x" * 100_000,
    "</script><script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "#exercise",
    "Procedure/exercise",
)
RAW_NUMBERS = (
    b"1e999999", b"-1e-999999", b"9" * 5000, b"0." + b"3" * 5000, b"-0", b"1E+2", b"2.000000000000000000001",
    b"1e400", b"0e0", b"4.9e-324", b"1.7976931348623157e308", b"18446744073709551616", b"NaN", b"01", b"1.", b".5",
)  # fmt: skip
"""Numbers as no Python value would be written."""
NUMBERS = (
    0,
    -0.0,
    1,
    2,
    -1,
    7,
    8,
    15,
    0.5,
    1.5,
    1e-320,
    1e300,
    -1e300,
    2**31,
    2**53,
    2**63,
    2**64,
    -(2**63) - 1,
    10**40,
)
CODES = ("97110", "97112", "97140", "97124", "97150", "97530", "97014", "98940", "98942", "99213", "97161", "97799")


def _copied(value: Any) -> Any:
    """A copy; nothing in place of what an earlier damage made too deep to be copied."""
    try:
        return copy.deepcopy(value)
    except RecursionError:
        return None


def places(value: Any) -> list[Place]:
    """Every part of a JSON tree."""
    found: list[Place] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        parts = one.items() if type(one) is dict else enumerate(one) if type(one) is list else ()
        for key, part in parts:
            found.append((one, key))
            if type(part) is dict or type(part) is list:
                waiting.append(part)
    return found


def _drop(place: Place, _: random.Random, __: list[Place]) -> None:
    container, key = place
    del container[key]


def _duplicate(place: Place, dice: random.Random, _: list[Place]) -> None:
    container, key = place
    if isinstance(key, int):
        container.extend(_copied(container[key]) for _ in range(dice.choice((1, 1, 1, 5, 40))))
    else:
        container[f"{key}{dice.choice(('', 'Extra', '_'))}"] = _copied(container[key])


def _retype(place: Place, dice: random.Random, _: list[Place]) -> None:
    container, key = place
    part = container[key]
    container[key] = dice.choice(
        ([part], {"value": part}, str(part)[:50], None, True, False, 0, [], {}, [[]], [None], [{}])
    )


def _replace(place: Place, dice: random.Random, every: list[Place]) -> None:
    container, key = place
    other, name = dice.choice(every)
    container[key] = _copied(other[name])


def _swap(place: Place, dice: random.Random, every: list[Place]) -> None:
    container, key = place
    other, name = dice.choice(every)
    container[key], other[name] = _copied(other[name]), _copied(container[key])


def _string(place: Place, dice: random.Random, _: list[Place]) -> None:
    container, key = place
    container[key] = dice.choice(STRINGS)


def _number(place: Place, dice: random.Random, _: list[Place]) -> None:
    container, key = place
    container[key] = dice.choice(NUMBERS)


def _rename(place: Place, dice: random.Random, every: list[Place]) -> None:
    container, key = place
    names = [name for _, name in every if isinstance(name, str)]
    if isinstance(container, dict):
        container[dice.choice(names)] = container.pop(key)


def _nest(place: Place, dice: random.Random, _: list[Place]) -> None:
    """The same thing, deep within lists or objects; beyond some depth no reader follows."""
    container, key = place
    for _level in range(dice.choice((1, 3, 40, 150, 300))):
        container[key] = [container[key]] if dice.random() < 0.5 else {"concept": container[key]}


def _cycle(_: Place, dice: random.Random, every: list[Place]) -> None:
    """References that lead to themselves, to one another, or to what was meant to be found once."""
    named = [(container, key) for container, key in every if key in ("reference", "id", "fullUrl")]
    ids = [container[key] for container, key in named if isinstance(container[key], str)]
    for container, key in dice.sample(named, min(len(named), 3)):
        if ids:
            container[key] = dice.choice(
                ("", "#", "Procedure/", "Claim/", "Organization/", "Practitioner/")
            ) + dice.choice(ids)


def _code(_: Place, dice: random.Random, every: list[Place]) -> None:
    """Another billing code somewhere: damage that is well-formed and leads deep into the rules."""
    coded = [(container, key) for container, key in every if key == "code" and isinstance(container[key], str)]
    if coded:
        container, key = dice.choice(coded)
        container[key] = dice.choice((*CODES, *STRINGS[-20:]))


KINDS: tuple[Callable[[Place, random.Random, list[Place]], None], ...] = (
    _drop,
    _duplicate,
    _retype,
    _replace,
    _swap,
    _string,
    _number,
    _rename,
    _nest,
    _cycle,
    _code,
)


def damaged(body: Any, dice: random.Random) -> Any:
    """A copy with one to four places damaged; mostly below context and prefetch, where the FHIR is."""
    copied = json.loads(json.dumps(body))
    for _ in range(dice.choice((1, 1, 2, 3, 4))):
        root = copied if dice.random() < 0.1 else copied.get(dice.choice(("context", "prefetch")))
        every = places(root)
        if every and len(every) < 20_000:
            dice.choice(KINDS)(dice.choice(every), dice, every)
    return copied


_SCALAR = re.compile(rb'"\w+": (?:"[^"\\]*"|[-0-9.]+|true|false|null)')
_NUMBER = re.compile(rb"(?<=: )-?[0-9][0-9.eE+-]*")


def spliced(raw: bytes, dice: random.Random) -> bytes:
    """The text with a member written twice, or a number written as no Python value would be."""
    pattern = dice.choice((_SCALAR, _NUMBER))
    found = list(pattern.finditer(raw))
    if not found:
        return raw
    one = dice.choice(found)
    new = one[0] + b", " + one[0] if pattern is _SCALAR else dice.choice(RAW_NUMBERS)
    return raw[: one.start()] + new + raw[one.end() :]


def garbled(raw: bytes, dice: random.Random) -> bytes:
    """The text with some bytes replaced, dropped or doubled."""
    text = bytearray(raw)
    for _ in range(dice.choice((1, 1, 2, 8))):
        start = dice.randrange(len(text))
        length = dice.choice((0, 1, 1, 2, 30))
        text[start : start + length] = dice.choice(
            (b"", b'"', b"}", b"]", b"\xff", b"\\", b"0", b"null", text[start:][:9])
        )
    return bytes(text)


def encoded(value: Any) -> bytes:
    """JSON text; what is no JSON (such as a number that became NaN) is written as Python writes it."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
