"""The ledger remembers every choice exactly, through restarts, rebuilds and damage, and never claims to know more."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.consent.ledger import Coverage, as_of
from monitor.ledger import Applied, LedgerProblem, LedgerWriter
from monitor.ledger_reader import LedgerReader
from topics.record import RawRecord
from topics.subject import SubjectKey

KEY = SubjectKey("k1", b"a key of the tests, longer than sixteen bytes")
OTHER_KEY = SubjectKey("k1", b"another key of the tests, just as long as that")
TOPIC = "privacy.consent.v1"
SUBJECTS = [f"k1.{number:032x}" for number in range(3)] + ["somebody.else's form", "x" * 900 + ".00"]
PURPOSES = ("advertising", "analytics", "*")
ASKED = ("advertising.targeted", "analytics", "social")


def record(offset: int, value: object, *, partition: int = 0, broker_ms: int = 50) -> RawRecord:
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    return RawRecord(TOPIC, partition, offset, broker_ms, None, data)


def refusal(offset: int, subject: str = SUBJECTS[0], purpose: str = "advertising", at_ms: int = 5) -> RawRecord:
    return record(offset, {"at_ms": at_ms, "subject": subject, "refused": [purpose]})


Written = tuple[int, int, int, tuple[str, ...], tuple[str, ...], int]
"""subject, partition, at_ms, granted, refused, broker_ms."""
some_purposes = st.lists(st.sampled_from(PURPOSES), max_size=2, unique=True).map(tuple)
some_written = st.tuples(
    st.integers(0, len(SUBJECTS) - 1),
    st.integers(0, 2),
    st.integers(0, 8),
    some_purposes,
    some_purposes,
    st.integers(0, 20),
).filter(lambda each: bool(each[3] or each[4]))


@settings(max_examples=40, deadline=None)
@given(
    log=st.lists(some_written, max_size=30),
    cuts=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), max_size=6),
)
def test_any_course_of_batches_repeats_and_restarts_gives_what_a_dictionary_gives(
    log: list[Written], cuts: list[tuple[int, int, bool]]
) -> None:
    offsets = [sum(other[1] == each[1] for other in log[:index]) for index, each in enumerate(log)]
    records = [
        record(
            offset,
            {"at_ms": at_ms, "subject": SUBJECTS[subject], "granted": granted, "refused": refused, "source": "banner"},
            partition=partition,
            broker_ms=broker_ms,
        )
        for offset, (subject, partition, at_ms, granted, refused, broker_ms) in zip(offsets, log, strict=True)
    ]
    folder = Path(tempfile.mkdtemp(prefix="ledger-"))
    try:
        writer = LedgerWriter(folder, KEY, 16, TOPIC)
        # Any stretches, read twice and in any order, then everything; with a new process between some of them.
        for start, end, restart in [*cuts, (0, len(records), False)]:
            writer.apply(records[start:end], 1000)
            if restart:
                writer.close()
                writer = LedgerWriter(folder, KEY, 16, TOPIC)
        view = writer.view()
        for number, subject in enumerate(SUBJECTS):
            choices = view.choices([subject])
            for purpose in ASKED:
                for at_ms in range(-1, 10):
                    found = as_of(choices, purpose, at_ms)
                    told = (found[0].at_ms, found[1]) if found else None
                    assert told == _slow(log, number, purpose, at_ms)
            assert sorted((c.partition, c.offset, c.at_ms, c.broker_ms, c.source, c.topic) for c in choices) == sorted(
                (each[1], offset, each[2], each[5], "banner", TOPIC)
                for offset, each in zip(offsets, log, strict=True)
                if each[0] == number
            )
        assert writer.subjects() == len({each[0] for each in log})
        ends = {(TOPIC, each[1]): sum(other[1] == each[1] for other in log) for each in log}
        assert writer.starts() == ends
        view.close()
        writer.close()
    finally:
        shutil.rmtree(folder)


def _slow(log: list[Written], number: int, purpose: str, at_ms: int) -> tuple[int, bool] | None:
    """Answer from the list itself: the latest word on the purpose, and of two at one moment the refusal."""

    def speaks(prefixes: tuple[str, ...]) -> bool:
        return any(each == "*" or (purpose + ".").startswith(each + ".") for each in prefixes)

    words = [
        (when, not speaks(refused))
        for subject, _, when, granted, refused, _ in log
        if subject == number and when <= at_ms and (speaks(granted) or speaks(refused))
    ]
    if not words:
        return None
    latest = max(when for when, _ in words)
    return latest, all(says for when, says in words if when == latest)


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Callable[..., LedgerWriter]]:
    opened: list[LedgerWriter] = []

    def start(key: SubjectKey = KEY, topic: str = TOPIC, size_mb: int = 16) -> LedgerWriter:
        while opened:
            opened.pop().close()
        opened.append(LedgerWriter(tmp_path / "ledger", key, size_mb, topic))
        # Past its cold load: each batch is written at once.
        opened[-1].starts()
        return opened[-1]

    yield start
    while opened:
        opened.pop().close()


class Reading:
    """A process that reads the ledger."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.monitor.ledger_process", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, subject: str = SUBJECTS[0], at_ms: int = 10) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"subject": subject, "at_ms": at_ms}) + "\n")
        self.process.stdin.flush()
        told: dict[str, Any] = json.loads(self.process.stdout.readline())
        return told

    def end(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(10)


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    reader = Reading(tmp_path / "ledger")
    yield reader
    reader.end()


def test_a_reader_that_came_first_sees_the_ledger_once_there_is_one(
    writing: Callable[..., LedgerWriter], reading: Reading
) -> None:
    assert reading.ask() == {"coverage": "ledger-loading", "mark": "", "refused": []}
    writer = writing()
    assert reading.ask()["coverage"] == "ledger-loading"
    writer.apply([refusal(0)], 1000)
    writer.mark_fresh(10)
    assert reading.ask(at_ms=10) == {"coverage": "ready", "mark": "0:1", "refused": [["advertising"]]}


def test_the_ledger_speaks_for_no_moment_that_it_has_not_read(
    writing: Callable[..., LedgerWriter], reading: Reading
) -> None:
    writer = writing()
    writer.mark_fresh(1000)
    assert [reading.ask(at_ms=at_ms)["coverage"] for at_ms in (0, 1000, 1001, -1)] == [
        "ready",
        "ready",
        "ledger-behind",
        "ledger-behind",
    ]
    # A new process has not seen the end of the topic yet, whatever the one before had seen.
    writing()
    assert reading.ask(at_ms=0)["coverage"] == "ledger-loading"


@pytest.mark.parametrize("changed", [{"key": OTHER_KEY}, {"topic": "other.consent"}], ids=["key", "topic"])
def test_another_key_or_topic_starts_anew_and_readers_forget_the_old_words(
    writing: Callable[..., LedgerWriter], reading: Reading, changed: dict[str, Any]
) -> None:
    writer = writing()
    writer.apply([refusal(0, purpose="advertising"), refusal(1, SUBJECTS[1])], 1000)
    assert reading.ask()["refused"] == [["advertising"]]
    writer = writing(**changed)
    assert writer.starts() == {}
    assert writer.subjects() == 0
    assert reading.ask()["refused"] == []
    # The first word of the new ledger has the number that the first word of the old one had.
    writer.apply([refusal(0, purpose="analytics")], 1000)
    assert reading.ask()["refused"] == [["analytics"]]


def test_the_same_key_and_topic_go_on_where_they_were(writing: Callable[..., LedgerWriter]) -> None:
    writing().apply([refusal(0), refusal(1, purpose="analytics")], 1000)
    writer = writing()
    assert writer.starts() == {(TOPIC, 0): 2}
    writer.apply([refusal(2, purpose="*")], 1000)
    view = writer.view()
    assert sorted(each.refused for each in view.choices(SUBJECTS[:1])) == [("*",), ("advertising",), ("analytics",)]
    view.close()


def test_a_damaged_file_is_set_aside_and_read_anew(
    tmp_path: Path, writing: Callable[..., LedgerWriter], reading: Reading
) -> None:
    writer = writing()
    writer.apply([refusal(0)], 1000)
    writer.mark_fresh(100)
    writer.close()
    assert reading.ask()["coverage"] == "ready"
    file = tmp_path / "ledger" / "data.mdb"
    garbage = b"\xde\xad" * 8192
    with file.open("r+b") as stream:
        stream.write(garbage)
    writer = LedgerWriter(tmp_path / "ledger", KEY, 16, TOPIC)
    try:
        assert writer.starts() == {}
        assert file.with_name("data.mdb.damaged").read_bytes()[: len(garbage)] == garbage
        # A reader that had mapped the old file sees the new one.
        assert reading.ask()["coverage"] == "ledger-loading"
        writer.apply([refusal(0, purpose="analytics")], 1000)
        writer.mark_fresh(100)
        assert reading.ask() == {"coverage": "ready", "mark": "0:1", "refused": [["analytics"]]}
    finally:
        writer.close()


def test_a_ledger_that_was_open_when_the_machine_went_down_is_read_anew(
    tmp_path: Path, writing: Callable[..., LedgerWriter]
) -> None:
    writing().apply([refusal(0)], 1000)
    writer = writing()
    assert writer.starts() == {(TOPIC, 0): 1}
    mark = tmp_path / "ledger" / "unsynced"
    assert mark.exists(), "while it is written it is marked"
    writer.close()
    assert not mark.exists()
    mark.write_text("another run of the machine")
    writer = LedgerWriter(tmp_path / "ledger", KEY, 16, TOPIC)
    assert writer.starts() == {}
    writer.close()


def test_two_writers_are_refused_with_one_line(tmp_path: Path, writing: Callable[..., LedgerWriter]) -> None:
    writing()
    with pytest.raises(LedgerProblem, match=r"another process writes the consent ledger in .*ledger; end it"):
        LedgerWriter(tmp_path / "ledger", KEY, 16, TOPIC)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerProblem, match="correct consent"):
        LedgerWriter(tmp_path / "file" / "ledger", KEY, 16, TOPIC)


def test_a_full_map_is_told_and_a_larger_one_goes_on(writing: Callable[..., LedgerWriter], reading: Reading) -> None:
    writer = writing(size_mb=1)
    reached, told = 0, ""
    while not told and reached < 200_000:
        try:
            writer.apply([refusal(reached + i, f"k1.{reached + i:032x}") for i in range(2000)], 1000)
            reached += 2000
        except LedgerProblem as problem:
            told = str(problem)
    assert told == "the consent ledger is full; raise consent.map_size_mb and start again"
    # What did not fit left nothing behind: neither choices nor offsets.
    assert writer.starts() == {(TOPIC, 0): reached}
    assert writer.subjects() == reached
    assert reading.ask(f"k1.{reached - 1:032x}")["refused"] == [["advertising"]]
    writer = writing(size_mb=64)
    writer.apply([refusal(reached + i, f"k1.{reached + i:032x}") for i in range(20_000)], 1000)
    # A reader that had mapped the smaller file may miss one batch, and then sees all of it.
    answers = [reading.ask(f"k1.{reached + 19_999:032x}")["refused"] for _ in range(2)]
    assert answers[-1] == [["advertising"]]


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"[" * 5000,
        {"at_ms": 5},
        {"at_ms": 5, "subject": SUBJECTS[0]},
        {"at_ms": -5, "subject": SUBJECTS[0], "refused": ["analytics"]},
        {"at_ms": 10**30, "subject": SUBJECTS[0], "refused": ["analytics"]},
        {"at_ms": 2**64, "subject": SUBJECTS[0], "refused": ["analytics"]},
        {"at_ms": "5", "subject": SUBJECTS[0], "refused": ["analytics"]},
        {"at_ms": 5, "refused": ["analytics"], "ids": {"shoe_size": "43"}},
        {"at_ms": 5, "subject": SUBJECTS[0], "refused": ["x" * 70_000]},
        b'{"at_ms":5,"subject":"\\ud800","refused":["analytics"]}',
    ],
    ids=lambda value: str(value)[:40],
)
def test_tombstones_and_garbage_are_counted_and_stop_nothing(
    writing: Callable[..., LedgerWriter], value: object
) -> None:
    writer = writing()
    assert writer.apply([refusal(0), record(1, value), refusal(2)], 1000) == Applied(2, 1, 0)
    assert writer.starts() == {(TOPIC, 0): 3}


@given(data=st.binary(max_size=200) | st.text(max_size=80).map(lambda text: json.dumps({"subject": text}).encode()))
@settings(max_examples=60, deadline=None)
def test_no_bytes_stop_the_ledger(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        writer = LedgerWriter(Path(folder), KEY, 16, TOPIC)
        try:
            told = writer.apply([record(0, data), refusal(1)], 1000)
            assert told.applied + told.rejected == 2
            assert writer.starts() == {(TOPIC, 0): 2}
        finally:
            writer.close()


def test_late_consent_is_counted_by_the_brokers_time(writing: Callable[..., LedgerWriter]) -> None:
    late = record(0, {"at_ms": 5, "subject": SUBJECTS[0], "refused": ["analytics"]}, broker_ms=1006)
    in_time = late._replace(offset=1, timestamp_ms=1005)
    assert writing().apply([late, in_time], 1000) == Applied(2, 0, 1)


def test_a_writer_that_is_killed_loses_nothing_that_it_had_written(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.monitor.test_ledger import KEY, TOPIC, refusal\n"
        "from monitor.ledger import LedgerWriter\n"
        "writer = LedgerWriter(Path(sys.argv[1]), KEY, 16, TOPIC)\n"
        "writer.starts()\n"
        "for offset in range(1_000_000):\n"
        "    writer.apply([refusal(offset, f'k1.{offset % 97:032x}')], 1000)\n"
        "    print(offset, flush=True)\n"
    )
    folder = tmp_path / "ledger"
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = next(int(line) for line in process.stdout if int(line) >= 300)
        os.kill(process.pid, signal.SIGKILL)
        said = max([said, *(int(line) for line in process.stdout if line.endswith("\n"))])
    writer = LedgerWriter(folder, KEY, 16, TOPIC)
    reached = writer.starts()[TOPIC, 0]
    assert reached > said
    view = writer.view()
    found = [each.offset for number in range(97) for each in view.choices([f"k1.{number:032x}"])]
    assert sorted(found) == list(range(reached))
    view.close()
    writer.close()


def test_many_people_are_told_of_in_their_order_as_one_by_one(writing: Callable[..., LedgerWriter]) -> None:
    writer = writing()
    writer.apply([refusal(0), refusal(1, SUBJECTS[3]), refusal(2, SUBJECTS[4]), refusal(3, SUBJECTS[0], "*", 7)], 1000)
    people = [(), SUBJECTS[:1], SUBJECTS[2:3], SUBJECTS[:2], SUBJECTS[3:], SUBJECTS[:1], ("k1.00",), tuple(SUBJECTS)]
    view = writer.view()
    assert [list(each) for each in view.choices_of(people)] == [list(view.choices(each)) for each in people]
    assert list(map(len, view.choices_of(people))) == [0, 2, 0, 2, 2, 2, 0, 4]
    strangers = [(name,) for name in SUBJECTS]
    assert [list(each) for each in view.choices_of(strangers)] == [list(view.choices(each)) for each in strangers]
    assert [[choice.offset for choice in each] for each in view.choices_of(strangers)] == [[0, 3], [], [], [1], [2]]
    view.close()


def test_no_ledger_in_a_folder_is_loading(tmp_path: Path) -> None:
    reader = LedgerReader(tmp_path / "nothing")
    view = reader.view()
    assert view.coverage(0) is Coverage.LOADING
    assert not view.choices(SUBJECTS)
    view.close()
    reader.close()
