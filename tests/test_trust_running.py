"""Trust in services that run: several processes on one store, over real HTTP."""

import http.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from plugin.settings import Settings
from plugin.web.edge import HELD
from tests.key_server import KeyServer
from tests.stores import environment
from tests.test_serve import FOR_A_START, Running, start
from tests.tokens import DISCOVERY, ISSUER, PUBLIC, SERVICE, bearer, pair, token, trust_file
from tests.visits import CLEAN


@pytest.fixture(scope="module")
def two(store: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Running]]:
    """Two services with one store, which trust a client by its published keys."""
    folder = tmp_path_factory.mktemp("two")
    keys = KeyServer()
    keys.publish(pair("ES384").jwk())
    file = trust_file(folder, {"iss": ISSUER, "jku": keys.jku})
    settings = {**environment(store), "VISITCUE_TRUST_FILE": str(file), "VISITCUE_PUBLIC_URL": PUBLIC}
    first, second = (start(folder / name, **settings) for name in ("first", "second"))
    yield first, second
    for one in (first, second):
        one.stop()
    keys.stop()


def post(service: Running, sent: str) -> int:
    answer = requests.post(
        f"{service.base}{SERVICE}", json=CLEAN["PT, Medicare"], headers=bearer(sent), timeout=FOR_A_START
    )
    return answer.status_code


def test_token_for_each(two: tuple[Running, Running]) -> None:
    """Each of the services answers a token that was not used."""
    assert [post(one, token(SERVICE)) for one in two] == [200, 200]


def test_replay_at_the_other(two: tuple[Running, Running]) -> None:
    """A token that one service answered is refused by the other one."""
    used = token(SERVICE)
    assert [post(one, used) for one in two] == [200, 401]


def test_replay_at_the_same_moment(two: tuple[Running, Running]) -> None:
    """A token that is sent to both at once, many times, is answered once."""
    used = token(SERVICE)
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda number: post(two[number % 2], used), range(16)))
    assert sorted(statuses) == [200] + [401] * 15


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda: [f"bearer {token(DISCOVERY)}"], 200),
        (lambda: [f"Bearer {token(DISCOVERY)}", f"Bearer {token(DISCOVERY)}"], 401),
        (lambda: ["Basic dTpw", f"Bearer {token(DISCOVERY)}"], 401),
        (lambda: [f"Bearer {token(DISCOVERY)}Z\u00f6"], 401),
        (lambda: ["Bearer " + "x" * 100_000], 401),
        (lambda: [""], 401),
        (list, 401),
    ],
)
def test_headers_as_they_arrive(two: tuple[Running, Running], make: Callable[[], list[str]], status: int) -> None:
    """What stands in the Authorization headers of a real request is read as one token, or refused."""
    address = urlsplit(two[0].base)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=FOR_A_START)
    connection.putrequest("GET", DISCOVERY)
    for value in make():
        connection.putheader("Authorization", value.encode())
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == status
    assert answer.getheader("Access-Control-Allow-Origin") == "*"
    connection.close()


def test_said_at_the_start(two: tuple[Running, Running]) -> None:
    """At its start the service names its public address for discovery, and no call that it would refuse."""
    lines = two[0].said()[:3]
    assert f"{PUBLIC}{DISCOVERY}" in lines[1]
    assert "curl" not in lines[2]


def begun(service: Running, sent: str, size: int, body: bytes) -> http.client.HTTPConnection:
    """A call whose body is announced with a size, and of which only a part is sent."""
    address = urlsplit(service.base)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=FOR_A_START)
    connection.putrequest("POST", SERVICE)
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(size))
    if sent:
        connection.putheader("Authorization", f"Bearer {sent}")
    connection.endheaders(body)
    return connection


@pytest.mark.parametrize("sent", ["", "x.y.z", token(SERVICE, iss="https://stranger.example")])
def test_strangers_hold_no_place(two: tuple[Running, Running], sent: str) -> None:
    """Large bodies of strangers are refused before they come, and take no place from those of clients."""
    strangers = [begun(two[0], sent, 7_999_999, b" " * 60_000) for _ in range(HELD + 2)]
    assert [one.getresponse().status for one in strangers] == [401] * len(strangers)
    large = {**CLEAN["PT, Medicare"], "vendor": "x" * 400_000}
    answer = requests.post(f"{two[0].base}{SERVICE}", json=large, headers=bearer(token(SERVICE)), timeout=FOR_A_START)
    assert answer.status_code == 200
    for one in strangers:
        one.close()


def test_large_body_where_none_is_taken(two: tuple[Running, Running]) -> None:
    """A large body for an address that takes none is not waited for."""
    address = urlsplit(two[0].base)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=FOR_A_START)
    connection.putrequest("POST", "/health/live")
    connection.putheader("Content-Length", "7000000")
    connection.endheaders(b" ")
    assert connection.getresponse().status == 405
    connection.close()
