"""The command line: `visitcue serve|review|explain|payers|findings|codes|validate|reference|rules|feedback|store`.

Exit status 0: all well. 1: critical findings, an invalid resource or stale pages. 2: something could not be done, said
in one line.
"""

import datetime as dt
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.table import Table

from cds_hooks.outcome import Refusal
from mappings import books_in_force, tables
from mappings.books_in_force import UnknownPayerError
from mappings.errors import RuleFileError, shown
from mappings.ncci import store
from plugin import (
    cli_explain,
    cli_feedback,
    cli_payers,
    cli_rules,
    cli_store,
    finding_list,
    reference,
    serving,
    strict,
    trust_file,
)
from plugin.answer import Answer, Setup
from plugin.cards import EXTENSION
from plugin.documents import review_document
from plugin.explain import Explanation, NotExplainedError, explained
from plugin.explain_imported import ImportedExplanation, explained_by_imported
from plugin.loopback import is_loopback
from plugin.services import services
from plugin.settings import Settings
from plugin.store.errors import StoreError
from plugin.trust_file import TrustFileError

CRITICAL, FAILED = 1, 2

cli = typer.Typer(
    help="Reviews therapy and chiropractic billing inside the EHR, over FHIR and CDS Hooks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
cli.add_typer(cli_rules.rules, name="rules")
cli.add_typer(cli_feedback.feedback, name="feedback")
cli.add_typer(cli_store.store, name="store")
AsJson = Annotated[bool, typer.Option("--json", help="For machines: JSON on standard output.")]
Files = Annotated[list[Path], typer.Argument(help="JSON files.", show_default=False)]
On = Annotated[str, typer.Option("--on", metavar="DATE", help="Date of service, such as 2026-03-02.")]


def main() -> None:
    """The console command. A fault of the installation's rule files is one line, not a traceback."""
    try:
        cli()
    except (RuleFileError, UnknownPayerError, NotExplainedError, SettingsError, StoreError, TrustFileError) as error:
        _fail(str(error))
    except ValidationError as error:
        told = ((str(one["loc"][0]).upper(), one["msg"].removeprefix("Value error, ")) for one in error.errors())
        _fail("; ".join(f"VISITCUE_{name}: {words}." for name, words in told))
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        _fail(f"{error.filename or 'The system says'}: {error.strerror or error}.")


@cli.callback(invoke_without_command=True)
def root(
    show: Annotated[bool, typer.Option("--version", help="Print the version and stop.", is_eager=True)] = False,
) -> None:
    """What stands before every command."""
    if show:
        print(f"visitcue {version('visitcue')}")
        raise typer.Exit


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Worker processes.", min=1)] = 1,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Allow an address other than loopback, where anybody may call.")
    ] = False,
) -> None:
    """Start the service."""
    settings = Settings(insecure=True) if insecure else Settings()
    if settings.why_not_reached and not is_loopback(host):
        _fail(f"{host} can be reached from outside, and {settings.why_not_reached}; or listen on 127.0.0.1.")
    try:
        taken = serving.is_taken(host, port)
    except OSError as error:
        _fail(f"{host} is no address to listen on: {error.strerror}.")
    if taken:
        _fail(f"Port {port} on {host} is in use: stop what listens there, or name another one with --port.")
    books_in_force.load(settings.base_book)
    books_in_force.installed_ncci(settings.ncci_folder)
    if settings.trust_file:
        trust_file.load(settings.trust_file)
    from plugin.store.engine import open_store

    open_store(settings).dispose()  # the workers open it each for itself
    if insecure:
        os.environ["VISITCUE_INSECURE"] = "true"  # for the workers, which read the settings themselves
    print(serving.banner(host, port, settings.public_url, trusted=settings.trust_file is not None))
    serving.run(host, port, workers, settings.log_level)


@cli.command()
def review(
    files: Files,
    as_json: AsJson = False,
    base_book: Annotated[str, typer.Option(help="Rule book for a payer that is not recognised.")] = "",
) -> None:
    """Review hook requests, Claims or Bundles from files; exit status 1 where a finding is critical."""
    settings = Settings()
    ncci = books_in_force.installed_ncci(settings.ncci_folder)
    today = dt.datetime.now().astimezone().date()
    setup = Setup(base_book.strip().lower() or settings.base_book, today, ncci, settings.practice)
    books_in_force.chain(setup.base_book)
    told = []
    for file in files:
        try:
            told.append((file, review_document(_bytes(file), services(settings), setup)))
        except Refusal as refusal:
            _fail("; ".join(f"{file}: {issue.diagnostics}" for issue in refusal.issues))
    if as_json:
        print(json.dumps([{"file": str(file), **_for_machines(answer)} for file, answer in told], indent=2))
    else:
        for file, answer in told:
            _print_findings(file, answer)
    if any(card.indicator == "critical" for _, answer in told for card in answer.cards):
        raise typer.Exit(CRITICAL)


def _for_machines(answer: Answer) -> dict[str, Any]:
    cards = json.loads(msgspec.json.encode(answer.cards))
    return {
        "findings": [{**card["extension"][EXTENSION], "level": card["indicator"]} for card in cards],
        "cards": cards,
    }


def _print_findings(file: Path, answer: Answer) -> None:
    console = _console()
    if not answer.cards:
        found = "reviewed, nothing found." if answer.reviewed else "no line of ours in it."
        console.print(f"{shown(str(file))}: {found}")
        return
    table = Table(title=shown(str(file)), title_justify="left")
    for column, whole in (("", True), ("Finding", True), ("Lines", False), ("What", False)):
        table.add_column(column, overflow="fold", no_wrap=whole)  # a code that is broken cannot be looked up
    for card in answer.cards:
        finding = card.extension[EXTENSION]
        table.add_row(card.indicator, finding["code"], "\n".join(finding.get("lines", ())), card.summary)
    console.print(table)


@cli.command()
def explain(
    code: Annotated[str, typer.Argument(help="A billing code, such as 97140.", show_default=False)],
    payer: Annotated[str, typer.Option(help="A rule book's id; the base book where it is left out.")] = "",
    on: On = "",
    as_json: AsJson = False,
) -> None:
    """Print everything that touches a code: rules, pair edits, units, documentation; today, or on a date of service."""
    settings = Settings()
    day = _date(on) or dt.datetime.now().astimezone().date()
    number, book = code.strip().upper(), payer.strip().lower() or settings.base_book
    ncci = books_in_force.installed_ncci(settings.ncci_folder)
    books_in_force.chain(book)
    told: Explanation | ImportedExplanation | None = None
    pairs = store.pairs_of(settings.ncci_folder, number) if number.isascii() else None
    if number.isascii() and number not in tables.codes():
        told = explained_by_imported(number, day, pairs, store.stored_limits(settings.ncci_folder, [number]))
    told = told or explained(number, book, day, ncci, pairs)
    if as_json:
        print(json.dumps(msgspec.to_builtins(told), indent=2))
    else:
        print(cli_explain.text(told) if isinstance(told, Explanation) else cli_explain.text_of_imported(told))


@cli.command()
def payers(
    name: Annotated[str, typer.Argument(help="A rule book's id: print it with its sources, to be signed off.")] = "",
    on: On = "",
    as_json: AsJson = False,
) -> None:
    """List the rule books, or print one with its sources: every value, or what is in force on a date of service."""
    ncci = books_in_force.installed_ncci(Settings().ncci_folder)
    if name:
        layers, day = books_in_force.chain(name.strip().lower()), _date(on)
        whole = cli_payers.whole(layers, day, ncci)
        print(json.dumps(whole, indent=2) if as_json else cli_payers.sheet(layers, day, ncci))
        return
    if on:
        _fail("--on: name a rule book as well, such as `visitcue payers bcbsnc --on 2026-03-02`.")
    listed = [cli_payers.entry(book, ncci) for book in books_in_force.payer_books()]
    if as_json:
        print(json.dumps(listed, indent=2))
        return
    table = Table("Id", "Title", "Extends")
    table.add_column("Edition", overflow="fold")
    for one in listed:
        table.add_row(one["id"], one["title"], one["extends"], one["edition"])
    _console().print(table)


@cli.command(name="findings")
def list_findings(as_json: AsJson = False) -> None:
    """List every finding that the review can make."""
    if as_json:
        print(json.dumps([{"code": kind.code, "name": kind.name} for kind in finding_list.KINDS], indent=2))
        return
    table = Table("Code", "Name")
    for kind in finding_list.KINDS:
        table.add_row(kind.code, kind.name)
    _console().print(table)


@cli.command()
def codes(as_json: AsJson = False) -> None:
    """List the billing codes that the review knows, with our own short labels."""
    known = list(tables.codes().values())
    if as_json:
        print(json.dumps([msgspec.to_builtins(code) for code in known], indent=2))
        return
    table = Table("Code", "Label", "Kind", "Timed")
    for code in known:
        table.add_row(code.code, code.label, code.kind, "yes" if code.timed else "no")
    _console().print(table)


@cli.command()
def validate(files: Files) -> None:
    """Check resources, or those in hook requests, strictly against FHIR R4; exit status 1 where one is invalid."""
    invalid = False
    for file in files:
        try:
            faults = strict.faults_of_document(json.loads(_bytes(file)))
        except (ValueError, RecursionError) as error:
            _fail(f"{file}: this is not JSON: {error}.")
        invalid = invalid or bool(faults)
        for fault in faults or ["valid FHIR R4."]:
            print(shown(f"{file}: {fault}"))
    if invalid:
        raise typer.Exit(CRITICAL)


@cli.command(name="reference")
def write_reference(
    folder: Annotated[Path, typer.Argument(help="The checkout in which the pages stand.")] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; status 1 where a page is stale.")] = False,
) -> None:
    """Write the pages on findings, rule books and settings anew, from what they tell of."""
    try:
        if not folder.is_dir():
            _fail(f"{folder}: this is no folder.")
        reference.check_folder(folder)
        changed = reference.stale(folder) if check else reference.write(folder)
    except reference.NotOursError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or folder}: {error.strerror}.")
    for name in changed:
        print(f"{shown(str(folder / name))}: {'stale; `make docs` writes it anew.' if check else 'written.'}")
    if check and changed:
        raise typer.Exit(CRITICAL)


def _date(text: str) -> dt.date | None:
    """A date of service that the books answer for; None where none is named."""
    try:
        day = dt.date.fromisoformat(text) if text else None
    except ValueError:
        _fail(f"--on: expected a date such as 2026-03-02, not {text!r}.")
    if day is not None and day < books_in_force.begins():
        _fail(f"--on: the rule books begin on {books_in_force.begins()}; nothing is known of {day}.")
    return day


def _console() -> Console:
    """A console that prints every word as it is: file names and ids are no markup."""
    return Console(markup=False, emoji=False, highlight=False)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        _fail(f"{file}: {error.strerror}.")


def _fail(sentence: str) -> NoReturn:
    print(shown(sentence), file=sys.stderr)
    raise SystemExit(FAILED)
