"""Consent and link records, read in batches into rows of the ledger.

Platforms write millions of records that differ in nothing but the moment and the subject, at the same places in the
bytes. What is left when these two are cut out (the frame) was decoded once and is found again by value, and the two are
read for a whole batch at once: 0.7 us a record instead of 4 (`tests/bench/ledger.py`); where each has a text of its own, all are decoded. A frame is learned only where
two probes show that the record means the same with any moment and subject in their places; everything else is decoded.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.ledger_layout import (
    KEY_BYTES,
    MAX_TIME_MS,
    ROW_BYTES,
    Words,
    key_prefix,
    link_value,
    pack,
    subject_key,
)
from topics.consent import ConsentRecord, decode
from topics.consent import read as read_consent
from topics.links import read as read_link
from topics.record import Place, RawRecord, Rejected, Stretch
from topics.subject import SubjectKey

Rows = NDArray[np.uint8]
"""(n, 44): keys and versions."""

_DIGITS, _HEX = 13, 2 * KEY_BYTES
"""Digits of a moment in this century, and of a subject."""
_POWERS = 10 ** np.arange(_DIGITS - 1, -1, -1, dtype=np.int64)
_FEWEST = 64
"""Records of one partition below which a frame is not worth its fixed costs."""
_MOST_FRAMES = 65_536
_MOST_LESSONS = 64
"""Frames that a batch may teach: where they do not repeat, to learn them is for nothing."""
_REST = 16
"""Batches that are decoded after one whose records have little in common."""
_PROBES = ((b"1000000000000", b"0" * _HEX), (b"9999999999999", b"f" * _HEX))
_ROW = np.dtype([("key", "V16"), ("at", ">u8"), ("offset", ">u8"), ("broker", ">i8"), ("word", ">u4")])

_NO_DIGIT = 255
_NIBBLES = np.full(256, _NO_DIGIT, np.uint8)
_NIBBLES[list(b"0123456789abcdef")] = range(16)


class Intake(msgspec.Struct):
    """What a batch of records says."""

    rows: Rows
    links: list[tuple[bytes, bytes]]
    next_offsets: Mapping[Place, int]
    rejected: int
    late: int


class _Cuts(msgspec.Struct, frozen=True):
    """Where a moment and a subject stand in the bytes of a record."""

    moment: int
    subject: int

    @property
    def length(self) -> int:
        """Give how much of a record holds both."""
        return max(self.moment + _DIGITS, self.subject + _HEX)

    def fill(self, head: bytes, moment: bytes, subject: bytes) -> bytes:
        """Put a moment and a subject into their places."""
        filled = bytearray(head)
        filled[self.moment : self.moment + _DIGITS] = moment
        filled[self.subject : self.subject + _HEX] = subject
        return bytes(filled)


class _Frames:
    """The frames of one partition: their words name the partition. All begin alike; the ends differ."""

    def __init__(self) -> None:
        self.cuts: _Cuts | None = None
        self.head = b""
        """How they begin, with one moment and one subject."""
        self.words: dict[bytes, int] = {}
        """By how they end."""
        self.hits = 0
        self.resting = 0
        """Batches for which frames are not tried, after one that had none of them."""
        self._mask = self._expected = np.empty(0, np.uint8)

    def rows(self, records: Stretch) -> tuple[NDArray[np.void], Iterable[int]]:
        """Give the rows of the records that fit, and which do not."""
        cuts, count = self.cuts, len(records.values)
        if cuts is None or count < _FEWEST or self.resting:
            self.resting -= self.resting > 0
            return np.empty(0, _ROW), range(count)
        # Column by column: a step that is the same for all of them costs a part of one in a loop.
        length = cuts.length
        values = cast("Sequence[bytes]", records.values)
        if None in records.values:
            values = [value or b"" for value in records.values]
        known = self.words.get
        words = np.array([known(value[length:], 0) for value in values], np.uint32)
        beginnings = b"".join([value[:length] for value in values])
        if len(beginnings) < count * length:
            beginnings = b"".join([value[:length].ljust(length) for value in values])
        heads = np.frombuffer(beginnings, np.uint8).reshape(count, length)
        moments = heads[:, cuts.moment : cuts.moment + _DIGITS] - np.uint8(ord("0"))
        nibbles = _NIBBLES[heads[:, cuts.subject : cuts.subject + _HEX]]
        rows = np.empty(count, _ROW)
        rows["key"] = (nibbles[:, ::2] << 4 | nibbles[:, 1::2]).view("V16").ravel()
        rows["at"] = moments @ _POWERS
        rows["offset"] = records.offsets
        rows["broker"] = records.times_ms
        rows["word"] = words
        wrong = self._wrong(heads)
        if words.all() and not wrong.any() and moments.max() <= 9 and moments[:, 0].all() and nibbles.max() < _NO_DIGIT:
            self.hits = count
            return rows, ()
        fit = (words > 0) & ~wrong.any(axis=1) & (moments <= 9).all(axis=1) & (moments[:, 0] > 0)
        fit &= (nibbles != _NO_DIGIT).all(axis=1)
        self.hits = int(np.count_nonzero(fit))
        self.resting = _REST if self.hits < count // 4 else 0
        return rows[fit], np.flatnonzero(~fit).tolist()

    def teach(self, cuts: _Cuts, head: bytes) -> None:
        """Take records that begin so for the usual ones."""
        self.cuts, self.head, self.words = cuts, head, {}
        self._mask = np.full(cuts.length, 255, np.uint8)
        self._mask[cuts.moment : cuts.moment + _DIGITS] = 0
        self._mask[cuts.subject : cuts.subject + _HEX] = 0
        self._expected = np.frombuffer(head, np.uint8) & self._mask

    def _wrong(self, heads: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Give the differences from how they all begin, moment and subject apart."""
        return (heads & self._mask) ^ self._expected


class ConsentIntake:
    """Reads batches; remembers frames and words between them."""

    def __init__(self, key: SubjectKey, words: Words, links_topic: str, *, record_key: str, history: bool) -> None:
        self._key = key
        self._prefix = key_prefix(key.key_id)
        self._words = words
        self._links_topic = links_topic
        self._record_key = record_key
        self._history = history
        self._frames: dict[Place, _Frames] = {}
        self._lessons = 0

    def forget(self) -> None:
        """Note that the words of the last batch were not stored."""
        self._frames.clear()

    def read(self, batch: Sequence[Stretch], settle_ms: int) -> Intake:
        """Read a batch. Never raises for what a record holds."""
        rows: list[bytes] = []
        links: list[tuple[bytes, bytes]] = []
        next_offsets: dict[Place, int] = {}
        rejected = late = 0
        self._lessons = _MOST_LESSONS
        for records in batch:
            place = records.place
            next_offsets[place] = max(next_offsets.get(place, 0), records.offsets[-1] + 1)
            if place[0] == self._links_topic:
                rejected += self._add_links(records, links)
                continue
            frames = self._frames.get(place)
            if frames is None:
                frames = self._frames[place] = _Frames()
            fitting, others = frames.rows(records)
            rows.append(fitting.tobytes())
            late += int(
                np.count_nonzero(fitting["broker"].astype(np.int64) - fitting["at"].astype(np.int64) > settle_ms)
            )
            for record in map(records.record, others):
                at_ms = self._decode(record, frames, rows)
                rejected += at_ms is None
                late += at_ms is not None and record.timestamp_ms - at_ms > settle_ms
        return Intake(
            np.frombuffer(b"".join(rows), np.uint8).reshape(-1, ROW_BYTES), links, next_offsets, rejected, late
        )

    def _decode(self, record: RawRecord, frames: _Frames, rows: list[bytes]) -> int | None:
        """Add the rows of one record. Gives the moment of which it speaks; None when it is refused."""
        if not record.value:
            return self._erase(record, rows)
        parsed = read_consent(record, self._key)
        if isinstance(parsed, Rejected) or parsed[1].at_ms > MAX_TIME_MS:
            return None
        subjects, choice = parsed
        word = self._words.of_choice(choice, (record.topic, record.partition), history=self._history)
        version = pack(choice.at_ms, record, word)
        rows.extend([subject_key(subject, self._prefix) + version for subject in subjects])
        if self._lessons and not frames.resting and choice.subject.startswith(self._prefix):
            self._lessons -= 1
            self._learn(record.value, choice, frames, word)
        return choice.at_ms

    def _erase(self, record: RawRecord, rows: list[bytes]) -> int | None:
        """Take a tombstone: what the subject of its key chose until then goes."""
        if record.value is not None or not record.key or record.timestamp_ms < 0:
            return None
        name = record.key.decode("utf-8", "replace")
        subject = name if self._record_key == "subject" else self._key.hash(self._record_key, name)
        word = self._words.of_tombstone((record.topic, record.partition))
        rows.append(subject_key(subject, self._prefix) + pack(record.timestamp_ms, record, word))
        return record.timestamp_ms

    def _learn(self, value: bytes, choice: ConsentRecord, frames: _Frames, word: int) -> None:
        """Remember the frame of a record, if it is one."""
        moment, subject = str(choice.at_ms).encode(), choice.subject[len(self._prefix) :].encode()
        cuts = _Cuts(value.find(moment), value.find(subject))
        if len(moment) != _DIGITS or len(subject) != _HEX or min(cuts.moment, cuts.subject) < 0:
            return
        head, end = value[: cuts.length], value[cuts.length :]
        for moment, subject in _PROBES:
            probed = decode(cuts.fill(head, moment, subject) + end)
            expected = msgspec.structs.replace(choice, at_ms=int(moment), subject=self._prefix + subject.decode())
            if probed != expected:
                return
        head = cuts.fill(head, *_PROBES[0])
        if cuts != frames.cuts or head != frames.head:
            if frames.hits:
                # Another order of fields beside the usual one.
                return
            frames.teach(cuts, head)
        if len(frames.words) >= _MOST_FRAMES:
            frames.words.clear()
        frames.words[end] = word

    def _add_links(self, records: Stretch, links: list[tuple[bytes, bytes]]) -> int:
        """Add both ends of each link, and give how many records were none."""
        rejected = 0
        for record in map(records.record, range(len(records.values))):
            link = read_link(record)
            if isinstance(link, Rejected):
                rejected += 1
                continue
            first, second = subject_key(link.first, self._prefix), subject_key(link.second, self._prefix)
            links.append((first, link_value(second, link.second_kind)))
            links.append((second, link_value(first, link.first_kind)))
        return rejected
