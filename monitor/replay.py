"""Recorded traffic, played again in batches: from captures, or from topics by time. Nothing here moves a group's offsets."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from detectors.consent.ledger import Coverage, LedgerView, NoLedger
from monitor.capture import Capture
from monitor.config import Config
from monitor.context import Loaded, adapters
from monitor.kafka import Settings, SpanReader
from monitor.ledger_reader import LedgerReader
from topics.adapters import make
from topics.consent import read as read_consent
from topics.observation import Adapter, AdapterOptions
from topics.record import Place, RawRecord, Rejected

BATCH = 1000
_LEDGER_BATCH = 20_000
_TAKEN_FOR = (".gz", ".jsonl", ".json", ".ndjson", ".log", ".har")

Batch = tuple[Sequence[RawRecord], LedgerView]
"""Records, and the consent ledger that speaks for them."""


class Replay(Protocol):
    """Traffic that can be played once. Close it after use."""

    @property
    def adapters(self) -> Mapping[str, Adapter]:
        """By source topic."""
        ...

    @property
    def cluster(self) -> str:
        """Name of the cluster, for the ids of findings."""
        ...

    @property
    def size(self) -> int:
        """Give the whole, in what `advance` counts: bytes of captures, records of topics."""
        ...

    def batches(self, advance: Callable[[int], None]) -> Iterator[Batch]:
        """Give the records of each partition in the order of their offsets."""
        ...


class _Complete:
    """A ledger of which all has been read: it speaks for every moment, records without a broker time included."""

    def __init__(self, view: LedgerView) -> None:
        self.mark = view.mark
        self.choices = view.choices
        self.choices_of = view.choices_of

    def coverage(self, broker_ms: int) -> Coverage:  # noqa: ARG002 - the protocol's signature
        """Say that nothing is missing."""
        return Coverage.READY


class CaptureReplay(AbstractContextManager["CaptureReplay"]):
    """Captures. One that is named as a source topic (`shop.events.jsonl`) is read as the configuration says."""

    def __init__(self, files: Sequence[str], loaded: Loaded, config: Config | None, consent: str | None) -> None:
        """Open the captures and read the consent. Raises CaptureProblem."""
        self.cluster = "capture"
        self._cleanup = ExitStack()
        known = adapters(config) if config is not None else {}
        forms = {source.topic: source.adapter for source in config.sources} if config is not None else {}
        self._captures = [(_topic(name), Capture(name, forms.get(_topic(name)))) for name in files]
        self.adapters = {
            topic: known.get(topic) or make(capture.adapter, AdapterOptions()) for topic, capture in self._captures
        }
        self.size = sum(capture.size for _, capture in self._captures)
        # Of the format only this counts: a record for each line.
        self._ledger: LedgerView = NoLedger() if consent is None else self._consent(Capture(consent, "segment"), loaded)

    def batches(self, advance: Callable[[int], None]) -> Iterator[Batch]:
        """Give the records of one capture after the other."""
        for topic, capture in self._captures:
            records = capture.records(topic, advance)
            while batch := list(islice(records, BATCH)):
                yield batch, self._ledger

    def _consent(self, capture: Capture, loaded: Loaded) -> LedgerView:
        """Fill a ledger for this run alone."""
        from monitor.ledger import LedgerWriter  # noqa: PLC0415 - numpy, which only a run with consent needs

        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="privacy-monitor-ledger-"))
        writer = LedgerWriter(Path(folder), loaded.key, 4096, "capture")
        self._cleanup.callback(writer.close)
        records = capture.records("consent")
        while batch := list(islice(records, _LEDGER_BATCH)):
            writer.apply([_received_at_once(record, loaded) for record in batch], 0)
        view = writer.view()
        self._cleanup.callback(view.close)
        return _Complete(view)

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()


class TopicReplay(AbstractContextManager["TopicReplay"]):
    """Source topics between two moments of the broker's time, with the ledger that the ledger process keeps."""

    def __init__(
        self,
        config: Config,
        settings: Settings,
        topics: Sequence[str],
        from_ms: int,
        to_ms: int,
        spans: Mapping[Place, tuple[int, int]] | None = None,
    ) -> None:
        """Find the first and last record, or take the half-open spans of offsets. Raises KafkaProblem."""
        self._cleanup = ExitStack()
        self._reader = SpanReader(settings, topics, from_ms, to_ms, spans)
        self.spans = self._reader.spans
        self._cleanup.callback(self._reader.close)
        known = adapters(config)
        self.adapters = {topic: known[topic] for topic in topics}
        self.cluster = self._reader.cluster
        self.size = self._reader.size
        self._ledger = LedgerReader(config.consent.path) if config.consent is not None else None
        if self._ledger is not None:
            self._cleanup.callback(self._ledger.close)

    def batches(self, advance: Callable[[int], None]) -> Iterator[Batch]:
        """Give the records as the broker hands them out."""
        while not self._reader.is_done:
            records = self._reader.poll(BATCH)
            advance(len(records))
            if not records:
                continue
            if self._ledger is None:
                yield records, NoLedger()
                continue
            # A snapshot for each batch: one that stays open keeps old pages of the ledger alive.
            view = self._ledger.view()
            try:
                yield records, view
            finally:
                view.close()

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()


def played(replay: Replay, console: Console) -> Iterator[Batch]:
    """Play traffic with a progress bar."""
    with progress(console, replay.size) as advance:
        yield from replay.batches(advance)


@contextmanager
def progress(console: Console, size: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar where there is a terminal; gives what moves it on."""
    bar = Progress(
        TextColumn("judging"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=size)
        yield lambda count: bar.advance(task, count)


def _topic(name: str) -> str:
    stem = Path(name).name
    for suffix in _TAKEN_FOR:
        stem = stem.removesuffix(suffix)
    return stem or name


def _received_at_once(record: RawRecord, loaded: Loaded) -> RawRecord:
    """Give a choice the broker time that a capture lacks: the moment of the choice."""
    parsed = read_consent(record, loaded.key)
    return record._replace(timestamp_ms=0 if isinstance(parsed, Rejected) else parsed[1].at_ms)


__all__ = ["BATCH", "CaptureReplay", "Replay", "TopicReplay", "played", "progress"]
