"""Running the web service under Granian, and what it says when it starts."""

import socket

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

THREADS = 4
"""Requests under way in one worker. With one thread a worker answers a quarter more requests under load, but a FHIR
server that is slow to give missing prefetch would stall all others; two threads were no faster than four."""


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
    """Serve until stopped."""
    Granian(
        "plugin.web.app:worker",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
    ).serve()
