"""Whether a call comes from a trusted client: its JSON Web Token (CDS Hooks 2.0.1, section Trusting CDS Clients).

Everything that is needed is handed in: the time, the trusted clients, where keys come from, and whether a token was
used before. What costs nothing is checked before the signature; a token is noted as used only after it.

Rejected            the token is not accepted; carries a reason from a closed list and a sentence
UnusableKeyError    a key cannot be used to check signatures; says why
"""

import datetime as dt
import enum
from collections.abc import Callable, Mapping
from typing import Any

import jwt
import msgspec

from cds_hooks.outcome import not_as_expected

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
"""Every algorithm that may be configured. `none` and symmetric ones are not among them, as CDS Hooks asks."""

DEFAULT_ALGORITHMS = ("ES384", "RS384")
"""The two that CDS Hooks recommends."""

LONGEST_TOKEN = 16_384
MOST_KEYS = 100
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192

_FITTING: dict[tuple[object, object], tuple[str, ...]] = {
    ("RSA", None): ("RS384", "RS256"),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-256"): ("ES256",),
}
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}
_JWS = jwt.PyJWS(algorithms=ALGORITHMS)
_UNVERIFIED: jwt.types.SigOptions = {"verify_signature": False}


class Reason(enum.StrEnum):
    """Why a token is not accepted."""

    MISSING = "token-missing"
    MALFORMED = "token-malformed"
    ALGORITHM = "algorithm-refused"
    ISSUER = "issuer-unknown"
    JKU = "jku-differs"
    AUDIENCE = "audience-differs"
    EXPIRED = "token-expired"
    EARLY = "token-early"
    LIFETIME = "lifetime-too-long"
    KEY = "key-unknown"
    SIGNATURE = "signature-invalid"
    TENANT = "tenant-unknown"
    REPLAYED = "token-replayed"


class Rejected(Exception):
    """The token is not accepted. `issuer` is that of a configured client, as far as one was named, else ""."""

    def __init__(self, reason: Reason, words: str, issuer: str = "") -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.issuer = issuer


class UnusableKeyError(Exception):
    """A JSON Web Key cannot be used here; the message says what was expected."""


class Key(msgspec.Struct, frozen=True):
    """A public key, taken apart once, and the algorithms that it fits."""

    kid: str
    algorithms: tuple[str, ...]
    public: Any


class Client(msgspec.Struct, frozen=True):
    """A client that is trusted. Its keys are either `keys`, by their kid, or behind the address `jku`.

    `tenants` are those that may call; an empty set allows all, and none.
    """

    issuer: str
    jku: str = ""
    keys: Mapping[str, Key] = {}
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    tenants: frozenset[str] = frozenset()


class Trust(msgspec.Struct, frozen=True):
    """The trusted clients by their issuer, how far clocks may differ, and how long a token may live, in seconds."""

    clients: Mapping[str, Client]
    leeway: float = 5
    longest: float = 900


class Caller(msgspec.Struct, frozen=True):
    """Who calls: the issuer of the token, and the tenant that it names ("" where it names none)."""

    issuer: str
    tenant: str = ""


class _Header(msgspec.Struct):
    alg: str
    kid: str
    typ: str
    jku: str = ""


class _Claims(msgspec.Struct):
    iss: str
    aud: str | list[str]
    exp: float
    iat: float
    jti: str
    nbf: float = 0
    tenant: str = ""


def check(
    token: str,
    audience: str,
    now: float,
    trust: Trust,
    key_of: Callable[[Client, str], Key | None],
    first_seen: Callable[[str, str, dt.datetime], bool],
) -> Caller:
    """Who sent this token to the URL `audience` at `now` (seconds since 1970); raises Rejected.

    `key_of` gives the key of a client with a kid. `first_seen` notes an issuer, a token's id and when the token ends,
    and says whether that was the first time. What these two raise passes through.
    """
    header, claims, signature = _taken_apart(token)
    client = _client(header, claims, trust)
    _check_audience(claims, audience)
    _check_times(claims, now, trust)
    _check_signature(token, signature, header, key_of(client, header.kid), client)
    if client.tenants and claims.tenant not in client.tenants:
        raise Rejected(Reason.TENANT, "The token's `tenant` is not one of those registered for its issuer.", claims.iss)
    until = dt.datetime.fromtimestamp(claims.exp + trust.leeway, dt.UTC)
    if not first_seen(claims.iss, claims.jti, until):
        raise Rejected(Reason.REPLAYED, "The token was used before: each call needs one with a new `jti`.", claims.iss)
    return Caller(claims.iss, claims.tenant)


def names_client(token: str, trust: Trust) -> bool:
    """Whether a token claims to be of a trusted client, by all that costs nothing to look at. It proves nothing.

    What this says no to, `check` rejects.
    """
    try:
        header, claims, _ = _taken_apart(token)
        _client(header, claims, trust)
    except Rejected:
        return False
    return True


def _taken_apart(token: str) -> tuple[_Header, _Claims, bytes]:
    if len(token) > LONGEST_TOKEN:
        raise Rejected(Reason.MALFORMED, f"The token is longer than {LONGEST_TOKEN} characters.")
    try:
        parts = _JWS.decode_complete(token, options=_UNVERIFIED)
    except (jwt.PyJWTError, UnicodeError):
        raise Rejected(Reason.MALFORMED, "The token is not a signed JSON Web Token in compact form.") from None
    try:
        header = msgspec.convert(parts["header"], _Header)
    except msgspec.ValidationError as error:
        raise _member(error, "header") from None
    try:
        claims = msgspec.json.decode(parts["payload"], type=_Claims)
    except msgspec.ValidationError as error:
        raise _member(error, "payload") from None
    except (ValueError, RecursionError):
        raise Rejected(Reason.MALFORMED, "The token's payload is not JSON.") from None
    if header.typ.upper() != "JWT":
        raise Rejected(Reason.MALFORMED, "The token's header: `typ` must be JWT.")
    if not claims.jti:
        raise Rejected(Reason.MALFORMED, "The token's payload: `jti` must not be empty.")
    return header, claims, parts["signature"]


def _member(error: msgspec.ValidationError, part: str) -> Rejected:
    (issue,) = not_as_expected(error, part).issues
    return Rejected(Reason.MALFORMED, f"The token's {issue.diagnostics}")


def _client(header: _Header, claims: _Claims, trust: Trust) -> Client:
    if header.alg not in ALGORITHMS:
        raise Rejected(Reason.ALGORITHM, f"The token's `alg` must be one of {', '.join(DEFAULT_ALGORITHMS)}.")
    client = trust.clients.get(claims.iss)
    if client is None:
        raise Rejected(Reason.ISSUER, "The token's `iss` is not registered with this service.")
    if header.alg not in client.algorithms:
        allowed = ", ".join(client.algorithms)
        raise Rejected(Reason.ALGORITHM, f"The token's `alg` must be one of {allowed} for this issuer.", client.issuer)
    if header.jku and client.jku and header.jku != client.jku:
        raise Rejected(Reason.JKU, "The token's `jku` is not the address registered for its issuer.", client.issuer)
    return client


def _check_audience(claims: _Claims, audience: str) -> None:
    if audience not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
        words = "The token's `aud` must be, or list, the exact URL that is called, as this service is known outside."
        raise Rejected(Reason.AUDIENCE, words, claims.iss)


def _check_times(claims: _Claims, now: float, trust: Trust) -> None:
    if claims.exp <= now - trust.leeway:
        raise Rejected(Reason.EXPIRED, "The token's `exp` is in the past.", claims.iss)
    if max(claims.iat, claims.nbf) > now + trust.leeway:
        words = "The token's `iat` or `nbf` is in the future: the clocks of client and service differ."
        raise Rejected(Reason.EARLY, words, claims.iss)
    if claims.exp - claims.iat > trust.longest:
        words = f"The token's `exp` is more than {trust.longest:g} seconds after its `iat`."
        raise Rejected(Reason.LIFETIME, words, claims.iss)


def _check_signature(token: str, signature: bytes, header: _Header, key: Key | None, client: Client) -> None:
    if key is None:
        words = "The token's `kid` is not among the keys of its issuer."
        raise Rejected(Reason.KEY, words, client.issuer)
    if header.alg not in key.algorithms:
        words = "The token's `alg` does not fit the key that its `kid` names."
        raise Rejected(Reason.ALGORITHM, words, client.issuer)
    signed = token.rpartition(".")[0].encode()
    if not _JWS.get_algorithm_by_name(header.alg).verify(signed, key.public, signature):
        raise Rejected(Reason.SIGNATURE, "The token's signature is not that of the key its `kid` names.", client.issuer)


def read_key(jwk: Mapping[str, Any]) -> Key:
    """A JSON Web Key (RFC 7517) taken apart; raises UnusableKeyError."""
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not kid:
        raise UnusableKeyError("`kid` is required, and must be a string that is not empty")
    if _PRIVATE & jwk.keys():
        raise UnusableKeyError("it holds a secret part; only the public part of a key belongs here")
    operations = jwk.get("key_ops")
    if jwk.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
        raise UnusableKeyError("it is not for checking signatures (`use` or `key_ops`)")
    kind = (jwk.get("kty"), jwk.get("crv"))
    fitting = _FITTING.get(kind, ()) if all(isinstance(one, str | None) for one in kind) else ()
    if "alg" in jwk:
        fitting = tuple(one for one in fitting if one == jwk["alg"])
    if not fitting:
        raise UnusableKeyError(
            f"expected a key for {', '.join(ALGORITHMS)}: `kty` RSA, or EC with `crv` P-384 or P-256"
        )
    try:
        public = jwt.PyJWK(dict(jwk), fitting[0]).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError):
        raise UnusableKeyError("its numbers are not those of a public key") from None
    if fitting[0].startswith("RS") and not LEAST_RSA_BITS <= public.key_size <= MOST_RSA_BITS:
        raise UnusableKeyError(f"an RSA key must have {LEAST_RSA_BITS} to {MOST_RSA_BITS} bits")
    return Key(kid, fitting, public)


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def read_jwks(body: bytes) -> list[dict[str, Any]]:
    """The keys of a JSON Web Key Set, not yet taken apart; raises UnusableKeyError where it is none."""
    try:
        keys = msgspec.json.decode(body, type=_KeySet).keys
    except (ValueError, RecursionError):
        raise UnusableKeyError('expected a JSON Web Key Set: {"keys": [...]}') from None
    if len(keys) > MOST_KEYS:
        raise UnusableKeyError(f"it holds more than {MOST_KEYS} keys")
    return keys


def usable(keys: list[dict[str, Any]]) -> dict[str, Key]:
    """The keys of a published set that can be used here, by their kid; others in it serve other purposes."""
    found: dict[str, Key] = {}
    for jwk in keys:
        try:
            key = read_key(jwk)
        except UnusableKeyError:
            continue
        found.setdefault(key.kid, key)
    return found
