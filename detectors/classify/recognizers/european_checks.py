"""Validators of national identifiers of Europe: check digits and ranges, as each country publishes them."""

from collections.abc import Mapping

from detectors.classify.recognizers.checksums import (
    alphabetic,
    date_in,
    digits_of,
    iso_mod_11_10,
    letter_of,
    luhn,
    plain,
    weighted,
)
from detectors.classify.recognizers.recognizer import Validator


def gb_nino(text: str) -> bool:
    """Prefixes that were never issued are refused (HM Revenue and Customs)."""
    return plain(text)[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def gb_nhs(text: str) -> bool:
    """Modulus 11 over weights 10 to 2."""
    digits = digits_of(text)
    return len(set(digits)) > 1 and (weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2)) + digits[9]) % 11 == 0


def de_tax(text: str) -> bool:
    """Eleven digits, ISO 7064 MOD 11,10; in the first ten one digit stands twice or three times (section 139b AO)."""
    digits = digits_of(text)
    most = max(digits[:10].count(each) for each in set(digits))
    return digits[0] != 0 and most in {2, 3} and iso_mod_11_10(text)


def fr_nir(text: str) -> bool:
    """Key is 97 less the remainder by 97; Corsica counts as 19 and 18 (INSEE)."""
    value = plain(text).replace("2A", "19").replace("2B", "18")
    return value.isdigit() and int(value[13:]) == 97 - int(value[:13]) % 97


def es_dni(text: str) -> bool:
    """Letter by remainder of 23; X, Y, Z of a foreigner's number count as 0, 1, 2."""
    value = plain(text).translate(str.maketrans("XYZ", "012")) if text[0].upper() in "XYZ" else plain(text)
    return plain(text)[-1] == letter_of(int(value[:8]), "TRWAGMYFPDXBNJZSQVHLCKE")


def it_fiscal(text: str) -> bool:
    """Odd places by a table, even ones by value, remainder of 26 as a letter."""
    value = plain(text)
    total = sum(
        _ODD[int(each, 36) if each.isdigit() else alphabetic(each)]
        if index % 2 == 0
        else (int(each) if each.isdigit() else alphabetic(each))
        for index, each in enumerate(value[:15])
    )
    return alphabetic(value[15]) == total % 26


_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def nl_bsn(text: str) -> bool:
    """Eleven test: weights 9 to 2 and minus 1."""
    digits = digits_of(text.zfill(9))
    return sum(digits) > 0 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def be_rrn(text: str) -> bool:
    """Two digits are 97 less the remainder by 97; from 2000 on a 2 stands before."""
    value = plain(text)
    return int(value[9:]) in {97 - int(value[:9]) % 97, 97 - int("2" + value[:9]) % 97}


def pl_pesel(text: str) -> bool:
    """Weights 1, 3, 7, 9; the month carries the century."""
    digits = digits_of(text)
    month = (digits[2] * 10 + digits[3]) % 20
    return (
        date_in(0, month, digits[4] * 10 + digits[5])
        and (weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) + digits[10]) % 10 == 0
    )


def se_person(text: str) -> bool:
    """Luhn over the last ten digits; a co-ordination number has 60 added to the day."""
    digits = plain(text)[-10:]
    return date_in(0, int(digits[2:4]), int(digits[4:6]) % 60) and luhn(digits)


def no_birth(text: str) -> bool:
    """Two check digits, each modulus 11."""
    digits = digits_of(text)
    first = weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1))
    second = weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
    return date_in(0, (digits[2] * 10 + digits[3]) % 40, (digits[0] * 10 + digits[1]) % 40) and not (
        first % 11 or second % 11
    )


def dk_cpr(text: str) -> bool:
    """A date and four digits: the check digit is no longer issued."""
    digits = plain(text)
    return date_in(0, int(digits[2:4]), int(digits[:2]))


def fi_hetu(text: str) -> bool:
    """Character by remainder of 31."""
    value = plain(text[:6]) + plain(text[7:10])
    return date_in(0, int(text[2:4]), int(text[:2])) and text[-1].upper() == letter_of(
        int(value), "0123456789ABCDEFHJKLMNPRSTUVWXY"
    )


def ch_ahv(text: str) -> bool:
    """756 and the check digit of an EAN-13."""
    digits = digits_of(text)
    return (weighted(digits, (1, 3) * 6) + digits[12]) % 10 == 0


def cz_birth(text: str) -> bool:
    """Divisible by 11 (ten digits); women have 50 added to the month, extra series 20."""
    value = plain(text)
    return date_in(0, int(value[2:4]) % 50 % 20 or 12, int(value[4:6])) and int(value) % 11 == 0


def ro_cnp(text: str) -> bool:
    """Weights 279146358279, remainder of 11, ten counts as one."""
    digits = digits_of(text)
    check = weighted(digits, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return date_in(0, digits[3] * 10 + digits[4], digits[5] * 10 + digits[6]) and digits[12] == (
        1 if check == 10 else check
    )


def bg_egn(text: str) -> bool:
    """Weights 2, 4, 8, 5, 10, 9, 7, 3, 6, remainder of 11."""
    digits = digits_of(text)
    month = (digits[2] * 10 + digits[3]) % 20
    return (
        date_in(0, month, digits[4] * 10 + digits[5])
        and weighted(digits, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == digits[9]
    )


def ee_lt_code(text: str) -> bool:
    """Two rounds of weights, remainder of 11 (Estonia, Lithuania)."""
    digits = digits_of(text)
    check = weighted(digits, (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    if check == 10:
        check = weighted(digits, (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10
    return date_in(0, digits[3] * 10 + digits[4], digits[5] * 10 + digits[6]) and check == digits[10]


def pt_nif(text: str) -> bool:
    """Weights 9 to 2, modulus 11."""
    digits = digits_of(text)
    check = 11 - weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return digits[8] == (0 if check > 9 else check)


def ie_pps(text: str) -> bool:
    """Weights 8 to 2, a second letter counts nine times, remainder of 23 as a letter."""
    value = plain(text)
    total = weighted(digits_of(value[:7]), (8, 7, 6, 5, 4, 3, 2))
    if len(value) == 9 and value[8] != "W":
        total += 9 * (alphabetic(value[8]) + 1)
    return value[7] == letter_of(total, "WABCDEFGHIJKLMNOPQRSTUV")


def at_svnr(text: str) -> bool:
    """Weights 3, 7, 9, 5, 8, 4, 2, 1, 6 around the check digit in the fourth place."""
    digits = digits_of(text)
    return weighted([*digits[:3], *digits[4:]], (3, 7, 9, 5, 8, 4, 2, 1, 6)) % 11 == digits[3]


def tr_tckn(text: str) -> bool:
    """Odd places seven times less even ones, then the sum of ten, modulus 10."""
    digits = digits_of(text)
    tenth = (sum(digits[0:9:2]) * 7 - sum(digits[1:8:2])) % 10
    return digits[0] != 0 and digits[9] == tenth and digits[10] == sum(digits[:10]) % 10


EUROPEAN_CHECKS: Mapping[str, Validator] = {
    check.__name__: check
    for check in (
        gb_nino,
        gb_nhs,
        de_tax,
        fr_nir,
        es_dni,
        it_fiscal,
        nl_bsn,
        be_rrn,
        pl_pesel,
        se_person,
        no_birth,
        dk_cpr,
        fi_hetu,
        ch_ahv,
        cz_birth,
        ro_cnp,
        bg_egn,
        ee_lt_code,
        pt_nif,
        ie_pps,
        at_svnr,
        tr_tckn,
        iso_mod_11_10,
    )
}
"""Validators by the name that recognizers use."""
