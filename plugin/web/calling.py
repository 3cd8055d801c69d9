"""Where a call comes from, as far as it shows: by its address, by what a proxy put on it, or by the name it called."""

import re

from flask import Request

from plugin.loopback import is_loopback

_PORT = re.compile(r":\d*$")

_OF_PROXIES = frozenset(
    {
        "HTTP_FORWARDED",
        "HTTP_VIA",
        "HTTP_X_REAL_IP",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_CLUSTER_CLIENT_IP",
        "HTTP_X_ORIGINAL_FOR",
        "HTTP_X_ORIGINAL_HOST",
        "HTTP_X_ENVOY_EXTERNAL_ADDRESS",
        "HTTP_X_AZURE_CLIENTIP",
        "HTTP_CF_CONNECTING_IP",
        "HTTP_CF_CONNECTING_IPV6",
        "HTTP_CF_RAY",
        "HTTP_TRUE_CLIENT_IP",
        "HTTP_FASTLY_CLIENT_IP",
        "HTTP_FLY_CLIENT_IP",
    }
)


def from_outside(asked: Request) -> bool:
    """Whether a call may come from another machine, or from a page that another machine sent.

    A proxy on this machine that leaves no mark, and calls the service by a name of this machine, is not seen.
    """
    if not is_loopback((asked.remote_addr or "").strip("[]")):
        return True
    if any(name in _OF_PROXIES or name.startswith("HTTP_X_FORWARDED") for name in asked.environ):
        return True
    # A proxy calls it by a public name; a page in a browser of this machine by a name of the page's (DNS rebinding).
    host = asked.host.lower()
    return not is_loopback(_PORT.sub("", host))
