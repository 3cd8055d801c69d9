"""Used tokens: each is new once, whoever asks."""

import datetime as dt
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from plugin.settings import Settings
from plugin.store.engine import Engine, connect, open_store
from plugin.store.errors import StoreUnavailable
from plugin.store.replay import first_seen
from plugin.store.tables import SEEN_TOKEN
from tests.stores import dump, environment

ISSUER = "https://ehr.example/oauth"
SOON = dt.datetime.now(dt.UTC) + dt.timedelta(hours=5)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

# Waits for a line, so that all begin at once, and then uses 200 tokens.
PLAYER = """
import datetime as dt, sys
from plugin.settings import Settings
from plugin.store.engine import open_store
from plugin.store.replay import first_seen

engine = open_store(Settings())
until = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
print("ready", flush=True)
sys.stdin.readline()
print("".join("1" if first_seen(engine, "https://ehr.example/oauth", f"raced-{n}", until) else "0" for n in range(200)))
"""


@pytest.fixture(scope="module")
def engine(store: Settings) -> Iterator[Engine]:
    """The store, opened in this process."""
    engine = open_store(store)
    yield engine
    engine.dispose()


def test_new_token(engine: Engine) -> None:
    """A token that nobody used is new."""
    assert first_seen(engine, ISSUER, "a-new-one", SOON)


def test_used_token(engine: Engine) -> None:
    """A token that was used is not new again."""
    first_seen(engine, ISSUER, "used-twice", SOON)
    assert not first_seen(engine, ISSUER, "used-twice", SOON)


def test_other_issuer(engine: Engine) -> None:
    """Two issuers may give their tokens the same id."""
    first_seen(engine, ISSUER, "same-id", SOON)
    assert first_seen(engine, "https://other.example", "same-id", SOON)


def test_issuer_and_id_are_apart(engine: Engine) -> None:
    """Where the issuer ends and the id begins makes a difference."""
    first_seen(engine, "issuer-a", "b-id", SOON)
    assert first_seen(engine, "issuer-", "ab-id", SOON)


def test_id_of_any_length(engine: Engine) -> None:
    """An id of a megabyte, or of no letter, is remembered like any other."""
    for jti in ("x" * 1_000_000, "", "\u0000", "🦴"):
        assert first_seen(engine, ISSUER, jti, SOON)
        assert not first_seen(engine, ISSUER, jti, SOON)


def test_raced(store: Settings) -> None:
    """Of two processes that use the same 200 tokens at once, exactly one is told that a token is new."""
    players = [
        subprocess.Popen(
            [sys.executable, "-c", PLAYER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment(store)},
        )
        for _ in range(2)
    ]
    for player in players:
        assert player.stdout is not None
        assert player.stdout.readline() == "ready\n"
    for player in players:
        assert player.stdin is not None
        player.stdin.write("\n")
        player.stdin.flush()
    told = [player.communicate(timeout=60)[0].strip() for player in players]
    assert [one + other for one, other in zip(*told, strict=True)] == [
        "10" if one == "1" else "01" for one in told[0]
    ], told
    assert len(told[0]) == 200


def test_text_is_not_kept(store: Settings, engine: Engine) -> None:
    """Neither the issuer nor the token's id is in the store as text."""
    first_seen(engine, "https://issuer-of-a-kind.example", "id-of-a-kind", SOON)
    assert "of-a-kind" not in dump(store)


def test_expired_are_removed(engine: Engine) -> None:
    """Tokens that are no longer good go away as others are used."""
    for number in range(20):
        first_seen(engine, ISSUER, f"old-{number}", LONG_AGO)
    tidies = next(
        jti
        for jti in (f"new-{number}" for number in range(100_000))
        if hashlib.sha256(f"{len(ISSUER)}:{ISSUER}{jti}".encode()).digest()[0] == 0
    )
    first_seen(engine, ISSUER, tidies, SOON)
    with engine.connect() as connection:
        oldest = connection.execute(sa.select(sa.func.min(SEEN_TOKEN.c.until))).scalar_one()
    assert oldest > LONG_AGO.timestamp() + 1


def test_good_ones_stay(engine: Engine) -> None:
    """A token that is still good is remembered however many are used after it."""
    first_seen(engine, ISSUER, "kept", SOON)
    for number in range(600):
        first_seen(engine, ISSUER, f"later-{number}", SOON)
    assert not first_seen(engine, ISSUER, "kept", SOON)


def test_no_store() -> None:
    """Without a store nobody is told that a token is new."""
    nowhere = Settings(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/nothing"))
    with pytest.raises(StoreUnavailable):
        first_seen(connect(nowhere), ISSUER, "unknown", SOON)
