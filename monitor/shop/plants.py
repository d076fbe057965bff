"""The scenes that are played between the lawful visits: each a violation with its near-misses beside it."""

from random import Random

from monitor.shop import events, gateway
from monitor.shop.cues import Cue, Make, Scene, asked, chosen, converted, logged, shown
from monitor.shop.journeys import LEDGER_LEAD_MS
from monitor.shop.people import CALIFORNIA as CA
from monitor.shop.people import COLORADO as CO
from monitor.shop.people import CONNECTICUT as CT
from monitor.shop.people import GERMANY as DE
from monitor.shop.people import OHIO as OH
from monitor.shop.people import OPT_IN_COUNTRIES, OPT_OUT_STATES, Moment, Place, Visitor, meet
from monitor.shop.pieces import Draft
from monitor.shop.spoiled import malformed
from monitor.shop.truths import plant

_ADVERTISING = ("advertising",)


def _from(rng: Random, *places: Place) -> Visitor:
    return meet(rng, rng.choice(places))


def _near(make: Make, rng: Random, after: int = 3) -> Cue:
    return Cue(make, after_pieces=rng.randint(after, after + 8))


def _gpc_in_event(rng: Random) -> list[Cue]:
    visitor = _from(rng, CA, CA, CO, CT)
    visitor.gpc = True
    return [
        Cue(shown(rng, visitor, "gpc-in-event", rng.choice(events.ADVERTISING))),
        _near(shown(rng, visitor, "gpc-own-analytics"), rng),
        _near(asked(rng, visitor, "gpc-own-upstream", gateway.BROWSE), rng, 12),
    ]


def _gpc_at_gateway(rng: Random) -> list[Cue]:
    visitor = _from(rng, CA)
    visitor.gpc = True
    return [
        Cue(converted(rng, visitor, "gpc-at-gateway")),
        _near(asked(rng, visitor, "gpc-payment", gateway.PAY_STRIPE, gateway.payment_step(rng, visitor)), rng),
        _near(asked(rng, visitor, "gpc-delivery", gateway.RATES, gateway.parcel(visitor)), rng, 12),
    ]


def _opposite_strings(rng: Random) -> tuple[Visitor, Visitor]:
    out, stays = meet(rng, CA), meet(rng, CA)
    out.us_privacy, stays.us_privacy = "1YYN", "1YNN"
    return out, stays


def _us_privacy_in_event(rng: Random) -> list[Cue]:
    out, stays = _opposite_strings(rng)
    network = rng.choice(events.ADVERTISING)
    return [
        Cue(shown(rng, out, "us-privacy-in-event", network)),
        _near(shown(rng, stays, "us-privacy-not-opted-out", network), rng),
    ]


def _us_privacy_in_cookie(rng: Random) -> list[Cue]:
    out, stays = _opposite_strings(rng)
    return [
        Cue(converted(rng, out, "us-privacy-in-cookie")),
        _near(converted(rng, stays, "us-privacy-cookie-not-opted-out"), rng),
    ]


def _later(make: Make, *then: Cue) -> Cue:
    return Cue(make, after_ms=LEDGER_LEAD_MS, then=then)


def _refusal(rng: Random) -> list[Cue]:
    refuser, granter, later, returns = (_from(rng, *OPT_OUT_STATES) for _ in range(4))
    network = rng.choice(events.ADVERTISING)
    back = _later(chosen(returns, granted=_ADVERTISING), _later(shown(rng, returns, "refusal-taken-back", network)))
    return [
        Cue(
            chosen(refuser, refused=_ADVERTISING),
            then=(_later(shown(rng, refuser, "refusal-on-record", network)),),
        ),
        Cue(chosen(granter, granted=_ADVERTISING), then=(_later(shown(rng, granter, "grant-on-record", network)),)),
        Cue(chosen(returns, refused=_ADVERTISING), then=(back,)),
        Cue(
            shown(rng, later, "refusal-afterwards", network),
            after_pieces=rng.randint(10, 20),
            then=(_later(chosen(later, refused=_ADVERTISING)),),
        ),
    ]


def _opt_in(rng: Random) -> list[Cue]:
    silent, granter = _from(rng, *OPT_IN_COUNTRIES), _from(rng, *OPT_IN_COUNTRIES)
    network = rng.choice(events.ADVERTISING_IN_EUROPE)
    allowed = chosen(granter, granted=("analytics", "advertising"))
    return [
        Cue(shown(rng, silent, "opt-in-missing", network)),
        Cue(allowed, then=(_later(shown(rng, granter, "opt-in-on-record", network)),)),
    ]


def _wrote(rng: Random, visitor: Visitor, kind: str, to: gateway.Upstream) -> Make:
    return asked(rng, visitor, kind, gateway.helpdesk(to), gateway.ticket(rng, visitor))


def _helpdesk(rng: Random) -> list[Cue]:
    return [
        Cue(_wrote(rng, meet(rng, DE), "helpdesk-not-registered", gateway.INTERCOM)),
        _near(_wrote(rng, meet(rng, DE), "helpdesk-with-clauses", gateway.ZENDESK), rng),
        _near(_wrote(rng, meet(rng, DE), "helpdesk-in-europe", gateway.ZAMMAD), rng, 12),
        _near(_wrote(rng, _from(rng, CA, OH), "helpdesk-for-american", gateway.INTERCOM), rng, 21),
    ]


def _mechanism(rng: Random) -> list[Cue]:
    customer, other = _from(rng, *OPT_IN_COUNTRIES), _from(rng, *OPT_IN_COUNTRIES)
    return [
        Cue(_wrote(rng, customer, "mechanism-expired", gateway.FRESHDESK)),
        _near(asked(rng, other, "mechanism-valid", gateway.RATES, gateway.parcel(other)), rng),
    ]


def _birth_date(rng: Random) -> list[Cue]:
    visitor, other = _from(rng, DE, CA, OH), _from(rng, DE, CA)
    body = gateway.shipping_step(visitor)
    born = f"{rng.randint(1950, 2001)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    body["shipping_address"][rng.choice(("date_of_birth", "birthday", "dateOfBirth", "dob"))] = born
    return [
        Cue(asked(rng, visitor, "birth-date-at-shipping", gateway.SHIPPING, body)),
        _near(asked(rng, other, "shipping-step-ordinary", gateway.SHIPPING, gateway.shipping_step(other)), rng),
    ]


def _security_code_in_event(rng: Random) -> list[Cue]:
    visitor, other = _from(rng, CA, OH), meet(rng, OH)
    payment = {"method": "card", rng.choice(("cvc", "cvv", "security_code")): f"{rng.randint(100, 999)}"}

    def make(at_ms: int) -> Draft:
        sold = events.order(rng, visitor) | {"payment": payment}
        moment = Moment(rng, visitor, at_ms)
        item = events.server_event(moment, name="Order Completed", properties=sold, to=events.only("Google Analytics"))
        return Draft("events", visitor.anonymous_id, (item,), plant("security-code-in-event"))

    pay = asked(rng, other, "card-at-payment", gateway.PAY_STRIPE, gateway.payment_step(rng, other))
    return [Cue(make), _near(pay, rng)]


def _security_code_in_log(rng: Random) -> list[Cue]:
    visitor, other = _from(rng, DE, CA), _from(rng, DE, OH)
    body = events.order(rng, visitor) | {"card": {"cvc": f"{rng.randint(100, 999)}"}}
    return [
        Cue(logged(rng, visitor, "security-code-in-own-log", "/checkout/order", body)),
        _near(logged(rng, other, "order-step-ordinary", "/checkout/order", events.order(rng, other)), rng),
    ]


def _location(rng: Random) -> list[Cue]:
    visitor, other = _from(rng, DE, CA), _from(rng, CA, OH)
    body = gateway.shipping_step(visitor)
    body["shipping_address"] |= _point(rng, visitor)
    return [
        Cue(asked(rng, visitor, "location-in-address", gateway.SHIPPING, body)),
        _near(asked(rng, other, "store-finder-location", gateway.FIND_STORE, _point(rng, other)), rng),
    ]


def _point(rng: Random, visitor: Visitor) -> dict[str, float]:
    # Six decimals, a tenth of a metre: the precision that a phone gives.
    west, east = (-120, -81) if visitor.place.country == "US" else (7, 13)
    return {"latitude": round(rng.uniform(34, 50), 6), "longitude": round(rng.uniform(west, east), 6)}


def _health(rng: Random) -> list[Cue]:
    visitor, other = _from(rng, DE, CO), meet(rng, DE)
    told = rng.choice(({"allergies": "peanuts"}, {"medication": "made-up tablets"}, {"diagnosis": "made-up illness"}))
    used = events.order(rng, other)
    used["products"][0]["condition"] = "refurbished"
    return [
        Cue(asked(rng, visitor, "health-at-checkout", gateway.PLACE_ORDER, events.order(rng, visitor) | told)),
        _near(asked(rng, other, "condition-of-goods", gateway.PLACE_ORDER, used), rng),
    ]


def _religion(rng: Random) -> list[Cue]:
    visitor, other = _from(rng, DE, CO), meet(rng, DE)
    body = {"email": visitor.email, "religion": "a made-up faith"}
    return [
        Cue(asked(rng, visitor, "religion-at-checkout", gateway.CONTACT, body)),
        _near(asked(rng, other, "contact-step-ordinary", gateway.CONTACT, {"email": other.email}), rng),
    ]


TIMED_SCENES: tuple[Scene, ...] = (_opt_in, _refusal)
"""Scenes that need seconds to pass. The first round begins with them, so that their ends are seen early."""
SCENES: tuple[Scene, ...] = (
    _gpc_in_event,
    _gpc_at_gateway,
    _us_privacy_in_event,
    _us_privacy_in_cookie,
    _helpdesk,
    _mechanism,
    _birth_date,
    _security_code_in_event,
    _security_code_in_log,
    _location,
    _health,
    _religion,
    malformed,
)
