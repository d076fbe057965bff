"""Codes of countries and of the subdivisions that laws speak of (ISO 3166-1 alpha-2, ISO 3166-2)."""

_ALL = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES: frozenset[str] = frozenset(_ALL.split())

_US = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA "
    "RI SC SD TN TX UT VT VA WA WV WI WY"
)
_CA = "AB BC MB NB NL NS NT NU ON PE QC SK YT"

SUBDIVISIONS: frozenset[str] = frozenset(
    [f"US-{code}" for code in _US.split()] + [f"CA-{code}" for code in _CA.split()]
)
"""States of the United States with the District of Columbia, and provinces and territories of Canada."""

BLOCS: frozenset[str] = frozenset({"EU", "EEA"})
"""Bodies of law that stand above countries and are jurisdictions of the pack."""


def is_place(code: str) -> bool:
    """Say whether it is a country or one of the known subdivisions."""
    return code in COUNTRIES or code in SUBDIVISIONS
