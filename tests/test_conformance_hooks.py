"""Our own hook, as CDS Hooks wants hooks to be defined: its name, its page, its versions."""

import json
import re

import pytest

from plugin.hooks import claim_submit
from plugin.settings import Settings
from tests.conformance import ROOT

PAGE = (ROOT / "docs" / "hooks" / "claim-submit.md").read_text(encoding="utf-8")
NAME = Settings().claim_hook
CATALOGUE = {
    "allergyintolerance-create",
    "appointment-book",
    "encounter-discharge",
    "encounter-start",
    "medication-prescribe",
    "medication-refill",
    "medication-verify",
    "order-dispatch",
    "order-review",
    "order-select",
    "order-sign",
    "patient-view",
    "problem-list-item-create",
}
"""The hooks of HL7's library, the deprecated ones included, as read in November 2026."""
SEMVER = re.compile(r"\d+\.\d+\.\d+")


def table(heading: str) -> list[list[str]]:
    """The first table after a heading, row by row, its head first."""
    _, _, after = PAGE.partition(f"{heading}\n")
    lines = re.findall(r"^\|(.*)\|$", after.partition("\n## ")[0], re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def test_name() -> None:
    """The hook has a name in reverse-domain notation, a noun and a verb at its end, and no name of the catalogue."""
    assert re.fullmatch(r"[a-z]+\.[a-z]+\.[a-z]+-[a-z]+", NAME)
    assert NAME.endswith(".claim-submit")
    assert not {NAME, claim_submit.PLAIN_NAME} & CATALOGUE


def test_page_is_of_this_name() -> None:
    """The page defines the hook that is announced unless an installation renames it."""
    assert PAGE.startswith(f"# `{NAME}`\n")
    assert NAME == claim_submit.NAME


def test_metadata() -> None:
    """The page has the table of metadata: the specification's version, the hook's, and its maturity."""
    told = {name: value for name, value in table("`org.visitcue.claim-submit`")}  # noqa: C416 - rows are lists
    assert told.keys() >= {"specificationVersion", "hookVersion", "hookMaturity"}
    assert SEMVER.fullmatch(told["specificationVersion"])
    assert told["hookVersion"] == claim_submit.VERSION
    assert re.fullmatch(r"[0-5] - \w+", told["hookMaturity"])


def test_context_table() -> None:
    """The page has a table of the context: field, optionality, whether prefetch may name it, type and description."""
    head, *fields = table("## Context")
    assert head == ["Field", "Optionality", "Prefetch Token", "Type", "Description"]
    assert {tuple(row[:4]) for row in fields} == {
        ("`userId`", "REQUIRED", "Yes", "*string*"),
        ("`patientId`", "REQUIRED", "Yes", "*string*"),
        ("`encounterId`", "OPTIONAL", "Yes", "*string*"),
        ("`claim`", "REQUIRED", "No", "*object*"),
    }
    assert all(row[4] for row in fields)


def test_tokens_are_tokens() -> None:
    """Prefetch templates of the hook name only fields that the page offers as tokens."""
    _, *fields = table("## Context")
    tokens = {row[0].strip("`") for row in fields if row[2] == "Yes"}
    templates = [part.query for part in claim_submit.service(NAME).service.prefetch.values()]
    assert {name for one in templates for name in re.findall(r"\{\{context\.(\w+)\}\}", one)} <= tokens


def test_several_claims() -> None:
    """Several Claims are one Bundle of type collection, in the page's words and in its example."""
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    kinds = {one["context"]["claim"]["resourceType"]: one["context"]["claim"] for one in examples}
    assert kinds["Bundle"]["type"] == "collection"
    assert "`collection`" in PAGE


def test_one_version_of_fhir() -> None:
    """The page says that all resources of the context are of one version of FHIR."""
    assert "one FHIR version" in PAGE


def test_change_log() -> None:
    """The change log has every version in semantic versioning, ends with the present one, and each has its words."""
    head, *versions = table("## Change Log")
    assert head == ["Version", "Description"]
    assert all(SEMVER.fullmatch(version) and words for version, words in versions)
    assert versions[-1][0] == claim_submit.VERSION


@pytest.mark.parametrize("part", ["## Workflow", "## Context", "### Examples", "## Change Log"])
def test_parts(part: str) -> None:
    """The page has the parts of a hook's definition."""
    assert f"\n{part}\n" in PAGE
