"""Source formats: bytes to observations, one file for each format."""

from collections.abc import Callable, Mapping

from topics.adapters.ga4 import Ga4
from topics.adapters.har import Har
from topics.adapters.kong import Kong
from topics.adapters.meta_capi import MetaConversions
from topics.adapters.nginx import Nginx
from topics.adapters.segment import Segment
from topics.adapters.sniffing import sniff
from topics.adapters.snowplow_enriched import SnowplowEnriched
from topics.adapters.snowplow_raw import SnowplowRaw
from topics.adapters.tiktok_events import TikTokEvents
from topics.observation import Adapter, AdapterOptions

__all__ = ["ADAPTERS", "make", "sniff"]

ADAPTERS: Mapping[str, Callable[[AdapterOptions], Adapter]] = {
    "segment": Segment,
    "kong": Kong,
    "nginx": Nginx,
    "har": Har,
    "meta-conversions": MetaConversions,
    "tiktok-events": TikTokEvents,
    "ga4": Ga4,
    "snowplow-enriched": SnowplowEnriched,
    "snowplow-raw": SnowplowRaw,
}


def make(name: str, options: AdapterOptions) -> Adapter:
    """Make the adapter of a format. Raise ValueError, with the names that exist, when there is none of that name."""
    if name not in ADAPTERS:
        raise ValueError(f"unknown format; known ones are: {', '.join(ADAPTERS)}")
    return ADAPTERS[name](options)
