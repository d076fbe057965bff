"""A disclosure: who, which categories, why, to whom, from where to where. Holds no disclosed value."""

from enum import StrEnum

import msgspec

PURPOSES: frozenset[str] = frozenset(
    {
        "advertising.targeted",
        "advertising.measurement",
        "analytics",
        "analytics.session_replay",
        "consent",
        "content",
        "functional",
        "marketing.email",
        "payment",
        "delivery",
        "security.fraud",
        "social",
        "support",
        "tag_management",
        "tax",
        "unknown",
    }
)
"""Why data is used. A closed list: rules and metrics speak in these words."""


class Role(StrEnum):
    """What the recipient is to the shop."""

    OWN = "own"
    PROCESSOR = "processor"
    """An agreement on file covers it."""
    THIRD_PARTY = "third-party"
    UNKNOWN = "unknown"


class Place(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """Where a person is, or where data goes."""

    country: str = ""
    """ISO 3166-1 alpha-2; empty when unknown."""
    subdivision: str = ""
    """ISO 3166-2 (`US-CA`); empty when unknown."""
    source: str = ""
    """What told it: `declared-address`, `account-address`, `event-location`, `gateway-geo`, `ip-database`, `assumed`, `register`,
    `recipient-list`, `host`, `cloud-range`, `cloud-region`."""


class Field(msgspec.Struct, frozen=True, gc=False):
    """A field that holds personal data: where it is and of what kind, never what it says."""

    path: str
    """Path in the record, made of our own words and sanitised keys."""
    category: str
    """Key of the category taxonomy, such as `user.contact.email`."""
    shape: str = ""
    """Masked shape of the value (`a{4}@a{7}.a{3}`), or empty."""


class Step(StrEnum):
    """A step of the purchase. NONE: the record is not part of one."""

    NONE = ""
    CART = "cart"
    CONTACT = "contact"
    SHIPPING = "shipping"
    PAYMENT = "payment"
    REVIEW = "review"
    ORDER = "order"
    ACCOUNT = "account"


class Goods(StrEnum):
    """Kinds of goods, as far as they change what a purchase needs to know."""

    PHYSICAL = "physical"
    """Something is sent or picked up."""
    DIGITAL = "digital"
    """A download, a licence or a service: nothing is sent."""
    AGE_RESTRICTED = "age-restricted"
    """May not be sold to everybody."""
    GIFT = "gift"
    """Bought for somebody else."""
    PRESCRIPTION = "prescription"
    """Medicines and the like, sold on a doctor's word."""


class Route(StrEnum):
    """By which way data left for its recipient. NONE: it did not leave, or nobody can tell."""

    NONE = ""
    BROWSER = "browser"
    SERVER_SIDE = "server-side"
    GATEWAY = "gateway"
    """A gateway of the shop's passed the browser's request on."""
    RETRY = "retry"
    """Long after the event, from the person's device: it was offline, or tried again."""
    BACKFILL = "backfill"
    """Long after the event, and no device had a part in it: somebody sent what was stored."""


class Signal(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """One consent signal found on the record, decoded."""

    kind: str
    """`gpc`, `usp`, and so on; `ledger` never stands here, it is looked up."""
    says: str
    """`denied`, `allowed`, `not-applicable` or `unreadable`."""
    path: str
    """Where it stood: `headers.sec-gpc`, `cookies.usprivacy`, `context.us_privacy`."""
    purposes: tuple[str, ...] = ()
    """Prefixes of the purposes it speaks of; empty: of sale and advertising as its standard says.

    `sensitive.<code>` speaks of a kind of data instead (codes of the law pack), `minor.<from>-<to>` of a person of that age.
    """
    remark: str = ""
    """What an engineer should know: `litter`, `nonconforming`, `ambiguous`."""
    at_ms: int = 0
    """When the choice was made, where the signal says so; of a TC string the beginning of the day. 0: it does not say."""


class DataFlow(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data of one subject, moving to one recipient, for one purpose."""

    item: int
    location: str
    """Which disclosure of the item this is (`integrations.Facebook Pixel`, `request`): part of a finding's identity."""
    at_ms: int
    """Event time, clamped to the broker's time plus the allowed skew."""
    subjects: tuple[str, ...] = ()
    """Keyed hashes of the person's identifiers, most stable first; never an email, a name or a device id."""
    service: str = ""
    source: str = ""
    recipient: str = "unknown"
    """Id from the recipient list or register, `own` for the shop itself, or `unknown`."""
    recipient_host: str = ""
    """Registrable domain or integration name as seen. For findings only; never a label."""
    role: Role = Role.UNKNOWN
    proof: str = ""
    """How the disclosure is known: `request`, `upstream`, `integration`, `stage`."""
    proof_path: str = ""
    route: Route = Route.NONE
    purpose: str = "unknown"
    known_by: str = ""
    """How recipient and purpose are known, from the surest: `register`, `name`, `host`, `host-path`, `path`, `list`, `looks`; empty: not.

    By its looks a request has a likely purpose; who receives it is unknown, or a platform that carries software of others.
    """
    origin: Place = Place()
    origin_conflict: str = ""
    """What a second source says otherwise: `country`, `subdivision`, or empty."""
    origin_rival: Place = Place()
    """The place that the second source names; empty without a conflict."""
    destination: Place = Place()
    fields: tuple[Field, ...] = ()
    categories: tuple[str, ...] = ()
    """Sorted, distinct categories of the fields and of what travels with every request (ip address, ids)."""
    step: Step = Step.NONE
    goods: tuple[str, ...] = ()
    """What is bought, as the record or the configuration tells: kinds of `Goods`, and `no-` before a kind that it is not."""
    signals: tuple[Signal, ...] = ()
    headers_seen: bool = False
    """Whether the format carries headers at all: without them a missing signal proves nothing."""
    uninspectable: tuple[str, ...] = ()
    """Reasons why parts of the record could not be looked into: `syntax`, `over-budget`, `truncated`."""
