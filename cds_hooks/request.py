"""Reading a hook request: the envelope and the context, strictly where CDS Hooks is strict, kindly elsewhere.

The context's FHIR stays raw JSON text, so that a suggestion can return the caller's own resource untouched but
for one change. Prefetch values are decoded in the same pass as the envelope, into the types that the caller of
`read_request` names; where one of them is not as these types want it, all of them are handed on as raw text.
"""

import re
import uuid
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from cds_hooks import access
from cds_hooks.access import Authorization
from cds_hooks.members import refuse_doubled
from cds_hooks.not_json import kind_of
from cds_hooks.outcome import Refusal, bad_request, not_as_expected
from cds_hooks.prefetch import NOT_SENT, Prefetched, Present, prefetched
from cds_hooks.service import Prefetch, Service

_T = TypeVar("_T")


class Envelope(msgspec.Struct, Generic[_T], rename="camel"):
    """The members of every hook request; `_T` is what a prefetch value is decoded into."""

    hook: str
    hook_instance: str
    context: msgspec.Raw
    prefetch: dict[str, _T] | None = None
    fhir_server: str | None = None
    fhir_authorization: msgspec.Raw = msgspec.Raw()


class PrefetchReader(msgspec.Struct, Generic[_T], frozen=True):
    """How prefetch values are decoded at once with the envelope, and how the three cases are told apart then."""

    decoder: msgspec.json.Decoder[Envelope[_T]]
    told: Callable[[_T, Prefetch], Prefetched]


class _Context(msgspec.Struct, rename="camel"):
    user_id: str = ""
    patient_id: str = ""
    encounter_id: str | None = None
    draft_orders: msgspec.Raw = msgspec.Raw()
    claim: msgspec.Raw = msgspec.Raw()


class HookRequest(msgspec.Struct, frozen=True):
    """A request that keeps to the protocol. `resource` is the context's FHIR as raw JSON, empty if none."""

    hook: str
    instance: uuid.UUID
    user_id: str
    patient_id: str
    encounter_id: str
    resource: msgspec.Raw
    prefetch: dict[str, Prefetched]
    fhir_server: str = ""
    authorization: Authorization | None = None

    @property
    def tokens(self) -> dict[str, str]:
        """What prefetch templates may name: context values, and the user's id under the name of the user's type."""
        found = {
            "context.userId": self.user_id,
            "context.patientId": self.patient_id,
            "context.encounterId": self.encounter_id,
        }
        kind, _, name = self.user_id.partition("/")
        return {**found, f"user{kind}Id": name} if kind in _USERS else found


_ENVELOPE: msgspec.json.Decoder[Envelope[msgspec.Raw]] = msgspec.json.Decoder(Envelope[msgspec.Raw])
_CONTEXT = msgspec.json.Decoder(_Context)
_ACCESS = msgspec.json.Decoder(access.Sent | None)
_USERS = frozenset({"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"})
_UUID = re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
"""A UUID of any version: the requests of a public test kit have version digits that RFC 9562 does not know."""

_MEMBERS = frozenset({"hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization"})
_CONTEXT_MEMBERS = frozenset({"userId", "patientId", "encounterId", "draftOrders", "claim"})
_RESOURCES = {"draftOrders": "draft_orders", "claim": "claim"}


def read_request(service: Service, body: bytes, reader: PrefetchReader[_T]) -> HookRequest:
    """The hook request in a body; raises Refusal (400) with the JSON path of what is wrong."""
    if not body.isascii():
        _refuse_what_is_not_utf8(body)
    envelope, prefetch = _read_envelope(service, body, reader)
    refuse_doubled(body, "", _MEMBERS)
    context = _decoded(_CONTEXT, envelope.context, "context")
    refuse_doubled(envelope.context, "context", _CONTEXT_MEMBERS)
    if envelope.hook not in service.hook.names:
        names = " or ".join(repr(name) for name in service.hook.names)
        raise bad_request("hook", f"service {service.id!r} answers the hook {names}, not this one.", "value")
    authorization = _authorization(envelope)
    resource = _resource(service, context)
    for name, value in (
        ("userId", context.user_id),
        ("patientId", context.patient_id),
        ("encounterId", context.encounter_id),
    ):
        if name in service.hook.required and not value:
            raise bad_request(f"context.{name}", f"the hook {envelope.hook!r} requires it.", "required")
    return HookRequest(
        hook=envelope.hook,
        instance=_instance(envelope.hook_instance),
        user_id=context.user_id,
        patient_id=context.patient_id.removeprefix("Patient/"),
        encounter_id=(context.encounter_id or "").removeprefix("Encounter/"),
        resource=resource,
        prefetch=prefetch,
        fhir_server=envelope.fhir_server or "",
        authorization=authorization,
    )


def _read_envelope(
    service: Service, body: bytes, reader: PrefetchReader[_T]
) -> tuple[Envelope[_T] | Envelope[msgspec.Raw], dict[str, Prefetched]]:
    try:
        envelope = reader.decoder.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return _raw_envelope(service, body)
    sent = envelope.prefetch or {}
    found = {key: reader.told(sent[key], part) if key in sent else NOT_SENT for key, part in service.prefetch.items()}
    if any(type(one) is Present and one.next_page for one in found.values()):
        return _raw_envelope(service, body)  # the pages to come are joined to the first one as text
    return envelope, found


def _raw_envelope(service: Service, body: bytes) -> tuple[Envelope[msgspec.Raw], dict[str, Prefetched]]:
    envelope = _decoded(_ENVELOPE, body, "")
    apart = envelope.prefetch or {}
    return envelope, {key: prefetched(apart.get(key), part) for key, part in service.prefetch.items()}


def _authorization(envelope: Envelope[_T] | Envelope[msgspec.Raw]) -> Authorization | None:
    raw = envelope.fhir_authorization
    if not memoryview(raw).nbytes:
        return None
    sent = _decoded(_ACCESS, raw, "fhirAuthorization")
    if sent is None:
        return None
    if not envelope.fhir_server:
        raise bad_request("fhirServer", "it is required where fhirAuthorization is there.", "required")
    return access.authorization(sent)


def _refuse_what_is_not_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        kind = kind_of(body)
        what = f"it is {kind}" if kind else f"byte {error.start} is none of it"
        raise bad_request("", f"The body is not UTF-8: {what}.", "structure") from None


def _resource(service: Service, context: _Context) -> msgspec.Raw:
    name = service.hook.resource
    if not name:
        return msgspec.Raw()
    raw: msgspec.Raw = getattr(context, _RESOURCES[name])
    text = memoryview(raw).tobytes()
    if not text or text == b"null":
        raise bad_request(f"context.{name}", f"the hook {service.hook.names[0]!r} requires it.", "required")
    if not text.startswith(b"{"):
        raise bad_request(f"context.{name}", "expected a FHIR resource (a JSON object).")
    return raw


def _instance(text: str) -> uuid.UUID:
    if _UUID.fullmatch(text) is None:
        raise bad_request("hookInstance", "expected a UUID, such as one made by uuid4.", "value")
    return uuid.UUID(text[-36:])


def _decoded(decoder: msgspec.json.Decoder[_T], raw: bytes | msgspec.Raw, prefix: str) -> _T:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise not_as_expected(error, prefix) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = kind_of(memoryview(raw).tobytes())
        what = f"it is {kind}; expected JSON in UTF-8" if kind else str(error)
        raise bad_request(prefix, f"the body is not JSON: {what}.", "structure") from None
    except RecursionError:
        raise _too_deep(prefix) from None


def _too_deep(prefix: str) -> Refusal:
    return bad_request(prefix, "the JSON is nested too deeply.", "too-costly")
