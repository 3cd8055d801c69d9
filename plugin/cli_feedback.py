"""`visitcue feedback`: what became of the cards."""

import csv
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from plugin.cli_store import asked_day
from plugin.settings import Settings
from plugin.text import counted

if TYPE_CHECKING:  # the store's libraries take a moment to load, which the other commands need not wait for
    from plugin.store.report import Counted, Reasons, Report

feedback = typer.Typer(help="What became of the cards.", no_args_is_help=True)


class By(StrEnum):
    """What the cards are counted by."""

    FINDING = "finding"
    PAYER = "payer"
    SERVICE = "service"
    REASON = "reason"


@feedback.command()
def report(
    since: Annotated[str, typer.Option(metavar="DATE", help="Cards shown on this day or later.")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Cards shown on this day or before.")] = "",
    by: Annotated[By, typer.Option(help="What to count by.")] = By.FINDING,
    as_json: Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet: CSV on standard output.")] = False,
) -> None:
    """Count the cards that were shown, accepted, overridden, and of which nothing was said."""
    from plugin.store.engine import open_store
    from plugin.store.report import report as of_store

    if as_json and as_csv:
        typer.echo("--json and --csv: expected one of them.", err=True)
        raise typer.Exit(2)
    first = asked_day(since, "--since") if since else None
    last = asked_day(until, "--until") if until else None
    engine = open_store(Settings())
    told = of_store(engine, first, last, by.value)
    engine.dispose()
    rows = [_entry(row, told) for row in told.rows]
    if as_json:
        unknown = {"unknown_cards": told.unknown_cards, "unknown_suggestions": told.unknown_suggestions}
        typer.echo(json.dumps({"by": by.value, "rows": rows, "total": _entry(told.total, told), **unknown}, indent=2))
    elif as_csv:
        _write_csv(rows)
    else:
        _print(by, told)


def _entry(row: "Counted | Reasons", told: "Report") -> dict[str, Any]:
    """One row with its rates, which are parts of 1; a rate of nothing is 0."""
    from plugin.store.report import Counted

    if isinstance(row, Counted):
        return {
            "key": row.key,
            "shown": row.shown,
            "accepted": row.accepted,
            "overridden": row.overridden,
            "unanswered": row.unanswered,
            "accepted_rate": _rate(row.accepted, row.shown),
            "overridden_rate": _rate(row.overridden, row.shown),
        }
    return {
        "key": row.key,
        "system": row.system,
        "overridden": row.overridden,
        "commented": row.commented,
        "overridden_share": _rate(row.overridden, told.total.overridden),
    }


def _rate(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _write_csv(rows: list[dict[str, Any]]) -> None:
    if rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _print(by: By, told: "Report") -> None:
    total = told.total
    table = Table()
    for name in (by.value.capitalize(), *_COLUMNS[by is By.REASON]):
        table.add_column(name, overflow="fold")
    for row in told.rows:
        table.add_row(*_cells(row, total.overridden))
    if told.rows:
        Console(markup=False, emoji=False, highlight=False).print(table)
    typer.echo(
        f"{counted(total.shown, 'card')} shown: {total.accepted} accepted, {total.overridden} overridden,"
        f" nothing said of {total.unanswered}."
    )
    if told.unknown_cards:
        typer.echo(f"Feedback on {counted(told.unknown_cards, 'card')} of which there is no record.")
    if told.unknown_suggestions:
        typer.echo(f"{counted(told.unknown_suggestions, 'accepted card')} with a suggestion that it did not offer.")


_COLUMNS = (("Shown", "Accepted", "Overridden", "Nothing said"), ("System", "Overridden", "Commented"))


def _cells(row: "Counted | Reasons", overridden: int) -> list[str]:
    from plugin.store.report import Counted

    if isinstance(row, Counted):
        counts = (row.accepted, row.overridden, row.unanswered)
        return [row.key, str(row.shown), *(f"{count} ({_rate(count, row.shown):.0%})" for count in counts)]
    share = _rate(row.overridden, overridden)
    return [row.key, row.system, f"{row.overridden} ({share:.0%})", str(row.commented)]
