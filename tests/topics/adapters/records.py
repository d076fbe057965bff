"""Valid records of each format, written for these tests."""

from typing import Any

from tests.topics.adapters import event_records, gateway_records
from topics.observation import Observation, Reading
from topics.record import RawRecord

SEGMENT: dict[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u-77",
    "anonymousId": "anon-1",
    "messageId": "m-1",
    "timestamp": "2026-03-02T10:00:00.250Z",
    "context": {
        "ip": "203.0.113.9",
        "userAgent": "Mozilla/5.0",
        "page": {"url": "https://www.shop.example/checkout?step=3", "path": "/checkout"},
        "device": {"id": "dev-5", "adTrackingEnabled": False},
        "location": {"country": "US", "region": "CA"},
        "traits": {"email": " Ann@Shop.Example "},
        "us_privacy": "1YYN",
        "plan": {"tier": "gold"},
    },
    "properties": {"total": 12.5, "products": [{"sku": "a"}]},
    "integrations": {"All": True, "Facebook Pixel": True, "Criteo": False, "Rokt": {"mode": "x"}},
}
KONG: dict[str, Any] = {
    "client_ip": "198.51.100.7",
    "started_at": 1772445600250,
    "request": {
        "method": "POST",
        "uri": "/v1/shipping?step=2",
        "url": "https://api.shop.example:443/v1/shipping",
        "id": "req-1",
        "headers": {
            "host": "API.shop.example:443",
            "cookie": "ajs_anonymous_id=%22anon-1%22; cart=7",
            "accept": ["application/json", "text/html"],
            "authorization": "REDACTED",
            "content-type": "application/json",
            "sec-gpc": "1",
            "referer": "https://www.shop.example/checkout",
            "x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.0.0.2",
            "cloudfront-viewer-country": "US",
            "cloudfront-viewer-country-region": "CA",
        },
        "body": '{"zip": "12345"}',
    },
    "response": {"status": "200", "headers": {}},
    "latencies": {"request": 20, "kong": 3, "proxy": 12},
    "tries": [{"ip": "10.1.0.1", "port": 443}, {"ip": "10.1.0.2", "port": 443}],
    "service": {"host": "tax.vendor.example", "name": "checkout"},
    "route": {"id": "r-1", "name": "shipping"},
    "consumer": {"username": "web", "custom_id": "u-77"},
}
NGINX: dict[str, Any] = {
    "time_iso8601": "2026-03-02T11:00:00+01:00",
    "remote_addr": "198.51.100.7",
    "http_x_forwarded_for": "6.6.6.6, 203.0.113.9",
    "request_method": "GET",
    "host": "shop.example",
    "request_uri": "/search?q=shoes",
    "status": "200",
    "http_user_agent": "Mozilla/5.0",
    "http_referer": "https://www.shop.example/",
    "http_cookie": "visitor_id=v-1",
    "http_sec_gpc": "-",
    "upstream_addr": "10.0.0.5:443, 10.0.0.6:443",
    "proxy_host": "search.vendor.example",
    "remote_user": "-",
    "request_body": "",
}
HAR_ENTRY: dict[str, Any] = {
    "pageref": "page_1",
    "startedDateTime": "2026-03-02T10:00:00.250Z",
    "request": {
        "method": "POST",
        "url": "https://px.tracker.example/collect?cid=1",
        "headers": [{"name": ":method", "value": "POST"}, {"name": "Sec-GPC", "value": "1"}],
        "cookies": [{"name": "ajs_user_id", "value": "u-77"}],
        "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "em", "value": "a b"}]},
    },
    "response": {"status": 204},
    "serverIPAddress": "[2001:db8::1]",
}
HAR: dict[str, Any] = {
    "log": {
        "creator": {"name": "test"},
        "pages": [{"id": "page_1", "title": "https://www.shop.example/cart"}],
        "entries": [HAR_ENTRY, {"request": 5}, HAR_ENTRY],
    }
}
VALID: dict[str, list[dict[str, Any]]] = {
    "segment": [SEGMENT, {"batch": [SEGMENT, SEGMENT], "context": {"gpc": True}}],
    "kong": [KONG],
    "nginx": [NGINX],
    "har": [HAR, HAR_ENTRY],
    **event_records.VALID,
    **gateway_records.VALID,
}
SINGLE: dict[str, dict[str, Any]] = {
    "segment": SEGMENT,
    "kong": KONG,
    "nginx": NGINX,
    "har": HAR_ENTRY,
    **event_records.SINGLE,
    **gateway_records.SINGLE,
}
LINES: dict[str, list[str]] = {**event_records.LINES, **gateway_records.LINES}


def record(value: bytes | None) -> RawRecord:
    return RawRecord("traffic", 0, 0, 1772445600000, None, value)


def only(reading: Reading) -> Observation:
    assert len(reading) == 1
    assert isinstance(reading[0], Observation)
    return reading[0]
