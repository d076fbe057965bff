"""Dashboards are complete and name only metrics and records that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from alerts.metrics import AlertMetrics
from monitor.metrics import LedgerMetrics, Metrics
from monitor.minute_canary import CanaryMetrics
from tests.alerts.prometheus import ALERTS, RULES

BOARDS = sorted((ALERTS / "dashboards").glob("*.json"))


def shown() -> set[str]:
    """Give the names of all our series, recorded ones included."""
    registry, alerts = CollectorRegistry(), AlertMetrics().registry
    Metrics(registry, version="1")
    LedgerMetrics(registry)
    CanaryMetrics(registry)
    names = {"ALERTS", "privacy_notify_waiting"}
    for family in [*registry.collect(), *alerts.collect()]:
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    for path in RULES:
        names |= set(re.findall(r"record: (\S+)", path.read_text()))
    return names


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_dashboard_is_complete(path: Path) -> None:
    board: dict[str, Any] = json.loads(path.read_text())
    assert board["uid"] == path.stem
    assert board["schemaVersion"] >= 38
    assert [each["type"] for each in board["templating"]["list"]] == ["datasource"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["targets"]
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not own & cells, panel["title"]
        cells |= own
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"


def test_dashboards_name_only_series_that_exist() -> None:
    known = shown()
    named = set()
    for path in BOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                named |= set(
                    re.findall(r"\b(?:privacy_\w+|(?:rule|recipient|slo|duty):\w+:\w+|ALERTS)\b", target["expr"])
                )
    assert named
    assert named - known == set()
