"""`python -m tests.bench.importing`: taking in a table of the official one's size, and looking pairs up in it.

Four zips of made-up rows are written into a temporary folder and imported by the console command in a process of its
own, whose peak of memory is that of the import alone.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mappings import tables
from mappings.ncci import store
from tests import ncci_files
from tests.command import COMMAND

ROWS = 2_500_000


def main() -> None:
    """Generate, import, look up, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = _generate(folder)
        table = Table("What", "Measured", "Goal")
        for row in _measured(folder, paths):
            table.add_row(*row)
        Console().print(table)


def _generate(folder: Path) -> list[Path]:
    """The four zips of a whole table, written row by row so that this process stays smaller than the measured one."""
    paths = []
    rows = ncci_files.many_pairs(ROWS)
    share = ROWS // len(ncci_files.INNER_NAMES)
    for part, inner in enumerate(ncci_files.INNER_NAMES, start=1):
        paths.append(folder / ncci_files.PTP_NAME.format(part))
        last = part == len(ncci_files.INNER_NAMES)
        with zipfile.ZipFile(paths[-1], "w", zipfile.ZIP_DEFLATED) as archive, archive.open(inner, "w") as file:
            file.write(ncci_files.ptp_text(()))
            for count, row in enumerate(rows, start=1):
                file.write(("\t".join(ncci_files.fields(row)) + "\r\n").encode("latin-1"))
                if count == share and not last:
                    break
    return paths


def _measured(folder: Path, paths: list[Path]) -> Iterator[tuple[str, ...]]:
    data = folder / "data"
    environment = {**os.environ, "VISITCUE_DATA_DIR": str(data)}
    began = time.perf_counter()
    subprocess.run([COMMAND, "rules", "import-ncci", *paths], env=environment, check=True, stdout=sys.stderr)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    ncci = data / "ncci"
    (about,) = store.installed(ncci, "pairs")
    yield "rows stored", f"{about.rows:,}", "2,500,000 read"
    yield "import, command and all", f"{seconds:.1f} s", "under 120 s"
    yield "rows a second", f"{about.rows / seconds:,.0f}", ""
    yield "peak memory", f"{peak:.0f} MB", "under 150 MB"
    yield "size on disk", f"{sum(path.stat().st_size for path in ncci.iterdir()) / 1e6:.0f} MB", ""
    yield from _look_ups(ncci)


def _look_ups(ncci: Path) -> Iterator[tuple[str, ...]]:
    codes = sorted(tables.codes())
    yield "every row of 97140, file opened", f"{_ms(lambda: store.pairs_of(ncci, '97140')):.1f} ms", ""
    yield "a code that is not there, file opened", f"{_ms(lambda: store.pairs_of(ncci, 'ZZZZZ')):.1f} ms", ""
    yield f"all pairs of {len(codes)} codes, file opened", f"{_ms(lambda: store.stored_pairs(ncci, codes)):.1f} ms", ""


def _ms(call: Callable[[], object]) -> float:
    took = []
    for _ in range(9):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


if __name__ == "__main__":
    main()
