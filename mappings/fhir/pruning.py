"""Hollow members of a caller's JSON, which FHIR forbids and CDS Hooks does not let back out: null, "", [] and {}.

Only what is hollow goes, with what becomes hollow by that; all else keeps its very bytes. The one null that FHIR
knows keeps its place: arrays of primitives whose extensions stand beside them (`given` and `_given`) are aligned by
position (FHIR R4, JSON format, section 2.6.2).
"""

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

DEEPEST = 40
"""How many levels deep hollow members are looked for: FHIR has some ten, and each level costs a pass over the text."""

_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])
_HOLLOW = (b"null", b'""', b"[]", b"{}")
_OPENING = (b"{", b"[", b" ", b"\t", b"\r", b"\n")
_NULL = msgspec.Raw(b"null")


def may_be_hollow(text: msgspec.Raw) -> bool:
    """Whether there can be a hollow member: no is certain, yes may be text in which the same characters stand.

    What is nested so deeply that it can hardly be walked through is not walked through.
    """
    try:
        compact: bytes = msgspec.json.format(text, indent=-1)
    except RecursionError:
        return False
    return any(hollow in compact for hollow in _HOLLOW)


def pruned(value: msgspec.Raw, depth: int = 0) -> msgspec.Raw | None:
    """A value without its hollow members: the same one where it has none, None where nothing is left."""
    text = memoryview(value).tobytes()
    if not text.startswith(_OPENING):
        return None if text in _HOLLOW else value
    if text in _HOLLOW:
        return None
    if depth > DEEPEST or not may_be_hollow(value):
        return value
    text = text.strip()
    if text.startswith(b"{"):
        before = _PARTS.decode(text)
        members = pruned_members(before, depth)
        return _written(members, list(members.values()) == list(before.values()), value)
    if text.startswith(b"["):
        entries = _LIST.decode(text)
        kept = [pruned(one, depth + 1) for one in entries]
        return _written([one for one in kept if one is not None], kept == entries, value)
    return None if text in _HOLLOW else value


def pruned_members(members: dict[str, msgspec.Raw], depth: int = 0) -> dict[str, msgspec.Raw]:
    """The members of an object without the hollow ones."""
    kept: dict[str, msgspec.Raw] = {}
    for name, value in members.items():
        beside = members.get(name[1:] if name.startswith("_") else f"_{name}")
        left = pruned(value, depth + 1) if beside is None else _aligned(value, beside, depth)
        if left is not None:
            kept[name] = left
    return kept


def _aligned(value: msgspec.Raw, beside: msgspec.Raw, depth: int) -> msgspec.Raw | None:
    """An array of primitives, or of their extensions, beside the other of the two: places that both leave open go."""
    if not (_is_array(value) and _is_array(beside)):
        return pruned(value, depth + 1)
    entries = _LIST.decode(value)
    mine = [pruned(one, depth + 1) for one in entries]
    theirs = [pruned(one, depth + 1) for one in _LIST.decode(beside)]
    if not any(one is not None for one in mine):
        return None
    places = list(zip_longest(mine, theirs))[: len(mine)]
    kept = [_NULL if one is None else one for one, other in places if one is not None or other is not None]
    return _written(kept, kept == entries, value)


def _is_array(value: msgspec.Raw) -> bool:
    return memoryview(value).tobytes().lstrip().startswith(b"[")


def _written(
    kept: dict[str, msgspec.Raw] | Sequence[msgspec.Raw], unchanged: bool, value: msgspec.Raw
) -> msgspec.Raw | None:
    """The value itself where nothing of it changed, else what is kept, None if that is nothing."""
    if not kept:
        return None
    return value if unchanged else msgspec.Raw(msgspec.json.encode(kept))
