"""Records of the demo shop's gateway (Kong's http-log) and web server (nginx), with the bodies of its checkout."""

from random import Random
from typing import Any, NamedTuple

import orjson

from monitor.shop.people import CARDS, Moment, Visitor, address_of, identifier
from monitor.shop.pieces import iso


class Upstream(NamedTuple):
    """Where the gateway passes a request on to."""

    name: str
    host: str
    path: str


CATALOG = Upstream("catalog", "catalog.internal.shop.example", "/products")
CART = Upstream("cart", "cart.internal.shop.example", "/cart")
ORDERS = Upstream("orders", "orders.internal.shop.example", "/orders")
STORES = Upstream("stores", "stores.internal.shop.example", "/stores")
STRIPE = Upstream("stripe", "api.stripe.com", "/v1/payment_methods")
ADYEN = Upstream("adyen", "checkout-live.adyen.com", "/v71/payments")
EASYPOST = Upstream("easypost", "api.easypost.com", "/v2/shipments")
TAXJAR = Upstream("taxjar", "api.taxjar.com", "/v2/taxes")
META = Upstream("meta-conversions", "graph.facebook.com", "/v21.0/100000000000001/events")
ZENDESK = Upstream("zendesk", "api.zendesk.com", "/api/v2/tickets")
FRESHDESK = Upstream("freshdesk", "shop-example.freshdesk.com", "/api/v2/tickets")
ZAMMAD = Upstream("zammad", "shop-example.zammad.com", "/api/v1/tickets")
INTERCOM = Upstream("intercom", "api.intercom.io", "/conversations")

_OWN_NETWORK = "10.20.0."
"""The shop's own services stand at private addresses (RFC 1918): a public one would be somebody else's."""


class Leg(NamedTuple):
    """One way through the gateway: the route that matched, the path that was called, and who answers."""

    route: str
    path: str
    to: Upstream


BROWSE = Leg("catalog", "/products", CATALOG)
FILL_CART = Leg("cart", "/cart", CART)
FIND_STORE = Leg("store-finder", "/stores/nearby", STORES)
CONTACT = Leg("checkout-contact", "/checkout/contact", ORDERS)
SHIPPING = Leg("checkout-shipping", "/checkout/shipping", ORDERS)
RATES = Leg("checkout-shipping", "/checkout/shipping/rates", EASYPOST)
TAX = Leg("checkout-tax", "/checkout/tax", TAXJAR)
PAY_STRIPE = Leg("checkout-payment", "/checkout/payment", STRIPE)
PAY_ADYEN = Leg("checkout-payment", "/checkout/payment", ADYEN)
PLACE_ORDER = Leg("checkout-order", "/checkout/order", ORDERS)
CONVERT = Leg("conversions", "/egress/conversions", META)


def helpdesk(to: Upstream) -> Leg:
    """Give the way of a support ticket to one of the helpdesks."""
    return Leg("support-ticket", "/support/tickets", to)


def kong(moment: Moment, leg: Leg, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Log one request of the visitor through the gateway; the body is the shop's custom field, JSON in a string."""
    rng, visitor, at_ms = moment
    route, path, to = leg
    number = rng.getrandbits(32)
    request: dict[str, Any] = {
        "id": f"{number:032x}",
        "method": "GET" if body is None else "POST",
        "uri": path,
        "url": "https://api.shop.example:443" + path,
        "querystring": {},
        "size": 700 + number % 400,
        "headers": _headers(visitor),
    }
    if body is not None:
        request["headers"]["content-type"] = "application/json"
        request["body"] = orjson.dumps(body).decode()
    own = to.host.endswith(".shop.example")
    upstream_ip = f"{_OWN_NETWORK if own else '198.51.100.'}{number % 250 + 1}"
    return {
        "client_ip": visitor.ip,
        "started_at": at_ms,
        "request": request,
        "response": {"status": 200, "size": 512, "headers": {"content-type": "application/json"}},
        "latencies": {"request": 40 + number % 60, "kong": 2, "proxy": 35 + number % 50},
        "upstream_uri": to.path,
        "upstream_status": "200",
        "tries": [{"ip": upstream_ip, "port": 443, "balancer_start": at_ms}],
        "service": {
            "name": to.name,
            "host": to.host,
            "port": 8080 if own else 443,
            "protocol": "http" if own else "https",
            "path": to.path,
        },
        "route": {"name": route, "paths": [path], "hosts": ["api.shop.example"]},
        "consumer": {"id": visitor.user_id, "custom_id": visitor.user_id},
    }


def nginx(
    moment: Moment,
    *,
    uri: str,
    host: str = "www.shop.example",
    body: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Log one request of the visitor to the shop's own web server, one JSON object a line."""
    rng, visitor, at_ms = moment
    line = {
        "time_iso8601": iso(at_ms),
        "remote_addr": visitor.ip,
        "request_method": "GET" if body is None else "POST",
        "host": host,
        "request_uri": uri,
        "status": "200",
        "http_user_agent": visitor.user_agent,
        "http_referer": "https://www.shop.example/",
        "http_cookie": _cookies(visitor),
        "http_sec_gpc": "1" if visitor.gpc else "-",
        "request_body": "-" if body is None else orjson.dumps(body).decode(),
        "upstream_addr": f"{_OWN_NETWORK}{rng.randint(1, 250)}:8080",
    }
    return line | {"http_" + name.replace("-", "_"): value for name, value in _geography(visitor).items()}


def shipping_step(visitor: Visitor) -> dict[str, Any]:
    """Give what a parcel needs: name, address, telephone number for the carrier."""
    person = {"first_name": visitor.given, "last_name": visitor.family, "phone": visitor.phone}
    return {"shipping_address": person | address_of(visitor), "shipping_method": "standard"}


def payment_step(rng: Random, visitor: Visitor) -> dict[str, Any]:
    """Give what a card payment needs: the holder's name and the card."""
    card = {
        "number": rng.choice(CARDS),
        "exp_month": rng.randint(1, 12),
        "exp_year": 2029,
        "cvc": f"{rng.randint(100, 999)}",
    }
    return {
        "cardholder_name": visitor.name,
        "card": card,
        "amount": rng.randint(900, 30000),
        "currency": visitor.place.currency,
    }


def tax_step(rng: Random, visitor: Visitor) -> dict[str, Any]:
    """Give what a tax calculation needs: the address and the amount."""
    return {"address": address_of(visitor), "amount": rng.randint(9, 300), "currency": visitor.place.currency}


def parcel(visitor: Visitor) -> dict[str, Any]:
    """Give a carrier what it needs to deliver."""
    return {
        "to_address": {"name": visitor.name, "phone": visitor.phone} | address_of(visitor),
        "parcel": {"weight": 32},
    }


def ticket(rng: Random, visitor: Visitor) -> dict[str, Any]:
    """Write to the helpdesk about a parcel, with the delivery address to check."""
    return {
        "subject": "Parcel not here yet",
        "name": visitor.name,
        "email": visitor.email,
        "order_id": f"SO-{rng.randint(100000, 999999)}",
        "address": address_of(visitor),
    }


def conversion(moment: Moment) -> dict[str, Any]:
    """Tell Meta's Conversions API of a view, with the visitor's identifier and browser."""
    rng, visitor, at_ms = moment
    return {
        "data": [
            {
                "event_name": "ViewContent",
                "event_time": at_ms // 1000,
                "event_id": identifier(rng),
                "action_source": "website",
                "event_source_url": "https://www.shop.example/products/oak-chair",
                "user_data": {
                    "external_id": visitor.user_id,
                    "client_ip_address": visitor.ip,
                    "client_user_agent": visitor.user_agent,
                },
            }
        ]
    }


def _geography(visitor: Visitor) -> dict[str, str]:
    place = visitor.place
    if not visitor.cloudfront:
        return {"cf-ipcountry": place.country}
    headers = {"cloudfront-viewer-country": place.country}
    return headers | {"cloudfront-viewer-country-region": place.region} if place.region else headers


def _cookies(visitor: Visitor) -> str:
    session = "sid=" + visitor.anonymous_id[:8]
    return f"{session}; usprivacy={visitor.us_privacy}" if visitor.us_privacy else session


def _headers(visitor: Visitor) -> dict[str, Any]:
    headers = {
        "host": "api.shop.example",
        "user-agent": visitor.user_agent,
        "accept": "application/json",
        "accept-language": visitor.place.locale,
        "origin": "https://www.shop.example",
        "authorization": "REDACTED",
        "x-forwarded-for": visitor.ip,
        "cookie": _cookies(visitor),
    } | _geography(visitor)
    if visitor.gpc:
        headers["sec-gpc"] = "1"
    return headers
