"""`make bench`: VisitCue beside a bare Flask route on the same server, and beside json.loads in process.

Every figure is a median over interleaved rounds of one run; what counts are the ratios, for machines differ.
"""

import datetime as dt
import gc
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from cds_hooks import cards as wire
from mappings import books_in_force
from plugin.answer import Setup, answer, from_prefetch
from plugin.review import review
from plugin.services import services
from plugin.settings import Settings
from plugin.web.edge import THREADS
from tests.bench import load
from tests.bench.payload import request

ROOT = Path(__file__).parents[2]
ROUNDS = 15
WORKERS = 1


def main() -> None:
    """Measure, print the table, and write the figures as JSON where --json FILE says so."""
    body = request(60)
    rows = [*in_process(body), *over_http(body)]
    table = Table("What", "Measured", "Beside", "Ratio", "To reach")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)
    if "--json" in sys.argv:
        target = Path(sys.argv[sys.argv.index("--json") + 1])
        names = ("what", "measured", "beside", "ratio", "to_reach")
        target.write_text(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))


def in_process(body: bytes) -> Iterator[tuple[str, ...]]:
    """Bytes to cards beside json.loads of the same bytes; the review alone."""
    hook = next(one for one in services(Settings()) if one.service.id == "visitcue-claim-submit")
    setup = Setup("hns", dt.date(2026, 3, 2))
    books_in_force.load("hns")
    reviewed = answer(hook, body, from_prefetch, setup).reviewed[0]
    book = setup.book_for(reviewed.visit.payer.book, reviewed.visit.date)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the application does when it starts
    cards = len(json.loads(wire.encode(answer(hook, body, from_prefetch, setup).cards))["cards"])
    whole, loads, alone = _interleaved(
        lambda: wire.encode(answer(hook, body, from_prefetch, setup).cards),
        lambda: json.loads(body),
        lambda: review(reviewed.visit, book),
    )
    size = f"{len(body) / 1000:.0f} KB, {cards} cards"
    yield f"bytes to cards, in process ({size})", _us(whole), f"json.loads {_us(loads)}", f"{whole / loads:.2f}", "0.80"
    yield "the review alone", _us(alone), "", "", "under 100 µs"


def _interleaved(*functions: Callable[[], object]) -> list[float]:
    """The median seconds of each function, measured in turn."""
    took: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS * 2):
        for place, function in enumerate(functions):
            began = time.perf_counter()
            for _ in range(50):
                function()
            took[place].append((time.perf_counter() - began) / 50)
    return [statistics.median(one) for one in took]


def over_http(body: bytes) -> Iterator[tuple[str, ...]]:
    """The whole request on Granian, beside the bare route on Granian with the same number of workers."""
    hook = next(one for one in services(Settings()) if one.service.id == "visitcue-claim-submit")
    ready = wire.encode(answer(hook, body, from_prefetch, Setup("hns", dt.datetime.now().astimezone().date())).cards)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        file.write_bytes(ready)
        bare_threads = ["--blocking-threads", str(THREADS)]
        with (
            _served("plugin.web.edge:worker", "rsgi", [], {}) as ours,
            _served("tests.bench.bare:create_app", "wsgi", bare_threads, {"BENCH_ANSWER": str(file)}) as bare,
        ):
            to_ours = load.request_bytes(ours, "/cds-services/visitcue-claim-submit", body)
            to_bare = load.request_bytes(bare, "/bare", body)
            for connections in (1, 16):
                yield from _compared(ours, to_ours, bare, to_bare, connections)


def _compared(ours: int, to_ours: bytes, bare: int, to_bare: bytes, connections: int) -> Iterator[tuple[str, ...]]:
    medians: tuple[list[float], list[float]] = ([], [])
    rates: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for place, (port, sent) in enumerate(((ours, to_ours), (bare, to_bare))):
            took, whole = load.run(port, sent, connections, 200)
            if turn:  # the first round warms both up
                medians[place].append(statistics.median(took))
                rates[place].append(len(took) / whole)
    mine, theirs = (statistics.median(one) for one in medians)
    title = f"claim-submit over HTTP, {connections} connection{'s' if connections > 1 else ''}"
    to_reach = "0.80" if connections == 1 else ""
    yield f"{title}: median", _us(mine), f"bare route {_us(theirs)}", f"{mine / theirs:.2f}", to_reach
    mine, theirs = (statistics.median(one) for one in rates)
    yield f"{title}: requests/s", f"{mine:.0f}", f"bare route {theirs:.0f}", f"{mine / theirs:.2f}", ""


@contextmanager
def _served(target: str, interface: str, options: list[str], environment: dict[str, str]) -> Iterator[int]:
    """The application on Granian at a free port of this machine; its log goes to a file, as in production."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        interface,
        "--factory",
        "--workers",
        str(WORKERS),
        *options,
    ]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "error", target]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log)
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"The server on port {port} did not start within ten seconds.")


def _us(seconds: float) -> str:
    return f"{seconds * 1_000_000:.0f} µs"


if __name__ == "__main__":
    main()
