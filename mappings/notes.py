"""What notes say: an open table of phrases for each documentation element, looked for in the notes of a visit.

A phrase counts only where its context lets it (`note_context`). A note of one service speaks for that service. A note
of the whole visit speaks for a service only where it names it: by its code, by a name of `service_names.csv`, or by a
technique that no other service of the visit has.
"""

import csv
import functools
import re
from collections.abc import Iterable, Iterator

import msgspec

from mappings.note_context import LOSSES, PROSPECTIVE, counts, section_of
from mappings.tables import FOLDER
from mappings.visit import Document

NAMING = {"97110": "97110.exercises", "97112": "97112.exercises", "97140": "97140.technique"}
"""The elements whose phrases name the service themselves, by its code: a bridge is an exercise wherever it stands."""

_QUOTED = 30
_WORD = re.compile(r"\w+")
_WRAPPED = re.compile(r"(?<=[^\n]{45})(?<![.:;!?|])\n(?=[a-z])")
"""A line break that only wraps a sentence."""

_PIECE = re.compile(r"(?:[^.;!?\n]|\.(?=\S))+")
_HEADING = re.compile(r"^\s*(?:#|.{1,60}:[\s*_]*$)")
_NOTHING: frozenset[str] = frozenset()


class _Phrases(msgspec.Struct, frozen=True):
    """The phrases of one element as one pattern, and the words with which they begin."""

    pattern: re.Pattern[str]
    first_words: frozenset[str]


@functools.cache
def _phrases() -> dict[str, _Phrases]:
    return _patterns(_read("phrases.csv", "element", "phrase"))


@functools.cache
def _techniques() -> dict[str, _Phrases]:
    return _patterns(_read("techniques.csv", "code", "phrase"))


def _read(name: str, key: str, value: str) -> dict[str, list[str]]:
    """The words of a table by what they speak for (the column `key`)."""
    found: dict[str, list[str]] = {}
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row[key], []).append(row[value])
    return found


def _patterns(phrases: dict[str, list[str]]) -> dict[str, _Phrases]:
    return {one: _Phrases(_one_of(found), _first_words(found)) for one, found in phrases.items()}


def _one_of(phrases: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    joined = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in longest_first)
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE)


def _first_words(phrases: list[str]) -> frozenset[str]:
    return frozenset(found[0] for phrase in phrases if (found := _WORD.findall(phrase.lower())))


class Note(msgspec.Struct, frozen=True):
    """A note, with the set of its words (lower case)."""

    text: str
    words: frozenset[str]


class Passage(msgspec.Struct, frozen=True):
    """Where a part of a note begins and ends, and the codes that it speaks of (none where it names no service)."""

    start: int
    end: int
    codes: frozenset[str]


class WholeNote(msgspec.Struct, frozen=True):
    """A note of a whole visit, taken apart by the services that it names."""

    note: Note
    passages: tuple[Passage, ...]


def read_notes(texts: Iterable[str]) -> list[Note]:
    """Notes made ready for looking for several elements."""
    return [_note(text) for text in texts]


def _note(text: str) -> Note:
    if "\n" in text:
        text = _WRAPPED.sub(" ", text)
    return Note(text, frozenset(_WORD.findall(text.lower())))


def read_documents(documents: tuple[Document, ...], codes: frozenset[str]) -> list[WholeNote]:
    """The notes of a visit with these services, taken apart."""
    notes = [_note(one.text) for one in documents]
    return [WholeNote(note, tuple(_passages(note.text, codes))) for note in notes]


def quotation(element: str, notes: list[Note]) -> str | None:
    """The words of the first note that document an element, or None where no note does."""
    phrases = _phrases().get(element)
    return None if phrases is None else _quoted(phrases, notes, element)


def can_show(element: str) -> bool:
    """Whether a note can document an element at all."""
    return element in _phrases()


def quotation_about(element: str, code: str, documents: list[WholeNote]) -> str | None:
    """The words of a note of the whole visit that document an element of a service, where the note speaks of it."""
    phrases = _phrases().get(element)
    if phrases is None:
        return None
    naming = NAMING.get(code) == element
    for one in documents:
        note = one.note
        if phrases.first_words.isdisjoint(note.words):
            continue
        for match in phrases.pattern.finditer(note.text):
            about = _about(match.start(), one.passages)
            speaks = code in about or (naming and not about)
            if speaks and counts(note.text, match, element) and not _only_told(note.text, match, element):
                return _around(note.text, match)
    return None


def _only_told(text: str, match: re.Match[str], element: str) -> bool:
    """Whether the patient tells of it, or does it at home: what was given is not documented by that."""
    return element not in LOSSES | PROSPECTIVE and section_of(text, match.start()) == "told"


def _about(place: int, passages: tuple[Passage, ...]) -> frozenset[str]:
    for one in passages:
        if one.start <= place < one.end:
            return one.codes
    return _NOTHING


def techniques(texts: tuple[str, ...]) -> dict[str, str]:
    """The hands-on codes whose techniques or purposes notes document, each with the words that do (techniques.csv)."""
    notes = read_notes(texts)
    found = {code: _quoted(phrases, notes, f"{code}.technique") for code, phrases in _techniques().items()}
    return {code: words for code, words in found.items() if words is not None}


def _quoted(phrases: _Phrases, notes: list[Note], element: str) -> str | None:
    for note in notes:
        if phrases.first_words.isdisjoint(note.words):
            continue  # most notes hold no phrase of most elements, and this tells it without a search
        for match in phrases.pattern.finditer(note.text):
            if counts(note.text, match, element):
                return _around(note.text, match)
    return None


@functools.cache
def _names() -> tuple[re.Pattern[str], dict[str, frozenset[str]]]:
    """The names of services, and the codes that each stands for."""
    codes: dict[str, frozenset[str]] = {}
    for code, names in _read("service_names.csv", "code", "name").items():
        for name in [*names, code]:
            known = name if name.isupper() else name.lower()
            codes[known] = codes.get(known, _NOTHING) | {code}
    short = [name for name in codes if name.isupper()]
    words = _one_of([name for name in codes if not name.isupper()]).pattern
    return re.compile(rf"(?i:{words})|(?<!\w)(?:{'|'.join(short)}|\d{{5}})(?!\w)"), codes


@functools.cache
def _techniques_of(codes: frozenset[str]) -> dict[str, re.Pattern[str]]:
    """The techniques that name one of these services and no other of them."""
    every = _read("phrases.csv", "element", "phrase")
    by_code = {code: {phrase.lower() for phrase in every[NAMING[code]]} for code in NAMING if code in codes}
    own = {
        code: phrases - set[str]().union(*(found for other, found in by_code.items() if other != code))
        for code, phrases in by_code.items()
    }
    return {code: _one_of(phrases) for code, phrases in own.items()}


def _named(piece: str, codes: frozenset[str]) -> frozenset[str]:
    """The services that a piece of a note names; a number of five digits that is no code of ours names another one."""
    pattern, known = _names()
    found = _NOTHING
    for match in pattern.finditer(piece):
        words = match[0]
        name = words if words in known else " ".join(words.lower().split())
        found |= known.get(name) or frozenset({words})
    named = {code for code, technique in _techniques_of(codes).items() if technique.search(piece)}
    return found | named


def _passages(text: str, codes: frozenset[str]) -> Iterator[Passage]:
    """The parts of a note with the services that each speaks of.

    A sentence speaks of the services that it names, else of those of the sentence before it in its paragraph, and a
    paragraph of those of the heading above it.
    """
    above, place, filled = _NOTHING, 0, False
    for line in text.split("\n"):
        if not line.strip():
            if filled:
                above, filled = _NOTHING, False
        elif _HEADING.match(line):
            above, filled = _named(line, codes), False
            yield Passage(place, place + len(line), above)
        else:
            filled = True
            now = above
            for piece in _PIECE.finditer(line):
                now = _named(piece[0], codes) or now
                yield Passage(place + piece.start(), place + piece.end() + 1, now)
        place += len(line) + 1


def _around(note: str, match: re.Match[str]) -> str:
    """The phrase with some words around it, cut between words."""
    start = max(0, match.start() - _QUOTED)
    end = min(len(note), match.end() + _QUOTED)
    before, after = note[start : match.start()], note[match.end() : end]
    if start:
        before = "…" + before.partition(" ")[2]
    if end < len(note):
        after = after.rpartition(" ")[0] + " …"
    return " ".join(f"{before}{match[0]}{after}".split())
