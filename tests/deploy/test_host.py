"""One host: systemd's units and the compose file, checked by the tools of their own worlds."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from monitor.cli import app
from monitor.context import load_all
from tests.alerts.prometheus import RULES, programs, tool
from tests.conftest import skip_or_fail
from tests.kafka.jvm import kafka_version
from tests.kafka.processes import Unavailable

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = Path(sys.executable).parent / "privacy-monitor"


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text())


def options(*command: str) -> set[str]:
    """Give the options that a command of the program takes."""
    found: Any = get_command(app)
    for word in command:
        found = found.commands[word]
    return {option for each in found.params for option in each.opts}


@pytest.fixture(scope="module")
def compose() -> Any:
    return read(DEPLOY / "compose" / "compose.yaml")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_nothing_wrong_with_a_unit_and_calls_it_safe(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    # It wants the program to be there: the one of this environment stands in for the installed one.
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text().replace("/opt/privacy-monitor/bin/privacy-monitor", str(PROGRAM)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, unit.name in done.stderr) == (0, False), done.stderr
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert rated.returncode == 0, rated.stdout[-400:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_a_command_that_is_there_and_gives_up_where_starting_again_changes_nothing(unit: Path) -> None:
    text = unit.read_text()
    (start,) = [line for line in text.splitlines() if line.startswith("ExecStart=")]
    command = start.split()[1]
    assert all(word in options(command) for word in start.split() if word.startswith("--"))
    assert "RestartPreventExitStatus=64" in text
    assert "DynamicUser=yes" in text


def test_the_compose_file_fits_the_compose_specification(compose: Any) -> None:
    # Its folder alone: the command that the package is for does not matter here.
    package = find_spec("check_jsonschema")
    assert package is not None
    folder = Path((package.submodule_search_locations or [""])[0])
    text = (folder / "builtin_schemas" / "vendor" / "compose-spec.json").read_text()
    validator = jsonschema_rs.validator_for(text)
    assert [f"{each.instance_path} {each.message}" for each in validator.iter_errors(compose)] == []
    broken = {**compose, "services": {**compose["services"], "alerts": {"imagee": "x"}}}
    assert not validator.is_valid(broken)


def test_every_part_of_the_compose_file_is_there(compose: Any) -> None:
    assert compose["services"].keys() == {
        "kafka", "topics", "workers", "alerts", "prometheus", "alertmanager", "grafana",
    }  # fmt: skip
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{kafka_version()}", "the one that the tests run on"
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            if isinstance(volume, dict) and volume["type"] == "bind":
                assert (DEPLOY / "compose" / volume["source"]).exists(), (name, volume["source"])
            elif isinstance(volume, dict):
                assert volume["source"] in compose["volumes"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network"


@pytest.mark.parametrize("name", ["topics", "workers", "alerts"])
def test_containers_of_ours_have_no_rights_and_run_commands_that_are_there(compose: Any, name: str) -> None:
    service = compose["services"][name]
    assert (service["user"], service["read_only"], service["cap_drop"]) == ("65532:65532", True, ["ALL"])
    words = [word for word in service["command"] if not word.startswith(("-", "/")) and not word.isdigit()]
    assert all(word in options(*words) for word in service["command"] if word.startswith("--"))


def test_the_configuration_of_the_example_passes_check(tmp_path: Path) -> None:
    (tmp_path / "subject.key").write_text("a made-up key of more than sixteen bytes")
    text = (DEPLOY / "compose" / "monitor.yaml").read_text().replace("/run/secrets/", f"{tmp_path}/")
    (tmp_path / "monitor.yaml").write_text(text)
    config, _, _ = load_all(tmp_path / "monitor.yaml")
    assert config.kafka.bootstrap_servers == "kafka:9092"


def test_prometheus_scrapes_every_process_and_loads_every_rule(compose: Any) -> None:
    config = read(DEPLOY / "compose" / "prometheus.yaml")
    assert {Path(each).name for each in config["rule_files"]} == {path.name for path in RULES}
    shipped = {path.name for path in (ROOT / "alerts" / "prometheus").glob("*.yaml")}
    assert {path.name for path in RULES} == {each for each in shipped if not each.startswith("tests")}
    targets = [t for job in config["scrape_configs"] for each in job["static_configs"] for t in each["targets"]]
    workers = int(compose["services"]["workers"]["command"][2])
    assert targets == [f"workers:{9464 + index}" for index in range(workers + 1)] + ["alerts:9564"]


def test_promtool_and_amtool_accept_the_configuration(tmp_path: Path) -> None:
    try:
        programs()
    except Unavailable as reason:
        skip_or_fail(f"no promtool: {reason}")
    shutil.copytree(ROOT / "alerts" / "prometheus", tmp_path / "rules")
    shutil.copy(DEPLOY / "compose" / "prometheus.yaml", tmp_path)
    code, said = tool("promtool", "check", "config", str(tmp_path / "prometheus.yaml"))
    assert code == 0, said
    code, said = tool("amtool", "check-config", str(ROOT / "alerts" / "alertmanager" / "alertmanager.yaml"))
    assert code == 0, said
