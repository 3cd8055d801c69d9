"""The reference pages say what the findings and the rule books say now, and are written the same way each time."""

import re
from pathlib import Path

import pytest

from mappings import books_in_force
from plugin import reference
from plugin.finding_list import KINDS
from tests.case_files import findings_of, read_cases, visit_of
from tests.command import Run

ROOT = Path(__file__).resolve().parent.parent
PAGES = reference.pages()
LINK = re.compile(r"\]\(([^):]+)\)")


def test_not_stale() -> None:
    """The pages of the project are those that would be written now; `make docs` writes them anew."""
    assert reference.stale(ROOT) == []


def test_every_finding() -> None:
    """Every finding stands among the findings with its name and all that its two sentences say around their slots."""
    page = PAGES["FINDINGS.md"]
    for kind in KINDS:
        assert f"### `{kind.code}`\n\n{kind.name}.\n" in page
        for literal in re.split(r"\{\w+\}", kind.summary + "{}" + kind.detail):
            assert all(words in page for words in literal.split("{}"))
    assert "{" not in page


def test_every_slot() -> None:
    """A slot that the page of findings names is one that the finding has in some case."""
    has: dict[str, set[str]] = {}
    for _, case in read_cases():
        for finding in findings_of(visit_of(case)):
            has.setdefault(finding.code, set()).update(finding.slots)
    strange = {kind.code: set(reference.slots(kind)) - has[kind.code] for kind in KINDS if kind.code in has}
    assert {code: slots for code, slots in strange.items() if slots} == {}


@pytest.mark.parametrize("book", sorted(books_in_force.books()))
def test_every_book(book: str) -> None:
    """A book's page has each value that it says itself, with dates, words, confidence and address."""
    page = PAGES[f"docs/payers/{book}.md"].replace("\\", "")
    for key, entries in books_in_force.books()[book].rules.items():
        for one in entries:
            source = one.rule.source
            begins = re.compile(rf"`{key}` = .*\n  - .*\n  - (?:since|from) {one.since}")
            (line,) = [part for part in page.split("\n- ") if begins.match(part)]
            assert f"\n  - {source.words}\n  - [" in line
            assert all(words in line for words in (source.words, source.url, source.title, one.rule.confidence))


@pytest.mark.parametrize("name", [name for name in PAGES if name.startswith("docs/payers/")])
def test_links(name: str) -> None:
    """A page of the rule books links only to pages that are written with it."""
    links = LINK.findall(PAGES[name])
    assert links
    assert {f"docs/payers/{link}" for link in links} <= set(PAGES)


def test_all_books_are_listed() -> None:
    """The index lists every book, the national one too."""
    listed = LINK.findall(PAGES["docs/payers/README.md"])
    assert {link.removesuffix(".md") for link in listed} == set(books_in_force.books())


def checkout(folder: str = ".") -> None:
    """Makes a folder look like a checkout of VisitCue."""
    Path(folder).mkdir(exist_ok=True)
    Path(folder, "pyproject.toml").write_text('[project]\nname = "visitcue"\n', encoding="utf-8")


def test_written(run: Run) -> None:
    """The pages are written below a folder and named; when written again nothing has changed."""
    checkout("out")
    assert run("reference", "out").out.count("written.") == len(PAGES)
    assert {name: Path("out", name).read_text(encoding="utf-8") for name in PAGES} == PAGES
    assert run("reference", "out").out == ""
    assert run("reference", "out", "--check").status == 0


GONE = "docs/payers/gone.md"


@pytest.mark.parametrize("name", ["FINDINGS.md", "docs/payers/hns.md", "deploy/env.example", GONE])
def test_stale(run: Run, name: str) -> None:
    """A page that was changed, and one of a book that is gone, is named with status 1, and mended by writing."""
    checkout()
    run("reference")
    content = PAGES.get(name, f"{reference.MARK}\n")
    Path(name).write_text(content + "more\n", encoding="utf-8")
    done = run("reference", "--check")
    assert (done.status, done.out.splitlines()) == (1, [f"{name}: stale; `make docs` writes it anew."])
    run("reference")
    assert Path(name).is_file() == (name != GONE)
    assert run("reference", "--check").status == 0


def test_check_writes_nothing(run: Run) -> None:
    """Checking names the pages that are missing, and leaves the folder as it is."""
    checkout()
    done = run("reference", "--check")
    assert (done.status, done.out.count("stale")) == (1, len(PAGES))
    assert [path.name for path in Path().iterdir()] == ["pyproject.toml"]


def test_a_page_of_others(run: Run) -> None:
    """A page that we did not write is neither stale nor taken away."""
    checkout()
    run("reference")
    Path("docs/payers/notes.md").write_text("My notes.\n", encoding="utf-8")
    assert run("reference", "--check").status == 0
    run("reference")
    assert Path("docs/payers/notes.md").is_file()


def test_no_folder(run: Run) -> None:
    """A folder that is none, or cannot be written to, is one line that names it, and status 2."""
    assert "missing" in run("reference", "missing").one_line()
    checkout()
    Path("docs").write_text("no folder", encoding="utf-8")
    assert "docs" in run("reference").one_line()


@pytest.mark.parametrize("name", ["FINDINGS.md", "docs/payers/README.md", "deploy/env.example"])
def test_somebody_elses_page(run: Run, name: str) -> None:
    """A file of our page's name that we did not write is not written over, and nothing else is written."""
    checkout()
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("My findings.\n", encoding="utf-8")
    assert name in run("reference").one_line()
    assert Path(name).read_text(encoding="utf-8") == "My findings.\n"
    assert not Path("docs/payers/hns.md").exists()


@pytest.mark.parametrize("words", [("reference",), ("reference", "--check")])
def test_no_checkout(run: Run, words: tuple[str, ...]) -> None:
    """A folder that is no checkout is refused with what was expected there, and nothing is written."""
    assert "pyproject.toml" in run(*words).one_line()
    assert list(Path().iterdir()) == []
