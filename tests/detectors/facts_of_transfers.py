"""Facts on cross-border transfers as of 2026-08-22, typed in a second time for the independent judge beside this file.

A fact marked `recalled` was not checked against a source: it may document a transfer, and never accuses.
"""

from datetime import date


def codes(text: str) -> tuple[str, ...]:
    """Read a list of ISO 3166 codes."""
    return tuple(text.split())


def places(text: str) -> frozenset[str]:
    """Read a set of ISO 3166 codes."""
    return frozenset(codes(text))


EU = places("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE")
EFTA_IN_EEA = places("IS LI NO")
EEA = EU | EFTA_IN_EEA

# First day of each law, where it is among the facts or in the title of the law itself.
GDPR_SINCE = date(2018, 5, 25)
PIPL_SINCE = date(2021, 11, 1)
QUEBEC_SINCE = date(2023, 9, 22)
US_BULK_RULE_SINCE = date(2025, 4, 8)

# These laws are older than the first day that the facts name in their parts: before it nothing is known.
UK_KNOWN_SINCE = date(2022, 12, 19)
SWISS_KNOWN_SINCE = date(2024, 9, 15)
KOREA_KNOWN_SINCE = date(2023, 9, 15)
BRAZIL_KNOWN_SINCE = date(2025, 8, 23)
JAPAN_KNOWN_SINCE = date(2026, 8, 22)

# EU adequacy, verified. The value is the first day; None where the decision is older than the GDPR.
EU_ADEQUATE: dict[str, date | None] = dict.fromkeys(places("AD AR CA FO GG IL IM JE NZ CH UY")) | {
    "BR": date(2026, 1, 26),
    "JP": date(2019, 1, 23),
    "KR": date(2021, 12, 17),
    "GB": date(2021, 6, 28),
}
# These first days are recalled: before them nobody is accused.
EU_ADEQUATE_SINCE_RECALLED = frozenset({"JP", "KR", "GB"})
# "2031-12-27 (sources say December 2031)": the month is verified, the day is not, and nobody is accused before it is over.
GB_NO_LONGER_ADEQUATE = date(2032, 1, 1)
# Ours, not the law's: what ends within so many days is called expiring.
SOON_DAYS = 30
# The European Economic Area had not taken over the decision on Brazil.
BRAZIL_PENDING_FOR = EFTA_IN_EEA

UK_ADEQUATE: dict[str, date | None] = dict.fromkeys(EEA | places("GI CH CA AR GG IM JE AD IL UY NZ JP")) | {
    "KR": date(2022, 12, 19)
}
UK_ADEQUATE_RECALLED = frozenset({"FO"})
UK_NOT_ADEQUATE_RECALLED = frozenset({"BR"})

SWISS_ADEQUATE = places("DE AD AR AT BE BG CA CY HR DK ES EE FI FR GI GR GG HU IM FO IE IS IL IT JE LV LI LT LU")
SWISS_ADEQUATE_RECALLED = places("MT MC NO NZ NL PL PT CZ RO GB SK SI SE UY")
SWISS_NOT_ADEQUATE_RECALLED = frozenset({"BR"})

DPF_SINCE = {"EU": date(2023, 7, 10), "GB": date(2023, 10, 12), "CH": date(2024, 9, 15)}

BRAZIL_FINDS_EEA_ADEQUATE = date(2026, 1, 26)
KOREA_FINDS_EU_ADEQUATE_RECALLED = date(2025, 9, 1)
"""Only the month is known; it is taken whole."""
JAPAN_WHITELIST_RECALLED = EEA | {"GB"}

US_COUNTRIES_OF_CONCERN = places("CN HK MO CU IR KP RU VE")
US_BULK = (
    "user.biometric",
    "user.authorization.biometric",
    "user.health_and_medical",
    "user.location.precise",
    "user.financial",
)
"""Human genomic data stands below health."""
US_BULK_RECALLED = (
    "user.contact",
    "user.name",
    "user.demographic.date_of_birth",
    "user.device",
    "user.unique_id",
    "user.account",
    "user.authorization",
    "user.government_id",
)
"""Covered personal identifiers: their threshold is recalled."""

# Overseas parts of France and Finland: nobody checked whether they count as inside.
MAYBE_INSIDE_THE_EU = places("AX GF GP MF MQ RE YT")

ACCEPTED = {
    "EU": frozenset({"scc", "bcr", "dpf"}),
    "GB": frozenset({"scc", "bcr", "dpf", "idta"}),
    "CH": frozenset({"scc", "bcr", "dpf"}),
    "QC": frozenset({"scc", "bcr"}),
    "CN": frozenset({"scc"}),
    "BR": frozenset({"scc", "bcr"}),
}
COMPLETE = frozenset({"EU"})
"""Lists of mechanisms that are verified; those of the others are recalled, so what is not on them is not refused."""
OWN_CLAUSES = {"CN": "cn-pipl", "BR": "br-lgpd"}
"""Laws with clauses of their own: those of the Union, which `scc` means elsewhere, are not them."""
IDS = {"EU": "eu-gdpr", "GB": "uk-gdpr", "CH": "ch-fadp", "QC": "ca-qc-law25"} | OWN_CLAUSES
