"""The command line reviews files: what it prints, for people and for machines, and its exit status."""

import json
from pathlib import Path

import pytest

from tests.builders import Json, bundle, changed, claim, coverage, item, order, text
from tests.command import Run, save
from tests.visits import BALANCE, BATCH, CLEAN, CMT, EXERCISE, FAULTY, chiro


def codes(out: str) -> list[list[str]]:
    """The findings' codes in the answer for machines, file by file."""
    return [[one["code"] for one in file["findings"]] for file in json.loads(out)]


STATUSES = [
    ("clean", CLEAN["chiro, 59 and GP in order"], 0, []),
    ("nothing of ours", CLEAN["claim, none of ours"], 0, []),
    ("warning", chiro("59"), 0, ["modifiers.gp-missing"]),
    ("critical", chiro("59", "GP", units=3), 1, ["units.too-many"]),
    ("orders", FAULTY["orders of the same region"], 1, ["pairs.same-region", "units.too-many"]),
    (
        "discharge without the Procedures",
        {**CLEAN["discharge without procedures"], "prefetch": {}},
        0,
        ["facts.not-checked"],
    ),
]


@pytest.mark.parametrize(("name", "body", "status", "found"), STATUSES, ids=[one[0] for one in STATUSES])
def test_review_of_a_request(run: Run, name: str, body: Json, status: int, found: list[str]) -> None:
    """Reviewing a hook request ends with 1 where a finding is critical and with 0 elsewhere."""
    file = save("request.json", body)
    done = run("review", file, "--json")
    assert (done.status, done.err) == (status, ""), name
    assert [code for code in codes(done.out)[0] if code != "facts.payer-unknown"] == found
    assert run("review", file).status == status


DOCUMENTS: list[tuple[str, Json, list[str]]] = [
    ("a Claim", claim(item(1, "97014", 3)), ["units.untimed", "facts.payer-unknown", "facts.not-checked"]),
    ("an order", order("o-1", "97014", 3), ["units.untimed", "facts.payer-unknown", "facts.not-checked"]),
    ("a batch", bundle(claim(item(1, "97014", 3))), ["units.untimed", "facts.payer-unknown", "facts.not-checked"]),
    (
        "a visit with its claim",
        bundle(claim(item(1, "98941"), item(2, "97112", 3)), CMT, BALANCE, coverage()),
        ["units.too-many", "modifiers.distinct-then-gp", "documentation.missing", "documentation.missing"],
    ),
    ("a visit without a claim", bundle(EXERCISE, coverage("Aetna")), ["documentation.missing"]),
    ("nothing", bundle(), []),
]


@pytest.mark.parametrize(("name", "document", "found"), DOCUMENTS, ids=[one[0] for one in DOCUMENTS])
def test_review_of_a_document(run: Run, name: str, document: Json, found: list[str]) -> None:
    """A Claim, an order and a Bundle of a visit's resources are reviewed without a request around them."""
    done = run("review", save("document.json", document), "--json")
    assert codes(done.out) == [found], name


def test_review_in_words(run: Run) -> None:
    """For people a review is a table with each finding's level, code, lines and summary."""
    done = run("review", save("request.json", chiro("59", "GP", units=3)))
    for word in ("critical", "units.too-many", "Claim/test-claim#2", "request.json"):
        assert word in done.out


def test_review_of_nothing_in_words(run: Run) -> None:
    """For people a review without findings is one sentence."""
    done = run("review", save("request.json", CLEAN["PT, Medicare"]))
    assert (done.status, len(done.out.strip().splitlines())) == (0, 1)


def test_review_of_several(run: Run) -> None:
    """Several files are answered in their order; one critical finding in any of them gives status 1."""
    files = [save("a.json", CLEAN["orders"]), save("b.json", BATCH), save("c.json", chiro("59"))]
    done = run("review", *files, "--json")
    assert done.status == 1
    assert [one["file"] for one in json.loads(done.out)] == files
    assert [bool(found) for found in codes(done.out)] == [False, True, True]


def test_review_for_machines(run: Run) -> None:
    """For machines each file has its findings, with their level, and the cards that a hook would answer."""
    (told,) = json.loads(run("review", save("a.json", chiro("59", "GP", units=3)), "--json").out)
    assert set(told) == {"file", "findings", "cards"}
    (found,) = told["findings"]
    assert {"code", "level", "lines", "slots", "edition", "sources"} == set(found)
    assert told["cards"][0]["indicator"] == found["level"] == "critical"


def test_base_book(run: Run) -> None:
    """A payer that is not recognised is reviewed by the base book that the command names."""
    file = save("a.json", claim(item(1, "97014", 3)))
    for book in ("hns", "medicare-b"):
        (told,) = json.loads(run("review", file, "--json", "--base-book", book).out)
        assert told["findings"][0]["edition"].startswith(f"{book}@")


@pytest.mark.parametrize("name", ["[/b].json", "[bold]x.json", ":smile:.json", "sp ace.json"])
def test_any_file_name(run: Run, name: str) -> None:
    """A file name is printed as it is, whatever characters it has."""
    Path(name).parent.mkdir(exist_ok=True)
    file = save(name, chiro("59"))
    assert file in run("review", file).out


def test_any_id(run: Run) -> None:
    """A resource's id is printed as it is, whatever characters it has."""
    body = changed(chiro("59"), "context", "claim", "id", to="[/x]")
    assert "Claim/[/x]#2" in run("review", save("a.json", body)).out


BAD: list[tuple[str, bytes, list[str]]] = [
    ("not JSON", b"{", ["bad.json", "JSON"]),
    ("empty", b"", ["bad.json", "JSON"]),
    ("not UTF-8", b'{"resourceType": "Claim\xff"}', ["bad.json"]),
    ("deep", b"[" * 100_000, ["bad.json"]),
    ("a list", b"[]", ["bad.json", "Claim"]),
    ("a Patient", b'{"resourceType": "Patient"}', ["bad.json", "resourceType", "Patient"]),
    ("no type", b"{}", ["bad.json", "resourceType"]),
    ("a hook of nobody", b'{"hook": "patient-view"}', ["bad.json", "patient-view", "order-sign"]),
    ("a broken request", b'{"hook": "order-sign"}', ["bad.json", "hookInstance"]),
    ("a broken Claim", text(claim(item(1, "97110", quantity=3))), ["bad.json", "item[0].quantity"]),
]


@pytest.mark.parametrize(("name", "content", "words"), BAD, ids=[one[0] for one in BAD])
def test_review_of_what_is_none(run: Run, name: str, content: bytes, words: list[str]) -> None:
    """A file that cannot be reviewed is one line that names the file and what is wrong, and status 2."""
    line = run("review", save("bad.json", content)).one_line()
    assert all(word in line for word in words), name


@pytest.mark.parametrize("command", ["review", "validate"])
@pytest.mark.parametrize("name", ["missing.json", "."])
def test_unknown_file(run: Run, command: str, name: str) -> None:
    """A file that is not there, or is none, is one line that names it, and status 2."""
    assert name in run(command, name).one_line()
