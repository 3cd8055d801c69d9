"""The reference pages, written from what they tell of: FINDINGS.md, docs/payers, and the pages on the settings.

The same files give the same pages: nothing of today is in them, and every dated value is listed with its dates.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from string import Formatter

from mappings import books_in_force
from mappings.book_files import Book
from mappings.rule_book import Source
from plugin import configuration
from plugin.book_values import (
    CONFIDENCE,
    WHEN,
    Asked,
    Value,
    asked,
    cited,
    dates,
    in_words,
    meaning,
    of_codes,
    overridden,
    silent,
    sure,
    values,
)
from plugin.finding_list import KINDS
from plugin.kinds.kind import Kind
from plugin.sentences import NOUNS
from plugin.text import counted

_OURS = "Written by `visitcue reference`"
"""Words in the first line of a page that we wrote, in any version."""
MARK = f"<!-- {_OURS}: `make docs` writes it anew. Change the rule files or the findings. -->"
_OF_SETTINGS = f"{_OURS}: `make docs` writes it anew. Change plugin/settings.py."
CHECKOUT = "pyproject.toml", 'name = "visitcue"'
"""A file of the folder in which the pages stand, and words in it."""
FINDINGS, PAYERS = "FINDINGS.md", "docs/payers"
_ACTIVE = re.compile(r"([\\`*_\[\]<>|])")

SUBJECTS = {
    "units": "Units",
    "modifiers": "Modifiers",
    "pairs": "Services billed together",
    "documentation": "Documentation",
    "policy": "What is usual, covered and authorized",
    "lines": "Claim lines beside the record",
    "facts": "What could not be known",
}

MADE = {
    "what": ("the line to mend: its code and number, at length with our label", ()),
    "others": ("the other lines", ()),
    "all": ("all lines", ()),
    "support": ("the minutes that support the units", ("minutes", "total")),
    "payer": ("what the record prints of the payer, where it prints anything", ("saw",)),
}
"""Words that are made when a finding is told, each with the finding's own slots that they are made of."""


def pages() -> dict[str, str]:
    """Every page by its path in the project."""
    books = books_in_force.books()
    return {
        FINDINGS: _findings(),
        configuration.PAGE: configuration.page(f"<!-- {_OF_SETTINGS} -->"),
        configuration.EXAMPLE: configuration.example(_OF_SETTINGS),
        f"{PAYERS}/README.md": _index(books),
        **{f"{PAYERS}/{book}.md": _book(books_in_force.chain(book)) for book in books},
    }


class NotOursError(Exception):
    """There is something else where a page of ours should stand; the message says what."""


def check_folder(folder: Path) -> None:
    """Raises NotOursError for a folder that is no checkout of VisitCue, or that holds other pages by our names."""
    name, words = CHECKOUT
    if words not in _text(folder / name):
        raise NotOursError(
            f"{folder}: this is no checkout of VisitCue: expected a {name} with {words} in it, beside which the pages"
            " stand."
        )
    for page in pages():
        text = _text(folder / page)
        if text and not _ours(text):
            raise NotOursError(f"{folder / page}: this was not written by `visitcue reference`; move it away first.")


def stale(folder: Path) -> list[str]:
    """The pages in a folder that are not as they would be written now: changed, missing, or of a book that is gone."""
    wrong = [name for name, text in pages().items() if _text(folder / name) != text]
    return wrong + [path.relative_to(folder).as_posix() for path in _left_over(folder)]


def write(folder: Path) -> list[str]:
    """Writes what is stale, and takes away what is left over; raises OSError."""
    wrong = stale(folder)
    for name, text in pages().items():
        if name in wrong:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    for path in _left_over(folder):
        path.unlink()
    return wrong


def _left_over(folder: Path) -> list[Path]:
    """Pages that we once wrote and that no book has any more; a page of somebody else's is not ours to judge."""
    ours = (path for path in sorted((folder / PAYERS).glob("*.md")) if _ours(_text(path)))
    return [path for path in ours if path.name != "README.md" and path.stem not in books_in_force.books()]


def _ours(text: str) -> bool:
    return _OURS in text.partition("\n")[0]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _page(parts: Iterator[str]) -> str:
    return "\n\n".join((MARK, *parts)) + "\n"


def _inert(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", text)


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _findings() -> str:
    return _page(_findings_parts())


def _findings_parts() -> Iterator[str]:
    yield "# Findings"
    yield (
        f"The {len(KINDS)} findings that a review can make. Codes and slots are a contract on which programs may rely:"
        ' `extension["org.visitcue.finding"]` of a card has them, with the lines. Sentences get better all the time.'
        " The level is decided by the case: *critical* where the claim would be wrong, *warning* where something is"
        " missing or contested, *info* where it is only good to know. What rests on an uncertain rule only informs."
    )
    yield "In the sentences slots are in italics. These are made for the sentence; all others are the finding's own:"
    yield "\n".join(f"- *{slot}*: {words}" for slot, (words, _) in MADE.items())
    for subject, kinds in groupby(KINDS, lambda kind: kind.code.partition(".")[0]):
        yield f"## {SUBJECTS.get(subject, subject)}"
        for kind in kinds:
            yield _finding(kind)


def _finding(kind: Kind) -> str:
    own = ", ".join(f"`{slot}`" for slot in slots(kind)) or "none of its own"
    return (
        f"### `{kind.code}`\n\n{_inert(kind.name)}.\n\n"
        f"- In short: {_sentence(kind.summary)}\n- At length: {_sentence(kind.detail)}\n- Slots told: {own}"
    )


def slots(kind: Kind) -> tuple[str, ...]:
    """The finding's own slots that its sentences tell."""
    named = [
        _slot(name)[0] for sentence in (kind.summary, kind.detail) for _, name, _, _ in Formatter().parse(sentence)
    ]
    return tuple(dict.fromkeys(own for slot in named if slot for own in (MADE[slot][1] if slot in MADE else (slot,))))


def _slot(name: str | None) -> tuple[str, str]:
    """A slot of a sentence, and the noun with which its number is told ("" for none)."""
    slot, _, noun = (name or "").rpartition("_")
    return (slot, NOUNS[noun]) if slot and noun in NOUNS else (name or "", "")


def _sentence(template: str) -> str:
    parts = []
    for literal, name, _, _ in Formatter().parse(template):
        slot, noun = _slot(name)
        parts.append(_inert(literal) + (f"*{_inert(slot)}*" if slot else "") + (f" {noun}s" if noun else ""))
    return "".join(parts)


def _index(books: dict[str, Book]) -> str:
    return _page(_index_parts(books))


def _index_parts(books: dict[str, Book]) -> Iterator[str]:
    yield "# Rule books"
    yield (
        "What each book says, with dates and sources. A book holds only what differs from the one that it extends; for"
        " each rule and date of service the nearest book that says something decides. The books begin on"
        f" {books_in_force.begins()}: a value since that day may be older. `visitcue payers NAME` prints a book to be"
        " signed off, `visitcue explain CODE` what touches a code."
    )
    yield "\n".join(f"- *{word}*: {means}" for word, means in CONFIDENCE.items())
    rows = [
        (
            f"[{book.id}]({book.id}.md)",
            _inert(book.title),
            f"[{book.extends}]({book.extends}.md)" if book.extends else "",
            str(book.edition),
            str(sum(len(entries) for entries in book.rules.values())),
        )
        for book in books.values()
    ]
    yield _table(("Book", "Title", "Extends", "Edition", "Values of its own"), rows)


def _book(layers: tuple[Book, ...]) -> str:
    return _page(_book_parts(layers))


def _book_parts(layers: tuple[Book, ...]) -> Iterator[str]:
    own, *lower = layers
    shown, elements = values(layers), asked(layers)
    yield f"# {_inert(own.title)}"
    names = "; ".join(_inert(one.name or f"{one.value} ({one.system})") for one in own.known_as)
    yield "\n".join(
        (
            f"- Book: `{own.id}`, edition `{books_in_force.edition(own.id)}`",
            f"- Layers: {' over '.join(f'[{one.id}]({one.id}.md)' for one in layers)}",
            f"- Known as: {names or 'nothing; no payer is recognised as this book'}",
        )
    )
    yield f"## What {own.id} says itself"
    said = [one for one in shown if one.book == own.id]
    yield "\n".join(_value(one) for one in said) or "Nothing: it takes every rule from the books beneath it."
    for layer in lower:
        yield f"## What it takes from {layer.id}"
        taken = [_row(one) for one in shown if one.book == layer.id]
        yield _table(("Rule", "Value", "Dates of service", "Confidence", "Source"), taken)
    for level in ("must", "should"):
        listed = [_element(one, own) for one in elements if one.level == level]
        yield f"## Documentation, {level}: {counted(len(listed), 'element')}"
        yield _table(("Element", "What", "For", "When", "By", "Source"), listed) if listed else "None."
    yield "## What it does not say"
    refused = [
        f"- documentation `{one.element.id}`: {one.book} asks for none" for one in elements if one.level == "none"
    ]
    yield "\n".join([*(f"- `{key}`: {_inert(meaning(key))}" for key in silent(shown)), *refused]) or "Nothing."


def _value(one: Value) -> str:
    rule = one.dated.rule
    parts = (
        f"- `{one.key}` = **{_inert(in_words(rule.value))}**",
        _inert(meaning(one.key)),
        f"{dates(one.span)}, {sure(rule.confidence)}",
        _inert(rule.source.words),
        _link(rule.source),
    )
    return "\n  - ".join(parts)


def _row(one: Value) -> tuple[str, ...]:
    rule = one.dated.rule
    when = "; ".join(filter(None, (dates(one.span), overridden(one))))
    return f"`{one.key}`", _inert(in_words(rule.value)), when, sure(rule.confidence), _link(rule.source)


def _element(one: Asked, own: Book) -> tuple[str, ...]:
    element = one.element
    by = one.book if one.book == own.id else f"[{one.book}]({one.book}.md)"
    return (
        f"`{element.id}`",
        f"{_inert(element.label)}: {_inert(element.source.words)}",
        of_codes(element),
        WHEN.get(element.when, element.when),
        f"{by}, {sure(element.confidence)}",
        _link(element.source),
    )


def _link(source: Source) -> str:
    return f"[{_inert(cited(source))}]({source.url})"
