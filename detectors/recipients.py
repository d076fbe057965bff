"""Undocumented recipient: somebody receives personal data, and no agreement on file covers it.

## What it finds

A disclosure that the traffic proves, to a recipient that the register does not know, or whose agreement is missing, has
run out, or does not cover the purpose or the categories of the data. Only where the shop keeps a register: without one,
nothing can be told apart.

## Why it matters

A processor needs a written contract that names purpose and types of data (GDPR Art. 28(3)); the privacy acts of US states ask for
the same, California also for third parties to whom data is sold or disclosed (Cal. Civ. Code § 1798.100(d)). Records of processing
name the recipients (GDPR Art. 30(1)(d)). A tag or an integration that somebody switches on appears in the traffic before it appears
in any list.

## Example

A new helpdesk receives names and e-mail addresses. Nobody entered it in the register: `missing`. The agreement with another ended in
March and the data still flows: `expired`.

## What it cannot see

Whether an agreement is a good one, and who stands behind a host that no list and no entry names: such a recipient is told by its
registrable domain. A third party needs an entry, but no processing agreement: what permits the disclosure is the other detectors'
matter. The register is believed; it may be wrong.
"""

from functools import lru_cache

from detectors.assessment import Agreement, AgreementStatus
from detectors.law.timeline import DAY_MS, day_of
from detectors.register import RegisterEntry
from topics.flow import DataFlow, Role


def assess(flow: DataFlow, entry: RegisterEntry | None, on_ms: int) -> Agreement | None:
    """State what the register says of a recipient on that day (epoch milliseconds, read in UTC).

    None where nobody else receives personal data. `entry` is the recipient's entry in a register that exists.
    """
    if not flow.proof or flow.role is Role.OWN:
        return None
    if entry is None:
        return _UNKNOWN if any(category.startswith("user.") for category in flow.categories) else None
    return _agreement(entry, flow.purpose, flow.categories, on_ms // DAY_MS)


_UNKNOWN = Agreement(status=AgreementStatus.MISSING, reason="not-registered")


@lru_cache(maxsize=8192)
def _agreement(entry: RegisterEntry, purpose: str, categories: tuple[str, ...], day: int) -> Agreement | None:
    personal = [category for category in categories if category.startswith("user.")]
    if not personal or entry.role is Role.OWN:
        return None
    agreement = entry.written.agreement
    if agreement is None and entry.role is Role.PROCESSOR:
        return Agreement(status=AgreementStatus.MISSING, entry=entry.id, reason="no-agreement")
    if agreement is not None:
        if day < day_of(agreement.signed):
            return Agreement(status=AgreementStatus.MISSING, entry=entry.id, reason="not-yet")
        if agreement.expires is not None and day_of(agreement.expires) <= day:
            return Agreement(status=AgreementStatus.EXPIRED, entry=entry.id, expired_on=agreement.expires.isoformat())
    if purpose != "unknown" and not entry.allows_purpose(purpose):
        return Agreement(status=AgreementStatus.PURPOSE_NOT_COVERED, entry=entry.id, uncovered=(purpose,))
    uncovered = tuple(category for category in personal if not entry.covers_category(category))
    if uncovered:
        return Agreement(status=AgreementStatus.CATEGORY_NOT_COVERED, entry=entry.id, uncovered=uncovered)
    return Agreement(status=AgreementStatus.DOCUMENTED, entry=entry.id)
