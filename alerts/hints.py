"""Likely causes of an episode, each only where the facts of its exemplars support it. Pure.

A hint is a place to look first. It needs every exemplar to show the same; what is mixed points to nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from topics.finding import Detector, Finding

CONSENT_MISSING = "consent-missing"
SIGNAL_LOST = "signal-lost"
CONSENT_STALE = "consent-stale"
WRONG_CATEGORY = "wrong-category"
RETRY = "retry-after-refusal"

SENTENCES: Mapping[str, str] = {
    CONSENT_MISSING: "None of the records carries a consent object: look where the event is made, whether it waits for the banner's answer and passes it on.",
    SIGNAL_LOST: "The refusal is on record and the events carry no signal of it: look at each hop between the consent platform and the sender for the one that drops it.",
    CONSENT_STALE: "The events still carry consent from before the refusal: look for a cached copy in the tag, the session or the customer profile.",
    WRONG_CATEGORY: "The register names other kinds of data or purposes for this recipient: look whether a field was added to the event, or is missing in the register.",
    RETRY: "The same event was sent more than once after the refusal: look for a retry queue that does not ask for consent again.",
}
"""What each hint says to a responder."""


def hints(exemplars: Iterable[Finding]) -> tuple[str, ...]:
    """Give the ids of the causes that the exemplars point to, in a fixed order."""
    seen = tuple(exemplars)
    if not seen:
        return ()
    found = [name for name, holds in _OF_EACH.items() if all(holds(each) for each in seen)]
    return (*found, RETRY) if _is_repeated(seen) else tuple(found)


def _proof(finding: Finding, name: str) -> tuple[str, ...]:
    return tuple(value for key, value in finding.proof if key == name)


def _is_tracking(finding: Finding) -> bool:
    return finding.detector is Detector.UNCONSENTED_TRACKING


def _lacks_consent(finding: Finding) -> bool:
    return (
        _is_tracking(finding)
        and _proof(finding, "signal") == ("default",)
        and _proof(finding, "reason") == ("no-signal",)
        and _proof(finding, "carries") == ("none",)
    )


def _lost_signal(finding: Finding) -> bool:
    return (
        _is_tracking(finding) and _proof(finding, "signal") == ("ledger",) and _proof(finding, "carries") == ("none",)
    )


def _is_stale(finding: Finding) -> bool:
    return _is_tracking(finding) and "stale_string" in _proof(finding, "remark")


def _is_uncovered(finding: Finding) -> bool:
    return finding.detector is Detector.UNDOCUMENTED_RECIPIENT and bool(_proof(finding, "uncovered"))


_OF_EACH: Mapping[str, Callable[[Finding], bool]] = {
    CONSENT_MISSING: _lacks_consent,
    SIGNAL_LOST: _lost_signal,
    CONSENT_STALE: _is_stale,
    WRONG_CATEGORY: _is_uncovered,
}


def _is_repeated(seen: tuple[Finding, ...]) -> bool:
    """Say whether one event of a person who had refused stands on more than one record."""
    events = Counter(
        (each.subject, each.at_ms, each.recipient, each.purpose, each.location)
        for each in {(one.topic, one.partition, one.offset): one for one in seen}.values()
        if each.subject and _is_tracking(each) and _proof(each, "seconds-since-refusal")
    )
    return any(number > 1 for number in events.values())
