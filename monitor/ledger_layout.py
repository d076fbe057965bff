"""How the ledger writes things down: keys of subjects, versions of fixed length, and the words that versions share."""

import struct
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from topics.consent import ConsentRecord
from topics.flow import PURPOSES
from topics.record import Place, RawRecord
from topics.subject import KINDS

LAYOUT = 2
MAX_TIME_MS = 1 << 53
"""A choice that claims a later moment than this is not a time."""
MAX_WORDS = 65_536
"""Words with a source of their own. Beyond it sources are written as `other`: what is stored stays bounded."""

# Big-endian and time first: LMDB keeps the versions of a subject sorted by their bytes, so the newest is the last.
_VERSION = struct.Struct(">QQqI")
VERSION_BYTES = _VERSION.size
unpack = _VERSION.unpack
"""Version -> at_ms, offset, broker_ms, word."""

_HEX = 32
_RECENT_WORDS = 65_536
_ENCODE = msgspec.msgpack.encode


class Word(NamedTuple):
    """What many versions have in common, stored once."""

    granted: tuple[str, ...]
    refused: tuple[str, ...]
    source: str
    topic: str
    partition: int
    after_gpc_notice: bool


_WORD = msgspec.msgpack.Decoder(tuple[tuple[str, ...], tuple[str, ...], str, str, int, bool])


def read_word(data: bytes | memoryview) -> Word:
    """Read a stored word."""
    return Word(*_WORD.decode(data))


class Words:
    """The words in use by id, and those that the batch under way adds."""

    def __init__(self, stored: Mapping[bytes, int]) -> None:
        self.ids = dict(stored)
        self.fresh: dict[bytes, int] = {}
        """Of the batch under way: data -> id."""
        self._recent: dict[Any, int] = {}

    def word(self, choice: ConsentRecord, record: RawRecord) -> int:
        """Give the id of what this record shares with others."""
        said = (
            choice.granted,
            choice.refused,
            choice.source,
            record.topic,
            record.partition,
            choice.after_gpc_notice,
        )
        known = self._recent.get(said)
        if known is None:
            if len(self._recent) >= _RECENT_WORDS:
                self._recent.clear()
            known = self._recent[said] = self._stored(Word(*said))
        return known

    def written(self) -> None:
        """Note that the words of the batch under way are stored."""
        self.ids.update(self.fresh)
        self.fresh = {}

    def forgotten(self) -> None:
        """Note that the batch under way was not stored."""
        self.fresh = {}
        self._recent.clear()

    def _stored(self, word: Word) -> int:
        number = len(self.ids) + len(self.fresh)
        word = word._replace(
            granted=_known(word.granted),
            refused=_known(word.refused),
            source=word.source[:64] if number < MAX_WORDS else "other",
        )
        data = _ENCODE(word)
        found = self.ids.get(data) or self.fresh.get(data)
        if found is None:
            found = self.fresh[data] = number + 1
        return found


def _known(purposes: tuple[str, ...]) -> tuple[str, ...]:
    """Keep what can cover a purpose at all, sorted: a record can hold any words, and each list is stored for ever."""
    kept = {each for each in purposes if each == "*" or any(p == each or p.startswith(each + ".") for p in PURPOSES)}
    return tuple(sorted(kept))


def pack(choice: ConsentRecord, record: RawRecord, word: int) -> bytes:
    """Write one version: 28 bytes, whose order is that of the choices."""
    return _VERSION.pack(choice.at_ms, record.offset, record.timestamp_ms, word)


def subject_key(subject: str) -> bytes:
    """Give the key of a subject: the raw hash and then the id of the hash key, half the length of its text.

    A subject that somebody else hashed, in a form of their own, gets 16 bytes of a hash of its text: the lengths keep
    the two apart.
    """
    if _HEX + 1 < len(subject) < _HEX + 64 and subject[-_HEX - 1] == ".":
        try:
            raw = bytes.fromhex(subject[-_HEX:])
        except ValueError:
            raw = b""
        # Spaces are no digits, and would be passed over.
        if len(raw) == 16:
            return raw + subject[: -_HEX - 1].encode("utf-8", "surrogatepass")
    return blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def link_value(other: bytes, kind: str) -> bytes:
    """Write one end of a link: the kind of the other identifier, and its key."""
    return bytes((KINDS.index(kind),)) + other


IS_USER_ID = KINDS.index("user_id")


def offset_name(place: Place) -> bytes:
    """Name the stored offset of a partition."""
    topic, partition = place
    return f"offset:{partition}:{topic}".encode()


def offset_place(name: bytes) -> Place | None:
    """Give the partition of a stored offset; None for other names."""
    if not name.startswith(b"offset:"):
        return None
    _, partition, topic = name.decode().split(":", 2)
    return topic, int(partition)
