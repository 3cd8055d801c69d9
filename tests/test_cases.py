"""The cases: what the sources call for, chapter by chapter, as data in `tests/cases/<book>/`."""

from collections.abc import Iterator

import pytest

from mappings import books_in_force
from mappings.book_files import VALUE_TYPES
from plugin.finding_list import KINDS
from plugin.findings import Finding
from tests.case_files import FOLDER, Case, Expected, findings_of, is_of_visit, read_cases, visit_of

CASES = dict(read_cases())

# These three come from reading a request, not from reviewing a visit; the tests of the hooks hold them.
OF_A_REQUEST = {"facts.unreadable", "facts.not-checked", "facts.codes-not-reviewed"}

Key = tuple[str, tuple[int, ...]]


def found_key(finding: Finding) -> Key:
    """The code with the line to mend first and the other lines, by their numbers."""
    if is_of_visit(finding.code):
        return finding.code, ()
    first, *others = (int(ref.rpartition("#")[2]) for ref in finding.lines)
    return finding.code, (first, *sorted(others))


def expected_key(expected: Expected) -> Key:
    """The same of an expectation."""
    return expected.code, (*expected.lines[:1], *sorted(expected.lines[1:]))


def differences(expected: Expected, finding: Finding) -> Iterator[str]:
    """What an expectation names beyond code and lines, and the finding says otherwise."""
    for slot, value in expected.slots.items():
        if finding.slots.get(slot) != value:
            yield f"{finding.code}: {slot} is {finding.slots.get(slot)!r}, not {value!r}"
    if expected.level not in (None, finding.level):
        yield f"{finding.code}: level is {finding.level}, not {expected.level}"
    if expected.fix not in (None, bool(finding.fix)):
        yield f"{finding.code}: fix is {finding.fix!r}"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_case(case: Case) -> None:
    """A visit has exactly the findings that its source calls for."""
    found = sorted(findings_of(visit_of(case)), key=found_key)
    expected = sorted(case.expect, key=expected_key)
    assert [found_key(one) for one in found] == [expected_key(one) for one in expected]
    wrong = [words for pair in zip(expected, found, strict=True) for words in differences(*pair)]
    assert not wrong, "; ".join(wrong)


def test_silence_is_proved() -> None:
    """At least a third of the cases have no finding, since a false alarm costs as much as a miss."""
    silent = sum(not case.expect for case in CASES.values())
    assert silent * 3 >= len(CASES), f"{silent} of {len(CASES)} cases are silent."


def test_every_finding_is_produced() -> None:
    """Every finding that a visit can have is produced by some case."""
    produced = {one.code for case in CASES.values() for one in case.expect}
    assert {kind.code for kind in KINDS} - OF_A_REQUEST - produced == set()


def test_every_rule_is_proved() -> None:
    """Every rule that a book may hold is proved by some case."""
    assert set(VALUE_TYPES) - {key for case in CASES.values() for key in case.proves} == set()


def test_every_book_has_cases() -> None:
    """Every book has a folder with cases, and every folder a book."""
    assert {path.parent.name for path in FOLDER.glob("*/*.toml")} == set(books_in_force.books())
