"""Keeps what the service logs during a whole session, and tells what of it should not be there.

In process every line is kept as it is written. A service in a process of its own writes to a file in the session's
temporary folder, and such files are known by their lines; what is piped to a test is that test's to look at.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugin import logs
from tests.visits import CLEAN, FAULTY

TESTS = Path(__file__).resolve().parent
EXAMPLES = TESTS.parent / "examples"
LINE = re.compile(rb'^\{"time":"[^\n]*$', re.MULTILINE)
NOT_A_LINE = re.compile(rb"^Traceback |^  File ", re.MULTILINE)

SHORTEST = 5
"""Letters of a word that is looked for: ids such as `em` or `f` occur in any text."""

NAMED = frozenset({"id", "family", "given", "text", "access_token", "value", "reference"})
"""The members of requests whose values identify somebody, or are somebody's words."""

CHECKED_APART = {
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"),
    "request_id": re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "ms": re.compile(r"\d+(?:\.\d+)?(?:e-\d+)?"),
}
"""Fields that differ in every line and can hold nothing else: checked for their form, and left out after that."""

ENOUGH = 8192
"""Bytes at the beginning of a file, among which a log has its first line."""

_kept = bytearray()
"""All lines of this process."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep every line beside writing it."""
    config.addinivalue_line("markers", "last: run when all other tests have run")
    write = logs.emit

    def keep(line: bytes) -> None:
        _kept.extend(line + b"\n")
        write(line)

    logs.emit = keep


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the test that reads the whole log behind all others."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def whole_log(folder: Path) -> bytes:
    """Everything that was logged so far: in this process, and into files in the folder or below it."""
    texts = [bytes(_kept)]
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                if LINE.search(opened.read(ENOUGH)):
                    texts.append(file.read_bytes())
    return b"\n".join(texts)


def told(log: bytes) -> list[dict[str, Any]]:
    """Each different line of a log, without its time, id and duration; fails on one that is not as a line has to be."""
    assert not NOT_A_LINE.search(log), "A traceback was printed."
    found: dict[bytes, dict[str, Any]] = {}
    for line in LINE.findall(log):
        one: dict[str, Any] = msgspec.json.decode(line)
        for field, form in CHECKED_APART.items():
            if field in one:
                assert form.fullmatch(str(one.pop(field))), f"{field} is not of its form: {line!r}"
        found[msgspec.json.encode(one, order="deterministic")] = one
    return list(found.values())


def leaks(lines: list[dict[str, Any]], words: frozenset[str]) -> list[str]:
    """The words that occur in any of the lines, in whatever case."""
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).casefold()
    return sorted(word for word in words if word.casefold() in text)


def identifying(ours: frozenset[str]) -> frozenset[str]:
    """What identifies somebody in the fixtures and examples: ids, names, tokens, and the rarer words of notes.

    A word that is one of ours as well (of a finding's code, say) proves nothing and is left out.
    """
    requests = [json.loads(file.read_bytes()) for file in sorted(EXAMPLES.glob("*.json"))]
    requests += [*FAULTY.values(), *CLEAN.values()]
    found = {word for one in requests for word in _of_json(one)} | set(_constants())
    known = "\n".join(ours).casefold()
    return frozenset(word for word in found if len(word) >= SHORTEST and word.casefold() not in known)


def _of_json(value: object, member: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _of_json(one, key)
    elif isinstance(value, list):
        for one in value:
            yield from _of_json(one, member)
    elif isinstance(value, str) and member in NAMED:
        yield from _words(value.rpartition("/")[2] if member == "reference" else value)


def _words(text: str) -> list[str]:
    """A short value as it is and by its words; of a long one the words that are long enough to be rare."""
    words = re.findall(r"[\w-]+", text)
    return [text, *words] if len(words) <= 4 else [word for word in words if len(word) >= 9]


def _constants() -> Iterator[str]:
    """The texts that test modules name TOKEN, SECRET, NAME, PATIENT or ENCOUNTER at their top."""
    for file in sorted(TESTS.glob("*.py")):
        for node in ast.parse(file.read_bytes()).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                names = {target.id for target in node.targets if isinstance(target, ast.Name)}
                if names & {"TOKEN", "SECRET", "NAME", "PATIENT", "ENCOUNTER"} and isinstance(node.value.value, str):
                    yield from _words(node.value.value)
