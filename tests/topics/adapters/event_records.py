"""Valid records of conversion payloads and trackers, written for these tests."""

from typing import Any

from topics.adapters.snowplow_enriched import COLUMNS

HASHED = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SECRET = "EAAsecret000token"
META_EVENT: dict[str, Any] = {
    "event_name": "Purchase",
    "event_time": 1772445600,
    "event_id": "ev-1",
    "event_source_url": "https://www.shop.example/checkout/thank-you?order=7&access_token=" + SECRET,
    "action_source": "website",
    "user_data": {
        "em": [HASHED],
        "external_id": ["u-77"],
        "fbp": "fb.1.1772445600.1",
        "client_ip_address": "203.0.113.9",
        "client_user_agent": "Mozilla/5.0",
        "country": ["us"],
        "st": ["ca"],
    },
    "custom_data": {"value": 12.5, "currency": "USD"},
    "data_processing_options": ["LDU"],
    "data_processing_options_country": 1,
    "data_processing_options_state": 1000,
}
META: dict[str, Any] = {"data": [META_EVENT, META_EVENT], "access_token": SECRET, "test_event_code": "T1"}
META_REQUEST: dict[str, Any] = {
    "url": f"https://graph.facebook.com/v21.0/100/events?access_token={SECRET}",
    "method": "POST",
    "body": {"data": [META_EVENT]},
}
TIKTOK_EVENT: dict[str, Any] = {
    "event": "CompletePayment",
    "event_time": 1772445600,
    "event_id": "ev-2",
    "user": {
        "email": [HASHED],
        "external_id": "u-77",
        "ttp": "ttp-1",
        "ip": "203.0.113.9",
        "user_agent": "Mozilla/5.0",
        "country": "US",
        "state": "CA",
    },
    "properties": {"value": 12.5, "contents": [{"content_id": "a"}]},
    "page": {"url": "https://www.shop.example/checkout?step=3"},
    "limited_data_use": True,
}
TIKTOK: dict[str, Any] = {
    "event_source": "web",
    "event_source_id": "PIXEL1",
    "access_token": SECRET,
    "data": [TIKTOK_EVENT, TIKTOK_EVENT],
}
GA4: dict[str, Any] = {
    "client_id": "111.222",
    "user_id": "u-77",
    "timestamp_micros": 1772445600250000,
    "user_properties": {"tier": {"value": "gold"}},
    "user_data": {"sha256_email_address": [HASHED]},
    "user_location": {"country_id": "US", "region_id": "US-CA"},
    "ip_override": "203.0.113.9",
    "consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
    "events": [
        {
            "name": "purchase",
            "params": {"transaction_id": "T-1", "page_location": "https://www.shop.example/thanks?x=1"},
        }
    ],
}
GA4_REQUEST: dict[str, Any] = {
    "url": f"https://region1.google-analytics.com/mp/collect?measurement_id=G-X&api_secret={SECRET}",
    "method": "POST",
    "body": GA4,
}
GA4_HIT: dict[str, Any] = {
    "url": "https://sst.shop.example/g/collect?v=2&tid=G-X&gcs=G100&cid=111.222&dl=https%3A%2F%2Fwww.shop.example%2Fcart",
    "method": "POST",
    "headers": {"User-Agent": "Mozilla/5.0", "Cookie": "usprivacy=1YYN", "Sec-GPC": "1"},
    "client_ip": "203.0.113.9",
    "timestamp": "2026-03-02T10:00:00Z",
    "body": "en=view_cart&ep.currency=USD\r\nen=begin_checkout&epn.value=12",
}
PREFERENCES: dict[str, Any] = {
    "schema": "iglu:com.snowplowanalytics.snowplow/consent_preferences/jsonschema/1-0-0",
    "data": {"eventType": "deny_all", "basisForProcessing": "consent"},
}
SNOWPLOW_RAW_EVENT: dict[str, Any] = {
    "e": "ue",
    "eid": "ev-3",
    "p": "web",
    "tv": "js-4",
    "aid": "shop",
    "uid": "u-77",
    "duid": "anon-1",
    "dtm": "1772445600250",
    "ua": "Mozilla/5.0",
    "ip": "203.0.113.9",
    "url": "https://www.shop.example/cart?a=1",
    "refr": "https://search.example/",
    "ue_px": "",
    "co": "",
}
SNOWPLOW_RAW: dict[str, Any] = {
    "schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4",
    "data": [SNOWPLOW_RAW_EVENT, SNOWPLOW_RAW_EVENT],
}
SNOWPLOW_ENRICHED: dict[str, Any] = {
    "app_id": "shop",
    "platform": "web",
    "collector_tstamp": "2026-03-02 10:00:01.000",
    "derived_tstamp": "2026-03-02 10:00:00.250",
    "event": "unstruct",
    "event_id": "ev-4",
    "event_name": "add_to_cart",
    "user_id": "u-77",
    "user_ipaddress": "203.0.113.9",
    "domain_userid": "anon-1",
    "geo_country": "US",
    "geo_region": "CA",
    "geo_city": "Fresno",
    "page_url": "https://www.shop.example/cart?a=1",
    "useragent": "Mozilla/5.0",
    "tr_city": "Fresno",
}


def enriched_line(columns: int = len(COLUMNS), **change: str) -> str:
    """Give the enriched event as a line of so many columns."""
    row = {**SNOWPLOW_ENRICHED, **change}
    cells = [row.get(name, "") for name in COLUMNS] + [""] * columns
    return "\t".join(cells[:columns])


VALID: dict[str, list[dict[str, Any]]] = {
    "meta-conversions": [META_EVENT, META, META_REQUEST],
    "tiktok-events": [TIKTOK_EVENT, TIKTOK],
    "ga4": [GA4, GA4_REQUEST, GA4_HIT],
    "snowplow-raw": [SNOWPLOW_RAW_EVENT, SNOWPLOW_RAW],
    "snowplow-enriched": [SNOWPLOW_ENRICHED],
}
SINGLE: dict[str, dict[str, Any]] = {
    "meta-conversions": META_EVENT,
    "tiktok-events": TIKTOK_EVENT,
    "ga4": GA4,
    "snowplow-raw": SNOWPLOW_RAW_EVENT,
    "snowplow-enriched": SNOWPLOW_ENRICHED,
}
LINES: dict[str, list[str]] = {"snowplow-enriched": [enriched_line(), enriched_line(128), enriched_line(140)]}
"""Lines of the formats of text lines."""
