"""What is planted in the demo shop's traffic: every kind, what must come of it, and why."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from monitor.shop.pieces import Detector, Expected, Plant


class Truth(NamedTuple):
    """What is true of every plant of one kind."""

    detector: Detector
    expected: Expected
    explanation: str
    beside: str = ""
    """For a near-miss: the violation that it resembles."""


_TRACKING: Detector = "unconsented-tracking"
_TRANSFER: Detector = "cross-jurisdiction-transfer"
_CHECKOUT: Detector = "checkout-over-collection"


def _bad(detector: Detector, explanation: str) -> Truth:
    return Truth(detector, "violation", explanation)


def _near(detector: Detector, beside: str, explanation: str) -> Truth:
    return Truth(detector, "near-miss", explanation, beside)


KINDS: Mapping[str, Truth] = MappingProxyType(
    {
        "gpc-in-event": _bad(
            _TRACKING, "The browser sends Global Privacy Control, and the event still goes to an advertising network."
        ),
        "gpc-own-analytics": _near(
            _TRACKING, "gpc-in-event", "The same person with the same signal, but the event stays with the shop."
        ),
        "gpc-own-upstream": _near(
            _TRACKING, "gpc-in-event", "A request with Sec-GPC that the gateway passes to the shop's own service."
        ),
        "gpc-at-gateway": _bad(
            _TRACKING, "A request with Sec-GPC that the gateway passes on to an advertising network."
        ),
        "gpc-payment": _near(
            _TRACKING, "gpc-at-gateway", "A payment with Sec-GPC: the opt-out does not reach what the purchase needs."
        ),
        "gpc-delivery": _near(
            _TRACKING, "gpc-at-gateway", "A parcel with Sec-GPC: the opt-out does not reach what the delivery needs."
        ),
        "us-privacy-in-event": _bad(
            _TRACKING,
            "A Californian's US Privacy string opts out of sale, and the event still goes to an advertising network.",
        ),
        "us-privacy-not-opted-out": _near(
            _TRACKING, "us-privacy-in-event", "A Californian's US Privacy string says notice given, not opted out."
        ),
        "us-privacy-in-cookie": _bad(
            _TRACKING,
            "The usprivacy cookie opts out of sale, and the gateway still passes the request to an advertising network.",
        ),
        "us-privacy-cookie-not-opted-out": _near(
            _TRACKING, "us-privacy-in-cookie", "The usprivacy cookie says notice given, not opted out."
        ),
        "refusal-on-record": _bad(
            _TRACKING,
            "The person refused advertising seconds before, and the event still goes to an advertising network.",
        ),
        "grant-on-record": _near(_TRACKING, "refusal-on-record", "The person allowed advertising seconds before."),
        "refusal-afterwards": _near(
            _TRACKING,
            "refusal-on-record",
            "The person refuses only after the event, in a state where no prior consent is needed.",
        ),
        "refusal-taken-back": _near(
            _TRACKING, "refusal-on-record", "The person refused, and later allowed it again before the event."
        ),
        "opt-in-missing": _bad(
            _TRACKING, "A visitor from the EU never answered the banner, and the event goes to an advertising network."
        ),
        "opt-in-on-record": _near(
            _TRACKING, "opt-in-missing", "A visitor from the EU allowed advertising seconds before."
        ),
        "helpdesk-not-registered": _bad(
            _TRANSFER, "A German customer's address goes to a US-hosted helpdesk that is not on the transfer register."
        ),
        "helpdesk-with-clauses": _near(
            _TRANSFER,
            "helpdesk-not-registered",
            "A US-hosted helpdesk on the register, with standard contractual clauses.",
        ),
        "helpdesk-in-europe": _near(
            _TRANSFER, "helpdesk-not-registered", "A helpdesk hosted in Germany: the address stays in the EU."
        ),
        "helpdesk-for-american": _near(
            _TRANSFER,
            "helpdesk-not-registered",
            "The same helpdesk, but the customer lives in the US: nothing crosses a border.",
        ),
        "mechanism-expired": _bad(
            _TRANSFER, "A helpdesk on the register whose standard contractual clauses have run out."
        ),
        "mechanism-valid": _near(
            _TRANSFER, "mechanism-expired", "A delivery service on the register whose clauses are still in force."
        ),
        "birth-date-at-shipping": _bad(_CHECKOUT, "The shipping step asks for a date of birth, which no parcel needs."),
        "shipping-step-ordinary": _near(
            _CHECKOUT, "birth-date-at-shipping", "The shipping step asks for name, address and telephone number."
        ),
        "security-code-in-event": _bad(
            _CHECKOUT, "The order event that goes to web analytics carries the card's security code."
        ),
        "card-at-payment": _near(
            _CHECKOUT, "security-code-in-event", "The card goes to the payment provider at the payment step."
        ),
        "security-code-in-own-log": _bad(
            _CHECKOUT, "The shop's own log of the order step holds the card's security code."
        ),
        "order-step-ordinary": _near(
            _CHECKOUT, "security-code-in-own-log", "The order step holds goods and sum, no card."
        ),
        "location-in-address": _bad(_CHECKOUT, "Exact coordinates ride along in the delivery address."),
        "store-finder-location": _near(
            _CHECKOUT, "location-in-address", "Coordinates on the store finder, outside the checkout."
        ),
        "health-at-checkout": _bad(_CHECKOUT, "The checkout asks about health."),
        "condition-of-goods": _near(
            _CHECKOUT, "health-at-checkout", "The word condition describes the goods, not a person."
        ),
        "religion-at-checkout": _bad(_CHECKOUT, "The checkout asks for a religion."),
        "contact-step-ordinary": _near(
            _CHECKOUT, "religion-at-checkout", "The contact step asks for an e-mail address and nothing more."
        ),
        "malformed": Truth("", "dead-letter", "Bytes that are no record of the format."),
    }
)
"""Every kind of plant. Public: the names are labels in reports and never change their meaning."""


def plant(kind: str, *, item: int = 0, explanation: str = "") -> Plant:
    """Give the truth about one planted piece; the kind's own sentence unless another is given."""
    truth = KINDS[kind]
    return Plant(kind, truth.detector, truth.expected, explanation or truth.explanation, item)
