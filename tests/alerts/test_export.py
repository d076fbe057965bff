"""Exports: OCSF that its own schema accepts, CSV that no spreadsheet runs, and the command around them."""

import csv
import json
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from typer.testing import CliRunner

from alerts import table
from alerts.episodes import Episode, Policy, step, tick
from alerts.ocsf import VERSION, compliance_finding
from monitor.cli import app
from tests.alerts.traffic import START_MS, Seen, fold
from topics.alert import Alert, Change
from topics.finding import SEVERITIES, Severity, Verdict

POLICY = Policy(quiet_seconds=60, resolve_seconds=600)
HOUR_MS = 3_600_000


def history(severity: Severity = Severity.HIGH, verdict: Verdict = Verdict.VIOLATION, key: str = "key") -> list[Alert]:
    """Give all alerts of an episode, from its beginning to its end."""
    episode, told = step(None, fold([Seen(key, 0, 5, START_MS, 2, "aa", severity, verdict)]), START_MS + 10, POLICY)
    after: Episode = episode
    alerts = list(told)
    for moment in (START_MS + HOUR_MS // 10, START_MS + HOUR_MS, START_MS + 2 * HOUR_MS):
        after, told = tick(after, moment, POLICY)
        alerts += told
    return alerts


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION)).get_class_schema("compliance_finding")
    return jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("verdict", Verdict)
def test_each_alert_of_an_episode_is_a_valid_compliance_finding(
    validator: jsonschema_rs.Draft202012Validator, severity: Severity, verdict: Verdict
) -> None:
    alerts = history(severity, verdict)
    assert {Change.OPENED, Change.QUIET, Change.RESOLVED} <= {alert.change for alert in alerts}
    for alert in alerts:
        event = json.loads(json.dumps(compliance_finding(alert, "1.0.0")))
        assert [error.message for error in validator.iter_errors(event)] == []
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    assert compliance_finding(alerts[0], "1")["activity_id"] == 1
    assert compliance_finding(alerts[-1], "1")["status"] == "Resolved"


def test_the_validator_refuses_what_is_no_compliance_finding(validator: jsonschema_rs.Draft202012Validator) -> None:
    event = compliance_finding(history()[0], "1")
    assert not validator.is_valid({key: value for key, value in event.items() if key != "compliance"})
    assert not validator.is_valid({**event, "surplus": 1})


def test_a_gap_is_no_failed_control() -> None:
    assert compliance_finding(history(verdict=Verdict.GAP)[0], "1")["compliance"]["status"] == "Unknown"
    assert compliance_finding(history()[0], "1")["compliance"]["status"] == "Fail"


def test_no_cell_of_a_csv_begins_as_a_formula_does() -> None:
    evil = msgspec.structs.replace(history()[0], recipient='=cmd|"/c calc"!A1', services=("@SUM(A1)",))
    rows = list(csv.reader("".join(table.lines([evil])).splitlines()))
    assert rows[0] == list(table.COLUMNS)
    cells = dict(zip(rows[0], rows[1], strict=True))
    assert cells["recipient"] == '\'=cmd|"/c calc"!A1'
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in rows[1])


def test_the_command_writes_the_newest_alert_of_each_episode(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    told = [*history(), *history(key="other")[:1]]
    file.write_bytes(b"\n".join(map(msgspec.json.encode, told)))
    runner = CliRunner()

    def lines(*arguments: str) -> list[str]:
        result = runner.invoke(app, ["export", "--file", str(file), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    newest = {json.loads(line)["episode_key"]: json.loads(line) for line in lines()}
    assert newest["key"]["change"] == "resolved"
    assert newest["other"]["change"] == "opened"
    assert len(lines("--history")) == len(told)
    assert [json.loads(line)["finding_info"]["uid"] for line in lines("--format", "ocsf", "--unresolved")] == ["other"]
    assert len(lines("--format", "csv")) == 3


def test_a_file_that_holds_no_alerts_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    file.write_bytes(msgspec.json.encode(history()[0]) + b'\n{"secret": "a@b.example"}\n')
    result = CliRunner().invoke(app, ["export", "--file", str(file)])
    assert result.exit_code == 64
    assert f"{file}:2:" in result.stderr
    assert "a@b.example" not in result.output
