"""Rule books for people and programs: the list's entry, and a whole book with its sources."""

from typing import Any

import msgspec
from rich.console import Console

from mappings import books_in_force
from mappings.book_files import Book, KnownAs


def entry(book: Book) -> dict[str, Any]:
    """One book in the list of `visitcue payers --json`."""
    return {
        "id": book.id,
        "title": book.title,
        "known_as": [_known_as(one) for one in book.known_as],
        "extends": book.extends,
        "edition": books_in_force.edition(book.id),
    }


def _known_as(known: KnownAs) -> dict[str, str]:
    return {"system": known.system, "value": known.value} if known.value else {"name": known.name}


def whole(layers: tuple[Book, ...]) -> dict[str, Any]:
    """A book with every value of its layers, own ones first, each with dates, source and confidence."""
    return {
        **entry(layers[0]),
        "rules": [
            {
                "rule": key,
                "book": layer.id,
                "since": dated.since.isoformat(),
                **({"until": dated.until.isoformat()} if dated.until else {}),
                "value": msgspec.to_builtins(dated.rule.value),
                "confidence": dated.rule.confidence,
                "source": msgspec.to_builtins(dated.rule.source),
            }
            for layer in layers
            for key, values in layer.rules.items()
            for dated in values
        ],
    }


def print_book(layers: tuple[Book, ...], console: Console) -> None:
    """A book as a compliance officer reads it: every value with its dates, its words and where they stand."""
    book = whole(layers)
    console.print(f"[bold]{book['title']}[/bold]  ({book['edition']})")
    console.print(f"Layers: {' <- '.join(layer.id for layer in reversed(layers))}\n")
    for rule in book["rules"]:
        source = rule["source"]
        until = f" until {rule['until']}" if "until" in rule else ""
        console.print(f"[bold]{rule['rule']}[/bold] = {rule['value']}", highlight=False)
        console.print(f"    book {rule['book']}, since {rule['since']}{until}, {rule['confidence']}", highlight=False)
        console.print(f"    {source['words']}", highlight=False, markup=False)
        console.print(f"    {source['title']}, {source['section']}: {source['url']}\n", highlight=False, markup=False)
