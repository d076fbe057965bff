"""By which way data left for a recipient, as far as a record can tell."""

from topics.flow import Route
from topics.observation import Observation, Via

LATE_MS = 3_600_000
"""An event that reached the broker this long after it happened did not travel live."""
# The value of an enumeration is looked up by a slow way, and this is asked for each recipient of each record.
_REQUEST, _UPSTREAM = Via.REQUEST.value, Via.UPSTREAM.value
_BROWSER = frozenset({"har"})
"""Adapters whose records are requests that a browser itself made."""


def route_of(observation: Observation, via: str, at_ms: int, broker_ms: int) -> Route:
    """Tell the way from how the disclosure is known and how old the event was when the broker received it.

    Whether an integration calls from the browser or from a server, an event does not say; that it stands on a topic says
    that a server passes it on. What comes late with a user agent was made on a device and waited there.
    """
    if broker_ms > 0 and broker_ms - at_ms >= LATE_MS:
        return Route.RETRY if observation.user_agent else Route.BACKFILL
    if via == _REQUEST:
        return Route.BROWSER if observation.source in _BROWSER else Route.SERVER_SIDE
    if via == _UPSTREAM:
        return Route.GATEWAY
    return Route.SERVER_SIDE if via else Route.NONE
