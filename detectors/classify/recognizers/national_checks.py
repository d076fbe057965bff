"""Validators of national identifiers outside of Europe: check digits and ranges, as each country publishes them."""

from collections.abc import Mapping

from detectors.classify.recognizers.checksums import (
    alphabetic,
    date_in,
    digits_of,
    luhn,
    plain,
    verhoeff,
    weighted,
)
from detectors.classify.recognizers.recognizer import Validator


def us_ssn(text: str) -> bool:
    """Area neither 000, 666 nor 9xx; group and serial not all zero (Social Security Administration)."""
    digits = plain(text)
    return digits[:3] not in {"000", "666"} and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def us_itin(text: str) -> bool:
    """Begins with 9; the group is 50 to 65, 70 to 88, 90 to 92 or 94 to 99 (Internal Revenue Service)."""
    group = int(plain(text)[3:5])
    return text[0] == "9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94)


def ca_sin(text: str) -> bool:
    """Luhn; 0 and 8 are not issued to persons."""
    return plain(text)[0] not in "08" and luhn(text)


def br_cpf(text: str) -> bool:
    """Two check digits, modulus 11."""
    digits = digits_of(text)
    first = weighted(digits, range(10, 1, -1)) * 10 % 11 % 10
    second = weighted(digits, range(11, 1, -1)) * 10 % 11 % 10
    return len(set(digits)) > 1 and digits[9:] == [first, second]


def mx_curp(text: str) -> bool:
    """Weights 18 to 2 over an alphabet with Ñ after N."""
    values = ["0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ".find(each) for each in text.upper()]
    return date_in(0, int(text[6:8]), int(text[8:10])) and values[17] == -weighted(values, range(18, 1, -1)) % 10


def ar_cuil(text: str) -> bool:
    """Weights 5432765432, modulus 11; the prefixes of persons."""
    digits = digits_of(text)
    return (
        plain(text)[:2] in {"20", "23", "24", "27"}
        and digits[10] == -weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    )


def cl_rut(text: str) -> bool:
    """Weights 2 to 7 from the right, modulus 11, K for ten."""
    value = plain(text)
    total = sum(int(digit) * (2 + index % 6) for index, digit in enumerate(reversed(value[:-1])))
    return value[-1] == "0123456789K"[-total % 11]


def cn_resident(text: str) -> bool:
    """ISO 7064 MOD 11-2 and a date."""
    digits = digits_of(text[:17])
    total = weighted(digits, (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2))
    return (
        date_in(int(text[6:10]), int(text[10:12]), int(text[12:14])) and text[17].upper() == "10X98765432"[total % 11]
    )


def jp_number(text: str) -> bool:
    """Weights 6 to 2 and 7 to 2, modulus 11."""
    digits = digits_of(text)
    check = 11 - weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return digits[11] == (0 if check > 9 else check)


def kr_rrn(text: str) -> bool:
    """A date, and a first digit that tells century and sex; numbers since October 2020 have no check digit."""
    digits = digits_of(text)
    return date_in(0, digits[2] * 10 + digits[3], digits[4] * 10 + digits[5]) and 1 <= digits[6] <= 8


def sg_nric(text: str) -> bool:
    """Weights 2765432; the series gives the offset and the letters."""
    total = weighted(digits_of(text), (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(text[0].upper(), 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(text[0].upper(), "XWUTRQPNMLK")
    index = 10 - total % 11 if text[0].upper() == "M" else total % 11
    return text[-1].upper() == letters[index]


def tw_id(text: str) -> bool:
    """The letter counts as two digits, weights 1 and 9 to 1, 1."""
    first = "ABCDEFGHJKLMNPQRSTUVXYWZIO".find(text[0].upper()) + 10
    return (first // 10 + first % 10 * 9 + weighted(digits_of(text[1:]), (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def hk_id(text: str) -> bool:
    """Weights 9 or 8 to 1 over letters from 10, modulus 11, A for ten."""
    value = plain(text).rjust(9)
    values = [36 if each == " " else 10 + alphabetic(each) if each.isalpha() else int(each) for each in value[:8]]
    check = 10 if value[8] == "A" else int(value[8], 36)
    return (weighted(values, (9, 8, 7, 6, 5, 4, 3, 2)) + check) % 11 == 0


def my_nric(text: str) -> bool:
    """A date and a place of birth."""
    digits = plain(text)
    return date_in(0, int(digits[2:4]), int(digits[4:6])) and digits[6:8] not in {"00", "17", "18", "19", "20"}


def th_id(text: str) -> bool:
    """Weights 13 to 2, modulus 11."""
    digits = digits_of(text)
    return (11 - weighted(digits, range(13, 1, -1)) % 11) % 10 == digits[12]


def au_tfn(text: str) -> bool:
    """Weights 1, 4, 3, 7, 5, 8, 6, 9, 10, divisible by 11."""
    digits = digits_of(text)
    return sum(digits) > 0 and weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def au_medicare(text: str) -> bool:
    """Weights 1, 3, 7, 9, modulus 10; begins with 2 to 6."""
    digits = digits_of(text)
    return 2 <= digits[0] <= 6 and weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == digits[8]


def nz_ird(text: str) -> bool:
    """Weights 3, 2, 7, 6, 5, 4, 3, 2, then 7, 4, 3, 2, 5, 2, 7, 6; modulus 11."""
    digits = digits_of(plain(text).zfill(9))
    for weights in ((3, 2, 7, 6, 5, 4, 3, 2), (7, 4, 3, 2, 5, 2, 7, 6)):
        check = -weighted(digits, weights) % 11
        if check < 10:
            return check == digits[8]
    return False


def za_id(text: str) -> bool:
    """A date and Luhn."""
    return date_in(0, int(text[2:4]), int(text[4:6])) and luhn(text)


NATIONAL_CHECKS: Mapping[str, Validator] = {
    check.__name__: check
    for check in (
        us_ssn,
        us_itin,
        ca_sin,
        br_cpf,
        mx_curp,
        ar_cuil,
        cl_rut,
        cn_resident,
        jp_number,
        kr_rrn,
        sg_nric,
        tw_id,
        hk_id,
        my_nric,
        th_id,
        au_tfn,
        au_medicare,
        nz_ird,
        za_id,
        verhoeff,
    )
}
"""Validators by the name that recognizers use."""
