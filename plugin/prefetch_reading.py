"""Decoding prefetch values in the same pass as the envelope, into the resources that the review reads."""

import msgspec

from cds_hooks.prefetch import (
    FAILED,
    Empty,
    Prefetched,
    Present,
    Unavailable,
    following,
    is_failure,
    of_another_type,
    prefetched,
    told_of_bundle,
)
from cds_hooks.request import Envelope, PrefetchReader
from cds_hooks.service import Prefetch
from mappings.fhir.base import NOT_SENT
from mappings.fhir.resources import AnyValue, Bundle, Link, OperationOutcome

_EMPTY = Empty()
_LINKS = msgspec.json.Decoder(list[Link])


def _told(value: AnyValue, part: Prefetch) -> Prefetched:
    # `type`, not isinstance, which takes the long way through the metaclass of msgspec's Structs: nine keys a request.
    kind = type(value)
    if value is None:
        return _EMPTY
    if kind is OperationOutcome:
        return FAILED
    if type(value) is not Bundle:
        return Present(value) if kind.__name__ == part.kind else Unavailable(of_another_type(part))
    after = "" if value.link is NOT_SENT else _next_page(value.link)
    if not value.entry:
        return following(_EMPTY, value, after, 0, part)
    kinds = {type(entry.resource) for entry in value.entry}
    if not after and len(kinds) == 1 and next(iter(kinds)).__name__ == part.kind:
        return Present(value)
    kinds.discard(type(None))
    failed = OperationOutcome in kinds and any(
        is_failure(issue.severity, issue.code)
        for entry in value.entry
        if type(entry.resource) is OperationOutcome
        for issue in entry.resource.issue
    )
    told = told_of_bundle(value, {one.__name__ for one in kinds}, part, failed=failed)
    return following(told, value, after, len(value.entry), part) if after else told


def _next_page(raw: msgspec.Raw) -> str:
    try:
        links = _LINKS.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""  # what of a Bundle we do not need may be as it likes
    return next((link.url for link in links if link.relation == "next"), "")


DECODED: PrefetchReader[AnyValue] = PrefetchReader(msgspec.json.Decoder(Envelope[AnyValue]), _told)
"""Decoded at once: the fast way, for services that never hand a prefetched resource back."""

RAW: PrefetchReader[msgspec.Raw] = PrefetchReader(msgspec.json.Decoder(Envelope[msgspec.Raw]), prefetched)
"""Raw: for a service whose suggestions change a prefetched resource, of which every byte must be kept."""
