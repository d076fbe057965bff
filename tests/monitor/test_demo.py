"""The demo keeps what the README says of it: on a machine with nothing but Python, and leaving nothing behind."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "monitor", "demo"]


def test_it_finds_what_was_planted_and_says_so_to_machines(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--seconds", "20", "--json"],
        capture_output=True,
        check=False,
        timeout=120,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    result = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr.decode()
    assert result["planted"] == result["found"] > 0
    assert result["missed"] == result["invented"] == []
    assert result["near_misses"] > 0
    assert result["near_misses_raised"] == 0
    assert result["accounted"] == result["records"] > 0
    assert result["malformed"] == result["malformed_dead_lettered"]
    assert result["episodes"] > 0
    assert result["first_alert_seconds"] is not None
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_no_process_and_no_port_and_taken_ports_are_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _occupy(taken, 19092)
        process = subprocess.Popen(
            COMMAND,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1", "COLUMNS": "400"},
        )
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline().decode()
            assert line, said
            said += line
        time.sleep(3)
        children = _descendants(process.pid)
        assert len(children) == 4, "the broker, the ledger, the worker, the alert plane"
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=30)[0].decode()
    assert process.returncode == 0, said
    assert "Port 19092 is taken" in said
    assert "Traceback" not in said
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert list(tmp_path.iterdir()) == []


def _occupy(taken: socket.socket, port: int) -> None:
    # Where somebody else has the port, that serves as well.
    with contextlib.suppress(OSError):
        taken.bind(("127.0.0.1", port))
        taken.listen()


def _descendants(pid: int) -> list[int]:
    found, pending = [], [pid]
    while pending:
        tasks = Path(f"/proc/{pending.pop()}/task")
        for task in tasks.iterdir() if tasks.exists() else ():
            children = [int(each) for each in (task / "children").read_text().split()]
            found += children
            pending += children
    return found
