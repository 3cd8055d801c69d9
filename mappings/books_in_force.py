"""From books to the one rule book of a payer on a date of service, and from printed names to a payer.

Books are layered like a law and its reforms: a payer's own file first, then the book that it extends.
"""

import datetime as dt
import functools
import re
from pathlib import Path
from typing import Any

import msgspec

from mappings import book_files, ncci_in_force
from mappings.book_files import Book, KnownAs
from mappings.errors import RuleFileError
from mappings.ncci_in_force import NcciTables
from mappings.rule_book import Element, Limit, Pair, Rule, RuleBook

BASE = "national"


class UnknownPayerError(Exception):
    """No book has this id; the message lists those that exist."""


@functools.cache
def books() -> dict[str, Book]:
    """The books of the installation, by id, read once; raises RuleFileError."""
    return book_files.read_books()


def payer_books() -> list[Book]:
    """The books that a payer or network can be known by, in the order of their ids; the base is none."""
    return [book for key, book in books().items() if key != BASE]


def chain(payer: str) -> tuple[Book, ...]:
    """The payer's book and those beneath it, own rules first."""
    known = books()
    if payer not in known:
        ids = ", ".join(known)
        raise UnknownPayerError(f"There is no rule book {payer!r}; the books are {ids}.")
    layers = [known[payer]]
    while layers[-1].extends:
        layers.append(known[layers[-1].extends])
    return tuple(layers)


@functools.cache
def begins() -> dt.date:
    """The first date of service that the books answer for."""
    return min(entry.since for entry in books()[BASE].rules["units_method"])


@functools.cache
def embedded_ncci() -> NcciTables:
    """The NCCI tables that come with VisitCue."""
    return ncci_in_force.embedded(books()[BASE].sources)


def installed_ncci(folder: Path) -> NcciTables:
    """The NCCI tables of an installation, embedded where none was imported; raises RuleFileError."""
    return ncci_in_force.installed(folder, books()[BASE].sources)


def rule_book(payer: str, on: dt.date, ncci: NcciTables | None = None) -> RuleBook:
    """The rules of a payer in force on a date of service (on the books' first day for an earlier one).

    `ncci` are the installation's tables; without them the embedded ones answer.
    """
    return _rule_book(payer, on, ncci or embedded_ncci())


@functools.lru_cache(maxsize=4096)
def _rule_book(payer: str, on: dt.date, ncci: NcciTables) -> RuleBook:
    layers = chain(payer)
    day = max(on, begins())
    rules: dict[str, Any] = {}
    own: set[str] = set()
    for key in book_files.VALUE_TYPES:
        for layer in layers:
            entry = next((entry for entry in layer.rules.get(key, ()) if entry.in_force(day)), None)
            if entry is not None:
                rules[key] = entry.rule
                if layer.id != BASE:
                    own.add(key)
                break
    pairs = _pairs_on(day, ncci)
    of_payer = rules.get("own_pairs")
    if of_payer is not None:
        stated = {
            (one, two): Pair(one, two, 1, Rule("1", of_payer.source, of_payer.confidence))
            for one, two in of_payer.value
        }
        pairs = {**pairs, **{key: pair for key, pair in stated.items() if key not in pairs or pairs[key].indicator}}
    return RuleBook(
        id=payer,
        title=layers[0].title,
        on=on,
        edition=edition(payer, ncci),
        pairs=pairs,
        own=frozenset(own),
        pairs_known=ncci.whole_from <= day,
        limits=_limits_on(day, ncci),
        elements=_elements(payer),
        **rules,
    )


def edition(payer: str, ncci: NcciTables | None = None) -> str:
    """The edition of a book: the newest date among its layers, and the NCCI tables' edition."""
    newest = max(layer.edition for layer in chain(payer))
    return f"{payer}@{newest}+{(ncci or embedded_ncci()).edition}"


@functools.lru_cache(maxsize=4096)
def _pairs_on(day: dt.date, ncci: NcciTables) -> dict[tuple[str, str], Pair]:
    return {(dated.pair.column1, dated.pair.column2): dated.pair for dated in ncci.pairs if dated.in_force(day)}


@functools.lru_cache(maxsize=4096)
def _limits_on(day: dt.date, ncci: NcciTables) -> dict[str, Limit]:
    return {dated.limit.code: dated.limit for dated in ncci.limits if dated.in_force(day)}


@functools.cache
def _elements(payer: str) -> dict[str, tuple[Element, ...]]:
    """The documentation elements that a payer asks for, by billing code."""
    ids = [layer.id for layer in chain(payer)]
    asked: dict[str, list[Element]] = {}
    for entry in book_files.read_elements():
        level = next((entry.levels[book] for book in ids if book in entry.levels), "none")
        if level == "none":
            continue
        if entry.confidence == "uncertain":
            level = "should"  # an uncertain fact may only inform
        element = Element(
            id=entry.id,
            level=level,
            of_visit=entry.of_visit,
            when=entry.when,
            label=entry.label,
            ask=entry.ask,
            answer=entry.answer,
            satisfied_by=entry.satisfied_by,
            source=entry.source,
        )
        for code in entry.codes:
            asked.setdefault(code, []).append(element)
    return {code: tuple(sorted(found, key=lambda e: e.level != "must")) for code, found in asked.items()}


ANOTHER_PLAN = re.compile(
    r"\b(?:medicare|medicaid|medigap|supplement(?:al)?|tricare|military|secondary|declined|not|workers|auto"
    r"|advantage|community plan|dual|snp|dsnp|d snp|better health|healthspring|healthkeepers plus|gold plus"
    r"|healthy blue|complete care)\b"
)
"""Words beside a payer's name that speak of another plan than the one whose rules the book holds."""


def payer_known_as(identifiers: tuple[tuple[str, str], ...], names: tuple[str, ...]) -> str:
    """The id of the book for a payer's identifiers (system, value) and printed names, "" where none is known.

    Identifiers are looked at before names. A name matches when the book's name stands in it as whole words and no
    word beside it speaks of another plan; the longest matching name wins, so that "Aetna (NC State Health Plan)" is
    the state's plan. A network steps back behind a payer of its own that is printed too.
    """
    known = _known()
    for system, value in identifiers:
        found = known.identifiers.get((system.rstrip("/").lower(), value.strip().lower()))
        if found:
            return found
    printed = [book for name in names if (book := _by_name(name))]
    of_network = (book for book in printed if books()[book].extends in printed)
    return next(of_network, printed[0] if printed else "")


def speaks_against(book: str, plan: str) -> bool:
    """Whether what a plan is called speaks of another plan than the one whose rules the payer's book holds."""
    return bool(ANOTHER_PLAN.search(_plain_name(plan))) and _by_name(plan) != book


@functools.lru_cache(maxsize=4096)
def _by_name(name: str) -> str:
    known = _known()
    plain = _plain_name(name)
    if plain in known.whole_names:
        return known.whole_names[plain]
    for part, book in known.names:
        before, found, after = f" {plain} ".partition(f" {part} ")
        if found:
            return "" if ANOTHER_PLAN.search(f"{before} {after}") else book
    return ""


class _Known(msgspec.Struct, frozen=True):
    """How payers are known: by identifier, by a whole name, by words within a name (the longest first)."""

    identifiers: dict[tuple[str, str], str]
    whole_names: dict[str, str]
    names: list[tuple[str, str]]


@functools.cache
def _known() -> _Known:
    every = [(known, book.id) for book in payer_books() for known in book.known_as]
    names = [(_plain_name(known.name), book) for known, book in every if not known.value and not known.whole]
    return _Known(
        identifiers={_identifier(known): book for known, book in every if known.value},
        whole_names={_plain_name(known.name): book for known, book in every if known.whole},
        names=sorted(names, key=lambda pair: -len(pair[0])),
    )


def _identifier(known: KnownAs) -> tuple[str, str]:
    return known.system.rstrip("/").lower(), known.value.strip().lower()


@functools.lru_cache(maxsize=4096)
def _plain_name(name: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", name.lower()).split())


class Question(msgspec.Struct, frozen=True):
    """A documentation element as a form asks for it; `answer` is text, minutes, yes-no or number."""

    id: str
    ask: str
    answer: str


@functools.cache
def questions() -> dict[str, Question]:
    """Every documentation element as a question, by its id."""
    return {one.id: Question(one.id, one.ask, one.answer) for one in book_files.read_elements()}


def load(base: str) -> None:
    """Read every file now, so that a bad one stops the start; raises RuleFileError or UnknownPayerError."""
    for book in [base, *(book.id for book in payer_books())]:
        rule_book(book, dt.date.max)
    payer_known_as((), ("",))
    for element in book_files.read_elements():
        for book in element.levels.keys() - books().keys():
            raise RuleFileError(f"documentation.toml: {element.id}.levels: there is no book {book!r}.")
    questions()
