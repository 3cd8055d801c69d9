"""Connections to a listed name: to the address that was checked, under a certificate that was, and to no other."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests.exchange import cards
from tests.fhir_stub import CLAIM, FhirStub, fhir_stub, not_checked, withheld

HOST = "fhir.clinic.example"
HERE = "127.0.0.1"


class Certificates:
    """An authority of its own, and a server's certificate for HOST."""

    def __init__(self, folder: Path) -> None:
        self.authority = folder / "authority.pem"
        self.chain = folder / "server.pem"
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
        now = dt.datetime.now(dt.UTC)
        base = x509.CertificateBuilder().issuer_name(name).not_valid_before(now - dt.timedelta(days=1))
        base = base.not_valid_after(now + dt.timedelta(days=2))
        authority = (
            base.subject_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(), critical=True)
            .sign(key, hashes.SHA256())
        )
        own = ec.generate_private_key(ec.SECP256R1())
        server = (
            base.subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)]))
            .public_key(own.public_key())
            .serial_number(2)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        self.authority.write_bytes(authority.public_bytes(pem))
        private = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        self.chain.write_bytes(server.public_bytes(pem) + private)


def _usage() -> x509.KeyUsage:
    signs = {"key_cert_sign": True, "crl_sign": True}
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return x509.KeyUsage(**dict.fromkeys((*every, "encipher_only", "decipher_only"), False), **signs)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure(certificates: Certificates) -> Iterator[FhirStub]:
    """A server that speaks TLS under the name of HOST."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain)
    with fhir_stub(tls=context) as running:
        running.base = running.base.replace(f"http://{HERE}", f"https://{HOST}")
        yield running


class Names:
    """What the name of HOST is answered with, one look-up after the other; the last answer stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers = [HERE]
        self.asked = 0
        real = socket.getaddrinfo

        def looked_up(host: Any, *rest: Any, **more: Any) -> Any:
            if host != HOST:
                return real(host, *rest, **more)
            self.asked += 1
            return real(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0], *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", looked_up)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    return Names(monkeypatch)


def installed(stub: FhirStub, *networks: str, ca_file: Path | None = None) -> FlaskClient:
    settings = Settings(fhir_networks=list(networks), fhir_servers=[stub.base], fhir_ca_file=ca_file, fetch_seconds=20)
    return create_app(settings).test_client()


def test_private_name(secure: FhirStub, names: Names, certificates: Certificates) -> None:
    """A listed name that leads to a private address is not connected to, unless its network is listed."""
    body = withheld(CLAIM, "goals", server=secure.base)
    assert not_checked(cards(installed(secure, ca_file=certificates.authority), body)) == ["goals"]
    assert (secure.connected, names.asked) == (0, 1)
    inside = installed(secure, "127.0.0.0/8", ca_file=certificates.authority)
    assert not_checked(cards(inside, body)) == []
    assert secure.asked == ["Goal?patient=test-patient"]


def test_rebound_name(secure: FhirStub, names: Names, certificates: Certificates) -> None:
    """The address that was checked is the one that is connected to: a name is looked up once for a connection."""
    names.answers = [HERE, "10.255.255.1"]
    listed = installed(secure, "127.0.0.0/8", ca_file=certificates.authority)
    assert not_checked(cards(listed, withheld(CLAIM, "goals", server=secure.base))) == []
    assert names.asked == 1


@pytest.mark.usefixtures("names")
def test_unknown_authority(secure: FhirStub) -> None:
    """A certificate of an authority that is not known is not accepted, and the token is not sent."""
    listed = installed(secure, "127.0.0.0/8")
    assert not_checked(cards(listed, withheld(CLAIM, "goals", server=secure.base))) == ["goals"]
    assert secure.asked == []


def test_certificate_of_another_name(secure: FhirStub, certificates: Certificates) -> None:
    """A certificate of another name is not accepted, though its authority is known."""
    secure.base = secure.base.replace(HOST, "localhost")
    listed = installed(secure, ca_file=certificates.authority)
    assert not_checked(cards(listed, withheld(CLAIM, "goals", server=secure.base))) == ["goals"]
    assert secure.asked == []


@pytest.mark.usefixtures("names")
def test_tls_connection_is_kept(secure: FhirStub, certificates: Certificates) -> None:
    """One connection serves one query after the other."""
    listed = installed(secure, "127.0.0.0/8", ca_file=certificates.authority)
    for _ in range(4):
        assert not_checked(cards(listed, withheld(CLAIM, "goals", server=secure.base))) == []
    assert secure.connected == 1


def test_silent_handshake(names: Names) -> None:
    """A server that takes the connection and says nothing costs the deadline and no more."""
    with socket.create_server((HERE, 0)) as silent:
        base = f"https://{HOST}:{silent.getsockname()[1]}/fhir"
        listed = create_app(
            Settings(fhir_networks=[f"{HERE}/32"], fhir_servers=[base], fetch_seconds=0.3)
        ).test_client()
        assert not_checked(cards(listed, withheld(CLAIM, "goals", server=base))) == ["goals"]
    assert names.asked == 1
