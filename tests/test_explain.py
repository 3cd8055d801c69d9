"""Everything that touches a code is explained: which rule, from which layer, since when, why, and on whose word."""

import datetime as dt
import json
from pathlib import Path

import pytest

from mappings import books_in_force, tables
from mappings.book_files import FOLDER, VALUE_TYPES
from mappings.ncci.rows import PairRow
from mappings.rule_book import Source
from plugin.book_values import WHEN, asked, meaning, of_codes, values
from plugin.explain import Explanation, explained
from plugin.touches import TOUCHES, why
from tests import ncci_files as made
from tests.case_files import BASE_BOOK, Case, findings_of, read_cases, visit_of
from tests.command import Run, save

BOOKS = sorted(books_in_force.books())
ON = dt.date(2026, 3, 2)
EARLY = dt.date(2019, 6, 3)

# Every first day of a value and the day before it: on these something changes.
TURNS = sorted(
    {
        day
        for book in books_in_force.books().values()
        for entries in book.rules.values()
        for one in entries
        for day in (one.since, one.since - dt.timedelta(days=1))
        if day >= books_in_force.begins()
    }
)


@pytest.fixture(autouse=True)
def _nothing_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation of the test's own, whatever the machine has imported."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))


def told(code: str, payer: str, on: dt.date = ON) -> Explanation:
    return explained(code, payer, on)


def test_every_rule_is_decided() -> None:
    """For every rule that a book may hold it is decided which codes it touches, and said what it is about."""
    assert set(TOUCHES) == set(VALUE_TYPES)
    assert all(meaning(key) for key in VALUE_TYPES)


@pytest.mark.parametrize("key", VALUE_TYPES)
def test_every_rule_touches(key: str) -> None:
    """Every rule touches some code of the table, by a value that some book holds."""
    held = [
        (one.rule.value, books_in_force.rule_book(book.id, one.since))
        for book in books_in_force.books().values()
        for one in book.rules.get(key, ())
    ]
    assert any(why(key, code, value, book) for value, book in held for code in tables.codes().values())


def test_not_everything_touches() -> None:
    """A code has only what touches it: an adjustment no rule of timed services, and massage no rule of adjustments."""
    adjustment = {rule.rule for rule in told("98941", "bcbsnc").rules}
    massage = {rule.rule for rule in told("97124", "bcbsnc").rules}
    assert {"cmt_levels", "em_with_cmt", "untimed_units", "modifier_places"} <= adjustment
    assert adjustment.isdisjoint({"units_method", "units_minimum", "massage_units", "therapies_per_visit"})
    assert {"units_method", "massage_units", "massage_visits", "distinct_with_cmt"} <= massage
    assert massage.isdisjoint({"cmt_levels", "em_with_cmt", "untimed_units", "never_with_25", "unlisted_codes"})


@pytest.mark.parametrize("payer", BOOKS)
def test_in_force(payer: str) -> None:
    """On every day on which a value begins or ends, the values in force are those that the review goes by."""
    layers = books_in_force.chain(payer)
    for on in TURNS:
        book = books_in_force.rule_book(payer, on)
        shown = {one.key: one.dated.rule for one in values(layers, on)}
        assert len(shown) == len(values(layers, on))
        assert shown == {key: rule for key in VALUE_TYPES if (rule := getattr(book, key)) is not None}


@pytest.mark.parametrize("payer", BOOKS)
def test_pairs_and_elements(payer: str) -> None:
    """Every pair, limit and documentation element by which the review goes is explained for its codes."""
    book = books_in_force.rule_book(payer, ON)
    for code in tables.codes():
        one = told(code, payer)
        assert {(pair.column1, pair.column2) for pair in one.pairs} == {pair for pair in book.pairs if code in pair}
        assert {(element.element, element.level) for element in one.documentation} == {
            (element.id, element.level) for element in book.elements.get(code, ())
        }
        limit = book.limits.get(code)
        assert (one.mue and (one.mue.units, one.mue.indicator)) == (limit and (limit.units, limit.indicator))


CASES = dict(read_cases())


def explains(code: str, case: Case) -> set[Source]:
    """The sources that are explained for a code of a case."""
    assert case.date is not None
    one = told(code, case.payer or BASE_BOOK, case.date)
    parts = {part.source for some in (one.rules, one.pairs, one.documentation) for part in some}
    return parts if one.mue is None else {*parts, one.mue.source}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_card_is_explained(case: Case) -> None:
    """What a finding cites is explained for the code of the line to mend, or of one of its others where it is about
    several services alike: no rule decides that is not shown."""
    visit = visit_of(case)
    for finding in findings_of(visit):
        if finding.because:
            alike = finding.lines if finding.code.endswith("not-seen") else finding.lines[:1]
            shown = set().union(*(explains(visit.by_ref[ref].code, case) for ref in alike))
            assert [source.words for source in finding.because if source not in shown] == []


PAIRS = [
    ("97140", "bcbsnc", ("98940", "97140"), "59 on 97140"),
    ("97140", "medicare-b", ("98940", "97140"), "XE or XP or XS or XU on 97140"),
    ("97124", "bcbsnc", ("97140", "97124"), "no modifier helps"),
    ("97530", "anthem", ("97140", "97530"), "59 on 97530"),
]


@pytest.mark.parametrize(("code", "payer", "columns", "modifier"), PAIRS)
def test_place_of_a_modifier(code: str, payer: str, columns: tuple[str, str], modifier: str) -> None:
    """A pair says which modifier goes on which code, by the payer's own choice of them, or that none helps."""
    (pair,) = [one for one in told(code, payer).pairs if (one.column1, one.column2) == columns]
    assert pair.modifier == modifier


def test_25_of_a_pair() -> None:
    """Beside a service that an office visit is paired with, 25 goes on the visit, unless the payer refuses it there."""
    visits = {code.code for code in tables.codes().values() if code.is_em}
    pairs = [one for payer in ("aetna", "bcbsnc") for one in told("99211", payer).pairs]
    mixed = {one.modifier for one in pairs if one.indicator == 1 and not {one.column1, one.column2} <= visits}
    assert mixed == {"25 on 99211, for a significant, separate evaluation", "99211 takes no 25"}


def test_a_pair_and_its_dates() -> None:
    """A pair of the payer's own has the dates of its rule, and stands only on them."""
    (own,) = [one for one in told("97530", "anthem").pairs if one.column1 == "97140"]
    (rule,) = [one for one in told("97530", "anthem").rules if one.rule == "own_pairs"]
    assert (own.since, own.source) == (rule.since, rule.source)
    before = told("97530", "anthem", rule.since - dt.timedelta(days=1))
    assert not [one for one in before.pairs if one.column1 == "97140"]


def test_pairs_of_other_dates() -> None:
    """An edit that has ended, or was deleted as it began, is told apart from those in force, with its dates."""
    one = told("97530", "aetna")
    ended = {(pair.column1, pair.column2, pair.until) for pair in one.other_pairs}
    assert ("97140", "97530", dt.date(2019, 12, 31)) in ended
    assert all(pair.since > ON or (pair.until is not None and pair.until < ON) for pair in one.other_pairs)
    assert {pair.means for pair in one.other_pairs if pair.indicator == 9} == {"deleted on the day on which it began"}
    assert ("97140", "97530") in {(pair.column1, pair.column2) for pair in told("97530", "aetna", EARLY).pairs}


def test_what_only_informs() -> None:
    """What is uncertain, or in Medicare's table and not known to be this payer's, is said to inform only."""
    rules = {one.rule: one for one in told("97110", "hns").rules}
    assert rules["initial_phase_days"].informs_only
    assert not rules["units_method"].informs_only
    commercial, medicare = told("97110", "aetna").mue, told("97110", "medicare-b").mue
    assert commercial is not None
    assert medicare is not None
    assert (commercial.informs_only, medicare.informs_only) == (True, False)


def test_levels() -> None:
    """A documentation element has the level that the nearest layer gives it, and is left out where that is none."""
    levels = {
        payer: {one.element: (one.level, one.book) for one in told("97110", payer).documentation}
        for payer in ("bcbsnc", "aetna", "medicare-b")
    }
    assert levels["bcbsnc"]["actual_time"] == ("must", "hns")
    assert levels["aetna"]["actual_time"] == ("should", "national")
    assert "actual_time" not in levels["medicare-b"]


def test_conditions_in_words() -> None:
    """Every condition and every group of codes that the documentation catalogue may name is told in words."""
    schema = json.loads((FOLDER / "documentation.schema.json").read_text(encoding="utf-8"))
    assert set(WHEN) == set(schema["$defs"]["element"]["properties"]["when"]["enum"])
    for one in asked(books_in_force.chain("medicare-b")):
        assert of_codes(one.element).count(",") < 10, one.element.id


def test_in_words(run: Run) -> None:
    """For people every part is printed: label, rules, pairs, limit and documentation, each with its words and page."""
    out = " ".join(run("explain", "97140", "--payer", "bcbsnc", "--on", "2026-03-02").out.split())
    one = told("97140", "bcbsnc")
    assert one.code.label in out
    for rule in one.rules:
        assert all(part in out for part in (rule.rule, rule.why, rule.source.words, rule.source.url, rule.book))
    assert all(f"{pair.means}; {pair.modifier}" in out for pair in one.pairs)
    assert one.mue is not None
    assert one.mue.means in out
    assert all(f"{part.level}: {part.label}" in out and part.source.words in out for part in one.documentation)


def test_for_machines(run: Run) -> None:
    """For machines the same parts are lists, with dates as texts and sources whole."""
    one = json.loads(run("explain", "97140", "--payer", "bcbsnc", "--on", "2026-03-02", "--json").out)
    assert (one["code"]["code"], one["payer"], one["on"]) == ("97140", "bcbsnc", "2026-03-02")
    assert [layer["rule"] for layer in one["rules"]] == [rule.rule for rule in told("97140", "bcbsnc").rules]
    for part in (*one["rules"], *one["pairs"], one["mue"], *one["documentation"]):
        assert set(part["source"]) == {"title", "section", "url", "published", "retrieved", "words"}
    assert all(dt.date.fromisoformat(rule["since"]) <= ON for rule in one["rules"])


def test_defaults(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a payer it is the practice's base book, without a date today, and a code is taken in any case."""
    assert json.loads(run("explain", "g0283", "--json").out)["payer"] == "hns"
    monkeypatch.setenv("VISITCUE_BASE_BOOK", "medicare-b")
    one = json.loads(run("explain", "G0283", "--json").out)
    assert (one["payer"], one["code"]["code"]) == ("medicare-b", "G0283")
    assert abs(dt.date.fromisoformat(one["on"]) - dt.datetime.now().astimezone().date()) <= dt.timedelta(days=1)


def test_before_the_pairs(run: Run) -> None:
    """On a date for which not all pairs are held, that is said."""
    said = "Not all pairs of this date are held"
    assert said in run("explain", "97140", "--on", "2023-03-02").out
    assert said not in run("explain", "97140", "--on", "2026-03-02").out


def test_imported_tables(run: Run) -> None:
    """Where the official tables were imported, they are what a code is explained and a book is signed off by."""
    assert run(*made.IMPORT, save("pairs-2026q3.txt", made.ptp_text(made.sound_pairs()))).status == 0
    one = json.loads(run("explain", "97140", "--payer", "cigna", "--json").out)
    assert "ncci-2026q3" in one["edition"]
    assert {pair["since"] for pair in one["pairs"]} == {"2020-10-01"}
    assert [pair["until"] for pair in one["other_pairs"]] == ["2019-12-31"]
    assert {"2026Q3" in part["source"]["section"] for part in (*one["pairs"], *one["other_pairs"])} == {True}
    assert "ncci-2026q3" in run("payers", "cigna").out
    assert "ncci-2026q3" in json.loads(run("payers", "cigna", "--json").out)["ncci"]["edition"]


def imported(*more: PairRow) -> tuple[str, ...]:
    """The words that import the made-up pairs, and these."""
    return *made.IMPORT, save("pairs-2026q3.txt", made.ptp_text([*made.sound_pairs(), *more]))


def test_imported_pairs_of_other_codes(run: Run) -> None:
    """Of the imported file a code has its pairs with codes that are not reviewed: all for machines, 20 for people."""
    since = dt.date(2020, 1, 1)
    others = [PairRow(f"{number}", "97110", since, None, number % 2, "made up") for number in range(20_000, 20_030)]
    assert run(*imported(*others, PairRow("20100", "97110", since, since, 1, "made up"))).status == 0
    words = ("explain", "97110", "--payer", "cigna")
    one = json.loads(run(*words, "--json").out)["imported"]
    assert (one["edition"], one["count"], len(one["pairs"])) == ("2026q3", 30, 30)
    assert {pair["column1"] for pair in one["pairs"]} == {row.column1 for row in others}
    out = " ".join(run(*words).out.split())
    assert "30 pairs in force with codes that VisitCue does not review" in out
    assert ("97110 beside 20019" in out, "97110 beside 20020" in out, "and 10 more" in out) == (True, False, True)


def test_code_of_the_imported_files_only(run: Run) -> None:
    """A code that VisitCue does not review is explained by the imported files: its pairs, and its units."""
    assert "0001U" in run("explain", "0001U").one_line()
    mue = save("mue-2026q3.csv", made.mue_text(made.sound_limits()))
    since = dt.date(2020, 1, 1)
    rows = [PairRow("0001U", "97110", since, None, one, "made up") for one in (1, 0)]
    assert run(*imported(*rows), mue).status == 0
    one = json.loads(run("explain", "0001u", "--on", "2026-07-01", "--json").out)
    assert (one["code"], one["mue"]["units"], one["mue"]["edition"]) == ({"code": "0001U"}, 1, "2026q3")
    assert [pair["indicator"] for pair in one["imported"]["pairs"]] == [0]
    before = json.loads(run("explain", "0001U", "--on", "2026-06-30", "--json").out)
    assert before["mue"] is None
    assert "never paid together" in run("explain", "0001U").out
    assert "99998" in run("explain", "99998").one_line()
    assert "codes" in run("explain", "\udcff").one_line()


def test_losing_row(run: Run) -> None:
    """Of two rows that differ on one day the stricter is in force, and the other one stands among the other rows."""
    since = dt.date(2019, 1, 1)
    rows = [PairRow("97110", "97530", since, None, one, "made up") for one in (0, 1)]
    assert run(*imported(*rows)).status == 0
    one = json.loads(run("explain", "97110", "--payer", "cigna", "--json").out)
    shown = [
        [pair["indicator"] for pair in one[part] if pair["column1"] == "97110" and pair["column2"] == "97530"]
        for part in ("pairs", "other_pairs")
    ]
    assert shown == [[0], [1]]


def test_only_embedded(run: Run) -> None:
    """Where only the embedded table answers, the code and the sheet say that later quarters are not held."""
    said = "later quarters are not held"
    for words in (("explain", "97110"), ("payers", "cigna")):
        assert " ".join(run(*words).out.split()).count(said) == 2
    assert json.loads(run("payers", "cigna", "--json").out)["ncci"]["embedded_only"] == ["pairs", "limits"]
    run(*imported())
    for words in (("explain", "97110"), ("payers", "cigna")):
        assert " ".join(run(*words).out.split()).count(said) == 1
    assert "ncci-2026q3+mue-2024q3" in "".join(run("payers").out.split())


def test_payer_in_any_case(run: Run) -> None:
    """A rule book is named in any case, and the base is among those that are listed for a name of none."""
    assert json.loads(run("explain", "97110", "--payer", "BCBSNC", "--json").out)["payer"] == "bcbsnc"
    assert json.loads(run("payers", "Medicare-B", "--json").out)["id"] == "medicare-b"
    assert "national" in run("explain", "97110", "--payer", "nobody").one_line()


REFUSED = [
    (("97999",), "97999"),
    (("",), "codes"),
    (("97110", "--payer", "nobody"), "nobody"),
    (("97110", "--on", "soon"), "soon"),
    (("97110", "--on", "2026-02-30"), "2026-02-30"),
    (("97110", "--on", "2018-12-31"), "2019-01-01"),
    (("97110", "--on", "0001-01-01"), "2019-01-01"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED)
def test_refused(run: Run, words: tuple[str, ...], says: str) -> None:
    """A code, payer or date that cannot be is one line that names it, and status 2."""
    assert says in run("explain", *words).one_line()


def test_any_day(run: Run) -> None:
    """The last day that a calendar knows is a date of service like another."""
    assert run("explain", "97110", "--on", "9999-12-31").status == 0
