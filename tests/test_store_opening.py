"""Opening the store: made on first use, brought up to date, and refused in one sentence."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr, ValidationError

from plugin.settings import Settings
from plugin.store import migrating
from plugin.store.address import FILE
from plugin.store.engine import connect, open_store
from plugin.store.errors import StoreError, StoreUnavailable
from plugin.store.health import is_ready
from plugin.store.tables import METADATA, SEEN_TOKEN
from tests.command import COMMAND, Run
from tests.stores import NewStore, database_url, environment, execute, rows

PASSWORD = "0pen-Sesame"
OPENER = """
import sys
from plugin.settings import Settings
from plugin.store.engine import open_store

print("ready", flush=True)
sys.stdin.readline()
open_store(Settings()).dispose()
"""


def on(url: str, folder: Path) -> Settings:
    return Settings(data_dir=folder / "data", database_url=SecretStr(url))


def test_empty_store(new_store: NewStore) -> None:
    """An empty store gets its tables when it is opened, and is ready."""
    engine = open_store(new_store())
    assert is_ready(engine)
    engine.dispose()


def test_tables_are_as_the_queries_see_them(new_store: NewStore) -> None:
    """The steps of the schema end in the tables that the queries are written for."""
    engine = open_store(new_store())
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrating.VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_older_store(new_store: NewStore) -> None:
    """A store of an older version is brought up to date, and keeps what is in it."""
    settings = new_store()
    if not database_url(settings):
        settings.data_dir.mkdir()
    older = connect(settings)
    migrating.upgrade(older, "0001")
    with older.begin() as connection:
        connection.execute(sa.insert(SEEN_TOKEN), {"digest": b"d" * 32, "until": 1})
    assert not is_ready(older)
    older.dispose()
    newer = open_store(settings)
    assert is_ready(newer)
    newer.dispose()
    assert rows(settings, SEEN_TOKEN) == [{"digest": b"d" * 32, "until": 1}]


def test_opened_again(new_store: NewStore) -> None:
    """A store that is up to date is opened as it is."""
    settings = new_store()
    for _ in range(2):
        engine = open_store(settings)
        with engine.connect() as connection:
            assert migrating.version(connection) == migrating.newest()
        engine.dispose()


def test_newer_store(new_store: NewStore) -> None:
    """A store that a newer VisitCue wrote is refused in one sentence, and not changed."""
    settings = new_store()
    open_store(settings).dispose()
    execute(settings, f"UPDATE {migrating.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(StoreError) as refused:
        open_store(settings)
    assert "9999" in str(refused.value)
    engine = connect(settings)
    with engine.connect() as connection:
        assert migrating.version(connection) == "9999"
    engine.dispose()


def test_first_opened_by_several(new_store: NewStore) -> None:
    """Five processes may open a new store at once."""
    settings = new_store()
    variables = {**os.environ, **environment(settings)}
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=variables,
        )
        for _ in range(5)
    ]
    for opener in openers:
        assert opener.stdout is not None
        assert opener.stdout.readline() == "ready\n"
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("\n")
        opener.stdin.flush()
    ended = [opener.communicate(timeout=60)[1] for opener in openers]
    assert ended == [""] * 5
    engine = connect(settings)
    assert is_ready(engine)
    engine.dispose()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked(new_store: NewStore) -> None:
    """A forked process begins without the connections of its parent, and has its own."""
    engine = open_store(new_store())
    assert is_ready(engine)
    pool = engine.pool
    assert isinstance(pool, sa.QueuePool)
    assert pool.checkedin() == 1
    child = os.fork()
    if child == 0:
        own = engine.pool
        os._exit(0 if isinstance(own, sa.QueuePool) and own.checkedin() == 0 and is_ready(engine) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert pool.checkedin() == 1
    assert is_ready(engine)
    engine.dispose()


def test_file_is_private(tmp_path: Path) -> None:
    """The SQLite files and the folder that is made for them are the user's alone."""
    engine = open_store(on("", tmp_path))
    assert is_ready(engine)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()}
    engine.dispose()
    assert FILE in modes
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_folder_that_is_there(tmp_path: Path) -> None:
    """A folder that somebody else made keeps its mode."""
    (tmp_path / "data").mkdir(mode=0o750)
    open_store(on("", tmp_path)).dispose()
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o750


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_schemes(tmp_path: Path, scheme: str) -> None:
    """The three ways in which PostgreSQL's addresses begin are taken."""
    url = connect(on(f"{scheme}://user:{PASSWORD}@db.example:5433/visits", tmp_path)).url
    assert (url.host, url.port, url.database, url.get_driver_name()) == ("db.example", 5433, "visits", "psycopg")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://user:{PASSWORD}@db.example/visits",
        f"sqlite:///{PASSWORD}.sqlite",
        f"postgresql+asyncpg://user:{PASSWORD}@db.example/visits",
        f"postgresql://user:{PASSWORD}@db.example",
        f"postgresql://user:a@{PASSWORD}@db.example/visits",
        f"postgresql://user@db.example/visits?password={PASSWORD}",
        f"postgresql://user@db.example/visits?sslpassword={PASSWORD}",
        f"postgresql://user:{PASSWORD}@db.example:port/visits",
        f"user:{PASSWORD}",
        f"host=db.example password={PASSWORD}",
    ],
)
def test_other_addresses(tmp_path: Path, url: str) -> None:
    """An address of anything else is refused in a sentence that repeats nothing of it."""
    with pytest.raises(StoreError) as refused:
        open_store(on(url, tmp_path))
    assert "VISITCUE_DATABASE_URL" in str(refused.value)
    assert PASSWORD not in str(refused.value)
    assert "db.example" not in str(refused.value)


def test_password_is_not_told(tmp_path: Path) -> None:
    """A database that cannot be reached is told with its address, but without the password."""
    settings = on(f"postgresql://user:{PASSWORD}@127.0.0.1:1/visits", tmp_path)
    with pytest.raises(StoreUnavailable) as refused:
        open_store(settings)
    assert "127.0.0.1:1" in str(refused.value)
    told = [str(refused.value), repr(settings), repr(connect(settings)), str(settings.model_dump())]
    assert PASSWORD not in "\n".join(told)


def test_settings_error_repeats_no_value() -> None:
    """A fault in the settings is told without the value, which may be a password."""
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"database_url": [PASSWORD]})
    assert PASSWORD not in str(refused.value)


def test_not_ready() -> None:
    """A database that does not answer is not ready."""
    nowhere = Settings(database_url=SecretStr("postgresql://nobody@127.0.0.1:1/nothing"))
    assert not is_ready(connect(nowhere))


def test_not_ready_in_time() -> None:
    """A database that takes a connection and says nothing is not ready, and the probe does not wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        engine = connect(Settings(database_url=SecretStr(f"postgresql://nobody@127.0.0.1:{port}/nothing")))
        assert not is_ready(engine, seconds=0.1)


@pytest.mark.parametrize("spoil", ["no database", "a folder"])
def test_file_that_is_none(tmp_path: Path, spoil: str) -> None:
    """A file that is no database stops the service at its start, in one line and with status 2."""
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / FILE
    if spoil == "a folder":
        file.mkdir()
    else:
        file.write_text("this is no database, and never was one; " * 100)
    done = subprocess.run(
        [COMMAND, "serve", "--port", "1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "VISITCUE_DATA_DIR": str(tmp_path / "data")},
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.strip().splitlines()
    assert str(file) in line


def test_store_info(run: Run, store: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """`store info` tells an empty store from one that `store migrate` made, and makes nothing itself."""
    for name, value in environment(store).items():
        monkeypatch.setenv(name, value)
    before = run("store", "info")
    made = run("store", "migrate")
    after = run("store", "info", "--json")
    assert (before.status, made.status, after.status) == (0, 0, 0)
    assert migrating.newest() in made.out
    assert '"version": "0002"' in after.out
    assert "Shown cards" not in before.out
    assert '"shown_cards": 0' in after.out


def test_store_info_makes_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`store info` of a store that is not there leaves no file behind."""
    monkeypatch.setenv("VISITCUE_DATA_DIR", str(tmp_path / "nothing"))
    assert run("store", "info").status == 0
    assert not (tmp_path / "nothing").exists()
