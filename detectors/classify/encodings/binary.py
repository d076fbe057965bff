"""Bytes that are no text: compressed ones, opened under a cap and a ratio, and messages of Protocol Buffers with texts in them."""

import zlib
from collections.abc import Callable, Iterator

import cramjam

from detectors.classify.encodings.opened import EXPANDS, Caps

_LARGEST = 1 << 18
"""Bytes that one compressed value may grow to."""
_SHORTEST = 8
_BROTLI_WINDOWS = frozenset({0x0B, 0x0F})
"""First bits for windows of 4 and 16 MB, which encoders set unless they are told otherwise (RFC 7932, 9.1)."""
_DEFLATE_ONE_BLOCK = frozenset({3, 5})
"""First bits of a last block with fixed or dynamic codes (RFC 1951, 3.2.3)."""
_MOST_FIELDS = 512
_SHORTEST_TEXT = 3
_LENGTH_DELIMITED = 2


def decompressed(data: bytes, caps: Caps, *, guess: bool = True) -> bytes | None:
    """Open gzip, zlib and zstd, and by guessing Brotli and bare deflate; None for what is none, and for what expands too much, which is told."""
    if len(data) < _SHORTEST:
        return None
    cap = min(_LARGEST, caps.left, max(len(data) * caps.ratio, 1_024))
    if data[:2] == b"\x1f\x8b" or (data[:1] == b"\x78" and len(data) > 2 and (data[0] * 256 + data[1]) % 31 == 0):
        plain = _inflate(data, cap, caps)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        plain = _into(cramjam.zstd.decompress_into, data, cap, caps)
    else:
        # Neither has a mark: the first bits are asked, and what opens completely and is a text is believed.
        plain = None
        if guess and data[0] & 15 in _BROTLI_WINDOWS:
            plain = _brotli(data, cap)
        if guess and plain is None and data[0] & 7 in _DEFLATE_ONE_BLOCK:
            plain = _inflate(data, cap, None, window=-15)
    if plain is None or not caps.take(len(plain)):
        return None
    return plain


def _inflate(data: bytes, cap: int, caps: Caps | None, window: int = 47) -> bytes | None:
    opener = zlib.decompressobj(window)
    try:
        plain = opener.decompress(data, cap)
    except zlib.error:
        return None
    if opener.unconsumed_tail or (len(plain) >= cap and not opener.eof):
        if caps is not None:
            caps.blind.add(EXPANDS)
            return plain
        return None
    if caps is None and (not opener.eof or opener.unused_data or len(plain) < len(data)):
        return None
    return plain


def _into(open_into: Callable[[bytes, bytearray], int], data: bytes, cap: int, caps: Caps) -> bytes | None:
    buffer = bytearray(cap)
    try:
        count = open_into(data, buffer)
    except cramjam.DecompressionError:
        caps.blind.add(EXPANDS)
        return None
    return bytes(buffer[:count])


def _brotli(data: bytes, cap: int) -> bytes | None:
    buffer = bytearray(min(cap, len(data) * 32))
    try:
        count = cramjam.brotli.decompress_into(data, buffer)
    except cramjam.DecompressionError:
        return None
    plain = bytes(buffer[:count])
    try:
        return plain if count > len(data) // 2 and plain.decode().isprintable() else None
    except UnicodeDecodeError:
        return None


def texts_of_protobuf(data: bytes, shortest: int = _SHORTEST_TEXT) -> Iterator[str]:
    """Give the texts of a message whose fields account for every byte; nothing for all else.

    Wire format: developers.google.com/protocol-buffers/docs/encoding. Messages inside of messages are tried as such.
    """
    waiting = [data]
    left = _MOST_FIELDS
    while waiting and left > 0:
        fields = _fields(waiting.pop(), left)
        if fields is None:
            continue
        left -= len(fields) + 1
        for value in fields:
            try:
                text = value.decode()
            except UnicodeDecodeError:
                waiting.append(value)
                continue
            if text.isprintable() and len(text) >= shortest:
                yield text
            elif len(value) > _SHORTEST_TEXT:
                waiting.append(value)


def _fields(data: bytes, most: int) -> list[bytes] | None:
    """Give the length-delimited fields of a message; None where the bytes are no message."""
    fields: list[bytes] = []
    at, end, count = 0, len(data), 0
    while at < end:
        tag, at = _varint(data, at)
        kind, number = tag & 7, tag >> 3
        count += 1
        if at < 0 or not 1 <= number <= 536_870_911 or count > most:
            return None
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == _LENGTH_DELIMITED:
            length, at = _varint(data, at)
            if at < 0 or at + length > end:
                return None
            fields.append(data[at : at + length])
            at += length
        elif kind in {1, 5}:
            at += 8 if kind == 1 else 4
        else:
            return None
        if at < 0 or at > end:
            return None
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number and the place behind it; the place is negative where there is none."""
    value = shift = 0
    for index in range(at, min(at + 10, len(data))):
        value |= (data[index] & 0x7F) << shift
        if data[index] < 0x80:
            return value, index + 1
        shift += 7
    return 0, -1
