"""What a treatment note says: an open table of phrases for each documentation element.

A phrase counts only where the words before it in its clause do not deny it ("no", "not performed", "declined").
"""

import csv
import functools
import re

from mappings.tables import FOLDER

_DENIAL = re.compile(r"\b(?:no|not|without|denies|denied|declined|deferred|unable|none|never|held)\b")
_DENIED_AFTER = re.compile(r"^\W*(?:(?:was|were|is|are)\s+)?(?:not\b|deferred\b|declined\b|held\b)")
_CLAUSE_END = re.compile(r"[.;:!?\n]|\bbut\b|\bthen\b")
_QUOTED = 30


@functools.cache
def _patterns() -> dict[str, re.Pattern[str]]:
    phrases: dict[str, list[str]] = {}
    with (FOLDER / "phrases.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            phrases.setdefault(row["element"], []).append(row["phrase"])
    return {
        element: re.compile(
            r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(found, key=len, reverse=True))) + r")(?!\w)",
            re.IGNORECASE,
        )
        for element, found in phrases.items()
    }


def quotation(element: str, notes: tuple[str, ...]) -> str | None:
    """The words of the first note that document an element, or None where no note does."""
    pattern = _patterns().get(element)
    if pattern is None:
        return None
    for note in notes:
        for match in pattern.finditer(note):
            if not _denied(note, match):
                return _around(note, match)
    return None


def _denied(note: str, match: re.Match[str]) -> bool:
    before = _CLAUSE_END.split(note[: match.start()].lower())[-1]
    return bool(_DENIAL.search(before) or _DENIED_AFTER.match(note[match.end() :].lower()))


def _around(note: str, match: re.Match[str]) -> str:
    start, end = max(0, match.start() - _QUOTED), min(len(note), match.end() + _QUOTED)
    words = " ".join(note[start:end].split())
    return f"{'…' if start else ''}{words}{'…' if end < len(note) else ''}"
