"""What notes say: an open table of phrases for each documentation element, looked for in the notes of a visit.

A phrase counts only where its context lets it (`note_context`). A note of one service speaks for that service. A note
of the whole visit speaks for a service only where it names it: by its code, by a name of `service_names.csv`, or by a
technique that no other service of the visit has.
"""

import csv
import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from mappings.note_context import LOSSES, PROSPECTIVE, counts, section_of
from mappings.tables import FOLDER
from mappings.visit import Document

NAMING = {"97110": "97110.exercises", "97112": "97112.exercises", "97140": "97140.technique"}
"""The elements whose phrases name the service themselves, by its code: a bridge is an exercise wherever it stands."""

_QUOTED = 30
_TRIES = 40
"""Places of one element that are looked at in a note: where so many are denied, the next one is as well."""

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
        for match in islice(phrases.pattern.finditer(note.text), _TRIES):
            about = _about(match.start(), one.passages)
            speaks = code in about or (naming and not about)
            if speaks and counts(note.text, match, element) and not _only_told(note.text, match, element):
                return _around(note.text, match)
    return None


def _only_told(text: str, match: re.Match[str], element: str) -> bool:
    """Whether the patient tells of it, or does it at home: what was given is not documented by that."""
    return element not in LOSSES | PROSPECTIVE and section_of(text, match.start()) == "told"


def _about(place: int, passages: tuple[Passage, ...]) -> frozenset[str]:
    at = bisect_right(passages, place, key=lambda one: one.start) - 1
    return passages[at].codes if at >= 0 and place < passages[at].end else _NOTHING


def techniques(texts: tuple[str, ...]) -> dict[str, str]:
    """The hands-on codes whose techniques or purposes notes document, each with the words that do (techniques.csv)."""
    notes = read_notes(texts)
    found = {code: _quoted(phrases, notes, f"{code}.technique") for code, phrases in _techniques().items()}
    return {code: words for code, words in found.items() if words is not None}


def _quoted(phrases: _Phrases, notes: list[Note], element: str) -> str | None:
    for note in notes:
        if phrases.first_words.isdisjoint(note.words):
            continue  # most notes hold no phrase of most elements, and this tells it without a search
        for match in islice(phrases.pattern.finditer(note.text), _TRIES):
            if counts(note.text, match, element):
                return _around(note.text, match)
    return None


class _Names(msgspec.Struct, frozen=True):
    """What names a service: a pattern, the words with which it begins (lower case), and the codes of each name."""

    pattern: re.Pattern[str]
    first_words: frozenset[str]
    codes: dict[str, frozenset[str]]


@functools.lru_cache(maxsize=256)
def _names(services: frozenset[str]) -> _Names:
    """The names of all services; for these ones also the techniques that no other of them has."""
    codes: dict[str, frozenset[str]] = {}
    for code, names in _read("service_names.csv", "code", "name").items():
        for name in [*names, code]:
            known = name if name.isupper() else name.lower()
            codes[known] = codes.get(known, _NOTHING) | {code}
    phrases = _read("phrases.csv", "element", "phrase")
    techniques_of = {code: {one.lower() for one in phrases[NAMING[code]]} for code in NAMING if code in services}
    for code, own in techniques_of.items():
        others = set[str]().union(*(found for other, found in techniques_of.items() if other != code))
        codes |= {phrase: frozenset({code}) for phrase in own - others - codes.keys()}
    short = [name for name in codes if name.isupper()]
    words = _one_of([name for name in codes if not name.isupper()]).pattern
    pattern = re.compile(rf"(?i:{words})|(?<!\w)(?:{'|'.join(short)}|\d{{5}})(?!\w)")
    return _Names(pattern, _first_words([*codes]), codes)


def _named(text: str, services: frozenset[str]) -> tuple[list[int], list[frozenset[str]]]:
    """Where a note names services, and which; a number of five digits that is no code of ours names another one."""
    names = _names(services)
    places: list[int] = []
    codes: list[frozenset[str]] = []
    until = 0
    for word in _WORD.finditer(text):
        start, written = word.start(), word[0]
        if start < until or (
            written.lower() not in names.first_words and not (written.isdigit() and len(written) == 5)
        ):
            continue
        match = names.pattern.match(text, start)
        if match is not None:
            found = match[0] if match[0] in names.codes else " ".join(match[0].lower().split())
            until = match.end()
            places.append(start)
            codes.append(names.codes.get(found, frozenset({found})))
    return places, codes


def _passages(text: str, services: frozenset[str]) -> Iterator[Passage]:
    """The parts of a note with the services that each speaks of.

    A sentence speaks of the services that it names, else of those of the sentence before it in its paragraph, and a
    paragraph of those of the heading above it.
    """
    places, codes = _named(text, services)

    def named(start: int, end: int) -> frozenset[str]:
        first, last = bisect_left(places, start), bisect_left(places, end)
        return codes[first] if last - first == 1 else _NOTHING.union(*codes[first:last])

    above, place, filled = _NOTHING, 0, False
    for line in text.split("\n"):
        end = place + len(line)
        if not line.strip():
            if filled:
                above, filled = _NOTHING, False
        elif _HEADING.match(line):
            above, filled = named(place, end), False
            yield Passage(place, end, above)
        else:
            now, filled = above, True
            for piece in _PIECE.finditer(text, place, end):
                now = named(piece.start(), piece.end()) or now
                yield Passage(piece.start(), piece.end() + 1, now)
        place = end + 1


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


def names(documents: tuple[Document, ...], code: str) -> bool:
    """Whether a note of the visit names a service: by its code, or by a name of it."""
    services = frozenset({code})
    return any(_named(one.text, services)[0] for one in documents)
