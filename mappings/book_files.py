"""Reading the rule files, strictly: TOML books and the documentation catalogue (`ncci_files` reads the NCCI tables).

A value without a date and a source does not load, overlapping dates do not load, an unknown key does not load.
What is wrong is said with file, path and what was expected.
"""

import csv
import datetime as dt
import functools
import itertools
import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import msgspec

from mappings import book_checks, tables
from mappings.errors import RuleFileError
from mappings.rule_book import Cap, Misplaced, Rule, Source
from mappings.visit import EVIDENCE

FOLDER = Path(__file__).parent / "books"
DATA_FILES = frozenset({"documentation.toml"})

VALUE_TYPES: Mapping[str, Any] = {
    "units_method": str,
    "untimed_units": int,
    "units_minimum": int,
    "modifier_places": int,
    "modifier_order": tuple[str, ...],
    "misplaced_modifiers": tuple[Misplaced, ...],
    "em_with_cmt": str,
    "distinct_with_cmt": tuple[str, ...],
    "distinct_with_em": tuple[str, ...],
    "gp_with_cmt": tuple[str, ...],
    "gp_always_therapy": bool,
    "never_with_25": tuple[str, ...],
    "group_alone": bool,
    "own_pairs": tuple[tuple[str, str], ...],
    "one_on_one_time": bool,
    "therapies_per_visit": int,
    "initial_phase_days": int,
    "unlisted_codes": tuple[str, ...],
    "massage_units": int,
    "massage_visits": int,
    "cmt_levels": dict[str, tuple[int, int]],
    "mue": bool,
    "noncovered": tuple[str, ...],
    "timed_units_cap": Cap,
    "total_minutes": bool,
    "assistant_modifiers": dict[str, str],
    "assistant_share": int,
    "assistant_last_unit": int,
    "kx_threshold": int,
    "targeted_review": int,
    "cmt_coverage": tuple[str, ...],
    "chiropractor_excluded": str,
    "conflicting_modifiers": tuple[tuple[str, str], ...],
    "modifier_needs": dict[str, tuple[str, ...]],
    "distinct_by": dict[str, str],
    "certification_days": int,
    "recertification_days": int,
    "progress_report_visits": int,
    "reevaluation_days": int,
    "reevaluation_visits": int,
    "prior_authorization": tuple[str, ...],
    "extraspinal_with_cmt": tuple[str, ...],
    "technique_decides": bool,
    "units_disputed": dict[str, int],
}
"""Every rule that a book may hold, with the type of its value: the fields of RuleBook."""


class Dated(msgspec.Struct, frozen=True):
    """A rule with the dates of service on which it is in force; `until` is the last day, None for open."""

    since: dt.date
    until: dt.date | None
    rule: Rule[Any]

    def in_force(self, on: dt.date) -> bool:
        """Whether it answers for this date of service."""
        return self.since <= on and (self.until is None or on <= self.until)


class KnownAs(msgspec.Struct, frozen=True):
    """One way in which a payer is written: an identifier (system and value), or a printed name.

    With `whole` the printed name is this and nothing more, for words that stand in other payers' names too.
    """

    name: str = ""
    whole: bool = False
    system: str = ""
    value: str = ""


class Book(msgspec.Struct, frozen=True):
    """One file: what this payer says for itself. `extends` names the book beneath it ("" for the base)."""

    id: str
    title: str
    extends: str
    edition: dt.date
    known_as: tuple[KnownAs, ...]
    rules: dict[str, tuple[Dated, ...]]
    sources: dict[str, Source]


class CatalogueElement(msgspec.Struct, frozen=True):
    """A documentation element with its level by book ("none" where a book does not ask for it)."""

    id: str
    codes: frozenset[str]
    of_visit: bool
    levels: dict[str, str]
    when: str
    label: str
    ask: str
    answer: str
    satisfied_by: tuple[frozenset[str], ...]
    source: Source
    confidence: str


def read_books(folder: Path = FOLDER) -> dict[str, Book]:
    """Every book in the folder, by id; raises RuleFileError."""
    validator = _validator("book.schema.json")
    books = {}
    for path in sorted(folder.glob("*.toml")):
        if path.name in DATA_FILES:
            continue
        book = _read_book(path, validator)
        if book.id != path.stem:
            raise RuleFileError(f"{path.name}: id: expected {path.stem!r}, the file's name, not {book.id!r}.")
        books[book.id] = book
    for book in books.values():
        below = [book.id]
        while base := books[below[-1]].extends:
            if base not in books:
                raise RuleFileError(f"{below[-1]}.toml: extends: there is no book {base!r}.")
            if base in below:
                raise RuleFileError(f"{book.id}.toml: extends: the books {', '.join(below)} extend each other.")
            below.append(base)
    return books


def _read_book(path: Path, validator: jsonschema.Draft202012Validator) -> Book:
    content = _checked(path, validator)
    _expect_days(f"{path.name}: ", content, "edition")
    sources = {key: _source(part) for key, part in content["sources"].items()}
    rules = {key: _dated_rules(path, key, content[key], sources) for key in VALUE_TYPES if key in content}
    used = {entry["source"] for key in rules for entry in content[key]}
    if unused := sorted(sources.keys() - used - (set() if "extends" in content else _of_tables())):
        raise RuleFileError(f"{path.name}: sources.{unused[0]}: no value of this file rests on it.")
    return Book(
        id=content["id"],
        title=content["title"],
        extends=content.get("extends", ""),
        edition=content["edition"],
        known_as=tuple(msgspec.convert(content.get("known_as", []), list[KnownAs])),
        rules=rules,
        sources=sources,
    )


@functools.cache
def _of_tables() -> frozenset[str]:
    """The sources of the embedded NCCI tables, which the base book lists."""
    found: set[str] = set()
    for path in FOLDER.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {row["source"] for row in csv.DictReader(file)}
    return frozenset(found)


def _dated_rules(path: Path, key: str, entries: list[dict[str, Any]], sources: dict[str, Source]) -> tuple[Dated, ...]:
    dated = []
    for index, entry in enumerate(entries):
        where = f"{path.name}: {key}[{index}]"
        _expect_days(f"{where}.", entry, "since", "until")
        if entry["source"] not in sources:
            raise RuleFileError(f"{where}.source: {entry['source']!r} is not among this file's sources.")
        until = entry.get("until")
        if until is not None and until < entry["since"]:
            raise RuleFileError(f"{where}.until: expected a day on or after since ({entry['since']}).")
        source = msgspec.structs.replace(sources[entry["source"]], words=entry["words"])
        value = msgspec.convert(entry["value"], VALUE_TYPES[key])
        if wrong := book_checks.fault(key, value):
            raise RuleFileError(f"{where}.value: {wrong}")
        dated.append(Dated(entry["since"], until, Rule(value, source, entry["confidence"])))
    dated.sort(key=lambda one: one.since)
    for earlier, later in itertools.pairwise(dated):
        if earlier.until is None or earlier.until >= later.since:
            raise RuleFileError(
                f"{path.name}: {key}: the entry since {earlier.since} overlaps the one since {later.since};"
                " expected an until before it."
            )
    return tuple(dated)


def read_elements(path: Path = FOLDER / "documentation.toml") -> tuple[CatalogueElement, ...]:
    """The documentation catalogue, in its own order."""
    content = _checked(path, _validator("documentation.schema.json"))
    sources = content["sources"]
    ids = {book.stem for book in FOLDER.glob("*.toml")} - {Path(name).stem for name in DATA_FILES}
    elements: list[CatalogueElement] = []
    for index, entry in enumerate(content["element"]):
        where = f"{path.name}: element[{index}] ({entry.get('id', 'no id')})"
        if entry["source"] not in sources:
            raise RuleFileError(f"{where}.source: {entry['source']!r} is not among this file's sources.")
        alternatives = tuple(frozenset(one.split(" and ")) for one in entry["satisfied_by"])
        unknown = frozenset[str]().union(*alternatives) - EVIDENCE
        if entry["id"] in [one.id for one in elements]:
            raise RuleFileError(f"{where}.id: an entry before it has the same id.")
        if strange := entry["levels"].keys() - ids:
            raise RuleFileError(f"{where}.levels: there are no books {sorted(strange)}.")
        if wrong := book_checks.fault_of_when("of" in entry, entry["when"]):
            raise RuleFileError(f"{where}.when: {wrong}")
        if unknown:
            raise RuleFileError(f"{where}.satisfied_by: {sorted(unknown)} are no kinds of evidence.")
        elements.append(
            CatalogueElement(
                id=entry["id"],
                codes=_codes(where, entry["codes"]),
                of_visit=entry.get("of") == "visit",
                levels=entry["levels"],
                when=entry["when"],
                label=entry["label"],
                ask=entry["ask"],
                answer=entry["answer"],
                satisfied_by=alternatives,
                source=_source(sources[entry["source"]], entry["words"]),
                confidence=entry["confidence"],
            )
        )
    return tuple(elements)


def _validator(schema: str) -> jsonschema.Draft202012Validator:
    content = json.loads((FOLDER / schema).read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(content, format_checker=jsonschema.FormatChecker())


def _checked(path: Path, validator: jsonschema.Draft202012Validator) -> dict[str, Any]:
    """The content of a TOML file that keeps to its schema; raises RuleFileError with the first path that does not."""
    content = read_toml(path)
    # The deepest first: what is wrong with a value shows above it as well, and says less there.
    errors = sorted(
        validator.iter_errors(_plain(content)), key=lambda e: (-len(e.absolute_path), list(map(str, e.path)))
    )
    for error in errors:
        raise RuleFileError(f"{path.name}: {_where(error.absolute_path)}: {error.message}")
    return content


def _expect_days(where: str, part: Mapping[str, Any], *keys: str) -> None:
    """Dates are TOML's own dates: a text that looks like one passes the schema."""
    for key in keys:
        if not isinstance(part.get(key), dt.date | None):
            raise RuleFileError(f"{where}{key}: expected a date without quotes, not {part[key]!r}.")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file; raises RuleFileError with the line that cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleFileError(f"{path.name}: expected TOML: {error}.") from None


def _codes(where: str, named: str | list[str]) -> frozenset[str]:
    every = tables.codes().values()
    if isinstance(named, list):
        if unknown := set(named) - tables.codes().keys():
            raise RuleFileError(f"{where}.codes: {sorted(unknown)} are not in the table of codes.")
        return frozenset(named)
    match named:
        case "therapies":
            return frozenset(code.code for code in every if code.is_therapy)
        case "timed":
            return frozenset(code.code for code in every if code.timed and code.is_therapy)
        case "treatments":
            return frozenset(code.code for code in every if code.is_therapy or code.is_cmt)
        case "settings":
            return frozenset(code.code for code in every if code.setting)
        case _:
            raise RuleFileError(f"{where}.codes: expected therapies, treatments, timed, settings or a list of codes.")


def _source(part: Mapping[str, Any], words: str = "") -> Source:
    return Source(
        title=part["title"],
        section=part["section"],
        url=part["url"],
        published=str(part["published"]),
        retrieved=str(part["retrieved"]),
        words=words,
    )


def _plain(value: Any) -> Any:
    """The same content with dates as ISO text, which is how JSON Schema knows them."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def _where(path: Sequence[str | int]) -> str:
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return words.lstrip(".") or "the file"
