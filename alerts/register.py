"""The episodes of this process, by partition of the findings topic: decoded once, and what changed is told once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from alerts.state import Episode
from topics.alert import EpisodeState

_MOST_NEIGHBOURS = 50
"""Episodes that share a recipient or a service and are remembered as such: the newest."""
_Place = tuple[int, bytes]
"""Partition and key of an episode."""


class Register:
    """Keeps the episodes of the partitions that are ours, and notes which of them are to be remembered anew."""

    def __init__(self) -> None:
        self._kept: dict[int, dict[bytes, bytes | Episode]] = {}
        """As they were remembered, until somebody asks for them."""
        self._changed: dict[_Place, None] = {}
        self._sharing: defaultdict[tuple[str, str], dict[_Place, None]] = defaultdict(dict)
        self._decode = msgspec.json.Decoder(Episode).decode
        self._encode = msgspec.json.Encoder().encode

    def take(self, partition: int, values: Mapping[bytes, bytes]) -> None:
        """Take up a partition with what is remembered of it."""
        self.drop([partition])
        self._kept[partition] = dict(values)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forget partitions that are somebody else's now, with what of them was not yet remembered."""
        for partition in partitions:
            for key, kept in self._kept.pop(partition, {}).items():
                self._changed.pop((partition, key), None)
                self._leave(partition, key, kept)

    def get(self, partition: int, key: bytes) -> Episode | None:
        """Give an episode. Raises msgspec.DecodeError when something else is remembered of it."""
        kept = self._kept.get(partition, {}).get(key)
        if kept is None or isinstance(kept, Episode):
            return kept
        episode = self._kept[partition][key] = self._decode(kept)
        self._note(partition, key, episode)
        return episode

    def put(self, partition: int, key: bytes, episode: Episode) -> None:
        """Keep an episode."""
        self._kept.setdefault(partition, {})[key] = episode
        self._changed[partition, key] = None
        self._note(partition, key, episode)

    def forget(self, partition: int, key: bytes) -> None:
        """Drop an episode."""
        kept = self._kept.get(partition, {}).pop(key, None)
        if kept is not None:
            self._changed[partition, key] = None
            self._leave(partition, key, kept)

    def changes(self) -> Iterator[tuple[int, bytes, bytes | None]]:
        """Give what is to be remembered since the last call: partition, key and value, or None for what was dropped."""
        changed, self._changed = self._changed, {}
        for partition, key in changed:
            episode = self.get(partition, key)
            yield partition, key, None if episode is None else self._encode(episode)

    def of(self, partition: int) -> Iterator[tuple[bytes, Episode]]:
        """Give the episodes of a partition, sorted by key. They may be changed and dropped meanwhile."""
        for key in sorted(self._kept.get(partition, {})):
            episode = self.get(partition, key)
            if episode is not None:
                yield key, episode

    def neighbours(self, partition: int, episode: Episode) -> list[Episode]:
        """Give episodes of this process that share its recipient or a service, as they stand now. Bounded."""
        places = {place: None for name in _shareable(episode) for place in self._sharing.get(name, ())}
        own = partition, episode.episode_key.encode()
        found = [self.get(*place) for place in list(places)[: 4 * _MOST_NEIGHBOURS] if place != own]
        return [each for each in found if each is not None and each.state is not EpisodeState.RESOLVED]

    def _note(self, partition: int, key: bytes, episode: Episode) -> None:
        for name in _shareable(episode):
            sharing = self._sharing[name]
            if (partition, key) not in sharing:
                sharing[partition, key] = None
                if len(sharing) > _MOST_NEIGHBOURS:
                    del sharing[next(iter(sharing))]

    def _leave(self, partition: int, key: bytes, kept: bytes | Episode) -> None:
        if isinstance(kept, bytes):
            return  # never looked at, so never noted
        for name in _shareable(kept):
            sharing = self._sharing.get(name, {})
            sharing.pop((partition, key), None)
            if not sharing:
                self._sharing.pop(name, None)


def _shareable(episode: Episode) -> Iterator[tuple[str, str]]:
    if episode.recipient:
        yield "recipient", episode.recipient
    yield from (("service", each) for each in episode.services)
