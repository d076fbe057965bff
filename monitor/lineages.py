"""Which creation of each source topic is there, as the topic of lineages remembers it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.kafka import DeliveryFailed, KafkaProblem, LogReader, Settings, Writer, describe
from monitor.kafka.standing import Asker
from monitor.logs import log
from topics.catalog import LINEAGES
from topics.lineage import Lineage, created_anew
from topics.record import Outgoing

_READ_SECONDS = 30.0


class Known(NamedTuple):
    """What is known of the topics that were asked about."""

    ids: Mapping[str, str]
    """Kafka's id by topic; without those that the broker does not tell."""
    anew: Mapping[str, str]
    """What stands for the cluster in records about topics that were created anew."""
    new: Sequence[str] = ()
    """Topics among those that nobody had met before."""


NOTHING = Known({}, {})


def known(settings: Settings, topics: Iterable[str], *, learn: bool = False) -> Known:
    """Ask the broker and the topic of lineages; with `learn`, note there what was not met before. Raises KafkaProblem.

    Several workers may note the same at once: the order of the topic decides for all of them, so they read it again.
    """
    standing = Asker(settings, reads=topics).ask()
    if standing is None or not standing.ids:
        return NOTHING
    cluster = describe(settings)
    if LINEAGES.name not in cluster.topics:
        log.warning(
            "a topic that is created anew cannot be told from the one before it: make the missing topic with "
            "`privacy-monitor topics create`",
            topic=LINEAGES.name,
        )
        return Known(standing.ids, {})
    met = _met(settings)
    fresh = [
        Lineage(cluster=cluster.cluster_id, topic=topic, topic_id=topic_id, met_at_ms=time.time_ns() // 1_000_000)
        for topic, topic_id in sorted(standing.ids.items())
        if not any((each.cluster, each.topic, each.topic_id) == (cluster.cluster_id, topic, topic_id) for each in met)
    ]
    if fresh and learn:
        try:
            Writer(settings).send(
                [Outgoing(LINEAGES.name, each.key.encode(), msgspec.json.encode(each)) for each in fresh]
            )
        except DeliveryFailed as failure:
            raise KafkaProblem(f"{LINEAGES.name} cannot be written ({failure})") from None
        met = _met(settings)
    anew = created_anew(cluster.cluster_id, met, standing.ids)
    new = [each.topic for each in fresh if each.topic in anew]
    for topic in new:
        log.error("a topic was created anew: its offsets are others, and it is read from its beginning", topic=topic)
    return Known(standing.ids, anew, new)


def _met(settings: Settings) -> list[Lineage]:
    """Read the topic to its end. A record that is none of ours is passed over: the topic is open to others."""
    reader = LogReader(settings, [LINEAGES.name])
    found: list[Lineage] = []
    try:
        ends = reader.ends(queried=True)
        deadline = time.monotonic() + _READ_SECONDS
        while ends is None or any(reader.reached.get(place, 0) < end for place, end in ends.items()):
            if time.monotonic() > deadline:
                raise KafkaProblem(f"{LINEAGES.name} cannot be read to its end")
            ends = ends if ends is not None else reader.ends(queried=True)
            for record in reader.poll(1_000, 0.1):
                try:
                    found.append(msgspec.json.decode(record.value or b"", type=Lineage))
                except msgspec.DecodeError:
                    log.warning("no record of ours", topic=LINEAGES.name, offset=record.offset)
    finally:
        reader.close()
    return found
