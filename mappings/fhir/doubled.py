"""Elements that stand twice in a resource. JSON leaves open which of the two counts, and a bill must not.

The review would go by one of them, the billing system perhaps by the other, and a suggestion would hand back one alone.
So a draft in which an element stands twice is not reviewed. Resources of the record are not looked through: they come
out of a FHIR server's own writer, and there are many of them.
"""

import json
from typing import Any

import msgspec


class _DoubledError(Exception):
    """Some object has two members of one name."""


class _Pairs(list[tuple[str, Any]]):
    """An object with all its members, those of one name included."""


def _refuse(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _DoubledError


# Numbers stay text: what they are worth is not asked here, and some have more digits than Python will read.
_LOOK = json.JSONDecoder(object_pairs_hook=_refuse, parse_int=str, parse_float=str)
_KEEP = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=str, parse_float=str)


def doubled(raw: msgspec.Raw | bytes) -> str | None:
    """The path below a resource, as in `.item[0].quantity`, of the first element that stands twice; None if none does.

    The resource must be sound JSON. Costs about 10 µs for a KB; one that is nested too deeply raises RecursionError.
    """
    text = bytes(memoryview(raw)).decode()
    try:
        _LOOK.decode(text)
    except _DoubledError:
        return _first(_KEEP.decode(text))
    return None


def _first(resource: Any) -> str:
    waiting = [("", resource)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for name, part in value:
                # A name that is no element of FHIR by its form may say what is not to be repeated.
                below = f"{path}.{name}" if name.isascii() and name.isidentifier() and len(name) < 64 else path
                if name in seen:
                    return below
                seen.add(name)
                waiting.append((below, part))
        elif isinstance(value, list):
            waiting.extend((f"{path}[{index}]", part) for index, part in enumerate(value))
    return ""
