"""How a planted piece is made at the moment it is played."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from monitor.shop import events, gateway
from monitor.shop.people import Moment, Visitor
from monitor.shop.pieces import Draft
from monitor.shop.truths import plant

Make = Callable[[int], Draft]
"""Makes the piece for the moment it is played, milliseconds since the epoch."""


class Cue(NamedTuple):
    """A piece to be played later: after that many pieces or that much time, whichever is given."""

    make: Make
    after_pieces: int = 0
    after_ms: int = 0
    then: "tuple[Cue, ...]" = ()
    """What follows; it waits from the moment when this one was really played."""


Scene = Callable[[Random], list[Cue]]
"""A violation with its near-misses, or a series of bad inputs."""


def shown(rng: Random, visitor: Visitor, kind: str, to: str = "") -> Make:
    """Make an event of an article looked at, sent to one destination or to nobody."""

    def make(at_ms: int) -> Draft:
        item = events.browser_event(
            Moment(rng, visitor, at_ms),
            name="Product Viewed",
            path="/products",
            properties=events.product(rng),
            to=events.only(to) if to else None,
        )
        return Draft("events", visitor.anonymous_id, (item,), plant(kind))

    return make


def asked(rng: Random, visitor: Visitor, kind: str, leg: gateway.Leg, body: dict[str, Any] | None = None) -> Make:
    """Make a request through the gateway."""

    def make(at_ms: int) -> Draft:
        return Draft("kong", None, (gateway.kong(Moment(rng, visitor, at_ms), leg, body),), plant(kind))

    return make


def converted(rng: Random, visitor: Visitor, kind: str) -> Make:
    """Make a request that the gateway passes to an advertising network."""

    def make(at_ms: int) -> Draft:
        moment = Moment(rng, visitor, at_ms)
        item = gateway.kong(moment, gateway.CONVERT, gateway.conversion(moment))
        return Draft("kong", None, (item,), plant(kind))

    return make


def logged(rng: Random, visitor: Visitor, kind: str, uri: str, body: dict[str, Any]) -> Make:
    """Make a line of the shop's own access log."""

    def make(at_ms: int) -> Draft:
        return Draft("nginx", None, (gateway.nginx(Moment(rng, visitor, at_ms), uri=uri, body=body),), plant(kind))

    return make


def chosen(visitor: Visitor, *, granted: Sequence[str] = (), refused: Sequence[str] = ()) -> Make:
    """Make a consent record; it is no plant itself."""

    def make(at_ms: int) -> Draft:
        source = "preference-center" if visitor.place.country == "US" else "banner"
        record = events.consent(visitor, at_ms, granted=granted, refused=refused, source=source)
        return Draft("consent", visitor.anonymous_id, (record,))

    return make
