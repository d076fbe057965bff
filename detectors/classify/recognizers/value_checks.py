"""Validators of values that no state issues: issuers, ranges, addresses on a network, names and terms."""

import ipaddress
import re
from collections.abc import Mapping

from detectors.classify.recognizers.checksums import digits_of, luhn, mod97, plain, weighted
from detectors.classify.recognizers.recognizer import Validator, any_value
from detectors.classify.recognizers.vocabulary import (
    GIVEN_NAMES,
    GOODS,
    HEALTH_TERMS,
    ORIENTATION_TERMS,
    POLITICAL_TERMS,
    RELIGIOUS_TERMS,
)
from detectors.classify.values import digits_in, find_email, is_hash, looks_like_card

_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_JAPANESE_NAME = re.compile(r"[一-鿿々]{1,4}[ 　]?[一-鿿々ぁ-んァ-ヶー]{1,6}")
_TITLES = frozenset(
    [
        "dr",
        "mr",
        "mrs",
        "ms",
        "miss",
        "prof",
        "sir",
        "herr",
        "frau",
        "mme",
        "mlle",
        "monsieur",
        "madame",
        "sr",
        "sra",
        "ing",
        "univ",
        "dipl",
        "mag",
        "bsc",
        "msc",
        "mba",
        "phd",
        "jr",
        "b",
        "a",
        "m",
        "eng",
    ]
)
_TELLING = frozenset(
    [
        "dr",
        "mr",
        "mrs",
        "ms",
        "prof",
        "herr",
        "frau",
        "mme",
        "mlle",
        "monsieur",
        "madame",
        "señor",
        "señora",
        "von",
        "zu",
        "du",
        "mba",
    ]
)
_PARTICLES = frozenset(
    [
        "de",
        "da",
        "di",
        "du",
        "van",
        "von",
        "der",
        "den",
        "la",
        "le",
        "el",
        "al",
        "bin",
        "ibn",
        "st",
        "del",
        "dos",
        "zu",
        "zur",
        "y",
        "e",
    ]
)
_ODD = {"0.0.0.0", "255.255.255.255"}  # noqa: S104 - compared with, never bound


def email(text: str) -> bool:
    """An address with a local part and a domain that is no name of a file."""
    return bool(find_email(text))


def phone(text: str) -> bool:
    """7 to 15 digits without the extension (E.164), not all alike, and no date."""
    number = re.split(r"x|ext", text, maxsplit=1)[0]
    count = digits_in(number)
    if not 7 <= count <= 16 or len(set(digits_of(number))) < 3:
        return False
    return not _LIKE_DATE.fullmatch(text)


_LIKE_DATE = re.compile(r"(?:19|20)\d\d[-/.][01]?\d[-/.][0-3]?\d.*|[0-3]?\d[-/.][01]?\d[-/.](?:19|20)\d\d")


def dialled(text: str) -> bool:
    """A number to dial under a name that says so: digits may repeat, but not all of them."""
    number = re.split(r"x|ext", text, maxsplit=1)[0]
    return 7 <= digits_in(number) <= 16 and len(set(digits_of(number))) > 1 and not _LIKE_DATE.fullmatch(text)


def salutation(text: str) -> bool:
    """One or two words with which a person is addressed, or that stand around a name."""
    words = text.lower().replace(".", " ").split()
    return bool(words) and all(word in _SALUTATIONS for word in words)


_SALUTATIONS = frozenset(
    """
    mr mrs ms miss mx dr prof professor sir madam lady lord rev hon capt col sgt jr sr ii iii iv esq phd md herr frau fräulein familie firma doktor dipl ing mag
    m mme mlle me monsieur madame mademoiselle maître sr sra srta don doña señor señora señorita sig signor signora signorina dott dottssa avv
    dhr mevr mw heer mevrouw de pan pani państwo dna exmo senhor senhora г-н г-жа господин госпожа уважаемый уважаемая 様 さん 先生 女士
    """.split()  # noqa: SIM905 - a list would be one line for each word
)


def has_digit(text: str) -> bool:
    """At least one digit: a house number."""
    return digits_in(text) > 0


def address_line(text: str) -> bool:
    """A street with a number or a kind of way, and more than one word; or Japanese with a place and a number."""
    if "://" in text or "@" in text or not any(map(str.isalpha, text)):
        return False
    if re.search(r"[都道府県市区町村][^,]*\d", text):
        return True
    words = text.replace(",", " ").split()
    head = text.rpartition(",")[0] or text
    if len(words) < 2 or not (digits_in(head) or _WAYS.search(head)):
        return False
    return (
        bool(_WAYS.search(head))
        or (digits_in(text) >= 4 and "," in text and len(words) >= 4)
        or _HOUSE.search(text) is not None
    )


_WAYS = re.compile(
    r"(?i)(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse|ring|ufer|damm|chaussee|hof|steig|markt|graben)\b|\b(?:rue|avenue|av\.?|ave\.?|boulevard|blvd\.?|chemin|"
    r"place|impasse|all[ée]e|quai|cours|route|street|st\.?|road|rd\.?|lane|ln\.?|drive|dr\.?|court|ct\.?|way|square|terrace|calle|carrer|plaza|paseo|via|piazza|viale|rua|"
    r"travessa|straat|laan|plein|gatan|gade|vej|ulica|ul\.|apt\.?|suite|box)\b"
)
_HOUSE = re.compile(r"^\d{1,6}[A-Za-z]? [^\W\d_]{2,}|[^\W\d_]{3,} \d{1,5}[A-Za-z]?(?:[-/]\d{1,4})?$")


def person(text: str) -> bool:
    """Two to six words of which one is a common given name, a title or a particle, and none is a thing; or a Japanese name of both parts."""
    words = _words_of_a_name(text)
    if words is None:
        return _JAPANESE_NAME.fullmatch(text) is not None
    return any(word in GIVEN_NAMES or _bare(word) in GIVEN_NAMES or word in _TELLING for word in words)


def name_like(text: str) -> bool:
    """Two to six words that begin like names and none of which is a thing; or a Japanese name of both parts."""
    return _words_of_a_name(text) is not None or _JAPANESE_NAME.fullmatch(text) is not None


def _words_of_a_name(text: str) -> list[str] | None:
    """Give the words in lower case; None where they are too few or too many, begin small, or name a thing."""
    words = _LETTERS.findall(text)
    lower = [word.lower() for word in words]
    if not 2 <= len(words) <= 8 or not GOODS.isdisjoint(lower) or text.isupper():
        return None
    if not all(word[0].isupper() or each in _PARTICLES for word, each in zip(words, lower, strict=True)):
        return None
    return lower if sum(each not in _TITLES for each in lower) >= 2 else None


def _bare(word: str) -> str:
    return word.translate(_ACCENTS)


_ACCENTS = str.maketrans("áàâäãåéèêëíìîïóòôöõúùûüçñ", "aaaaaaeeeeiiiiooooouuuucn")


def public_ipv4(text: str) -> bool:
    """An address on the public network that no version number resembles: two numbers of 32 and more, not ending with zero."""
    parts = [int(part) for part in text.split(".")]
    if any(part > 255 for part in parts) or text in _ODD or parts[3] == 0:
        return False
    # Networks of one's own (RFC 1918): a machine of the shop's.
    if parts[0] == 10 or (parts[0] == 172 and 16 <= parts[1] <= 31) or (parts[0] == 192 and parts[1] == 168):
        return False
    return sum(part >= 32 for part in parts) >= 2 and 1 <= parts[0] <= 223 and parts[0] != 127


def ipv6(text: str) -> bool:
    """An address of version 6 with at least four groups, or an abbreviation and three."""
    if text.count(":") < (2 if "::" in text else 7) or not _LONG_GROUP.search(text):
        return False
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified) and len(text) >= 6


_LONG_GROUP = re.compile(r"[0-9a-fA-F]{3}:|::")
"""What no time of day has."""


def mac(text: str) -> bool:
    """Neither all zero nor broadcast."""
    return len(set(plain(text))) > 2


def aba(text: str) -> bool:
    """Weights 3, 7, 1 and the ranges of the Federal Reserve."""
    digits = digits_of(text)
    first = digits[0] * 10 + digits[1]
    valid = first <= 12 or 21 <= first <= 32 or 61 <= first <= 72 or first == 80
    return valid and sum(digits) > 0 and weighted(digits, (3, 7, 1) * 3) % 10 == 0


def adid(text: str) -> bool:
    """Not the zero identifier, which means refused."""
    return bool(text.replace("-", "").strip("0"))


def coordinates(text: str) -> bool:
    """Degrees in range, neither of them zero."""
    numbers = [float(each) for each in re.findall(r"-?\d+\.\d+", text)]
    return (
        len(numbers) == 2
        and abs(numbers[0]) <= 180
        and abs(numbers[1]) <= 180
        and min(map(abs, numbers)) <= 90
        and all(numbers)
    )


def _one_of(terms: frozenset[str]) -> Validator:
    """Tell a text in which one of the terms stands as a word, in the singular or plural."""

    def check(text: str) -> bool:
        words = [word.lower() for word in _LETTERS.findall(text)]
        return len(words) <= 12 and not terms.isdisjoint(words)

    return check


def not_a_party(text: str) -> bool:
    """A political term that stands with no more than two further words."""
    return (
        len(text.split()) <= 3
        and _one_of(POLITICAL_TERMS | {"party", "socialdemocrats", "social"})(text)
        and "birthday" not in text.lower()
    )


VALUE_CHECKS: Mapping[str, Validator] = {
    "any": any_value,
    "email": email,
    "phone": phone,
    "dialled": dialled,
    "salutation": salutation,
    "has_digit": has_digit,
    "address_line": address_line,
    "person": person,
    "name_like": name_like,
    "public_ipv4": public_ipv4,
    "ipv6": ipv6,
    "mac": mac,
    "aba": aba,
    "adid": adid,
    "coordinates": coordinates,
    "issued_card": looks_like_card,
    "luhn": luhn,
    "mod97": mod97,
    "hash": is_hash,
    "health_term": _one_of(HEALTH_TERMS),
    "religious_term": _one_of(RELIGIOUS_TERMS),
    "orientation_term": _one_of(ORIENTATION_TERMS),
    "political_term": not_a_party,
}
"""Validators by the name that recognizers use."""
