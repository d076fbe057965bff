"""What a violation entails: the penalties that a law names and the clocks that run, as dated facts with their assumptions.

Amounts are ranges as the statutes write them. Nothing here multiplies them by persons or records: how a regulator counts
violations, and whether it asks for any money at all, is not in the data.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from detectors.law.model import BreachClock, CurePeriod, Duty, OptOutDeadline, Penalty, RequestDeadline
from topics.exposure import Amount, Clock

_COUNTED = {
    "violation": "for each violation, as the law counts violations; the law names the most, not what is asked",
    "intentional-or-minor": "for each violation that is intentional or concerns a minor; intent has to be shown",
    "repeat": "for each violation after an earlier one",
    "transaction": "for each transaction",
    "maximum": "the most that one proceeding can bring; where it is a share of turnover the law says so in its note",
}
_RECALLED = "from memory, not checked: shown for orientation only"
_DISCRETION = "the regulator may grant it and need not"


class Exposure(NamedTuple):
    """What a violation under one law on one day entails. Empty where the pack names nothing."""

    jurisdiction: str
    on: str
    amounts: tuple[Amount, ...] = ()
    clocks: tuple[Clock, ...] = ()


NO_EXPOSURE = Exposure("", "")


def as_line(told: Exposure) -> dict[str, Any]:
    """Give it for machines."""
    return {
        "type": "exposure",
        "jurisdiction": told.jurisdiction,
        "on": told.on,
        "amounts": [msgspec.to_builtins(each) for each in told.amounts],
        "clocks": [msgspec.to_builtins(each) for each in told.clocks],
    }


def exposure(jurisdiction: str, on: str, duties: Iterable[Duty]) -> Exposure:
    """Gather amounts by unit and currency, and clocks, from the duties in force."""
    given = list(duties)
    penalties: dict[tuple[str, str], list[Penalty]] = {}
    for duty in given:
        if isinstance(duty, Penalty):
            penalties.setdefault((duty.for_, duty.currency), []).append(duty)
    return Exposure(
        jurisdiction,
        on,
        tuple(_amount(per, currency, group) for (per, currency), group in sorted(penalties.items())),
        tuple(sorted(clock for clock in map(_clock, given) if clock is not None)),
    )


def _amount(per: str, currency: str, group: Sequence[Penalty]) -> Amount:
    # Several laws of one place (a state's and its country's) are a range, not a sum.
    return Amount(
        0,
        max(each.amount for each in group),
        currency,
        per,
        tuple(each.id for each in group),
        tuple(dict.fromkeys([_COUNTED[per], *(text for each in group for text in _doubts(each))])),
        tuple(dict.fromkeys(each.citation for each in group)),
        tuple(dict.fromkeys(source for each in group for source in each.source)),
    )


def _clock(duty: Duty) -> Clock | None:
    match duty:
        case OptOutDeadline():
            return _days("opt-out", "", duty, duty.days, business=duty.business_days)
        case RequestDeadline():
            return _days("request", duty.stage, duty, duty.days, business=duty.business_days)
        case CurePeriod():
            return _days("cure", "", duty, duty.days, assumptions=(_DISCRETION,) if duty.discretionary else ())
        case BreachClock():
            clock = _days("breach", duty.to, duty, duty.days or 0, business=duty.business_days)
            return msgspec.structs.replace(clock, hours=duty.hours or 0, measure=duty.standard)
    return None


def _days(
    kind: str, detail: str, duty: Duty, days: int, *, business: bool = False, assumptions: tuple[str, ...] = ()
) -> Clock:
    return Clock(
        kind, detail, 0, days, business, "", duty.id, (*assumptions, *_doubts(duty)), duty.citation, duty.source
    )


def _doubts(duty: Duty) -> tuple[str, ...]:
    return ((_RECALLED,) if duty.confidence.value == "recalled" else ()) + ((duty.note,) if duty.note else ())
