"""A process that has read the program and what is shipped with it, and bears the processes of a long run: many starts, cheaply.

A start of the program reads and compiles its tables first, for seconds; a run of hundreds of kills would do little else. A child of the
nursery finds modules and shipped tables in memory and does all the rest itself: it reads its configuration, compiles its rules, connects
and joins its group, under its own process id.

The nursery takes orders as lines of JSON, answers each with the child's id, and tells the end of each child: see `Nursery`.
"""

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor import cli
from monitor.context import load
from monitor.files import read_config
from tests.integration.crash_points import MARK, Point, arm

_PR_SET_PDEATHSIG = 1
_START_SECONDS = 240.0


@dataclass(slots=True)
class Born:
    """A child of the nursery."""

    name: str
    pid: int
    point: str
    """Where it is to die; empty: nowhere."""
    log: Path
    began: float
    code: int | None = None
    """How it ended, as `subprocess` tells it: negative for a signal. None while it lives."""

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens when it has ended, whether we know already or not."""
        with contextlib.suppress(ProcessLookupError):
            if self.code is None:
                os.kill(self.pid, number)

    def crashed_at_its_point(self) -> bool:
        """Whether it ended at its point, by its own word and the kernel's."""
        return self.code == -signal.SIGKILL and f"{MARK}{self.point}\n" in self.log.read_text(errors="replace")


class Nursery:
    """The nursery as its user sees it."""

    def __init__(self, config: Path) -> None:
        self._folder = config.parent
        self._births = 0
        self._buffer = b""
        self._children: dict[int, Born] = {}
        with (self._folder / "nursery.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.nursery", str(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )

    def bear(self, name: str, command: Sequence[str], config: Path, point: str = "", nth: int = 1) -> Born:
        """Start a process of the program, to die at the nth pass of a point if one is named."""
        self._births += 1
        log = self._folder / f"{name}-{self._births}.log"
        log.touch()
        order = {
            "command": [*command, "--config", str(config)],
            "log": str(log),
            "point": point,
            "nth": nth,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            born = None
            for told in self._told(0.5):
                if "born" in told:
                    born = Born(name, told["born"], point, log, time.monotonic())
                    self._children[born.pid] = born
                else:
                    self._end(told)
            if born is not None:
                return born
        raise AssertionError(f"the nursery bears no child\n{(self._folder / 'nursery.log').read_text()}")

    def look(self) -> None:
        """Take note of children that have ended."""
        for told in self._told(0):
            self._end(told)

    def wait(self, child: Born, seconds: float) -> int | None:
        """Wait for the end of a child; None when it does not come in time."""
        deadline = time.monotonic() + seconds
        while child.code is None and time.monotonic() < deadline:
            for told in self._told(0.2):
                self._end(told)
        return child.code

    def close(self) -> None:
        """End the nursery and with it all of its children."""
        self._process.kill()
        self._process.wait()

    def _end(self, told: Mapping[str, int]) -> None:
        self._children.pop(told["ended"]).code = told["code"]

    def _told(self, seconds: float) -> list[dict[str, int]]:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        if select.select([pipe], [], [], seconds)[0]:
            read = os.read(pipe, 65_536)
            assert read, f"the nursery has ended\n{(self._folder / 'nursery.log').read_text()}"
            self._buffer += read
        *lines, self._buffer = self._buffer.split(b"\n")
        return [json.loads(line) for line in lines]


def main(config: str) -> None:
    """Be the nursery."""
    # Fills what the program keeps for its own life: the law pack and the shipped tables.
    load(read_config(Path(config)), config)
    gc.collect()
    gc.freeze()
    buffer = b""
    while True:
        if select.select([0], [], [], 0.1)[0]:
            read = os.read(0, 65_536)
            if not read:
                return
            *lines, buffer = (buffer + read).split(b"\n")
            for line in lines:
                _bear(json.loads(line))
        _tell_ends()


def _bear(order: Mapping[str, Any]) -> None:
    child = os.fork()
    if child:
        _tell({"born": child})
        return
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for known, to in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
            os.dup2(known, to)
        if order["point"]:
            arm(Point(order["point"], order["nth"]))
        sys.argv = ["privacy-monitor", *order["command"]]
        cli.main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - a forked child must never go on as its parent
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tell_ends() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(line: Mapping[str, int]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
