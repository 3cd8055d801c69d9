"""The keys that clients publish: fetched when they are needed, kept while they cannot be, never at others' expense."""

import gzip
import itertools
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_hooks.trust import MOST_KEYS, Client
from plugin.outside import jwks
from plugin.outside.jwks import Keys, KeysUnavailable
from tests import tokens
from tests.builders import Json
from tests.exchange import outcome
from tests.key_server import KeyServer, key_server
from tests.tokens import DISCOVERY, ISSUER, Pair, bearer, pair, token

__all__ = ["key_server"]  # a fixture

OTHER = "https://other.example.org"
HOUR = 3600.0
FOR_A_FETCH = 15
"""Seconds after which a fetch that does not end is given up; no claim about speed."""


def wait_for_fetches() -> None:
    """Until no thread fetches any more; fails where one does not end."""
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(FOR_A_FETCH)
            assert not thread.is_alive()


class Clock:
    """The time in seconds, which goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def find(key_server: KeyServer, clock: Clock) -> Callable[[str], bool]:
    """Whether a kid is among the keys of the one client, whose keys are behind the server."""
    client = Client(ISSUER, key_server.jku)
    keys = Keys({ISSUER: client}, clock)
    return lambda kid: keys.of(client, kid) is not None


def calling(file: Path) -> Callable[..., tuple[int, str]]:
    """Calls discovery with a token: the status, and what kind of refusal the challenge names."""
    client: FlaskClient = tokens.trusting(file)

    def call(by: Pair, iss: str = ISSUER, **header: object) -> tuple[int, str]:
        answer = client.get(DISCOVERY, headers=bearer(token(DISCOVERY, by, header, iss=iss)))
        return answer.status_code, answer.headers.get("WWW-Authenticate", "").rpartition("=")[2].strip('"')

    return call


@pytest.fixture
def call(key_server: KeyServer, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Calls a service that trusts a client by its published keys, and another one by a key of the file."""
    published = {"iss": ISSUER, "jku": key_server.jku}
    return calling(tokens.trust_file(tmp_path, published, {"iss": OTHER, "keys": [pair("ES384").jwk()]}))


def test_rotation(call: Callable[..., tuple[int, str]], key_server: KeyServer) -> None:
    """A new key is accepted as soon as the client has published it, and the old one no longer."""
    old, new = pair("ES384", "old"), pair("ES384", "new")
    key_server.publish(old.jwk())
    assert call(old) == (200, "")
    key_server.publish(new.jwk())
    assert call(new) == (200, "")
    assert call(old) == (401, "key-unknown")
    assert key_server.asked == 2


def test_both_algorithms(call: Callable[..., tuple[int, str]], key_server: KeyServer) -> None:
    """A published set may hold keys for several algorithms, and keys for other purposes."""
    foreign = pair("RS384", "enc").jwk(use="enc")
    key_server.publish(foreign, {"kty": "OKP", "kid": "x"}, pair("RS384").jwk(), pair("ES384").jwk(alg="ES384"), {})
    assert [call(pair(alg)) for alg in ("ES384", "RS384")] == [(200, ""), (200, "")]
    assert call(pair("RS384", "enc")) == (401, "key-unknown")


def test_hammering(call: Callable[..., tuple[int, str]], key_server: KeyServer) -> None:
    """Made-up kids lead to one fetch beside the first, however many come, and known ones are answered."""
    key_server.publish(pair("ES384").jwk())
    for number in range(20):
        assert call(pair("ES384"), kid=f"made-up-{number}") == (401, "key-unknown")
    assert call(pair("ES384")) == (200, "")
    assert key_server.asked == 2


def test_jku_of_the_token_is_not_called(call: Callable[..., tuple[int, str]], key_server: KeyServer) -> None:
    """The address that a token names is compared with the registered one, and never fetched."""
    elsewhere = KeyServer()
    elsewhere.publish(pair("ES384", "evil").jwk())
    key_server.publish(pair("ES384").jwk())
    assert call(pair("ES384", "evil"), jku=elsewhere.jku) == (401, "jku-differs")
    assert call(pair("ES384"), jku=key_server.jku) == (200, "")
    assert elsewhere.asked == 0
    elsewhere.stop()


def test_keys_that_cannot_be_fetched(call: Callable[..., tuple[int, str]], key_server: KeyServer) -> None:
    """Without keys the answer is 503, the client may try again, and other clients are answered."""
    key_server.status = 500
    assert call(pair("ES384")) == (503, "")
    assert call(pair("ES384"), iss=OTHER) == (200, "")
    assert call(pair("ES384")) == (503, "")
    assert key_server.asked == 1


def test_answer_without_keys(key_server: KeyServer, tmp_path: Path) -> None:
    """A 503 says that it passes and when to ask again, and names no address."""
    key_server.status = 404
    client = tokens.trusting(tokens.trust_file(tmp_path, {"iss": ISSUER, "jku": key_server.jku}))
    answer = client.get(DISCOVERY, headers=bearer(token(DISCOVERY)))
    assert answer.status_code == 503
    assert outcome(answer)["issue"][0]["code"] == "transient"
    assert int(answer.headers["Retry-After"]) > 0
    assert key_server.jku not in answer.get_data(as_text=True)


BROKEN: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "redirect": (302, b"", {"Location": "/jwks.json"}),
    "no JSON": (200, b"<html>", {}),
    "no set": (200, b'{"kid": "a"}', {}),
    "keys that are none": (200, b'{"keys": ["a"]}', {}),
    "deep": (200, b"[" * 100_000, {}),
    "too many": (200, json.dumps({"keys": [{}] * (MOST_KEYS + 1)}).encode(), {}),
    "too large": (200, b" " * (jwks.MOST_BYTES + 1), {}),
    "a bomb": (200, gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}),
    "cut off": (200, b"{", {"Transfer-Encoding": "chunked"}),
    "nothing": (204, b"", {}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers(find: Callable[[str], bool], key_server: KeyServer, name: str) -> None:
    """An answer that is no key set within bounds is as none."""
    key_server.status, key_server.body, key_server.headers = BROKEN[name]
    with pytest.raises(KeysUnavailable):
        find("a")


STRANGE: list[Json] = [
    {"kty": "RSA", "kid": "a", "n": "A" * 200_000, "e": "AQAB"},
    {"kty": "RSA", "kid": "a", "n": 1, "e": []},
    {"kty": "RSA", "kid": "a"},
    {"kty": "EC", "crv": "P-384", "kid": "a", "x": "A" * 64, "y": "A" * 64},
    {"kty": "EC", "crv": ["P-384"], "kid": "a"},
    {"kty": {}, "kid": "a"},
    {"kid": "a", "key_ops": 1},
    {"kty": "oct", "kid": "a", "k": "c2VjcmV0", "alg": "HS256"},
]


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_keys(find: Callable[[str], bool], key_server: KeyServer, strange: Json) -> None:
    """A published key that cannot be used is passed over, and the next one is found."""
    key_server.publish(strange, pair("ES384").jwk())
    assert find("key-ES384")
    assert not find("a")


def test_compressed(find: Callable[[str], bool], key_server: KeyServer) -> None:
    """A server may compress what it sends."""
    key_server.publish(pair("ES384").jwk())
    key_server.body, key_server.headers = gzip.compress(key_server.body), {"Content-Encoding": "gzip"}
    assert find("key-ES384")


def test_known_keys_outlast_a_failure(find: Callable[[str], bool], key_server: KeyServer, clock: Clock) -> None:
    """Known keys are believed while the server fails, for a day and no longer."""
    key_server.publish(pair("ES384").jwk())
    assert find("key-ES384")
    key_server.status = 500
    for clock.now in (2 * HOUR, 23 * HOUR):
        assert find("key-ES384")
    clock.now = 25 * HOUR
    with pytest.raises(KeysUnavailable):
        find("key-ES384")
    key_server.status = 200
    clock.now += jwks.PAUSE_SECONDS
    assert find("key-ES384")


def test_unknown_kid_while_the_server_fails(find: Callable[[str], bool], key_server: KeyServer) -> None:
    """Where the server fails, a kid that is not known may be a new one, so it is not called wrong."""
    key_server.publish(pair("ES384").jwk())
    assert find("key-ES384")
    key_server.status = 500
    for _ in range(2):
        with pytest.raises(KeysUnavailable):
            find("new")
    assert find("key-ES384")
    assert key_server.asked == 2


def test_key_that_was_taken_back(find: Callable[[str], bool], key_server: KeyServer, clock: Clock) -> None:
    """A key that the client no longer publishes is forgotten once the keys are fetched anew."""
    key_server.publish(pair("ES384").jwk())
    assert find("key-ES384")
    key_server.publish()
    clock.now = HOUR
    find("key-ES384")  # begins the fetch, and is answered meanwhile
    wait_for_fetches()
    assert not find("key-ES384")


def test_slow_server(call: Callable[..., tuple[int, str]], key_server: KeyServer) -> None:
    """While one client's server is slow, at most two requests wait for it: its others are told to come again."""
    key_server.publish(pair("ES384").jwk())
    key_server.open.clear()
    with ThreadPoolExecutor(8) as threads:
        slow = [threads.submit(call, pair("ES384")) for _ in range(6)]
        at_once = itertools.islice(as_completed(slow), 6 - jwks.WAITING)
        assert [one.result()[0] for one in at_once] == [503] * (6 - jwks.WAITING)
        assert call(pair("ES384"), iss=OTHER) == (200, "")
        key_server.open.set()
        assert sorted(one.result()[0] for one in slow) == [200] * jwks.WAITING + [503] * (6 - jwks.WAITING)
    assert key_server.asked == 1


@pytest.mark.parametrize("slow_header", [False, True])
def test_dripping_server(find: Callable[[str], bool], key_server: KeyServer, slow_header: bool) -> None:
    """A server that sends a byte now and then is given up, and not one thread is left waiting for it."""
    key_server.publish(pair("ES384").jwk())
    key_server.drip, key_server.slow_header = 0.2, slow_header
    with pytest.raises(KeysUnavailable):
        find("key-ES384")
    wait_for_fetches()


def test_server_that_is_not_there(find: Callable[[str], bool], key_server: KeyServer) -> None:
    """A server that cannot be connected to is as one that fails."""
    key_server.stop()
    with pytest.raises(KeysUnavailable):
        find("key-ES384")


def test_failures_are_logged(
    find: Callable[[str], bool], key_server: KeyServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """A fetch that fails leaves a line with the client and what was wrong, without the address."""
    key_server.status = 500
    with pytest.raises(KeysUnavailable):
        find("key-ES384")
    (line,) = [json.loads(one) for one in capfd.readouterr().err.splitlines()]
    assert (line["event"], line["client"], line["level"]) == ("keys-not-fetched", ISSUER, "warning")
    assert "500" in line["why"]
    assert key_server.jku not in str(line)
