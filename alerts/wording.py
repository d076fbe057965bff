"""The sentence of an alert. Pure."""

from datetime import UTC, datetime

from topics.alert import Change
from topics.distinct import Distinct
from topics.exposure import Due

_TAILS = {
    Change.OPENED: "",
    Change.GROWN: " so far",
    Change.ESCALATED: ", and now it is more severe",
    Change.QUIET: ", and nothing new for a while",
    Change.RESOLVED: ", and nothing new for so long that it counts as over",
    Change.REOPENED: ", and it has begun again",
}
_KINDS = {
    "opt-out": "the opt-out must have effect",
    "cure": "the violation must be mended",
    "breach individuals": "the persons must be told of the breach",
    "breach regulator": "the regulator must be told of the breach",
}
_WAITS = {"breach": "once a breach is declared", "notice": "once the regulator has given notice"}


def sentence(reason: str, findings: int, people: Distinct, change: Change, note: str = "") -> str:
    """Say in one plain sentence what happened: a finding's reason, how much of it, and what changed."""
    amount = "1 finding" if findings == 1 else f"{findings} findings"
    number = len(people)
    about = "" if number == 0 else " about 1 person" if number == 1 else f" about {number} persons"
    if not people.is_exact:
        about = f" about some {number} persons"
    return f"{reason.rstrip(' .')}: {amount}{about}{_TAILS[change]}{note}."


def what_is_due(due: Due) -> str:
    """Say of a clock what must have happened: `the opt-out must have effect`."""
    name = f"{due.kind} {due.detail}".strip()
    return _KINDS.get(name, f"{name} is due")


def until_when(due: Due) -> str:
    """Say of a clock until when: a moment, or what it waits for."""
    if due.due_at_ms:
        return f"by {moment(due.due_at_ms)}"
    if due.started_at_ms:
        return f"since {moment(due.started_at_ms)}: {due.measure}"
    within = f"within {due.measure}" if due.measure[:1].isdigit() else due.measure
    return f"{within} {_WAITS.get(due.waits_for, 'when it begins')}"


def moment(at_ms: int) -> str:
    """Give a moment for people: `2026-11-25 16:40 UTC`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
