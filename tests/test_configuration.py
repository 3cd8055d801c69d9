"""The settings' pages say what the class says, and a setting can be a file."""

import io
import os
from pathlib import Path

import pytest
from dotenv import dotenv_values

from plugin import configuration
from plugin.settings import Settings
from tests.command import Run

EXAMPLE = configuration.example("Mark.")
ROWS = dict(line[3:].split("` | ", 1) for line in configuration.page("Mark.").splitlines() if line.startswith("| `"))
ADDRESS = "postgresql://visitcue:obviously-fake@db.example.org/visitcue"
NOT_PLAIN = ("data_dir",)
"""What depends on the machine; its example is no default."""


def uncommented() -> dict[str, str | None]:
    """The example as a reader of env files reads it, with the # taken away before every setting."""
    return dotenv_values(stream=io.StringIO(EXAMPLE.replace("\n#VISITCUE_", "\nVISITCUE_")), interpolate=False)


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of secrets, which is named as one."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("VISITCUE_SECRETS_DIR", str(folder))
    return folder


def test_example_has_every_setting() -> None:
    """env.example names every setting once, and no other."""
    assert [*uncommented()] == [configuration.variable(name) for name in Settings.model_fields]
    assert EXAMPLE.count("\n#VISITCUE_") == len(Settings.model_fields)


def test_example_shows_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every line of env.example taken into the environment, each setting is what it is without it."""
    plain = Settings().model_dump(exclude=set(NOT_PLAIN))
    for name, value in uncommented().items():
        if value:
            monkeypatch.setenv(name, value)
    assert Settings().model_dump(exclude=set(NOT_PLAIN)) == plain


def test_example_changes_nothing_as_it_is() -> None:
    """env.example as it is sets nothing."""
    assert dotenv_values(stream=io.StringIO(EXAMPLE)) == {}


def test_page_has_every_setting() -> None:
    """The page has a row for every setting."""
    assert [*ROWS] == [configuration.variable(name) for name in Settings.model_fields]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("VISITCUE_FETCH_SECONDS", "`2.0` | a number, above 0, to 60 |"),
        ("VISITCUE_LOG_LEVEL", "`info` | one of `debug`, `info`, `warning`, `error` |"),
        ("VISITCUE_METRICS_TOKEN", "nothing | a secret, 16 characters or more |"),
        ("VISITCUE_CORS_ORIGINS", '`["*"]` | a JSON list of texts |'),
        ("VISITCUE_INSECURE", "`false` | `true` or `false` |"),
        ("VISITCUE_DATA_DIR", "the user's data folder | a path |"),
    ],
)
def test_page_tells_kind_and_limits(name: str, told: str) -> None:
    """A row says what the setting is unless set, and what it may be."""
    assert ROWS[name].startswith(told)


@pytest.mark.parametrize("name", ["visitcue_database_url", "VISITCUE_DATABASE_URL"])
def test_secret_by_file(secrets: Path, name: str) -> None:
    """A setting is read from the file of its name, without the line break that ends it."""
    (secrets / name).write_text(f"{ADDRESS}\n", encoding="utf-8")
    told = Settings().database_url
    assert told is not None
    assert told.get_secret_value() == ADDRESS


def test_secret_of_a_cluster(secrets: Path) -> None:
    """A secret that is mounted as a cluster mounts it, by links to a dated folder, is read."""
    (secrets / "..2026_01_02").mkdir()
    (secrets / "..2026_01_02" / "visitcue_base_book").write_text("medicare-b", encoding="utf-8")
    (secrets / "..data").symlink_to("..2026_01_02")
    (secrets / "visitcue_base_book").symlink_to(Path("..data", "visitcue_base_book"))
    assert Settings().base_book == "medicare-b"


def test_environment_goes_first(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the environment wins over the file."""
    (secrets / "visitcue_base_book").write_text("medicare-b", encoding="utf-8")
    monkeypatch.setenv("VISITCUE_BASE_BOOK", "bcbsnc")
    assert Settings().base_book == "bcbsnc"


def test_no_file_no_setting(secrets: Path) -> None:
    """A folder of secrets without a file of ours leaves every setting as it is."""
    (secrets / "password_of_somebody_else").write_text("obviously-fake", encoding="utf-8")
    named = Settings()
    os.environ.pop("VISITCUE_SECRETS_DIR")
    assert named == Settings()


def test_faulty_file_is_told_without_its_content(secrets: Path, run: Run) -> None:
    """A file with a value that cannot be used stops the start; its setting is named, and not what is in it."""
    (secrets / "visitcue_metrics_token").write_text("obviously-fake", encoding="utf-8")
    line = run("serve").one_line()
    assert "VISITCUE_METRICS_TOKEN" in line
    assert "obviously-fake" not in line


def test_missing_folder_stops(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of secrets that is not there stops the start, and is named."""
    monkeypatch.setenv("VISITCUE_SECRETS_DIR", str(tmp_path / "missing"))
    line = run("serve").one_line()
    assert "VISITCUE_SECRETS_DIR" in line
    assert "missing" in line


def test_address_by_file_is_not_told(secrets: Path, run: Run) -> None:
    """A database that is named by a file and does not answer stops the start, and the password is not shown."""
    address = "postgresql://visitcue:obviously-fake@127.0.0.1:1/visitcue?connect_timeout=2"
    (secrets / "visitcue_database_url").write_text(address, encoding="utf-8")
    assert "obviously-fake" not in run("store", "info").one_line()
