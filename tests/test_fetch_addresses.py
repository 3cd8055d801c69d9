"""Where a request may lead: to a listed server at an allowed address, by a checked connection, no further."""

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
from pydantic import ValidationError

from plugin.addresses import base_url, following, may_connect, network
from plugin.settings import Settings
from plugin.web.app import create_app
from tests.command import Run
from tests.exchange import cards
from tests.fhir_stub import CLAIM, FhirStub, fhir_stub, not_checked, withheld

HOST = "fhir.clinic.example"
HERE = "127.0.0.1"


@pytest.fixture
def stub() -> Iterator[FhirStub]:
    with fhir_stub() as running:
        yield running


SAME = {
    "https://fhir.clinic.example/r4": [
        "https://fhir.clinic.example/r4/",
        "https://fhir.clinic.example/r4///",
        "HTTPS://FHIR.Clinic.Example/r4",
        "https://fhir.clinic.example:443/r4",
        "https://fhir.clinic.example./r4",
    ],
    "https://fhir.clinic.example:8443": ["https://fhir.clinic.example:8443/", "https://FHIR.clinic.example:8443"],
    "https://xn--bcher-kva.example/r4": ["https://bücher.example/r4", "https://BÜCHER.example/r4"],
    "https://[2001:db8::1]/r4": ["https://[2001:DB8:0:0::1]/r4", "https://[2001:db8::1]:443/r4/"],
    "http://127.0.0.1:8090/fhir": ["http://127.0.0.1:8090/fhir/", "HTTP://127.0.0.1:8090/fhir"],
    "http://localhost/fhir": ["http://LOCALHOST:80/fhir"],
}


@pytest.mark.parametrize(("base", "text"), [(base, text) for base, every in SAME.items() for text in [base, *every]])
def test_same_server(base: str, text: str) -> None:
    """A base address is the same in every spelling that means the same."""
    assert base_url(text) == base


NOT_BASES = [
    "",
    "nonsense",
    "fhir.clinic.example/r4",
    "//fhir.clinic.example/r4",
    "ftp://fhir.clinic.example",
    "file:///etc/passwd",
    "https://",
    "https:///r4",
    "https://good@evil.example/r4",
    "https://good:secret@evil.example/r4",
    "https://fhir.clinic.example\\@evil.example",
    "https://fhir.clinic.example/r4?x=",
    "https://fhir.clinic.example/r4?",
    "https://fhir.clinic.example/r4#",
    "https://fhir.clinic.example/r4/../admin",
    "https://fhir.clinic.example/r4/%2e%2E/admin",
    "https://fhir.clinic.example:0/",
    "https://fhir.clinic.example:99999/",
    "https://fhir.clinic.example:80a/",
    "https://[bad",
    "https://[fe80::1%25eth0]/",
    "https://2130706433/r4",
    "https://0x7f000001/r4",
    "https://0x7f.1/r4",
    "https://127.1/r4",
    "https://0177.0.0.1/r4",
    "https://①②⑦.0.0.1/r4",
    "https://127。1/r4",
    "https://a..b/r4",
    "https://-a.example/r4",
    "https://ex%61mple.com/r4",
    "https://fhir.clinic.example /r4",
    "https://fhir.clinic.example\n/r4",
    "https://fhir.clinic.example\x00.evil.example",
]


@pytest.mark.parametrize("text", NOT_BASES)
def test_no_base(text: str) -> None:
    """What two readers of addresses could take apart differently is no base address."""
    with pytest.raises(ValueError, match=r"\w"):
        base_url(text)


@pytest.mark.parametrize("text", [*NOT_BASES, "http://127.0.0.1.evil.example/fhir", "http://127.0.0.1:9/fhir"])
def test_only_listed(stub: FhirStub, text: str) -> None:
    """A server that is not listed is not called, however its address is written."""
    listed = create_app(Settings(fhir_servers=[stub.base])).test_client()
    body = withheld(CLAIM, "goals", server=text or " ")
    assert not_checked(cards(listed, body)) == ["goals"]
    assert stub.asked == []


@pytest.mark.parametrize("more", ["", "/", "//"])
def test_listed_in_other_words(stub: FhirStub, more: str) -> None:
    """A listed server is called by its listed address."""
    listed = create_app(Settings(fhir_servers=[stub.base.upper().replace("/FHIR", "/fhir") + "/"])).test_client()
    assert not_checked(cards(listed, withheld(CLAIM, "goals", server=stub.base + more))) == []
    assert stub.asked == ["Goal?patient=test-patient"]


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("Goal?page=2", "https://h.example/r4/Goal?page=2"),
        ("?page=2", "https://h.example/r4?page=2"),
        ("/other/Goal", "https://h.example/other/Goal"),
        ("https://H.example:443/r4?x#y", "https://h.example/r4?x"),
        ("http://h.example/r4", None),
        ("https://h.example.evil.example/r4", None),
        ("https://h.example@evil.example/r4", None),
        ("https://user@h.example/r4", None),
        ("//evil.example", None),
        ("javascript:alert(1)", None),
        ("https://h.example:8443/r4", None),
        ("\\\\evil.example", None),
    ],
)
def test_following(link: str, url: str | None) -> None:
    """A link is followed on the origin of the server only, relative to its base."""
    assert following("https://h.example/r4", link) == url


PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_address(address: str) -> None:
    """A private, local, reserved or multicast address is allowed only where its network is listed."""
    assert not may_connect(address, [])
    assert not may_connect(address, [network("10.200.0.0/16"), network("fd12::/32")])
    assert may_connect(address, [network("0.0.0.0/0"), network("::/0")])


@pytest.mark.parametrize("address", ["8.8.8.8", "193.99.144.80", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_address(address: str) -> None:
    """A public address is allowed without being listed."""
    assert may_connect(address, [])


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


ACCEPTED: dict[str, dict[str, Any]] = {
    "a server of this machine": {"fhir_servers": ["http://127.0.0.1:8090/fhir", "http://localhost/fhir"]},
    "a private address of a listed network": {"fhir_networks": ["10.0.0.0/8"], "fhir_servers": ["https://10.0.0.5/r4"]},
    "a public name": {"fhir_servers": ["https://fhir.clinic.example/r4"]},
    "one address as a network": {"fhir_networks": ["10.0.0.5/32", "fd00::/8"]},
    "little of everything": {"fetch_seconds": 0.1, "fetch_pages": 1, "fetch_bytes": 1000},
}
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "plain http": ("fhir_servers", {"fhir_servers": ["http://fhir.clinic.example/r4"]}),
    "a private address": ("fhir_servers", {"fhir_servers": ["https://10.0.0.5/r4"]}),
    "the address of metadata": ("fhir_servers", {"fhir_servers": ["https://169.254.169.254/r4"]}),
    "plain http inside": ("fhir_servers", {"fhir_networks": ["10.0.0.0/8"], "fhir_servers": ["http://10.0.0.5/r4"]}),
    "a password": ("fhir_servers", {"fhir_servers": ["https://user:secret@fhir.clinic.example/r4"]}),
    "no address": ("fhir_servers", {"fhir_servers": ["fhir.clinic.example"]}),
    "no network": ("fhir_networks", {"fhir_networks": ["10.0.0.0/33"]}),
    "a network with an address in it": ("fhir_networks", {"fhir_networks": ["10.0.0.5/8"]}),
    "words": ("fhir_networks", {"fhir_networks": ["private"]}),
    "no time": ("fetch_seconds", {"fetch_seconds": 0}),
    "no number": ("fetch_seconds", {"fetch_seconds": float("nan")}),
    "no end": ("fetch_seconds", {"fetch_seconds": float("inf")}),
    "no page": ("fetch_pages", {"fetch_pages": 0}),
    "no byte": ("fetch_bytes", {"fetch_bytes": 0}),
    "no file": ("fhir_ca_file", {"fhir_ca_file": "no/such/file.pem"}),
}


@pytest.mark.parametrize("settings", ACCEPTED.values(), ids=ACCEPTED)
def test_settings(settings: dict[str, Any]) -> None:
    """These settings are accepted as they are."""
    read = Settings(**settings)
    assert {name: getattr(read, name) for name in settings} == settings


@pytest.mark.parametrize(("name", "settings"), REFUSED.values(), ids=REFUSED)
def test_wrong_settings(name: str, settings: dict[str, Any]) -> None:
    """These settings are refused by their name, before anything is served."""
    with pytest.raises(ValidationError) as refused:
        Settings(**settings)
    assert {str(one["loc"][0]) for one in refused.value.errors()} == {name}


def test_no_certificates(tmp_path: Path) -> None:
    """A file without certificates is refused as fhir_ca_file."""
    file = tmp_path / "authority.pem"
    file.write_text("-----BEGIN NOTHING-----")
    with pytest.raises(ValidationError):
        Settings(fhir_ca_file=file)


def test_wrong_settings_in_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting ends the command with one line that names the variable."""
    monkeypatch.setenv("VISITCUE_FHIR_SERVERS", '["http://fhir.clinic.example/r4"]')
    assert "VISITCUE_FHIR_SERVERS" in run("serve").one_line()
