"""`visitcue store`: where cards and feedback are kept, its version, and removing what is old."""

import datetime as dt
import json
from typing import Annotated

import msgspec
import typer

from mappings.errors import shown
from plugin.settings import Settings
from plugin.text import counted

# The store's libraries take a moment to load, which the other commands need not wait for.

store = typer.Typer(help="The store of cards, feedback and used tokens.", no_args_is_help=True)


@store.command()
def info(
    as_json: Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")] = False,
) -> None:
    """Say where the store is, its version, and how much is in it; nothing is changed."""
    from plugin.store.engine import connect
    from plugin.store.info import info as of_store

    engine = connect(Settings())
    told = of_store(engine)
    engine.dispose()
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(told), indent=2))
        return
    typer.echo(f"Store: {shown(told.address)}")
    newer = "" if told.version == told.newest else f"; this VisitCue works with {told.newest}"
    typer.echo(f"Version: {told.version or 'none, it is empty'}{newer}")
    for name, rows in told.rows.items():
        typer.echo(f"{name.replace('_', ' ').capitalize()}: {rows:,}")


@store.command()
def migrate() -> None:
    """Make the tables, or bring them up to this program's version; the service does so too when it starts."""
    from plugin.store.engine import open_store
    from plugin.store.info import info as of_store

    engine = open_store(Settings())
    told = of_store(engine)
    engine.dispose()
    typer.echo(f"The store {shown(told.address)} has version {told.version}.")


@store.command()
def prune(
    before: Annotated[str, typer.Option(metavar="DATE", help="The first day that is kept, such as 2026-01-01.")],
) -> None:
    """Remove the cards that were shown before a day, and their feedback."""
    from plugin.store.engine import open_store
    from plugin.store.retention import prune as remove

    day = asked_day(before, "--before")
    engine = open_store(Settings())
    gone = remove(engine, day)
    engine.dispose()
    typer.echo(f"Removed: {counted(gone.cards, 'card')}, {counted(gone.feedback, 'row')} of feedback.")


def asked_day(text: str, option: str) -> dt.date:
    """The day that an option names; ends the command with one line where it is none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        typer.echo(f"{option}: expected a date such as 2026-01-01, not {text!r}.", err=True)
        raise typer.Exit(2) from None
