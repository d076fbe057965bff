"""Where monthly counts become totals, and totals that reach a threshold become findings: the order of the writes is kept here."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping

import msgspec

from alerts.desk import Position
from alerts.metrics import AlertMetrics
from alerts.volumes import Total, add, key_of
from detectors.rules.judge import RecordPlace
from topics.volume import Volume

log = logging.getLogger("privacy_monitor.alerts")

Publish = Callable[[bytes, bytes], Awaitable[None]]
"""Sends key and value to the findings topic, and returns when the broker has acknowledged them."""


class Totals:
    """Handles one record at a time. The caller sees to it that two never interleave."""

    def __init__(self, table: MutableMapping[bytes, bytes], metrics: AlertMetrics, publish: Publish) -> None:
        self._table = table
        self._metrics = metrics
        self._publish = publish
        self._volumes = msgspec.json.Decoder(Volume)
        self._totals = msgspec.json.Decoder(Total)
        self._encode = msgspec.json.Encoder().encode

    async def volume(self, at: Position, value: bytes | None) -> None:
        """Add one record of the volumes topic; what is none is counted as unreadable and skipped."""
        if value is None:
            return  # compaction's mark of a removed key: nobody writes one, and nothing is counted less for it
        try:
            volume = self._volumes.decode(value)
            key = key_of(volume).encode()
            known = self._table.get(key)
            before = self._totals.decode(known) if known is not None else None
            added = add(before, volume, RecordPlace(volume.cluster, at.topic, at.partition, at.offset))
        except (ValueError, RecursionError) as error:
            # The text of an error can quote what was read: the position and the kind are enough.
            log.warning(
                "skipped a record that is no count: %s/%d/%d, %s",
                at.topic,
                at.partition,
                at.offset,
                type(error).__name__,
            )
            self._metrics.volume(None)
            return
        # First told, then remembered: a crash in between tells it again, and the episode's mark drops it.
        if added.fold is not None:
            await self._publish(added.fold.episode_key.encode(), self._encode(added.fold))
        if added.total is not before:
            self._table[key] = self._encode(added.total)
        self._metrics.volume(volume, added.share)
