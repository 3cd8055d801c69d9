"""`visitcue feedback report` and `visitcue store prune`: what became of the cards, and for how long that is known."""

import csv
import datetime as dt
import io
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from cds_hooks.feedback import Feedback, Outcome, Reason
from plugin.settings import Settings
from plugin.store import shown
from plugin.store.engine import Engine, open_store
from plugin.store.feedback import save
from plugin.store.recorder import Recorder
from plugin.store.shown import ShownCard
from plugin.store.tables import FEEDBACK, SHOWN_CARD
from tests.builders import CLAIM_SUBMIT, ORDER_SIGN
from tests.command import Done, Run
from tests.stores import NewStore, environment, rows

CARDS = [uuid.UUID(int=number) for number in range(10)]
OFFERED = [uuid.UUID(int=100 + number) for number in range(10)]
JANUARY, FEBRUARY = dt.date(2026, 1, 15), dt.date(2026, 2, 15)
NOON = dt.datetime(2026, 2, 15, 12, tzinfo=dt.UTC)
Ask = Callable[..., Any]


def card(number: int, finding: str, edition: str, day: dt.date, service: str = CLAIM_SUBMIT) -> ShownCard:
    return ShownCard(str(CARDS[number]), service, finding, "warning", edition, day, (str(OFFERED[number]),))


def said(number: int, outcome: Outcome, minutes: int = 0, **more: Any) -> Feedback:
    return Feedback(CARDS[number], outcome, NOON + dt.timedelta(minutes=minutes), **more)


def fill(engine: Engine) -> None:
    """Two months of cards: accepted, overridden, both in turn, and left alone."""
    shown.write(
        engine,
        [
            card(0, "units.too-many", "hns@2026-01-01", JANUARY),
            card(1, "units.too-many", "hns@2026-01-01", FEBRUARY),
            card(2, "units.too-many", "bcbsnc@2026-01-01", FEBRUARY),
            card(3, "coverage.gy", "medicare-b@2026-01-01", FEBRUARY, ORDER_SIGN),
            card(4, "coverage.gy", "medicare-b@2026-01-01", FEBRUARY, ORDER_SIGN),
        ],
    )
    save(
        engine,
        CLAIM_SUBMIT,
        [
            said(0, "accepted", suggestions=(OFFERED[0],)),
            said(1, "accepted", 5, suggestions=(OFFERED[7],)),  # which that card did not offer
            said(2, "accepted", 1, suggestions=(OFFERED[2],)),
            said(2, "overridden", 9, reason=Reason("clinical-judgement"), commented=True),
            said(3, "overridden", 9),
            said(3, "accepted", 10, suggestions=(OFFERED[3],)),
            said(9, "overridden", reason=Reason("r9", "urn:x")),  # of which there is no card
        ],
        NOON,
    )


@pytest.fixture
def filled(new_store: NewStore) -> Settings:
    """A store with these cards."""
    settings = new_store()
    engine = open_store(settings)
    fill(engine)
    engine.dispose()
    return settings


@pytest.fixture
def command(filled: Settings, run: Run, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """The console command on the filled store."""
    for name, value in environment(filled).items():
        monkeypatch.setenv(name, value)
    return run


@pytest.fixture
def ask(command: Callable[..., Done]) -> Ask:
    """The report as JSON."""

    def asked(*words: str) -> Any:
        done = command("feedback", "report", "--json", *words)
        assert (done.status, done.err) == (0, ""), done
        return json.loads(done.out)

    return asked


def counts(report: Any) -> dict[str, tuple[int, ...]]:
    return {
        row["key"]: tuple(row[name] for name in ("shown", "accepted", "overridden", "unanswered"))
        for row in report["rows"]
    }


def test_by_finding(ask: Ask) -> None:
    """Each finding has its cards counted once, with the last that was said of them."""
    assert counts(ask()) == {"units.too-many": (3, 2, 1, 0), "coverage.gy": (2, 1, 0, 1)}


def test_by_payer(ask: Ask) -> None:
    """A card counts for the rule book that answered."""
    assert counts(ask("--by", "payer")) == {"hns": (2, 2, 0, 0), "medicare-b": (2, 1, 0, 1), "bcbsnc": (1, 0, 1, 0)}


def test_by_service(ask: Ask) -> None:
    """A card counts for the service that showed it."""
    assert counts(ask("--by", "service")) == {CLAIM_SUBMIT: (3, 2, 1, 0), ORDER_SIGN: (2, 1, 0, 1)}


def test_by_reason(ask: Ask) -> None:
    """Reasons are counted over the cards that stayed overridden."""
    (row,) = ask("--by", "reason")["rows"]
    assert (row["key"], row["overridden"], row["commented"], row["overridden_share"]) == (
        "clinical-judgement",
        1,
        1,
        1.0,
    )


def test_total(ask: Ask) -> None:
    """The total has all cards and the rates, and feedback that fits no card is told apart."""
    told = ask()
    total = told["total"]
    assert (total["shown"], total["accepted"], total["overridden"], total["unanswered"]) == (5, 3, 1, 1)
    assert (total["accepted_rate"], total["overridden_rate"]) == (0.6, 0.2)
    assert (told["unknown_cards"], told["unknown_suggestions"]) == (1, 1)


@pytest.mark.parametrize(
    ("words", "cards", "unknown"),
    [
        (("--since", "2026-02-15"), 4, 1),
        (("--until", "2026-02-14"), 1, 0),
        (("--since", "2026-01-15", "--until", "2026-02-15"), 5, 1),
        (("--since", "2026-02-16"), 0, 0),
    ],
)
def test_days(ask: Ask, words: tuple[str, ...], cards: int, unknown: int) -> None:
    """Both days are included; they are those on which cards were shown, or feedback on no card was received."""
    told = ask(*words)
    assert (told["total"]["shown"], told["unknown_cards"]) == (cards, unknown)


def test_as_csv(command: Callable[..., Done]) -> None:
    """The CSV has a header and the same rows."""
    done = command("feedback", "report", "--csv")
    found = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["key"], row["shown"]) for row in found] == [("units.too-many", "3"), ("coverage.gy", "2")]


def test_as_table(command: Callable[..., Done]) -> None:
    """For people there is a table, and the feedback that fits no card is mentioned."""
    done = command("feedback", "report")
    assert (done.status, done.err) == (0, "")
    assert "units.too-many" in done.out
    assert len([line for line in done.out.splitlines() if "no record" in line]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("feedback", "report", "--since", "2026-02-30"),
        ("feedback", "report", "--json", "--csv"),
        ("store", "prune", "--before", "yesterday"),
    ],
)
def test_bad_words(command: Callable[..., Done], words: tuple[str, ...]) -> None:
    """A day that is none, or two forms at once, is one line and status 2."""
    assert command(*words).one_line()


def test_empty_report(new_store: NewStore, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report on nothing is a report."""
    for name, value in environment(new_store()).items():
        monkeypatch.setenv(name, value)
    told = json.loads(run("feedback", "report", "--json").out)
    assert (told["rows"], told["total"]["shown"], told["total"]["accepted_rate"]) == ([], 0, 0.0)
    assert run("feedback", "report", "--csv").status == 0
    assert run("feedback", "report", "--by", "reason").status == 0


def test_store_that_is_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its database the report is one line that names it."""
    monkeypatch.setenv("VISITCUE_DATABASE_URL", "postgresql://nobody:0pen-Sesame@127.0.0.1:1/nothing")
    line = run("feedback", "report").one_line()
    assert "127.0.0.1:1" in line
    assert "0pen-Sesame" not in line


def left(settings: Settings) -> tuple[set[int], set[tuple[int, str]]]:
    """The cards that are left, and the cards and outcomes of the feedback."""
    cards = {row["card"].int for row in rows(settings, SHOWN_CARD)}
    return cards, {(row["card"].int, row["outcome"]) for row in rows(settings, FEEDBACK)}


def test_prune(command: Callable[..., Done], filled: Settings) -> None:
    """Cards shown before the day go with their feedback, however late that came; the others stay."""
    before = left(filled)[1]
    assert command("store", "prune", "--before", "2026-02-15").status == 0
    assert left(filled) == ({1, 2, 3, 4}, before - {(0, "accepted")})


def test_prune_feedback_on_no_card(command: Callable[..., Done], filled: Settings) -> None:
    """Feedback on no card goes by the day on which it was received."""
    assert command("store", "prune", "--before", "2026-02-16").status == 0
    assert left(filled) == (set(), set())


def test_prune_nothing(command: Callable[..., Done], filled: Settings) -> None:
    """Where nothing is older than the day, nothing goes."""
    before = left(filled)
    assert command("store", "prune", "--before", "2026-01-15").status == 0
    assert left(filled) == before


@pytest.mark.parametrize(("days", "kept"), [(400, {8}), (0, {8, 5})])
def test_keep_days(new_store: NewStore, days: int, kept: set[int]) -> None:
    """The service removes by itself what is older than keep_days, and nothing where that is 0."""
    settings = new_store()
    engine = open_store(settings)
    shown.write(engine, [card(5, "units.too-many", "hns@x", dt.date(2020, 1, 1))])
    recorder = Recorder(engine, days)
    recorder.tidy()
    recorder.note([card(8, "units.too-many", "hns@x", dt.datetime.now(dt.UTC).date())])
    recorder.close()
    engine.dispose()
    assert left(settings)[0] == kept
