"""The pages on EHRs: what they show of trust files is taken, and the caller that they show works."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from werkzeug.serving import make_server

from plugin import trust_file
from plugin.settings import Settings
from plugin.web.app import create_app
from tests import tokens
from tests.builders import Json
from tests.test_serve import free_port
from tests.tokens import DISCOVERY, ISSUER, SERVICE, pair

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "ehr"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
CALLER = re.findall(r"```python\n(.*?)```", PAGES["README.md"], re.DOTALL)[0]
SHOWN = [(name, block) for name, text in PAGES.items() for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL)]
KEY = pair("ES384", "call-1")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that knows the caller by its public key; where it listens."""
    client: Json = {"iss": ISSUER, "keys": [KEY.jwk()]}
    file = tokens.trust_file(tmp_path_factory.mktemp("trust"), client)
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    server = make_server("127.0.0.1", port, create_app(Settings(trust_file=file, public_url=public)), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield public
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The caller of the page, with its private key beside it."""
    folder = tmp_path_factory.mktemp("caller")
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(KEY.private.private_bytes(*pem))
    (folder / "call.py").write_text(CALLER, encoding="utf-8")
    return folder / "call.py"


def call(script: Path, issuer: str, address: str, name: str) -> subprocess.CompletedProcess[str]:
    words = (script.parent / "key.pem", issuer, address, ROOT / "examples" / name)
    return subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=False, timeout=120)


def test_caller_prints_cards(script: Path, address: str) -> None:
    """The caller that the page shows has a faulty claim reviewed, prints its cards, and ends with 1."""
    done = call(script, ISSUER, address + SERVICE, "claim-submit-chiro-faulty.json")
    assert done.returncode == 1, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "critical",
        "critical",
        "warning",
        "warning",
    ]


def test_caller_of_a_clean_claim(script: Path, address: str) -> None:
    """A clean claim prints nothing and ends with 0; a second call of the same file is not taken for a replay."""
    for _ in range(2):
        done = call(script, ISSUER, address + SERVICE, "claim-submit-pt-clean.json")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_caller_who_is_not_known(script: Path, address: str) -> None:
    """A caller that the trust file does not name is refused."""
    done = call(script, "https://stranger.example.org", address + SERVICE, "claim-submit-pt-clean.json")
    assert done.stdout == ""
    assert "401" in done.stderr


@pytest.mark.parametrize(("name", "block"), SHOWN, ids=[name for name, _ in SHOWN])
def test_trust_file_can_be_used(name: str, block: str, tmp_path: Path) -> None:
    """What a page shows of a trust file is one that the service starts with."""
    for keys in re.findall(r'keys_file = "(.*?)"', block):
        (tmp_path / keys).write_text(json.dumps({"keys": [KEY.jwk()]}), encoding="utf-8")
    file = tmp_path / "trust.toml"
    file.write_text(block, encoding="utf-8")
    assert trust_file.load(file) is not None, name


@pytest.mark.parametrize("name", [name for name in PAGES if name != "README.md"])
def test_page_says_where_from(name: str) -> None:
    """A page on an EHR says first what it rests on, and that it was not tried there; the index leads to it."""
    first = PAGES[name].split("\n\n")[1]
    assert first.startswith("From ")
    assert "Not tried with" in first
    assert f"]({name})" in PAGES["README.md"]


def test_index_names_the_services() -> None:
    """The index names every service that discovery lists, with its hook."""
    listed = create_app().test_client().get(DISCOVERY).get_json()["services"]
    assert {one["id"] for one in listed} >= {*re.findall(r"\| `(visitcue-[\w-]+)` \|", PAGES["README.md"])}
    assert [one["id"] for one in listed if f"| `{one['id']}` | `{one['hook']}` |" not in PAGES["README.md"]] == []
