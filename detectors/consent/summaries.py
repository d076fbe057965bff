"""From decoded signals to what they say of our purposes, vendor by vendor left aside."""

from typing import Any

from detectors.consent import gpc, usp
from detectors.consent.refusal import Reason, Refusal, Remark
from topics.flow import Signal

ADVERTISING = ("advertising", "social")
"""What an opt-out of sale, sharing and targeted advertising speaks of."""


def refused(kind: str, path: str, refusal: Refusal, purposes: tuple[str, ...] = ADVERTISING) -> tuple[Signal, ...]:
    """Tell that a signal could not be read; nothing at all where nothing was written."""
    if refusal.reason is Reason.EMPTY:
        return ()
    return (Signal(kind, "unreadable", path, purposes, refusal.reason.value),)


def from_gpc(value: Any, path: str) -> tuple[Signal, ...]:
    """Read a GPC value in an event's context."""
    state = gpc.decode_value(value)
    if state is gpc.Gpc.OPT_OUT:
        return (Signal("gpc", "denied", path, ADVERTISING),)
    if state is gpc.Gpc.NONE:
        return ()
    return (Signal("gpc", "unreadable", path, ADVERTISING, Remark.NONCONFORMING.value),)


def from_usp(text: str, path: str) -> tuple[Signal, ...]:
    """Read a US Privacy string: a refusal, an allowance after notice, or no choice."""
    decoded = usp.decode(text)
    if isinstance(decoded, Refusal):
        return refused("usp", path, decoded)
    remark = decoded.remark.value if decoded.remark else ""
    if decoded.opted_out is usp.Answer.YES:
        return (Signal("usp", "denied", path, ADVERTISING, remark),)
    if decoded.opted_out is usp.Answer.NOT_APPLICABLE:
        return (Signal("usp", "not-applicable", path, ADVERTISING, remark),)
    if decoded.notice is usp.Answer.YES:
        return (Signal("usp", "allowed", path, ADVERTISING, remark),)
    return (Signal("usp", "not-applicable", path, ADVERTISING, Remark.NO_NOTICE.value),)
