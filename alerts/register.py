"""The episodes of this process over a table of bytes: decoded once, and listed by partition."""

from collections import defaultdict
from collections.abc import Iterator, MutableMapping

import msgspec

from alerts.episodes import Episode


class Register:
    """Reads and writes episodes in a table that may change underneath (recovery after a rebalance replaces values)."""

    def __init__(self, table: MutableMapping[bytes, bytes]) -> None:
        self._table = table
        self._keys: defaultdict[int, set[bytes]] = defaultdict(set)
        self._decoded: dict[bytes, tuple[bytes, Episode]] = {}
        self._decoder = msgspec.json.Decoder(Episode)
        self._encoder = msgspec.json.Encoder()

    def get(self, key: bytes) -> Episode | None:
        """Give the episode of a key. Raises msgspec.DecodeError when the table holds something else."""
        value = self._table.get(key)
        if value is None:
            return None
        known = self._decoded.get(key)
        if known is None or known[0] is not value:
            known = self._decoded[key] = (value, self._decoder.decode(value))
        return known[1]

    def put(self, key: bytes, partition: int, episode: Episode) -> None:
        """Write an episode."""
        value = self._encoder.encode(episode)
        self._table[key] = value
        self._keys[partition].add(key)
        self._decoded[key] = (value, episode)

    def forget(self, key: bytes, partition: int) -> None:
        """Drop an episode."""
        if key in self._table:
            del self._table[key]
        self._keys[partition].discard(key)
        self._decoded.pop(key, None)

    def recovered(self, key: bytes, partition: int) -> None:
        """Note that recovery brought a value for a key."""
        self._keys[partition].add(key)

    def of(self, partition: int) -> Iterator[tuple[bytes, Episode]]:
        """Give the episodes of a partition, sorted by key. They may be changed and dropped meanwhile."""
        for key in sorted(self._keys[partition]):
            episode = self.get(key)
            if episode is not None:
                yield key, episode
            else:
                self._keys[partition].discard(key)
