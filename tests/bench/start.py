"""CPU seconds of a process until it can work: an empty Python, the command line, a whole configuration checked.

    python -m tests.bench.start [--rounds 5]

CPU time of child processes, user and system, the least of interleaved rounds. The second table reads every shipped YAML
file with ruamel.yaml alone and as the program does, in one process and in turns.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ruamel.yaml import YAML

from detectors.documents import load

_ROOT = Path(__file__).parents[2]
_PROGRAM = [sys.executable, "-m", "monitor"]
COMMANDS: Mapping[str, list[str]] = {
    "python, and nothing else": [sys.executable, "-c", ""],
    "privacy-monitor version": [*_PROGRAM, "version"],
    "privacy-monitor --help": [*_PROGRAM, "--help"],
    "privacy-monitor check": [*_PROGRAM, "check", "--config", "examples/monitor.yaml"],
    "the alert plane's imports": [sys.executable, "-c", "import monitor.alert_plane, monitor.context"],
}


def spent(command: list[str]) -> float:
    """Give the CPU seconds of a child process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def reading(how: Callable[[str], object], texts: list[str]) -> float:
    """Give the CPU seconds of reading all texts."""
    began = time.process_time()
    for text in texts:
        how(text)
    return time.process_time() - began


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=5)
    rounds = arguments.parse_args().rounds
    least = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            least[name] = min(least[name], spent(command))
    for name, seconds in least.items():
        print(f"{seconds:6.2f} s  {name}")  # noqa: T201 - a benchmark reports
    files = [path for folder in ("detectors", "alerts", "examples") for path in (_ROOT / folder).rglob("*.yaml")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    slow = quick = float("inf")
    for _ in range(rounds):
        slow = min(slow, reading(lambda text: YAML(typ="rt").load(text), texts))
        quick = min(quick, reading(lambda text: load(text, ""), texts))
    size = sum(map(len, texts)) // 1000
    print(f"{len(files)} files, {size} kB: ruamel.yaml {slow:.2f} s, ours {quick:.2f} s, ratio {slow / quick:.1f}")  # noqa: T201


if __name__ == "__main__":
    main()
