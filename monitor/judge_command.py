"""`privacy-monitor judge`: the judge for others to ask. Ranges of offsets in, what each record gives out, as lines of JSON."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import orjson
import typer

from detectors.consent.ledger import Coverage, LedgerView, NoLedger
from monitor.config import Config
from monitor.context import Loaded, adapters, load_all
from monitor.kafka import KafkaProblem, RangeReader, Settings, require_topics
from monitor.ledger_as_of import AsOfMark
from monitor.ledger_reader import LedgerReader
from monitor.lineages import known
from monitor.pipeline import Context, Outcome, process
from topics.record import RawRecord

SILENT = (Coverage.LOADING, Coverage.BEHIND)
"""Why a ledger that is configured may not be able to speak."""
_BATCH = 1_000


class Question(msgspec.Struct, frozen=True):
    """A line of the input."""

    topic: str
    partition: int
    start: int
    end: int
    """The offset after the last."""
    mark: str
    """The ledger is taken as it stood there: `ledger_mark` of an accounting record. Empty: no ledger."""
    silent: bool = False
    """Also say what would be found if the ledger could not have spoken, for each reason why it may not."""


def judge(
    config: Annotated[Path, typer.Option("--config", "-c", help="Configuration file.")] = Path("monitor.yaml"),
) -> None:
    """Judge ranges of offsets again, as `audit` asks: questions on standard input, answers on standard output.

    A question is a line such as {"topic": "shop.events", "partition": 0, "start": 0, "end": 100, "mark": ""}. The first
    line of the output names the bundle that judges; then each question is answered by a line for each record, and by one
    that says how many there were.
    """
    settings, loaded, kafka = load_all(config)
    _say({"bundle": loaded.bundle, "version": loaded.version})
    bench = _Bench(settings, loaded, kafka)
    try:
        for line in sys.stdin.buffer:
            if line.strip():
                try:
                    question = msgspec.json.decode(line, type=Question)
                except msgspec.DecodeError as error:
                    raise typer.BadParameter(f"not a question: {error}") from None
                _say({"done": sum(map(_say, bench.answers(question)))})
    finally:
        bench.close()


class _Bench:
    """What judging again needs, opened once."""

    def __init__(self, config: Config, loaded: Loaded, kafka: Settings) -> None:
        self._consent = config.consent
        self._ledger = LedgerReader(config.consent.path) if config.consent is not None else None
        self._reader = RangeReader(kafka)
        self._adapters = adapters(config)
        cluster = require_topics(kafka, list(self._adapters)).cluster_id
        self._context = loaded.context(self._adapters, cluster, anew=known(kafka, self._adapters).anew)

    def answers(self, question: Question) -> Iterable[dict[str, Any]]:
        """Give what each record of a range gives."""
        if question.topic not in self._adapters:
            raise KafkaProblem(f"{question.topic} is none of the sources of this configuration")
        place = question.topic, question.partition
        for records in self._reader.read(place, question.start, question.end, _BATCH):
            view = self._ledger.view() if self._ledger is not None and question.mark else None
            try:
                ready = self._as(view or NoLedger(), question, Coverage.READY)
                silent = [self._as(view or NoLedger(), question, each) for each in SILENT if question.silent]
                for record in records:
                    said = answer(record, ready, silent)
                    yield {**said, "lost": isinstance(ready.ledger, AsOfMark) and ready.ledger.has_lost}
                    if isinstance(ready.ledger, AsOfMark):
                        ready.ledger.has_lost = False
            finally:
                if view is not None:
                    view.close()

    def _as(self, today: LedgerView, question: Question, coverage: Coverage) -> Context:
        ledger: LedgerView = today
        if self._consent is not None:
            ledger = AsOfMark(today, question.mark, self._consent.topic, coverage)
        return msgspec.structs.replace(self._context, ledger=ledger)

    def close(self) -> None:
        self._reader.close()
        if self._ledger is not None:
            self._ledger.close()


def answer(record: RawRecord, ready: Context, silent: Sequence[Context]) -> dict[str, Any]:
    """Say what a record gives, in a context whose ledger could speak, and in some where it could not."""
    # One record at a time: counts of items are of batches.
    outcome = process([record], ready, {})
    return {
        "offset": record.offset,
        "items": sum(outcome.items.values()),
        "rejected": [(letter.item, letter.reason) for letter in outcome.dead_letters],
        "findings": _findings(outcome),
        "silent": [_findings(process([record], each, {})) for each in silent],
    }


def _findings(outcome: Outcome) -> list[tuple[str, str, str, str, str]]:
    return [
        (each.finding_id, each.mode.value, each.rule, each.episode_key, each.exemption) for each in outcome.findings
    ]


def _say(answer: dict[str, Any]) -> int:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()
    return 1
