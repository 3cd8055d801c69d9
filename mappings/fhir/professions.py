"""Professions by code and by printed word: the open table `professions.csv`, and what concepts and names say by it."""

import csv
import functools
import re
from pathlib import Path

import msgspec

from mappings import tables
from mappings.errors import RuleFileError
from mappings.fhir.datatypes import Worded
from mappings.visit import ASSISTANTS, ROLES

_NOTHING: frozenset[str] = frozenset()
_TAXONOMY = re.compile(r"^\d{3}[A-Z0-9]{6}X$")
_NOT_ONE = re.compile(
    r"\b(?:aides?|assistants?|asst|students?|interns?|trainees?|technicians?|techs?|helpers?|volunteers?|scribes?"
    r"|nurses?|naturopathic|veterinary)\b"
)
"""Words that make somebody else of a profession they stand beside: a physician assistant is no physician."""

_ONLY_RESPONSIBLE = re.compile(
    r"\b(?:supervis|overse|refer|ref\b|order|prescrib|purchas|co-?sign|attending|atnd\b|pcp\b)"
)
"""Words of a function whose holder asked for a service, or answers for it, and did not give it."""

_LONGEST_CREDENTIAL = 5
_SHORTEST_ALONE = 3


class Professions(msgspec.Struct, frozen=True):
    """The table: professions by (system, code), by (system, beginning of the code), and by words."""

    codes: dict[tuple[str, str], frozenset[str]]
    prefixes: dict[tuple[str, str], frozenset[str]]
    words: dict[str, frozenset[str]]
    pattern: re.Pattern[str]


@functools.cache
def professions() -> Professions:
    """The table of the installation."""
    return read_professions(tables.FOLDER / "professions.csv")


def read_professions(path: Path) -> Professions:
    """The professions of a table; raises RuleFileError with the line that is not as it must be."""
    found = Professions({}, {}, {}, re.compile(""))
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            _add(found, row, f"{path.name}, line {number}")
    longest_first = sorted(found.words, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w-])")
    return msgspec.structs.replace(found, pattern=pattern)


def _add(found: Professions, row: dict[str, str], where: str) -> None:
    system, code, words, role = row["system"], row["code"], row["words"], row["role"]
    if role not in ROLES:
        raise RuleFileError(f"{where}: role: expected one of {sorted(ROLES)}, not {role!r}.")
    if bool(code) == bool(words):
        raise RuleFileError(f"{where}: expected either a code of a system or words.")
    if words:
        if words != _plain(words):
            raise RuleFileError(f"{where}: words: expected {_plain(words)!r}, as words are compared, not {words!r}.")
        if words in found.words:
            raise RuleFileError(f"{where}: words: {words!r} stands here twice.")
        found.words[words] = frozenset({role})
        return
    if system not in tables.code_systems().values():
        raise RuleFileError(f"{where}: system: expected one of code_systems.csv, not {system!r}.")
    into = found.prefixes if code.endswith("*") else found.codes
    if (system, code.rstrip("*")) in into:
        raise RuleFileError(f"{where}: code: {code!r} stands here twice.")
    into[system, code.rstrip("*")] = frozenset({role})


class Told(msgspec.Struct, frozen=True):
    """What a concept says of who is named by it: his professions, and whether he takes part in giving a service."""

    roles: frozenset[str]
    gives: bool


NOTHING_TOLD = Told(_NOTHING, True)


def told_of(concept: Worded | None) -> Told:
    """What a function, a qualification or a role in a team says."""
    if concept is None:
        return NOTHING_TOLD
    return _told(concept.text, *[(one.system, one.code, one.display) for one in concept.coding])


def roles_of(concept: Worded | None) -> frozenset[str]:
    """The professions that a concept names."""
    return told_of(concept).roles


@functools.lru_cache(maxsize=4096)
def _told(text: str | None, *codings: tuple[str | None, str | None, str | None]) -> Told:
    """By the codes first, by words otherwise; the codes of systems that are not known are words of the sender's.

    An assistant in words goes before a code: most code systems have none for assistants, and name the therapist.
    """
    by_code, printed, named = _NOTHING, [text], [text]
    for system, code, display in codings:
        by_code |= _by_code(system or "", code or "")
        printed += [display, None if tables.system_name(system or "") else code]
        named += [display, code]
    by_words = roles_in_words(" ; ".join([words for words in printed if words]))
    return Told(
        by_words if not by_code or by_words & ASSISTANTS else by_code,
        not any(_ONLY_RESPONSIBLE.search(words.lower()) for words in named if words),
    )


@functools.lru_cache(maxsize=4096)
def _by_code(uri: str, code: str) -> frozenset[str]:
    table, code = professions(), code.strip().upper()
    system = tables.system_name(uri) or ("nucc" if _TAXONOMY.match(code) else "")
    exact = table.codes.get((system, code))
    if exact is not None:
        return exact
    for length in range(len(code), 2, -1):
        roles = table.prefixes.get((system, code[:length]))
        if roles is not None:
            return roles
    return _NOTHING


@functools.lru_cache(maxsize=4096)
def roles_in_words(text: str) -> frozenset[str]:
    """The professions that words name; none where a word beside them says that it is somebody else's."""
    return _roles(text, text)


@functools.lru_cache(maxsize=4096)
def roles_in_name(text: str) -> frozenset[str]:
    """The professions that stand behind a printed name ("Doe, Jane, PTA").

    Short ones count in capitals only, and not where the whole name is written so: "Do" and "Ot" are names too.
    """
    if text.isupper():
        return _NOTHING
    behind = []
    for place, word in enumerate(text.split()):
        letters = sum(map(str.isalpha, word))
        apart = place > 1 or (place == 1 and "," in text)
        if letters > _LONGEST_CREDENTIAL or (word.isupper() and (apart or (place and letters >= _SHORTEST_ALONE))):
            behind.append(word)
    return _roles(" ".join(behind), text)


def _roles(text: str, whole: str) -> frozenset[str]:
    table = professions()
    found = table.pattern.findall(_plain(text))
    if not found or _NOT_ONE.search(table.pattern.sub(" ", _plain(whole))):
        return _NOTHING
    return _NOTHING.union(*[table.words[words] for words in found])


def _plain(text: str) -> str:
    return " ".join(text.lower().replace(".", "").replace("’", "'").replace("'s ", " ").split())
