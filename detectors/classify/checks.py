"""Cheap checks that a value can be what the name of its field says."""

import re
from collections.abc import Callable, Mapping

from detectors.classify.values import digits_in, is_coordinate, is_hash, is_luhn

_LONGEST = 512
_IP = re.compile(r"[0-9a-fA-F:.]{3,45}\Z")
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].{0,40})?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{8}|-{0,2}\d{2}-\d{2}|[01]?\d[/.][0-3]?\d)\Z"
)
_POSTAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]{1,10}\Z")
_EXPIRY = re.compile(r"(?:\d{1,6}|\d{1,2} ?[/.-] ?\d{2,4}|\d{4}[/.-]\d{2})\Z")
_PHONE = re.compile(r"[+0-9 ().\-/]{7,32}(?:(?:ext|x)\.? ?\d{1,6})?\Z")
_GENDERS = frozenset(
    """
    m f d x o u w k v h male female man woman men women boy girl diverse nonbinary non-binary other intersex trans transgender agender he/him she/her they/them
    männlich weiblich divers mann frau homme femme masculin féminin hombre mujer masculino femenino feminino maschio femmina uomo donna vrouw
    mężczyzna kobieta homem mulher мужской женский муж жен м ж 男 女 男性 女性 その他
    """.split()  # noqa: SIM905 - a list would be one line for each word
)
_STATES_OF_RECORDS = frozenset(
    """
    active inactive enabled disabled invited declined pending complete completed confirmed unconfirmed open closed cancelled canceled paid unpaid draft
    approved rejected accepted failed success successful error processing processed expired valid invalid verified unverified subscribed unsubscribed
    blocked archived deleted published started stopped running ready available unavailable authorized captured refunded shipped delivered guest registered
    """.split()  # noqa: SIM905 - a list would be one line for each word
)
"""What `state` says of an account or an order: no place is called so."""
_HOUSE = re.compile(r"[#№]?\d{1,6}(?: ?[A-Za-z]{1,3})?(?:[ \-/]\d{1,4}[A-Za-z]?)?\Z")
_GEOHASH = re.compile(r"[0-9b-hjkmnp-z]{7,12}\Z")
_PAIR = re.compile(r"\s*\(?\s*(-?\d{1,3}\.\d{1,17})\s*[,; ]\s*(-?\d{1,3}\.\d{1,17})\s*\)?\s*\Z")


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
    return any(map(str.isalpha, text)) and not _IP.match(text)


def _is_house(text: str) -> bool:
    return _HOUSE.match(text) is not None or _is_street(text)


def _is_city(text: str) -> bool:
    return (_is_words(text) and digits_in(text) <= 4) or is_hash(text)  # a postal district


def _is_postal(text: str) -> bool:
    return (_POSTAL.match(text) is not None and digits_in(text) > 0) or is_hash(text)


def _is_region(text: str) -> bool:
    if text.lower() in _STATES_OF_RECORDS:
        return False
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
    if is_hash(text):
        return True
    return _IP.match(first) is not None and (first.count(".") == 3 or first.count(":") >= 2)  # IPv4, IPv6


def _is_id(text: str) -> bool:
    return len(text) <= _LONGEST


def _is_adid(text: str) -> bool:
    # The zero identifier means refused. A name that says it all needs no more of the value: what stands there is what the recipient matches by.
    return 3 <= len(text) <= 256 and " " not in text and bool(text.replace("-", "").strip("0"))


def _is_agent(text: str) -> bool:
    return ("/" in text and len(text) > 5) or (
        len(text) >= 8 and any(map(str.isalpha, text)) and text[:3] != "UA-"
    )  # product token and version; a number of a property


def _is_api_key(text: str) -> bool:
    # Keys that are made to be shown begin with it.
    return (
        12 <= len(text) <= _LONGEST
        and digits_in(text) > 0
        and any(map(str.isalpha, text))
        and " " not in text
        and text[:2].lower() != "pk"
    )


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
    "apikey": _is_api_key,
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
    "house": _is_house,
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
