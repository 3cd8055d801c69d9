"""Rule files are read strictly: what is wrong is said with file, place and expectation, and nothing is served."""

import re
import shutil
from pathlib import Path

import pytest

from mappings import book_files, books_in_force, ncci_files, tables
from mappings.book_files import FOLDER
from mappings.errors import RuleFileError
from mappings.rule_book import Source

BROKEN = Path(__file__).parent / "rule_files" / "broken"
BOOKS = sorted((BROKEN / "books").glob("*.toml"))
ELEMENTS = sorted((BROKEN / "elements").glob("*.toml"))
LIMITS = sorted((BROKEN / "limits").glob("*.csv"))
PAIRS = sorted((BROKEN / "pairs").glob("*.csv"))
SOURCES = {"a-page": Source("A page", "A section", "https://payer.example/page", "", "2026-01-01", "")}
SOUND = sorted(path for path in FOLDER.glob("*.toml") if path.name not in book_files.DATA_FILES)


def promised(path: Path) -> list[str]:
    """The words that the error must contain, from the comment in the file's first line, parted by |."""
    first = path.read_text(encoding="utf-8", errors="replace").splitlines()[0]
    assert first.startswith("# says: "), f"{path.name} does not say in line 1 what its error must contain."
    return [words.strip() for words in first.removeprefix("# says: ").split("|")]


def by_name(path: Path) -> str:
    return path.stem


def assert_said(path: Path, error: RuleFileError, name: str) -> None:
    assert str(error).startswith(name), error
    for words in promised(path):
        assert words in str(error), error
    assert "\n" not in str(error)


def test_there_are_enough() -> None:
    """Every kind of mistake has its file."""
    assert len(BOOKS) >= 14
    assert len(ELEMENTS) >= 6
    assert len(PAIRS) >= 6
    assert len(LIMITS) >= 6


@pytest.mark.parametrize("path", BOOKS, ids=by_name)
def test_broken_book(path: Path, tmp_path: Path) -> None:
    """A book with a mistake does not load, and the error names the file, the place and what is wrong."""
    shutil.copy(FOLDER / "national.toml", tmp_path)
    name = f"{path.stem}.toml"
    (tmp_path / name).write_bytes(path.read_bytes())
    with pytest.raises(RuleFileError) as caught:
        book_files.read_books(tmp_path)
    assert_said(path, caught.value, name)


@pytest.mark.parametrize("path", ELEMENTS, ids=by_name)
def test_broken_elements(path: Path) -> None:
    """A documentation catalogue with a mistake does not load, and the error names the file and the entry."""
    with pytest.raises(RuleFileError) as caught:
        book_files.read_elements(path)
    assert_said(path, caught.value, path.name)


@pytest.mark.parametrize("path", PAIRS, ids=by_name)
def test_broken_pairs(path: Path, tmp_path: Path) -> None:
    """A pair table with a mistake does not load, and the error names the file and the line."""
    table = tmp_path / "pairs.csv"
    table.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        ncci_files.read_pairs(SOURCES, table)
    assert_said(path, caught.value, "pairs.csv")


@pytest.mark.parametrize("path", LIMITS, ids=by_name)
def test_broken_limits(path: Path, tmp_path: Path) -> None:
    """A table of unit limits with a mistake does not load, and the error names the file and the line."""
    table = tmp_path / "limits.csv"
    table.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[1:]), encoding="utf-8")
    with pytest.raises(RuleFileError) as caught:
        ncci_files.read_limits(SOURCES, table)
    assert_said(path, caught.value, "limits.csv")


@pytest.mark.parametrize("path", SOUND, ids=by_name)
def test_sound_book(path: Path, tmp_path: Path) -> None:
    """Each book of the installation loads with no others than those that it extends."""
    for book in books_in_force.chain(path.stem):
        shutil.copy(FOLDER / f"{book.id}.toml", tmp_path)
    assert path.stem in book_files.read_books(tmp_path)


def test_sound_tables() -> None:
    """The embedded NCCI tables and the documentation catalogue load."""
    sources = books_in_force.books()[books_in_force.BASE].sources
    assert ncci_files.read_pairs(sources)
    assert ncci_files.read_limits(sources)
    assert book_files.read_elements()


@pytest.mark.parametrize("path", SOUND, ids=by_name)
def test_two_books_of_one_payer(path: Path) -> None:
    """No two books are known by the same name."""
    mine = {known.name.lower() for known in books_in_force.books()[path.stem].known_as if known.name}
    for other in books_in_force.payer_books():
        if other.id != path.stem:
            assert not mine & {known.name.lower() for known in other.known_as}


@pytest.mark.parametrize("path", SOUND, ids=by_name)
def test_unused_source(path: Path) -> None:
    """A book lists no source that none of its values rests on."""
    content = book_files.read_toml(path)
    used = {entry["source"] for key in book_files.VALUE_TYPES for entry in content.get(key, ())}
    csv_sources = (
        {pair.pair.rule.source.title for pair in ncci_files.read_pairs(_national())}
        if path.stem == "national"
        else set()
    )
    unused = {key for key, part in content["sources"].items() if key not in used and part["title"] not in csv_sources}
    assert not unused


def _national() -> dict[str, Source]:
    return books_in_force.books()[books_in_force.BASE].sources


def test_books_in_a_ring(tmp_path: Path) -> None:
    """Books that extend each other in a ring do not load."""
    for one, other in (("ring-a", "ring-b"), ("ring-b", "ring-a")):
        text = f'id = "{one}"\ntitle = "Ring"\nextends = "{other}"\nedition = 2026-01-01\nsources = {{}}\n'
        (tmp_path / f"{one}.toml").write_text(text, encoding="utf-8")
    shutil.copy(FOLDER / "national.toml", tmp_path)
    with pytest.raises(RuleFileError, match=r"ring-a\.toml: extends"):
        book_files.read_books(tmp_path)


CODES = "code,label,kind,timed,always_therapy,one_on_one,setting,source\n"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["97110,x,therapy,yes,yes,yes,no,s"], "codes.csv, line 2: kind: expected one of"),
        (["97110,x,group,Y,yes,yes,no,s"], "codes.csv, line 2: timed: expected yes or no, not 'Y'."),
        (["97110,x,group,yes,yes,yes,no,s"] * 2, "codes.csv, line 3: code: '97110' stands here twice."),
    ],
)
def test_broken_table_of_codes(tmp_path: Path, rows: list[str], says: str) -> None:
    """A table of codes with a slip in it does not load, and says the line and what was expected."""
    path = tmp_path / "codes.csv"
    path.write_text(CODES + "\n".join(rows), encoding="utf-8")
    with pytest.raises(RuleFileError, match=re.escape(says)):
        tables.read_codes(path)
