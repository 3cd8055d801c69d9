"""What several test files need: the application as a client sees it, and the console command."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from plugin import cli
from plugin.web.app import create_app
from tests.command import Done, Run
from tests.stores import new_store, store

__all__ = ["new_store", "store"]  # fixtures, which pytest looks for here

pytest_plugins = ("tests.logged",)

# Test modules read settings, and two make an application, as soon as they are imported, which is before any fixture:
# what this machine has set and stored is out of reach from here on.
for name in [one for one in os.environ if one.startswith("VISITCUE_") and not one.startswith("VISITCUE_TEST_")]:
    del os.environ[name]
os.environ["VISITCUE_DATA_DIR"] = tempfile.mkdtemp(prefix="visitcue-tests-")
atexit.register(shutil.rmtree, os.environ["VISITCUE_DATA_DIR"], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def no_imported_tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every test goes by the embedded tables, whatever was imported on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISITCUE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    """A client of the application with its default settings; it keeps nothing between requests."""
    return create_app().test_client()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Calls the console command as a shell would, in an empty folder and a wide window."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")

    def call(*words: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["visitcue", *words])
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capsys.readouterr()
        return Done(status, said.out, said.err)

    return call
