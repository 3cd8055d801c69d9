"""A service without a trust file: open on its own machine, closed to all others unless it is told to be open."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from plugin.settings import Settings
from plugin.web.app import create_app
from tests import tokens
from tests.command import Run
from tests.exchange import outcome
from tests.tokens import DISCOVERY, FEEDBACK, PUBLIC, SERVICE, bearer, token
from tests.visits import CLEAN

NEAR = ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "::ffff:127.0.0.1"]
FAR = ["10.0.0.7", "192.168.1.4", "203.0.113.9", "::ffff:10.0.0.7", "2001:db8::1", "", "unix:", "localhost.example"]
FORWARDED = [
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"X-Forwarded-Proto": "https"},
    {"Forwarded": "for=127.0.0.1"},
    {"Via": "1.1 proxy"},
    {"X-Real-IP": "127.0.0.1"},
]


@pytest.fixture(scope="module")
def insecure() -> FlaskClient:
    """A service that was told to be open to everybody."""
    return create_app(Settings(insecure=True)).test_client()


@pytest.mark.parametrize("path", [DISCOVERY, SERVICE, FEEDBACK])
@pytest.mark.parametrize("address", FAR)
def test_another_machine(client: FlaskClient, path: str, address: str) -> None:
    """A call from another machine, or from nobody knows where, is refused by every endpoint."""
    answer = client.open(path, method="POST" if path != DISCOVERY else "GET", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 403
    assert outcome(answer)["issue"][0]["code"] == "forbidden"


@pytest.mark.parametrize("address", NEAR)
def test_same_machine(client: FlaskClient, address: str) -> None:
    """A call from the machine itself is answered."""
    assert client.get(DISCOVERY, environ_base={"REMOTE_ADDR": address}).status_code == 200


@pytest.mark.parametrize("headers", FORWARDED)
def test_through_a_proxy(client: FlaskClient, headers: dict[str, str]) -> None:
    """A call that a proxy on the machine passed on is refused, whatever the proxy says of its origin."""
    assert client.get(DISCOVERY, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "host", ["visitcue.example.org", "evil.example:8000", "127.0.0.1.evil.example", "[2001:db8::1]", "[::1", "a b", ""]
)
def test_another_name(client: FlaskClient, host: str) -> None:
    """A call under another name than this machine's is refused: a proxy passed it on, or a page in a browser lied."""
    assert client.get(DISCOVERY, headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_own_name(client: FlaskClient, host: str) -> None:
    """A call under a name of this machine is answered."""
    assert client.get(DISCOVERY, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready"])
def test_probes(client: FlaskClient, path: str) -> None:
    """Health may be asked from anywhere: whoever watches over the service is seldom on its machine."""
    assert client.get(path, environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 200


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer not-a-token", "Basic dTpw"])
def test_tokens_are_ignored(client: FlaskClient, sent: str) -> None:
    """An open service answers whatever token comes with a call: some clients always send one."""
    assert client.get(DISCOVERY, headers={"Authorization": sent}).status_code == 200
    body = CLEAN["PT, Medicare"]
    assert client.post(SERVICE, json=body, headers=bearer(token(SERVICE))).status_code == 200


@pytest.mark.parametrize("address", FAR)
@pytest.mark.parametrize("headers", [{}, *FORWARDED])
def test_insecure(insecure: FlaskClient, address: str, headers: dict[str, str]) -> None:
    """A service that was told to be open answers everybody."""
    assert insecure.get(DISCOVERY, headers=headers, environ_base={"REMOTE_ADDR": address}).status_code == 200


def test_trusting_and_known_outside(tmp_path: Path) -> None:
    """A service that checks tokens, and knows its public address, answers clients on other machines."""
    client = tokens.trusting(tokens.trust_file(tmp_path))
    good = {**bearer(token(DISCOVERY)), **FORWARDED[0], "Host": "visitcue.example.org"}
    assert client.get(DISCOVERY, headers=good, environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 200


def test_trusting_without_public_url(tmp_path: Path) -> None:
    """Without its public address it does not: a caller would choose the audience by the Host header."""
    client = tokens.trusting(tokens.trust_file(tmp_path), public_url="")
    sent = {**bearer(token(DISCOVERY)), "Host": PUBLIC.removeprefix("https://")}
    assert client.get(DISCOVERY, headers=sent, environ_base={"REMOTE_ADDR": "10.0.0.7"}).status_code == 403


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "visitcue.example"])
def test_start(run: Run, host: str) -> None:
    """It does not start on an address that others reach, and says in one line what would do."""
    line = run("serve", "--host", host).one_line()
    assert "VISITCUE_TRUST_FILE" in line
    assert "--insecure" in line


def test_start_without_public_url(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a trust file it does not start there without its public address."""
    monkeypatch.setenv("VISITCUE_TRUST_FILE", str(tokens.trust_file(tmp_path)))
    assert "VISITCUE_PUBLIC_URL" in run("serve", "--host", "0.0.0.0").one_line()


@pytest.mark.parametrize(
    "value",
    [
        "visitcue.example.org",
        "/cds",
        "ftp://a.example",
        "https://",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://u:p@a.example",
        "https://a b.example",
        "https://a.example:x",
        "https://a.example/ä",
        "https://[::1",
    ],
)
def test_wrong_public_url(run: Run, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A public address that is no whole address stops the start, in one line without the value."""
    monkeypatch.setenv("VISITCUE_PUBLIC_URL", value)
    assert run("serve").one_line().startswith("VISITCUE_PUBLIC_URL: expected")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("http://10.0.0.7:8000/cds", "http://10.0.0.7:8000/cds"),
        ("", ""),
    ],
)
def test_public_url(value: str, taken: str) -> None:
    """A public address may have a port and a path; a slash at its end is of no account."""
    assert Settings(public_url=value).public_url == taken
