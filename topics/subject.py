"""Keyed hashes of the identifiers of a person."""

import hmac
from collections.abc import Mapping
from functools import lru_cache

import msgspec

KINDS: tuple[str, ...] = ("user_id", "anonymous_id", "device_id", "email")
"""Kinds of identifier, most stable first."""


class SubjectKey(msgspec.Struct, frozen=True):
    """The secret under which subjects are hashed. Its id travels with each hash, so that keys can be rotated."""

    key_id: str
    secret: bytes

    def hash(self, kind: str, value: str) -> str:
        """Give `key id.hex`: 128 bits of HMAC-SHA-256 over kind and value.

        The kind is part of it: user 42 and visitor 42 are different people.
        """
        return _hash(self.key_id, self.secret, kind, value)

    def digest(self, data: bytes) -> str:
        """Give a keyed digest of bytes, for telling equal records apart without revealing them."""
        return f"{self.key_id}.{hmac.digest(self.secret, data, 'sha256')[:16].hex()}"

    def __repr__(self) -> str:
        return f"SubjectKey({self.key_id!r})"


@lru_cache(maxsize=65_536)
def _hash(key_id: str, secret: bytes, kind: str, value: str) -> str:
    message = f"{kind}:{value}".encode("utf-8", "surrogatepass")
    return f"{key_id}.{hmac.digest(secret, message, 'sha256')[:16].hex()}"


def hashes(key: SubjectKey, ids: Mapping[str, str]) -> tuple[str, ...]:
    """Hash the identifiers of known kinds, most stable first."""
    return tuple(key.hash(kind, ids[kind]) for kind in KINDS if ids.get(kind))
