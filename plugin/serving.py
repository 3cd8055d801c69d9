"""Running the web service under Granian, and what it says when it starts."""

import ipaddress
import socket

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

HEADER_MILLISECONDS = 30_000
"""How long the headers of a request may take, and how long a connection stays open between two requests."""


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_taken(host: str, port: int) -> bool:
    """Whether something listens on the port already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def banner(host: str, port: int) -> str:
    """Three lines: where it runs, what to open, what to call."""
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return (
        f"VisitCue is at {base} - open it in a browser for an overview and a first request.\n"
        f"Discovery for your EHR: {base}/cds-services\n"
        f"Try: curl -s -H 'Content-Type: application/json' --data @examples/claim-submit-chiro-faulty.json"
        f" {base}/cds-services/visitcue-claim-submit"
    )


def run(host: str, port: int, workers: int) -> None:
    """Serve until stopped. HTTP/1.1 alone: it is what proxies speak, and what is not spoken here needs no limits."""
    Granian(
        "plugin.web.edge:worker",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_MILLISECONDS),
        websockets=False,
        workers=workers,
        log_level=LogLevels.warning,
    ).serve()
