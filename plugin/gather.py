"""Gathering the data of a request: prefetch first, the caller's FHIR server for what is missing."""

from cds_hooks.prefetch import Prefetched, Unavailable, resolve
from cds_hooks.request import HookRequest
from cds_hooks.service import Service
from plugin.answer import Gather, from_prefetch
from plugin.outside.fhir_client import FhirClient


def gatherer(client: FhirClient) -> Gather:
    """A gather function that asks the FHIR server that a request names."""

    def gather(service: Service, request: HookRequest) -> dict[str, Prefetched]:
        found = from_prefetch(service, request)
        if not request.fhir_server:
            return found
        queries = {
            key: query
            for key, value in found.items()
            if isinstance(value, Unavailable)
            and (query := resolve(service.prefetch[key].query, request.tokens)) is not None
        }
        return found | client.read(request.fhir_server, request.authorization, queries) if queries else found

    return gather
