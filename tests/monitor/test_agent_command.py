"""`privacy-monitor agent`: what it cannot run is told in one line, before anything is contacted."""

from pathlib import Path

import pytest

from monitor.processes import EXIT_USAGE
from tests.kafka.processes import free_ports
from tests.monitor.test_cli import command, config


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("minutely", "no agent minutely is shipped (hourly)"),
        ("absent:agent", "there is no module absent"),
        ("broken:agent", "cannot be loaded (ZeroDivisionError"),
    ],
)
def test_an_agent_that_is_not_there_is_told_in_one_line(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "broken.py").write_text("print(1 / 0)")
    # Nothing listens there: it is not asked.
    config(tmp_path, f"127.0.0.1:{free_ports(1)[0]}")
    done = command("agent", name, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (EXIT_USAGE, 1)
    assert told in done.stderr
