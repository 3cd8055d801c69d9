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

from mappings.errors import shown
from mappings.ncci import drafts, importing, store
from mappings.ncci.importing import FEWEST, Allowed, Imported, Plan
from mappings.ncci.store import Kind
from plugin.settings import Settings
from plugin.text import counted

rules = typer.Typer(help="The official NCCI tables of this installation.", no_args_is_help=True)

NAMES: dict[Kind, str] = {"pairs": "pair edits (PTP)", "limits": "units (MUE)"}
REVIEWED: dict[Kind, str] = {"pairs": "pairs of codes", "limits": "codes"}
INTERRUPTED = 130
"""What a shell reports of a command that was interrupted."""

RESTART = "A running service takes it up when it is restarted."


@rules.command(name="import-ncci")
def import_ncci(
    files: Annotated[
        list[Path],
        typer.Argument(help="The zips from CMS, or the .txt, .csv or .xlsx files in them.", show_default=False),
    ],
    edition: Annotated[str, typer.Option(help="Year and quarter, such as 2026q3, where no file name says it.")] = "",
    few_rows: Annotated[
        bool, typer.Option("--few-rows", help="Take in a table that has fewer rows than the official one.")
    ] = False,
    replace_newer: Annotated[
        bool, typer.Option("--replace-newer", help="Take in pairs that are older than those that are installed.")
    ] = False,
) -> None:
    """Take in the quarterly practitioner files: all parts of the PTP table, the MUE table, or both."""
    began = time.monotonic()
    today = dt.datetime.now().astimezone().date()
    folder = Settings().ncci_folder
    try:
        every = importing.plans(files, today, edition)
        if len(quarters := {plan.edition for plan in every}) > 1:
            typer.echo(f"These files are of different quarters: {' and '.join(sorted(quarters))}.", err=True)
        done = _run(every, folder, today, Allowed(few_rows, replace_newer))
    except KeyboardInterrupt:
        typer.echo("Interrupted: `visitcue rules editions` says which editions are installed.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    for one in done:
        _tell(one)
    typer.echo(f"Stored in {shown(str(folder))}, in {time.monotonic() - began:.1f} seconds. {RESTART}")


def _tell(one: Imported) -> None:
    """What became of one table; what somebody should look at goes to standard error."""
    typer.echo(
        f"{one.edition}: {one.rows:,} rows of {NAMES[one.kind]} stored, with {one.reviewed:,} {REVIEWED[one.kind]}"
        " that VisitCue reviews."
    )
    if one.replaces:
        typer.echo(f"They replace those of {one.replaces}.")
    if one.kept:
        typer.echo(f"For their own quarters these are kept: {', '.join(one.kept)}.")
    if one.contradictions:
        typer.echo(
            f"{counted(one.contradictions, 'pair')} of {one.edition} with rows of the same days that differ: where one"
            " of them says that no modifier helps, it is the one that answers.",
            err=True,
        )
    if one.rows < FEWEST[one.kind]:
        typer.echo(f"{one.edition}: that is less than the official table has, {FEWEST[one.kind]:,} rows.", err=True)
    if one.warning:
        typer.echo(shown(one.warning), err=True)


def _run(every: list[Plan], into: Path, today: dt.date, allowed: Allowed) -> list[Imported]:
    """Imports with a bar that shows how far it is, where there is a terminal to show it on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        return importing.run(every, into, today, lambda _: None, allowed)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("Importing", total=sum(plan.size for plan in every))
        return importing.run(every, into, today, lambda size: progress.advance(task, size), allowed)


@rules.command()
def editions(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")] = False,
) -> None:
    """Say which editions of each table answer, and what they were imported from."""
    folder = Settings().ncci_folder
    listed = [entry for kind in store.FILES for entry in _entries(folder, kind)]
    if as_json:
        typer.echo(json.dumps(listed, indent=2))
        return
    table = Table("Table", "Edition", "Rows", "Imported")
    table.add_column("Files", overflow="fold")
    for one in listed:
        names = "\n".join(file["name"] for file in one["files"])
        table.add_row(NAMES[one["table"]], one["edition"], f"{one['rows']:,}", one["imported"] or "embedded", names)
    Console(markup=False, emoji=False, highlight=False).print(table)
    typer.echo(f"Imported tables are looked for in {shown(str(folder))}")


def _entries(folder: Path, kind: Kind) -> list[dict[str, Any]]:
    """The editions that answer, the oldest first: of the pairs one, of the units the embedded one among them."""
    listed: list[dict[str, Any]] = [
        {
            "table": kind,
            "edition": one.edition,
            "rows": one.rows,
            "imported": one.imported.isoformat(),
            "files": [{"name": file.name, "sha256": file.sha256} for file in one.files],
            "folder": str(folder),
        }
        for one in store.installed(folder, kind)
    ]
    edition, rows = importing.embedded(kind)
    if not listed or (kind == "limits" and edition not in {one["edition"] for one in listed}):
        listed.append(
            {"table": kind, "edition": edition, "rows": rows, "imported": None, "files": [], "folder": str(folder)}
        )
    return sorted(listed, key=lambda one: str(one["edition"]))


@rules.command(name="remove-ncci")
def remove_ncci() -> None:
    """Go back to the tables that come with VisitCue."""
    folder = Settings().ncci_folder
    gone, unfinished = store.remove(folder), drafts.remove_unfinished(folder)
    for kind in gone:
        typer.echo(f"Removed: {NAMES[kind]}. The embedded table answers again.")
    if unfinished:
        typer.echo(f"Removed: {counted(unfinished, 'file')} of imports that did not end.")
    typer.echo(RESTART if gone else "Nothing was imported; the embedded tables answer.")
