"""From the files that a person names to the tables in them: text or workbook, by itself or in a zip.

Whatever a file turns out to be instead (empty, cut off, locked, a web page) is one sentence, a RuleFileError.
"""

import contextlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from mappings.errors import RuleFileError

LARGEST = 2_000_000_000
"""The most bytes that an archive may unpack to. An official part has about 70 million."""
LARGEST_WORDS = 100_000_000
"""The most bytes of a workbook's shared words, which are held in memory. An official part has about one million."""
LONGEST_LINE = 1_000_000

SUFFIXES = (".csv", ".txt", ".xlsx")  # which is read where a zip holds the same table in several forms
BROKEN_ZIP = "this zip is damaged or was not downloaded to its end"

OTHER_BEGINNINGS = (
    (b"%PDF", "this is a PDF"),
    (b"\xd0\xcf\x11\xe0", "this is an old or a password-protected Excel file"),
    (b"\xff\xfe", "this is text in UTF-16"),
    (b"\xfe\xff", "this is text in UTF-16"),
    (b"<", "this is a web page, perhaps the one that asks to accept the licence"),
)


class Table(msgspec.Struct, frozen=True):
    """One table to read: a file, or with `member` one within a zip; `size` is its length in bytes."""

    path: Path
    member: str
    is_sheet: bool
    size: int

    @property
    def base_name(self) -> str:
        """The name of the table's own file, without any folder."""
        return PurePosixPath(self.member).name or self.path.name

    @property
    def name(self) -> str:
        """How an error names the table."""
        return f"{self.base_name} in {self.path.name}" if self.member else self.path.name


class Lines(msgspec.Struct, frozen=True):
    """Some of a table's lines, without line ends; `size` is how much of the table's size they are.

    Without `ended` the last line has no line end, so that it may have been cut off.
    """

    lines: list[str]
    size: int
    ended: bool = True


def tables_in(path: Path) -> list[Table]:
    """The tables of a file; raises RuleFileError where it is none that we read."""
    try:
        if path.is_dir():
            raise RuleFileError(f"{path}: this is a folder; name the files in it.")
        if path.exists() and not path.is_file():
            raise RuleFileError(f"{path}: this is no ordinary file.")
        with path.open("rb") as file:
            head = file.read(1024)
        size = path.stat().st_size
    except OSError as error:
        raise RuleFileError(f"{path}: {error.strerror}.") from None
    if not head:
        raise RuleFileError(f"{path}: this file is empty.")
    for beginning, what in OTHER_BEGINNINGS:
        if head.lstrip().startswith(beginning):
            raise RuleFileError(f"{path}: {what}; expected the zip from CMS, or the .txt, .csv or .xlsx file in it.")
    if not head.startswith(b"PK"):
        return [Table(path, "", is_sheet=False, size=size)]
    with _sentences(path.name), zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    _refuse_bomb(path.name, members)
    if any(one.filename == "[Content_Types].xml" for one in members):
        return [Table(path, "", is_sheet=True, size=size)]
    return _members(path, members)


def _members(path: Path, members: list[zipfile.ZipInfo]) -> list[Table]:
    found: dict[str, Table] = {}
    for one in sorted(members, key=lambda one: _preference(one.filename)):
        inner = PurePosixPath(one.filename)
        # What a Mac adds of its own begins with a dot.
        if one.is_dir() or inner.name.startswith("."):
            continue
        suffix = inner.suffix.lower()
        if suffix == ".zip":
            raise RuleFileError(f"{path}: this zip holds another zip, {inner.name}: unpack it and name the ones in it.")
        if suffix not in SUFFIXES:
            continue
        if one.flag_bits & 1:
            raise RuleFileError(f"{path}: this zip asks for a password; the official ones have none.")
        table = Table(path, one.filename, is_sheet=suffix == ".xlsx", size=one.file_size)
        found.setdefault(str(inner.with_suffix("")).lower(), table)
    if not found:
        raise RuleFileError(f"{path}: this zip holds no table; expected a .txt, .csv or .xlsx file in it.")
    return sorted(found.values(), key=lambda table: table.member)


def _preference(name: str) -> int:
    suffix = PurePosixPath(name).suffix.lower()
    return SUFFIXES.index(suffix) if suffix in SUFFIXES else len(SUFFIXES)


def _refuse_bomb(name: str, members: list[zipfile.ZipInfo]) -> None:
    """A zip is never unpacked further than it declares, so what it declares is what has to be judged."""
    total = sum(one.file_size for one in members)
    words = sum(one.file_size for one in members if one.filename.endswith("sharedStrings.xml"))
    if total > LARGEST or words > LARGEST_WORDS:
        raise RuleFileError(f"{name}: this would unpack to {total:,} bytes, which no official file does.")


def read(table: Table, columns: int, codes: int) -> Generator[Lines]:
    """A table's lines, some at a time; a sheet's rows come with tabs between the cells (see `sheets.lines`)."""
    if table.is_sheet:
        from mappings.ncci import sheets  # here, because the library behind it takes longer to load than most commands

        with _workbook(table) as file:
            rest = table.size
            for lines, share in sheets.lines(table.name, file, columns, codes):
                size = min(rest, int(table.size * share))
                rest -= size
                yield Lines(lines, size)
            yield Lines([], rest)
    else:
        with _opened(table) as file:
            yield from _text(table, file)


def _text(table: Table, file: IO[bytes]) -> Iterator[Lines]:
    """Latin-1, as CMS writes it; a byte order mark is what a program put before it that took it for UTF-8."""
    rest = ""
    with io.TextIOWrapper(file, encoding="latin-1") as text:
        while block := _block(table.name, text):
            *lines, rest = (rest + block).removeprefix("\xef\xbb\xbf").split("\n")
            if len(rest) > LONGEST_LINE:
                raise RuleFileError(f"{table.name}: a line has more than {LONGEST_LINE:,} characters; expected rows.")
            yield Lines(lines, len(block))
    if rest:
        yield Lines([rest], 0, ended=False)


def _block(name: str, text: io.TextIOWrapper) -> str:
    with _sentences(name):
        return text.read(1 << 20)


@contextlib.contextmanager
def _opened(table: Table) -> Iterator[IO[bytes]]:
    with contextlib.ExitStack() as stack:
        with _sentences(table.name):
            if table.member:
                archive = stack.enter_context(zipfile.ZipFile(table.path))
                file = stack.enter_context(archive.open(table.member))
            else:
                file = stack.enter_context(table.path.open("rb"))
        yield file


@contextlib.contextmanager
def _workbook(table: Table) -> Iterator[IO[bytes]]:
    """A workbook, which is read here and there, and therefore taken out of its zip first."""
    with _opened(table) as file, _temporary() as copy:
        while block := _bytes(table.name, file):
            _copy(block, copy)
        with _sentences(table.name), zipfile.ZipFile(copy) as archive:
            _refuse_bomb(table.name, archive.infolist())
        yield copy


@contextlib.contextmanager
def _temporary() -> Iterator[IO[bytes]]:
    with contextlib.ExitStack() as stack:
        with _temporary_sentences():
            file = stack.enter_context(tempfile.TemporaryFile(buffering=0))
        yield file


def _bytes(name: str, file: IO[bytes]) -> bytes:
    with _sentences(name):
        return file.read(1 << 20)


def _copy(block: bytes, to: IO[bytes]) -> None:
    with _temporary_sentences():
        while block:
            block = block[to.write(block) :]


@contextlib.contextmanager
def _temporary_sentences() -> Iterator[None]:
    """What goes wrong in the folder for temporary files is not the fault of the file that is read."""
    try:
        yield
    except OSError as error:
        raise RuleFileError(
            f"{temporary_folder()}: nothing can be written to the folder for temporary files ({error.strerror}):"
            " a workbook is unpacked there; name another one with TMPDIR."
        ) from None


def temporary_folder() -> str:
    """The folder for temporary files, as far as one is found."""
    try:
        return tempfile.gettempdir()
    except OSError:
        return "TMPDIR"


@contextlib.contextmanager
def _sentences(name: str) -> Iterator[None]:
    """What can go wrong while a file is read, in a sentence."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise RuleFileError(f"{name}: {BROKEN_ZIP}: download it again.") from None
    except NotImplementedError:
        raise RuleFileError(f"{name}: this zip is packed in a way that we do not read: unpack it first.") from None
    except RuntimeError:  # which is how zipfile asks for a password
        raise RuleFileError(f"{name}: this zip asks for a password; the official ones have none.") from None
    except OSError as error:
        raise RuleFileError(f"{name}: {error.strerror or error}.") from None
