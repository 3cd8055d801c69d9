"""Whether an address is one of this machine alone."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host's name or address, an IPv6 one also in brackets, can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1 is how a socket for both kinds shows 127.0.0.1
    return (inner or address).is_loopback
