"""The command line's lists, its validation and its refusals: one clear line, never a traceback."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from mappings import tables
from plugin.finding_list import KINDS
from tests.builders import Json
from tests.command import COMMAND, Run, save
from tests.visits import CLEAN, FAULTY

IDS = [
    *("aetna", "anthem", "bcbsnc", "cigna", "commercial", "hns", "humana"),
    *("medcost", "medicare-b", "nc-shp", "uhc", "va-ccn", "zelis"),
]


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
