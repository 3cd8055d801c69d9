"""The trust file: which clients may call, read strictly from TOML. docs/trust.md shows one.

TrustFileError    the file is not as it must be; says file, place and what was expected
"""

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cds_hooks.outcome import not_as_expected
from cds_hooks.trust import (
    ALGORITHMS,
    DEFAULT_ALGORITHMS,
    MOST_KEYS,
    Client,
    Key,
    Trust,
    UnusableKeyError,
    read_jwks,
    read_key,
)
from plugin.loopback import is_loopback

_LONGEST_LEEWAY = 60
_LONGEST_LIFETIME = 86_400
_PRINTABLE = re.compile(r"[!-~]+")


class TrustFileError(Exception):
    """The trust file is not as it must be; the message names file, place and what was expected."""


class _Client(msgspec.Struct, forbid_unknown_fields=True):
    iss: str
    jku: str | None = None
    keys: list[dict[str, Any]] | None = None
    keys_file: str | None = None
    algorithms: list[str] | None = None
    tenants: list[str] | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    clients: list[_Client]
    leeway_seconds: int = 5
    longest_lifetime_seconds: int = 900


def load(path: Path) -> Trust:
    """The trusted clients of an installation; raises TrustFileError."""
    try:
        return _trust(_read(path), path)
    except _Wrong as wrong:
        raise TrustFileError(f"{path}: {wrong}.") from None


class _Wrong(Exception):
    """What is wrong, with its place in the file; no full stop at its end."""


def _read(path: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise _Wrong(f"the trust file cannot be read: {error.strerror}") from None
    except msgspec.ValidationError as error:
        raise _Wrong(not_as_expected(error).issues[0].diagnostics.removesuffix(".")) from None
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"this is not TOML: {error}") from None


def _trust(file: _File, path: Path) -> Trust:
    if not file.clients:
        raise _Wrong("clients: expected at least one")
    if not 0 <= file.leeway_seconds <= _LONGEST_LEEWAY:
        raise _Wrong(f"leeway_seconds: expected 0 to {_LONGEST_LEEWAY}")
    if not 1 <= file.longest_lifetime_seconds <= _LONGEST_LIFETIME:
        raise _Wrong(f"longest_lifetime_seconds: expected 1 to {_LONGEST_LIFETIME}")
    clients: dict[str, Client] = {}
    for number, written in enumerate(file.clients):
        at = f"clients[{number}]"
        if not _PRINTABLE.fullmatch(written.iss):
            raise _Wrong(f"{at}.iss: expected the issuer as the client writes it into its tokens, without spaces")
        if written.iss in clients:
            raise _Wrong(f"{at}.iss: this issuer is listed twice; put all that belongs to it into one entry")
        clients[written.iss] = _client(written, at, path)
    return Trust(clients, file.leeway_seconds, file.longest_lifetime_seconds)


def _client(written: _Client, at: str, path: Path) -> Client:
    if sum(one is not None for one in (written.jku, written.keys, written.keys_file)) != 1:
        raise _Wrong(f"{at}: expected exactly one of `jku`, `keys` and `keys_file`")
    algorithms = tuple(DEFAULT_ALGORITHMS if written.algorithms is None else written.algorithms)
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise _Wrong(f"{at}.algorithms: expected some of {', '.join(ALGORITHMS)} (no symmetric ones, no `none`)")
    tenants = written.tenants or []
    if written.tenants is not None and not (tenants and all(tenants)):
        raise _Wrong(f"{at}.tenants: expected at least one name; leave it out where every tenant may call")
    keys: dict[str, Key] = {}
    if written.keys is not None:
        keys = _keys(written.keys, f"{at}.keys", algorithms)
    elif written.keys_file is not None:
        keys = _keys(_from_file(path.parent / written.keys_file, at), f"{at}.keys_file: keys", algorithms)
    return Client(written.iss, _jku(written.jku, at), keys, algorithms, frozenset(tenants))


def _jku(jku: str | None, at: str) -> str:
    if jku is None:
        return ""
    try:
        parts = urlsplit(jku)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _Wrong(f"{at}.jku: expected the address of the client's key set") from None
    if not host or not _PRINTABLE.fullmatch(jku) or "@" in parts.netloc or parts.fragment:
        raise _Wrong(f"{at}.jku: expected the address of the client's key set, without a user name and a fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise _Wrong(f"{at}.jku: expected an address that begins with https://; whoever can alter the keys is trusted")
    return jku


def _from_file(file: Path, at: str) -> list[dict[str, Any]]:
    try:
        return read_jwks(file.read_bytes())
    except OSError as error:
        raise _Wrong(f"{at}.keys_file: {file} cannot be read: {error.strerror}") from None
    except UnusableKeyError as error:
        raise _Wrong(f"{at}.keys_file: {file}: {error}") from None


def _keys(written: list[dict[str, Any]], at: str, algorithms: tuple[str, ...]) -> dict[str, Key]:
    if not 0 < len(written) <= MOST_KEYS:
        raise _Wrong(f"{at}: expected 1 to {MOST_KEYS} keys")
    found: dict[str, Key] = {}
    for number, jwk in enumerate(written):
        try:
            key = read_key(jwk)
        except UnusableKeyError as error:
            raise _Wrong(f"{at}[{number}]: {error}") from None
        if key.kid in found:
            raise _Wrong(f"{at}[{number}].kid: two keys have it; each needs one of its own")
        if not set(key.algorithms) & set(algorithms):
            raise _Wrong(f"{at}[{number}]: the key is for {' or '.join(key.algorithms)}, which `algorithms` leaves out")
        found[key.kid] = key
    return found
