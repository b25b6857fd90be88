"""The dashboard and the alert rules use metrics and labels that the server has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from posewire_server.serving.errors import BusyError
from posewire_server.serving.frames.frame_in_flight import Failed
from posewire_server.serving.observation.call import Call, Method
from posewire_server.serving.observation.metrics import Metrics
from posewire_server.serving.scheduling.load import ModelLoad, ServiceLoad
from tests.reference.scrape import parse_samples

MONITORING = Path(__file__).parents[3] / "deploy/monitoring"
ALERTS = MONITORING / "alerts.yaml"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())

# What Prometheus adds: a metric, and labels of its targets.
ADDED_METRIC = "up"
ADDED_LABELS = {"instance", "job"}
FUNCTIONS = {
    *("rate", "sum", "histogram_quantile", "changes", "min_over_time", "label_values"),
    *("by", "on", "and", "or"),
}
MATCHER = re.compile(r"\s*([a-z_]+)\s*(?:=~|!=|!~|=)\s*\"([^\"]*)\"\s*")


def registry_labels() -> dict[str, set[str]]:
    """Return the labels of each sample that a server has, by its name."""
    metrics = Metrics()
    metrics.show_models(["demo"])
    metrics.show_load(lambda: ServiceLoad(1, {"demo": ModelLoad(waiting=1, busy=1)}))
    call = Call(Method("service", "Once", "unary"), (metrics,))
    call.model = "demo"
    call.accept_frame()
    call.end_frame(Failed(BusyError("full", reason="QUEUE_FULL")), frame_id=1, age_secs=0)
    call.end()
    samples = parse_samples(generate_latest(metrics.registry).decode())
    return {
        name: {label for labels in by_labels for label, _ in labels}
        for name, by_labels in samples.items()
    }


LABELS = registry_labels()


def alert_rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def expressions() -> Iterator[tuple[str, str]]:
    for rule in alert_rules():
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["query"]["query"]


def problems_of(expression: str) -> list[str]:
    """Return what an expression uses that a server does not have."""
    problems = []
    known = ADDED_LABELS | {"le"}
    for name, matchers in re.findall(r"([a-z_]+)\{([^}]*)\}", expression):
        allowed = LABELS.get(name, set()) | ADDED_LABELS
        for matcher in filter(None, matchers.split(",")):
            found = MATCHER.fullmatch(matcher)
            if found is None or found[1] not in allowed:
                problems.append(f"{name}{{{matcher}}}")
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", " ", expression)
    grouped = re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", bare)
    bare = re.sub(r"\b(?:by|on)\s*\([^)]*\)", " ", bare)
    for name in re.findall(r"[a-zA-Z_]\w*", bare):
        if name in LABELS:
            known |= LABELS[name]
        elif name not in FUNCTIONS | ADDED_LABELS | {ADDED_METRIC, "model"}:
            problems.append(name)
    labels = {each.strip() for group in grouped for each in group.split(",")}
    return problems + sorted(labels - known)


@pytest.mark.parametrize(("where", "expression"), [*expressions()])
def test_expressions_use_what_the_server_has(where: str, expression: str) -> None:
    assert problems_of(expression) == [], where
    names = set(re.findall(r"[a-z_]+", expression))
    assert names & (LABELS.keys() | {ADDED_METRIC}), f"{where} uses no metric"


@pytest.mark.parametrize(
    "wrong",
    [
        "posewire_frame_total",
        'posewire_frames_total{outcom="result"}',
        "sum by (reasons) (posewire_frames_total)",
        "sum by (stage) (posewire_people_total)",
        "average(posewire_streams)",
    ],
)
def test_an_expression_that_the_server_cannot_answer_is_found(wrong: str) -> None:
    assert problems_of(wrong)


def test_every_metric_of_posewire_is_on_the_dashboard() -> None:
    shown = json.dumps(DASHBOARD)
    ours = {name for name in LABELS if name.startswith("posewire_")}
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in ours}
    assert {each for each in families if each not in shown} == set()


def test_alert_rules_have_what_prometheus_and_readers_need() -> None:
    rules = alert_rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert re.fullmatch("[0-9]+m", rule.get("for", "0m"))
        assert rule["expr"].count("(") == rule["expr"].count(")")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool of Prometheus")
def test_promtool_accepts_the_alert_rules() -> None:
    command = ["promtool", "check", "rules", str(ALERTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool of Prometheus")
def test_promtool_accepts_the_expressions_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{i}", "expr": target["expr"].replace("$__rate_interval", "5m")}
        for i, panel in enumerate(DASHBOARD["panels"])
        for target in panel["targets"]
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    command = ["promtool", "check", "rules", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_has_what_grafana_needs() -> None:
    for field in ("uid", "title", "schemaVersion", "panels", "templating", "time"):
        assert DASHBOARD[field], field
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = set()
    for panel in panels:
        assert panel["type"] == "timeseries"
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        grid = panel["gridPos"]
        assert 0 <= grid["x"] <= 24 - grid["w"]
        places.add((grid["x"], grid["y"]))
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references) > 0
    assert len(places) == len(panels)
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(panels)))
    assert used == names
