"""Lawful visits to the demo shop: signals are honoured, consent is asked for first, each step sends only what it needs."""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any

from monitor.shop import events, gateway
from monitor.shop.people import BRITAIN, OPT_IN_COUNTRIES, PLACES, QUEBEC, Moment, Visitor, meet
from monitor.shop.pieces import Draft

LEDGER_LEAD_MS = 6_000
"""A choice is relied on only when it is this old: consent and traffic travel on different topics without a common order."""

_BROWSING = (
    *("open", "page", "choose", "collect", "view", "catalog", "page"),
    *("add", "cart", "view", "page", "conversion", "catalog", "page"),
)
_BUYING = (
    *("identify", "alias", "contact", "shipping", "rates", "tax"),
    *("payment", "order", "completed", "view", "ticket", "page"),
)

_Step = Callable[[Moment], Draft]


def arrive(rng: Random) -> Visitor:
    """Let a visitor in, with a browser that may send an opt-out signal and a plan of the visit."""
    visitor = meet(rng, rng.choice(PLACES))
    visitor.gpc = rng.random() < 0.25
    if visitor.place.country == "US" and rng.random() < 0.5:
        visitor.us_privacy = "1YYN" if visitor.gpc else "1YNN"
    # Quebec asks for an assessment before data leaves the province, which the register has no word for: its visitors only browse.
    buys = visitor.place is not QUEBEC and rng.random() < 0.5
    visitor.steps = list(reversed(_BROWSING + _BUYING if buys else _BROWSING))
    return visitor


def walk(moment: Moment) -> Draft:
    """Take the next step of the visit; a visitor without steps left only looks at another page."""
    return _STEPS[moment.visitor.steps.pop() if moment.visitor.steps else "page"](moment)


def destinations(moment: Moment) -> tuple[str, ...]:
    """Choose to whom an event of this visitor may go right now; empty means to the shop alone."""
    place = moment.visitor.place
    if moment.visitor.gpc or place is QUEBEC:
        return ()
    if place.country == "US":
        if "advertising" in moment.visitor.refused:
            return ("Mixpanel",)
        return moment.rng.choice((("Google Analytics",), (), (moment.rng.choice(events.ADVERTISING),), ("Mixpanel",)))
    if (
        moment.visitor.chosen_at_ms is None
        or moment.at_ms - moment.visitor.chosen_at_ms < LEDGER_LEAD_MS
        or "analytics" not in moment.visitor.granted
    ):
        return ()
    if place is BRITAIN:
        # A British address needs Britain's own addendum for the US; one mechanism per recipient cannot say so. Hotjar is in the EU.
        return ("Hotjar",)
    if "advertising" in moment.visitor.granted and moment.rng.random() < 0.5:
        return (moment.rng.choice(events.ADVERTISING_IN_EUROPE),)
    return (moment.rng.choice(("Google Analytics", "Hotjar", "Mixpanel")),)


def page(moment: Moment) -> Draft:
    """Show a page."""
    path = "/products/" + moment.rng.choice(events.PRODUCTS)[1].lower().replace(" ", "-")
    to = {"Facebook Pixel": False} if moment.visitor.gpc else events.only(*destinations(moment))
    item = events.browser_event(moment, path=path, to=to)
    return Draft("events", moment.visitor.anonymous_id, (item,))


def catalog(moment: Moment) -> Draft:
    """Fetch the catalogue through the gateway."""
    return Draft("kong", None, (gateway.kong(moment, gateway.BROWSE),))


def choose(moment: Moment) -> Draft:
    """Answer the banner, or in the US go to the preference centre; whoever does neither looks at a page."""
    place = moment.visitor.place
    opt_in = place.country != "US"
    answers = moment.rng.random() < (0.8 if opt_in else 0.15)
    if not answers:
        return page(moment)
    granted, refused = _REFUSAL if moment.visitor.gpc or not opt_in else moment.rng.choice(_ANSWERS)
    moment.visitor.granted, moment.visitor.refused, moment.visitor.chosen_at_ms = granted, refused, moment.at_ms
    source = "banner" if opt_in else "preference-center"
    record = events.consent(moment.visitor, moment.at_ms, granted=granted, refused=refused, source=source)
    return Draft("consent", moment.visitor.anonymous_id, (record,))


_Answer = tuple[tuple[str, ...], tuple[str, ...]]
"""Purposes granted, purposes refused."""
_REFUSAL: _Answer = ((), ("advertising",))
_ANSWERS: tuple[_Answer, ...] = (
    (("analytics", "advertising", "marketing.email"), ()),
    (("analytics", "advertising"), ("marketing.email",)),
    (("analytics",), ("advertising",)),
    ((), ("analytics", "advertising", "marketing.email")),
)


def _open(moment: Moment) -> Draft:
    return Draft("nginx", None, (gateway.nginx(moment, uri="/"),))


def _collect(moment: Moment) -> Draft:
    seen = {"type": "page", "anonymousId": moment.visitor.anonymous_id, "properties": {"path": "/"}}
    return Draft("nginx", None, (gateway.nginx(moment, uri="/v1/p", host="collect.shop.example", body=seen),))


def _view(moment: Moment) -> Draft:
    return _track(moment, "Product Viewed")


def _add(moment: Moment) -> Draft:
    return _track(moment, "Product Added")


def _track(moment: Moment, name: str) -> Draft:
    article = events.product(moment.rng)
    to = events.only(*destinations(moment))
    item = events.browser_event(moment, name=name, path="/products", properties=article, to=to)
    return Draft("events", moment.visitor.anonymous_id, (item,))


def _cart(moment: Moment) -> Draft:
    body = {"items": [{"sku": moment.rng.choice(events.PRODUCTS)[0], "quantity": 1}]}
    return _gateway(moment, gateway.FILL_CART, body)


def _conversion(moment: Moment) -> Draft:
    # Only where nothing has to be asked first and nobody has objected.
    if moment.visitor.place.country != "US" or moment.visitor.gpc or moment.visitor.refused:
        return catalog(moment)
    body = gateway.conversion(moment)
    return _gateway(moment, gateway.CONVERT, body)


def _identify(moment: Moment) -> Draft:
    old_enough = (
        moment.visitor.chosen_at_ms is not None and moment.at_ms - moment.visitor.chosen_at_ms >= LEDGER_LEAD_MS
    )
    mail = old_enough and "marketing.email" in moment.visitor.granted and moment.visitor.place in OPT_IN_COUNTRIES
    item = events.identify(moment, to=events.only("Klaviyo") if mail else None)
    return Draft("events", moment.visitor.anonymous_id, (item,))


def _alias(moment: Moment) -> Draft:
    return Draft("events", moment.visitor.anonymous_id, (events.alias(moment),))


def _contact(moment: Moment) -> Draft:
    return _gateway(moment, gateway.CONTACT, {"email": moment.visitor.email})


def _shipping(moment: Moment) -> Draft:
    body = gateway.shipping_step(moment.visitor)
    return _gateway(moment, gateway.SHIPPING, body)


def _rates(moment: Moment) -> Draft:
    if moment.visitor.place is BRITAIN:
        return catalog(moment)
    body = gateway.parcel(moment.visitor)
    return _gateway(moment, gateway.RATES, body)


def _tax(moment: Moment) -> Draft:
    if moment.visitor.place.country != "US":
        return catalog(moment)
    body = gateway.tax_step(moment.rng, moment.visitor)
    return _gateway(moment, gateway.TAX, body)


def _payment(moment: Moment) -> Draft:
    to = gateway.PAY_STRIPE if moment.visitor.place.country == "US" else gateway.PAY_ADYEN
    body = gateway.payment_step(moment.rng, moment.visitor)
    return _gateway(moment, to, body)


def _order(moment: Moment) -> Draft:
    if moment.rng.random() < 0.5:
        line = gateway.nginx(moment, uri="/checkout/order", body=events.order(moment.rng, moment.visitor))
        return Draft("nginx", None, (line,))
    return _gateway(moment, gateway.PLACE_ORDER, events.order(moment.rng, moment.visitor))


def _completed(moment: Moment) -> Draft:
    to = tuple(name for name in destinations(moment) if name not in events.ADVERTISING and name != "Hotjar")
    bought = events.order(moment.rng, moment.visitor)
    item = events.server_event(moment, name="Order Completed", properties=bought, to=events.only(*to))
    return Draft("events", moment.visitor.anonymous_id, (item,))


def _ticket(moment: Moment) -> Draft:
    if moment.rng.random() < 0.7:
        return catalog(moment)
    return _gateway(moment, gateway.helpdesk(gateway.ZAMMAD), gateway.ticket(moment.rng, moment.visitor))


def _gateway(moment: Moment, leg: gateway.Leg, body: dict[str, Any] | None) -> Draft:
    return Draft("kong", None, (gateway.kong(moment, leg, body),))


_STEPS: Mapping[str, _Step] = MappingProxyType(
    {
        "open": _open,
        "page": page,
        "choose": choose,
        "collect": _collect,
        "view": _view,
        "catalog": catalog,
        "add": _add,
        "cart": _cart,
        "conversion": _conversion,
        "identify": _identify,
        "alias": _alias,
        "contact": _contact,
        "shipping": _shipping,
        "rates": _rates,
        "tax": _tax,
        "payment": _payment,
        "order": _order,
        "completed": _completed,
        "ticket": _ticket,
    }
)
