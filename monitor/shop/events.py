"""Analytics events in Segment's format, and consent records, as the demo shop's own collectors write them."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from monitor.shop.people import Moment, Visitor, identifier
from monitor.shop.pieces import iso

ADVERTISING = ("Facebook Pixel", "Google Ads", "TikTok Pixel")
ADVERTISING_IN_EUROPE = ("Facebook Pixel", "Google Ads")
"""Those whose transfer from the EU the demo register documents."""

PRODUCTS = (
    ("KT-1042", "Enamel kettle", 49.0),
    ("LM-2210", "Desk lamp", 79.5),
    ("RJ-0031", "Rain jacket", 119.0),
    ("NB-7780", "Dotted notebook", 12.9),
    ("CH-5104", "Oak chair", 229.0),
    ("TW-3318", "Linen towel", 24.0),
)
"""Ordinary goods, none of which says anything about the buyer's health or beliefs: SKU, name, price."""


def product(rng: Random) -> dict[str, Any]:
    """Describe one article in the words of Segment's e-commerce specification."""
    sku, name, price = rng.choice(PRODUCTS)
    return {"product_id": sku, "sku": sku, "name": name, "price": price, "quantity": rng.randint(1, 3)}


def order(rng: Random, visitor: Visitor) -> dict[str, Any]:
    """Describe a finished order without any data of the buyer."""
    goods = [product(rng) for _ in range(rng.randint(1, 3))]
    total = round(sum(article["price"] * article["quantity"] for article in goods), 2)
    return {
        "order_id": f"SO-{rng.randint(100000, 999999)}",
        "total": total,
        "currency": visitor.place.currency,
        "products": goods,
    }


def only(*names: str) -> dict[str, bool]:
    """Switch destinations on; an event that names none stays with the shop."""
    return dict.fromkeys(names, True)


def browser_event(
    moment: Moment,
    *,
    name: str = "",
    path: str = "/",
    properties: dict[str, Any] | None = None,
    to: Mapping[str, bool] | None = None,
) -> dict[str, Any]:
    """Make a `page` event, or a `track` event when it has a name; `to` switches destinations on and off."""
    event = _envelope(moment, to)
    url = "https://www.shop.example" + path
    event["context"] |= {
        "library": {"name": "analytics.js", "version": "2.11.1"},
        "page": {"url": url, "path": path, "referrer": "https://www.shop.example/", "title": "Shop"},
        "userAgent": moment.visitor.user_agent,
        "locale": moment.visitor.place.locale,
    }
    if name:
        return event | {"type": "track", "event": name, "properties": properties or {}}
    return event | {"type": "page", "name": "Shop", "properties": properties or {"url": url, "path": path}}


def server_event(
    moment: Moment, *, name: str, properties: dict[str, Any], to: Mapping[str, bool] | None = None
) -> dict[str, Any]:
    """Make a `track` event as the shop's order service sends it for a signed-in visitor."""
    event = _envelope(moment, to)
    event["context"]["library"] = {"name": "@segment/analytics-node", "version": "2.3.0"}
    return event | {"type": "track", "event": name, "userId": moment.visitor.user_id, "properties": properties}


def identify(moment: Moment, *, to: Mapping[str, bool] | None = None) -> dict[str, Any]:
    """Tell who an anonymous visitor is, with the e-mail address of the account."""
    event = _envelope(moment, to)
    return event | {"type": "identify", "userId": moment.visitor.user_id, "traits": {"email": moment.visitor.email}}


def alias(moment: Moment) -> dict[str, Any]:
    """Join the anonymous identifier and the account of one person."""
    return {
        "type": "alias",
        "messageId": identifier(moment.rng),
        "timestamp": iso(moment.at_ms),
        "userId": moment.visitor.user_id,
        "previousId": moment.visitor.anonymous_id,
    }


def consent(
    visitor: Visitor, at_ms: int, *, granted: Sequence[str] = (), refused: Sequence[str] = (), source: str = "banner"
) -> dict[str, Any]:
    """Make the record of a choice as `privacy.consent.v1` has it: the person by identifiers, purposes by name or prefix."""
    return {
        "at_ms": at_ms,
        "ids": {"user_id": visitor.user_id, "anonymous_id": visitor.anonymous_id},
        "granted": list(granted),
        "refused": list(refused),
        "source": source,
        "jurisdiction": visitor.jurisdiction,
        "banner_version": "2026-09",
    }


def _envelope(moment: Moment, to: Mapping[str, bool] | None) -> dict[str, Any]:
    visitor = moment.visitor
    place = visitor.place
    location = {"country": place.country, "region": place.region} if place.region else {"country": place.country}
    context: dict[str, Any] = {"ip": visitor.ip, "location": location}
    if visitor.gpc:
        context["gpc"] = True
    if visitor.us_privacy:
        context["us_privacy"] = visitor.us_privacy
    if visitor.chosen_at_ms is not None:
        named = {"advertising": "Advertising", "analytics": "Analytics"}
        preferences = {named[purpose]: True for purpose in visitor.granted if purpose in named}
        preferences |= {named[purpose]: False for purpose in visitor.refused if purpose in named}
        context["consent"] = {"categoryPreferences": preferences}
    event: dict[str, Any] = {
        "messageId": identifier(moment.rng),
        "timestamp": iso(moment.at_ms),
        "anonymousId": visitor.anonymous_id,
        "context": context,
    }
    if to:
        event["integrations"] = {"All": False, **to}
    return event
