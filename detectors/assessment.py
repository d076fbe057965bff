"""What an assessor states about a flow: facts that hold up in an audit. Rules decide what is worth telling."""

from enum import StrEnum

import msgspec

from topics.finding import Basis, Detector
from topics.flow import DataFlow


class Law(msgspec.Struct, frozen=True, kw_only=True):
    """The law that speaks for this person on the day of the event."""

    jurisdiction: str = ""
    """`US-CA`, `DE`, …; empty when nobody knows where the person is."""
    regime: str = "none"
    """`opt-in`, `opt-out` or `none`."""
    honours_gpc: bool = False
    """A duty to honour universal opt-out signals is in force there that day."""
    strict_minimisation: bool = False
    """Collection is limited to what is strictly necessary (Maryland)."""
    consent_for: tuple[str, ...] = ()
    """Prefixes of the purposes for which consent comes first; empty under `opt-in`: all that consent governs."""
    sensitive: str = "none"
    """Regime for sensitive data: opt_in_consent, notice_and_opt_out, right_to_limit, necessary_only_no_sale, none."""
    sensitive_codes: tuple[str, ...] = ()
    """What counts as sensitive there; empty: as the taxonomy says."""
    unsold_codes: tuple[str, ...] = ()
    """Kinds of data that may not be sold, whatever the person agreed to."""
    minors_below: int = 0
    """Age below which sale and targeted advertising need somebody's consent; 0 where no verified duty says."""
    minors_banned_below: int = 0
    """Age below which no consent permits them; 0 where no verified duty says."""
    duties: tuple[str, ...] = ()
    """Ids of the duties in force, for the finding."""
    opt_out_days: int = 0
    """Calendar days within which a recorded opt-out must have effect; 0 where no verified duty grants any."""
    exposure: tuple[str, ...] = ()
    """Ids of the duties in force that say what a violation entails: penalties, cure period, deadlines, breach clocks."""
    basis: Basis = Basis.POLICY


class ConsentDecision(StrEnum):
    """May this recipient use this data for this purpose?"""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """The decision, what decided it and what conflicted."""

    decision: ConsentDecision = ConsentDecision.UNKNOWN
    signal: str = "none"
    """gpc, usp, ledger, default, none, …"""
    path: str = ""
    """Where the deciding signal stood, or the ledger entry's coordinates (`topic/partition/offset`)."""
    at_ms: int = 0
    """When the choice was recorded; 0 for signals on the record itself."""
    reason: str = ""
    """Why it is unknown, from a closed list: no-signal, no-subject, unreadable, ledger-loading, ledger-behind,
    origin-conflict, origin-weak, …"""
    about: str = "purpose"
    """What was decided on: `purpose`, `sensitive` (a kind of data that needs a permission of its own) or `minor`."""
    sensitive: tuple[str, ...] = ()
    """Kinds of data in the flow that the law of the place treats as sensitive, by their codes, sorted."""
    conflicts: tuple[str, ...] = ()
    """Signals that said otherwise."""
    remarks: tuple[str, ...] = ()
    """What an engineer or an auditor should know, sorted: remarks of signals (`gdpr_0`, `no_notice`, …) and of the decision
    (`stale_string`, `unordered_conflict`, `string_denies`, `enforcement_mismatch`, `asked_again`)."""
    seconds_since_refusal: int = -1
    """Age of the recorded refusal at the event; -1 when there is none."""
    refused_by_signal: bool = False
    """The recorded refusal was a browser's signal, which binds at once."""


class TransferStatus(StrEnum):
    """Whether a transfer has a documented legal basis."""

    NOT_APPLICABLE = "not-applicable"
    """Nothing crosses a border that a regime cares about."""
    DOCUMENTED = "documented"
    EXPIRING = "expiring"
    """Documented, by a ground that ends soon."""
    EXPIRED = "expired"
    MISSING = "missing"
    PROHIBITED = "prohibited"
    UNKNOWN = "unknown"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Where data goes and what permits it."""

    status: TransferStatus = TransferStatus.NOT_APPLICABLE
    origin: str = ""
    destination: str = ""
    regime: str = ""
    """The law that restricts it: `eu-gdpr`, `uk-gdpr`, `ch-fadp`, …"""
    mechanism: str = ""
    entry: str = ""
    """Id of the register entry."""
    expired_on: str = ""
    expires_on: str = ""
    """The first day without the ground, where it is near."""
    bulk: tuple[str, ...] = ()
    """Kinds of data, by the law's own groups, whose persons are counted over twelve months."""
    onward: TransferStatus = TransferStatus.NOT_APPLICABLE
    """Whether what the recipient's subprocessors elsewhere get is documented: the worst of them. Of the register, not of the traffic."""
    onward_destination: str = ""
    """Where that subprocessor is."""
    onward_reason: str = ""
    """Why, from the same list as `reason`."""
    reason: str = ""
    """Why, from a closed list. Unknown: no-origin, no-subdivision, no-law, no-destination, unknown-recipient, uninspectable,
    origin-conflict, origin-weak, no-register, unsettled, adequacy-date-recalled, mechanism-unconfirmed, exemptions-unseen,
    rule-recalled, bulk-candidate. Missing: not-registered, destination-not-registered, category-not-registered,
    no-mechanism, derogation, other-regime, not-accepted, not-yet, restricted."""


class AgreementStatus(StrEnum):
    """What the register says of a recipient."""

    DOCUMENTED = "documented"
    MISSING = "missing"
    EXPIRED = "expired"
    PURPOSE_NOT_COVERED = "purpose-not-covered"
    CATEGORY_NOT_COVERED = "category-not-covered"


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an agreement on file covers what a recipient gets."""

    status: AgreementStatus = AgreementStatus.DOCUMENTED
    entry: str = ""
    """Id of the register entry."""
    expired_on: str = ""
    reason: str = ""
    """Why it is missing: not-registered, no-agreement, not-yet."""
    uncovered: tuple[str, ...] = ()
    """The purpose, or the categories, that the entry does not name."""


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What this step of the purchase, or this recipient, needs, and what it got beyond."""

    step: str = ""
    """Empty for what goes to a payment provider, a carrier or a tax service outside of a known step."""
    goods: tuple[str, ...] = ()
    """What is bought, as far as anybody knows; see `flow.goods`."""
    unneeded: tuple[str, ...] = ()
    """Categories that are not needed here, sorted."""
    early: tuple[str, ...] = ()
    """Those of the unneeded ones that a later step needs."""
    sensitive: tuple[str, ...] = ()
    """Those of the unneeded ones that are sensitive."""
    prohibited: tuple[str, ...] = ()
    """Categories that must never be at this place (a security code outside the payment leg)."""
    undecided: tuple[str, ...] = ()
    """Categories whose need hangs on the goods, which nobody knows."""
    unproved: tuple[str, ...] = ()
    """Sensitive categories that may be needed, where law allows only what is strictly necessary and nothing shows that it is."""
    appeared: tuple[str, ...] = ()
    """Categories that this endpoint never had while the baseline was learned."""
    appeared_sensitive: tuple[str, ...] = ()
    """Those of them that are sensitive."""
    endpoint: str = ""
    """The endpoint of the baseline, where something appeared."""
    paths: tuple[str, ...] = ()
    """Paths of the fields that any of these is about."""
    evidence: tuple[tuple[str, str, str], ...] = ()
    """For each category what is said of it: the category, why, and what would be enough. Sentences of the need table."""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """One detector's facts on one flow. Rules read it as `flow`, `law`, and the detector's own part."""

    detector: Detector
    flow: DataFlow
    law: Law
    consent: Consent = Consent()
    transfer: Transfer = Transfer()
    checkout: Checkout = Checkout()
    agreement: Agreement = Agreement()
