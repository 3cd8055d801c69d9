"""What a treatment note says: an open table of phrases for each documentation element.

A phrase counts only where the words before it in its clause do not deny it ("no", "not performed", "declined").
"""

import csv
import functools
import re

import msgspec

from mappings.tables import FOLDER

_DENIAL = re.compile(
    r"\b(?:no|not|denies|denied|declined?|declines|deferred|refused|refuses|unable|none|never|omit(?:s|ted)|skipped)\b"
    r"|\bwithout(?:\s+\w+){0,2}\s*$"
)
_UNABLE = re.compile(r"\bunable\b")
LOSSES = frozenset({"rationale", "medical_necessity", "97530.deficit", "97530.functional_need"})
"""Elements that tell what a patient cannot do: there "unable" is the finding, and denies nothing."""

_DENIED_AFTER = re.compile(
    r"\b(?:not|never)\s+(?:been\s+)?\w+(?:ed|en|ne)\b"
    r"|\b(?:deferred|declined|refused|omitted|skipped|on hold|held today)\b"
)
_CLAUSE_END = re.compile(r"[.;:!?\n]|\bbut\b|\bthen\b")
_QUOTED = 30
_WORD = re.compile(r"\w+")


class _Phrases(msgspec.Struct, frozen=True):
    """The phrases of one element as one pattern, and the words with which they begin."""

    pattern: re.Pattern[str]
    first_words: frozenset[str]


@functools.cache
def _phrases() -> dict[str, _Phrases]:
    return _read_phrases("phrases.csv", "element")


@functools.cache
def _techniques() -> dict[str, _Phrases]:
    return _read_phrases("techniques.csv", "code")


def _read_phrases(name: str, key: str) -> dict[str, _Phrases]:
    """The phrases of a table by what they speak for (the column `key`)."""
    phrases: dict[str, list[str]] = {}
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            phrases.setdefault(row[key], []).append(row["phrase"].lower())
    return {one: _Phrases(_one_of(found), _first_words(found)) for one, found in phrases.items()}


def _one_of(phrases: list[str]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)", re.IGNORECASE)


def _first_words(phrases: list[str]) -> frozenset[str]:
    return frozenset(found[0] for phrase in phrases if (found := _WORD.findall(phrase)))


class Note(msgspec.Struct, frozen=True):
    """A note, with the set of its words (lower case)."""

    text: str
    words: frozenset[str]


def read_notes(texts: tuple[str, ...]) -> list[Note]:
    """Notes made ready for looking for several elements."""
    return [Note(text, frozenset(_WORD.findall(text.lower()))) for text in texts]


def quotation(element: str, notes: list[Note]) -> str | None:
    """The words of the first note that document an element, or None where no note does."""
    phrases = _phrases().get(element)
    return None if phrases is None else _quoted(phrases, notes, a_loss=element in LOSSES)


def techniques(texts: tuple[str, ...]) -> dict[str, str]:
    """The hands-on codes whose techniques or purposes notes document, each with the words that do (techniques.csv)."""
    notes = read_notes(texts)
    found = {code: _quoted(phrases, notes) for code, phrases in _techniques().items()}
    return {code: words for code, words in found.items() if words is not None}


def _quoted(phrases: _Phrases, notes: list[Note], *, a_loss: bool = False) -> str | None:
    for note in notes:
        if phrases.first_words.isdisjoint(note.words):
            continue  # most notes hold no phrase of most elements, and this tells it without a search
        for match in phrases.pattern.finditer(note.text):
            if not _denied(note.text, match, a_loss=a_loss):
                return _around(note.text, match)
    return None


def _denied(note: str, match: re.Match[str], *, a_loss: bool) -> bool:
    before = _CLAUSE_END.split(note[: match.start()].lower())[-1]
    if a_loss:
        before = _UNABLE.sub("", before)
    after = _CLAUSE_END.split(note[match.end() :].lower(), maxsplit=1)[0]
    return bool(_DENIAL.search(before) or _DENIED_AFTER.search(after))


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
