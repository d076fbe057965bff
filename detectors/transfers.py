"""Cross-jurisdiction transfer: personal data leaves a jurisdiction without a documented ground.

## What it finds

Data of a person whose law restricts transfers goes to a place outside, and neither an adequacy decision of that day nor
the transfer register permits it: nothing is registered (`missing`), what is registered has run out (`expired`), or the
law forbids the destination whatever is registered (`prohibited`).

## Why it matters

The GDPR (Chapter V), its British and Swiss sisters and Quebec's private sector act allow data to leave only on a ground
that the shop can show. The rule of the US Department of Justice (28 CFR 202) closes some destinations altogether. A new
integration or a processor that moves its servers changes the answer without anybody touching the shop's own code.

## Example

The addresses of German customers reach a helpdesk in the United States. The register holds standard clauses for it that
ended on 1 March: from that day each transfer is `expired`. Had the helpdesk never been registered, it would be `missing`.

## What it cannot see

- Remote access, onward transfers, and who owns the recipient: it knows places from the register, a list or a host's name.
- Whether a company in Canada, Japan, Korea or Brazil falls under the law that was found adequate: it is presumed.
- Whether clauses were signed in full (the British ones with their addendum), or the assessment of Quebec was made.
- How many people the US rule's bulk thresholds need: one flow is one person; whoever counts them decides.
- The shop's own systems: without a register entry of role `own` a flow to the shop is the person's own request.
- Derogations (Art. 49 GDPR) are for single occasions: a stream that rests on one is `missing`.
"""

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from detectors.assessment import Transfer, TransferStatus
from detectors.law.fact import Confidence, SinceIs
from detectors.law.iso import BLOCS
from detectors.law.pack import LawPack
from detectors.law.restriction import Adequacy, MechanismKind, Scope, TransferRegime
from detectors.law.timeline import DAY_MS, day_of
from detectors.register import RegisterEntry
from topics.flow import DataFlow, Place, Role

_SEVERITY = (
    TransferStatus.PROHIBITED,
    TransferStatus.MISSING,
    TransferStatus.EXPIRED,
    TransferStatus.UNKNOWN,
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
    personal = _personal(flow.categories)
    if not personal and not flow.uninspectable:
        return _NOT_APPLICABLE
    origin = _code(flow.origin)
    if not origin:
        return Transfer(status=TransferStatus.UNKNOWN, reason="no-origin")
    destinations = _destinations(flow, entry)
    if not destinations:
        reason = "unknown-recipient" if entry is None and flow.recipient == "unknown" else "no-destination"
        return Transfer(status=TransferStatus.UNKNOWN, origin=origin, reason=reason)
    role = entry.role if entry else flow.role
    found = [_decide(pack, (origin, each), entry, role, personal, on_ms // DAY_MS) for each in destinations]
    worst = found[0] if len(found) == 1 else min(found, key=lambda each: _SEVERITY.index(each.status))
    if personal or worst.status in _HARMLESS:
        return worst
    # Nothing personal was seen, but part of the record could not be looked into.
    unseen = {"status": TransferStatus.UNKNOWN, "mechanism": "", "expired_on": "", "reason": "uninspectable"}
    return msgspec.structs.replace(worst, **unseen)


_HARMLESS = frozenset({TransferStatus.NOT_APPLICABLE, TransferStatus.DOCUMENTED, TransferStatus.UNKNOWN})


@lru_cache(maxsize=8192)
def _personal(categories: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(category for category in categories if category.startswith("user."))


_NOT_APPLICABLE = Transfer()


def _code(place: Place) -> str:
    """Give the subdivision where it belongs to the country, else the country."""
    if place.subdivision and (not place.country or place.subdivision.startswith(f"{place.country}-")):
        return place.subdivision
    return place.country


def _destinations(flow: DataFlow, entry: RegisterEntry | None) -> tuple[str, ...]:
    """Give the places that the traffic shows; without a sign in it, all that the register names."""
    place = flow.destination
    if entry is not None and (not place.country or place.source == "register"):
        return entry.countries
    code = _code(place)
    return (code,) if code else ()


@lru_cache(maxsize=8192)
def _decide(
    pack: LawPack,
    route: tuple[str, str],
    entry: RegisterEntry | None,
    role: Role,
    categories: tuple[str, ...],
    day: int,
) -> Transfer:
    origin, destination = route
    regime = pack.regime_of.get(origin) or pack.regime_of.get(origin[:2])
    if regime is None:
        return _unwritten(pack, origin, destination)
    decision = _Decision(regime, origin, destination, entry, day)
    if _inside(destination, regime.area):
        return decision.say(TransferStatus.NOT_APPLICABLE)
    if day < day_of(regime.since) and regime.since_is is SinceIs.OBSERVED:
        return decision.unknown("no-law")
    if not _in_force(regime, day):
        return decision.say(TransferStatus.NOT_APPLICABLE)
    if regime.concern is not None:
        return decision.concerned(role, categories)
    return decision.grounded(categories)


def _unwritten(pack: LawPack, origin: str, destination: str) -> Transfer:
    """Nobody wrote down what the origin's law says of transfers: only what stays in the country is none."""
    if origin in pack.split_countries:
        reason = "no-subdivision"
    elif origin in BLOCS:
        reason = "no-origin"
    else:
        reason = "no-law" if origin[:2] != destination[:2] else ""
    status = TransferStatus.UNKNOWN if reason else TransferStatus.NOT_APPLICABLE
    return Transfer(status=status, origin=origin, destination=destination, reason=reason)


def _in_force(fact: TransferRegime | Adequacy, day: int) -> bool:
    return day_of(fact.since) <= day and (fact.until is None or day < day_of(fact.until))


def _inside(place: str, area: Iterable[str]) -> bool:
    return any(place == each or place.startswith(f"{each}-") for each in area)


class _Decision:
    """One transfer under one regime on one day."""

    def __init__(
        self, regime: TransferRegime, origin: str, destination: str, entry: RegisterEntry | None, day: int
    ) -> None:
        self.regime, self.origin, self.destination, self.entry, self.day = regime, origin, destination, entry, day

    def say(self, status: TransferStatus, mechanism: str = "", reason: str = "", expired_on: str = "") -> Transfer:
        return Transfer(
            status=status,
            origin=self.origin,
            destination=self.destination,
            regime=self.regime.id,
            mechanism=mechanism,
            entry=self.entry.id if self.entry else "",
            expired_on=expired_on,
            reason=reason,
        )

    def unknown(self, reason: str, mechanism: str = "") -> Transfer:
        return self.say(TransferStatus.UNKNOWN, mechanism, reason)

    def grounded(self, categories: tuple[str, ...]) -> Transfer:
        """Adequacy first, then what the register documents, then nothing."""
        doubt = ""
        for adequacy in self.regime.adequacy:
            if not _inside(self.destination, adequacy.places) or adequacy.scope is Scope.CERTIFIED:
                continue
            if _inside(self.origin, adequacy.pending_for):
                doubt = "unsettled" if _in_force(adequacy, self.day) else doubt
                continue
            if _in_force(adequacy, self.day):
                return self.say(TransferStatus.DOCUMENTED, MechanismKind.ADEQUACY.value)
            if self.day < day_of(adequacy.since) and Confidence.RECALLED in (
                adequacy.since_confidence,
                adequacy.confidence,
            ):
                doubt = "adequacy-date-recalled"
        registered = self.registered(categories)
        if registered.status is TransferStatus.DOCUMENTED:
            return registered
        if any(_inside(self.destination, each.places) for each in self.regime.unsettled):
            doubt = "unsettled"
        if self.regime.without_ground == "permitted":
            return self.say(TransferStatus.NOT_APPLICABLE)
        if doubt or self.regime.without_ground == "unknown":
            return self.unknown(doubt or "exemptions-unseen", registered.mechanism)
        return registered

    def registered(self, categories: tuple[str, ...]) -> Transfer:
        """Say what the entry of the register documents for this destination on this day."""
        if self.entry is None:
            return self.say(TransferStatus.MISSING, reason="not-registered")
        if not _inside(self.destination, self.entry.places) and not _names_part(self.destination, self.entry.places):
            return self.say(TransferStatus.MISSING, reason="destination-not-registered")
        if not all(map(self.entry.covers_category, categories)):
            return self.say(TransferStatus.MISSING, reason="category-not-registered")
        by_mechanism = self.by_mechanism()
        if by_mechanism.status is TransferStatus.DOCUMENTED:
            return by_mechanism
        by_agreement = self.by_agreement()
        return by_mechanism if by_agreement is None else by_agreement

    def by_mechanism(self) -> Transfer:
        mechanism = self.entry.written.mechanism if self.entry else None
        if mechanism is None or mechanism.kind is MechanismKind.NONE:
            return self.say(TransferStatus.MISSING, reason="no-mechanism")
        kind = mechanism.kind
        if kind is MechanismKind.DEROGATION:
            return self.say(TransferStatus.MISSING, kind.value, "derogation")
        if mechanism.regimes and self.regime.id not in mechanism.regimes:
            return self.say(TransferStatus.MISSING, kind.value, "other-regime")
        if not mechanism.regimes and any(each.kind is kind and each.own_text for each in self.regime.mechanisms):
            return self.unknown("mechanism-unconfirmed", kind.value)
        if not self.accepts(kind):
            known = self.regime.mechanisms_complete or kind in {MechanismKind.ADEQUACY, MechanismKind.DPF}
            return (
                self.say(TransferStatus.MISSING, kind.value, "not-accepted")
                if known
                else self.unknown("mechanism-unconfirmed", kind.value)
            )
        if mechanism.since is not None and self.day < day_of(mechanism.since):
            return self.say(TransferStatus.MISSING, kind.value, "not-yet")
        ends = [day for day in (mechanism.expires, mechanism.assessment_expires) if day is not None]
        if ends and day_of(min(ends)) <= self.day:
            return self.say(TransferStatus.EXPIRED, kind.value, expired_on=min(ends).isoformat())
        return self.say(TransferStatus.DOCUMENTED, kind.value)

    def accepts(self, kind: MechanismKind) -> bool:
        """Say whether the regime knows the kind that day; a certification only where the place has a scheme for it."""
        if kind is MechanismKind.DPF and not any(
            adequacy.scope is Scope.CERTIFIED
            and _inside(self.destination, adequacy.places)
            and _in_force(adequacy, self.day)
            for adequacy in self.regime.adequacy
        ):
            return False
        return any(
            each.kind is kind
            and (day_of(each.since) <= self.day or each.confidence is Confidence.RECALLED)
            and (each.until is None or self.day < day_of(each.until))
            for each in self.regime.mechanisms
        )

    def by_agreement(self) -> Transfer | None:
        """Judge the written agreement where the law asks for no more."""
        agreement = self.entry.written.agreement if self.entry else None
        if agreement is None or not self.accepts(MechanismKind.AGREEMENT):
            return None
        kind = MechanismKind.AGREEMENT.value
        if self.day < day_of(agreement.signed):
            return self.say(TransferStatus.MISSING, kind, "not-yet")
        if agreement.expires is not None and day_of(agreement.expires) <= self.day:
            return self.say(TransferStatus.EXPIRED, kind, expired_on=agreement.expires.isoformat())
        return self.say(TransferStatus.DOCUMENTED, kind)

    def concerned(self, role: Role, categories: tuple[str, ...]) -> Transfer:
        """Judge a destination that the law closes for certain data.

        Brokerage is forbidden. With a processor or within the company it is restricted until somebody shows that the
        security requirements are met, for which the register has no place. Of unknown recipients only that is certain.
        """
        concern = self.regime.concern
        if concern is None or not _inside(self.destination, concern.destinations):
            return self.say(TransferStatus.NOT_APPLICABLE)
        touched = [
            group.confidence
            for group in concern.groups
            if any(_inside_category(category, group.categories) for category in categories)
        ]
        if Confidence.VERIFIED in touched:
            if role is Role.THIRD_PARTY:
                return self.say(TransferStatus.PROHIBITED)
            return self.say(TransferStatus.MISSING, reason="restricted")
        return self.unknown("rule-recalled") if touched else self.say(TransferStatus.NOT_APPLICABLE)


def _inside_category(category: str, prefixes: Iterable[str]) -> bool:
    return any(category == each or category.startswith(f"{each}.") for each in prefixes)


def _names_part(country: str, places: Iterable[str]) -> bool:
    """Say whether the register names a part of the country (`CA-QC` for `CA`)."""
    return any(each.startswith(f"{country}-") for each in places)
