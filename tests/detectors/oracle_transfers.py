"""An independent judge of cross-border transfers: facts and plain values in, a status out.

It shares no line, table or type with the detector that it checks. Its tables hold the facts, typed in a second time. Where those leave a
choice, both follow `docs/decisions/0005-transfers-judged.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from tests.detectors import facts_of_transfers as facts

DOCUMENTED = "documented"
EXPIRING = "expiring"
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


def below(category: str, key: str) -> bool:
    return category == key or category.startswith(key + ".")


def expected(case: Case) -> Answer:
    """Judge one disclosure; of several places that the register names, the worst one counts."""
    if not case.categories:
        return NOT_APPLICABLE, "nothing personal"
    if case.role == "own" and case.entry is None:
        return NOT_APPLICABLE, "the person's own request"
    if not case.origin:
        return UNKNOWN, "no-origin"
    if case.destination:
        return one(case)
    if case.entry is None:
        return UNKNOWN, "no-destination"
    answers = [
        one(replace(case, destination=place[:2], destination_subdivision=place if "-" in place else ""))
        for place in case.entry["countries"]
    ]
    return min(answers, key=lambda answer: WORST_FIRST.index(answer[0]))


def one(case: Case) -> Answer:
    """Judge one disclosure to one place."""
    if case.origin == "CA":
        return from_canada(case)
    if case.origin == case.destination:
        return NOT_APPLICABLE, "stays in the country"
    judge = from_the_eea if case.origin in facts.EEA else JUDGES.get(case.origin)
    return judge(case) if judge else (UNKNOWN, "no-law")


def from_the_eea(case: Case) -> Answer:
    """Judge under Chapter V of the GDPR."""
    if case.destination in facts.EEA:
        return NOT_APPLICABLE, "internal"
    if case.day < facts.GDPR_SINCE:
        return NOT_APPLICABLE, "before the law"
    doubt = "maybe internal" if case.destination in facts.MAYBE_INSIDE_THE_EU else ""
    if case.destination in facts.EU_ADEQUATE:
        since = facts.EU_ADEQUATE[case.destination] or facts.GDPR_SINCE
        if case.day < since:
            doubt = "adequacy-date-recalled" if case.destination in facts.EU_ADEQUATE_SINCE_RECALLED else ""
        elif case.destination == "BR" and case.origin in facts.BRAZIL_PENDING_FOR:
            doubt = "pending for the states outside the Union"
        elif case.destination != "GB":
            return DOCUMENTED, "adequacy"
        elif case.day < facts.GB_NO_LONGER_ADEQUATE:
            if (facts.GB_NO_LONGER_ADEQUATE - case.day).days > facts.SOON_DAYS:
                return DOCUMENTED, "adequacy"
            # What the register holds counts only if it lasts longer.
            other = registered(case, "EU")
            return other if other[0] == DOCUMENTED else (EXPIRING, "adequacy")
    return doubted(registered(case, "EU"), doubt)


def from_britain(case: Case) -> Answer:
    """Judge under the UK GDPR."""
    if case.day < facts.UK_KNOWN_SINCE:
        return UNKNOWN, "no-law"
    if case.destination in facts.UK_ADEQUATE_RECALLED:
        return DOCUMENTED, "adequacy, recalled"
    if case.destination in facts.UK_ADEQUATE and case.day >= (
        facts.UK_ADEQUATE[case.destination] or facts.UK_KNOWN_SINCE
    ):
        return DOCUMENTED, "adequacy"
    doubt = "adequacy is recalled to be absent" if case.destination in facts.UK_NOT_ADEQUATE_RECALLED else ""
    return doubted(registered(case, "GB"), doubt)


def from_switzerland(case: Case) -> Answer:
    """Judge under the FADP."""
    if case.day < facts.SWISS_KNOWN_SINCE:
        return UNKNOWN, "no-law"
    if case.destination in facts.SWISS_ADEQUATE | facts.SWISS_ADEQUATE_RECALLED:
        return DOCUMENTED, "adequacy"
    doubt = "adequacy is recalled to be absent" if case.destination in facts.SWISS_NOT_ADEQUATE_RECALLED else ""
    return doubted(registered(case, "CH"), doubt)


def from_canada(case: Case) -> Answer:
    """Judge under Law 25 of Quebec: of the other provinces nothing is known, and of those as destinations it is recalled."""
    if not case.origin_subdivision:
        return UNKNOWN, "no-subdivision"
    if case.origin_subdivision != "CA-QC":
        return (NOT_APPLICABLE, "stays in the country") if case.destination == "CA" else (UNKNOWN, "no-law")
    if case.destination_subdivision == "CA-QC":
        return NOT_APPLICABLE, "stays in the province"
    if case.day < facts.QUEBEC_SINCE:
        return NOT_APPLICABLE, "before the law"
    return doubted(
        registered(case, "QC"), "leaving for another province is recalled" if case.destination == "CA" else ""
    )


def from_china(case: Case) -> Answer:
    """Judge under the PIPL: its exemptions (contracts, small numbers) are out of sight."""
    if case.day < facts.PIPL_SINCE:
        return NOT_APPLICABLE, "before the law"
    return doubted(registered(case, "CN"), "exemptions-unseen")


def from_brazil(case: Case) -> Answer:
    """Judge under the LGPD, which is recalled; its finding on the European Economic Area is verified."""
    if case.day < facts.BRAZIL_KNOWN_SINCE:
        return UNKNOWN, "no-law"
    if case.destination in facts.EEA and case.day >= facts.BRAZIL_FINDS_EEA_ADEQUATE:
        return DOCUMENTED, "adequacy"
    return doubted(registered(case, "BR"), "rule-recalled")


def from_korea(case: Case) -> Answer:
    """Judge under the PIPA: consent, and notices in contracts with the person, are out of sight."""
    if (
        case.day >= facts.KOREA_KNOWN_SINCE
        and case.destination in facts.EU
        and case.day >= facts.KOREA_FINDS_EU_ADEQUATE_RECALLED
    ):
        return DOCUMENTED, "recognised, recalled"
    return UNKNOWN, "exemptions-unseen"


def from_japan(case: Case) -> Answer:
    """Judge under the APPI, which is recalled."""
    if case.day >= facts.JAPAN_KNOWN_SINCE and case.destination in facts.JAPAN_WHITELIST_RECALLED:
        return DOCUMENTED, "whitelist, recalled"
    return UNKNOWN, "rule-recalled"


def from_india(_: Case) -> Answer:
    """Judge under the DPDP Act: allowed unless the government restricts it."""
    return NOT_APPLICABLE, "permitted"


def from_russia(_: Case) -> Answer:
    """Judge under 152-FZ: a prior notice is not in the register, and the outright ban is recalled."""
    return UNKNOWN, "rule-recalled"


def from_the_united_states(case: Case) -> Answer:
    """Judge under 28 CFR 202."""
    if case.day < facts.US_BULK_RULE_SINCE:
        return NOT_APPLICABLE, "before the rule"
    if case.destination not in facts.US_COUNTRIES_OF_CONCERN:
        return NOT_APPLICABLE, "no country of concern"
    if not any(below(c, key) for c in case.categories for key in facts.US_BULK):
        recalled = any(below(c, key) for c in case.categories for key in facts.US_BULK_RECALLED)
        return (UNKNOWN, "rule-recalled") if recalled else (NOT_APPLICABLE, "no bulk category")
    # One disclosure is one person, and the law speaks of numbers.
    return UNKNOWN, "bulk-candidate"


JUDGES = {
    "GB": from_britain,
    "CH": from_switzerland,
    "CN": from_china,
    "BR": from_brazil,
    "KR": from_korea,
    "JP": from_japan,
    "IN": from_india,
    "RU": from_russia,
    "US": from_the_united_states,
}
WORST_FIRST = (PROHIBITED, MISSING, EXPIRED, UNKNOWN, EXPIRING, DOCUMENTED, NOT_APPLICABLE)


# --- The register ---


def entry_of(case: Case) -> Mapping[str, Any]:
    """Give the entry of a case that has one."""
    assert case.entry is not None
    return case.entry


def not_covered(case: Case) -> Answer | None:
    """Say why the register does not speak of this disclosure."""
    if case.entry is None:
        return MISSING, "not-registered"
    named = set(case.entry["countries"]).union(*(s["countries"] for s in case.entry.get("subprocessors", ())))
    # A country and its part name each other: the register may be more precise than the traffic, or less.
    if not any(
        (case.destination == place[:2] and case.destination_subdivision in {"", place}) or case.destination == place
        for place in named
    ):
        return MISSING, "destination-not-registered"
    covered = case.entry.get("categories")
    if covered and not all(any(below(c, key) for key in covered) for c in case.categories):
        return MISSING, "category-not-registered"
    return None


def in_time(since: date | None, expires: date | None, day: date) -> Answer | None:
    """Say why something is not in force: it holds from its first day on, and no longer on the day it expires."""
    if since and day < since:
        return MISSING, "not-yet"
    if expires and day >= expires:
        return EXPIRED, "expired"
    if expires and (expires - day).days <= facts.SOON_DAYS:
        return EXPIRING, "soon"
    return None


def registered(case: Case, regime: str) -> Answer:
    """Judge what the register holds against what a law accepts."""
    refused = not_covered(case)
    if refused:
        return refused
    answer = by_mechanism(case, regime)
    agreement = entry_of(case)["agreement"]
    if regime == "QC" and agreement and answer[0] != DOCUMENTED:
        # A written agreement is what the law of Quebec asks for; the assessment before it is out of sight.
        written = in_time(agreement.get("signed"), agreement.get("expires"), case.day) or (DOCUMENTED, "agreement")
        return answer if answer[0] == EXPIRING and written[0] != DOCUMENTED else written
    return answer


def by_mechanism(case: Case, regime: str) -> Answer:
    """Judge the mechanism alone."""
    mechanism = entry_of(case)["mechanism"]
    kind = mechanism["kind"]
    if kind in {"none", "derogation"}:
        # A derogation is for one occasion: a stream is systematic.
        return MISSING, kind
    named = mechanism.get("regimes", [])
    if named and facts.IDS[regime] not in named:
        return MISSING, "other-regime"
    if kind == "scc" and regime in facts.OWN_CLAUSES and not named:
        return UNKNOWN, "whose clauses"
    if kind == "adequacy":
        return MISSING, "the law says what is adequate, not the register"
    if kind == "dpf":
        first = facts.DPF_SINCE.get(regime)
        if first is None or case.destination != "US" or case.day < first:
            return MISSING, "no framework"
    elif kind not in facts.ACCEPTED[regime]:
        return (MISSING, "not-accepted") if regime in facts.COMPLETE else (UNKNOWN, "mechanism-unconfirmed")
    # Clauses are as good as the assessment behind them.
    ends = [day for day in (mechanism.get("expires"), mechanism.get("assessment_expires")) if day]
    return in_time(mechanism.get("since"), min(ends, default=None), case.day) or (DOCUMENTED, kind)


def doubted(answer: Answer, doubt: str) -> Answer:
    """Never accuse where the doubt might excuse."""
    return (UNKNOWN, doubt) if doubt and answer[0] in {MISSING, EXPIRED} else answer
