"""What a release left behind, as files: its topics, the alert plane's changelog, its ledger, the schemas it reads by, and
its wheel.

`python -m tests.upgrade.golden VERSION` records it from a run of the demo shop on Apache Kafka. That is done once for each
release, when it is made, and never again: what is recorded is what the releases after it must read. All persons in it
are made up, and all that was found names them by keyed hashes.
"""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import lmdb
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from monitor.shop import Shop
from tests.integration.system import System, distinct_findings, topic_ends
from tests.kafka.jvm import Cluster
from tests.kafka.processes import wait_until
from topics.catalog import CANARY, CATALOG

FOLDER = Path(__file__).parent
CHANGELOG = "privacy-monitor-alerts-episodes-changelog"
TOPICS = (*(topic.name for topic in CATALOG if topic is not CANARY), CHANGELOG)
SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
    {"topic": "shop.nginx", "adapter": "nginx", "service": "edge"},
)
KEY = "a key of the tests, longer than sixteen bytes"
PEOPLE = {"person-1": ("advertising",), "person-2": ("analytics", "advertising"), "person-3": ()}
"""User ids of made-up persons, and what each refused; nothing refused: all was allowed."""
_START_MS = 1_790_000_000_000
_PIECES = 1_200


class Kept(NamedTuple):
    """A record of a topic."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


def releases() -> list[str]:
    """Name the releases that were recorded, oldest first."""
    return sorted(path.name for path in FOLDER.iterdir() if (path / "topics.json.gz").exists())


def kept(release: str) -> dict[str, list[Kept]]:
    """Give what a release wrote, by topic, in the order of each partition."""
    raw = json.loads(gzip.decompress((FOLDER / release / "topics.json.gz").read_bytes()))
    return {
        topic: [
            Kept(each["partition"], _bytes(each["key"]), _bytes(each["value"]), _headers(each), each["timestamp_ms"])
            for each in records
        ]
        for topic, records in raw.items()
    }


def schemas(release: str) -> dict[str, Any]:
    """Give the JSON Schemas by which a release reads, by topic."""
    found: dict[str, Any] = json.loads((FOLDER / release / "schemas.json").read_text())
    return found


def program(release: str, folder: Path) -> Path:
    """Unpack the packages of a release into a folder, so that they can run; the libraries are those of today."""
    (wheel,) = (FOLDER / release).glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder


def ledger(release: str, folder: Path) -> None:
    """Lay the ledger that a release left into a folder."""
    folder.mkdir(parents=True)
    (folder / "data.mdb").write_bytes(gzip.decompress((FOLDER / release / "ledger.mdb.gz").read_bytes()))


def refill(bootstrap: str, release: str) -> dict[str, list[Kept]]:
    """Make a release's topics anew on an empty cluster: every record in its partition and at its offset."""
    topics = kept(release)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    # What was written long ago must neither expire nor be compacted while it is read.
    config = {"retention.ms": "-1", "cleanup.policy": "delete"}
    names = (*topics, CANARY.name, *(source["topic"] for source in SOURCES))
    must = {topic.name: topic.partitions for topic in CATALOG if topic.partitions}
    wanted = [NewTopic(name, must.get(name, 3), 1, config=config) for name in names]
    for future in admin.create_topics(wanted).values():
        future.result()
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "enable.idempotence": True})
    for topic, records in topics.items():
        for each in records:
            producer.produce(
                topic, each.value, each.key, each.partition, timestamp=each.timestamp_ms, headers=list(each.headers)
            )
            producer.poll(0)
    assert producer.flush(30) == 0
    return topics


def commit_all(bootstrap: str, group: str, topics: Sequence[str]) -> None:
    """Let a group have read topics to their ends, as it had when the release before was stopped."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    try:
        ends = topic_ends(bootstrap, topics)
        offsets = [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items()]
        # A cluster that has just started may not have settled yet who coordinates groups.
        assert wait_until(lambda: _is_committed(consumer, offsets), seconds=60)
    finally:
        consumer.close()


def run_and_stop(system: System, start_ms: int = _START_MS) -> None:
    """Let a monitor judge the demo shop and tell its episodes, and stop it in order."""
    people = [
        json.dumps({"at_ms": start_ms + at, "ids": {"user_id": name}, **_choice(refused), "source": "banner"})
        for at, (name, refused) in enumerate(PEOPLE.items())
    ]
    system.produce([("privacy.consent.v1", None, each.encode()) for each in people])
    workers, alerts = system.start("run"), system.start("alerts")
    pieces = [each for each in islice(Shop(5, start_ms).stream(), _PIECES) if each.role != "consent"]
    system.produce([(f"shop.{each.role}", each.key, each.value) for each in pieces])
    system.await_judged(120)
    counted = distinct_findings(system.read("privacy.findings.v1"))
    system.await_episodes(sum(each.total() for each in counted.values()), 120)
    for process in (workers, alerts):
        process.terminate()
        assert process.wait(60) == 0, system.logs()


def _is_committed(consumer: Consumer, offsets: list[TopicPartition]) -> bool:
    try:
        consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException:
        return False
    return True


def record(release: str) -> None:
    """Run this release on the demo shop, stop it, and keep what it left."""
    scratch = Path(tempfile.mkdtemp(prefix="golden-"))
    with Cluster(1) as cluster, System(cluster.bootstrap, scratch, SOURCES) as system:
        run_and_stop(system)
        folder = FOLDER / release
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        topics = {topic: _read(cluster.bootstrap, topic) for topic in TOPICS}
        text = json.dumps(topics, indent=0, sort_keys=True)
        (folder / "topics.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        with lmdb.open(str(system.folder / "ledger.lmdb"), readonly=True, max_dbs=32) as ledger_left:
            (scratch / "copy").mkdir()
            ledger_left.copy(str(scratch / "copy"), compact=True)
        data = (scratch / "copy" / "data.mdb").read_bytes()
        (folder / "ledger.mdb.gz").write_bytes(gzip.compress(data, mtime=0))
        written = {path.stem: json.loads(path.read_text()) for path in Path("topics/schemas").glob("privacy.*.json")}
        (folder / "schemas.json").write_text(json.dumps(written, sort_keys=True, ensure_ascii=False) + "\n")
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), "."]
        subprocess.run(build, check=True)
    shutil.rmtree(scratch)


def _choice(refused: tuple[str, ...]) -> dict[str, list[str]]:
    return {"refused": list(refused)} if refused else {"granted": ["advertising", "analytics"]}


def _read(bootstrap: str, topic: str) -> list[dict[str, Any]]:
    ends = topic_ends(bootstrap, [topic])
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "golden", "enable.partition.eof": True})
    found = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
        ended = 0
        while ended < len(ends):
            message = consumer.poll(10.0)
            assert message is not None, f"no end of {topic}"
            if message.error() is not None:
                ended += 1
                continue
            found.append(
                {
                    "partition": message.partition(),
                    "key": _text(message.key()),
                    "value": _text(message.value()),
                    "headers": [[each[0], _text(each[1])] for each in message.headers() or []],
                    "timestamp_ms": message.timestamp()[1],
                }
            )
    finally:
        consumer.close()
    return sorted(found, key=lambda each: each["partition"])


def _text(data: Any) -> str | None:
    """Give bytes as text: all that we write is UTF-8, and anything else would be a find of its own."""
    return data.decode() if isinstance(data, bytes) else data


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def _headers(each: dict[str, Any]) -> list[tuple[str, bytes]]:
    return [(name, _bytes(value) or b"") for name, value in each["headers"]]


if __name__ == "__main__":
    record(sys.argv[1])
