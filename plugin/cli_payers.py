"""Rule books for people and programs: the list's entry, and a whole book with its sources, ready to be signed off."""

import datetime as dt
from typing import Any

import msgspec

from mappings import books_in_force
from mappings.book_files import Book, KnownAs
from mappings.ncci_in_force import NcciTables
from plugin.book_values import (
    CONFIDENCE,
    ONLY_EMBEDDED,
    WHEN,
    Asked,
    Value,
    asked,
    dates,
    in_words,
    meaning,
    of_codes,
    overridden,
    quoted,
    silent,
    sure,
    values,
    wrapped,
)
from plugin.text import counted

NAMES = {"pairs": "Pair edits", "limits": "Units"}


def entry(book: Book, ncci: NcciTables | None = None) -> dict[str, Any]:
    """One book in the list of `visitcue payers --json`."""
    return {
        "id": book.id,
        "title": book.title,
        "known_as": [_known_as(one) for one in book.known_as],
        "extends": book.extends,
        "edition": books_in_force.edition(book.id, ncci),
    }


def _known_as(known: KnownAs) -> dict[str, str]:
    return {"system": known.system, "value": known.value} if known.value else {"name": known.name}


def whole(layers: tuple[Book, ...], on: dt.date | None = None, ncci: NcciTables | None = None) -> dict[str, Any]:
    """A book with every value of its layers, own ones first, each with dates, source and confidence.

    With a date, only what is in force on it.
    """
    shown = values(layers, on)
    edits = ncci or books_in_force.embedded_ncci()
    return {
        **entry(layers[0], ncci),
        **({"on": on.isoformat()} if on else {}),
        "layers": [{"id": one.id, "title": one.title, "edition": one.edition.isoformat()} for one in layers],
        "rules": [_rule(one) for one in shown],
        "ncci": {
            "edition": edits.edition,
            "whole_from": edits.whole_from.isoformat(),
            "embedded_only": list(edits.embedded_only),
            "pairs": sum(on is None or one.in_force(on) for one in edits.pairs),
            "limits": sum(on is None or one.in_force(on) for one in edits.limits),
        },
        "documentation": [_element(one) for one in asked(layers)],
        "not_said": [{"rule": key, "meaning": meaning(key)} for key in silent(shown)],
    }


def _rule(one: Value) -> dict[str, Any]:
    rule = one.dated.rule
    return {
        "rule": one.key,
        "meaning": meaning(one.key),
        "book": one.book,
        **msgspec.to_builtins(one.span),
        "in_force": msgspec.to_builtins(one.in_force),
        "overridden_by": list(one.overridden_by),
        "value": msgspec.to_builtins(rule.value),
        "confidence": rule.confidence,
        "source": msgspec.to_builtins(rule.source),
    }


def _element(one: Asked) -> dict[str, Any]:
    element = one.element
    return {
        "element": element.id,
        "level": one.level,
        "book": one.book,
        "codes": sorted(element.codes),
        "of_visit": element.of_visit,
        "when": element.when,
        "label": element.label,
        "confidence": element.confidence,
        "source": msgspec.to_builtins(element.source),
    }


def sheet(layers: tuple[Book, ...], on: dt.date | None = None, ncci: NcciTables | None = None) -> str:
    """A book as a compliance officer reads and signs it, in plain text."""
    book, shown, elements = whole(layers, on, ncci), values(layers, on), asked(layers)
    parts = [_head(layers, book)]
    for layer in layers:
        said = [one for one in shown if one.book == layer.id]
        own = f"What {layer.id} says itself" if layer is layers[0] else f"What it takes from {layer.id}"
        parts += [_heading(f"{own}: {counted(len(said), 'value')}"), *map(_value_text, said)]
    parts += [_heading("Pair edits and unit limits of the NCCI"), _ncci_text(book)]
    for level in ("must", "should"):
        listed = [one for one in elements if one.level == level]
        parts += [_heading(f"Documentation, {level}: {counted(len(listed), 'element')}"), *map(_element_text, listed)]
    parts += [_heading("What it does not say"), _unsaid(book)]
    parts += [_heading("Sign-off"), _sign_off(book, shown, elements)]
    return "\n\n".join(part for part in parts if part)


def _head(layers: tuple[Book, ...], book: dict[str, Any]) -> str:
    known = [one.get("name") or f"{one['value']} ({one['system']})" for one in book["known_as"]]
    below = " over ".join(f"{one.id} ({one.edition})" for one in layers)
    begins = books_in_force.begins()
    facts = {
        "Edition": book["edition"],
        "Layers": f"{below}. For each rule and date the first of them that says something decides.",
        "Known as": "; ".join(known) or "nothing: no payer is recognised as this book",
        "Shown": f"what is in force on {book['on']}" if "on" in book else "every value, whatever its dates",
        "Dates": f"are dates of service. {begins} is the day on which the books begin: what is in force since that day"
        " may be older.",
        "Sureness": "; ".join(f"{word}: {means}" for word, means in CONFIDENCE.items()) + ".",
    }
    title = f"{layers[0].title} ({layers[0].id})"
    return f"{title}\n{'=' * len(title)}\n\n" + "\n".join(
        wrapped(f"{name + ':':<10}{text}", hanging=10) for name, text in facts.items()
    )


def _heading(text: str) -> str:
    return f"{text.upper()}\n{'-' * len(text)}"


def _value_text(one: Value) -> str:
    rule = one.dated.rule
    state = "; ".join(filter(None, (dates(one.span), sure(rule.confidence), overridden(one))))
    return "\n".join(
        (
            wrapped(f"{one.key} = {in_words(rule.value)}", hanging=4),
            wrapped(meaning(one.key), 4),
            wrapped(state, 4),
            quoted(rule.source, 4),
        )
    )


def _element_text(one: Asked) -> str:
    element = one.element
    state = f"{of_codes(element)}; {WHEN.get(element.when, element.when)}; {one.book}, {sure(element.confidence)}"
    return "\n".join(
        (wrapped(f"{element.id}: {element.label}", hanging=4), wrapped(state, 4), quoted(element.source, 4))
    )


def _ncci_text(book: dict[str, Any]) -> str:
    ncci = book["ncci"]
    own = [
        f"{one['book']} adds {in_words(tuple(map(tuple, one['value'])))} (above)."
        for one in book["rules"]
        if one["rule"] == "own_pairs"
    ]
    only = "".join(f" {NAMES[kind]}: {ONLY_EMBEDDED}" for kind in ncci["embedded_only"])
    return wrapped(
        f"{ncci['edition']}: {counted(ncci['pairs'], 'pair')} and {counted(ncci['limits'], 'limit')}, the pairs whole"
        f" from {ncci['whole_from']}; for earlier dates of service the review says that they were not checked."
        f" {' '.join(own) or 'The book adds no pair of its own.'} `visitcue explain CODE --payer {book['id']}` lists"
        f" those of a code.{only}"
    )


def _unsaid(book: dict[str, Any]) -> str:
    """The rules on which no layer says anything, and the documentation that the book does not ask for."""
    refused = [one for one in book["documentation"] if one["level"] == "none"]
    lines = [f"{one['rule']}: {one['meaning']}" for one in book["not_said"]]
    lines += [f"documentation {one['element']}: {one['label']} ({one['book']}: none)" for one in refused]
    return "\n".join(wrapped(line, hanging=4) for line in lines) or "Nothing: there is a value for every rule."


def _sign_off(book: dict[str, Any], shown: tuple[Value, ...], elements: tuple[Asked, ...]) -> str:
    due = [one for one in elements if one.level != "none"]
    in_force = [one for one in shown if one.in_force]
    sources = [one.dated.rule.source for one in in_force] + [one.element.source for one in due]
    sections = {(source.title, source.section) for source in sources}
    read = sorted({source.retrieved for source in sources})
    claim = (
        f"Book {book['id']}, edition {book['edition']}: {counted(len(in_force), 'value')} in force and"
        f" {counted(len(due), 'documentation element')}, from {counted(len(sections), 'section')} of the pages named"
        f" above, read on {' and '.join(read[:: len(read) - 1 or 1])}. I have compared them with those pages."
    )
    return f"{wrapped(claim)}\n\nName: {'_' * 40}  Date: {'_' * 16}\n\nSignature: {'_' * 35}"
