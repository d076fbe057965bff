"""Looks of values: what is masked, hashed, an e-mail address, a card number or a coordinate; and the shape that stands for a value."""

import re
from collections.abc import Iterator
from typing import Any

_LOCAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+'-"
_DOMAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"
_FILE_ENDINGS = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "avif",
        "ico",
        "css",
        "js",
        "mjs",
        "json",
        "html",
        "htm",
        "xml",
        "map",
        "woff",
        "woff2",
        "ttf",
        "mp4",
        "webm",
        "pdf",
    ]
)
_HASH = re.compile(r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=)\Z")
_CARDS_IN_TEXT = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?!\d)")
_EMPTY = frozenset(
    [
        "null",
        "none",
        "nil",
        "undefined",
        "nan",
        "unknown",
        "n/a",
        "na",
        "-",
        "--",
        "true",
        "false",
        "redacted",
        "filtered",
        "masked",
        "removed",
        "hidden",
        "anonymous",
        "anonymized",
        "anonymised",
        "scrubbed",
        "empty",
        "secret",
        "deleted",
    ]
)
_LONGEST_MARK = 16
_BEGINNINGS = frozenset("abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZ123456789+/")
_SHAPE_LENGTH = 32
_SHAPED = 64
_LONGEST = 512


def text_of(value: Any) -> str:
    """Give the text of a leaf that can hold personal data; empty for all that cannot (null, true, empty, masked)."""
    if isinstance(value, str):
        text = value[:_LONGEST].strip()
        return "" if is_masked(text) else text
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value)


def is_masked(text: str) -> bool:
    """Tell an empty, redacted, masked or unfilled value."""
    # Most values are longer than any mark of emptiness and begin like a word: nothing but stars can mask them.
    if len(text) > _LONGEST_MARK and text[0] in _BEGINNINGS:
        return "***" in text or "•••" in text
    bare = text.strip("[]<>(){}\"'* ").lower()
    if not bare or bare in _EMPTY or bare == "not set":
        return True
    if "***" in text or "•••" in text or text.startswith(("{{", "${", "<%")):
        return True
    return not bare.strip("x#.-_ 0") and not bare.isdigit()


def is_hash(text: str) -> bool:
    """Tell the hexadecimal form of MD5, SHA-1 or SHA-256, or the Base64 form of SHA-256."""
    return _HASH.match(text) is not None


def digits_in(text: str) -> int:
    """Count decimal digits (ASCII)."""
    return sum(map(text.count, "0123456789"))


def find_email(text: str) -> str:
    """Give the first e-mail address in a text, or empty."""
    return next(emails_in(text), "")


def emails_in(text: str) -> Iterator[str]:
    """Give the e-mail addresses in a text. Linear: each `@` looks at a bounded window."""
    at = text.find("@")
    while at >= 0:
        window = text[max(0, at - 64) : at]
        local = window[len(window.rstrip(_LOCAL)) :].lstrip(".-'")
        after = text[at + 1 : at + 254]
        domain = after[: len(after) - len(after.lstrip(_DOMAIN))].rstrip(".-")
        if local and _is_mail_domain(domain) and not _is_user_of_url(text, at - len(local)):
            yield f"{local}@{domain}"
        at = text.find("@", at + 1)


def _is_mail_domain(domain: str) -> bool:
    head, _, ending = domain.rpartition(".")
    if (
        not head or head.startswith((".", "-")) or ".." in head or not 2 <= len(ending) <= 24 or not ending.isalpha()
    ):  # length of top-level domains
        return False
    # `icon@2x.png` is a picture.
    return ending.lower() not in _FILE_ENDINGS


def _is_user_of_url(text: str, start: int) -> bool:
    """Tell `https://key@host`, where what stands before the sign is a credential of a machine."""
    # Only as far back as counts: from every address back to the beginning would take the square of the length.
    scheme = text.rfind("://", max(0, start - _LONGEST), start)
    return scheme >= 0 and not any(mark in text[scheme + 3 : start] for mark in "/?# ")


def find_card(text: str) -> str:
    """Give the first card number in a text, or empty."""
    for match in _CARDS_IN_TEXT.finditer(text):
        if looks_like_card(match.group()):
            return match.group()
    return ""


def looks_like_card(text: str) -> bool:
    """Tell a whole value that is a card number under any key: scheme prefix, the scheme's length, and the Luhn sum."""
    if not 14 <= len(text) <= 23 or not text[0].isdigit():  # 14 to 19 digits with separators
        return False
    number = text.replace(" ", "").replace("-", "")
    return number.isascii() and number.isdigit() and _is_of_scheme(number) and is_luhn(number)


def _is_of_scheme(number: str) -> bool:
    """Tell the length and leading digits of a card scheme (ISO/IEC 7812 issuer ranges, as widely published)."""
    two, three, four, length = int(number[:2]), int(number[:3]), int(number[:4]), len(number)
    if number[0] == "4":
        return length in {16, 19}
    if 51 <= two <= 55 or 2221 <= four <= 2720:  # Mastercard
        return length == 16
    if two in {34, 37}:
        return length == 15
    if two in {36, 38, 39} or 300 <= three <= 305:  # Diners Club
        return length == 14
    if four == 6011 or two == 65 or 644 <= three <= 649 or two == 62 or 3528 <= four <= 3589:  # Discover, UnionPay, JCB
        return 16 <= length <= 19
    return False


def is_luhn(number: str) -> bool:
    """Tell whether the last digit of a number is its Luhn check digit (ISO/IEC 7812-1, Annex B)."""
    doubled = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
    values = [int(digit) for digit in reversed(number)]
    return (sum(values[::2]) + sum(doubled[each] for each in values[1::2])) % 10 == 0


def is_coordinate(value: Any, limit: int) -> int:
    """Give the decimals of a coordinate within plus or minus the limit (degrees), or -1 when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return -1
    text = value.strip() if isinstance(value, str) else repr(value)
    whole, _, decimals = text.removeprefix("-").partition(".")
    if (
        len(text) > 24
        or not whole.isascii()
        or not whole.isdigit()
        or (decimals and not (decimals.isascii() and decimals.isdigit()))
    ):  # longest float
        return -1
    return len(decimals) if abs(float(text)) <= limit and float(text) != 0 else -1


def shape(value: str) -> str:
    """Mask a value: letters as `a`, digits as `9`, runs counted, `@ . - +` kept, all else `_`. At most 32 characters.

    Shapes are remembered by their marks, which hold nothing of the value: 0.3 us for a shape that was met before, 2 for a new one.
    """
    start = value[:_SHAPED]
    if not start.isascii():
        return _shape(start.translate(_MARKS))
    marks = start.encode().translate(_BYTE_MARKS)
    known = _SHAPES.get(marks)
    if known is None:
        if len(_SHAPES) >= _MOST_SHAPES:
            _SHAPES.clear()
        known = _SHAPES[marks] = _shape(marks.decode())
    return known


def _shape(marks: str) -> str:
    masked = ""
    for run in _RUNS.findall(marks):
        piece = run if len(run) == 1 else f"{run[0]}{{{len(run)}}}"
        if len(masked) + len(piece) > _SHAPE_LENGTH:
            break
        masked += piece
    return masked


class _Marks(dict[int, str]):
    """Marks by code point, worked out when first met and kept for the common scripts."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        mark = "9" if character.isdigit() else "a" if character.isalpha() else "_"
        if code < _COMMON:
            self[code] = mark
        return mark


_COMMON = 0x3000
_MARKS = _Marks({ord(character): character for character in "@.-+"})
_RUNS = re.compile(r"a+|9+|_+|[@.+-]")
_BYTE_MARKS = bytes(ord(chr(code).translate(_MARKS)) if code < 128 else ord("_") for code in range(256))
_SHAPES: dict[bytes, str] = {}
_MOST_SHAPES = 8_192
