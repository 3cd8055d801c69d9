"""Trust in services that run: several processes on one store, over real HTTP."""

import http.client
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from plugin.settings import Settings
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
