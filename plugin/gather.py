"""Gathering the data of a request: prefetch first, the caller's FHIR server for what is missing."""

from cds_hooks.access import Authorization
from cds_hooks.prefetch import Prefetched, Present, Unavailable, resolve
from cds_hooks.request import HookRequest
from cds_hooks.service import Service
from plugin.answer import Gather, from_prefetch
from plugin.outside.fetching import Fetcher
from plugin.outside.fhir_client import Query


def gatherer(fetcher: Fetcher) -> Gather:
    """A gather function that asks the FHIR server that a request names."""

    def gather(service: Service, request: HookRequest) -> dict[str, Prefetched]:
        found = from_prefetch(service, request)
        if not request.fhir_server:
            return found
        queries = _queries(service, request, found)
        if not queries:
            return found
        why = _not_for_this(request.authorization, request.patient_id)
        if why:
            fetched: dict[str, Prefetched] = dict.fromkeys(queries, Unavailable(why))
        else:
            fetched = fetcher.read(request.fhir_server, request.authorization, queries)
        return found | {key: _with_first_page(value, queries[key]) for key, value in fetched.items()}

    return gather


def _queries(service: Service, request: HookRequest, found: dict[str, Prefetched]) -> dict[str, Query]:
    """What is to be read: keys that did not come, and the pages behind those of which only the first one came."""
    queries = {}
    for key, value in found.items():
        part = service.prefetch[key]
        if isinstance(value, Unavailable):
            path = resolve(part.query, request.tokens)
            if path is not None:
                queries[key] = Query(part, path)
        elif isinstance(value, Present) and value.next_page:
            queries[key] = Query(part, "", value)
    return queries


def _not_for_this(access: Authorization | None, patient: str) -> str:
    """Why the caller's access is of no use for this request, "" where it is."""
    if access is None:
        return ""
    if access.patient and access.patient != patient:
        return "the access token is for another patient than context.patientId, so it was not used"
    if access.expires_in is not None and access.expires_in <= 0:
        return "the access token has expired"
    return ""


def _with_first_page(value: Prefetched, query: Query) -> Prefetched:
    """What was fetched; where nothing came behind a first page that was sent, that page with the reason."""
    if query.begun is None or not isinstance(value, Unavailable):
        return value
    return Present(query.begun.value, f"{query.begun.incomplete}; {value.why}", as_asked=query.begun.as_asked)
