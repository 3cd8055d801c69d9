"""The cases: what the sources call for, chapter by chapter, as data in `tests/cases/<book>/`."""

from collections.abc import Iterator

import pytest

from mappings import book_files, books_in_force
from mappings.book_files import VALUE_TYPES
from plugin.finding_list import KINDS
from plugin.findings import Finding
from tests.case_files import BASE_BOOK, FOLDER, Case, Expected, findings_of, is_of_visit, read_cases, visit_of

CASES = dict(read_cases())

# These come from reading a request, not from reviewing a visit; the tests of the hooks hold them.
OF_A_REQUEST = {"facts.unreadable", "facts.not-checked", "facts.more-found", "facts.codes-not-reviewed"}

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
    if expected.choices not in (None, len(finding.choices)):
        yield f"{finding.code}: {len(finding.choices)} choices, not {expected.choices}"


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


def values_in_force(case: Case) -> Iterator[int]:
    """The rule values, as entries of the books, that answer for a case and that it says it proves."""
    assert case.date is not None
    for key in case.proves:
        for layer in books_in_force.chain(case.payer or BASE_BOOK):
            entry = next((one for one in layer.rules.get(key, ()) if one.in_force(case.date)), None)
            if entry is not None:
                yield id(entry)
                break


def test_every_rule_value_is_reached() -> None:
    """Every value of every book, in each of its times, is the one in force in some case that proves its rule."""
    reached = {value for case in CASES.values() for value in values_in_force(case)}
    unreached = [
        f"{book.id}: {key} since {entry.since}"
        for book in books_in_force.books().values()
        for key, entries in book.rules.items()
        for entry in entries
        if id(entry) not in reached
    ]
    assert unreached == []


def test_every_element_is_asked_for() -> None:
    """Every documentation element is called missing by some case, or is never due by itself."""
    missing = {one for case in CASES.values() for expected in case.expect for one in expected.slots.get("missing", ())}
    never_due = {one.id for one in book_files.read_elements() if one.when == "equipment-used"}
    assert set(books_in_force.questions()) - missing - never_due == set()


def test_every_book_has_cases() -> None:
    """Every book has a folder with cases, and every folder a book."""
    assert {path.parent.name for path in FOLDER.glob("*/*.toml")} == set(books_in_force.books())
