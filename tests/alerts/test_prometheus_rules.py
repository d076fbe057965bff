"""Rules, routes and runbooks, checked by the tools that SREs use."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from ruamel.yaml import YAML

from alerts.metrics import AlertMetrics
from alerts.objectives import rules
from monitor.metrics import LedgerMetrics, Metrics
from monitor.minute_canary import CanaryMetrics
from monitor.notify_metrics import NotifyMetrics
from tests.alerts.prometheus import ALERTS, RULES, programs, tool
from tests.conftest import skip_or_fail
from tests.kafka.processes import Unavailable

PACKS = ALERTS.parent / "detectors" / "rules" / "packs"
RUNBOOKS = ALERTS / "runbooks"
ROUTES = ALERTS / "alertmanager" / "alertmanager.yaml"


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def alerting_rules() -> Iterator[Mapping[str, Any]]:
    for path in RULES:
        for group in read(path)["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


@pytest.fixture(scope="module")
def tools() -> Path:
    try:
        return programs()
    except Unavailable as reason:
        skip_or_fail(f"no promtool: {reason}")


def test_promtool_finds_no_fault_in_the_rules(tools: Path) -> None:
    code, said = tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))
    assert code == 0, said


@pytest.mark.slow
@pytest.mark.parametrize("file", ["tests.yaml", "tests-long.yaml"])
def test_each_rule_fires_when_it_should_and_not_otherwise(tools: Path, file: str) -> None:
    code, said = tool("promtool", "test", "rules", str(ALERTS / "prometheus" / file))
    assert code == 0, said


def test_each_alert_has_a_test_that_sees_it_fire() -> None:
    tested = set()
    for file in ("tests.yaml", "tests-long.yaml"):
        for case in read(ALERTS / "prometheus" / file)["tests"]:
            for check in case["promql_expr_test"]:
                if check["exp_samples"]:
                    tested |= set(re.findall(r'alertname="(\w+)"', check["expr"]))
    assert tested == {rule["alert"] for rule in alerting_rules()}


def test_each_alert_says_what_it_is_who_acts_and_where_to_read_on() -> None:
    for rule in alerting_rules():
        name = rule["alert"]
        assert name.startswith("Privacy"), name
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, name
        assert rule["labels"]["audience"] in {"on-call", "engineers", "watchdog"}, name
        notes = rule["annotations"]
        assert "{{" not in notes["summary"], name
        assert notes["description"], name
        assert (ALERTS / notes["runbook_url"]).is_file(), notes["runbook_url"]


def test_each_rule_has_a_runbook_page_and_each_page_answers_the_four_questions() -> None:
    wanted = {read(path)["runbook"] for path in PACKS.rglob("*.yaml") if path.name != "pack.yaml"}
    assert wanted - {path.stem for path in RUNBOOKS.glob("*.md")} == set()
    for path in RUNBOOKS.glob("*.md"):
        if path.stem != "README":
            text = path.read_text()
            for question in ("What it means", "Who is affected", "What to do first", "Where the evidence is"):
                assert f"## {question}\n" in text, (path.name, question)
            assert f"]({path.name})" in (RUNBOOKS / "README.md").read_text(), path.name


def test_the_objectives_are_what_their_table_says() -> None:
    assert (ALERTS / "prometheus" / "objectives.yaml").read_text() == rules()


def test_promtool_finds_no_fault_in_the_metrics_of_each_process(tools: Path) -> None:
    worker, ledger = CollectorRegistry(), CollectorRegistry()
    Metrics(worker, version="1").expect(["shop.events"])
    LedgerMetrics(ledger)
    beside, notify = CollectorRegistry(), CollectorRegistry()
    CanaryMetrics(beside)
    NotifyMetrics(notify)
    for registry in (worker, ledger, beside, notify, AlertMetrics().registry):
        code, said = tool("promtool", "check", "metrics", text=generate_latest(registry).decode())
        assert (code, said) == (0, "")


def test_amtool_finds_no_fault_in_the_routes(tools: Path) -> None:
    code, said = tool("amtool", "check-config", str(ROUTES))
    assert code == 0, said


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"alertname": "PrivacyViolationCritical", "audience": "on-call", "severity": "critical"}, "on-call"),
        ({"alertname": "PrivacyViolation", "audience": "on-call", "severity": "warning"}, "on-call"),
        ({"alertname": "PrivacyViolationLow", "audience": "on-call", "severity": "info"}, "privacy-team"),
        ({"alertname": "PrivacyGaps", "audience": "engineers", "severity": "warning"}, "engineers"),
        ({"alertname": "PrivacyMonitorBlind", "audience": "engineers", "severity": "critical"}, "engineers-pager"),
        ({"alertname": "PrivacyMonitorCanaryLost", "audience": "engineers", "severity": "critical"}, "engineers-pager"),
        ({"alertname": "PrivacyDutyOverdue", "audience": "on-call", "severity": "critical"}, "on-call"),
        ({"alertname": "PrivacyDutyDue", "audience": "on-call", "severity": "warning"}, "on-call"),
        ({"alertname": "PrivacyMonitorWatchdog", "audience": "watchdog", "severity": "info"}, "dead-mans-check"),
        ({"alertname": "SomethingElse"}, "engineers"),
    ],
)
def test_each_alert_goes_to_who_should_act(tools: Path, labels: dict[str, str], receiver: str) -> None:
    given = [f"{name}={value}" for name, value in labels.items()]
    code, said = tool("amtool", "config", "routes", "test", f"--config.file={ROUTES}", *given)
    assert (code, said.splitlines()[0]) == (0, receiver)
