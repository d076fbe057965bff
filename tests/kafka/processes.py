"""Processes, ports and the cache folder that the real brokers and gateways of the tests share."""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


class Unavailable(Exception):
    """A reason, in words, why something real cannot be had on this machine."""


@dataclass(frozen=True, slots=True)
class Process:
    """A running child with its log file; the child dies with the thread that started it (Linux) or at stop."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    def alive(self) -> bool:
        return self.child.poll() is None

    def tail(self, lines: int = 20) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def kill(self) -> None:
        """Kill as by `kill -9` and wait until the process is gone."""
        self._signal(signal.SIGKILL)
        self.child.wait()

    def _signal(self, number: signal.Signals) -> None:
        # The child leads its own session, so its own children (nginx workers) get the signal as well.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, number)


def spawn(name: str, command: list[str], log: Path, env: Mapping[str, str] | None = None) -> Process:
    """Start a command in its own session, with output appended to a log file, tied to the life of this thread."""
    # Without this a killed pytest would leave a broker behind. The kernel watches the starting thread.
    tie = ["setpriv", "--pdeathsig", "KILL"] if sys.platform == "linux" and shutil.which("setpriv") else []
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*tie, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else {**os.environ, **env},
            start_new_session=True,
        )
    return Process(name, child, log)


def stop(processes: Iterable[Process], seconds: float = 5.0) -> None:
    """Ask all processes to stop, wait together, and kill those that did not."""
    running = [process for process in processes if process.alive()]
    for process in running:
        process._signal(signal.SIGTERM)
    limit = time.monotonic() + seconds
    for process in running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.child.wait(timeout=max(0.0, limit - time.monotonic()))
        process.kill()


def wait_until(ready: Callable[[], bool], seconds: float, processes: Iterable[Process] = ()) -> bool:
    """Ask again until ready; say False after the time given or as soon as one of the processes has ended."""
    watched = tuple(processes)
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if ready():
            return True
        if not all(process.alive() for process in watched):
            return False
        time.sleep(0.05)
    return False


def free_ports(count: int) -> list[int]:
    """Pick unused ports of 127.0.0.1 below the range from which the kernel serves outgoing connections.

    A port out of that range could be taken by a client while a killed broker is away.
    """
    chosen: list[int] = []
    candidates = random.SystemRandom().sample(range(15_000, 32_000), 400)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise Unavailable(f"fewer than {count} free ports on 127.0.0.1")


def answers(port: int) -> bool:
    """Say whether something accepts connections on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def cache_folder() -> Path:
    """Return the folder that keeps what tests fetch once per machine."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "streaming-privacy-monitor"


def fetch_once(name: str, fill: Callable[[Path], None]) -> Path:
    """Return the cache folder of that name, filled exactly once however many runs ask at the same time."""
    target = cache_folder() / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_name(f"{name}.lock")):
        if target.is_dir():
            return target
        unfinished = target.with_name(f"{name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            fill(unfinished)
            unfinished.rename(target)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return target


def run(command: list[str], seconds: float, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Return what a short command prints on standard output.

    Raises:
        Unavailable: the command is missing, failed or took too long.
    """
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            env=None if env is None else {**os.environ, **env},
        )
    except FileNotFoundError as error:
        raise Unavailable(f"{command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{command[0]} did not end within {seconds:g} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
        raise Unavailable(f"{command[0]} failed with status {done.returncode}: {' | '.join(last)}")
    return done.stdout


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
