"""The alerts and the dashboard ask for what VisitCue counts, and the alerts come when they should."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from flask.testing import FlaskClient

from plugin import metrics

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "deploy" / "prometheus"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "visitcue.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
ASKED = [
    *((one["alert"], str(one["expr"])) for one in RULES),
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
]
SELECTOR = re.compile(r"\b((?:visitcue|process)_\w+)(?:\{(.*?)\})?")
LABEL = re.compile(r'(\w+)(?:=~|!~|!=|=)"')
OF_SCRAPES = {"job", "instance"}
"""Labels that Prometheus adds."""

in_each = pytest.mark.parametrize(("name", "expression"), ASKED, ids=[f"{number}" for number in range(len(ASKED))])


def counted() -> Iterator[tuple[str, set[str]]]:
    """The series that the service shows, each with its labels."""
    for collector in (
        metrics.REQUESTS,
        metrics.REFUSALS,
        metrics.CARDS,
        metrics.PREFETCH,
        metrics.FEEDBACK,
        metrics.TRUST,
    ):
        yield f"{collector._name}_total", set(collector._labelnames)
    yield f"{metrics.SECONDS._name}_bucket", {*metrics.SECONDS._labelnames, "le"}
    yield "visitcue_build_info", {"version", "base_edition"}
    for name in ("resident_memory_bytes", "cpu_seconds_total", "open_fds"):
        yield f"process_{name}", {"pid"}


COUNTED = dict(counted())


@in_each
def test_expression_can_be_parsed(name: str, expression: str) -> None:
    """An expression is PromQL."""
    assert promql_parser.parse(expression.replace("$job", "visitcue")) is not None, name


@in_each
def test_asks_for_what_is_counted(name: str, expression: str) -> None:
    """An expression names only series that the service shows, with labels that they have."""
    wrong = [
        (series, label)
        for series, labels in SELECTOR.findall(expression)
        for label in {"", *LABEL.findall(labels)}
        if series not in COUNTED or label not in {"", *COUNTED[series], *OF_SCRAPES}
    ]
    assert not wrong, f"{name}: {wrong}"


def test_series_are_shown(client: FlaskClient) -> None:
    """What the alerts and the dashboard may name is what the service itself shows."""
    client.get("/cds-services")
    shown = client.get("/metrics").get_data(as_text=True)
    families = {line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE ")}
    named = {series.removesuffix("_bucket") for series in COUNTED}
    assert {name for name in named if not {name, name.removesuffix("_total")} & families} == set()


def test_every_count_is_on_the_dashboard() -> None:
    """Whatever of ours is counted can be seen on the dashboard."""
    seen = {series for _, expression in ASKED[len(RULES) :] for series, _ in SELECTOR.findall(expression)}
    assert {name for name in COUNTED if name.startswith("visitcue_")} <= seen


def test_alerts_are_complete() -> None:
    """An alert has a name of its own, says whether it wakes somebody, and in words what is wrong and what to do."""
    assert len({one["alert"] for one in RULES}) == len(RULES)
    for one in RULES:
        assert one["labels"]["severity"] in {"page", "ticket"}
        assert {*one["annotations"]} == {"summary", "description"}


def test_alerts_come_when_they_should() -> None:
    """Prometheus' own tool accepts the rules and finds each alert in the series of rules_test.yaml, and no other."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not installed; it is in Debian's package prometheus.")
    for words in (("check", "rules", "rules.yaml"), ("test", "rules", "rules_test.yaml")):
        done = subprocess.run((tool, *words), cwd=FOLDER, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_panels_do_not_overlap() -> None:
    """Each panel of the dashboard has an id, and a place that no other panel has, within the 24 columns."""
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_dashboard_asks_the_chosen_source() -> None:
    """Every panel asks the source and the job that are chosen at the top, and names none of one installation."""
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "job"]
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    assert all('job="$job"' in target["expr"] for panel in PANELS for target in panel["targets"])
