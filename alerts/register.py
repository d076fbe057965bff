"""The episodes of this process over a table of bytes: decoded once, and listed by partition."""

from collections import defaultdict
from collections.abc import Iterator, MutableMapping

import msgspec

from alerts.state import Episode
from topics.alert import EpisodeState

_MOST_NEIGHBOURS = 50
"""Episodes that share a recipient or a service and are remembered as such: the newest."""


class Register:
    """Reads and writes episodes in a table that may change underneath (recovery after a rebalance replaces values)."""

    def __init__(self, table: MutableMapping[bytes, bytes]) -> None:
        self._table = table
        self._keys: defaultdict[int, set[bytes]] = defaultdict(set)
        self._decoded: dict[bytes, tuple[bytes, Episode]] = {}
        self._decoder = msgspec.json.Decoder(Episode)
        self._encoder = msgspec.json.Encoder()
        self._sharing: defaultdict[tuple[str, str], dict[bytes, None]] = defaultdict(dict)

    def get(self, key: bytes) -> Episode | None:
        """Give the episode of a key. Raises msgspec.DecodeError when the table holds something else."""
        value = self._table.get(key)
        if value is None:
            return None
        known = self._decoded.get(key)
        if known is None or known[0] is not value:
            known = self._decoded[key] = (value, self._decoder.decode(value))
            self._note(key, known[1])
        return known[1]

    def put(self, key: bytes, partition: int, episode: Episode) -> None:
        """Write an episode."""
        value = self._encoder.encode(episode)
        self._table[key] = value
        self._keys[partition].add(key)
        self._decoded[key] = (value, episode)
        self._note(key, episode)

    def forget(self, key: bytes, partition: int) -> None:
        """Drop an episode."""
        if key in self._table:
            del self._table[key]
        self._keys[partition].discard(key)
        known = self._decoded.pop(key, None)
        if known is not None:
            for name in _shareable(known[1]):
                self._sharing[name].pop(key, None)
                if not self._sharing[name]:
                    del self._sharing[name]

    def neighbours(self, episode: Episode) -> list[Episode]:
        """Give episodes of this process that share its recipient or a service, as they stand now. Bounded."""
        keys = {key: None for name in _shareable(episode) for key in self._sharing.get(name, ())}
        own = episode.episode_key.encode()
        found = [self.get(key) for key in list(keys)[: 4 * _MOST_NEIGHBOURS] if key != own]
        return [each for each in found if each is not None and each.state is not EpisodeState.RESOLVED]

    def _note(self, key: bytes, episode: Episode) -> None:
        for name in _shareable(episode):
            sharing = self._sharing[name]
            if key not in sharing:
                sharing[key] = None
                if len(sharing) > _MOST_NEIGHBOURS:
                    del sharing[next(iter(sharing))]

    def holds(self, key: bytes, partition: int) -> bool:
        """Tell whether an episode is kept in a partition."""
        return key in self._keys[partition]

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


def _shareable(episode: Episode) -> Iterator[tuple[str, str]]:
    if episode.recipient:
        yield "recipient", episode.recipient
    yield from (("service", each) for each in episode.services)
