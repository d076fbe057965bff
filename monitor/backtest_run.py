"""A backtest under way: captures in one go; topics by partition in several processes, with a file to go on from."""

import time
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console

from alerts.episodes import Policy
from detectors.documents import Problem
from monitor.backtest import Diff, Part, SavedDiff
from monitor.comparison import Comparison
from monitor.config import Config
from monitor.context import Loaded
from monitor.files import ConfigProblems
from monitor.kafka import KafkaProblem, Settings
from monitor.replay import CaptureReplay, TopicReplay, played, progress
from topics.record import Place

_SAVE_SECONDS = 5.0
_FORM = 1


class Judges(NamedTuple):
    """The two sides."""

    before: Loaded
    after: Loaded
    policy: Policy

    def comparison(self, replay: CaptureReplay | TopicReplay) -> Comparison:
        """Give the two sides for the records of a replay."""
        return Comparison(*(each.context(replay.adapters, replay.cluster) for each in (self.before, self.after)))

    def diff(self) -> Diff:
        """Give a difference of nothing yet."""
        return Diff((self.before.bundle, self.after.bundle), self.policy)


class Ranges(NamedTuple):
    """What to read of topics."""

    config: Config
    settings: Settings
    topics: Sequence[str]
    from_ms: int
    to_ms: int

    def replay(self, spans: Mapping[Place, tuple[int, int]] | None = None) -> TopicReplay:
        """Open all of it, or some offsets of some partitions."""
        return TopicReplay(self.config, self.settings, self.topics, self.from_ms, self.to_ms, spans)


class _Saved(msgspec.Struct, frozen=True):
    """A backtest on disk: how far it came."""

    form: int
    topics: tuple[str, ...]
    spans: list[tuple[str, int, int, int]]
    """Topic, partition, next offset to read, end."""
    diff: SavedDiff
    seconds: float
    """Processor time so far."""


def of_captures(replay: CaptureReplay, judges: Judges) -> Diff:
    """Judge captures by both sides."""
    comparison, diff = judges.comparison(replay), judges.diff()
    for records, ledger in played(replay, Console(stderr=True)):
        diff.add(comparison.part(records, ledger))
    return diff


def of_topics(ranges: Ranges, judges: Judges, jobs: int, file: Path | None) -> tuple[Diff, float]:
    """Judge topics by both sides: the difference, and the processor time of all processes.

    With a `file` the state is written there now and then; a file that is there is gone on from. Raises ConfigProblems
    when it is of another backtest, KafkaProblem when a process cannot read.
    """
    diff = judges.diff()
    before_s = 0.0
    saved = _read(file) if file is not None else None
    if saved is not None and file is not None:
        _require_same(saved, ranges, diff, file)
        diff.restore(saved.diff)
        before_s = saved.seconds
        left = {(topic, partition): (start, end) for topic, partition, start, end in saved.spans if start < end}
    else:
        with ranges.replay() as replay:
            left = dict(replay.spans)
    total = sum(end - start for start, end in left.values())
    shares = _shares(left, jobs)
    spent_s = before_s
    saved_at = time.monotonic()

    def save() -> None:
        if file is not None:
            _write(file, _Saved(_FORM, tuple(ranges.topics), _listed(left), diff.save(), spent_s))

    is_whole = True
    try:
        with progress(Console(stderr=True), total) as advance:
            for part, reached, seconds in _parts(ranges, judges, shares):
                is_whole = False
                diff.add(part)
                spent_s += seconds
                before = {place: left[place][0] for place in reached}
                left.update({place: (offset, left[place][1]) for place, offset in reached.items()})
                is_whole = True
                advance(sum(offset - before[place] for place, offset in reached.items()))
                if time.monotonic() - saved_at > _SAVE_SECONDS:
                    save()
                    saved_at = time.monotonic()
    finally:
        # Whoever interrupts it loses nothing; in the middle of a batch, what came since the last save.
        if is_whole:
            save()
    return diff, spent_s


_Step = tuple[Part, dict[Place, int], float]
"""How a batch differs, how far each of its partitions was read, and the processor time that it took."""


def _parts(ranges: Ranges, judges: Judges, shares: Sequence[Mapping[Place, tuple[int, int]]]) -> Iterator[_Step]:
    if len(shares) <= 1:
        for share in shares:
            yield from _judged(ranges, judges, share)
        return
    # Forked, so that what was read and compiled is there: rules are closures, which no pipe carries.
    forking = get_context("fork")
    ends: list[Connection] = []
    processes = []
    for share in shares:
        ours, theirs = forking.Pipe(duplex=False)
        process = forking.Process(target=_work, args=(ranges, judges, share, theirs), daemon=True)
        process.start()
        theirs.close()
        ends.append(ours)
        processes.append(process)
    try:
        yield from _told(ends)
        for process in processes:
            process.join()
            if process.exitcode:
                raise KafkaProblem("a process of the backtest ended early")
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _told(ends: list[Connection]) -> Iterator[_Step]:
    """Give what the processes tell, until all have closed their ends."""
    decoder = msgspec.msgpack.Decoder(tuple[Part, list[tuple[str, int, int]], float] | str)
    while ends:
        for end in wait(ends):
            if not isinstance(end, Connection):
                continue
            try:
                told = decoder.decode(end.recv_bytes())
            except EOFError:
                ends.remove(end)
                continue
            if isinstance(told, str):
                raise KafkaProblem(told)
            part, reached, seconds = told
            yield part, {(topic, partition): offset for topic, partition, offset in reached}, seconds


def _work(ranges: Ranges, judges: Judges, share: Mapping[Place, tuple[int, int]], out: Connection) -> None:
    """Judge some partitions in a process of its own. A full pipe makes it wait, so that memory stays bounded."""
    try:
        for part, reached, seconds in _judged(ranges, judges, share):
            places = [(*place, offset) for place, offset in reached.items()]
            out.send_bytes(msgspec.msgpack.encode((part, places, seconds)))
    except KafkaProblem as problem:
        out.send_bytes(msgspec.msgpack.encode(str(problem)))
    finally:
        out.close()


def _judged(ranges: Ranges, judges: Judges, share: Mapping[Place, tuple[int, int]]) -> Iterator[_Step]:
    with ranges.replay(share) as replay:
        comparison = judges.comparison(replay)
        clock = time.process_time()
        for records, ledger in replay.batches(lambda _count: None):
            part = comparison.part(records, ledger)
            reached = {(record.topic, record.partition): record.offset + 1 for record in records}
            now = time.process_time()
            yield part, reached, now - clock
            clock = now


def _shares(left: Mapping[Place, tuple[int, int]], jobs: int) -> list[dict[Place, tuple[int, int]]]:
    """Deal partitions out, the largest first, each to the process that has least."""
    shares: list[dict[Place, tuple[int, int]]] = [{} for _ in range(max(1, min(jobs, len(left))))]
    sizes = [0] * len(shares)
    for place, (start, end) in sorted(left.items(), key=lambda each: (each[1][0] - each[1][1], each[0])):
        least = sizes.index(min(sizes))
        shares[least][place] = start, end
        sizes[least] += end - start
    return [share for share in shares if share]


def _listed(left: Mapping[Place, tuple[int, int]]) -> list[tuple[str, int, int, int]]:
    return [(*place, start, end) for place, (start, end) in sorted(left.items())]


def _require_same(saved: _Saved, ranges: Ranges, diff: Diff, file: Path) -> None:
    if saved.form != _FORM or saved.topics != tuple(ranges.topics) or saved.diff.bundles != diff.bundles:
        raise ConfigProblems(
            [Problem(str(file), 0, "", "is of another backtest: other topics, rules or law; remove it or name another")]
        )


def _read(file: Path) -> _Saved | None:
    try:
        return msgspec.msgpack.decode(file.read_bytes(), type=_Saved)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise ConfigProblems([Problem(str(file), 0, "", "is no saved backtest; remove it or name another")]) from None


def _write(file: Path, saved: _Saved) -> None:
    # Beside it and then over it: whoever is interrupted leaves the one before.
    beside = file.with_name(file.name + ".new")
    beside.write_bytes(msgspec.msgpack.encode(saved))
    beside.replace(file)
