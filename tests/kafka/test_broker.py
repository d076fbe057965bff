"""What the monitor builds on in Kafka itself, shown on the broker that this run uses."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from tests.kafka.broker import Broker, Topics, create_topic, unique_name
from tests.kafka.jvm import Cluster

pytestmark = pytest.mark.kafka


@contextmanager
def _consumer(bootstrap: str, group: str, isolation: str = "read_committed") -> Iterator[Consumer]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    try:
        yield consumer
    finally:
        consumer.close()


def _read(bootstrap: str, topic: str, isolation: str = "read_committed", seconds: float = 20.0) -> list[Message]:
    """Return all records of a topic with one partition, up to its end."""
    with _consumer(bootstrap, unique_name("reader"), isolation) as consumer:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        found: list[Message] = []
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                return found
            elif not error.retriable():
                raise KafkaException(error)
    raise AssertionError(f"the end of {topic} was not reached in {seconds:g} s")


def _values(messages: list[Message]) -> list[bytes]:
    return [message.value() or b"" for message in messages]


def _transactional(bootstrap: str, name: str) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": name, "transaction.timeout.ms": 10_000})
    producer.init_transactions(20)
    return producer


@pytest.mark.kafka("transactions")
def test_aborted_records_are_hidden_from_read_committed_only(kafka: Broker, topics: Topics) -> None:
    topic = topics("aborted")
    producer = _transactional(kafka.bootstrap, unique_name("writer"))

    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(10)
    producer.abort_transaction(20)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    producer.commit_transaction(20)

    assert _values(_read(kafka.bootstrap, topic)) == [b"committed"]
    assert _values(_read(kafka.bootstrap, topic, "read_uncommitted")) == [b"aborted", b"committed"]


@pytest.mark.kafka("transactions")
def test_a_second_producer_of_the_same_name_fences_the_first(kafka: Broker, topics: Topics) -> None:
    topic, name = topics("fenced"), unique_name("writer")
    first = _transactional(kafka.bootstrap, name)
    first.begin_transaction()
    first.produce(topic, b"from the fenced one")
    first.flush(10)

    second = _transactional(kafka.bootstrap, name)

    with pytest.raises(KafkaException) as refused:
        first.commit_transaction(20)
    error: KafkaError = refused.value.args[0]
    assert error.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
    second.begin_transaction()
    second.produce(topic, b"from the new one")
    second.commit_transaction(20)
    assert _values(_read(kafka.bootstrap, topic)) == [b"from the new one"]


@pytest.mark.kafka("transactions")
@pytest.mark.parametrize("commit", [True, False])
def test_offsets_in_a_transaction_are_stored_if_and_only_if_it_commits(
    kafka: Broker, topics: Topics, *, commit: bool
) -> None:
    source, group = topics("source", partitions=3), unique_name("group")
    producer = _transactional(kafka.bootstrap, unique_name("writer"))
    done = [TopicPartition(source, 0, 7), TopicPartition(source, 1, 162), TopicPartition(source, 2, 338)]

    with _consumer(kafka.bootstrap, group) as consumer:
        consumer.assign([TopicPartition(source, number) for number in range(3)])
        producer.begin_transaction()
        producer.send_offsets_to_transaction(done, consumer.consumer_group_metadata(), 20)
        if commit:
            producer.commit_transaction(20)
        else:
            producer.abort_transaction(20)
        stored = consumer.committed([TopicPartition(source, number) for number in range(3)], timeout=20)

    nothing = -1001  # OFFSET_INVALID
    assert [found.offset for found in stored] == ([7, 162, 338] if commit else [nothing] * 3)


@pytest.mark.kafka("compaction")
def test_a_compacted_topic_keeps_the_last_value_of_each_key(kafka: Broker, topics: Topics) -> None:
    config = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "500",
    }
    topic = topics("compacted", config=config)
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    values: list[bytes] = []
    limit = time.monotonic() + 40

    # A segment is closed only by a later write, so the loop goes on writing a key that does not count.
    for number in range(50):
        producer.produce(topic, str(number).encode(), key=b"consent")
    while time.monotonic() < limit:
        producer.produce(topic, b"tick", key=b"clock")
        producer.flush(5)
        values = [message.value() or b"" for message in _read(kafka.bootstrap, topic) if message.key() == b"consent"]
        if len(values) == 1:
            break
        time.sleep(0.3)

    assert values == [b"49"]


@pytest.mark.kafka("retention")
def test_records_older_than_the_retention_time_are_gone(kafka: Broker, topics: Topics) -> None:
    topic = topics("expiring", config={"retention.ms": "500", "segment.ms": "100"})
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topic, b"old")
    assert producer.flush(10) == 0
    assert _values(_read(kafka.bootstrap, topic)) == [b"old"]
    limit = time.monotonic() + 20

    values = [b"old"]
    while b"old" in values and time.monotonic() < limit:
        time.sleep(0.3)
        values = _values(_read(kafka.bootstrap, topic))

    assert b"old" not in values


def test_acknowledged_records_survive_kill_and_restart(own_cluster: Callable[..., Cluster]) -> None:
    cluster = own_cluster()
    topic = create_topic(cluster.bootstrap, unique_name("kept"))
    acknowledged: list[bytes] = []

    def note(error: KafkaError | None, message: Message) -> None:
        if error is None:
            acknowledged.append(message.value() or b"")

    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "log_level": 0})
    for number in range(500):
        producer.produce(topic, str(number).encode(), on_delivery=note)
    producer.flush(20)

    cluster.nodes[0].kill()
    cluster.restart(cluster.nodes[0])

    assert len(acknowledged) == 500
    assert _values(_read(cluster.bootstrap, topic)) == acknowledged


@pytest.mark.slow
def test_three_brokers_acknowledge_and_keep_records_while_one_is_dead(own_cluster: Callable[..., Cluster]) -> None:
    cluster = own_cluster(3)
    topic = create_topic(cluster.bootstrap, unique_name("replicated"))
    producer = Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all", "log_level": 0})
    failed: list[KafkaError] = []

    def note(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failed.append(error)

    producer.produce(topic, b"before", on_delivery=note)
    producer.flush(20)
    with _consumer(cluster.bootstrap, unique_name("reader")) as consumer:
        leader = consumer.list_topics(topic, timeout=10).topics[topic].partitions[0].leader
    next(node for node in cluster.nodes if node.id == leader).kill()
    producer.produce(topic, b"after", on_delivery=note)

    assert producer.flush(30) == 0
    assert failed == []
    assert _values(_read(cluster.bootstrap, topic)) == [b"before", b"after"]
