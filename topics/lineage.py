"""Logs that bore one name: the records of `privacy.lineages.v1`, and how a place in each of them is named.

Offsets begin again in a topic that is deleted and created anew, so a name and an offset alone may speak of two records. Kafka gives every
creation an id of its own (KIP-516). The first creation of a name that the monitor has met is named as ever, by cluster and topic;
a later one by its id as well, in the place of the cluster. So ids and marks of what was never created anew stay what they were.
"""

from collections.abc import Iterable, Mapping

import msgspec


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """A creation of a topic that the monitor has met. The first record of a name in the topic is its first creation."""

    schema: str = "privacy.lineages.v1"
    cluster: str
    topic: str
    topic_id: str
    """Kafka's id of the creation, in its own base64."""
    met_at_ms: int

    @property
    def key(self) -> str:
        """Give the key of the record: compaction keeps each creation."""
        return f"{self.cluster}/{self.topic}/{self.topic_id}"


def created_anew(cluster: str, met: Iterable[Lineage], now: Mapping[str, str]) -> dict[str, str]:
    """Give what stands for the cluster in records about topics that are not the first of their name.

    `met`: in the order of their topic. `now`: id by topic. A topic that was not met before is the first of its name.
    """
    first: dict[str, str] = {}
    for each in met:
        if each.cluster == cluster:
            first.setdefault(each.topic, each.topic_id)
    return {topic: f"{cluster}:{now[topic]}" for topic in now if first.get(topic, now[topic]) != now[topic]}
