"""Which signals are heard: what they are about, and where they mean anything."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from detectors.assessment import Law
from detectors.consent.ledger import Choice, Coverage
from detectors.consent.refusal import Remark
from topics.flow import DataFlow, Signal

GOVERNED: tuple[str, ...] = ("advertising", "social", "analytics", "marketing")
"""Prefixes of the purposes that consent governs. The others (payment, delivery, …) rest on another legal basis."""

_OPT_OUT_PURPOSES = ("advertising", "social")
"""What the opt-out rights of US states speak of: sale, sharing and targeted advertising."""


class Question(NamedTuple):
    """What a decision is made from."""

    flow: DataFlow
    law: Law
    signals: tuple[Signal, ...]
    """Those that are heard."""
    choices: Sequence[Choice]
    """Every version in the ledger for the person, in no order."""
    coverage: Coverage


_NOT_IN_FORCE = Remark.NOT_IN_FORCE.value


@lru_cache(maxsize=256)
def is_governed(purpose: str) -> bool:
    """Tell whether consent or an opt-out right speaks of the purpose at all."""
    return purpose.partition(".")[0] in GOVERNED


def is_named(prefixes: Sequence[str], purpose: str) -> bool:
    """Tell whether a purpose is one of those that the prefixes name; none named: those of the opt-out rights."""
    return any(purpose == each or purpose.startswith(each + ".") for each in prefixes or _OPT_OUT_PURPOSES)


def speaks(signal: Signal, purpose: str, law: Law) -> bool:
    """Tell whether a signal is about this purpose and means anything under this law."""
    if signal.says not in {"denied", "allowed"}:
        return False
    return means_something(signal, law) and is_named(signal.purposes, purpose)


def means_something(signal: Signal, law: Law) -> bool:
    """Tell whether a signal of this kind says anything at all where the person is."""
    if signal.remark == Remark.RESTRICTED_PROCESSING or signal.kind == "dnt":
        return False
    if signal.kind == "usp":
        # A Californian signal (IAB CCPA Compliance Framework): elsewhere it says nothing.
        return law.jurisdiction == "US-CA"
    if signal.kind in {"tcf", "tcf-ca"}:
        return law.regime == "opt-in" if signal.kind == "tcf" else law.jurisdiction.startswith("CA")
    if signal.kind == "gpp":
        section = _section(signal)
        if section.startswith("us"):
            return law.jurisdiction.startswith("US") and section[2:] in {"nat", law.jurisdiction[3:].lower()}
        return law.regime == "opt-in" if section.startswith("tcfeu") else True
    return True


def heard(signals: tuple[Signal, ...], law: Law) -> tuple[Signal, ...]:
    """Leave out the sections of GPP strings that are not to be read where the person is.

    `gpp_sid` decides as far as it fits the place: where no section that it names means anything there, those that it does not name are read, the
    person's own state before the whole nation.
    """
    by_string: dict[str, list[Signal]] = {}
    for signal in signals:
        if signal.remark == _NOT_IN_FORCE and means_something(signal, law):
            by_string[signal.path.rpartition(".")[0]] = []
    if not by_string:
        return signals
    for signal in signals:
        group = by_string.get(signal.path.rpartition(".")[0])
        if group is not None and means_something(signal, law):
            group.append(signal)
    left_out: set[int] = set()
    for group in by_string.values():
        unnamed = [signal for signal in group if signal.remark == _NOT_IN_FORCE]
        if len(unnamed) < len(group):
            left_out.update(map(id, unnamed))
            continue
        national = [signal for signal in unnamed if _section(signal) == "usnat"]
        if len(national) < len(unnamed):
            left_out.update(map(id, national))
    return tuple(signal for signal in signals if id(signal) not in left_out)


def _section(signal: Signal) -> str:
    return signal.path.rpartition(".")[2]
