"""Which destinations an event names: its `integrations` object, and the recipients that its topic is delivered to."""

from functools import lru_cache
from typing import NamedTuple

import msgspec

from topics.adapters.tolerant import OBJECT
from topics.observation import Destination, Via

_MAX = 1_000
"""Destinations of one event; a real one has fewer than a hundred."""
_LONGEST_NAME = 128
_LONGEST_CACHED = 1_024


class Sent(NamedTuple):
    """Who gets an event, and who does not."""

    destinations: tuple[Destination, ...] = ()
    excluded: tuple[str, ...] = ()


_NOBODY = Sent()


def read(raw: msgspec.Raw, recipients: tuple[str, ...]) -> Sent | None:
    """Give the destinations of an event; None when it names more than any real event does.

    True or an object of options means sent, false means excluded. "All" is no destination: false switches off every one that the event does
    not switch on by name, recipients of the whole topic among them.
    """
    data = bytes(raw)
    return _read(data, recipients) if len(data) <= _LONGEST_CACHED else _read.__wrapped__(data, recipients)


@lru_cache(maxsize=4_096)
def _read(data: bytes, recipients: tuple[str, ...]) -> Sent | None:
    """Read what the events of a shop have in common: few combinations of switches come again and again."""
    if not data:
        return _staged(recipients, {}, others=True) if recipients else _NOBODY
    try:
        named = OBJECT.decode(data)
    except msgspec.ValidationError:
        named = {}
    if len(named) > _MAX:
        return None
    switched: dict[str, bool] = {}
    destinations: list[Destination] = []
    excluded: list[str] = []
    others = True
    for key, setting in named.items():
        name = key if key.isprintable() and len(key) <= _LONGEST_NAME else _clean(key)
        written = bytes(setting)
        on = written == b"true" or written[:1] == b"{"
        if not name or not (on or written == b"false"):
            continue
        folded = name.casefold()
        if folded == "all":
            others = on
        elif folded not in switched:
            switched[folded] = on
            if on:
                destinations.append(Destination(name, Via.INTEGRATION, f"integrations.{name}"))
            else:
                excluded.append(name)
    staged = _staged(recipients, switched, others=others)
    return Sent((*destinations, *staged.destinations), (*excluded, *staged.excluded))


def _clean(name: str) -> str:
    return "".join(each for each in name[:_LONGEST_NAME] if each.isprintable()).strip()


def _staged(recipients: tuple[str, ...], switched: dict[str, bool], *, others: bool) -> Sent:
    """Give the topic's recipients that the event does not name itself."""
    unnamed = tuple(name for name in recipients if name.casefold() not in switched)
    if not others:
        return Sent((), unnamed)
    return Sent(tuple(Destination(name, Via.STAGE, f"recipients.{name}") for name in unnamed))
