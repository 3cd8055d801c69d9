"""An access token is seen by one server, and by nobody else."""

import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cds_hooks.access import AccessToken, Authorization, Sent, authorization

SECRET = "tok-2f6a-very-secret"
TOKEN = AccessToken.of(SECRET)
ACCESS = authorization(Sent(SECRET))


def logged(value: object) -> str:
    record = logging.LogRecord("x", logging.INFO, "x", 1, "got %s", (value,), None)
    return logging.Formatter().format(record)


def traced(value: object) -> str:
    try:
        raise ValueError(value)
    except ValueError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        return "".join(told.format())


WAYS: dict[str, Callable[[Any], str]] = {
    "str": str,
    "repr": repr,
    "f-string": lambda token: f"{token} {token!r} {token!s}",
    "format": "{0} {0!r}".format,
    "percent": lambda token: "%s %r" % (token, token),  # noqa: UP031 - as loggers do it
    "msgspec": lambda token: msgspec.json.encode({"token": token}).decode(),
    "msgpack": lambda token: msgspec.msgpack.encode(token).decode("latin-1"),
    "as plain values": lambda token: json.dumps(msgspec.to_builtins(token)),
    "pickle": lambda token: pickle.dumps(token).decode("latin-1"),
    "a copy": lambda token: pprint.pformat(vars(copy.copy(token)) if isinstance(token, AccessToken) else token),
    "a log line": logged,
    "a traceback with locals": traced,
    "in a list": lambda token: pprint.pformat([{"token": token}]),
    "its attributes": lambda token: str([getattr(token, name) for name in dir(token) if not name.startswith("__")]),
}


@pytest.mark.parametrize("value", [TOKEN, ACCESS], ids=["token", "authorization"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_not_shown(way: Callable[[Any], str], value: object) -> None:
    """However a token is written, it is not there."""
    assert SECRET not in way(value)


@pytest.mark.parametrize("way", ["str", "repr", "f-string", "format", "percent", "msgspec", "pickle", "a log line"])
def test_shown_as(way: str) -> None:
    """What is written in its place says that something was there."""
    assert "***" in WAYS[way](TOKEN)


def test_reveal() -> None:
    """Asked for by name, the token is what was sent."""
    assert TOKEN.reveal() == SECRET
    assert ACCESS.token.reveal() == SECRET


@pytest.mark.parametrize("lost", [copy.copy, copy.deepcopy, lambda token: pickle.loads(pickle.dumps(token))])
def test_copies_hold_nothing(lost: Callable[[AccessToken], AccessToken]) -> None:
    """A copy that outlives the request does not hold the token."""
    with pytest.raises(KeyError):
        lost(TOKEN).reveal()


def test_access_is_what_was_sent() -> None:
    """What the client says of its access is kept beside the token."""
    sent = Sent(SECRET, token_type="bearer", expires_in="300", scope="patient/*.rs", patient="Patient/p-1")
    read = authorization(sent)
    assert (read.expires_in, read.scope, read.patient) == (300, "patient/*.rs", "p-1")
    assert isinstance(read, Authorization)
