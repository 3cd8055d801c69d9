"""Decoding prefetch values in the same pass as the envelope, into the resources that the review reads."""

import msgspec

from cds_hooks.prefetch import FAILED, Empty, Prefetched, Present, prefetched
from cds_hooks.request import Envelope, PrefetchReader
from mappings.fhir.resources import AnyValue, Bundle, OperationOutcome

_EMPTY = Empty()


def _told(value: AnyValue) -> Prefetched:
    # `type`, not isinstance, which takes the long way through the metaclass of msgspec's Structs: nine keys a request.
    if value is None or (type(value) is Bundle and not value.entry):
        return _EMPTY
    return FAILED if type(value) is OperationOutcome else Present(value)


DECODED: PrefetchReader[AnyValue] = PrefetchReader(msgspec.json.Decoder(Envelope[AnyValue]), _told)
"""Decoded at once: the fast way, for services that never hand a prefetched resource back."""

RAW: PrefetchReader[msgspec.Raw] = PrefetchReader(msgspec.json.Decoder(Envelope[msgspec.Raw]), prefetched)
"""Raw: for a service whose suggestions change a prefetched resource, of which every byte must be kept."""
