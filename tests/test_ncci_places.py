"""Whatever the folders and names of an installation are like, a command says so in one line and never fails at them."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mappings.errors import shown
from mappings.ncci import files
from plugin.settings import Settings
from tests import ncci_files as made
from tests.command import COMMAND, Run, save
from tests.visits import CLEAN

PTP = made.ptp_text(made.sound_pairs())


COMMANDS = [
    ("explain", "97110"),
    ("payers", "hns"),
    ("review", "a.json"),
    ("rules", "editions"),
    ("serve", "--port", "1"),
    (*made.IMPORT, "a-2026q3.txt"),
]


def refusal(run: Run, words: tuple[str, ...]) -> str:
    save("a.json", CLEAN["orders"])
    save("a-2026q3.txt", PTP)
    return run(*words).one_line()


@pytest.mark.parametrize("value", ["", "data", "./data", "~nobody-of-this-name/x"])
def test_folder_that_is_no_whole_path(run: Run, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """A data folder that would depend on where a command is called is refused by every command."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", value)
    for words in COMMANDS:
        assert "VISITCUE_DATA_DIR" in refusal(run, words)


@pytest.mark.parametrize("below", ["", "data"])
def test_folder_that_is_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    """A data folder that is a file, or would lie below one, is refused by every command."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "file" / below))
    for words in COMMANDS:
        assert str(tmp_path / "file") in refusal(run, words)


def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder may begin with ~, the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VISITCUE_DATA_DIR", "~/visitcue")
    assert Settings().ncci_folder == tmp_path / "visitcue" / "ncci"


def test_name_too_long(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A name that is longer than names may be is told as such, of a data folder as of a file."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / ("x" * 300)))
    for words in COMMANDS:
        assert "too long" in refusal(run, words)
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path))
    for words in (made.IMPORT, ("review",), ("validate",), ("reference",)):
        assert "too long" in run(*words, "y" * 300).one_line()


def denied_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only another user may read; an administrator, as whom tests may run, could read any mode."""
    opened = Path.open

    def refuse(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if folder in path.absolute().parents:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, mode, *rest, **more)

    monkeypatch.setattr(Path, "open", refuse)


@pytest.mark.parametrize("words", COMMANDS)
def test_table_of_another_user(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """A stored table that the user may not read is told as that, and not as a damaged one."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    denied_below(tmp_path / "data", monkeypatch)
    line = refusal(run, words)
    assert "ptp.sqlite: this stored table cannot be read: Permission denied" in line


def test_file_of_another_user(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that the user may not reach is told as that."""
    (tmp_path / "locked").mkdir()
    name = save("locked/a-2026q3.txt", PTP)
    denied_below(tmp_path / "locked", monkeypatch)
    for words in (made.IMPORT, ("review",), ("validate",)):
        assert "Permission denied" in run(*words, name).one_line()


def test_folder_that_may_not_be_looked_into(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file in a folder that may not even be looked into is told as that."""

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    for words in (made.IMPORT, ("reference",)):
        assert "Permission denied" in run(*words, str(tmp_path / "locked" / "a")).one_line()


NAMES = [b"a\xff-2026q3.txt", b"a\n\x1b[31m-2026q3.txt", "á-2026q3.txt".encode()]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_file(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: bytes) -> None:
    """A file may have any name: what cannot be printed is shown escaped, in what is stored too."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    path = os.fsdecode(name)
    Path(path).write_bytes(PTP)
    assert run(*made.IMPORT, path).status == 0
    assert shown(path) in run("rules", "editions").out
    Path(path).write_bytes(b"")
    for words in (made.IMPORT, ("review",), ("validate",)):
        assert shown(path) in run(*words, path).one_line()


def test_folder_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The import and the list of editions say in which folder the tables are."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    folder = str(tmp_path / "data" / "ncci")
    assert folder in run(*made.IMPORT, save("a-2026q3.txt", PTP)).out
    assert folder in run("rules", "editions").out


def test_serve_checks_the_tables(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A damaged table stops the service before it says that it runs."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data" / "ncci").mkdir(parents=True)
    (tmp_path / "data" / "ncci" / "ptp.sqlite").write_bytes(b"not a table")
    assert "import it again" in run("serve", "--port", "1").one_line()


def test_full_temporary_folder(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where a workbook cannot be unpacked, the folder for temporary files is named, and not the workbook."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "data"))

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    line = run(*made.IMPORT, save("a-2026q3.xlsx", made.ptp_sheet(made.sound_pairs()))).one_line()
    assert all(words in line for words in ("temporary", "No space left", files.temporary_folder()))


def test_interrupted_command(tmp_path: Path) -> None:
    """An import that is interrupted ends with one line, and stores nothing."""
    (tmp_path / "a-2026q3.zip").write_bytes(made.zipped({"a.txt": PTP}))
    environment = {**os.environ, "VISITCUE_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(tmp_path)}
    # A module that Python imports by itself makes the import wait to be interrupted.
    (tmp_path / "sitecustomize.py").write_text(
        "import threading, time\n"
        "from mappings.ncci import importing\n"
        "def wait(*_):\n    print('waiting', flush=True)\n    time.sleep(60)\n"
        "importing.run = wait\n"
    )
    with subprocess.Popen(
        [COMMAND, *made.IMPORT, tmp_path / "a-2026q3.zip"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert (child.returncode, len(err.splitlines())) == (130, 1), err
    assert not (tmp_path / "data").exists()
