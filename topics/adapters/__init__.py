"""Source formats: bytes to observations, one file for each format."""

from collections.abc import Callable, Mapping

from topics.adapters.apisix import Apisix
from topics.adapters.aws_alb import Alb
from topics.adapters.aws_apigw import ApiGatewayAccess
from topics.adapters.aws_cloudfront import CloudFront
from topics.adapters.aws_lambda import LambdaProxy
from topics.adapters.aws_waf import Waf
from topics.adapters.azure import AzureGateway
from topics.adapters.envoy import Envoy
from topics.adapters.ga4 import Ga4
from topics.adapters.gcp_lb import GcpLoadBalancer
from topics.adapters.har import Har
from topics.adapters.kong import Kong
from topics.adapters.meta_capi import MetaConversions
from topics.adapters.nginx import Nginx
from topics.adapters.otlp import OtlpSpans
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
    "apisix": Apisix,
    "envoy": Envoy,
    "otlp-spans": OtlpSpans,
    "aws-apigw-access": ApiGatewayAccess,
    "aws-lambda-proxy": LambdaProxy,
    "aws-alb": Alb,
    "aws-waf": Waf,
    "aws-cloudfront": CloudFront,
    "gcp-lb": GcpLoadBalancer,
    "azure-gateway": AzureGateway,
}


def make(name: str, options: AdapterOptions) -> Adapter:
    """Make the adapter of a format. Raise ValueError, with the names that exist, when there is none of that name."""
    if name not in ADAPTERS:
        raise ValueError(f"unknown format; known ones are: {', '.join(ADAPTERS)}")
    return ADAPTERS[name](options)
