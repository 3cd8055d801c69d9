"""Running the web service under Granian, and what it says when it starts."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from plugin import logs
from plugin.logs import Level

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable that names the folder of shared counts; the library's own."""

STOP_SECONDS = 10
"""How long a worker may take to stop; one that is told to while it still starts misses the signal, and is killed."""

HEADER_MILLISECONDS = 5_000
"""How long the headers of a request may take, and how long a connection stays open between two requests. A worker has
some thousand connections at most: whoever opens them all and says nothing holds up the others for as long as this."""


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
    """Serve until stopped. HTTP/1.1 alone: it is what proxies speak, and what is not spoken here needs no limits."""
    logs.configure_logs(level)
    logs.take_over()
    with _shared_counts(workers):
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
            workers_kill_timeout=STOP_SECONDS,
            respawn_failed_workers=True,  # else the death of one ends all; one that dies at once again ends them still
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
