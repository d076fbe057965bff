"""The law of a place day by day: the duties of a jurisdiction and its parents, cut at every date that changes one."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from detectors.assessment import Law
from detectors.law.exposure import Exposure, exposure
from detectors.law.fact import Confidence
from detectors.law.model import (
    Ban,
    ConsentRequired,
    Duty,
    Jurisdiction,
    Minimisation,
    Minors,
    OptedOut,
    OptOutDeadline,
    OptOutRight,
    OptOutSignal,
    Sensitive,
    SensitiveCategories,
    SensitiveData,
    Standard,
)
from topics.finding import Basis

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_LOUDNESS = list(Sensitive)
_ASKED_FOR_MINORS = frozenset({"own-consent", "parental-consent", "sensitive"})

GROUNDS = frozenset(
    {
        "ban",
        "consent-required",
        "minimisation",
        "minors",
        "opt-out-right",
        "sensitive-data",
        "universal-opt-out-signal",
    }
)
"""Kinds of duty that say what may be done with data: a verdict can rest on them.

The other kinds (deadlines, clocks, penalties) say what follows."""

CONSEQUENCES = frozenset({"breach-clock", "cure-period", "opt-out-deadline", "penalty", "request-deadline"})
"""Kinds of duty that say what a violation entails, and how soon it must be mended or told."""


def day_of(on: date | int) -> int:
    """Give days since the epoch of a day or of epoch milliseconds, in UTC."""
    return on // DAY_MS if isinstance(on, int) else on.toordinal() - _EPOCH


def date_of(day: int) -> date:
    """Give the calendar day of days since the epoch."""
    return date.fromordinal(day + _EPOCH)


def holds(duty: Duty, day: int) -> bool:
    """Say whether a duty is in force on a day (days since the epoch)."""
    return day_of(duty.since) <= day and (duty.until is None or day < day_of(duty.until))


class Span(msgspec.Struct, frozen=True, eq=False):
    """What holds from one change of the law to the next."""

    law: Law
    duties: tuple[Duty, ...]
    """Verified duties in force."""
    warnings: tuple[Duty, ...]
    """Recalled ones."""
    kinds: frozenset[str]
    """Kinds of the verified ones."""
    entails: Exposure
    """What the verified ones say of a violation, on the first day of the span."""


class Timeline(msgspec.Struct, frozen=True, eq=False):
    """All spans of one jurisdiction, in order. The first begins before all duties."""

    jurisdiction: Jurisdiction
    country: str
    starts: tuple[int, ...]
    """First day of each span after the first."""
    spans: tuple[Span, ...]

    def on(self, day: int) -> Span:
        """Give the span that holds on a day (days since the epoch)."""
        return self.spans[bisect_right(self.starts, day)]


def timeline(jurisdiction: Jurisdiction, duties: Sequence[Duty]) -> Timeline:
    """Cut time at every date of the duties, which are the jurisdiction's own and its parents'."""
    starts = sorted({day_of(day) for duty in duties for day in (duty.since, duty.until) if day is not None})
    days = [min(starts, default=0) - 1, *starts]
    return Timeline(
        jurisdiction,
        jurisdiction.id.partition("-")[0],
        tuple(starts),
        tuple(_span(jurisdiction, duties, day) for day in days),
    )


def _span(jurisdiction: Jurisdiction, duties: Sequence[Duty], day: int) -> Span:
    current = sorted((duty for duty in duties if holds(duty, day)), key=lambda duty: duty.id)
    verified = tuple(duty for duty in current if duty.confidence is Confidence.VERIFIED)
    kinds = frozenset(duty.kind for duty in verified)
    sensitive = [duty.regime for duty in verified if isinstance(duty, SensitiveData)]
    law = Law(
        jurisdiction=jurisdiction.id,
        regime=regime_of(verified),
        honours_gpc=any(isinstance(duty, OptOutSignal) and "gpc" in duty.signals for duty in verified),
        strict_minimisation=any(
            isinstance(duty, Minimisation) and duty.standard is Standard.REQUESTED for duty in verified
        ),
        consent_for=_sorted(p for duty in verified if isinstance(duty, ConsentRequired) for p in duty.purposes),
        sensitive=max(sensitive, key=_LOUDNESS.index).value if sensitive else "none",
        sensitive_codes=_sorted(c for duty in verified if isinstance(duty, SensitiveCategories) for c in duty.codes),
        unsold_codes=_sorted(
            code for duty in verified if isinstance(duty, Ban) and OptedOut.SALE in duty.of for code in duty.codes
        ),
        minors_below=max(
            (d.below for d in verified if isinstance(d, Minors) and d.treatment in _ASKED_FOR_MINORS), default=0
        ),
        minors_banned_below=max(map(_banned_below, verified), default=0),
        opt_out_days=max((_calendar_days(duty) for duty in verified if isinstance(duty, OptOutDeadline)), default=0),
        duties=tuple(duty.id for duty in verified),
        exposure=tuple(duty.id for duty in verified if duty.kind in CONSEQUENCES),
        basis=Basis.LAW if kinds & GROUNDS else Basis.POLICY,
    )
    warnings = tuple(duty for duty in current if duty.confidence is Confidence.RECALLED)
    entails = exposure(jurisdiction.id, date_of(day).isoformat(), verified)
    return Span(law, verified, warnings, kinds, entails)


def _banned_below(duty: Duty) -> int:
    """Give the age below which a duty forbids sale or targeted advertising outright, 0 where it is no such duty."""
    if isinstance(duty, Minors) and duty.treatment == "banned":
        return duty.below
    return duty.below or 0 if isinstance(duty, Ban) and not duty.codes else 0


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _calendar_days(deadline: OptOutDeadline) -> int:
    """Give the calendar days that business days span; holidays, which come on top, are not known here."""
    return -(-deadline.days // 5) * 7 if deadline.business_days else deadline.days


def regime_of(duties: Sequence[Duty]) -> str:
    """Give the regime that duties amount to: consent first, or a right to refuse, or none.

    A duty to honour refusal signals implies the right to refuse.
    """
    if any(isinstance(duty, ConsentRequired) for duty in duties):
        return "opt-in"
    if any(isinstance(duty, OptOutRight | OptOutSignal) for duty in duties):
        return "opt-out"
    return "none"
