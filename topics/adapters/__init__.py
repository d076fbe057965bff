"""Source formats: bytes to observations, one file for each format."""

from collections.abc import Callable, Mapping

from topics.adapters.har import Har
from topics.adapters.kong import Kong
from topics.adapters.nginx import Nginx
from topics.adapters.opening import BOM
from topics.adapters.segment import Segment
from topics.observation import Adapter, AdapterOptions

ADAPTERS: Mapping[str, Callable[[AdapterOptions], Adapter]] = {
    "segment": Segment,
    "kong": Kong,
    "nginx": Nginx,
    "har": Har,
}

_MARKS: tuple[tuple[str, tuple[tuple[bytes, ...], ...]], ...] = (
    # Each row: the first group of words that all stand in the text decides. Most telling formats first.
    ("har", ((b'"log"', b'"creator"'), (b'"log"', b'"entries"'), (b'"startedDateTime"', b'"request"'))),
    ("kong", ((b'"started_at"', b'"request"'), (b'"client_ip"', b'"latencies"'), (b'"upstream_uri"', b'"request"'))),
    (
        "nginx",
        ((b'"remote_addr"',), (b'"request_uri"',), (b'"time_iso8601"',), (b'"request_method"', b'"http_user_agent"')),
    ),
    (
        "segment",
        (
            (b'"anonymousId"',),
            (b'"anonymous_id"',),
            (b'"userId"', b'"type"'),
            (b'"messageId"',),
            (b'"message_id"',),
            (b'"type"', b'"event"'),
            (b'"batch"', b'"type"'),
        ),
    ),
)
_LOOKED_AT = 65_536


def make(name: str, options: AdapterOptions) -> Adapter:
    """Make the adapter of a format. Raise ValueError, with the names that exist, when there is none of that name."""
    if name not in ADAPTERS:
        raise ValueError(f"unknown format; known ones are: {', '.join(ADAPTERS)}")
    return ADAPTERS[name](options)


def sniff(first_bytes: bytes) -> str | None:
    """Guess the format of a file from its first bytes; None when nothing in them tells it."""
    text = first_bytes[:_LOOKED_AT].removeprefix(BOM).lstrip()
    if text[:1] not in (b"{", b"["):
        return None
    for name, groups in _MARKS:
        if any(all(word in text for word in group) for group in groups):
            return name
    return None
