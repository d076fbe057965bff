"""The judge as an outside process: asked about ranges of offsets over a pipe, answering with what each record gives.

Requests and answers are lines of JSON. A request names a partition, a half-open range of offsets and the ledger mark at which
its worker judged; the answers are one line for each record, and a closing line. The first line of all names the bundle.
"""

import json
import subprocess
from collections.abc import Sequence
from typing import IO, Any, NamedTuple, Self

from monitor.audit.evidence import Place
from monitor.audit.read import AuditProblem
from monitor.audit.verdict import Said


class Question(NamedTuple):
    """A range to be judged again."""

    start: int
    end: int
    mark: str
    silent: bool
    """Whether to say too what would be found if the ledger could not have spoken."""


class Judge:
    """The process, from its start to its end."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start it. Raises AuditProblem when it cannot judge."""
        self._process = subprocess.Popen(list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.bundle = str(self._line().get("bundle", ""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pipe(self._process.stdin).close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        pipe(self._process.stdout).close()

    def ask(self, place: Place, question: Question, words: dict[tuple[str, int], Said]) -> None:
        """Ask about a range, and put what is said of each record into `words`, by mark and offset."""
        asked = {"topic": place[0], "partition": place[1], **question._asdict()}
        stdin = pipe(self._process.stdin)
        try:
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError:
            raise AuditProblem("the judge ended; its last line says why") from None
        while "done" not in (answer := self._line()):
            words[question.mark, answer["offset"]] = Said(
                findings=tuple(tuple(row) for row in answer["findings"]),
                silent=tuple(tuple(tuple(row) for row in rows) for rows in answer["silent"]),
                rejected=tuple((item, reason) for item, reason in answer["rejected"]),
                items=answer["items"],
                lost=answer["lost"],
            )

    def _line(self) -> dict[str, Any]:
        line = pipe(self._process.stdout).readline()
        if not line:
            raise AuditProblem("the judge ended; its last line says why")
        answer: dict[str, Any] = json.loads(line)
        return answer


def pipe(end: IO[bytes] | None) -> IO[bytes]:
    """Give an end of a pipe that was asked for."""
    assert end is not None  # noqa: S101 - Popen was told to make it
    return end
