"""Which of two choices came later, as far as anybody can tell. What cannot be put in order goes to the denial."""

from collections.abc import Sequence

from detectors.consent.ledger import Choice
from topics.flow import Role, Signal

_DAY_MS = 86_400_000
_YEAR_MS = 365 * _DAY_MS


def standing(said: Sequence[Signal], grant: Choice | None, role: Role, remarks: set[str]) -> Signal | None:
    """Give the denial on a record that stands against a grant in the ledger, or else against what the record itself allows; None: none does.

    Adds to the remarks what had to be weighed.
    """
    allowed = next((signal for signal in said if signal.says == "allowed"), None)
    for denied in said:
        if denied.says != "denied":
            continue
        if grant is not None:
            later = 0 < _ends(denied) < grant.at_ms
            remarks.add("string_denies" if later else "unordered_conflict")
            if later and role is Role.PROCESSOR:
                # It acts for the shop, which has the later choice; who keeps the data for itself saw the denial.
                continue
        elif allowed is not None:
            if denied.at_ms and _ends(denied) < allowed.at_ms:
                continue
            if not (allowed.at_ms and _ends(allowed) < denied.at_ms):
                remarks.add("unordered_conflict")
        return denied
    return None


def asked_again(grant: Choice, choices: Sequence[Choice], purpose: str) -> bool:
    """Tell whether a grant came within a year of a refusal: California lets a business ask again only after twelve months (recalled)."""
    return any(
        grant.at_ms - _YEAR_MS < choice.at_ms < grant.at_ms and choice.says(purpose) is False for choice in choices
    )


def _ends(signal: Signal) -> int:
    """Give the last millisecond at which a signal can have been made; 0 where it does not say. A TC string knows the day alone."""
    if not signal.at_ms:
        return 0
    return signal.at_ms + _DAY_MS - 1 if signal.kind.startswith("tcf") else signal.at_ms
