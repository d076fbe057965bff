"""Bytes of records kept under a key: only who holds the secret can read them, and only for the place they came from."""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAX_SEALED_BYTES = 256 * 1024
"""Larger values are not kept: a dead letter must fit where its record may not have."""
_PURPOSE = b"privacy-monitor dead letters"


class SealBroken(Exception):
    """Sealed bytes that this key does not open: another key, another place, or somebody changed them."""


class Seal:
    """A key for the bytes of dead letters. Its id travels with what it sealed, so that keys can be changed.

    AES-SIV (RFC 5297) is authenticated and needs no nonce: the same record gives the same letter, however often it is read.
    That two letters of one place are equal is all that it shows.
    """

    def __init__(self, key_id: str, secret: bytes) -> None:
        self.key_id = key_id
        self._cipher = AESSIV(HKDF(SHA512(), 64, None, _PURPOSE).derive(secret))

    def close(self, data: bytes, place: str) -> str:
        """Seal bytes for a place (`cluster/topic/partition/offset`); empty when there are none or too many to keep."""
        if not data or len(data) > MAX_SEALED_BYTES:
            return ""
        return f"{self.key_id}.{base64.b64encode(self._cipher.encrypt(data, [place.encode()])).decode()}"

    def open(self, sealed: str, place: str) -> bytes:
        """Give the bytes. Raises SealBroken, which says why and holds nothing of them."""
        key_id, _, text = sealed.rpartition(".")
        if key_id != self.key_id:
            raise SealBroken(f"it was sealed under key {key_id!r}, and this is {self.key_id!r}")
        try:
            data = base64.b64decode(text, validate=True)
            if base64.b64encode(data).decode() != text:
                raise SealBroken("the letter was changed")
            return self._cipher.decrypt(data, [place.encode()])
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken("the secret is another, or the letter was changed") from None

    def __repr__(self) -> str:
        return f"Seal({self.key_id!r})"
