"""Opens what a text is wrapped in, one layer at a time: percent and entity codes, base64, hexadecimal, tokens, forms, markup, JSON."""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote_plus

from detectors.classify.encodings.binary import decompressed, texts_of_protobuf
from detectors.classify.encodings.forms import pairs_of, read_multipart
from detectors.classify.encodings.markup import read_markup
from detectors.classify.encodings.opened import Caps, Opened, Openings
from detectors.classify.encodings.strict import read_json

_BASE64 = re.compile(r"\s{0,4}[A-Za-z0-9+/_\-]{12,}={0,2}\s{0,4}")
_HEX = re.compile(r"(?:0x)?((?:[0-9A-Fa-f]{2}){6,})")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_PAIRS = re.compile(r"(?:[A-Za-z0-9_.\[\]%\-]{1,64}=[^&=\s]{0,2048}&)*[A-Za-z0-9_.\[\]%\-]{1,64}=[^&=\s][^&\s]{0,4096}")
_PRINTABLE_SHARE = 0.9
_SHORTEST = 6
_LONGEST_DIGEST = 64
_MOST_PACKED = 2
"""How often what was compressed twice is opened again."""
_NO_SPACE = 16_384
"""Characters of a text that are searched for a query."""


def unwrap(text: str, bits: int, carriers: Mapping[str, int], caps: Caps) -> Openings:
    """Open the outermost wrapping of a text, in every way that it can be one. Bits tell which ways are possible at all."""
    document, inside = _document(text, bits, carriers)
    if document is not None:
        yield Opened(document=document, inside=inside)
        return
    if bits & carriers["token"] and text.count(".") >= 2:
        yield from _token(text, caps)
    for name, change in _CHANGES.items():
        if bits & carriers[name] and caps.take(len(text)):
            changed = change(text)
            if changed != text:
                yield Opened(text=changed, inside=name)
    if bits & (carriers["base64"] | carriers["hex"]):
        yield from _coded(text, caps)


def ways_of(text: str, bits: int, carriers: Mapping[str, int]) -> int:  # noqa: C901 - one cheap question for each way
    """Tell cheaply in which of the ways that bits allow a text can be wrapped."""
    ways = 0
    if "=" in text:
        if bits & carriers["pairs"] and _query(text):
            ways = carriers["pairs"]
        if bits & carriers["multipart"] and "form-data" in text:
            ways |= carriers["multipart"]
    coded = bits & (carriers["base64"] | carriers["hex"])
    if coded and len(text) >= 12 and _BASE64.fullmatch(text):
        if not (len(text) == 36 and text[8] == "-" and _UUID.fullmatch(text)):
            ways |= coded
    elif bits & carriers["token"] and "eyJ" in text:
        ways |= carriers["token"]
    if bits & carriers["percent"] and "%" in text:
        ways |= carriers["percent"]
    if bits & carriers["entity"] and "&" in text and ";" in text:
        ways |= carriers["entity"]
    if bits & carriers["wide"] and not text.isascii():
        ways |= carriers["wide"]
    structured = bits & (carriers["json"] | carriers["markup"])
    if structured and text[:16].lstrip()[:1] in {"{", "[", "<"}:
        ways |= structured
    return ways


_CHANGES: Mapping[str, Callable[[str], str]] = {
    "percent": unquote_plus,
    "entity": html.unescape,
    "wide": partial(unicodedata.normalize, "NFKC"),
}
"""Codes that stand for single characters, and what undoes them."""


def _document(text: str, bits: int, carriers: Mapping[str, int]) -> tuple[Any, str]:
    """Read a text that is an object with names, and say how it was written."""
    start = text[:16].lstrip()[:1]
    document: Any = None
    if bits & carriers["json"] and start in {"{", "["}:
        document = read_json(text)
        if document is not None:
            return document, "json"
    if bits & carriers["markup"] and start == "<":
        return read_markup(text.encode("utf-8", "replace")), "markup"
    if bits & carriers["multipart"] and "form-data" in text:
        document = read_multipart(text)
    if document is None and bits & carriers["pairs"] and "=" in text:
        return _query(text) or None, "query"
    return document, "multipart"


def _query(text: str) -> dict[str, Any] | None:
    """Read the query of an address, and a text that is a form."""
    head, mark, query = text[:_NO_SPACE].partition("?")
    if not mark:
        head, query = "", text[:_NO_SPACE]
    elif " " in head:
        return None
    query, _, fragment = query.partition("#")
    if "=" in fragment:
        query = f"{query}&{fragment.lstrip('/?')}"
    return pairs_of(query) if mark or _PAIRS.fullmatch(query) else None


def _token(text: str, caps: Caps) -> Openings:
    """Open header and payload of a JSON Web Token (RFC 7519); its signature is not checked, whoever signed it disclosed it."""
    for piece in text.removeprefix("Bearer ").split(".")[:2]:
        data = _bytes_of_base64(piece)
        if data and data[:1] == b"{" and caps.take(len(data)):
            document = read_json(data.decode("utf-8", "replace"))
            if document is not None:
                yield Opened(document=document, inside="token")


def _coded(text: str, caps: Caps) -> Openings:
    """Open base64 and hexadecimal: what comes out is a text, compressed, or a message with texts in it."""
    bare = text.strip()
    digits = _HEX.fullmatch(bare)
    if digits:
        data = bytes.fromhex(digits.group(1))
        yield from _of_bytes(data, caps, "hex", digest=len(data) * 2 <= _LONGEST_DIGEST)
        return
    if _BASE64.fullmatch(bare):
        coded = _bytes_of_base64(bare)
        if coded:
            yield from _of_bytes(coded, caps, "base64", digest=len(coded) in {16, 20, 32, 64})


def _bytes_of_base64(text: str) -> bytes | None:
    """Decode base64, also with the letters of addresses and without padding."""
    bare = text.rstrip("=").translate(_STANDARD)
    if len(bare) % 4 == 1:
        return None
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


_STANDARD = str.maketrans("-_", "+/")


def _of_bytes(data: bytes, caps: Caps, inside: str, *, digest: bool) -> Openings:
    """Give what decoded bytes are. Of the length of a digest only longer texts of a message count: short ones are chance."""
    text = _readable(data)
    if text is not None:
        if caps.take(len(text)):
            yield Opened(text=text, inside=inside)
        return
    plain = decompressed(data, caps, guess=not digest)
    for _ in range(_MOST_PACKED):
        again = decompressed(plain, caps) if plain is not None and _readable(plain) is None else None
        if again is None:
            break
        plain = again
    if plain is not None:
        text = _readable(plain)
        if text is not None:
            yield Opened(text=text, inside=f"{inside}+compressed")
            return
    for each in texts_of_protobuf(data if plain is None else plain, _SHORTEST if digest else 3):
        yield Opened(text=each, inside="protobuf")


def _readable(data: bytes) -> str | None:
    """Decode UTF-8 that people could have written; None for all else."""
    if len(data) < _SHORTEST:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if text.isprintable():
        return text
    shown = sum(each.isprintable() or each in "\n\r\t" for each in text[:_NO_SPACE])
    return text if shown >= _PRINTABLE_SHARE * len(text[:_NO_SPACE]) else None
