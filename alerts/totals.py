"""Where monthly counts become totals, and totals that reach a threshold become findings."""

import logging
from collections.abc import Callable, Iterator, Mapping

import msgspec

from alerts.desk import Position
from alerts.metrics import AlertMetrics
from alerts.volumes import Total, add, key_of
from detectors.rules.judge import RecordPlace
from topics.volume import Volume

log = logging.getLogger("privacy_monitor.alerts")

Tell = Callable[[bytes, bytes], None]
"""Takes key and value of a finding that is to be told."""


class Totals:
    """Handles one record at a time. What follows from it is kept here, and its findings are handed over to be told."""

    def __init__(self, metrics: AlertMetrics, tell: Tell) -> None:
        self._kept: dict[bytes, bytes | Total] = {}
        """As they were remembered, until somebody asks for them."""
        self._changed: dict[bytes, Total] = {}
        self._metrics = metrics
        self._tell = tell
        self._volumes = msgspec.json.Decoder(Volume)
        self._totals = msgspec.json.Decoder(Total)
        self._encode = msgspec.json.Encoder().encode

    def take(self, values: Mapping[bytes, bytes]) -> None:
        """Take up the totals as they are remembered."""
        self._kept = dict(values)
        self._changed = {}

    def drop(self) -> None:
        """Forget them: they are somebody else's now."""
        self.take({})

    def changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Give what is to be remembered since the last call: key and value."""
        changed, self._changed = self._changed, {}
        for key, total in changed.items():
            yield key, self._encode(total)

    def volume(self, at: Position, value: bytes | None) -> None:
        """Add one record of the volumes topic; what is none is counted as unreadable and skipped."""
        if value is None:
            return  # compaction's mark of a removed key: nobody writes one, and nothing is counted less for it
        try:
            volume = self._volumes.decode(value)
            key = key_of(volume).encode()
            known = self._kept.get(key)
            before = self._totals.decode(known) if isinstance(known, bytes) else known
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
        if added.fold is not None:
            self._tell(added.fold.episode_key.encode(), self._encode(added.fold))
        if added.total is not before:
            self._kept[key] = self._changed[key] = added.total
        self._metrics.volume(volume, added.share)
