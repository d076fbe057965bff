"""An independent judge of cross-border transfers: facts and plain values in, a status out.

It shares no line, table or type with the detector that it checks. Its tables are facts of `transfers.yaml` and `us_states.yaml`
as of 2026-08-22, typed in again. A fact marked `recalled` there (not checked against a source) may document a transfer; it never
accuses: where an accusation would rest on one, the answer is `unknown`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

DOCUMENTED = "documented"
EXPIRED = "expired"
MISSING = "missing"
PROHIBITED = "prohibited"
UNKNOWN = "unknown"
NOT_APPLICABLE = "not-applicable"

Answer = tuple[str, str]
"""A status and the reason in a few words."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One disclosure, as plain values."""

    origin: str
    origin_subdivision: str = ""
    destination: str
    destination_subdivision: str = ""
    categories: tuple[str, ...]
    role: str
    """`own`, `processor`, `third-party` or `unknown`."""
    recipient: str
    """`unknown` when nobody knows who it is."""
    entry: Mapping[str, Any] | None = field(default=None)
    """What the register says about the recipient."""
    day: date


def places(codes: str) -> frozenset[str]:
    """Read a list of ISO 3166 codes."""
    return frozenset(codes.split())


# --- Facts ---

EU = places("AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE")
EFTA_IN_EEA = places("IS LI NO")
EEA = EU | EFTA_IN_EEA

# First day of each law. Those of the GDPR, the UK GDPR, the FADP and the PIPL are in the texts of the laws themselves.
GDPR_SINCE = date(2018, 5, 25)
UK_GDPR_SINCE = date(2021, 1, 1)
FADP_SINCE = date(2023, 9, 1)
PIPL_SINCE = date(2021, 11, 1)
QUEBEC_SINCE = date(2023, 9, 22)
US_BULK_RULE_SINCE = date(2025, 4, 8)

# EU adequacy, verified. The value is the first day; None where the decision is older than the GDPR.
EU_ADEQUATE: dict[str, date | None] = dict.fromkeys(places("AD AR CA FO GG IL IM JE NZ CH UY")) | {
    "BR": date(2026, 1, 26),
    "JP": date(2019, 1, 23),
    "KR": date(2021, 12, 17),
    "GB": date(2021, 6, 28),
}
# These first days are recalled: before them nobody is accused.
EU_ADEQUATE_SINCE_RECALLED = frozenset({"JP", "KR", "GB"})
# "2031-12-27 (sources say December 2031)": the month is verified, the day is not.
GB_ADEQUATE_UNTIL = date(2031, 12, 27)
GB_ADEQUATE_SURELY_OVER = date(2032, 1, 1)
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

# Adequate only for some recipients there: commercial organisations (CA), processing under the national law (BR, JP, KR).
SCOPED = {"EU": frozenset({"CA", "JP", "KR", "BR"}), "GB": frozenset({"CA", "JP"}), "CH": frozenset({"CA"})}

DPF_SINCE = {"EU": date(2023, 7, 10), "GB": date(2023, 10, 12), "CH": date(2024, 9, 15)}
IDTA_SINCE_RECALLED = date(2022, 3, 21)

BRAZIL_FINDS_EEA_ADEQUATE = date(2026, 1, 26)
KOREA_AMENDED = date(2023, 9, 15)
KOREA_FINDS_EU_ADEQUATE_RECALLED = date(2025, 9, 30)
"""Only the month is known; its last day is safe."""
JAPAN_WHITELIST_RECALLED = EEA | {"GB"}

US_COUNTRIES_OF_CONCERN = places("CN HK MO CU IR KP RU VE")
US_BULK = (
    "user.biometric",
    "user.authorization.biometric",
    "user.health_and_medical",
    "user.location.precise",
    "user.financial",
)
"""Human genomic data stands below health. Covered personal identifiers are left out: their threshold is recalled."""

CONNECTICUT_LOCATION_BAN = date(2026, 10, 1)
"""Sale, sharing, transfer or access; verified."""
PRECISE_LOCATION = "user.location.precise"


# --- Judgement ---


def below(category: str, key: str) -> bool:
    return category == key or category.startswith(key + ".")


def expected(case: Case) -> Answer:
    """Judge one disclosure."""
    if not case.categories:
        return NOT_APPLICABLE, "nothing personal"
    if case.role == "own":
        return NOT_APPLICABLE, "no other party receives it"
    if not case.origin:
        return UNKNOWN, "no-origin"
    if case.origin == "US":
        return from_the_united_states(case)
    if case.origin == "IN":
        return NOT_APPLICABLE, "allowed unless the government restricts it"
    if not case.destination:
        return UNKNOWN, "no-destination"
    if case.origin == "CA":
        return from_canada(case)
    if case.origin == case.destination:
        return NOT_APPLICABLE, "stays in the country"
    judge = {
        "GB": from_britain,
        "CH": from_switzerland,
        "CN": from_china,
        "BR": from_brazil,
        "KR": from_korea,
        "JP": from_japan,
    }
    if case.origin in EEA:
        return from_the_eea(case)
    if case.origin in judge:
        return judge[case.origin](case)
    return UNKNOWN, "no-law"


def from_the_eea(case: Case) -> Answer:
    if case.day < GDPR_SINCE:
        return NOT_APPLICABLE, "before the law"
    if case.destination in EEA:
        return NOT_APPLICABLE, "internal"
    doubt = ""
    if case.destination in EU_ADEQUATE:
        since = EU_ADEQUATE[case.destination]
        if case.destination == "BR" and case.origin in BRAZIL_PENDING_FOR:
            doubt = "pending for the EEA states outside the EU" if since and case.day >= since else ""
        elif since is not None and case.day < since:
            doubt = "adequacy-date-recalled" if case.destination in EU_ADEQUATE_SINCE_RECALLED else ""
        elif case.destination == "GB" and case.day > GB_ADEQUATE_UNTIL:
            if case.day >= GB_ADEQUATE_SURELY_OVER:
                return fallback(registered(case, "EU"), (EXPIRED, "adequacy ended"))
            doubt = "adequacy-date-recalled"
        elif case.destination not in SCOPED["EU"]:
            return DOCUMENTED, "adequacy"
        else:
            return scoped(case, "EU")
    return doubted(registered(case, "EU"), doubt)


def from_britain(case: Case) -> Answer:
    if case.day < UK_GDPR_SINCE:
        return UNKNOWN, "the law before is not among the facts"
    if case.destination in UK_ADEQUATE_RECALLED:
        return DOCUMENTED, "adequacy, recalled"
    if case.destination in UK_ADEQUATE:
        since = UK_ADEQUATE[case.destination]
        if since is None or case.day >= since:
            return scoped(case, "GB") if case.destination in SCOPED["GB"] else (DOCUMENTED, "adequacy")
    doubt = "adequacy is recalled to be absent" if case.destination in UK_NOT_ADEQUATE_RECALLED else ""
    return doubted(registered(case, "GB"), doubt)


def from_switzerland(case: Case) -> Answer:
    if case.day < FADP_SINCE:
        return UNKNOWN, "the law before is not among the facts"
    if case.destination in SWISS_ADEQUATE | SWISS_ADEQUATE_RECALLED:
        return scoped(case, "CH") if case.destination in SCOPED["CH"] else (DOCUMENTED, "adequacy")
    doubt = "adequacy is recalled to be absent" if case.destination in SWISS_NOT_ADEQUATE_RECALLED else ""
    return doubted(registered(case, "CH"), doubt)


def from_canada(case: Case) -> Answer:
    """Quebec alone is among the facts; leaving the province for another one is a recalled fact."""
    if case.day < QUEBEC_SINCE:
        return NOT_APPLICABLE, "before the law"
    if not case.origin_subdivision:
        return UNKNOWN, "no-subdivision"
    if case.origin_subdivision != "CA-QC":
        return (NOT_APPLICABLE, "stays in the country") if case.destination == "CA" else (UNKNOWN, "no-law")
    if case.destination == "CA":
        if case.destination_subdivision == "CA-QC":
            return NOT_APPLICABLE, "stays in the province"
        return UNKNOWN, "rule-recalled"
    refused = not_covered(case)
    if refused:
        return refused
    agreement = entry_of(case)["agreement"]
    if agreement is None:
        return MISSING, "no written agreement"
    late = in_time(agreement.get("signed"), agreement.get("expires"), case.day)
    return late or (UNKNOWN, "the impact assessment is unseen")


def from_china(case: Case) -> Answer:
    if case.day < PIPL_SINCE:
        return NOT_APPLICABLE, "before the law"
    return UNKNOWN, "exemptions-unseen"


def from_brazil(case: Case) -> Answer:
    if case.destination in EEA and case.day >= BRAZIL_FINDS_EEA_ADEQUATE:
        return DOCUMENTED, "adequacy"
    return UNKNOWN, "rule-recalled"


def from_korea(case: Case) -> Answer:
    if case.day >= KOREA_AMENDED:
        if case.destination in EU and case.day >= KOREA_FINDS_EU_ADEQUATE_RECALLED:
            return DOCUMENTED, "recognised, recalled"
        if case.role == "processor" and not not_covered(case):
            agreement = entry_of(case)["agreement"]
            if agreement and not in_time(agreement.get("signed"), agreement.get("expires"), case.day):
                return DOCUMENTED, "contract for outsourcing"
    return UNKNOWN, "consent is unseen"


def from_japan(case: Case) -> Answer:
    if case.destination in JAPAN_WHITELIST_RECALLED:
        return DOCUMENTED, "whitelist, recalled"
    return UNKNOWN, "rule-recalled"


def from_india(_: Case) -> Answer:
    return NOT_APPLICABLE, "allowed unless the government restricts it"


def from_russia(_: Case) -> Answer:
    """A prior notification is not in the register, and the outright ban is recalled."""
    return UNKNOWN, "rule-recalled"


def from_the_united_states(case: Case) -> Answer:
    precise = any(below(c, PRECISE_LOCATION) for c in case.categories)
    if (
        case.origin_subdivision == "US-CT"
        and precise
        and case.day >= CONNECTICUT_LOCATION_BAN
        and case.role == "third-party"
    ):
        return PROHIBITED, "Connecticut"
    if case.day < US_BULK_RULE_SINCE:
        return NOT_APPLICABLE, "before the rule"
    if not case.destination:
        return UNKNOWN, "no-destination"
    if case.destination not in US_COUNTRIES_OF_CONCERN:
        return NOT_APPLICABLE, "no country of concern"
    if not any(below(c, key) for c in case.categories for key in US_BULK):
        return UNKNOWN, "rule-recalled"
    if case.recipient == "unknown":
        return UNKNOWN, "unknown-recipient"
    if case.role == "third-party":
        return PROHIBITED, "data brokerage"
    return MISSING, "restricted"


JUDGES = {
    "GB": from_britain,
    "CH": from_switzerland,
    "CN": from_china,
    "BR": from_brazil,
    "KR": from_korea,
    "JP": from_japan,
    "IN": from_india,
    "RU": from_russia,
}


# --- The register ---


def entry_of(case: Case) -> Mapping[str, Any]:
    assert case.entry is not None
    return case.entry


def not_covered(case: Case) -> Answer | None:
    """Say why the register does not speak of this disclosure."""
    if case.recipient == "unknown":
        return UNKNOWN, "unknown-recipient"
    if case.entry is None:
        return MISSING, "not-registered"
    countries = set(case.entry["countries"]).union(*(s["countries"] for s in case.entry.get("subprocessors", ())))
    if case.destination not in countries:
        return MISSING, "destination-not-registered"
    covered = case.entry.get("categories")
    if covered and not all(any(below(c, key) for key in covered) for c in case.categories):
        return MISSING, "category-not-registered"
    return None


def in_time(since: date | None, expires: date | None, day: date) -> Answer | None:
    """Say why something is not in force; its last day is a day in force."""
    if since and day < since:
        return MISSING, "not-yet"
    if expires and day > expires:
        return EXPIRED, "expired"
    return None


def registered(case: Case, regime: str) -> Answer:
    """Judge what the register holds against the mechanisms of a regime."""
    refused = not_covered(case)
    if refused:
        return refused
    mechanism = entry_of(case)["mechanism"]
    kind = mechanism["kind"]
    if kind == "none":
        return MISSING, "no-mechanism"
    if kind == "derogation":
        return MISSING, "a steady stream is systematic"
    late = in_time(mechanism.get("since"), mechanism.get("expires"), case.day)
    if kind == "adequacy":
        # A decision on the United States exists, for certified recipients: such an entry may mean it.
        return (UNKNOWN, "mechanism-unconfirmed") if case.destination == "US" else (MISSING, "not-accepted")
    if kind == "dpf":
        if case.destination != "US":
            return MISSING, "not-accepted"
        return (MISSING, "not-yet") if case.day < DPF_SINCE[regime] else late or (DOCUMENTED, kind)
    if kind == "idta":
        if regime != "GB":
            return MISSING, "other-regime"
        return late or ((UNKNOWN, "date recalled") if case.day < IDTA_SINCE_RECALLED else (DOCUMENTED, kind))
    if kind == "scc" and regime == "GB":
        return late or (UNKNOWN, "the UK Addendum is unseen")
    return late or (DOCUMENTED, kind)


def scoped(case: Case, regime: str) -> Answer:
    """Judge a country that is adequate for some recipients: the register says for which."""
    answer = registered(case, regime)
    if answer[0] == DOCUMENTED:
        return answer
    if not_covered(case) is None:
        mechanism = entry_of(case)["mechanism"]
        if mechanism["kind"] == "adequacy" and not in_time(mechanism.get("since"), mechanism.get("expires"), case.day):
            return DOCUMENTED, "adequacy"
    return UNKNOWN, "mechanism-unconfirmed"


def fallback(answer: Answer, otherwise: Answer) -> Answer:
    return answer if answer[0] in {DOCUMENTED, UNKNOWN} else otherwise


def doubted(answer: Answer, doubt: str) -> Answer:
    """Never accuse where the doubt might excuse."""
    return (UNKNOWN, doubt) if doubt and answer[0] in {MISSING, EXPIRED} else answer
