"""Reading partitions that go with those of a group: who has the one reads the other too."""

from collections.abc import Collection

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from monitor.kafka.connection import KafkaProblem, Settings, as_record, explain, make
from topics.record import Place, RawRecord

_COMMITTED_SECONDS = 30.0


class Companion:
    """Reads the partitions that it is told to, from what the group committed of them.

    It is no member of the group: a member commits for it, and by that commit alone it is known who may.
    """

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._consumer = make(
            Consumer,
            {
                "fetch.wait.max.ms": 50,
                **settings,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_committed",
                # Its topics are kept for longer than anybody looks back, or compacted: what is left is what counts.
                "auto.offset.reset": "earliest",
                "log_level": 0,
            },
        )

    def follow(self, places: Collection[Place]) -> None:
        """Read these partitions too. Raises KafkaProblem when the broker does not say what was committed of them."""
        if not places:
            return
        try:
            asked = [TopicPartition(*place) for place in places]
            for each in self._consumer.committed(asked, timeout=_COMMITTED_SECONDS):
                begin = each.offset if each.offset >= 0 else OFFSET_BEGINNING
                self._consumer.incremental_assign([TopicPartition(each.topic, each.partition, begin)])
        except KafkaException as error:
            raise KafkaProblem(explain(error.args[0], self._settings)) from None

    def leave(self, places: Collection[Place]) -> None:
        """Read these partitions no more."""
        if places:
            self._consumer.incremental_unassign([TopicPartition(*place) for place in places])

    def poll(self, limit: int) -> list[RawRecord]:
        """Read what is there, up to `limit` records."""
        return [as_record(each) for each in self._consumer.consume(limit, 0.0) if each.error() is None]

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()
