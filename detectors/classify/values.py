"""Looks of values: cheap checks that a value can be what its name says, and the masked shape that stands for it."""

import re
from collections.abc import Callable, Mapping
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
_IP = re.compile(r"[0-9a-fA-F:.]{3,45}\Z")
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].{0,40})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{8}|-{0,2}\d{2}-\d{2})\Z"
)
_POSTAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,10}\Z")
_EXPIRY = re.compile(r"(?:\d{1,6}|\d{1,2} ?[/.-] ?\d{2,4}|\d{4}[/.-]\d{2})\Z")
_PHONE = re.compile(r"[+0-9 ().\-/]{7,32}(?:(?:ext|x)\.? ?\d{1,6})?\Z")
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
_GENDERS = frozenset(
    [
        "m",
        "f",
        "d",
        "x",
        "o",
        "u",
        "male",
        "female",
        "man",
        "woman",
        "men",
        "women",
        "boy",
        "girl",
        "diverse",
        "nonbinary",
        "non-binary",
        "other",
        "intersex",
        "trans",
        "transgender",
        "agender",
        "männlich",
        "weiblich",
        "divers",
        "homme",
        "femme",
        "hombre",
        "mujer",
        "masculino",
        "femenino",
        "feminino",
        "maschio",
        "femmina",
        "he/him",
        "she/her",
        "they/them",
    ]
)
_GEOHASH = re.compile(r"[0-9b-hjkmnp-z]{7,12}\Z")
_PAIR = re.compile(r"\s*\(?\s*(-?\d{1,3}\.\d{1,17})\s*[,; ]\s*(-?\d{1,3}\.\d{1,17})\s*\)?\s*\Z")
_UNMASKED = frozenset("@.-+")
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
    """Give the first e-mail address in a text, or empty. Linear: each `@` looks at a bounded window."""
    at = text.find("@")
    while at >= 0:
        window = text[max(0, at - 64) : at]
        local = window[len(window.rstrip(_LOCAL)) :].lstrip(".-'")
        after = text[at + 1 : at + 254]
        domain = after[: len(after) - len(after.lstrip(_DOMAIN))].rstrip(".-")
        if local and _is_mail_domain(domain) and not _is_user_of_url(text, at - len(local)):
            return f"{local}@{domain}"
        at = text.find("@", at + 1)
    return ""


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
    scheme = text.rfind("://", 0, start)
    return scheme >= 0 and start - scheme <= _LONGEST and not any(mark in text[scheme + 3 : start] for mark in "/?# ")


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


def _is_words(text: str) -> bool:
    return len(text) <= 80 and "://" not in text and "@" not in text and any(map(str.isalpha, text))  # characters


def _is_email(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    return bool(at and local and "." in domain and len(text) <= 254 and not any(map(str.isspace, text)))  # RFC 5321


def _is_phone(text: str) -> bool:
    return _PHONE.match(text) is not None and 7 <= digits_in(text) <= 16  # E.164 with trunk prefix


def _is_street(text: str) -> bool:
    if len(text) > 160 or "://" in text or "@" in text or text.startswith("0x"):  # characters
        return False
    return (any(map(str.isalnum, text)) and not _IP.match(text)) or (
        text.isdigit() and len(text) <= 6
    )  # a house number


def _is_city(text: str) -> bool:
    return (_is_words(text) and digits_in(text) <= 4) or is_hash(text)  # a postal district


def _is_postal(text: str) -> bool:
    return (_POSTAL.match(text) is not None and digits_in(text) > 0) or is_hash(text)


def _is_region(text: str) -> bool:
    return _is_city(text) or (len(text) <= 3 and text.isalnum())  # ISO 3166 codes


def _is_date(text: str) -> bool:
    if _DATE.match(text) or is_hash(text):
        return True
    if text.isascii() and text.removeprefix("-").isdigit():
        return 1 <= int(text) <= 31 or 1900 <= int(text) <= 2100 or len(text) >= 9  # day or month, year, epoch
    return text[:3].lower() in _MONTHS and len(text) <= 20  # characters


_MONTHS = frozenset(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])


def _is_age(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text[:4]) <= 120  # years


def _is_gender(text: str) -> bool:
    return text.lower() in _GENDERS or is_hash(text)


def _is_card(text: str) -> bool:
    number = text.replace(" ", "").replace("-", "")
    return (
        12 <= len(number) <= 19 and number.isascii() and number.isdigit() and is_luhn(number) and len(set(number)) > 1
    )  # ISO/IEC 7812


def _is_cvv(text: str) -> bool:
    return len(text) in {3, 4} and text.isascii() and text.isdigit()


def _is_ip(text: str) -> bool:
    first = text.partition(",")[0].strip()
    return _IP.match(first) is not None and (first.count(".") == 3 or first.count(":") >= 2)  # IPv4, IPv6


def _is_id(text: str) -> bool:
    return len(text) <= _LONGEST - 1


def _is_adid(text: str) -> bool:
    return 8 <= len(text) <= 256 and not text.startswith("00000000-")  # the zero identifier means refused


def _is_agent(text: str) -> bool:
    return ("/" in text and len(text) > 5) or len(text) > 20  # product token and version


def _is_account(text: str) -> bool:
    return (5 <= len(text) <= 42 and digits_in(text) >= 4) or "@" in text  # IBAN, routing and account numbers


def _is_tax_id(text: str) -> bool:
    return 5 <= len(text) <= 24 and digits_in(text) >= 5


def _is_place(text: str) -> bool:
    pair = _PAIR.match(text)
    if pair:
        first, second = pair.group(1), pair.group(2)
        decimals = max(is_coordinate(first, 180), is_coordinate(second, 180))
        return decimals >= 3 and abs(float(first)) <= 180 and abs(float(second)) <= 180  # degrees
    return bool(_GEOHASH.match(text) and digits_in(text)) or (
        text.count(".") == 2 and text.strip("/").replace(".", "").isalpha()
    )  # three words


CHECKS: Mapping[str, Callable[[str], bool]] = {
    "account": _is_account,
    "adid": _is_adid,
    "age": _is_age,
    "agent": _is_agent,
    "card": _is_card,
    "city": _is_city,
    "coordinates": _is_place,
    "cvv": _is_cvv,
    "date": _is_date,
    "email": _is_email,
    "expiry": lambda text: _EXPIRY.match(text) is not None,
    "gender": _is_gender,
    "hash": is_hash,
    "id": _is_id,
    "ip": _is_ip,
    "phone": _is_phone,
    "postal": _is_postal,
    "region": _is_region,
    "secret": _is_id,
    "street": _is_street,
    "taxid": _is_tax_id,
    "text": _is_id,
    "words": _is_words,
}
"""Every check that a category may name, from the text of a value that is not masked."""


def shape(value: str) -> str:
    """Mask a value: letters as `a`, digits as `9`, runs counted, `@ . - +` kept, all else `_`. At most 32 characters."""
    runs: list[tuple[str, int]] = []
    for character in value[:_SHAPED]:
        mark = (
            character if character in _UNMASKED else "9" if character.isdigit() else "a" if character.isalpha() else "_"
        )
        if runs and runs[-1][0] == mark:
            runs[-1] = (mark, runs[-1][1] + 1)
        else:
            runs.append((mark, 1))
    masked = ""
    for mark, count in runs:
        piece = mark if count == 1 else f"{mark}{{{count}}}"
        if len(masked) + len(piece) > _SHAPE_LENGTH:
            break
        masked += piece
    return masked
