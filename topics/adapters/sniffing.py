"""Guessing the format of a file from its first bytes."""

import re

from topics.adapters.opening import BOM

_MARKS: tuple[tuple[str, tuple[tuple[bytes, ...], ...]], ...] = (
    # Each row: the first group of words that all stand in the text decides. Most telling formats first.
    ("har", ((b'"log"', b'"creator"'), (b'"log"', b'"entries"'), (b'"startedDateTime"', b'"request"'))),
    ("kong", ((b'"started_at"', b'"request"'), (b'"client_ip"', b'"latencies"'), (b'"upstream_uri"', b'"request"'))),
    (
        "nginx",
        ((b'"remote_addr"',), (b'"request_uri"',), (b'"time_iso8601"',), (b'"request_method"', b'"http_user_agent"')),
    ),
    ("otlp-spans", ((b'"resourceSpans"',), (b'"scopeSpans"',), (b'"traceId"', b'"spanId"', b'"attributes"'))),
    ("apisix", ((b'"route_id"', b'"client_ip"'), (b'"start_time"', b'"request"', b'"upstream"'))),
    ("envoy", ((b'"upstream_cluster"',), (b'authority"', b'"response_code"'))),
    ("aws-lambda-proxy", ((b'"requestContext"', b'"headers"'), (b'"requestContext"', b'"multiValueHeaders"'))),
    ("aws-apigw-access", ((b'"resourcePath"', b'"requestTime"'), (b'"routeKey"', b'"requestTime"'))),
    ("aws-waf", ((b'"httpRequest"', b'"clientIp"'), (b'"webaclId"', b'"httpRequest"'))),
    ("aws-cloudfront", ((b'"x-edge-request-id"',),)),
    ("aws-alb", ((b"arn:aws:elasticloadbalancing:", b" app/"),)),
    ("gcp-lb", ((b'"httpRequest"', b'"requestUrl"'),)),
    (
        "azure-gateway",
        (
            (b'"ApplicationGatewayAccessLog"',),
            (b'"GatewayLogs"',),
            (b'"FrontDoorAccessLog"',),
            (b'"FrontdoorAccessLog"',),
            (b'"AppServiceHTTPLogs"',),
        ),
    ),
    ("meta-conversions", ((b'"event_name"', b'"event_time"', b'"user_data"'),)),
    ("tiktok-events", ((b'"event_source_id"', b'"data"'), (b'"event_time"', b'"event"', b'"user"'))),
    ("ga4", ((b'"client_id"', b'"events"'), (b'"app_instance_id"', b'"events"'), (b'"url"', b"/g/collect?"))),
    ("snowplow-raw", ((b"com.snowplowanalytics.snowplow/payload_data", b'"data"'), (b'"e"', b'"tv"', b'"p"'))),
    ("snowplow-enriched", ((b'"collector_tstamp"', b'"event_id"'),)),
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
_LINES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("aws-alb", re.compile(rb"(?:https?|h2|grpcs|wss?) [0-9]{4}-[0-9]{2}-[0-9]{2}T[^ \n]+ app/")),
    (
        "aws-cloudfront",
        re.compile(rb"#Version: 1\.0|#Fields: date time x-edge-location|[0-9-]{10}\t[0-9:]{8}\t[A-Z]{3}[0-9]+"),
    ),
    ("snowplow-enriched", re.compile(rb"[^\t\n]*(?:\t[^\t\n]*){127,}")),
)
"""How the first line of a format of text lines begins."""
_LOOKED_AT = 65_536


def sniff(first_bytes: bytes) -> str | None:
    """Guess the format of a file from its first bytes; None when nothing in them tells it."""
    start = first_bytes[:_LOOKED_AT].removeprefix(BOM).lstrip(b"\r\n ")
    text = start.lstrip()
    if text[:1] not in (b"{", b"["):
        return next((name for name, pattern in _LINES if pattern.match(start)), None)
    for name, groups in _MARKS:
        if any(all(word in text for word in group) for group in groups):
            return name
    return None
