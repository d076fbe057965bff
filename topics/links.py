"""Two identifiers of one person, seen together in traffic: the record of `privacy.links.v1`."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations

import msgspec

from topics.record import RawRecord, Reason, Rejected
from topics.subject import KINDS, SubjectKey

_MAX_LINK_BYTES = 1024
_MAX_HASH = 200
_MAX_NAMED = len(KINDS)
"""Identifiers of one observation that are linked: one of each kind."""


class LinkRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False, cache_hash=True):
    """A pair of keyed hashes that one observation named together. The pair has no order: `first` sorts before `second`.

    The record key is the pair and not one subject: the topic is compacted, and of several links of a subject only the
    last would stay.
    """

    schema: str = "privacy.links.v1"
    first: str
    first_kind: str
    """Kind of the identifier behind the hash, from `topics.subject.KINDS`."""
    second: str
    second_kind: str

    @property
    def key(self) -> str:
        """Give the record key."""
        return f"{self.first} {self.second}"


_DECODER = msgspec.json.Decoder(LinkRecord)


@lru_cache(maxsize=32_768)
def links(key: SubjectKey, identifiers: tuple[tuple[str, str], ...]) -> tuple[LinkRecord, ...]:
    """Give each pair of an observation's (kind, value) identifiers, hashed. Values of unknown kinds are left out.

    Remembered by value: a person who is signed in says the same with every request.
    """
    named = [(key.hash(kind, value), kind) for kind, value in identifiers if kind in KINDS][:_MAX_NAMED]
    return tuple(_pairs(named))


def _pairs(named: Iterable[tuple[str, str]]) -> Iterator[LinkRecord]:
    for one, other in combinations(sorted(set(named)), 2):
        if one[0] != other[0]:
            yield LinkRecord(first=one[0], first_kind=one[1], second=other[0], second_kind=other[1])


def read(record: RawRecord) -> LinkRecord | Rejected:
    """Read a link record. Never raises."""
    if not record.value:
        return Rejected(Reason.EMPTY)
    if len(record.value) > _MAX_LINK_BYTES:
        return Rejected(Reason.TOO_LARGE)
    try:
        link = _DECODER.decode(record.value)
    except msgspec.ValidationError:
        return Rejected(Reason.SHAPE)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Rejected(Reason.SYNTAX)
    except RecursionError:
        return Rejected(Reason.TOO_DEEP)
    hashes_fit = all(0 < len(each) <= _MAX_HASH for each in (link.first, link.second))
    if not hashes_fit or link.first == link.second or not {link.first_kind, link.second_kind} <= set(KINDS):
        return Rejected(Reason.SHAPE)
    return link
