"""`python -m tests`: the whole suite in two halves, and the worse of their exit codes.

What only computes runs first, test by test on two cores. What starts real programs (brokers, workers, Prometheus) mostly waits for
them, so it runs afterwards, two files at a time: the tests of a file share what they started.
Arguments go to pytest. Where they choose tests themselves (a path, `-m` or `-n`), pytest runs once with them alone.
"""

import compileall
import subprocess
import sys
from collections.abc import Sequence

REAL_PROGRAMS = "kafka or slow or gateway"
_FOLDERS = ("topics", "detectors", "alerts", "monitor", "tests")
_NONE_CHOSEN = 5
"""pytest's exit code when no test was chosen: one half may hold none of those that `-k` names."""
_TAKES_A_VALUE = frozenset({"-k", "-p", "-o", "-c", "--durations", "--maxfail", "--hypothesis-seed", "--timeout"})


def chooses(arguments: Sequence[str]) -> bool:
    """Tell whether the arguments choose tests by more than their names."""
    before = ""
    for each in arguments:
        if before not in _TAKES_A_VALUE and (not each.startswith("-") or each.startswith(("-m", "-n"))):
            return True
        before = each
    return False


def main(arguments: Sequence[str]) -> int:
    """Run the suite. Gives pytest's exit code."""
    pytest = [sys.executable, "-m", "pytest"]
    if chooses(arguments):
        return subprocess.run([*pytest, *arguments], check=False).returncode
    # Each program starts with what is compiled here, also where the environment forbids Python to keep it.
    for folder in _FOLDERS:
        compileall.compile_dir(folder, quiet=1)
    halves = (["-n", "2", "-m", f"not ({REAL_PROGRAMS})"], ["-n", "2", "--dist", "loadfile", "-m", REAL_PROGRAMS])
    codes = [subprocess.run([*pytest, *half, *arguments], check=False).returncode for half in halves]
    chosen = [code for code in codes if code != _NONE_CHOSEN]
    return max(chosen, default=_NONE_CHOSEN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
