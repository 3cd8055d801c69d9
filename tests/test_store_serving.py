"""The store under a service that runs in processes of its own: what was answered survives how the service ends."""

import signal
import sys
import time
import uuid
from pathlib import Path

import pytest
import requests
from pydantic import SecretStr

from plugin.settings import Settings
from plugin.store.tables import FEEDBACK, SHOWN_CARD
from tests.builders import CLAIM_SUBMIT, changed
from tests.stores import NewStore, environment, rows
from tests.test_serve import FOR_A_START, Running, post, start
from tests.visits import chiro


def tell(running: Running) -> uuid.UUID:
    """Says that a card was overridden; gives the card's id when that was answered with 200."""
    card = uuid.uuid4()
    entry = {"card": str(card), "outcome": "overridden", "outcomeTimestamp": "2026-03-02T10:00:00Z"}
    url = f"{running.base}/cds-services/{CLAIM_SUBMIT}/feedback"
    assert requests.post(url, json={"feedback": [entry]}, timeout=FOR_A_START).status_code == 200
    return card


def show(running: Running) -> uuid.UUID:
    """Has a card shown, and gives its id."""
    answer = post(running, changed(chiro(), "hookInstance", to=str(uuid.uuid4())))
    return uuid.UUID(answer.json()["cards"][0]["uuid"])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a worker with the process that started it")
def test_killed_after_the_answer(tmp_path: Path, new_store: NewStore) -> None:
    """Feedback that was answered is there though the service was killed in the same moment."""
    settings = new_store()
    running = start(tmp_path / "log", **environment(settings))
    card = tell(running)
    running.process.kill()  # and with it the workers, which get no chance to write anything
    running.process.wait(timeout=FOR_A_START)
    assert [row["card"] for row in rows(settings, FEEDBACK)] == [card]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_ended_after_the_answer(tmp_path: Path, new_store: NewStore, name: str) -> None:
    """Cards that were just shown are written before a service that is asked to end has ended."""
    settings = new_store()
    running = start(tmp_path / "log", **environment(settings))
    cards = {show(running) for _ in range(3)}
    assert running.stop(signal.Signals[name]) == 0
    assert {row["card"] for row in rows(settings, SHOWN_CARD)} == cards


def test_written_while_it_runs(tmp_path: Path, new_store: NewStore) -> None:
    """Cards are written soon after they were shown, and no line of the log names the database."""
    settings = new_store()
    running = start(tmp_path / "log", **environment(settings))
    card = show(running)
    until = time.monotonic() + FOR_A_START
    while not rows(settings, SHOWN_CARD) and time.monotonic() < until:
        time.sleep(0.05)
    assert [row["card"] for row in rows(settings, SHOWN_CARD)] == [card]
    assert running.stop() == 0
    assert "postgresql" not in "\n".join(running.said())


def test_no_store(tmp_path: Path) -> None:
    """A service whose database cannot be reached does not start: one line, without the password."""
    url = SecretStr("postgresql://nobody:0pen-Sesame@127.0.0.1:1/nothing")
    nowhere = Settings(data_dir=tmp_path, database_url=url)
    with pytest.raises(AssertionError) as ended:
        start(tmp_path / "log", **environment(nowhere))
    (line,) = (tmp_path / "log").read_text().strip().splitlines()
    assert "127.0.0.1:1" in line
    assert "0pen-Sesame" not in f"{line} {ended.value}"
