"""Where we stand with a broker: which creation of each topic is there, and which rights we have on topics."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from monitor.kafka.connection import Settings, make

_ASK_SECONDS = 5.0
_NO_ID = "AAAAAAAAAAAAAAAAAAAAAA"
"""What a broker without topic ids tells: sixteen zero bytes."""
_DENIED = {KafkaError.TOPIC_AUTHORIZATION_FAILED}


class Why(StrEnum):
    """How access is lost."""

    READ_DENIED = "read-denied"
    WRITE_DENIED = "write-denied"
    ABSENT = "absent"


class Loss(NamedTuple):
    """A topic or the group that we cannot use as we need to."""

    kind: str
    """`topic`, `group` or `transactional-id`."""
    name: str
    why: Why

    def __str__(self) -> str:
        return f"{self.kind} {self.name} is {self.why.value}"


class Standing(NamedTuple):
    """What the broker says of our topics."""

    ids: Mapping[str, str]
    """Id by topic that is read; without those that the broker does not tell."""
    lost: frozenset[Loss]


class Asker:
    """Asks a broker, again and again, over one connection.

    It asks about topics alone. A question to a coordinator that dies meanwhile makes librdkafka 2.16 abort the process
    (its issue 4605); whether the group is denied the reader tells.
    """

    def __init__(self, settings: Settings, *, reads: Iterable[str], writes: Iterable[str] = ()) -> None:
        self._admin = make(AdminClient, {**settings, "log_level": 0})
        self._reads = frozenset(reads)
        self._topics = sorted(self._reads | set(writes))

    def ask(self) -> Standing | None:
        """Ask; None when the broker does not answer."""
        ids: dict[str, str] = {}
        lost: set[Loss] = set()
        asked = self._admin.describe_topics(
            TopicCollection(self._topics), include_authorized_operations=True, request_timeout=_ASK_SECONDS
        )
        for name, future in asked.items():
            denied = Why.READ_DENIED if name in self._reads else Why.WRITE_DENIED
            told = _told(future.result)
            if isinstance(told, KafkaError):
                if told.code() not in {*_DENIED, KafkaError.UNKNOWN_TOPIC_OR_PART}:
                    return None
                lost.add(Loss("topic", name, denied if told.code() in _DENIED else Why.ABSENT))
                continue
            if name in self._reads and str(told.topic_id) != _NO_ID:
                ids[name] = str(told.topic_id)
            if _lacks(denied, told.authorized_operations):
                lost.add(Loss("topic", name, denied))
        return Standing(ids, frozenset(lost))


def _told(result: Callable[[], Any]) -> Any:
    try:
        return result()
    except KafkaException as error:
        return error.args[0]


def _lacks(denied: Why, allowed: Iterable[AclOperation] | None) -> bool:
    """Whether a right is missing. A broker that tells nothing of rights gives all."""
    if not allowed:
        return False
    wanted = AclOperation.READ if denied is Why.READ_DENIED else AclOperation.WRITE
    return wanted not in allowed and AclOperation.ALL not in allowed
