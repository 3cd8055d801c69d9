"""`visitcue rules`: taking in the official NCCI files, saying what is installed, and going back."""

import datetime as dt
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from mappings.ncci import importing, store
from mappings.ncci.importing import Plan
from mappings.ncci.store import Kind
from plugin.settings import Settings

rules = typer.Typer(help="The official NCCI tables of this installation.", no_args_is_help=True)

NAMES: dict[Kind, str] = {"pairs": "pair edits (PTP)", "limits": "units (MUE)"}
REVIEWED: dict[Kind, str] = {"pairs": "pairs of codes", "limits": "codes"}
FEWEST: dict[Kind, int] = {"pairs": 1_000_000, "limits": 5_000}
"""Fewer rows than this, and somebody should look: the official tables have about 2.5 million and 15 thousand."""

RESTART = "A running service takes it up when it is restarted."


@rules.command(name="import-ncci")
def import_ncci(
    files: Annotated[
        list[Path],
        typer.Argument(help="The zips from CMS, or the .txt, .csv or .xlsx files in them.", show_default=False),
    ],
    edition: Annotated[str, typer.Option(help="Year and quarter, such as 2026q3, where no file name says it.")] = "",
) -> None:
    """Take in the quarterly practitioner files: all parts of the PTP table, the MUE table, or both."""
    began = time.monotonic()
    today = dt.datetime.now().astimezone().date()
    every = importing.plans(files, edition)
    done = _run(every, Settings().ncci_folder, today)
    for one in done:
        typer.echo(
            f"{one.edition}: {one.rows:,} rows of {NAMES[one.kind]} stored, with {one.reviewed:,} {REVIEWED[one.kind]}"
            " that VisitCue reviews."
        )
        if one.rows < FEWEST[one.kind]:
            typer.echo(f"That is less than the official table has: expected at least {FEWEST[one.kind]:,} rows.")
    typer.echo(f"It took {time.monotonic() - began:.1f} seconds. {RESTART}")


def _run(every: list[Plan], into: Path, today: dt.date) -> list[importing.Imported]:
    """Imports with a bar that shows how far it is, where there is a terminal to show it on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return importing.run(every, into, today, lambda _: None)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Importing", total=sum(plan.size for plan in every))
        return importing.run(every, into, today, lambda size: progress.advance(task, size))


@rules.command()
def editions(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")] = False,
) -> None:
    """Say which edition of each table answers, and what it was imported from."""
    listed = [_entry(kind) for kind in store.FILES]
    if as_json:
        typer.echo(json.dumps(listed, indent=2))
        return
    table = Table("Table", "Edition", "Rows", "Imported")
    table.add_column("Files", overflow="fold")
    for one in listed:
        names = "\n".join(file["name"] for file in one["files"])
        table.add_row(NAMES[one["table"]], one["edition"], f"{one['rows']:,}", one["imported"] or "embedded", names)
    Console(markup=False, emoji=False, highlight=False).print(table)


def _entry(kind: Kind) -> dict[str, Any]:
    found = store.installed(Settings().ncci_folder, kind)
    if found is None:
        edition, rows = importing.embedded(kind)
        return {"table": kind, "edition": edition, "rows": rows, "imported": None, "files": []}
    return {
        "table": kind,
        "edition": found.edition,
        "rows": found.rows,
        "imported": found.imported.isoformat(),
        "files": [{"name": file.name, "sha256": file.sha256} for file in found.files],
    }


@rules.command(name="remove-ncci")
def remove_ncci() -> None:
    """Go back to the tables that come with VisitCue."""
    gone = store.remove(Settings().ncci_folder)
    for kind in gone:
        typer.echo(f"Removed: {NAMES[kind]}. The embedded table answers again.")
    typer.echo(RESTART if gone else "Nothing was imported; the embedded tables answer.")
