"""What a rule book says, value by value: which layer says it, on which dates it answers, and all of it in words."""

import datetime as dt
import functools
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from mappings import book_files, books_in_force, ncci_in_force, tables
from mappings.book_files import Book, CatalogueElement, Dated
from mappings.rule_book import Cap, Misplaced, RuleBook, Source
from mappings.tables import Code

WIDTH = 100
_DAY = dt.timedelta(days=1)
_LEVELS = ("must", "should", "none")

CONFIDENCE: Mapping[str, str] = {
    "primary": "read in what the rule's own author says",
    "secondary": "read in what others say of it",
    "uncertain": "informs only, and nothing is advised on it",
}
"""What each confidence means."""

WHEN: Mapping[str, str] = {
    "always": "always",
    "timed": "where it is billed by time",
    "setting": "where the device has settings",
    "equipment-used": "where equipment was used",
    "cmt-same-day": "beside a manipulation on the same day",
    "no-x-ray": "where no X-ray shows it",
    "over-30-days": "when the certification of the plan is due",
    "each-10-days": "when a progress report is due",
    "each-12-visits": "when a re-evaluation is due",
}
"""The conditions under which a documentation element is asked for."""

ONLY_EMBEDDED = (
    f"Only the table that comes with VisitCue ({ncci_in_force.EMBEDDED}) answers here: later quarters are not held."
    " `visitcue rules import-ncci` takes in the official files."
)
"""What is told of a table that was not imported."""

_GROUPS: tuple[tuple[str, Callable[[Code], bool]], ...] = (
    ("every therapy and modality", lambda code: code.is_therapy),
    ("every therapy, modality and manipulation", lambda code: code.is_therapy or code.is_cmt),
    ("every therapy billed by time", lambda code: code.timed and code.is_therapy),
    ("every device with settings", lambda code: code.setting),
)
"""The groups of codes that the documentation catalogue names."""


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """Dates of service, from the first to the last (None for open)."""

    since: dt.date
    until: dt.date | None = None

    def holds(self, on: dt.date) -> bool:
        """Whether it has this date in it."""
        return self.since <= on and (self.until is None or on <= self.until)


class Value(msgspec.Struct, frozen=True):
    """One dated value of one layer. `in_force` are the dates on which no nearer layer, `overridden_by`, answers."""

    key: str
    book: str
    dated: Dated
    in_force: tuple[Span, ...]
    overridden_by: tuple[str, ...]

    @property
    def span(self) -> Span:
        """The dates that the layer itself states."""
        return Span(self.dated.since, self.dated.until)


class Asked(msgspec.Struct, frozen=True):
    """A documentation element with the level (must, should or none) that it has, and the book that gives it."""

    element: CatalogueElement
    level: str
    book: str


def values(layers: tuple[Book, ...], on: dt.date | None = None) -> tuple[Value, ...]:
    """Every value of every layer, own ones first; with a date, only those that answer for it."""
    found: list[Value] = []
    for layer in layers:
        nearer = tuple(found)
        for key, entries in layer.rules.items():
            above = [one for one in nearer if one.key == key]
            found += [_value(key, layer.id, dated, above) for dated in entries]
    return tuple(one for one in found if on is None or any(span.holds(on) for span in one.in_force))


def _value(key: str, book: str, dated: Dated, above: list[Value]) -> Value:
    left = [Span(dated.since, dated.until)]
    by = []
    for other in above:
        rest = [piece for span in left for piece in _without(span, other.span)]
        if rest != left:
            by.append(other.book)
        left = rest
    return Value(key, book, dated, tuple(left), tuple(dict.fromkeys(by)))


def _without(span: Span, other: Span) -> Iterator[Span]:
    """What is left of some dates when others are taken out."""
    last, others_last = span.until or dt.date.max, other.until or dt.date.max
    if other.since > last or others_last < span.since:
        yield span
        return
    if span.since < other.since:
        yield Span(span.since, other.since - _DAY)
    if others_last < last:
        yield Span(others_last + _DAY, span.until)


def silent(shown: tuple[Value, ...]) -> tuple[str, ...]:
    """The rules that none of the values is about."""
    said = {one.key for one in shown}
    return tuple(key for key in book_files.VALUE_TYPES if key not in said)


def asked(layers: tuple[Book, ...]) -> tuple[Asked, ...]:
    """Every documentation element to which a layer gives a level; must before should before none."""
    book = books_in_force.rule_book(layers[0].id, books_in_force.begins())
    levels = {one.id: one.level for found in book.elements.values() for one in found}
    every = [
        Asked(element, levels.get(element.id, "none"), layer.id)
        for element in catalogue()
        for layer in [one for one in layers if one.id in element.levels][:1]
    ]
    return tuple(sorted(every, key=lambda one: _LEVELS.index(one.level)))


@functools.cache
def catalogue() -> tuple[CatalogueElement, ...]:
    """The documentation catalogue, read once."""
    return book_files.read_elements()


@functools.cache
def _meanings() -> dict[str, str]:
    """What each rule is about, as the docstring of RuleBook says it, which is the one list of them."""
    rows = (line.strip().partition(" ") for line in (RuleBook.__doc__ or "").splitlines())
    return {key: " ".join(words.split()) for key, _, words in rows if key in book_files.VALUE_TYPES}


def meaning(key: str) -> str:
    """What a rule is about."""
    return _meanings()[key]


def in_words(value: Any) -> str:
    """A rule's value for people."""
    match value:
        case bool():
            return "yes" if value else "no"
        case Cap(units, per, codes):
            return f"{units} a {per}" + (f", of {', '.join(codes)} together" if codes else "")
        case dict():
            return "; ".join(f"{key}: {in_words(part)}" for key, part in value.items())
        case (int(low), int(high)):
            return f"{low} to {high}" if low < high else f"{low}"
        case (Misplaced(), *_):
            return "; ".join(_misplaced(value))
        case tuple():
            return (", " if isinstance(value[0], str) else "; ").join(_part(part) for part in value)
        case _:
            return str(value)


def _part(part: str | tuple[str, ...]) -> str:
    return part if isinstance(part, str) else " with ".join(part)


def _misplaced(value: tuple[Misplaced, ...]) -> Iterator[str]:
    """Modifiers with the kinds of code that they do not belong on, those of the same kinds together."""
    by_kinds: dict[tuple[str, ...], list[str]] = {}
    for one in value:
        by_kinds.setdefault(one.kinds, []).append(one.modifier)
    for kinds, modifiers in by_kinds.items():
        yield f"{', '.join(modifiers)} not on {', '.join(kinds)}"


def dates(span: Span) -> str:
    """Dates of service in words."""
    return f"since {span.since}" if span.until is None else f"from {span.since} to {span.until}"


def sure(confidence: str) -> str:
    """A confidence, and what follows from it where it is low."""
    return "uncertain (informs only)" if confidence == "uncertain" else confidence


def overridden(one: Value) -> str:
    """What nearer layers leave of a value, "" where they leave all of it."""
    by = " and ".join(one.overridden_by)
    if one.overridden_by and one.in_force:
        return f"in force only {' and '.join(dates(span) for span in one.in_force)}: otherwise overridden by {by}"
    return f"NOT IN FORCE: overridden by {by}" if by else ""


def cited(source: Source) -> str:
    """Where something stands, and the page's dates; its address is told beside it."""
    published = f"published {source.published}" if source.published else "no date printed"
    return f"{source.title}: {source.section} ({published}; read {source.retrieved})"


def of_codes(element: CatalogueElement) -> str:
    """The codes for which a documentation element is asked for."""
    every = tables.codes().values()
    groups = (words for words, holds in _GROUPS if element.codes == {one.code for one in every if holds(one)})
    return next(groups, ", ".join(sorted(element.codes))) + (", once a visit" if element.of_visit else "")


def quoted(source: Source, indent: int) -> str:
    """The words that are relied on, where they stand, and the page's address, in plain text."""
    return "\n".join(wrapped(text, indent) for text in (source.words, cited(source), source.url))


def wrapped(text: str, indent: int = 0, hanging: int = 0) -> str:
    """A paragraph of plain text; an address is never broken."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
