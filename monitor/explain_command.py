"""What `privacy-monitor explain` was told, and the trace it asks for."""

from pathlib import Path

import msgspec

from detectors.consent.ledger import LedgerView, NoLedger
from monitor import lineages
from monitor.capture import Capture, CaptureProblem
from monitor.config import Config
from monitor.context import Loaded, adapters, load_all
from monitor.explain import Node, explain
from monitor.explain_sources import FileLedger, record_at, record_in
from monitor.files import ConfigProblems
from monitor.kafka import KafkaProblem
from monitor.ledger_reader import LedgerReader
from monitor.ledger_snapshot import LedgerSnapshot
from topics.adapters import make
from topics.observation import Adapter, AdapterOptions
from topics.record import RawRecord

_SETTLE_MS = 1000
"""Where no configuration says, as by its default."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Which record, and by what to judge it. Either the coordinates or a capture."""

    topic: tuple[str, int, int] | None = None
    capture: Capture | None = None
    line: int | None = None
    config: Path | None = None
    consent: Path | None = None
    options: AdapterOptions = AdapterOptions()


def explained(told: Told, shipped: Loaded | None, *, item: int | None, reveal: bool) -> list[Node]:
    """Find the record and explain it. Raises ConfigProblems, KafkaProblem and CaptureProblem, each in words.

    `shipped` is what to judge by without a configuration.
    """
    if told.config is not None:
        settings, loaded, kafka = load_all(told.config)
    elif shipped is not None:
        settings, loaded, kafka = None, shipped, {}
    else:
        raise ConfigProblems([])
    settle_ms = int(settings.settle_seconds * 1000) if settings is not None else _SETTLE_MS
    cluster = "capture"
    if told.topic is not None:
        record, cluster, adapter = _from_kafka(told.topic, settings, kafka)
    else:
        record, adapter = _from_capture(told, settings)
    context = loaded.context({record.topic: adapter}, cluster)
    ledger = _ledger(told, settings, loaded)
    try:
        traces = explain(
            record,
            msgspec.structs.replace(context, ledger=ledger),
            settle_ms=settle_ms,
            item=item,
            reveal=reveal,
        )
    finally:
        if isinstance(ledger, LedgerSnapshot):
            ledger.close()
    if not traces:
        raise CaptureProblem(f"the record has no item {item}; items are counted from 0")
    return traces


def _from_kafka(
    place: tuple[str, int, int], settings: Config | None, kafka: dict[str, object]
) -> tuple[RawRecord, str, Adapter]:
    known = adapters(settings) if settings is not None else {}
    topic = place[0]
    if topic not in known:
        raise KafkaProblem(f"{topic} is no source of this configuration; there are {', '.join(sorted(known))}")
    record, cluster = record_at(kafka, *place)
    return record, lineages.known(kafka, [topic]).anew.get(topic, cluster), known[topic]


def _from_capture(told: Told, settings: Config | None) -> tuple[RawRecord, Adapter]:
    capture = told.capture
    if capture is None:
        raise CaptureProblem("no record was named")
    record = record_in(capture, told.line)
    if settings is not None:
        # Read as the source that it came from, if one is written in this format.
        known = adapters(settings)
        for source in settings.sources:
            if source.adapter == capture.adapter:
                return record, known[source.topic]
    return record, make(capture.adapter, told.options)


def _ledger(told: Told, settings: Config | None, loaded: Loaded) -> LedgerView:
    if told.consent is not None:
        return FileLedger(told.consent, loaded.key)
    if settings is None or settings.consent is None or not settings.consent.path.exists():
        return NoLedger()
    return LedgerReader(settings.consent.path).view()
