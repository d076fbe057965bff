"""Cross-jurisdiction transfer: personal data leaves a jurisdiction without a documented ground.

## What it finds

Data of a person whose law restricts transfers goes to a place outside, and neither an adequacy decision of that day nor
the transfer register permits it: nothing is registered (`missing`), what is registered has run out (`expired`), or the
law forbids the destination whatever is registered (`prohibited`). What ends within 30 days is `expiring`.

## Why it matters

The GDPR (Chapter V), its British and Swiss sisters and Quebec's private sector act allow data to leave only on a ground
that the shop can show. The rule of the US Department of Justice (28 CFR 202) closes some destinations altogether. A new
integration or a processor that moves its servers changes the answer without anybody touching the shop's own code.

## Example

The addresses of German customers reach a helpdesk in the United States. The register holds standard clauses for it that
ended on 1 March: from that day each transfer is `expired`. Had the helpdesk never been registered, it would be `missing`.

## What it cannot see

- Remote access, and who owns the recipient: it knows places from the register, a list, a host's name or a cloud's address.
- Whether a subprocessor really gets the data: `onward` is judged as the register names subprocessors, and only warns.
- Whether a company in Canada, Japan, Korea or Brazil falls under the law that was found adequate: it is presumed.
- Whether clauses were signed in full (the British ones with their addendum), or the assessment of Quebec was made.
- In one flow, how many people have come together under the US rule's bulk thresholds: it is marked (`bulk-candidate`),
  workers count persons by recipient, kind of data and month, and the alert plane decides over twelve months.
- The shop's own systems: without a register entry of role `own` a flow to the shop is the person's own request.
- Derogations (Art. 49 GDPR) are for single occasions: a stream that rests on one is `missing`.
"""

from functools import lru_cache

import msgspec

from detectors.assessment import Transfer, TransferStatus
from detectors.grounds import decide
from detectors.law.pack import LawPack
from detectors.law.timeline import DAY_MS
from detectors.register import RegisterEntry
from topics.flow import DataFlow, Place, Role

_SEVERITY = (
    TransferStatus.PROHIBITED,
    TransferStatus.MISSING,
    TransferStatus.EXPIRED,
    TransferStatus.UNKNOWN,
    TransferStatus.EXPIRING,
    TransferStatus.DOCUMENTED,
    TransferStatus.NOT_APPLICABLE,
)
"""Worst first: a recipient in several countries is as lawful as the worst of them."""


def assess(flow: DataFlow, entry: RegisterEntry | None, pack: LawPack, on_ms: int) -> Transfer:
    """Say where the data goes and what permits it on that day (epoch milliseconds, read in UTC).

    `entry` is the recipient's entry of the register, or None.
    """
    if entry is None and flow.role is Role.OWN:
        return _NOT_APPLICABLE
    return _assessed(
        pack,
        entry,
        flow.role,
        flow.origin,
        flow.destination,
        flow.categories,
        flow.recipient == "unknown",
        not flow.uninspectable,
        on_ms // DAY_MS,
    )


# Traffic asks few different questions: see tests/bench/transfers.py for what remembering them saves.
@lru_cache(maxsize=32_768)
def _assessed(  # noqa: PLR0913, PLR0917 - all that the answer depends on, by value
    pack: LawPack,
    entry: RegisterEntry | None,
    role: Role,
    origin: Place,
    destination: Place,
    categories: tuple[str, ...],
    nobody_knows_whom: bool,  # noqa: FBT001 - part of the question
    all_was_read: bool,  # noqa: FBT001
    day: int,
) -> Transfer:
    personal = tuple([category for category in categories if category.startswith("user.")])
    if not personal and all_was_read:
        return _NOT_APPLICABLE
    start = _code(origin)
    if not start:
        return Transfer(status=TransferStatus.UNKNOWN, reason="no-origin")
    ends = _destinations(destination, entry)
    if not ends:
        reason = "unknown-recipient" if entry is None and nobody_knows_whom else "no-destination"
        return Transfer(status=TransferStatus.UNKNOWN, origin=start, reason=reason)
    found = [decide(pack, (start, end), entry, entry.role if entry else role, personal, day) for end in ends]
    worst = min(found, key=_badness)
    if personal:
        return _with_onward(worst, pack, start, entry, personal, day)
    if worst.status in _HARMLESS:
        return worst
    # Nothing personal was seen, but part of the record could not be looked into.
    unseen = {"status": TransferStatus.UNKNOWN, "mechanism": "", "expired_on": "", "reason": "uninspectable"}
    return msgspec.structs.replace(worst, **unseen)


def _badness(transfer: Transfer) -> int:
    return _SEVERITY.index(transfer.status)


def _with_onward(
    transfer: Transfer,
    pack: LawPack,
    origin: str,
    entry: RegisterEntry | None,
    personal: tuple[str, ...],
    day: int,
) -> Transfer:
    """Add what becomes of the data behind the recipient, as far as the register names its subprocessors."""
    behind = [
        decide(pack, (origin, country), each, each.role, personal, day)
        for each in (entry.onward if entry else ())
        for country in each.countries
        if country != transfer.destination
    ]
    if not behind:
        return transfer
    worst = min(behind, key=_badness)
    return msgspec.structs.replace(
        transfer, onward=worst.status, onward_destination=worst.destination, onward_reason=worst.reason
    )


_HARMLESS = frozenset(
    {TransferStatus.NOT_APPLICABLE, TransferStatus.DOCUMENTED, TransferStatus.EXPIRING, TransferStatus.UNKNOWN}
)
_NOT_APPLICABLE = Transfer()


def _code(place: Place) -> str:
    """Give the subdivision where it belongs to the country, else the country."""
    if place.subdivision and (not place.country or place.subdivision.startswith(f"{place.country}-")):
        return place.subdivision
    return place.country


def _destinations(place: Place, entry: RegisterEntry | None) -> tuple[str, ...]:
    """Give the places that the traffic shows; without a sign in it, all that the register names."""
    if entry is not None and (not place.country or place.source == "register"):
        return entry.countries
    code = _code(place)
    return (code,) if code else ()
