"""How the ledger writes things down: keys of subjects, versions of fixed length, and the words that versions share."""

import struct
from binascii import unhexlify
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from detectors.consent.ledger import Forgets, Word
from topics.consent import ConsentRecord
from topics.flow import PURPOSES
from topics.record import Place, RawRecord
from topics.subject import KINDS

LAYOUT = 3
MAX_TIME_MS = 1 << 53
"""A choice that claims a later moment than this is not a time."""
MAX_WORDS = 65_536
"""Words with a source of their own. Beyond it sources are written as `other`: what is stored stays bounded."""

# Big-endian and time first: sorted by their bytes, the newest version of a subject is the last.
_VERSION = struct.Struct(">QQqI")
VERSION_BYTES = _VERSION.size
KEY_BYTES = 16
ROW_BYTES = KEY_BYTES + VERSION_BYTES
"""A row is the key of a subject and one version."""
unpack = _VERSION.unpack
"""Version -> at_ms, offset, broker_ms, word."""

_HEX = 2 * KEY_BYTES
_RECENT_WORDS = 65_536
_ENCODE = msgspec.msgpack.encode
read_word = msgspec.msgpack.Decoder(Word).decode
"""Stored word -> word."""


class Words:
    """The words in use by id, and those that the batch under way adds."""

    def __init__(self, stored: Mapping[bytes, int]) -> None:
        self.ids = dict(stored)
        self.fresh: dict[bytes, int] = {}
        """Of the batch under way: data -> id."""
        self._recent: dict[Any, int] = {}
        self._cuts = {number for data, number in stored.items() if _is_cut(read_word(data))}

    @property
    def cuts(self) -> Collection[int]:
        """Give the words that stand for everything before them: what came earlier is dropped."""
        return self._cuts

    def of_choice(self, choice: ConsentRecord, place: Place, *, history: bool) -> int:
        """Give the id of what this choice shares with others. Without history, its topic may have held earlier ones."""
        forgets = Forgets.NOTHING if history else Forgets.EARLIER
        return self.word(choice.granted, choice.refused, choice.source, *place, choice.after_gpc_notice, forgets)

    def of_tombstone(self, place: Place) -> int:
        """Give the id of the word for a subject that was taken out."""
        return self.word((), (), "", *place, False, Forgets.ERASED)

    def of_trimmed(self, word: int) -> int:
        """Give the id of the word for a version of this word that was dropped, with all older ones."""
        known = self._recent.get(word)
        if known is None:
            stored = next(data for words in (self.ids, self.fresh) for data, each in words.items() if each == word)
            was = read_word(stored)
            known = self._recent[word] = self.word((), (), "", was.topic, was.partition, False, Forgets.OLDER)
        return known

    def word(self, *said: Any) -> int:
        """Give the id of a word by its parts."""
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
        word = msgspec.structs.replace(
            word,
            granted=_known(word.granted),
            refused=_known(word.refused),
            source=word.source[:64] if number < MAX_WORDS else "other",
        )
        data = _ENCODE(word)
        found = self.ids.get(data) or self.fresh.get(data)
        if found is None:
            found = self.fresh[data] = number + 1
            if _is_cut(word):
                self._cuts.add(found)
        return found


def _is_cut(word: Word) -> bool:
    return word.forgets in {Forgets.ERASED, Forgets.OLDER}


def _known(purposes: tuple[str, ...]) -> tuple[str, ...]:
    """Keep what can cover a purpose at all, sorted: a record can hold any words, and each list is stored for ever."""
    kept = {each for each in purposes if each == "*" or any(p == each or p.startswith(each + ".") for p in PURPOSES)}
    return tuple(sorted(kept))


def pack(at_ms: int, record: RawRecord, word: int) -> bytes:
    """Write one version: 28 bytes, whose order is that of the choices."""
    return _VERSION.pack(at_ms, record.offset, record.timestamp_ms, word)


def settled(versions: bytes, words: Words, most: int) -> bytes:
    """Give the versions of one subject as they are kept, from all that were ever written, in any order and any number.

    Each once, sorted; none from before a tombstone; the newest `most`, and one that says that there were older ones.
    """
    kept = sorted({versions[start : start + VERSION_BYTES] for start in range(0, len(versions), VERSION_BYTES)})
    for index in range(len(kept) - 1, -1, -1):
        if _word_of(kept[index]) in words.cuts:
            del kept[:index]
            break
    surplus = len(kept) - most
    if surplus > 1 or (surplus == 1 and _word_of(kept[0]) not in words.cuts):
        newest_dropped = kept[surplus - 1]
        mark = newest_dropped[:-4] + words.of_trimmed(_word_of(newest_dropped)).to_bytes(4, "big")
        kept = [mark, *kept[surplus:]]
    return b"".join(kept)


def _word_of(version: bytes) -> int:
    return int.from_bytes(version[-4:], "big")


def key_prefix(key_id: str) -> str:
    """Give how a subject begins that was hashed under our own key."""
    return f"{key_id}."


def subject_key(subject: str, prefix: str) -> bytes:
    """Give the key of a subject, 16 bytes: the raw hash where it is ours (`prefix` and 32 hex digits).

    A subject that somebody else hashed, in a form of their own, gets a hash of its text.
    """
    if len(subject) == len(prefix) + _HEX and subject.startswith(prefix):
        try:
            return unhexlify(subject[-_HEX:])
        except ValueError:
            pass
    return blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()


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
