"""The members of a hook request beside its data: what is required, what is read kindly, and what is ignored."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_hooks.prefetch import resolve
from cds_hooks.request import HookRequest, read_request
from plugin.prefetch_reading import RAW
from plugin.services import services
from plugin.settings import Settings
from tests.builders import (
    CLAIM_SUBMIT,
    INSTANCE,
    Json,
    changed,
    claim_request,
    discharge_request,
    order,
    order_request,
    text,
)
from tests.exchange import cards, expressions, outcome, send
from tests.visits import chiro

CLAIM = chiro("59", "GP")
SERVER = "https://fhir.clinic.example/r4"
TOKEN = "tok-5b0e77c2-very-secret"
ACCESS = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs", "subject": "visitcue"}


def authorized(**more: Any) -> Json:
    """A request with an access; an element that is given as "absent" is left out."""
    access = {key: value for key, value in {**ACCESS, **more}.items() if value != "absent"}
    return {**CLAIM, "fhirServer": SERVER, "fhirAuthorization": access}


def read(body: Json) -> HookRequest:
    """The request as the protocol's reader gives it."""
    hook = next(one for one in services(Settings()) if one.service.id == CLAIM_SUBMIT)
    return read_request(hook.service, text(body), RAW)


INSTANCES = {
    "version 4": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "version 7": "01890a5d-ac96-774b-bcce-b302099a8057",
    "no known version": "77adc69d-dfbe-f4ad-0a6d-3e05e953b2ea",
    "all zero": "00000000-0000-0000-0000-000000000000",
    "upper case": "D1577C69-DFBE-44AD-BA6D-3E05E953B2EA",
    "urn": "urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "urn in upper case": "URN:UUID:D1577C69-DFBE-44AD-BA6D-3E05E953B2EA",
}
NO_INSTANCES = {
    "empty": "",
    "a digit short": "d1577c69-dfbe-44ad-ba6d-3e05e953b2e",
    "no hexadecimal": "d1577c69-dfbe-44ad-ba6d-3e05e953b2vz",
    "grouped otherwise": "d1577c69d-fbe-44ad-ba6d-3e05e953b2ea",
    "two urns": "urn:uuid:urn:uuid:d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "another urn": "urn:oid:1.2.3",
    "Arabic digits": "\u0661\u0661577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "with a line break": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea\n",
    "underscores": "d1577_69-dfbe-44ad-ba6d-3e05e953b2ea",
}


@pytest.mark.parametrize("instance", INSTANCES.values(), ids=INSTANCES)
def test_instance(client: FlaskClient, instance: str) -> None:
    """A hookInstance is a UUID of any version, in any case, with or without urn:uuid:."""
    assert cards(client, changed(CLAIM, "hookInstance", to=instance)) == []


@pytest.mark.parametrize("instance", NO_INSTANCES.values(), ids=NO_INSTANCES)
def test_no_instance(client: FlaskClient, instance: str) -> None:
    """What is no UUID is refused as hookInstance."""
    answer = send(client, changed(CLAIM, "hookInstance", to=instance))
    assert (answer.status_code, expressions(answer)) == (400, ["hookInstance"])


def test_instance_in_other_words(client: FlaskClient) -> None:
    """One instance in two spellings gives the same cards."""
    body = chiro("59")
    assert len({send(client, changed(body, "hookInstance", to=one)).data for one in (INSTANCE, INSTANCE.upper())}) == 1


KIND_ACCESS: dict[str, Json] = {
    "as it should be": {},
    "bearer in lower case": {"token_type": "bearer"},
    "BEARER in upper case": {"token_type": "BEARER"},
    "no token_type": {"token_type": "absent"},
    "token_type null": {"token_type": None},
    "no expires_in": {"expires_in": "absent"},
    "expires_in null": {"expires_in": None},
    "expires_in text": {"expires_in": "300"},
    "expires_in a fraction": {"expires_in": 299.5},
    "expires_in over": {"expires_in": 0},
    "no scope": {"scope": "absent"},
    "no subject": {"subject": "absent"},
    "the patient": {"patient": "test-patient"},
    "unknown elements": {"id_token": {"deep": [1]}, "refresh": 7},
}


@pytest.mark.parametrize("more", KIND_ACCESS.values(), ids=KIND_ACCESS)
def test_access_is_read_kindly(client: FlaskClient, more: Json) -> None:
    """The tokens of real servers are read, whatever they leave out."""
    assert cards(client, authorized(**more)) == []


WRONG_ACCESS: dict[str, tuple[Json, str]] = {
    "no token": ({"access_token": "absent"}, "access_token"),
    "token null": ({"access_token": None}, "access_token"),
    "another kind of token": ({"token_type": "DPoP"}, "token_type"),
    "kind a number": ({"token_type": 7}, "token_type"),
    "expires_in words": ({"expires_in": "soon"}, "expires_in"),
    "expires_in true": ({"expires_in": True}, "expires_in"),
    "expires_in NaN": ({"expires_in": "nan"}, "expires_in"),
    "scope a list": ({"scope": ["user/*.rs"]}, "scope"),
    "patient a reference": ({"patient": {"reference": "Patient/p"}}, "patient"),
}


@pytest.mark.parametrize(("more", "element"), WRONG_ACCESS.values(), ids=WRONG_ACCESS)
def test_wrong_access(client: FlaskClient, more: Json, element: str) -> None:
    """An access that breaks the protocol is refused with the element, and its token is not repeated."""
    answer = send(client, authorized(**more))
    assert (answer.status_code, expressions(answer)) == (400, [f"fhirAuthorization.{element}"])
    assert TOKEN not in answer.get_data(as_text=True)


@pytest.mark.parametrize("server", ["absent", None, ""])
def test_access_without_a_server(client: FlaskClient, server: str | None) -> None:
    """An access to no server is refused, and the refusal names the server."""
    body = {**authorized(), "fhirServer": server}
    if server == "absent":
        del body["fhirServer"]
    answer = send(client, body)
    assert (answer.status_code, expressions(answer)) == (400, ["fhirServer"])
    assert outcome(answer)["issue"][0]["code"] == "required"


@pytest.mark.parametrize("server", [SERVER, None])
@pytest.mark.parametrize("access", ["absent", None])
def test_server_without_access(client: FlaskClient, server: str | None, access: str | None) -> None:
    """A server may come without an access, and neither need come at all."""
    body = {**CLAIM, "fhirServer": server, "fhirAuthorization": access}
    if access == "absent":
        del body["fhirAuthorization"]
    assert cards(client, body) == []


@pytest.mark.parametrize("user", ["Practitioner/u", "PractitionerRole/u", "Patient/u", "RelatedPerson/u", "u"])
def test_user(client: FlaskClient, user: str) -> None:
    """Whoever the user is, the request is answered."""
    assert cards(client, changed(CLAIM, "context", "userId", to=user)) == []


@pytest.mark.parametrize("kind", ["Practitioner", "PractitionerRole", "Patient", "RelatedPerson"])
def test_user_tokens(kind: str) -> None:
    """The user's id has a value under the token of the user's type, and under no other."""
    tokens = read(changed(CLAIM, "context", "userId", to=f"{kind}/u-7")).tokens
    kinds = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
    found = {one: resolve(f"{one}/{{{{user{one}Id}}}}", tokens) for one in kinds}
    assert found == {**dict.fromkeys(kinds), kind: f"{kind}/u-7"}


NO_VALUE = ["{{userId}}", "{{context.nobody}}", "{{userGroupId}}", "{{ context.draftOrders }}", "{{today()}}", "{{}}"]


@pytest.mark.parametrize("template", NO_VALUE)
def test_token_without_a_value(template: str) -> None:
    """A token that has no value leaves the template without a query."""
    assert resolve(f"Patient/{template}", read(CLAIM).tokens) is None


@pytest.mark.parametrize("name", [".", "..", "...", ""])
def test_id_of_dots(name: str) -> None:
    """An id of dots would be a step in an address, and gives no query."""
    tokens = read(changed(CLAIM, "context", "encounterId", to=name)).tokens
    assert resolve("Encounter/{{context.encounterId}}", tokens) is None
    assert resolve("Patient/{{ context.patientId }}", tokens) == "Patient/test-patient"


@pytest.mark.parametrize("body", [CLAIM, order_request(order("o-1", "97110", 1))], ids=["claim", "order"])
@pytest.mark.parametrize("encounter", [None, "absent", "test-visit", "Encounter/test-visit"])
def test_encounter_is_optional(client: FlaskClient, body: Json, encounter: str | None) -> None:
    """order-sign and claim-submit work without an encounter, and with its id in either form."""
    sent = changed(body, "context", "encounterId", to=encounter)
    if encounter == "absent":
        del sent["context"]["encounterId"]
    assert send(client, sent).status_code == 200


@pytest.mark.parametrize("prefetch", [None, {}, "absent"])
def test_prefetch_is_optional(client: FlaskClient, prefetch: Json | str | None) -> None:
    """A request without prefetch is one whose keys were not sent."""
    body = {**claim_request({"resourceType": "Claim", "item": []}), "prefetch": prefetch}
    if prefetch == "absent":
        del body["prefetch"]
    assert cards(client, body) == []


def test_wrapped_extension(client: FlaskClient) -> None:
    """Extensions and unknown members are passed over at every level of the envelope."""
    strange: Json = {"com.example.ehr": {"deep": [{"x": None}]}}
    body = {**authorized(extension=strange), "extension": strange, "unknown": [strange]}
    body["context"] = {**body["context"], "extension": strange, "selections": ["ServiceRequest/1"]}
    body["prefetch"] = {**body["prefetch"], "patient": {"resourceType": "Patient"}, "vendor": 7}
    assert cards(client, body) == []
    assert send(client, {**discharge_request(), "extension": strange}).status_code == 200
