"""Processes of ours: started, watched, restarted, and never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from monitor.logs import log

_STABLE_SECONDS = 30.0
"""A process that ran this long starts over with the shortest pause when it ends."""
_LONGEST_PAUSE_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1

EXIT_UNTOLD = 3
"""Exit code of a command that found nothing wrong, and could not tell of all that it was asked about."""
EXIT_USAGE = 64
"""Exit code of a process of ours that cannot work with what it was given: restarting it would change nothing."""
EXIT_TRY_AGAIN = 75
"""Exit code of a process of ours that met a broker that is away or denies: `run` checked it, so it may pass."""


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` on SIGTERM and SIGINT; a second signal ends the process at once."""

    def handle(_signal: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        stop()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


class Child(msgspec.Struct, kw_only=True):
    """One supervised process."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    next_start: float = 0.0
    restarts: int = 0
    output: Path | None = None
    environment: Mapping[str, str] = msgspec.field(default_factory=dict)


class GaveUp(Exception):
    """A child ended in a way that starting it again cannot mend."""


class Supervisor:
    """Keeps children running until told to stop; a crash is reported and mended, whatever its kind."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)

    def start(self) -> None:
        """Start all of them."""
        for child in self.children:
            self._start(child)

    def watch(self) -> None:
        """Look after the children once: restart what ended. Raises GaveUp for one that cannot work as configured."""
        if os.getpid() == 1:
            self._reap_orphans()
        now = time.monotonic()
        for child in self.children:
            if child.process is None:
                if now >= child.next_start:
                    self._start(child)
                continue
            code = child.process.poll()
            if code is None:
                continue
            if code == EXIT_USAGE:
                raise GaveUp(f"{child.name} cannot start as configured; its last line says why")
            child.failures = 1 if now - child.started > _STABLE_SECONDS else child.failures + 1
            pause = min(0.5 * 2 ** (child.failures - 1), _LONGEST_PAUSE_SECONDS)
            child.restarts += 1
            child.process = None
            child.next_start = now + pause
            log.error("process ended and is started again", process=child.name, exit_code=code, pause_seconds=pause)

    def signal(self, number: int, prefix: str) -> None:
        """Send a signal to the children whose names begin so."""
        for child in self.children:
            if child.name.startswith(prefix) and child.process is not None and child.process.poll() is None:
                child.process.send_signal(number)

    def stop(self, grace_seconds: float = 15.0) -> None:
        """End all of them: politely, then by force. The last started goes first."""
        alive = [child.process for child in reversed(self.children) if child.process is not None]
        for process in alive:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + grace_seconds
        for process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in self.children:
            child.process = None

    def _reap_orphans(self) -> None:
        """Take leave of processes that are nobody's any more: as the first one of a container we inherit them all."""
        ours = {child.process.pid for child in self.children if child.process is not None}
        while True:
            try:
                # Only looked at: the end of a child of ours is for its own `poll` to see.
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None or ended.si_pid in ours:
                return
            os.waitpid(ended.si_pid, 0)

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        output: IO[Any] | None = child.output.open("ab") if child.output is not None else None
        try:
            child.process = start(child.command, output=output, environment=child.environment)
        finally:
            if output is not None:
                output.close()


def start(
    command: Sequence[str],
    *,
    output: IO[Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that ends with us, even when we are killed outright (on Linux, by the kernel's word)."""
    return subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # A Ctrl-C in the terminal goes to us alone; we end the children in order.
        start_new_session=True,
        preexec_fn=_end_with_parent() if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads touch it
        env={**os.environ, **(environment or {})},
    )


def ourselves(*arguments: str) -> list[str]:
    """Give the command line that runs this program with arguments."""
    return [sys.executable, "-m", "monitor", *arguments]


def _end_with_parent() -> Callable[[], None]:
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel
