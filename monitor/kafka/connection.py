"""The connection to a broker: its settings, what can go wrong with it, and records in confluent_kafka's and our words."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, KafkaError, KafkaException, Message

from topics.record import RawRecord

Settings = Mapping[str, Any]
"""librdkafka's settings, secrets resolved. Never logged."""

Client = TypeVar("Client")
_QUOTED = re.compile(r'property:? "([A-Za-z0-9._]+)"')


class KafkaProblem(Exception):
    """Something about the broker that a person must know, in one line that says what to do."""


class Denied(KafkaProblem):
    """A right is missing. It may be given back."""


class DeliveryFailed(Exception):
    """A batch was not delivered and nothing of it was committed: read it again."""


class CommitFailed(DeliveryFailed):
    """What was to be delivered is there, and the offsets behind it are not committed."""


class Complaints:
    """Collects what librdkafka complains of while we wait, to tell a wrong password from a wrong address."""

    def __init__(self) -> None:
        self.last: KafkaError | None = None

    def __call__(self, error: KafkaError) -> None:
        # The authentication failure is the cause, "all brokers down" only its consequence.
        if self.last is None or self.last.code() not in ACCESS:
            self.last = error


DENIALS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
ACCESS = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError._SSL}  # noqa: SLF001 - librdkafka's own names


def explain(error: KafkaError | None, settings: Settings) -> str:
    """Say in one line what is wrong with the connection and what to do about it."""
    where = settings.get("bootstrap.servers", "")
    if error is not None and error.code() in {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}:  # noqa: SLF001
        return f"Kafka at {where} refused the credentials; check sasl.username and the secret sasl.password"
    if error is not None and error.code() == KafkaError._SSL:  # noqa: SLF001
        return f"TLS with Kafka at {where} failed; check security.protocol and ssl.ca.location"
    if error is not None and error.code() in DENIALS:
        return f"Kafka at {where} denies access ({error.name()}); grant this user the right"
    return f"Kafka at {where} does not answer; check kafka.bootstrap_servers and that the broker runs"


def make(client: Callable[[dict[str, Any]], Client], settings: Settings) -> Client:
    """Make a client. Raises KafkaProblem that names a setting which librdkafka does not take, and never its value."""
    try:
        return client(dict(settings))
    except KafkaException as error:
        text = str(error.args[0].str())
    except (TypeError, ValueError) as error:
        text = str(error)
    named = _QUOTED.search(text)
    if named is None:
        named = re.search(r"\b((?:ssl|sasl)\.[a-z.]+)\b", text)
    if named is not None:
        what = "there is no such setting" if "No such" in text else "its value does not work"
        raise KafkaProblem(f"kafka.client: {named.group(1)}: librdkafka says that {what}")
    if "SASL mechanism" in text:
        raise KafkaProblem("kafka.client: sasl.mechanism: this build of librdkafka does not know it")
    raise KafkaProblem("kafka.client: librdkafka does not take these settings together")


_NEW = tuple.__new__


def as_record(message: Message) -> RawRecord:
    """Give a message in our words. A time of -1: the broker keeps none."""
    kind, timestamp = message.timestamp()
    # Without the named tuple's own constructor, which costs as much as all else here (1.3 us a record, then 0.9).
    return _NEW(
        RawRecord,
        (
            message.topic(),
            message.partition(),
            message.offset(),
            -1 if kind == TIMESTAMP_NOT_AVAILABLE else timestamp,
            message.key(),
            message.value(),
            (),
        ),
    )
