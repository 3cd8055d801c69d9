"""JSON paths of which only what is ours to know may be shown: a name in a path may be one that the caller made up."""

import functools
import re
from collections.abc import Iterator

import msgspec

_STEP = re.compile(r"\[(?:\d{1,4}|\.\.\.)\]|[^.\[\]]+")
_READ_FROM = ("cds_hooks.", "mappings.fhir.")
UNKNOWN = "?"


def shown_path(path: str, keys: frozenset[str]) -> str:
    """The path with every name replaced by "?" that is neither one that we read nor one of these prefetch keys."""
    names = read_names() | keys
    return _STEP.sub(lambda step: step[0] if step[0][0] == "[" or step[0] in names else UNKNOWN, path)


@functools.cache
def read_names() -> frozenset[str]:
    """Every JSON name that some struct of ours reads; the tag of a FHIR resource is read by no field of it."""
    structs = [one for one in _below(msgspec.Struct) if one.__module__.startswith(_READ_FROM)]
    named = {field.encode_name for one in structs for field in msgspec.structs.fields(one)}
    return frozenset(named | {"resourceType"})


def _below(parent: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in parent.__subclasses__():
        yield one
        yield from _below(one)
