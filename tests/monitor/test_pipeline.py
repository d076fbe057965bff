"""The one judge: every offset in one class, one bad item harms itself, and neither cuts nor repeats change a word."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.context import load_shipped
from monitor.ledger import LedgerWriter
from monitor.pipeline import Context, Judged, Outcome, process
from monitor.runner import outgoing
from monitor.shop import Shop
from monitor.tallies import Start
from tests.integration import test_whole as whole
from tests.integration.system import REGISTER, expand
from topics.accounting import OffsetClass
from topics.adapters import make
from topics.finding import Finding, Fold
from topics.observation import AdapterOptions, Observation, Reading
from topics.record import RawRecord, Rejected
from topics.sealing import Seal

START_MS = 1_793_606_400_000
TOPICS = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx"}


@dataclass
class World:
    """A context with a real ledger, and what a shop wrote."""

    context: Context
    records: list[RawRecord]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    loaded = load_shipped(domains=["shop.example"], register_file=REGISTER)
    ledger = LedgerWriter(tmp_path_factory.mktemp("ledger"), loaded.key, 64, "privacy.consent.v1")
    records: list[RawRecord] = []
    offsets: Counter[str] = Counter()
    consents: list[RawRecord] = []
    for piece in islice(Shop(7, START_MS).stream(), 1_500):
        topic = TOPICS.get(piece.role, "privacy.consent.v1")
        record = RawRecord(topic, 0, offsets[topic], piece.at_ms, piece.key, piece.value)
        offsets[topic] += 1
        (records if piece.role in TOPICS else consents).append(record)
    ledger.apply(consents, 1000)
    ledger.mark_fresh(START_MS * 2)
    adapters = {
        "shop.events": make("segment", AdapterOptions(service="web-shop")),
        "shop.kong": make("kong", AdapterOptions(body="request.body")),
        "shop.nginx": make("nginx", AdapterOptions()),
    }
    view = ledger.view()
    yield World(msgspec.structs.replace(loaded.context(adapters, "cluster"), ledger=view), records)
    view.close()
    ledger.close()


def classes(outcome: Outcome) -> dict[tuple[str, int], dict[int, OffsetClass]]:
    """Expand the runs; they must add up to their range."""
    found: dict[tuple[str, int], dict[int, OffsetClass]] = {}
    for each in outcome.accounting:
        kinds = [kind for length, kind in each.runs for _ in range(length)]
        assert len(kinds) == each.end - each.start
        assert all(length > 0 for length, _ in each.runs)
        assert all(one != other for (_, one), (_, other) in pairwise(each.runs)), "runs of one class are one"
        place = found.setdefault((each.topic, each.partition), {})
        for offset, kind in enumerate(kinds, each.start):
            assert offset not in place
            place[offset] = kind
    return found


def test_the_shops_traffic_gives_findings_of_every_sort_to_test_with(world: World) -> None:
    outcome = process(world.records, world.context, {})
    assert len(outcome.findings) > 15
    assert len({each.rule for each in outcome.findings}) >= 5
    assert outcome.dead_letters
    assert not outcome.faults


values = st.binary(max_size=60) | st.none() | st.integers(0, 400)


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.integers(0, 3), values, st.integers(0, 1)), min_size=1, max_size=30),
    before=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=2),
)
def test_every_offset_lies_in_exactly_one_class(
    world: World, pieces: list[tuple[int, Any, int]], before: list[tuple[int, int]]
) -> None:
    first = 1_000
    next_offset = [first, first]
    batch: list[RawRecord] = []
    expected: dict[tuple[str, int], dict[int, OffsetClass]] = {}
    events = [record for record in world.records if record.topic == "shop.events"]
    adapter = world.context.adapters["shop.events"]
    for gap, value, partition in pieces:
        data = events[value % len(events)].value if isinstance(value, int) else value
        offset = next_offset[partition] + gap
        record = RawRecord("shop.events", partition, offset, START_MS, None, data)
        reading = adapter.read(record)
        unread = bool(reading) and all(isinstance(each, Rejected) for each in reading)
        kinds = expected.setdefault(("shop.events", partition), {})
        if kinds:
            kinds |= dict.fromkeys(range(next_offset[partition], offset), OffsetClass.NOT_A_RECORD)
        kinds[offset] = OffsetClass.DEAD_LETTERED if unread else OffsetClass.INSPECTED
        next_offset[partition] = offset + 1
        batch.append(record)
    starts = {}
    for (topic, partition), kinds in expected.items():
        expired, holes = before[partition]
        at = min(kinds)
        starts[topic, partition] = Start(at - holes - expired, ((at - holes - expired, at - holes),))
        kinds.update(dict.fromkeys(range(at - holes, at), OffsetClass.NOT_A_RECORD))
        kinds.update(dict.fromkeys(range(at - holes - expired, at - holes), OffsetClass.EXPIRED))
    outcome = process(batch, world.context, starts)
    assert classes(outcome) == expected
    # The same once more, counted: records by class, and items by what became of them.
    read = Counter(kind for kinds in expected.values() for kind in kinds.values())
    assert outcome.records == Counter(
        {
            ("shop.events", kind.value): read[kind]
            for kind in (OffsetClass.INSPECTED, OffsetClass.DEAD_LETTERED)
            if read[kind]
        }
    )
    assert sum(sum(each.items.values()) for each in outcome.accounting) == sum(outcome.items.values())
    assert sum(each.findings for each in outcome.accounting) == len(outcome.findings)
    rejected = sum(number for (_, kind), number in outcome.items.items() if kind.startswith("rejected:"))
    assert rejected == len(outcome.dead_letters)


def test_bytes_of_what_cannot_be_read_are_kept_once_and_only_under_a_key(world: World) -> None:
    cut = b'{"type": "track", "properties": {"email": "canary@secret.example"'
    record = RawRecord("shop.events", 0, 7, START_MS, None, cut)
    (open_letter,) = process([record], world.context, {}).dead_letters
    assert open_letter.sealed == ""
    seal = Seal("d1", b"a secret of the tests")
    context = msgspec.structs.replace(world.context, seal=seal)
    (letter,) = process([record], context, {}).dead_letters
    assert seal.open(letter.sealed, letter.place) == cut
    assert b"canary" not in msgspec.json.encode(letter)
    # A batch with two items that are none: the bytes are those of the message, and stand in one letter.
    batch = RawRecord("shop.events", 0, 8, START_MS, None, b'{"batch": [1, 2]}')
    sealed = [bool(each.sealed) for each in process([batch], context, {}).dead_letters]
    assert sealed == [True, False]


class Failing:
    """A recipient index with a fault of ours: it fails on one recipient."""

    def __init__(self, real: Any, host: str) -> None:
        self._real = real
        self._host = host

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        if not callable(real):
            return real

        def call(what: str, *rest: Any) -> Any:
            if what == self._host:
                raise KeyError(f"{what} and the secrets of a person")
            return real(what, *rest)

        return call


def request(offset: int, host: str) -> RawRecord:
    value = {
        "time_iso8601": "2026-11-02T10:00:00+00:00",
        "remote_addr": "192.0.2.79",
        "request_method": "GET",
        "host": host,
        "request_uri": "/pixel?em=mara%40example.org",
        "http_sec_gpc": "1",
        "status": "200",
    }
    return RawRecord("shop.nginx", 0, offset, START_MS, None, msgspec.json.encode(value))


def test_a_fault_while_judging_harms_only_its_item(world: World) -> None:
    know = msgspec.structs.replace(
        world.context.know, recipients=Failing(world.context.know.recipients, "graph.facebook.com")
    )
    batch = [request(0, "www.google-analytics.com"), request(1, "graph.facebook.com"), request(2, "ads.tiktok.com")]
    sound = process([batch[0], batch[2]], world.context, {})
    outcome = process(batch, msgspec.structs.replace(world.context, know=know), {})
    assert outcome.items["shop.nginx", "unknown:internal"] == 1
    assert [(each.offset, each.item, each.kind) for each in outcome.faults] == [(1, 0, "KeyError")]
    assert "secrets" not in repr(outcome.faults)
    assert [each.finding_id for each in outcome.findings] == [each.finding_id for each in sound.findings]
    assert classes(outcome) == {("shop.nginx", 0): dict.fromkeys(range(3), OffsetClass.INSPECTED)}


class Raising:
    """An adapter with a fault of ours."""

    name = "raising"

    def read(self, record: RawRecord) -> Reading:
        raise RuntimeError(f"the bytes of a person: {record.value!r}")


def test_an_adapter_that_raises_harms_only_its_record(world: World) -> None:
    adapters = {**world.context.adapters, "broken": Raising()}
    batch = [request(0, "graph.facebook.com"), RawRecord("broken", 0, 5, START_MS, None, b"x")]
    outcome = process(batch, msgspec.structs.replace(world.context, adapters=adapters), {})
    assert outcome.items["broken", "rejected:internal"] == 1
    assert [(each.topic, each.kind) for each in outcome.faults] == [("broken", "RuntimeError")]
    assert classes(outcome)["broken", 0] == {5: OffsetClass.DEAD_LETTERED}
    assert classes(outcome)["shop.nginx", 0] == {0: OffsetClass.INSPECTED}


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 1_400), max_size=8))
def test_where_a_batch_is_cut_changes_no_finding(world: World, cuts: list[int]) -> None:
    records = world.records
    edges = [0, *sorted(min(cut, len(records)) for cut in cuts), len(records)]
    parts = [process(records[start:end], world.context, {}) for start, end in pairwise(edges) if end > start]
    one = process(records, world.context, {})
    # Within a partition in order; across partitions a batch may come in any.
    assert sorted(ids(one.findings)) == sorted(each for part in parts for each in ids(part.findings))
    assert expanded(one.folds) == expanded([each for part in parts for each in part.folds])
    assert one.items == sum((part.items for part in parts), Counter())


def ids(findings: Sequence[Finding]) -> list[str]:
    return [each.finding_id for each in findings]


def expanded(folds: Sequence[Fold]) -> Counter[tuple[str, tuple[str, int, int]]]:
    found: Counter[tuple[str, tuple[str, int, int]]] = Counter()
    for each in folds:
        assert each.count == sum(count for *_, count in each.offsets)
        found.update((each.episode_key, place) for place in expand(msgspec.to_builtins(each)))
    return found


def test_finding_ids_are_distinct(world: World) -> None:
    found = ids(process(world.records, world.context, {}).findings)
    assert len(found) == len(set(found))


def test_the_same_bytes_and_context_give_the_same_records_byte_for_byte(world: World) -> None:
    first, second = (outgoing(process(world.records, world.context, {})) for _ in range(2))
    assert len(first) > 50
    assert first == second


def test_no_finding_holds_a_secret_that_was_planted(world: World) -> None:
    batch = [
        RawRecord(topic, 0, offset, START_MS, key, value)
        for offset, (topic, key, value) in enumerate(whole.canary_records())
    ]
    outcome = process(batch, world.context, {})
    assert {each.offset for each in outcome.findings} >= set(range(whole.SOUND_CANARIES))
    assert len(outcome.dead_letters) == len(batch) - whole.SOUND_CANARIES
    everything = repr(outgoing(outcome)) + repr(outcome.faults) + repr(outcome.items) + repr(outcome.gaps)
    for secret in whole.secrets():
        for form in whole.forms(secret):
            assert form not in everything


def test_a_witness_sees_each_judged_item_once(world: World) -> None:
    seen: Counter[tuple[str, int, int]] = Counter()
    found: list[Finding] = []

    def witness(record: RawRecord, judged: Judged) -> None:
        seen[record.topic, record.offset, judged.observation.item] += 1
        found.extend(judged.findings)

    outcome = process(world.records, world.context, {}, witness)
    adapters = world.context.adapters
    items = [
        (record.topic, record.offset, entry.item)
        for record in world.records
        for entry in adapters[record.topic].read(record)
        if isinstance(entry, Observation)
    ]
    assert seen == Counter(items)
    assert set(seen.values()) == {1}
    assert found == outcome.findings


def test_an_event_from_the_future_does_not_move_what_was_seen(world: World) -> None:
    value = {"type": "track", "event": "Product Viewed", "userId": "u", "timestamp": "2199-01-01T00:00:00Z"}
    record = RawRecord("shop.events", 0, 0, START_MS, None, msgspec.json.encode(value))
    outcome = process([record], world.context, {})
    assert outcome.last_event_ms == {"shop.events": START_MS}


@settings(max_examples=60, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=12,
    ),
    where=st.sampled_from(["properties", "context", "integrations", "timestamp", "userId", "event"]),
)
def test_any_value_in_an_event_gives_records_that_can_be_written(world: World, value: Any, where: str) -> None:
    event = {"type": "track", "event": "Order Completed", "userId": "u", "integrations": {"Facebook Pixel": True}}
    try:
        data = msgspec.json.encode({**event, where: value})
    except (OverflowError, ValueError):
        data = b'{"type":"track","event":"x","userId":"u","timestamp":123456789012345678901234567890}'
    outcome = process([RawRecord("shop.events", 0, 0, START_MS, None, data)], world.context, {})
    assert not outcome.faults
    assert sum(outcome.items.values()) == 1
    assert outgoing(outcome)
