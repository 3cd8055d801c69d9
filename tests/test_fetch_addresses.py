"""Where a request may lead: to a listed server at an allowed address, by a checked connection, no further."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from plugin.addresses import base_url, following, may_connect, network
from plugin.settings import Settings
from plugin.web.app import create_app
from tests.command import Run
from tests.exchange import cards
from tests.fhir_stub import CLAIM, FhirStub, fhir_stub, not_checked, withheld

HOST = "fhir.clinic.example"


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
