"""Quarterly editions: what a name such as "2026q3" stands for, and what the names of the official files say."""

import datetime as dt
import re

from mappings.errors import RuleFileError

EDITION = re.compile(r"(199[6-9]|20[0-9]{2})q([1-4])")
QUARTER = re.compile(r"(?<![0-9])(20[0-9]{2})[-_ ]?q([1-4])(?![0-9])")
VERSION = re.compile(r"(?<![a-z0-9])v([0-9]{2})\.?([0-3])(r[0-9]+)?(?![0-9])")
PART = re.compile(r"(?<![a-z0-9])f([1-9])(?![a-z0-9])")
# Only the first day of a quarter is an effective date; any other one may be the day of a download.
BEGINS = re.compile(
    r"(?<![0-9])(?:(?P<year>20[0-9]{2})[-_.](?P<month>01|04|07|10)[-_.]01"
    r"|(?P<us_month>01|04|07|10)[-_.]01[-_.](?P<us_year>20[0-9]{2}))(?![0-9])"
)

OTHER_FILES = (
    (re.compile(r"medicaid"), "a Medicaid file"),
    (re.compile(r"ccioph|hospital|outpatient|facility"), "a hospital file"),
    (re.compile(r"(?<![a-z])dme(?![a-z])|dmesupplier|supplier-services"), "a file for suppliers of equipment (DME)"),
    (re.compile(r"additions|deletions|revisions"), "the list of a quarter's changes, not its whole table"),
)
EXPECTED = "expected the Medicare practitioner file"
AHEAD = dt.timedelta(days=100)
"""CMS publishes an edition some weeks before its quarter begins, and never a quarter and more."""


def checked(edition: str) -> str:
    """An edition as a person names it, in our spelling; raises RuleFileError."""
    if not EDITION.fullmatch(edition.lower()):
        raise RuleFileError(f"--edition: expected a year and a quarter such as 2026q3, not {edition!r}.")
    return edition.lower()


def refuse_unlikely(edition: str, today: dt.date) -> None:
    """Raises RuleFileError for an edition that CMS cannot have published yet, or from before the first one."""
    if not EDITION.fullmatch(edition):
        raise RuleFileError(f"{edition}: there are no NCCI edits of that time: expected an edition since 1996q1.")
    begins, _ = quarter(edition)
    if begins > today + AHEAD:
        raise RuleFileError(
            f"{edition}: this quarter begins on {begins}, more than {AHEAD.days} days after today ({today}): expected"
            " an edition that CMS has published."
        )


def quarter(edition: str) -> tuple[dt.date, dt.date]:
    """The first and the last day of an edition's quarter; raises ValueError for what names none."""
    found = EDITION.fullmatch(edition)
    if not found:
        raise ValueError(f"{edition!r} is no edition")
    year, number = int(found[1]), int(found[2])
    follows = dt.date(year + number // 4, number % 4 * 3 + 1, 1)
    return dt.date(year, number * 3 - 2, 1), follows - dt.timedelta(days=1)


def named(name: str) -> set[str]:
    """The editions that a file's name speaks of: by quarter, by version (v322r0 is 2026q3) or by its first day."""
    name = name.lower()
    found = {f"{year}q{number}" for year, number in QUARTER.findall(name)}
    # Version 30.0 is the first quarter of 2024.
    found |= {f"{int(one[1]) + 1994}q{int(one[2]) + 1}" for one in VERSION.finditer(name)}
    for one in BEGINS.finditer(name):
        month = int(one["month"] or one["us_month"])
        found.add(f"{one['year'] or one['us_year']}q{(month + 2) // 3}")
    return found


def version(name: str) -> str:
    """The version in a file's name, such as "v322r0", "" where it names none."""
    found = VERSION.search(name.lower())
    return found[0] if found else ""


def part(name: str) -> int:
    """The number in the name of one part of a table that comes in several, 0 where it names none."""
    found = PART.search(name.lower())
    return int(found[1]) if found else 0


def refuse_other_files(name: str) -> None:
    """Raises RuleFileError where a name is that of another NCCI file than Medicare's for practitioners."""
    for words, what in OTHER_FILES:
        if words.search(name.lower()):
            raise RuleFileError(f"{name}: by its name this is {what}; {EXPECTED}.")
