"""What the workers rely on, held to by Apache Kafka and by the model alike, so that the model cannot be kinder than the real thing."""

from collections.abc import Iterator

import pytest

from monitor.kafka import DeliveryFailed, KafkaProblem
from tests.kafka.broker import unique_name
from tests.kafka.wires import KafkaWire, ModelWire, Wire, outgoing
from topics.record import RawRecord


@pytest.fixture(params=["model", pytest.param("kafka", marks=[pytest.mark.kafka("transactions"), pytest.mark.slow])])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    if request.param == "model":
        yield ModelWire()
        return
    real = KafkaWire(request.getfixturevalue("kafka").bootstrap)
    yield real
    real.close()


@pytest.fixture
def group() -> str:
    return unique_name("group")


def offsets(records: list[RawRecord]) -> list[int]:
    return [each.offset for each in records]


def test_records_come_in_the_order_of_their_offsets_each_once(wire: Wire, group: str) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"%d" % number for number in range(50)])
    seat = wire.sit(topic, group)
    wire.until(lambda: len(seat.records) >= 50, [seat])
    assert offsets(seat.records) == list(range(50))
    assert seat.values() == [b"%d" % number for number in range(50)]


def test_who_comes_next_begins_where_was_committed_and_reads_again_what_was_not(wire: Wire, group: str) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"a", b"b", b"c"])
    first = wire.sit(topic, group)
    wire.until(lambda: len(first.records) == 3, [first])
    assert first.owned == {(topic, 0): None}
    first.reader.commit({(topic, 0): 2})
    first.reader.close()
    second = wire.sit(topic, group)
    wire.until(lambda: bool(second.records), [second])
    assert second.values() == [b"c"]


def test_a_rewound_partition_is_read_again_from_there(wire: Wire, group: str) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"a", b"b", b"c"])
    seat = wire.sit(topic, group)
    wire.until(lambda: len(seat.records) == 3, [seat])
    seat.reader.rewind({(topic, 0): 1})
    wire.until(lambda: len(seat.records) == 5, [seat])
    assert seat.values() == [b"a", b"b", b"c", b"b", b"c"]


def test_what_rests_gives_nothing_until_it_goes_on(wire: Wire, group: str) -> None:
    topic = wire.topic()
    seat = wire.sit(topic, group)
    wire.until(lambda: bool(seat.owned), [seat])
    seat.reader.pause()
    wire.produce(topic, [b"a"])
    for _ in range(10):
        assert seat.poll() == []
    seat.reader.resume()
    wire.until(lambda: seat.values() == [b"a"], [seat])


def test_members_share_partitions_and_each_has_one_owner(wire: Wire, group: str) -> None:
    topic = wire.topic(partitions=4)
    one, other = wire.sit(topic, group), wire.sit(topic, group)
    wire.until(lambda: len(one.owned) == 2 and len(other.owned) == 2, [one, other])
    assert not one.owned.keys() & other.owned.keys()
    one.reader.close()
    assert one.owned == {}, "who leaves is told to let go"
    wire.until(lambda: len(other.owned) == 4, [other])


def test_partitions_that_stay_are_not_let_go_of_when_a_member_joins(wire: Wire, group: str) -> None:
    topic = wire.topic(partitions=4)
    one = wire.sit(topic, group)
    wire.until(lambda: len(one.owned) == 4, [one])
    for partition in range(4):
        wire.produce(topic, [b"x"], partition)
    wire.until(lambda: len(one.records) == 4, [one])
    other = wire.sit(topic, group)
    wire.until(lambda: len(one.owned) == 2 and len(other.owned) == 2, [one, other])
    kept = set(one.owned)
    again = [each for each in one.records[4:] if (each.topic, each.partition) in kept]
    assert again == [], "what stayed goes on where it was"


def test_a_forgotten_member_may_not_commit_and_is_told_when_it_polls(wire: Wire, group: str) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"a", b"b"])
    zombie = wire.sit(topic, group)
    wire.until(lambda: len(zombie.records) == 2, [zombie])
    heir = wire.sit(topic, group)
    wire.wait_until_forgotten(zombie, [heir])
    wire.until(lambda: heir.owned.keys() == {(topic, 0)}, [heir])
    with pytest.raises(DeliveryFailed):
        zombie.reader.commit({(topic, 0): 2})
    heir.reader.commit({(topic, 0): 1})
    wire.until(lambda: len(zombie.owned) + len(heir.owned) == 1, [zombie, heir])


def test_offsets_and_records_of_a_transaction_are_there_together(wire: Wire, group: str) -> None:
    source, target = wire.topic(), wire.topic()
    wire.produce(source, [b"a", b"b"])
    seat = wire.sit(source, group)
    wire.until(lambda: len(seat.records) == 2, [seat])
    wire.writer(unique_name("transaction")).deliver(outgoing(target, b"x", b"y"), {(source, 0): 2}, seat.reader)
    seat.reader.close()
    wire.produce(source, [b"c"])
    heir, witness = wire.sit(source, group), wire.sit(target, unique_name("group"))
    wire.until(lambda: bool(heir.records) and len(witness.records) == 2, [heir, witness])
    assert heir.values() == [b"c"]
    assert heir.owned == {(source, 0): 2}
    assert witness.values() == [b"x", b"y"]


def test_a_writer_that_was_replaced_is_refused_and_nothing_of_it_is_seen(wire: Wire, group: str) -> None:
    source, target = wire.topic(), wire.topic()
    wire.produce(source, [b"a"])
    seat = wire.sit(source, group)
    wire.until(lambda: len(seat.records) == 1, [seat])
    transaction = unique_name("transaction")
    old = wire.writer(transaction)
    new = wire.writer(transaction)
    with pytest.raises(KafkaProblem):
        old.deliver(outgoing(target, b"old"), {(source, 0): 1}, seat.reader)
    new.deliver(outgoing(target, b"new"), {(source, 0): 1}, seat.reader)
    witness = wire.sit(target, unique_name("group"))
    wire.until(lambda: bool(witness.records), [witness])
    assert witness.values() == [b"new"]


def test_a_transaction_with_offsets_of_a_forgotten_member_is_refused_as_a_whole(wire: Wire, group: str) -> None:
    source, target = wire.topic(), wire.topic()
    wire.produce(source, [b"a"])
    zombie = wire.sit(source, group)
    wire.until(lambda: len(zombie.records) == 1, [zombie])
    heir = wire.sit(source, group)
    wire.wait_until_forgotten(zombie, [heir])
    wire.until(lambda: bool(heir.owned), [heir])
    with pytest.raises((DeliveryFailed, KafkaProblem)):
        wire.writer(unique_name("transaction")).deliver(outgoing(target, b"ghost"), {(source, 0): 1}, zombie.reader)
    wire.produce(target, [b"real"])
    witness = wire.sit(target, unique_name("group"))
    wire.until(lambda: bool(witness.records), [witness])
    assert witness.values() == [b"real"]


@pytest.mark.parametrize("commit", [False, True])
def test_an_aborted_transaction_is_a_hole_and_the_end_of_any_is_one(wire: Wire, group: str, *, commit: bool) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"before"])
    wire.foreign_transaction(topic, [b"x", b"y"], commit=commit)
    wire.produce(topic, [b"after"])
    seat = wire.sit(topic, group)
    wire.until(lambda: b"after" in seat.values(), [seat])
    inside = [b"x", b"y"] if commit else []
    assert seat.values() == [b"before", *inside, b"after"]
    assert offsets(seat.records) == ([0, 1, 2, 4] if commit else [0, 4])


def test_what_retention_removed_is_passed_over_and_the_low_watermark_says_so(wire: Wire, group: str) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"%d" % number for number in range(10)])
    first = wire.sit(topic, group)
    wire.until(lambda: len(first.records) == 10, [first])
    first.reader.commit({(topic, 0): 3})
    first.reader.close()
    wire.remove_before(topic, 6)
    seat = wire.sit(topic, group)
    wire.until(lambda: bool(seat.records), [seat])
    assert seat.owned == {(topic, 0): 3}
    assert offsets(seat.records)[0] == 6
    assert seat.reader.low_watermark((topic, 0)) == 6


def test_all_is_read_up_at_the_end_and_not_with_more_to_come(wire: Wire, group: str) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"a", b"b"])
    seat = wire.sit(topic, group)
    wire.until(lambda: seat.reader.read_up() == {(topic, 0)}, [seat])
    assert seat.values() == [b"a", b"b"]
    wire.foreign_transaction(topic, [b"x"], commit=False)
    assert seat.reader.read_up() == set(), "the end is behind the marker"
    wire.until(lambda: seat.reader.read_up() == {(topic, 0)}, [seat])
    wire.produce(topic, [b"c"])
    assert seat.reader.read_up() == set()
    wire.until(lambda: seat.reader.read_up() == {(topic, 0)}, [seat])
    assert seat.values() == [b"a", b"b", b"c"]


@pytest.mark.parametrize(("offset", "again"), [(1, [b"b"]), (None, [b"a", b"b"])])
def test_what_is_to_be_read_again_is_not_read_up(
    wire: Wire, group: str, offset: int | None, again: list[bytes]
) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"a", b"b"])
    seat = wire.sit(topic, group)
    wire.until(lambda: seat.reader.read_up() == {(topic, 0)}, [seat])
    seat.reader.rewind({(topic, 0): offset})
    assert seat.reader.read_up() == set()
    wire.until(lambda: seat.reader.read_up() == {(topic, 0)}, [seat])
    assert seat.values() == [b"a", b"b", *again]


def test_what_comes_back_is_not_read_up_before_it_is_read(wire: Wire, group: str) -> None:
    topic = wire.topic(partitions=2)
    for partition in range(2):
        wire.produce(topic, [b"a"], partition)
    one = wire.sit(topic, group)
    wire.until(lambda: len(one.reader.read_up()) == 2, [one])
    other = wire.sit(topic, group)
    wire.until(lambda: len(one.owned) == 1 and len(other.owned) == 1, [one, other])
    other.reader.close()
    one.read_up_unread = set()
    wire.until(lambda: len(one.owned) == 2 and len(one.reader.read_up()) == 2, [one])
    assert len(one.records) == 3, "what was not committed is read again"
    assert one.read_up_unread == set()


def test_a_companion_reads_on_from_what_a_member_committed_and_only_while_it_follows(wire: Wire, group: str) -> None:
    topic, beside = wire.topic(), wire.topic()
    wire.produce(beside, [b"a", b"b"])
    seat = wire.sit(topic, group)
    wire.until(lambda: bool(seat.owned), [seat])
    companion, records = wire.companion(group), list[RawRecord]()

    def heard(*values: bytes) -> bool:
        records.extend(companion.poll(100))
        return [each.value for each in records] == list(values)

    assert heard()
    companion.follow([(beside, 0)])
    wire.until(lambda: heard(b"a", b"b"), [seat])
    seat.reader.commit({(beside, 0): 1})
    companion.leave([(beside, 0)])
    wire.produce(beside, [b"c"])
    for _ in range(5):
        seat.poll()
        assert heard(b"a", b"b")
    companion.follow([(beside, 0)])
    wire.until(lambda: heard(b"a", b"b", b"b", b"c"), [seat])


def test_a_table_holds_the_last_value_of_each_key_and_nothing_that_was_aborted(wire: Wire) -> None:
    topic = wire.topic()
    assert wire.table(topic) == {}
    wire.produce(topic, [b"old", b"new"], key=b"kept")
    wire.produce(topic, [b"old", None], key=b"dropped")
    wire.foreign_transaction(topic, [b"x"], commit=False)
    assert wire.table(topic) == {b"kept": b"new"}


def test_a_table_is_never_read_without_what_an_open_transaction_holds(wire: Wire) -> None:
    topic = wire.topic()
    wire.produce(topic, [b"old"], key=b"k")
    assert wire.table_while_open(topic, b"k", b"new") == {b"k": b"new"}


def test_who_writes_is_asked_before_each_part_and_can_end_in_between(wire: Wire, group: str) -> None:
    """As a lease does: what follows must not be written by a process that lost its right while it waited for the first part."""
    first, last = wire.topic(), wire.topic()
    seat = wire.sit(first, group)
    wire.until(lambda: bool(seat.owned), [seat])
    asked: list[str] = []

    def ask() -> None:
        asked.append("again")
        if len(asked) == 2:
            raise TimeoutError

    writer = wire.writer(last=last, before_send=ask)
    with pytest.raises(TimeoutError):
        writer.deliver([*outgoing(last, b"remembered"), *outgoing(first, b"told")], {(first, 0): 0}, seat.reader)
    wire.until(lambda: seat.values() == [b"told"], [seat])
    assert wire.table(last) == {}
