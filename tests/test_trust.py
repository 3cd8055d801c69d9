"""Who may call: every requirement on a client's token, held and broken, on whole exchanges."""

import hmac
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from cds_hooks.trust import Reason, Rejected, Trust, check
from plugin import metrics
from tests import tokens
from tests.builders import Json
from tests.exchange import outcome
from tests.tokens import DISCOVERY, FEEDBACK, GONE, ISSUER, PUBLIC, SERVICE, bearer, pair, token
from tests.visits import CLEAN

OTHER = "https://other.example.org"
BODIES = {
    DISCOVERY: None,
    SERVICE: CLEAN["PT, Medicare"],
    FEEDBACK: {
        "feedback": [
            {
                "card": "0d1f3a52-5b7c-4e0e-9a46-3f1d2c4b5a69",
                "outcome": "overridden",
                "outcomeTimestamp": "2026-03-02T10:00:00Z",
            }
        ]
    },
}
ENDPOINTS = [*BODIES]


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """A service that trusts one client with three keys, and another one for two tenants, with any algorithm."""
    folder = tmp_path_factory.mktemp("trust")
    keys = [pair(alg).jwk() for alg in ("ES384", "RS384", "ES256")]
    strict = {"iss": ISSUER, "keys": keys[:2]}
    wide = {"iss": OTHER, "keys": keys, "tenants": ["north", "south"], "algorithms": ["ES256", "RS256", "ES384"]}
    return tokens.trusting(tokens.trust_file(folder, strict, wide))


def call(client: FlaskClient, path: str, headers: Any) -> TestResponse:
    if BODIES[path] is None:
        return client.get(path, headers=headers)
    return client.post(path, json=BODIES[path], headers=headers)


def reason(answer: TestResponse) -> str:
    """Why a token was not accepted, as the answer says it to programs."""
    assert answer.status_code == 401, answer.get_data(as_text=True)
    assert outcome(answer)["issue"][0]["code"] in ("login", "expired", "security")
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer ")
    found = re.search(r'error="invalid_token", error_description="([a-z-]+)"', challenge)
    return found[1] if found else Reason.MISSING


@pytest.mark.parametrize("alg", ["ES384", "RS384"])
@pytest.mark.parametrize("path", ENDPOINTS)
def test_good_token(trusting: FlaskClient, path: str, alg: str) -> None:
    """A registered client is answered by discovery, service and feedback, with either recommended algorithm."""
    assert call(trusting, path, bearer(token(path, pair(alg)))).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Basic dTpw"}])
def test_no_token(trusting: FlaskClient, path: str, headers: dict[str, str]) -> None:
    """Without a bearer token none of the endpoints answers, and no error in a token is claimed."""
    assert reason(call(trusting, path, headers)) == Reason.MISSING


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/openapi.json"])
def test_open_pages(trusting: FlaskClient, path: str) -> None:
    """What holds nothing of a patient is open: the overview, health, and the description."""
    assert trusting.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/cds-services/no-such-service", "/cds-services/", f"{SERVICE}/feedback/more"])
def test_unknown_paths(trusting: FlaskClient, path: str) -> None:
    """Who is not known is not told which services there are."""
    assert trusting.post(path, json={}).status_code in (401, 404)
    assert SERVICE.rpartition("/")[2] not in trusting.post(path, json={}).get_data(as_text=True)


GOOD: dict[str, Callable[[], dict[str, str]]] = {
    "lower-case scheme": lambda: {"Authorization": f"bearer {token(SERVICE)}"},
    "upper-case scheme, two spaces": lambda: {"Authorization": f"BEARER  {token(SERVICE)}"},
    "list of audiences": lambda: bearer(token(SERVICE, aud=["https://x.example", PUBLIC + SERVICE])),
    "times with fractions": lambda: bearer(token(SERVICE, iat=time.time(), exp=time.time() + 60.5)),
    "iat rounded up": lambda: bearer(token(SERVICE, iat=int(time.time()) + 1)),
    "expired within the leeway": lambda: bearer(token(SERVICE, exp=int(time.time()) - 2)),
    "tenant that nobody asked for": lambda: bearer(token(SERVICE, tenant="anybody")),
    "jku of a client with keys of its own": lambda: bearer(token(SERVICE, header={"jku": "https://x.example/k"})),
    "members that nobody knows": lambda: bearer(token(SERVICE, None, {"x5t": "x"}, sub="x", extra=[{}])),
    "typ in lower case": lambda: bearer(token(SERVICE, header={"typ": "jwt"})),
    "registered tenant": lambda: bearer(token(SERVICE, iss=OTHER, tenant="south")),
    "ES256 where it is allowed": lambda: bearer(token(SERVICE, pair("ES256"), iss=OTHER, tenant="north")),
    "RS256 where it is allowed": lambda: bearer(
        token(SERVICE, pair("RS384")._replace(alg="RS256"), iss=OTHER, tenant="north")
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_accepted(trusting: FlaskClient, name: str) -> None:
    """What the specification leaves open, or what clients are known to do, is accepted."""
    assert call(trusting, SERVICE, GOOD[name]()).status_code == 200


def with_secret(secret: bytes) -> str:
    """A token that is signed with a public key as if it were a shared secret."""
    header = {"typ": "JWT", "alg": "HS384", "kid": pair("RS384").kid}
    start = f"{tokens.encoded(header)}.{tokens.encoded(tokens.claims(SERVICE))}"
    return f"{start}.{tokens.encoded(hmac.digest(secret, start.encode(), 'sha384'))}"


def unsigned(alg: str) -> str:
    header = {"typ": "JWT", "alg": alg, "kid": pair("ES384").kid}
    return f"{tokens.encoded(header)}.{tokens.encoded(tokens.claims(SERVICE))}."


def altered(part: int, text: str) -> str:
    """A good token of which one part was replaced after it was signed."""
    parts = token(SERVICE).split(".")
    parts[part] = text
    return ".".join(parts)


def twice() -> str:
    one = tokens.encoded(json.dumps(tokens.claims(SERVICE)).encode()[:-1] + b', "aud": "https://x.example"}')
    return tokens.signed({"typ": "JWT", "alg": "ES384", "kid": "key-ES384"}, {}, pair("ES384")).replace("e30", one)


BAD: dict[str, tuple[Callable[[], str], Reason]] = {
    "none": (lambda: unsigned("none"), Reason.ALGORITHM),
    "None": (lambda: unsigned("None"), Reason.ALGORITHM),
    "no signature": (lambda: unsigned("ES384"), Reason.SIGNATURE),
    "public key as a secret": (lambda: with_secret(pair("RS384").pem()), Reason.ALGORITHM),
    "ES256 where it is not allowed": (lambda: token(SERVICE, pair("ES256")), Reason.ALGORITHM),
    "RS256 where it is not allowed": (
        lambda: token(SERVICE, pair("RS384")._replace(alg="RS256")),
        Reason.ALGORITHM,
    ),
    "alg that is not the key's": (
        lambda: token(SERVICE, pair("RS384"), {"alg": "ES384"}),
        Reason.ALGORITHM,
    ),
    "alg of another curve": (
        lambda: token(SERVICE, pair("ES256"), {"alg": "ES384"}, iss=OTHER, tenant="north"),
        Reason.ALGORITHM,
    ),
    "another's key": (lambda: token(SERVICE, pair("ES384", "stolen"), {"kid": "key-ES384"}), Reason.SIGNATURE),
    "payload altered": (lambda: altered(1, tokens.encoded(tokens.claims(SERVICE))), Reason.SIGNATURE),
    "signature of other length": (lambda: altered(2, "AAAA"), Reason.SIGNATURE),
    "unknown kid": (lambda: token(SERVICE, header={"kid": "no-such"}), Reason.KEY),
    "unknown issuer": (lambda: token(SERVICE, iss="https://nobody.example"), Reason.ISSUER),
    "issuer with a slash": (lambda: token(SERVICE, iss=f"{ISSUER}/"), Reason.ISSUER),
    "aud with a slash": (lambda: token(SERVICE, aud=f"{PUBLIC}{SERVICE}/"), Reason.AUDIENCE),
    "aud is the base": (lambda: token(SERVICE, aud=PUBLIC), Reason.AUDIENCE),
    "aud of discovery": (lambda: token(DISCOVERY), Reason.AUDIENCE),
    "aud of feedback": (lambda: token(FEEDBACK), Reason.AUDIENCE),
    "aud of another host": (lambda: token(SERVICE, aud=f"https://localhost{SERVICE}"), Reason.AUDIENCE),
    "aud without tls": (lambda: token(SERVICE, aud=f"http://visitcue.example.org{SERVICE}"), Reason.AUDIENCE),
    "empty aud": (lambda: token(SERVICE, aud=[]), Reason.AUDIENCE),
    "expired": (lambda: token(SERVICE, exp=int(time.time()) - 10), Reason.EXPIRED),
    "issued in the future": (lambda: token(SERVICE, iat=int(time.time()) + 30), Reason.EARLY),
    "not before a time to come": (lambda: token(SERVICE, nbf=int(time.time()) + 30), Reason.EARLY),
    "good for a day": (lambda: token(SERVICE, exp=int(time.time()) + 86_400), Reason.LIFETIME),
    "good for ever": (lambda: token(SERVICE, exp=1e300), Reason.LIFETIME),
    "issued long ago": (lambda: token(SERVICE, iat=-1e300), Reason.LIFETIME),
    "tenant that is not registered": (lambda: token(SERVICE, iss=OTHER, tenant="west"), Reason.TENANT),
    "no tenant where some are registered": (lambda: token(SERVICE, iss=OTHER), Reason.TENANT),
    "critical header that nobody knows": (lambda: token(SERVICE, header={"crit": ["x"], "x": 1}), Reason.MALFORMED),
    "detached payload": (lambda: token(SERVICE, header={"crit": ["b64"], "b64": False}), Reason.MALFORMED),
    "typ of another kind": (lambda: token(SERVICE, header={"typ": "at+jwt"}), Reason.MALFORMED),
    "empty jti": (lambda: token(SERVICE, jti=""), Reason.MALFORMED),
    "exp as a text": (lambda: token(SERVICE, exp="2026-01-01"), Reason.MALFORMED),
    "iss as a list": (lambda: token(SERVICE, iss=[ISSUER]), Reason.MALFORMED),
    "aud as an object": (lambda: token(SERVICE, aud={}), Reason.MALFORMED),
    "kid as a number": (lambda: token(SERVICE, header={"kid": 1}), Reason.MALFORMED),
    "alg as a list": (lambda: token(SERVICE, header={"alg": ["ES384"]}), Reason.MALFORMED),
    "later member wins": (twice, Reason.AUDIENCE),
    "payload no JSON": (lambda: altered(1, tokens.encoded(b"\xff{")), Reason.MALFORMED),
    "payload without an end": (lambda: altered(1, tokens.encoded(b'{"x":' + b"[" * 9000)), Reason.MALFORMED),
    "header no JSON": (lambda: altered(0, tokens.encoded(b"hello")), Reason.MALFORMED),
    "payload a list": (lambda: altered(1, tokens.encoded([])), Reason.MALFORMED),
    "not a token": (lambda: "hello", Reason.MALFORMED),
    "empty": (lambda: "", Reason.MALFORMED),
    "two dots": (lambda: "..", Reason.MALFORMED),
    "100 KB": (lambda: token(SERVICE, extra="x" * 100_000), Reason.MALFORMED),
    "not ASCII": (lambda: altered(2, "Zoë"), Reason.MALFORMED),
    "a second one": (lambda: f"{token(SERVICE)},Bearer {token(SERVICE)}", Reason.MALFORMED),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(trusting: FlaskClient, name: str) -> None:
    """A token that breaks a requirement is refused with the reason for it."""
    make, expected = BAD[name]
    assert reason(call(trusting, SERVICE, bearer(make()))) == expected


@pytest.mark.parametrize("member", ["alg", "kid", "typ"])
def test_header_member_missing(trusting: FlaskClient, member: str) -> None:
    """A token without one of the required header members is refused, and the refusal names the member."""
    answer = call(trusting, SERVICE, bearer(token(SERVICE, header={member: GONE})))
    assert reason(answer) == Reason.MALFORMED
    assert f"header.{member}" in outcome(answer)["issue"][0]["diagnostics"]


@pytest.mark.parametrize("member", ["iss", "aud", "exp", "iat", "jti"])
@pytest.mark.parametrize("value", [GONE, None])
def test_claim_missing(trusting: FlaskClient, member: str, value: object) -> None:
    """A token without one of the required claims is refused, and the refusal names the claim."""
    answer = call(trusting, SERVICE, bearer(token(SERVICE, None, None, **{member: value})))
    assert reason(answer) == Reason.MALFORMED
    assert f"payload.{member}" in outcome(answer)["issue"][0]["diagnostics"]


def test_two_headers(trusting: FlaskClient) -> None:
    """Two Authorization headers are refused, also where each of them would do."""
    headers = [("Authorization", f"Bearer {token(SERVICE)}"), ("Authorization", f"Bearer {token(SERVICE)}")]
    assert reason(call(trusting, SERVICE, headers)) == Reason.MALFORMED


@pytest.mark.parametrize("path", ENDPOINTS)
def test_replay(trusting: FlaskClient, path: str) -> None:
    """A token is good for one call."""
    used = bearer(token(path))
    assert call(trusting, path, used).status_code == 200
    assert reason(call(trusting, path, used)) == Reason.REPLAYED


def test_same_jti_of_two_issuers(trusting: FlaskClient) -> None:
    """Two issuers may happen to choose the same jti."""
    assert call(trusting, SERVICE, bearer(token(SERVICE, jti="same"))).status_code == 200
    assert call(trusting, SERVICE, bearer(token(SERVICE, jti="same", iss=OTHER, tenant="north"))).status_code == 200


def test_a_refused_token_is_not_used(trusting: FlaskClient) -> None:
    """Who cannot sign cannot use up a token of somebody else."""
    good = token(SERVICE)
    forged = good.rpartition(".")[0] + "." + token(SERVICE).rpartition(".")[2]
    assert reason(call(trusting, SERVICE, bearer(forged))) == Reason.SIGNATURE
    assert call(trusting, SERVICE, bearer(good)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "host=evil.example;proto=https"},
    ],
)
def test_public_url_alone_counts(trusting: FlaskClient, headers: dict[str, str]) -> None:
    """What a proxy, or a caller, says of the host changes nothing: the public address alone is the audience."""
    assert call(trusting, SERVICE, {**headers, **bearer(token(SERVICE))}).status_code == 200
    elsewhere = token(SERVICE, aud=f"https://evil.example{SERVICE}")
    assert reason(call(trusting, SERVICE, {**headers, "Host": "evil.example", **bearer(elsewhere)})) == Reason.AUDIENCE


def test_own_host_without_public_url(tmp_path: Path) -> None:
    """Without a public address, the address that was called on this machine is the audience."""
    client = tokens.trusting(tokens.trust_file(tmp_path), public_url="")
    good = token(SERVICE, aud=f"http://localhost{SERVICE}")
    assert call(client, SERVICE, bearer(good)).status_code == 200
    assert reason(call(client, SERVICE, bearer(token(SERVICE)))) == Reason.AUDIENCE


def test_public_url_below_a_path(tmp_path: Path) -> None:
    """A public address may have a path, and a slash at its end is of no account."""
    client = tokens.trusting(tokens.trust_file(tmp_path), public_url="https://h.example/cds/")
    assert call(client, SERVICE, bearer(token(SERVICE, aud=f"https://h.example/cds{SERVICE}"))).status_code == 200


def test_leeway_and_lifetime(tmp_path: Path) -> None:
    """How far clocks may differ and how long a token may live are the installation's to say."""
    client = tokens.trusting(tokens.trust_file(tmp_path, leeway_seconds=60, longest_lifetime_seconds=100))
    now = int(time.time())
    assert call(client, SERVICE, bearer(token(SERVICE, iat=now + 50, exp=now + 100))).status_code == 200
    assert reason(call(client, SERVICE, bearer(token(SERVICE)))) == Reason.LIFETIME


def test_refusals_are_logged(trusting: FlaskClient, capfd: pytest.CaptureFixture[str]) -> None:
    """The log has the reason, and the issuer only where it is a registered one; never a part of the token."""
    sent = [token(SERVICE, exp=1), token(SERVICE, iss="https://nobody.example"), token(SERVICE)]
    for one in sent:
        call(trusting, SERVICE, bearer(one))
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    told = [(line["status"], line.get("client"), line.get("reasons")) for line in lines]
    assert told == [(401, ISSUER, ["token-expired"]), (401, None, ["issuer-unknown"]), (200, ISSUER, None)]
    assert not [part for one in sent for part in one.split(".") if part in str(lines)]


def test_refusals_are_counted(trusting: FlaskClient) -> None:
    """Every refusal is counted by its reason."""
    before = _counted(Reason.KEY)
    call(trusting, SERVICE, bearer(token(SERVICE, header={"kid": "no-such"})))
    assert _counted(Reason.KEY) == before + 1


def _counted(of: Reason) -> float:
    found: Any = metrics.TRUST.labels(of)
    value: float = found._value.get()
    return value


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_NAMES = ["alg", "kid", "typ", "jku", "crit", "b64", "iss", "aud", "exp", "iat", "jti", "nbf", "tenant"]
_part = st.binary(max_size=60) | st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=5), _json).map(
    lambda value: json.dumps(value).encode()
)


@given(_part, _part, st.binary(max_size=100))
def test_any_token(header: bytes, payload: bytes, signature: bytes) -> None:
    """Whatever is sent as a token is refused, and nothing else happens."""
    sent = ".".join(tokens.encoded(part) for part in (header, payload, signature))
    with pytest.raises(Rejected):
        check(sent, PUBLIC, time.time(), Trust({}), lambda *_: None, lambda *_: True)


@given(st.text())
def test_any_text(text: str) -> None:
    """Whatever text is sent as a token is refused, and nothing else happens."""
    with pytest.raises(Rejected):
        check(text, PUBLIC, time.time(), Trust({}), lambda *_: None, lambda *_: True)


def test_known_claims(trusting: FlaskClient) -> None:
    """A refusal repeats no value of the token."""
    answer = call(trusting, SERVICE, bearer(token(SERVICE, iss="https://nobody.example", exp="Quixworth")))
    assert "Quixworth" not in answer.get_data(as_text=True)
    body: Json = outcome(answer)
    assert "nobody.example" not in json.dumps(body)
