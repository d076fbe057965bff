"""What permits one transfer: the law of the person's place, adequacy, and what the register holds, on one day.

Nothing here is quick, and nothing needs to be: `detectors.transfers` asks once for each distinct question.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from detectors.assessment import Transfer, TransferStatus
from detectors.law.fact import Confidence, SinceIs
from detectors.law.iso import BLOCS
from detectors.law.pack import LawPack
from detectors.law.restriction import Adequacy, MechanismKind, Scope, TransferRegime
from detectors.law.timeline import day_of
from detectors.register import RegisterEntry
from topics.flow import Role

EXPIRING_DAYS = 30
"""A ground that ends within so many days is `expiring`: long enough to renew it."""
_CARRIES = frozenset({TransferStatus.DOCUMENTED, TransferStatus.EXPIRING})


def decide(
    pack: LawPack,
    route: tuple[str, str],
    entry: RegisterEntry | None,
    role: Role,
    categories: tuple[str, ...],
    day: int,
) -> Transfer:
    """Say what permits data of those categories to go from one place to another on a day (days since the epoch)."""
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
        adequate, doubt = self.adequate()
        if adequate is not None and adequate.status is TransferStatus.DOCUMENTED:
            return adequate
        registered = self.registered(categories)
        if adequate is not None and registered.status is not TransferStatus.DOCUMENTED:
            return adequate
        if registered.status in _CARRIES:
            return registered
        if any(_inside(self.destination, each.places) for each in self.regime.unsettled):
            doubt = "unsettled"
        if self.regime.without_ground == "permitted":
            return self.say(TransferStatus.NOT_APPLICABLE)
        if doubt or self.regime.without_ground == "unknown":
            return self.unknown(doubt or "exemptions-unseen", registered.mechanism)
        return registered

    def adequate(self) -> tuple[Transfer | None, str]:
        """Say whether the destination is adequate on this day, and what keeps that from being certain."""
        doubt = ""
        for adequacy in self.regime.adequacy:
            if not _inside(self.destination, adequacy.places) or adequacy.scope is Scope.CERTIFIED:
                continue
            if _inside(self.origin, adequacy.pending_for):
                doubt = "unsettled" if _in_force(adequacy, self.day) else doubt
            elif _in_force(adequacy, self.day):
                return self.until(MechanismKind.ADEQUACY.value, adequacy.until), ""
            elif self.day < day_of(adequacy.since) and Confidence.RECALLED in (
                adequacy.since_confidence,
                adequacy.confidence,
            ):
                doubt = "adequacy-date-recalled"
        return None, doubt

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
        if by_agreement is None or (
            by_mechanism.status is TransferStatus.EXPIRING and by_agreement.status is not TransferStatus.DOCUMENTED
        ):
            return by_mechanism
        return by_agreement

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
        return self.until(kind.value, min(ends, default=None))

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
        return self.until(kind, agreement.expires)

    def until(self, mechanism: str, end: date | None) -> Transfer:
        """Document the transfer by a ground in force that ends on that day, if it ever does."""
        if end is None or day_of(end) - self.day > EXPIRING_DAYS:
            return self.say(TransferStatus.DOCUMENTED, mechanism)
        return msgspec.structs.replace(self.say(TransferStatus.EXPIRING, mechanism), expires_on=end.isoformat())

    def concerned(self, role: Role, categories: tuple[str, ...]) -> Transfer:
        """Judge a destination that the law closes for certain data, above a number of persons in twelve months.

        One flow is one person: it is marked for whoever counts them. Only where a single person is enough does it decide.
        Brokerage is forbidden. With a processor or within the company it is restricted until somebody shows that the
        security requirements are met, for which the register has no place. Of unknown recipients only that is certain.
        """
        concern = self.regime.concern
        if concern is None or not _inside(self.destination, concern.destinations):
            return self.say(TransferStatus.NOT_APPLICABLE)
        touched = [
            group
            for group in concern.groups
            if any(_inside_category(category, group.categories) for category in categories)
        ]
        if not touched:
            return self.say(TransferStatus.NOT_APPLICABLE)
        certain = [group for group in touched if group.confidence is Confidence.VERIFIED]
        if any(group.threshold == 0 for group in certain):
            prohibited = role is Role.THIRD_PARTY
            status = TransferStatus.PROHIBITED if prohibited else TransferStatus.MISSING
            found = self.say(status, reason="" if prohibited else "restricted")
        else:
            found = self.unknown("bulk-candidate" if certain else "rule-recalled")
        return msgspec.structs.replace(found, bulk=tuple([group.id for group in touched]))


def _inside_category(category: str, prefixes: Iterable[str]) -> bool:
    return any(category == each or category.startswith(f"{each}.") for each in prefixes)


def _names_part(country: str, places: Iterable[str]) -> bool:
    """Say whether the register names a part of the country (`CA-QC` for `CA`)."""
    return any(each.startswith(f"{country}-") for each in places)
