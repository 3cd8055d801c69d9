"""Running the web service under Granian, and what it says when it starts."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from plugin import logs
from plugin.logs import Level

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder of shared counts; the library's own."""

THREADS = 4
"""Requests under way in one worker. With one thread a worker answers a quarter more requests under load, but a FHIR
server that is slow to give missing prefetch would stall all others; two threads were no faster than four."""


def is_taken(host: str, port: int) -> bool:
    """Whether something listens on the port already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def banner(host: str, port: int, public_url: str, *, trusted: bool) -> str:
    """Three lines: where it runs, what to open, what to call or who may."""
    base = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    example = (
        f"Try: curl -s -H 'Content-Type: application/json' --data @examples/claim-submit-chiro-faulty.json"
        f" {base}/cds-services/visitcue-claim-submit"
    )
    return (
        f"VisitCue is at {base} - open it in a browser for an overview and a first request.\n"
        f"Discovery for your EHR: {public_url or base}/cds-services\n"
        f"{'Only clients of the trust file may call, with a token of theirs.' if trusted else example}"
    )


def run(host: str, port: int, workers: int, level: Level) -> None:
    """Serve until stopped."""
    logs.configure_logs(level)
    logs.take_over()
    with _shared_counts(workers):
        Granian(
            "plugin.web.app:worker",
            factory=True,
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=THREADS,
            log_level=LogLevels.warning,
            log_dictconfig=logs.GRANIAN,
        ).serve()


@contextlib.contextmanager
def _shared_counts(workers: int) -> Iterator[None]:
    """A folder in which several workers keep their counts, so that any of them can tell the sum of all.

    Workers inherit its name by the environment, which the library reads as it is imported: this process must not
    import it before. The folder is a new one for each start, for what an earlier run counted is not ours.
    """
    if workers == 1:
        os.environ.pop(SHARED, None)
        yield
        return
    with tempfile.TemporaryDirectory(prefix="visitcue-metrics-") as folder:
        os.environ[SHARED] = folder
        yield
