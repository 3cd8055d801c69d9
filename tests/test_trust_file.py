"""The trust file: read strictly, and what is wrong with it is one sentence with its place."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from cds_hooks.trust import DEFAULT_ALGORITHMS
from plugin.trust_file import TrustFileError, load
from tests import tokens
from tests.builders import Json
from tests.command import Run
from tests.tokens import GONE, ISSUER, pair, trust_file

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "trust.md").read_text(encoding="utf-8")
JKU = "https://ehr.example.org/jwks.json"


def client(**members: object) -> Json:
    """A client as the file lists it, with one key."""
    written = {"iss": ISSUER, "keys": [pair("ES384").jwk()], **members}
    return {name: one for name, one in written.items() if one is not GONE}


def test_example_loads(tmp_path: Path) -> None:
    """The file that docs/trust.md shows loads."""
    example = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    file = tmp_path / "trust.toml"
    file.write_text(example[1])
    for one in tomllib.loads(example[1])["clients"]:
        if "keys_file" in one:
            (tmp_path / one["keys_file"]).write_text(json.dumps({"keys": [pair("RS384").jwk()]}))
    trust = load(file)
    assert len(trust.clients) == 3
    assert {bool(one.jku) for one in trust.clients.values()} == {True, False}


def test_sandbox_is_the_example() -> None:
    """docs/trust.md registers the public CDS Hooks sandbox."""
    assert 'iss = "https://sandbox.cds-hooks.org"' in PAGE


def test_defaults(tmp_path: Path) -> None:
    """What is left out has the defaults: the recommended algorithms, any tenant, five seconds of leeway."""
    trust = load(trust_file(tmp_path, client()))
    one = trust.clients[ISSUER]
    assert (one.algorithms, one.tenants, one.jku) == (DEFAULT_ALGORITHMS, frozenset(), "")
    assert (trust.leeway, trust.longest) == (5, 900)


def test_every_member(tmp_path: Path) -> None:
    """Each member of the file is taken over."""
    written = client(keys=GONE, jku=JKU, algorithms=["ES256", "RS256"], tenants=["a", "b"])
    trust = load(trust_file(tmp_path, written, leeway_seconds=0, longest_lifetime_seconds=60))
    one = trust.clients[ISSUER]
    assert (one.algorithms, one.tenants, one.jku) == (("ES256", "RS256"), frozenset({"a", "b"}), JKU)
    assert (trust.leeway, trust.longest) == (0, 60)


@pytest.mark.parametrize(
    "jku", [JKU, "https://ehr.example.org:8443/k?set=1", "http://127.0.0.1:8000/k", "http://[::1]/k"]
)
def test_addresses_of_keys(tmp_path: Path, jku: str) -> None:
    """Keys come over TLS, or from this machine."""
    assert load(trust_file(tmp_path, client(keys=GONE, jku=jku))).clients[ISSUER].jku == jku


def test_keys_file_beside_the_trust_file(tmp_path: Path) -> None:
    """A file of keys is looked for beside the trust file."""
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [pair("RS384").jwk(), pair("ES384").jwk()]}))
    keys = load(trust_file(tmp_path, client(keys=GONE, keys_file="keys.json"))).clients[ISSUER].keys
    assert set(keys) == {"key-RS384", "key-ES384"}


def small_rsa() -> Json:
    """A modulus of 1024 bits."""
    return {**pair("RS384").jwk(), "n": tokens.encoded(b"\xff" * 128)}


WRONG: dict[str, tuple[list[Json], str]] = {
    "no issuer": ([client(iss=GONE)], "clients[0].iss"),
    "empty issuer": ([client(iss="")], "clients[0].iss"),
    "issuer with a space": ([client(iss="the ehr")], "clients[0].iss"),
    "issuer twice": ([client(), client()], "clients[1].iss"),
    "no keys at all": ([client(keys=GONE)], "clients[0]"),
    "two kinds of keys": ([client(jku=JKU)], "clients[0]"),
    "empty keys": ([client(keys=[])], "clients[0].keys"),
    "unknown member": ([client(jwks=[])], "clients[0]"),
    "none": ([client(algorithms=["ES384", "none"])], "clients[0].algorithms"),
    "symmetric": ([client(algorithms=["HS384"])], "clients[0].algorithms"),
    "no algorithm": ([client(algorithms=[])], "clients[0].algorithms"),
    "algorithm as a text": ([client(algorithms="ES384")], "clients[0].algorithms"),
    "no tenant": ([client(tenants=[])], "clients[0].tenants"),
    "empty tenant": ([client(tenants=[""])], "clients[0].tenants"),
    "jku without tls": ([client(keys=GONE, jku="http://ehr.example.org/k")], "clients[0].jku"),
    "jku of a name that begins like this machine": (
        [client(keys=GONE, jku="http://127.0.0.1.evil.example/k")],
        "clients[0].jku",
    ),
    "jku with a user": ([client(keys=GONE, jku="https://u:p@ehr.example.org/k")], "clients[0].jku"),
    "jku with a fragment": ([client(keys=GONE, jku=f"{JKU}#a")], "clients[0].jku"),
    "jku without a host": ([client(keys=GONE, jku="https:///k")], "clients[0].jku"),
    "jku with a bad port": ([client(keys=GONE, jku="https://ehr.example.org:x/k")], "clients[0].jku"),
    "jku of a file": ([client(keys=GONE, jku="file:///etc/passwd")], "clients[0].jku"),
    "jku with a line break": ([client(keys=GONE, jku="https://ehr.example.org/\nk")], "clients[0].jku"),
    "key without kid": ([client(keys=[pair("ES384").jwk(kid=GONE)])], "clients[0].keys[0]"),
    "kid twice": ([client(keys=[pair("ES384").jwk()] * 2)], "clients[0].keys[1]"),
    "private key": ([client(keys=[pair("ES384").jwk(d="AAAA")])], "clients[0].keys[0]"),
    "shared secret": ([client(keys=[{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}])], "clients[0].keys[0]"),
    "key for encryption": ([client(keys=[pair("RS384").jwk(use="enc")])], "clients[0].keys[0]"),
    "key that may only sign": ([client(keys=[pair("RS384").jwk(key_ops=["sign"])])], "clients[0].keys[0]"),
    "key of another algorithm": ([client(keys=[pair("RS384").jwk(alg="PS384")])], "clients[0].keys[0]"),
    "curve that alg does not fit": ([client(keys=[pair("ES256").jwk(alg="ES384")])], "clients[0].keys[0]"),
    "key that no allowed algorithm fits": ([client(keys=[pair("ES256").jwk()])], "clients[0].keys[0]"),
    "point that is not on the curve": (
        [client(keys=[pair("ES384").jwk(x=tokens.encoded(b"\x01" * 48))])],
        "clients[0].keys[0]",
    ),
    "small RSA key": ([client(keys=[small_rsa()])], "clients[0].keys[0]"),
    "no such keys file": ([client(keys=GONE, keys_file="none.json")], "clients[0].keys_file"),
    "keys file that holds none": ([client(keys=GONE, keys_file="trust.toml")], "clients[0].keys_file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_client(tmp_path: Path, name: str) -> None:
    """A client that is not as it must be does not load, and the file and the place are named."""
    clients, place = WRONG[name]
    file = trust_file(tmp_path, *clients)
    with pytest.raises(TrustFileError) as told:
        load(file)
    assert str(told.value).startswith(f"{file}: {place}")


@pytest.mark.parametrize(
    "members",
    [
        {"leeway_seconds": 61},
        {"leeway_seconds": -1},
        {"longest_lifetime_seconds": 0},
        {"leeway": 5},
        {"leeway_seconds": "5"},
    ],
)
def test_wrong_member(tmp_path: Path, members: Json) -> None:
    """A setting of the file that is out of its bounds, or that there is not, does not load."""
    with pytest.raises(TrustFileError):
        load(trust_file(tmp_path, client(), **members))


@pytest.mark.parametrize("text", ["", "clients = []", "clients = [", "\x00", "clients = 1"])
def test_no_clients(tmp_path: Path, text: str) -> None:
    """A file without clients does not load."""
    file = tmp_path / "trust.toml"
    file.write_text(text)
    with pytest.raises(TrustFileError):
        load(file)


def test_start_with_a_bad_file(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A service whose trust file is wrong or missing does not start, and says so in one line."""
    monkeypatch.setenv("VISITCUE_TRUST_FILE", str(tmp_path / "missing.toml"))
    assert "missing.toml" in run("serve", "--port", "1").one_line()
    monkeypatch.setenv("VISITCUE_TRUST_FILE", str(trust_file(tmp_path, client(iss=""))))
    assert "clients[0].iss" in run("serve", "--port", "1").one_line()
