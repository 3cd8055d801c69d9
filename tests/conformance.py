"""The conformance list: `docs/conformance.toml` holds it, `docs/conformance.md` is written from it.

`python -m tests.conformance` writes the page anew, `--check` names what is stale. It is here and not in the product
because every row is proved by tests, which do not ship.
"""

import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "docs" / "conformance.toml"
PAGE = ROOT / "docs" / "conformance.md"

GROUPS = {
    "J": ("JSON and transport", 7),
    "D": ("Discovery", 15),
    "Q": ("Requests", 11),
    "P": ("Prefetch", 17),
    "F": ("FHIR access", 4),
    "R": ("Responses", 6),
    "K": ("Cards", 32),
    "B-F": ("Feedback", 5),
    "S": ("Trust", 14),
    "H": ("Custom hooks", 10),
    "B": ("Beyond the text", 16),
}
"""The prefix of each group of ids, its title, and how many rows it has."""

STATUS = {
    "met": "tests prove it",
    "client": "a duty of the client; what we do about it is said",
    "not-applicable": "it is about something that VisitCue does not do",
    "not-met": "it does not hold, and why is said",
}


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement in our own words. `tests` are "tests/file.py::function"; `why` is given unless it is met."""

    section: str
    level: str
    requirement: str
    status: Literal["met", "client", "not-applicable", "not-met"]
    tests: tuple[str, ...] = ()
    why: str = ""


def ids() -> list[str]:
    """Every id of the list, in its order."""
    return [
        f"{prefix}{number}" if prefix == "B-F" else f"{prefix}-{number}"
        for prefix, (_, count) in GROUPS.items()
        for number in range(1, count + 1)
    ]


def rows() -> dict[str, Row]:
    """The rows by id; raises ValidationError for one that has not the form of a row."""
    return msgspec.convert(tomllib.loads(LIST.read_text(encoding="utf-8")), dict[str, Row])


def unskipped_tests(path: Path) -> set[str]:
    """The test functions of a file that run wherever the suite runs, read from its text."""
    tree = ast.parse(path.read_bytes())
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {node.name for node in found if not any(_skips(part) for part in ast.walk(node))}


def _skips(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("skip", "skipif", "xfail", "importorskip")


def page() -> str:
    """The page, as it would be written now."""
    return "\n\n".join(_parts(rows())) + "\n"


def _parts(every: dict[str, Row]) -> Iterator[str]:
    yield "<!-- Written from docs/conformance.toml: `make docs` writes it anew. -->"
    yield "# Conformance"
    yield (
        "What CDS Hooks 2.0.1 and 3.0.0-ballot ask of a service, row by row in our own words, with the tests that prove"
        " it; and, below, what goes beyond the text: Da Vinci CRD, the Inferno test kit, robustness. A row is met only"
        " where a test would fail if it were not."
    )
    counts = Counter[str](row.status for row in every.values())
    yield "\n".join(
        ["| Status | Rows | Means |", "| --- | --- | --- |"]
        + [f"| {status} | {counts[status]} | {means} |" for status, means in STATUS.items()]
        + [f"| | {len(every)} | |"]
    )
    for prefix, (title, _) in GROUPS.items():
        yield f"## {title}"
        yield (
            "| Id | Section | Level | Requirement | Status | Proof, or why |\n| --- | --- | --- | --- | --- | --- |\n"
            + ("\n".join(_line(key, row) for key, row in every.items() if _group(key) == prefix))
        )


def _group(key: str) -> str:
    return "B-F" if key.startswith("B-F") else key.partition("-")[0]


def _line(key: str, row: Row) -> str:
    proofs = [f"[`{name.partition('::')[2]}`](../{name.partition('::')[0]})" for name in row.tests]
    told = " ".join([*([row.why] if row.why else []), ", ".join(proofs)]).strip()
    return f"| {key} | {row.section} | {row.level} | {row.requirement} | {row.status} | {told} |"


def main() -> int:
    """Write the page, or say with status 1 that it is stale."""
    fresh = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == fresh:
        return 0
    if "--check" in sys.argv:
        print("docs/conformance.md: stale; `make docs` writes it anew.")
        return 1
    PAGE.write_text(fresh, encoding="utf-8")
    print("docs/conformance.md: written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
