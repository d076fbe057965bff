"""Bad input: bytes that are no record of any format, each as a producer's fault could make it."""

from collections.abc import Callable
from random import Random

import orjson

from monitor.shop import events, gateway
from monitor.shop.cues import Cue
from monitor.shop.people import OHIO, Moment, meet
from monitor.shop.pieces import Draft, Role
from monitor.shop.truths import plant

_DEEP = 5_000


def malformed(rng: Random) -> list[Cue]:
    """Send each kind of bad input once, a few pieces apart, all to one topic."""
    role: Role = rng.choice(("events", "kong", "nginx"))
    visitor = meet(rng, OHIO)
    noise = b"\xff\xfe" + rng.randbytes(120)
    deep = rng.choice((b"[" * _DEEP + b"]" * _DEEP, b'{"a":' * _DEEP + b"0" + b"}" * _DEEP))

    def sound(at_ms: int) -> bytes:
        # A letter beyond ASCII in a field that every reader needs: the same text in Latin-1 is not UTF-8.
        moment = Moment(rng, visitor, at_ms)
        if role == "events":
            return orjson.dumps(events.browser_event(moment, name="Menü geöffnet"))
        if role == "kong":
            return orjson.dumps(gateway.kong(moment, gateway.BROWSE._replace(path="/menü")))
        return orjson.dumps(gateway.nginx(moment, uri="/menü"))

    def spoil(name: str, change: Callable[[bytes], bytes], gap: int) -> Cue:
        truth = plant("malformed", explanation=f"Not a record of the format: {name}.")
        return Cue(lambda at_ms: Draft(role, None, (), truth, change(sound(at_ms))), after_pieces=gap)

    ways: list[tuple[str, Callable[[bytes], bytes]]] = [
        ("cut short", lambda value: value[: len(value) * 2 // 3]),
        ("Latin-1 instead of UTF-8", lambda value: value.decode().encode("latin-1")),
        ("the JSON value null", lambda _: b"null"),
        ("no bytes", lambda _: b""),
        ("random bytes", lambda _: noise),
        ("nested 5,000 deep", lambda _: deep),
    ]
    rng.shuffle(ways)
    return [spoil(name, change, index * 8) for index, (name, change) in enumerate(ways)]
