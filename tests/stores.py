"""Stores to test with: the same tests run on an SQLite file and on a PostgreSQL database of their own."""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from pydantic import SecretStr

from plugin.settings import Settings
from plugin.store.engine import connect
from plugin.web.app import create_app

SERVER = os.environ.get("VISITCUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
"""A PostgreSQL on which databases may be made; the tests take nothing from the one that is named here."""

KINDS = ("sqlite", "postgresql")
NewStore = Callable[[], Settings]
"""Gives the settings of a store that nobody has opened yet."""


@pytest.fixture(scope="module", params=KINDS)
def new_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewStore]:
    """Makes empty stores of one kind, and drops their databases when the module is done."""
    made: list[str] = []

    def sqlite() -> Settings:
        return Settings(data_dir=tmp_path_factory.mktemp("store") / "data", database_url=None)

    def postgresql() -> Settings:
        name = f"visitcue_test_{secrets.token_hex(6)}"
        _on_server(f"CREATE DATABASE {name}")
        made.append(name)
        url = SERVER.rpartition("/")[0] + f"/{name}"
        return Settings(data_dir=tmp_path_factory.mktemp("store") / "data", database_url=SecretStr(url))

    if request.param == "postgresql":
        _need_a_server()
    yield sqlite if request.param == "sqlite" else postgresql
    for name in made:
        _on_server(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def store(new_store: NewStore) -> Settings:
    """The settings of a store that the tests of a module share."""
    return new_store()


def database_url(settings: Settings) -> str:
    """The database's address, "" for the SQLite file."""
    return settings.database_url.get_secret_value() if settings.database_url else ""


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which a process of its own uses this store."""
    url = database_url(settings)
    return {"VISITCUE_DATA_DIR": str(settings.data_dir), **({"VISITCUE_DATABASE_URL": url} if url else {})}


@contextlib.contextmanager
def app_on(settings: Settings) -> Iterator[Flask]:
    """The application on this store, which it lets go of at the end."""
    app = create_app(settings)
    yield app
    app.extensions["recorder"].close()
    app.extensions["store"].dispose()


def rows(settings: Settings, table: sa.Table) -> list[dict[str, Any]]:
    """The rows of a table, as another process would see them."""
    engine = connect(settings)
    with engine.connect() as connection:
        found = [dict(row._mapping) for row in connection.execute(sa.select(table))]
    engine.dispose()
    return found


def execute(settings: Settings, *statements: str) -> None:
    """Runs statements on a store, as its administrator would."""
    engine = connect(settings)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def dump(settings: Settings) -> str:
    """Every word that the store holds, as text."""
    url = database_url(settings)
    if not url:
        files = sorted(Path(settings.data_dir).glob("visitcue.sqlite*"))
        return "\n".join(file.read_bytes().decode("latin-1") for file in files)
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [connection.execute(f"SELECT t::text FROM {name} t").fetchall() for (name,) in tables]
    return "\n".join(str(row) for table in rows for row in table)


def _need_a_server() -> None:
    try:
        psycopg.connect(SERVER, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"There is no PostgreSQL to test with; VISITCUE_TEST_POSTGRESQL may name one ({error}).")


def _on_server(statement: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(statement.encode())
