"""The command line's lists, its validation and its refusals: one clear line, never a traceback."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from mappings import books_in_force, tables
from mappings.book_files import VALUE_TYPES
from plugin.finding_list import KINDS
from tests.builders import Json
from tests.command import COMMAND, Run, save
from tests.visits import CLEAN, FAULTY

IDS = [
    *("aetna", "anthem", "bcbsnc", "cigna", "commercial", "hns", "humana"),
    *("medcost", "medicare-b", "nc-shp", "uhc", "va-ccn", "zelis"),
]


@pytest.fixture(autouse=True)
def _nothing_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation of the test's own, whatever the machine has imported."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    "words", [("review", "a.json", "--base-book", "nobody"), ("payers", "nobody"), ("payers", "nobody", "--json")]
)
def test_unknown_book(run: Run, words: tuple[str, ...]) -> None:
    """A rule book that does not exist is one line that lists those that do, and status 2."""
    save("a.json", CLEAN["orders"])
    line = run(*words).one_line()
    assert "nobody" in line
    assert all(one in line for one in IDS)


@pytest.mark.parametrize("words", [("nonsense",), ("review",), ("payers", "--nonsense"), ("serve", "--port", "x")])
def test_wrong_call(run: Run, words: tuple[str, ...]) -> None:
    """A call that the command line does not know is told on standard error, with status 2."""
    done = run(*words)
    assert (done.status, done.out) == (2, "")
    assert "Traceback" not in done.err


SETTINGS = [
    ("VISITCUE_FETCH_SECONDS", "soon"),
    ("VISITCUE_FHIR_SERVERS", "not a list"),
    ("VISITCUE_BASE_BOOK", "nobody"),
]


@pytest.mark.parametrize(("variable", "value"), SETTINGS)
@pytest.mark.parametrize("command", ["serve", "review"])
def test_bad_setting(run: Run, monkeypatch: pytest.MonkeyPatch, command: str, variable: str, value: str) -> None:
    """A setting that cannot be is one line that names it, and status 2."""
    monkeypatch.setenv(variable, value)
    line = run(command, *(["--port", "1"] if command == "serve" else [save("a.json", CLEAN["orders"])])).one_line()
    assert re.search(variable.removeprefix("VISITCUE_") + "|" + value, line, re.IGNORECASE)


def test_payers_for_machines(run: Run) -> None:
    """The rule books are a list of ids, each with title, names, the book it extends and its edition."""
    listed = json.loads(run("payers", "--json").out)
    assert [one["id"] for one in listed] == IDS
    for one in listed:
        assert set(one) == {"id", "title", "known_as", "extends", "edition"}
        assert all(set(known) in ({"name"}, {"system", "value"}) for known in one["known_as"])
        assert re.fullmatch(rf"{one['id']}@\d{{4}}-\d\d-\d\d\+.+", one["edition"])
        assert one["extends"] in ("national", "hns")


def test_payers_in_words(run: Run) -> None:
    """For people the rule books are a table."""
    out = run("payers").out
    assert all(one in out for one in IDS)


@pytest.mark.parametrize("name", IDS)
def test_one_payer(run: Run, name: str) -> None:
    """One rule book is printed with every value, its dates and its sources, its own layer first."""
    book = json.loads(run("payers", name, "--json").out)
    assert book["id"] == name
    for rule in book["rules"]:
        assert {"rule", "book", "since", "value", "confidence", "source"} <= set(rule)
        assert {"title", "section", "url", "words"} <= set(rule["source"])
    out = run("payers", name).out
    assert all(rule["rule"] in out and rule["source"]["words"] in " ".join(out.split()) for rule in book["rules"])


def test_one_payer_whole(run: Run) -> None:
    """A book has its layers, its documentation by level, the NCCI tables, and what none of its layers says."""
    book = json.loads(run("payers", "bcbsnc", "--json").out)
    assert [layer["id"] for layer in book["layers"]] == ["bcbsnc", "hns", "national"]
    assert {one["level"] for one in book["documentation"]} == {"must", "should"}
    assert {one["element"] for one in book["documentation"] if one["book"] == "hns"} >= {"type", "rationale"}
    assert book["ncci"]["pairs"] > 300
    assert {one["rule"] for one in book["rules"]} | {one["rule"] for one in book["not_said"]} == set(VALUE_TYPES)
    refused = json.loads(run("payers", "medicare-b", "--json").out)["documentation"]
    assert [one["element"] for one in refused if one["level"] == "none"] == ["actual_time"]


def test_overridden(run: Run) -> None:
    """A value of a lower layer is in force only where no nearer one answers, and that is said in both outputs."""
    book = json.loads(run("payers", "bcbsnc", "--json").out)
    methods = [one for one in book["rules"] if one["rule"] == "units_method"]
    assert [(one["book"], one["overridden_by"], one["in_force"]) for one in methods] == [
        ("hns", [], [{"since": "2019-05-01"}]),
        ("national", ["hns"], [{"since": "2019-01-01", "until": "2019-04-30"}]),
    ]
    book = json.loads(run("payers", "medicare-b", "--json").out)
    method = next(one for one in book["rules"] if (one["rule"], one["book"]) == ("units_method", "national"))
    assert (method["in_force"], method["overridden_by"]) == ([], ["medicare-b"])
    assert "NOT IN FORCE: overridden by medicare-b" in " ".join(run("payers", "medicare-b").out.split())


@pytest.mark.parametrize("name", IDS)
def test_one_payer_on_a_date(run: Run, name: str) -> None:
    """On a date a book has only what is in force on it: no rule twice, and none of later or earlier dates."""
    book = json.loads(run("payers", name, "--on", "2020-02-29", "--json").out)
    assert book["on"] == "2020-02-29"
    rules = {one["rule"]: one for one in book["rules"]}
    assert len(rules) == len(book["rules"])
    for one in rules.values():
        assert any(span["since"] <= "2020-02-29" <= span.get("until", "9") for span in one["in_force"])
    assert "mue" not in rules
    assert "2020-02-29" in run("payers", name, "--on", "2020-02-29").out


def test_sign_off(run: Run) -> None:
    """A printed book ends with its edition and a line for the name and the date of whoever signs it."""
    out = run("payers", "hns").out
    end = out[out.index("SIGN-OFF") :]
    assert books_in_force.edition("hns") in end
    assert re.search(r"Name: _+ +Date: _+\n", end)
    for one in books_in_force.books()["hns"].rules:
        assert f"\n{one} = " in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("hns", "--on", "soon"), "soon"),
        (("hns", "--on", "2018-12-31"), "2019-01-01"),
        (("--on", "2026-03-02"), "--on"),
    ],
)
def test_payer_on_no_date(run: Run, words: tuple[str, ...], says: str) -> None:
    """A date that is none, that lies before the books, or that has no book with it is one line, and status 2."""
    assert says in run("payers", *words).one_line()


def test_findings(run: Run) -> None:
    """The closed list of findings is printed whole."""
    listed = json.loads(run("findings", "--json").out)
    assert [one["code"] for one in listed] == [kind.code for kind in KINDS]
    assert all(kind.code in run("findings").out for kind in KINDS[:3])


def test_codes(run: Run) -> None:
    """The table of codes is printed whole."""
    listed = json.loads(run("codes", "--json").out)
    assert [one["code"] for one in listed] == list(tables.codes())
    assert "97110" in run("codes").out


VALIDITY: list[tuple[str, Json, int]] = [
    ("a Claim", FAULTY["tie"]["context"]["claim"], 0),
    ("a Coverage without a beneficiary", {"resourceType": "Coverage", "status": "active"}, 1),
    ("a type of nobody", {"resourceType": "Xyz"}, 1),
    ("no resource", {"hello": "world"}, 1),
]


@pytest.mark.parametrize(("name", "resource", "status"), VALIDITY, ids=[one[0] for one in VALIDITY])
def test_validate(run: Run, name: str, resource: Json, status: int) -> None:
    """Validating ends with 0 for valid FHIR R4 and with 1, and what is wrong, for anything else."""
    done = run("validate", save("a.json", resource))
    assert (done.status, done.out.startswith("a.json: ")) == (status, True), name


def test_version(run: Run) -> None:
    """--version prints the name and the version."""
    assert re.fullmatch(r"visitcue \d+\.\d+\.\d+\n", run("--version").out)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "ehr.example"])
def test_serve_stays_inside(run: Run, host: str) -> None:
    """The service does not listen on an address that others reach, unless it is told --insecure."""
    assert "--insecure" in run("serve", "--host", host).one_line()


def test_serve_on_no_address(run: Run) -> None:
    """An address that does not exist is one line, and status 2."""
    assert "no-such-host.invalid" in run("serve", "--host", "no-such-host.invalid", "--insecure").one_line()


@pytest.mark.parametrize(
    ("words", "status", "said"), [(("--version",), 0, "visitcue"), (("review", "x.json"), 2, "x.json")]
)
def test_installed_command(tmp_path: Path, words: tuple[str, ...], status: int, said: str) -> None:
    """The installed command ends with the status and the words that are promised here."""
    done = subprocess.run([COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
