"""Where `explain` finds a record and the choices: on Kafka, in a capture, in a file of consent records."""

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from detectors.consent.ledger import Choice, Coverage, Word
from monitor.capture import Capture, CaptureProblem
from monitor.kafka import KafkaProblem, LogReader, Settings
from topics.consent import read as read_consent
from topics.record import RawRecord, Rejected
from topics.subject import SubjectKey

_WAIT_SECONDS = 10.0
_END = -1
"""librdkafka's word for the end of a partition."""


def record_at(settings: Settings, topic: str, partition: int, offset: int) -> tuple[RawRecord, str]:
    """Read one record and the cluster's id. Raises KafkaProblem that says why there is none at these coordinates."""
    reader = LogReader(settings, [topic], {(topic, each): _END for each in range(1024)} | {(topic, partition): offset})
    place = topic, partition
    where = f"{topic} partition {partition} offset {offset}"
    try:
        if place not in reader.places:
            raise KafkaProblem(f"{topic} has no partition {partition}; it has {len(reader.places)}, counted from 0")
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            for record in reader.poll(100, 0.1):
                if record.partition != partition:
                    continue
                if record.offset == offset:
                    return record, reader.cluster
                gone = "retention, compaction or an aborted transaction took it" if record.offset > offset else ""
                raise KafkaProblem(f"there is no record at {where}: {gone or 'the partition ends before'}")
            if reader.reached.get(place, -1) >= 0:
                raise KafkaProblem(f"there is no record at {where}: the partition ends at {reader.reached[place]}")
        raise KafkaProblem(f"the record at {where} did not arrive in {_WAIT_SECONDS:.0f} seconds")
    finally:
        reader.close()


def record_in(capture: Capture, line: int | None) -> RawRecord:
    """Give the record at a line of a capture, counted from 1; the first without one. Raises CaptureProblem."""
    last = 0
    for record in capture.records(capture.name):
        last = record.offset + 1
        if line is None or last == line:
            return record
    raise CaptureProblem(f"{capture.name}: no record at line {line}; the last is at line {last}")


class FileLedger:
    """The choices of a file of consent records, as a ledger that has read all of it."""

    def __init__(self, file: Path, key: SubjectKey) -> None:
        """Read the file. Raises CaptureProblem with every line that is no consent record."""
        self.mark = f"file:{file.name}"
        self._choices: defaultdict[str, list[Choice]] = defaultdict(list)
        try:
            lines = file.read_bytes().splitlines()
        except OSError as error:
            raise CaptureProblem(f"{file}: cannot be read ({error.strerror})") from None
        wrong: list[str] = []
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            parsed = read_consent(RawRecord(file.name, 0, number, -1, None, line), key)
            if isinstance(parsed, Rejected):
                wrong.append(f"{file}:{number + 1}: not a consent record ({parsed.reason.value})")
                continue
            subjects, said = parsed
            word = Word(said.granted, said.refused, said.source, file.name, 0, said.after_gpc_notice)
            choice = Choice(said.at_ms, number, -1, word)
            for subject in subjects:
                self._choices[subject].append(choice)
        if wrong:
            raise CaptureProblem("\n".join(wrong))

    def coverage(self, broker_ms: int) -> Coverage:  # noqa: ARG002 - the protocol's signature
        """Say that the file is all there is."""
        return Coverage.READY

    def choices(self, subjects: Sequence[str]) -> Sequence[Choice]:
        """Give every choice of every one of these keyed hashes."""
        return [choice for subject in subjects for choice in self._choices.get(subject, ())]

    def choices_of(self, people: Sequence[Sequence[str]]) -> Sequence[Sequence[Choice]]:
        """Give the choices of each of many people."""
        return [self.choices(person) for person in people]
