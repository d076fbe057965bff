"""The monitor as its users run it: real processes on a real broker, and what they wrote, read back from the topics."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

REGISTER = Path(__file__).parents[2] / "monitor" / "shop" / "register.yaml"
Coordinates = tuple[str, int, int]
Source = Mapping[str, Any]


@dataclass(slots=True)
class System:
    """One monitor: configuration, processes, and their output."""

    bootstrap: str
    folder: Path
    sources: Sequence[Source]
    settings: Mapping[str, Any] = field(default_factory=dict)
    program: Path | None = None
    """A folder with the packages of another release, which runs instead of this one."""
    replication: int = 1
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
        config = {
            "kafka": {"bootstrap_servers": self.bootstrap, "group": "test-monitor"},
            "shop": {"domains": ["shop.example"]},
            "sources": list(self.sources),
            "subjects": {"secret": {"file": "subject.key"}},
            "dead_letters": {"secret": {"file": "subject.key"}},
            "consent": {"path": "ledger.lmdb", "map_size_mb": 128},
            "register": str(REGISTER),
            "settle_seconds": 0.5,
            "http": {"port": 0},
            "alerts": {"port": 0, "update_seconds": 1},
            # Most tests count what they sent themselves.
            "canary_seconds": 0,
            **self.settings,
        }
        self.config.write_text(json.dumps(config))
        self.command("topics", "create", "--partitions", "3", "--replication", str(self.replication))
        create_topics(self.bootstrap, {str(source["topic"]): 3 for source in self.sources}, self.replication)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    @property
    def config(self) -> Path:
        return self.folder / "monitor.yaml"

    def command(self, *arguments: str) -> str:
        """Run a command of the program to its end and give what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "monitor", *arguments, "--config", str(self.config)],
            capture_output=True,
            check=False,
            cwd=self.program,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command that goes on; its output is kept in the folder."""
        with (self.folder / f"{arguments[0]}.log").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "monitor", *arguments, "--config", str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.program,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and all its children, as by `kill -9` on each."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def produce(self, records: Sequence[tuple[str, bytes | None, bytes | None]]) -> list[Coordinates]:
        """Produce (topic, key, value) records and give where each came to lie, in order."""
        settings = {
            "bootstrap.servers": self.bootstrap,
            "linger.ms": 5,
            "message.max.bytes": 20_000_000,
            "log_level": 0,
        }
        producer = Producer(settings)
        places: list[Coordinates | None] = [None] * len(records)

        def note(index: int) -> Callable[[Any, Any], None]:
            def report(error: Any, message: Any) -> None:
                assert error is None, error
                places[index] = message.topic(), message.partition(), message.offset()

            return report

        for index, (topic, key, value) in enumerate(records):
            producer.produce(topic, value, key, on_delivery=note(index))
            producer.poll(0)
        assert producer.flush(120) == 0
        return [place for place in places if place is not None]

    def read(self, topic: str) -> list[dict[str, Any]]:
        """Read a whole topic of JSON records as a consumer that sees committed records only."""
        return [json.loads(value) for _, value, _ in read_topic(self.bootstrap, topic) if value is not None]

    def await_judged(self, seconds: float = 60.0) -> list[dict[str, Any]]:
        """Wait until the accounting reaches the end of every source partition, and give it."""
        ends = topic_ends(self.bootstrap, [str(source["topic"]) for source in self.sources])
        deadline = time.monotonic() + seconds
        while True:
            accounting = self.read("privacy.accounting.v1")
            reached: dict[tuple[str, int], int] = defaultdict(int)
            for each in accounting:
                place = each["topic"], each["partition"]
                reached[place] = max(reached[place], each["end"])
            if all(reached[place] >= end for place, end in ends.items()):
                return accounting
            assert time.monotonic() < deadline, f"not judged in time: {ends} but {dict(reached)}\n{self.logs()}"
            time.sleep(0.5)

    def await_episodes(self, findings: int, seconds: float = 60.0) -> dict[str, dict[str, Any]]:
        """Wait until the episodes hold so many findings, and give the newest alert of each."""
        deadline = time.monotonic() + seconds
        while True:
            newest: dict[str, dict[str, Any]] = {}
            for each in self.read("privacy.alerts.v1"):
                newest[each["episode_key"]] = each
            told = sum(each["findings"] for each in newest.values())
            if told >= findings:
                return newest
            assert time.monotonic() < deadline, f"{told} of {findings} findings in episodes\n{self.logs()}"
            time.sleep(0.5)

    def logs(self) -> str:
        return "\n".join(file.read_text(errors="replace")[-4000:] for file in sorted(self.folder.glob("*.log")))


def create_topics(bootstrap: str, topics: Mapping[str, int], replication: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    existing = admin.list_topics(timeout=10).topics
    missing = {name: count for name, count in topics.items() if name not in existing}
    if not missing:
        return
    config = {"max.message.bytes": "20000000"}
    for future in admin.create_topics(
        [NewTopic(name, count, replication, config=config) for name, count in missing.items()]
    ).values():
        future.result()


def topic_ends(bootstrap: str, topics: Sequence[str]) -> dict[tuple[str, int], int]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "ends", "log_level": 0})
    try:
        found = consumer.list_topics(timeout=60).topics
        return {
            (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=60)[1]
            for topic in topics
            for partition in found[topic].partitions
        }
    finally:
        consumer.close()


def committed(bootstrap: str, group: str) -> dict[tuple[str, int], int]:
    """Give what a group has committed of every topic; nothing where the broker does not say, or a transaction may change it.

    Asked as a consumer that joins nothing: librdkafka's admin client aborts the process when the coordinator dies meanwhile.
    """
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 0}
    )
    try:
        topics = consumer.list_topics(timeout=20).topics
        places = [
            TopicPartition(name, partition)
            for name, topic in topics.items()
            if not name.startswith("__")
            for partition in topic.partitions
        ]
        return {(each.topic, each.partition): each.offset for each in consumer.committed(places, timeout=20)}
    except KafkaException:
        return {}
    finally:
        consumer.close()


def read_topic(bootstrap: str, topic: str) -> list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]]:
    """Read a topic to its end: key, value and headers of each record that was committed, by partition in order."""
    ends = topic_ends(bootstrap, [topic])
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "fetch.message.max.bytes": 20_000_000,
            "log_level": 0,
        }
    )
    records = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
        ended = 0
        while ended < len(ends):
            message = consumer.poll(10.0)
            assert message is not None, f"no end of {topic} within ten seconds"
            if message.error() is not None:
                ended += 1
                continue
            records.append((message.key(), message.value(), message.headers() or []))
    finally:
        consumer.close()
    return records  # type: ignore[return-value]


def expand(fold: Mapping[str, Any]) -> list[Coordinates]:
    """Give the coordinates of a folded finding record, written from its description alone."""
    places, offset = [], 0
    for delta, _minute, count in fold["offsets"]:
        offset += delta
        places += [(fold["topic"], fold["partition"], offset)] * count
    return places


def distinct_findings(folds: Sequence[Mapping[str, Any]]) -> dict[str, Counter[Coordinates]]:
    """Count findings by episode key and place, each once however often a batch was delivered."""
    counted: dict[str, Counter[Coordinates]] = defaultdict(Counter)
    for fold in folds:
        # Folds depend on where a batch was cut; how many findings an offset has does not.
        for place, count in Counter(expand(fold)).items():
            assert counted[fold["episode_key"]].setdefault(place, count) == count
    return counted


def page(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a page on this machine
        text: str = answer.read().decode()
        return text
