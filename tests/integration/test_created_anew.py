"""A source topic that is deleted and created anew is another log: its offsets are read again, under names of their own."""

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from monitor.shop import Shop
from tests.integration.system import System, committed, topic_ends
from tests.integration.test_crash_points import SOURCES, TOPICS, audited
from tests.kafka.jvm import Cluster
from tests.kafka.processes import wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]

GROUP = "test-monitor"
EVENTS = "shop.events"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(1) as running:
        yield running


def traffic(seed: int, pieces: int) -> list[tuple[str, bytes | None, bytes | None]]:
    start_ms = time.time_ns() // 1_000_000 - pieces * 5
    return [
        (TOPICS[each.role], each.key, each.value)
        for each in islice(Shop(seed, start_ms).stream(), pieces)
        if each.role in TOPICS
    ]


def is_judged(bootstrap: str) -> bool:
    ends = topic_ends(bootstrap, [str(each["topic"]) for each in SOURCES])
    done = committed(bootstrap, GROUP)
    return all(done.get(place, -1) == end for place, end in ends.items() if end)


def created_anew(admin: AdminClient, topic: str) -> None:
    admin.delete_topics([topic])[topic].result(20)
    assert wait_until(lambda: topic not in admin.list_topics(timeout=10).topics, 20)

    def is_created() -> bool:
        try:
            admin.create_topics([NewTopic(topic, 3, 1)])[topic].result(20)
        except Exception:  # noqa: BLE001 - the broker is still deleting
            return False
        return True

    assert wait_until(is_created, 20)


def ids(folds: list[dict[str, Any]]) -> set[str]:
    return {each["finding_id"] for fold in folds for each in fold["exemplars"]}


@pytest.mark.parametrize("at_work", [True, False], ids=["while workers run", "while none runs"])
def test_what_a_topic_holds_that_was_created_anew_is_judged_from_its_beginning(
    cluster: Cluster, tmp_path: Path, *, at_work: bool
) -> None:
    # What was there before the monitor is not read; what is there when a topic comes again is.
    settings = {"settle_seconds": 0.2, "kafka": {"bootstrap_servers": cluster.bootstrap, "group": GROUP}}
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "log_level": 0})
    with System(cluster.bootstrap, tmp_path / "system", SOURCES, settings) as system:
        known = {each["cluster"] for each in system.read("privacy.accounting.v1")}
        running = system.start("run")
        system.produce(traffic(31, 900))
        assert wait_until(lambda: is_judged(cluster.bootstrap), 120), system.logs()
        before = {place: end for place, end in topic_ends(cluster.bootstrap, [EVENTS]).items() if end}
        if not at_work:
            running.terminate()
            running.wait(30)
        created_anew(admin, EVENTS)
        # More than the earlier one held, so that an offset of the earlier one is a good offset here, too.
        system.produce(traffic(32, 1_800))
        after = topic_ends(cluster.bootstrap, [EVENTS])
        assert any(after[place] > end for place, end in before.items())
        if not at_work:
            running = system.start("run")

        def anew_accounting() -> list[dict[str, Any]]:
            told = [each for each in system.read("privacy.accounting.v1") if each["topic"] == EVENTS]
            return [each for each in told if ":" in each["cluster"]]

        def is_judged_anew() -> bool:
            # A worker at work sees within seconds that the topic is another; until then it goes on where it was.
            reached: Counter[int] = Counter()
            for each in anew_accounting():
                reached[each["partition"]] = max(reached[each["partition"]], each["end"])
            return all(reached[partition] == end for (_, partition), end in after.items())

        assert wait_until(lambda: is_judged_anew() and is_judged(cluster.bootstrap), 180), system.logs()

        accounting = anew_accounting()
        (named,) = {each["cluster"] for each in accounting}
        assert named not in known
        for (_, partition), end in after.items():
            claimed = {
                offset
                for each in accounting
                if each["cluster"] == named and each["partition"] == partition
                for offset in range(each["start"], each["end"])
            }
            assert claimed == set(range(end)), f"partition {partition}"
        folds = system.read("privacy.findings.v1")
        anew = [each for each in folds if each["cluster"] == named]
        assert anew
        others = [each for each in folds if each["cluster"] != named]
        assert others
        assert not ids(anew) & ids(others)
        running.terminate()
        running.wait(30)
        report = audited(system)
        assert report["faults"] == []
        assert set(report["unverifiable"]) == {"of a topic of this name that is there no more"}
        assert report["offsets"]["inspected"] + report["offsets"]["dead-lettered"] == sum(
            topic_ends(cluster.bootstrap, [str(each["topic"]) for each in SOURCES]).values()
        )
        assert "created anew" in system.logs()
