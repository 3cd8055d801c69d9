"""Clients to test trust with: their keys, made anew in each run, and the tokens that they sign."""

import base64
import functools
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.builders import CLAIM_SUBMIT, Json

ISSUER = "https://ehr.example.org"
PUBLIC = "https://visitcue.example.org"
DISCOVERY = "/cds-services"
SERVICE = f"/cds-services/{CLAIM_SUBMIT}"
FEEDBACK = f"{SERVICE}/feedback"
GONE = object()
"""In place of a member's value: the member is left out."""


class Pair(NamedTuple):
    """A private key, its id, and the algorithm that it signs with."""

    kid: str
    alg: str
    private: Any

    def jwk(self, **changes: object) -> Json:
        """The public key as a client publishes it."""
        algorithm = jwt.get_algorithm_by_name(self.alg)
        written: Json = json.loads(algorithm.to_jwk(self.private.public_key()))
        return _changed({**written, "kid": self.kid, "use": "sig"}, changes)

    def pem(self) -> bytes:
        """The public key as text, which a careless service would take for a shared secret."""
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        pem: bytes = self.private.public_key().public_bytes(serialization.Encoding.PEM, kind)
        return pem


@functools.cache
def pair(alg: str, kid: str = "") -> Pair:
    """A new key for an algorithm; the same one for the same name."""
    made: Any
    if alg.startswith("RS"):
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        made = ec.generate_private_key(ec.SECP384R1() if alg == "ES384" else ec.SECP256R1())
    return Pair(kid or f"key-{alg}", alg, made)


def claims(path: str, **changes: object) -> Json:
    """The payload of a token for a path of the service, good for five minutes."""
    now = int(time.time())
    written = {"iss": ISSUER, "aud": PUBLIC + path, "iat": now, "exp": now + 300, "jti": secrets.token_hex(16)}
    return _changed(written, changes)


def token(path: str, by: Pair | None = None, header: Mapping[str, object] | None = None, **changes: object) -> str:
    """A signed token for a path; `header` and the other names replace members of its header and payload."""
    by = by or pair("ES384")
    whole = _changed({"typ": "JWT", "alg": by.alg, "kid": by.kid}, header or {})
    return signed(whole, claims(path, **changes), by)


def signed(header: Json, payload: object, by: Pair) -> str:
    """Any header over any payload, signed with the key's own algorithm, whatever the header says."""
    start = f"{encoded(header)}.{encoded(payload)}"
    signature = jwt.get_algorithm_by_name(by.alg).sign(start.encode(), by.private)
    return f"{start}.{encoded(signature)}"


def encoded(part: object) -> str:
    """A part of a token: base64url without padding."""
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def trust_file(folder: Path, *clients: Json, **members: object) -> Path:
    """A trust file with these clients; by default one, with a key for each algorithm that is on by default."""
    listed = clients or ({"iss": ISSUER, "keys": [pair(alg).jwk() for alg in ("ES384", "RS384")]},)
    file = folder / "trust.toml"
    file.write_text(_toml({**members, "clients": list(listed)}))
    return file


def trusting(file: Path, **settings: Any) -> FlaskClient:
    """A client of an application with this trust file, known outside as PUBLIC."""
    return create_app(Settings(**{"trust_file": file, "public_url": PUBLIC, **settings})).test_client()


def _toml(members: Mapping[str, object]) -> str:
    return "".join(f"{name} = {_value(one)}\n" for name, one in members.items())


def _value(one: object) -> str:
    if isinstance(one, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_value(part)}" for name, part in one.items()) + "}"
    if isinstance(one, list):
        return "[" + ", ".join(_value(part) for part in one) + "]"
    return json.dumps(one)


def _changed(written: Json, changes: Mapping[str, object]) -> Json:
    return {name: one for name, one in {**written, **changes}.items() if one is not GONE}
