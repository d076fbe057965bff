"""Check digits of identifiers, each from its published rule. All take plain ASCII text and never raise."""

from collections.abc import Sequence

from detectors.classify.values import is_luhn

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def digits_of(text: str) -> list[int]:
    """Give the decimal digits of a text, without punctuation."""
    return [int(each) for each in text if each in "0123456789"]


def plain(text: str) -> str:
    """Give letters and digits alone, in upper case."""
    return "".join(each for each in text.upper() if each.isascii() and each.isalnum())


def weighted(digits: Sequence[int], weights: Sequence[int]) -> int:
    """Sum digits by their weights."""
    return sum(digit * weight for digit, weight in zip(digits, weights, strict=False))


def luhn(text: str) -> bool:
    """ISO/IEC 7812-1, Annex B; all digits equal is a placeholder."""
    digits = "".join(map(str, digits_of(text)))
    return len(set(digits)) > 1 and is_luhn(digits)


_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 "
    "GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 "
    "NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
LENGTH_OF_IBAN = {each[:2]: int(each[2:]) for each in _LENGTHS.split()}
"""Length of an IBAN by country, as ISO 13616 registers it."""


def mod97(text: str) -> bool:
    """ISO 13616 (IBAN): country and check digits behind, letters as 10 to 35, remainder 1."""
    value = plain(text)
    if LENGTH_OF_IBAN.get(value[:2]) != len(value):
        return False
    return int("".join(str(int(each, 36)) for each in value[4:] + value[:4])) % 97 == 1


def verhoeff(text: str) -> bool:
    """Verhoeff's scheme over the dihedral group of order ten (Aadhaar)."""
    check = 0
    for position, digit in enumerate(reversed(digits_of(text))):
        for _ in range(position % 8):
            digit = _TURN[digit]  # noqa: PLW2901 - the digit is turned once for each place
        check = _join(check, digit)
    return check == 0


_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _join(left: int, right: int) -> int:
    """Multiply in the dihedral group: 0 to 4 turn, 5 to 9 turn and reflect."""
    turned = (left % 5 + (right if left < 5 else -right)) % 5
    return turned + 5 * ((left >= 5) != (right >= 5))


def iso_mod_11_10(text: str) -> bool:
    """ISO 7064 MOD 11,10 (German tax number, Croatian OIB)."""
    product = 10
    digits = digits_of(text)
    for digit in digits[:-1]:
        product = 2 * ((digit + product - 1) % 10 + 1) % 11
    return bool(digits) and (11 - product) % 10 == digits[-1]


def date_in(year: int, month: int, day: int) -> bool:
    """Tell a possible date of birth; the year may be unknown (0)."""
    return 1 <= month <= 12 and 1 <= day <= 31 and (year == 0 or 1880 <= year <= 2100)


def letter_of(number: int, letters: str) -> str:
    """Give the check letter of a number by remainder."""
    return letters[number % len(letters)]


def base36(text: str) -> list[int]:
    """Give the values of letters and digits, A as 10."""
    return [int(each, 36) for each in plain(text)]


def alphabetic(letter: str) -> int:
    """Give the place of a letter in the alphabet, A as 0; -1 for anything else."""
    return _LETTERS.find(letter.upper())
