"""Addresses of other people's servers: one normal form to compare, and the networks that may be connected to.

What a request names is compared with what the installation lists and is never called itself, so a spelling that two
readers of addresses take apart differently leads nowhere.
"""

import ipaddress
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_DOTS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
_FOREIGN = re.compile(r"[\x00-\x20\x7f\\]")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def base_url(text: str) -> str:
    """The normal form of a server's base address; raises ValueError with a sentence where it is none.

    Scheme and host are in lower case, the host is in ASCII (xn--), the default port and slashes at the end are gone.
    """
    parts = _split(text)
    path = parts.path.rstrip("/")
    if parts.query or parts.fragment or text.rstrip().endswith(("?", "#")):
        raise ValueError("a base address has no query and no fragment")
    if any(_DOTS.fullmatch(step) for step in path.split("/")):
        raise ValueError("a base address has no dot segments")
    return _origin(parts) + path


def fhir_server(text: str, networks: Sequence[Network]) -> str:
    """The normal form of a listed FHIR server; raises ValueError with a sentence that names it."""
    try:
        base = base_url(text)
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None
    host = urlsplit(base).hostname or ""
    if not base.startswith("https:") and not is_this_machine(host):
        raise ValueError(f"{base} must begin with https://: access tokens go there")
    address = literal(host)
    if address is not None and not is_this_machine(host) and not may_connect(host, networks):
        raise ValueError(f"{base} is at a private address; name its network in VISITCUE_FHIR_NETWORKS as well")
    return base


def check_certificates(file: Path) -> None:
    """Raise ValueError with a sentence where a file does not hold certificates in PEM form."""
    try:
        ssl.create_default_context(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        what = "it holds no certificates in PEM form" if isinstance(error, ssl.SSLError) else error.strerror
        raise ValueError(f"{file}: {what}") from None


def following(base: str, link: str) -> str | None:
    """The address of a page that a server links to, relative or absolute; None where it is of another origin.

    `base` is a base address in normal form. Where the link is of its origin, the address begins with it as listed.
    """
    try:
        parts = _split(base + link if link.startswith("?") else urljoin(f"{base}/", link))
        origin = _origin(_split(base))
        if _origin(parts) != origin:
            return None
    except ValueError:
        return None
    return f"{origin}{parts.path}?{parts.query}" if parts.query else f"{origin}{parts.path}"


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its name: localhost, or a loopback address."""
    address = literal(host)
    return host == "localhost" if address is None else address.is_loopback


def literal(host: str) -> _Address | None:
    """The address that a host is written as, if it is no name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def network(text: str) -> Network:
    """A network in CIDR form; raises ValueError with a sentence."""
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise ValueError(f"expected a network such as 10.20.0.0/16 or fd00:20::/32: {error}") from None


def may_connect(address: str, networks: Sequence[Network]) -> bool:
    """Whether an IP address may be connected to: a public one, or one of the networks that the installation lists."""
    found = _really(ipaddress.ip_address(address.split("%", 1)[0]))
    if any(found in one for one in networks):
        return True
    return found.is_global and not found.is_multicast and not found.is_reserved


def _really(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and (address in _NAT64 or int(address) >> 32 == 0):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if int(address) > 1 else None
    return inner or address


def _split(text: str) -> SplitResult:
    if _FOREIGN.search(text):
        raise ValueError("an address has no spaces, control characters and backslashes")
    parts = urlsplit(text)
    if parts.scheme not in _PORTS:
        raise ValueError("expected an address that begins with https://")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user name and no password")
    return parts


def _origin(parts: SplitResult) -> str:
    port = parts.port
    if port == 0:
        raise ValueError("0 is no port")
    host = _host(parts.hostname or "")
    return f"{parts.scheme}://{host}" if port in (None, _PORTS[parts.scheme]) else f"{parts.scheme}://{host}:{port}"


def _host(host: str) -> str:
    """A host in normal form: an IP address as it is usually written, or a name in ASCII."""
    address = literal(host)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            raise ValueError("an address of one link only cannot be listed")
        return f"[{address.compressed}]"
    if address is not None:
        return str(address)
    try:
        name = host.removesuffix(".").encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError("the host is no name that can be looked up") from None
    if not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.rsplit(".", 1)[-1]):
        raise ValueError("expected the name of a host, or an IP address as it is usually written")
    return name
