"""The examples and the documents: what they show is valid, and is what the service answers today."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from typer.testing import CliRunner

from plugin.cli import cli
from plugin.finding_list import BY_CODE
from plugin.services import services
from plugin.settings import Settings
from plugin.strict import faults

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples"
FILES = sorted(FOLDER.glob("*.json"))
EXPECTED: dict[str, Any] = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOOK_PAGE = (ROOT / "docs" / "hooks" / "claim-submit.md").read_text(encoding="utf-8")

SERVICES = {name: one.service for one in services(Settings()) for name in one.service.hook.names}
EXTENSION = "org.visitcue.finding"
CURL = re.compile(r"--data @(?P<file>\S+).*?/cds-services/(?P<service>[\w-]+).*?```json\n(?P<answer>.*?)```", re.DOTALL)
CONSOLE = re.compile(r"```console\n\$ visitcue (?P<arguments>[^\n]*)\n(?P<printed>.*?)\n```", re.DOTALL)
OTHER_PAGES = ROOT / "deploy" / "README.md", ROOT / "SECURITY.md"
WIDTH = "96"
"""Columns of the terminal whose output stands in the README."""

Json = dict[str, Any]
in_each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def read(path: Path) -> Json:
    request: Json = json.loads(path.read_bytes())
    return request


def resources(request: Json) -> Iterator[tuple[str, Json]]:
    """Every resource that a request carries, with its place."""
    for part in ("context", "prefetch"):
        for key, value in request.get(part, {}).items():
            if isinstance(value, dict):
                yield f"{part}.{key}", value


def called(client: FlaskClient, service: str, body: bytes) -> list[Json]:
    """The cards of an answer, which must be 200."""
    answer = client.post(f"/cds-services/{service}", data=body, content_type="application/json")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    cards: list[Json] = answer.get_json()["cards"]
    return cards


@in_each_file
def test_example_is_valid_fhir(path: Path) -> None:
    """Every resource in an example is valid FHIR R4."""
    wrong = [f"{place}: {fault}" for place, resource in resources(read(path)) for fault in faults(resource)]
    assert not wrong, "\n".join(wrong)


@in_each_file
def test_example_sends_declared_prefetch(path: Path) -> None:
    """An example sends only prefetch keys that discovery declares, and all that its context can fill."""
    request = read(path)
    declared = SERVICES[request["hook"]].prefetch
    sent = request.get("prefetch")
    assert set(sent or {}) <= set(declared)
    if sent is not None and "encounterId" in request["context"]:
        assert set(sent) == set(declared)


@in_each_file
def test_example_is_answered_as_stated(path: Path, client: FlaskClient) -> None:
    """An example is answered with exactly the findings, about exactly the lines, that expected.toml states."""
    cards = called(client, SERVICES[read(path)["hook"]].id, path.read_bytes())
    told = [card["extension"][EXTENSION] for card in cards]
    found = [(one["code"], one.get("lines", [])) for one in told]
    assert found == [(one["code"], one["lines"]) for one in EXPECTED[path.name]["findings"]]


def test_every_example_is_stated() -> None:
    """Files and statements go together one to one, and a statement names only findings of the closed list."""
    assert sorted(EXPECTED) == [path.name for path in FILES]
    assert {one["code"] for stated in EXPECTED.values() for one in stated["findings"]} <= set(BY_CODE)


def test_examples_cover_the_ground() -> None:
    """There are at least eight examples, with every service, both disciplines, and clean and faulty ones of each."""
    assert len(FILES) >= 8
    assert {SERVICES[read(path)["hook"]].id for path in FILES} == {one.id for one in SERVICES.values()}
    for discipline in ("chiro", "pt"):
        of_it = [stated for name, stated in EXPECTED.items() if f"-{discipline}-" in name]
        assert {bool(stated["findings"]) for stated in of_it} == {True, False}, discipline


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.endswith("-clean.json")])
def test_clean_means_nothing_found(name: str) -> None:
    """An example that is called clean states no finding."""
    assert EXPECTED[name]["findings"] == []


def test_index_of_examples() -> None:
    """The list in examples/README.md names every example."""
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in FILES if f"`{path.name}`" not in index] == []


def test_readme_shows_the_real_answer(client: FlaskClient) -> None:
    """The README's call is answered, after its filter, with what the README shows."""
    shown = CURL.search(README)
    assert shown is not None, "README.md has no curl call with its answer."
    assert "jq '[.cards[] | {indicator, summary, offers: [.suggestions[]?.label]}]'" in shown[0]
    cards = called(client, shown["service"], (ROOT / shown["file"]).read_bytes())
    filtered = [
        {
            "indicator": card["indicator"],
            "summary": card["summary"],
            "offers": [suggestion["label"] for suggestion in card.get("suggestions", [])],
        }
        for card in cards
    ]
    assert json.loads(shown["answer"]) == filtered


def test_readme_shows_the_real_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command in the README prints what the README shows."""
    shown = CONSOLE.search(README)
    assert shown is not None, "README.md has no console block."
    monkeypatch.chdir(ROOT)
    printed = CliRunner().invoke(cli, shown["arguments"].split(), env={"COLUMNS": WIDTH}).output
    assert [line.rstrip() for line in printed.splitlines()] == shown["printed"].splitlines()


@pytest.mark.parametrize("name", [name for name in EXPECTED if EXPECTED[name]["findings"]])
def test_codes_on_a_terminal(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """On a terminal of 80 columns every finding's code stands on one line, to be looked up."""
    monkeypatch.chdir(FOLDER)
    printed = CliRunner().invoke(cli, ["review", name], env={"COLUMNS": "80"}).output
    assert [one["code"] for one in EXPECTED[name]["findings"] if one["code"] not in printed] == []
    assert max(map(len, printed.splitlines())) <= 80


def test_readme_tells_settings_as_they_are() -> None:
    """A setting in the README's table has the default that the reference has."""
    told = re.findall(r"^\| `(VISITCUE_\w+)` \| (.*?) \|", README, re.MULTILINE)
    reference = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert len(told) >= 5
    assert [name for name, default in told if f"| `{name}` | {default} |" not in reference] == []


def test_readme_names_no_other_setting() -> None:
    """The README names no setting that does not exist."""
    named = set(re.findall(r"VISITCUE_[A-Z_]+", README))
    assert named <= {f"VISITCUE_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", HOOK_PAGE, re.DOTALL), ids=("one", "several"))
def test_hook_page_examples(block: str, client: FlaskClient) -> None:
    """The examples on the hook's page hold valid FHIR R4, and the service answers them."""
    context = json.loads(block)["context"]
    assert faults(context["claim"]) == []
    request = {"hook": "claim-submit", "hookInstance": "0b5f3a52-9d0f-4a4e-8d57-6f2d7b1c9a10", "context": context}
    called(client, "visitcue-claim-submit", json.dumps(request).encode())


def test_hook_page_context() -> None:
    """The hook's page requires the context fields that the service requires."""
    rows = re.findall(r"^\| `(\w+)` \| (REQUIRED|OPTIONAL) \|", HOOK_PAGE, re.MULTILINE)
    required = {name for name, optionality in rows if optionality == "REQUIRED"}
    assert required == set(SERVICES["claim-submit"].hook.required)


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", FOLDER / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *OTHER_PAGES]
)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link in the documents leads to a file."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
