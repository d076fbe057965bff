"""The traffic of the benchmark: gateway and event records of a shop, made from a seed. Imports nothing that is measured.

What it is made of (`python -m tests.bench.mix` prints what a seed came to):

- Kong 55 %, nginx 15 %, Envoy 8 %, requests of a browser (HAR entries) 2 %, events in Segment's format 20 %; mean 1.5 kB.
- 12 % of the records hold personal data in a body, query or property: sign-up, account, the steps of a checkout, orders, tickets.
- Requests to the shop's own services dominate, as they do at a gateway; 5 % of Kong's and 7 % of Envoy's go on to somebody else,
  half of the events name destinations, a third of the browser's requests go to other hosts.
- Visitors, pages, products, browsers and routes repeat with Zipf's law. Every visitor has one consent string for good.
- 8 % of visitors send Global Privacy Control, a quarter of those with a choice on record refused advertising.
- Three records in a hundred break a rule: a tag manager that keeps to what visitors chose but for one event in twenty, a helpdesk and
  a destination that the register lacks, clauses that ran out, card data in an event.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from tests.detectors.consent.writer import tc_core

START_MS = 1_788_253_200_000
"""2026-09-01T09:00:00Z."""
DOMAIN = "shop.example"
FORMATS: Mapping[str, str] = {"kong": "kong", "nginx": "nginx", "envoy": "envoy", "har": "har", "events": "segment"}
"""Topic -> format."""
_SHARES: Mapping[str, float] = {"kong": 0.55, "nginx": 0.15, "envoy": 0.08, "har": 0.02, "events": 0.20}
_VISITORS, _PRODUCTS, _AGENTS = 20_000, 3_000, 250


class Made(NamedTuple):
    """One record of the mix."""

    topic: str
    at_ms: int
    value: bytes


class _Visitor(NamedTuple):
    number: int
    country: str
    region: str
    ip: str
    agent: str
    language: str
    user_id: str
    """Empty for those who never signed in."""
    anonymous_id: str
    gpc: bool
    cookie: str
    given: str
    family: str


_PLACES = (
    ("US", "CA", "en-US"),
    ("US", "NY", "en-US"),
    ("US", "CO", "en-US"),
    ("US", "TX", "en-US"),
    ("DE", "BE", "de-DE"),
    ("FR", "IDF", "fr-FR"),
    ("GB", "ENG", "en-GB"),
    ("NL", "NH", "nl-NL"),
    ("CA", "QC", "fr-CA"),
    ("BR", "SP", "pt-BR"),
)
_SITES = ("www.shop.example", "api.shop.example", "m.shop.example", "media.shop.example")
_OWN = ("catalog", "search", "recommend", "media", "prices", "stock", "session", "content")
_THEIRS = (
    ("stripe", "api.stripe.com", "/v1/payment_methods", "payment"),
    ("adyen", "checkout-live.adyen.com", "/v71/payments", "payment"),
    ("easypost", "api.easypost.com", "/v2/shipments", "shipping"),
    ("taxjar", "api.taxjar.com", "/v2/taxes", "tax"),
    ("meta", "graph.facebook.com", "/v21.0/100000000000001/events", "conversions"),
    ("zendesk", "api.zendesk.com", "/api/v2/tickets", "ticket"),
    ("freshdesk", "shop-example.freshdesk.com", "/api/v2/tickets", "ticket"),
    ("intercom", "api.intercom.io", "/conversations", "ticket"),
)
_THEIR_WEIGHTS = (20, 20, 20, 4, 10, 10, 2, 2)
_DESTINATIONS = (
    "Google Analytics",
    "Mixpanel",
    "Hotjar",
    "Klaviyo",
    "Facebook Pixel",
    "Google Ads",
    "TikTok Pixel",
    "Braze",
)
_ADVERTISE = frozenset({"Facebook Pixel", "Google Ads", "TikTok Pixel"})
_EUROPE = frozenset({"DE", "FR", "GB", "NL"})
_TAGS = (
    ("www.google-analytics.com", "/g/collect"),
    ("www.facebook.com", "/tr/"),
    ("analytics.tiktok.com", "/api/v2/pixel"),
    ("googleads.g.doubleclick.net", "/pagead/viewthroughconversion/1"),
    ("script.hotjar.com", "/modules.js"),
    ("fonts.gstatic.com", "/s/inter/v12/a.woff2"),
)
_GIVEN = (
    "Marlow",
    "Odette",
    "Tamsin",
    "Ezra",
    "Juniper",
    "Callum",
    "Priya",
    "Rosalind",
    "Hugo",
    "Imani",
    "Leonie",
    "Gaspard",
)
_FAMILY = (
    "Fairweather",
    "Okonjo",
    "Bramble",
    "Castellane",
    "Thistlewood",
    "Varga",
    "Pemberly",
    "Apfelbaum",
    "Lavigerie",
)
_CITIES = (("Sacramento", "95814"), ("Leipzig", "04109"), ("Lyon", "69002"), ("Leeds", "LS1 4AP"), ("Denver", "80202"))


class Mix:
    """An endless, repeatable stream; `personal` is the share of records with personal data, `scale` makes bodies longer."""

    def __init__(self, seed: int, *, personal: float = 0.12, scale: int = 1, visitors: int = _VISITORS) -> None:
        self._rng = Random(seed)
        self._personal = personal
        self._scale = scale
        rng = self._rng
        self._agents = [_agent(rng) for _ in range(_AGENTS)]
        self._agent_weights = _zipf(_AGENTS)
        self.visitors = [self._visitor(number) for number in range(visitors)]
        self._visitor_weights = _zipf(visitors)
        self._products = [f"{rng.choice(_ADJECTIVES)}-{rng.choice(_THINGS)}-{number}" for number in range(_PRODUCTS)]
        self._product_weights = _zipf(_PRODUCTS)
        self._topics, self._topic_weights = tuple(_SHARES), tuple(accumulate(_SHARES.values()))

    def records(self, count: int, start_ms: int = START_MS) -> Iterator[Made]:
        """Give so many records, two a millisecond."""
        make = {"kong": self._kong, "nginx": self._nginx, "envoy": self._envoy, "har": self._har, "events": self._event}
        for number in range(count):
            at_ms = start_ms + number // 2
            topic = self._rng.choices(self._topics, cum_weights=self._topic_weights)[0]
            record = make[topic](self._somebody(), at_ms, is_personal=self._rng.random() < self._personal)
            yield Made(topic, at_ms, json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode())

    def choices(self, at_ms: int = START_MS - 86_400_000) -> Iterator[bytes]:
        """Give the consent that is on record: of three visitors in five, a quarter of whom refused advertising."""
        for each in self.visitors:
            if each.number % 5 >= 3:
                continue
            refuses = each.number % 4 == 0
            ids = {"anonymous_id": each.anonymous_id} | ({"user_id": each.user_id} if each.user_id else {})
            granted = ["analytics"] if refuses else ["analytics", "advertising", "marketing"]
            choice = {"at_ms": at_ms + each.number, "ids": ids, "granted": granted, "source": "banner"}
            yield json.dumps(choice | ({"refused": ["advertising"]} if refuses else {})).encode()

    def _somebody(self) -> _Visitor:
        return self._rng.choices(self.visitors, cum_weights=self._visitor_weights)[0]

    def _product(self) -> str:
        return self._rng.choices(self._products, cum_weights=self._product_weights)[0]

    def _visitor(self, number: int) -> _Visitor:
        rng = self._rng
        country, region, language = _PLACES[number % len(_PLACES)]
        signed_in = number % 3 == 0
        anonymous = _uuid(rng)
        user = f"u-{100_000 + number}" if signed_in else ""
        pairs = [f"sid={rng.getrandbits(64):016x}", f"ajs_anonymous_id={anonymous}"]
        if signed_in:
            pairs.append(f"ajs_user_id={user}")
        if number % 2:
            pairs.append(f"_ga=GA1.1.{rng.randrange(10**9)}.{rng.randrange(10**9)}")
        if number % 3 == 1:
            pairs.append(_consent_cookie(rng, country))
        return _Visitor(
            number,
            country,
            region,
            # Set aside for documentation and tests of networks (RFC 2544, RFC 5737).
            f"198.{18 + number % 2}.{number // 250 % 250}.{number % 250}",
            rng.choices(self._agents, cum_weights=self._agent_weights)[0],
            language,
            user,
            anonymous,
            number % 12 == 0,
            "; ".join(pairs),
            rng.choice(_GIVEN),
            rng.choice(_FAMILY),
        )

    def _own_path(self) -> tuple[str, str]:
        """Give the route and the path with query of a request to the shop itself."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.45:
            return "catalog", f"/products/{self._product()}"
        if kind < 0.60:
            return (
                "media",
                f"/media/{self._product()}/{rng.choice(('s', 'm', 'l'))}.webp?w={rng.choice((320, 640, 1280))}",
            )
        if kind < 0.75:
            return "search", f"/search?q={self._product().partition('-')[2]}&page={rng.choice((1, 1, 1, 2, 3))}"
        if kind < 0.90:
            return rng.choice(_OWN), f"/api/v2/{rng.choice(_OWN)}/{rng.choice(('home', 'list', 'detail', 'related'))}"
        if kind < 0.94:
            return "cart", "/cart"
        return "content", f"/pages/{rng.choice(('about', 'delivery', 'returns', 'help', 'imprint'))}"

    def _form(self, visitor: _Visitor) -> tuple[str, str, dict[str, Any]]:
        """Give route, path and body of a request with personal data to the shop itself."""
        rng = self._rng
        email = _email(visitor)
        city, code = rng.choice(_CITIES)
        address = {
            "line1": f"{rng.randint(1, 99)} Mill Race Road",
            "city": city,
            "postal_code": code,
            "country": visitor.country,
        }
        name = {"first_name": visitor.given, "last_name": visitor.family}
        kind = rng.randrange(7)
        if kind == 0:
            return "newsletter", "/newsletter/subscribe", {"email": email, "topics": ["sale", "new"]}
        if kind == 1:
            body = {"email": email, **name, "phone": _phone(rng), "password": _uuid(rng)}
            return "account", "/account/profile", body | ({"date_of_birth": "1984-05-17"} if rng.random() < 0.1 else {})
        if kind == 2:
            return "session", "/session/login", {"email": email, "password": _uuid(rng), "remember": True}
        if kind == 3:
            return "checkout-contact", "/checkout/contact", {"email": email, "newsletter": False}
        if kind == 4:
            shipping = {"shipping_address": {**name, "phone": _phone(rng), **address}, "shipping_method": "standard"}
            return "checkout-shipping", "/checkout/shipping", shipping
        if kind == 5:
            card = {"number": "4111111111111111", "exp_month": 4, "exp_year": 2031, "cvc": "123"}
            return "checkout-payment", "/checkout/payment", {"cardholder_name": " ".join(name.values()), "card": card}
        order = {"email": email, "shipping_address": {**name, **address}, "items": self._items()}
        return "checkout-order", "/checkout/order", order

    def _items(self) -> list[dict[str, Any]]:
        rng = self._rng
        return [
            {"sku": self._product(), "quantity": rng.randint(1, 3), "price": rng.randint(500, 20_000) / 100}
            for _ in range(rng.randint(1, 4))
        ]

    def _to_others(self, visitor: _Visitor, *, is_personal: bool) -> tuple[str, str, str, dict[str, Any]]:
        """Give name, host, path and body of a request that the gateway passes on to somebody else."""
        name, host, path, kind = self._rng.choices(_THEIRS, weights=_THEIR_WEIGHTS)[0]
        body: dict[str, Any] = {"reference": _uuid(self._rng), "items": self._items(), "currency": "EUR"}
        if kind == "conversions":
            body = {
                "data": [
                    {"event_name": "ViewContent", "user_data": {"external_id": visitor.user_id or visitor.anonymous_id}}
                ]
            }
        if is_personal:
            body |= self._form(visitor)[2]
        return name, host, path, body

    def _kong(self, visitor: _Visitor, at_ms: int, *, is_personal: bool) -> dict[str, Any]:
        rng = self._rng
        body: dict[str, Any] | None = None
        if rng.random() < 0.05:
            name, host, path, body = self._to_others(visitor, is_personal=is_personal)
            route, uri, address, ours = f"egress-{name}", f"/egress/{name}", f"203.0.113.{rng.randint(1, 250)}", False
        else:
            route, uri = self._own_path()
            if is_personal:
                route, uri, body = self._form(visitor)
            name, path, ours = route, uri.partition("?")[0], True
            host, address = (
                f"{name.partition('-')[0]}.internal.shop.example",
                f"10.20.{rng.randint(0, 3)}.{rng.randint(1, 250)}",
            )
        request: dict[str, Any] = {
            "id": f"{rng.getrandbits(128):032x}",
            "method": "GET" if body is None else "POST",
            "uri": uri,
            "url": f"https://api.shop.example:443{uri}",
            "querystring": dict(pair.split("=") for pair in uri.partition("?")[2].split("&") if pair),
            "size": 700 + rng.randrange(900),
            "headers": self._headers(visitor, "api.shop.example", body),
        }
        if body is not None:
            request["body"] = json.dumps(body) + " " * 64 * (self._scale - 1)
        record: dict[str, Any] = {
            "client_ip": visitor.ip,
            "started_at": at_ms - rng.randint(5, 80),
            "request": request,
            "response": {
                "status": rng.choice((200, 200, 200, 200, 204, 304, 404)),
                "size": rng.randrange(400, 90_000),
                "headers": {
                    "content-type": "application/json",
                    "cache-control": "no-store",
                    "x-kong-upstream-latency": "21",
                },
            },
            "latencies": {"request": rng.randint(20, 90), "kong": rng.randint(1, 4), "proxy": rng.randint(15, 80)},
            "upstream_uri": path,
            "upstream_status": "200",
            "tries": [{"ip": address, "port": 443, "balancer_start": at_ms - 4, "balancer_latency": 0}],
            "service": {
                "id": _UUID,
                "name": name,
                "host": host,
                "port": 8080 if ours else 443,
                "protocol": "http",
                "path": path,
            },
            "route": {"id": _UUID, "name": route, "paths": [uri.partition("?")[0]], "hosts": ["api.shop.example"]},
            "workspace": _UUID,
        }
        if visitor.user_id and rng.random() < 0.5:
            record["consumer"] = {"id": _UUID, "custom_id": visitor.user_id}
        return record

    def _headers(self, visitor: _Visitor, host: str, body: object) -> dict[str, str]:
        rng = self._rng
        headers = {
            "host": host,
            "user-agent": visitor.agent,
            "accept": "application/json, text/plain, */*",
            "accept-encoding": "gzip, deflate, br, zstd",
            "accept-language": f"{visitor.language},{visitor.language[:2]};q=0.8",
            "origin": "https://www.shop.example",
            "referer": f"https://www.shop.example/products/{self._product()}",
            "x-forwarded-for": visitor.ip,
            "x-request-id": _uuid(rng),
            "traceparent": f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01",
            "cookie": visitor.cookie,
            "cloudfront-viewer-country": visitor.country,
            "cloudfront-viewer-country-region": visitor.region,
        }
        if visitor.gpc:
            headers["sec-gpc"] = "1"
        if body is not None:
            headers["content-type"] = "application/json"
        return headers

    def _nginx(self, visitor: _Visitor, at_ms: int, *, is_personal: bool) -> dict[str, Any]:
        rng = self._rng
        route, uri, body = (*self._own_path(), None)
        if is_personal:
            route, uri, body = self._form(visitor)
        return {
            "time_iso8601": f"{_iso(at_ms)[:19]}+00:00",
            "msec": f"{at_ms / 1000:.3f}",
            "remote_addr": visitor.ip,
            "remote_user": "",
            "request_method": "GET" if body is None else "POST",
            "host": rng.choice(_SITES),
            "request_uri": uri,
            "server_protocol": "HTTP/2.0",
            "status": str(rng.choice((200, 200, 200, 304, 404))),
            "body_bytes_sent": rng.randrange(200, 90_000),
            "request_time": f"{rng.random():.3f}",
            "request_id": f"{rng.getrandbits(128):032x}",
            "http_user_agent": visitor.agent,
            "http_referer": f"https://www.shop.example/products/{self._product()}",
            "http_cookie": visitor.cookie,
            "http_accept_language": f"{visitor.language},{visitor.language[:2]};q=0.8",
            "http_sec_gpc": "1" if visitor.gpc else "-",
            "http_cf_ipcountry": visitor.country,
            "http_cf_region_code": visitor.region,
            "content_type": "" if body is None else "application/json",
            "request_body": "-" if body is None else json.dumps(body) + " " * 64 * (self._scale - 1),
            "upstream_addr": f"10.20.{rng.randint(0, 3)}.{rng.randint(1, 250)}:8080",
            "upstream_response_time": f"{rng.random():.3f}",
            "ssl_protocol": "TLSv1.3",
            "ssl_cipher": "TLS_AES_128_GCM_SHA256",
            "ingress_name": route,
            "namespace": "shop",
        }

    def _envoy(self, visitor: _Visitor, at_ms: int, *, is_personal: bool) -> dict[str, Any]:
        rng = self._rng
        route, uri = self._own_path()
        method, cluster, address = (
            "GET",
            f"outbound|8080||{route}.shop.svc.cluster.local",
            f"10.20.1.{rng.randint(1, 250)}:8080",
        )
        if rng.random() < 0.07:
            _, host, uri, _ = self._rng.choices(_THEIRS, weights=_THEIR_WEIGHTS)[0]
            method, cluster, address = "POST", f"outbound|443||{host}", f"203.0.113.{rng.randint(1, 250)}:443"
        if is_personal:
            uri = f"{uri.partition('?')[0]}?email={_email(visitor).replace('@', '%40')}&utm_source=news"
        return {
            "start_time": _iso(at_ms),
            "method": method,
            "path": uri,
            "protocol": "HTTP/1.1",
            "response_code": 200,
            "response_flags": "-",
            "response_code_details": "via_upstream",
            "bytes_received": rng.randrange(2_000),
            "bytes_sent": rng.randrange(90_000),
            "duration": rng.randrange(90),
            "upstream_service_time": str(rng.randrange(80)),
            "x_forwarded_for": visitor.ip,
            "user_agent": visitor.agent,
            "request_id": _uuid(rng),
            "authority": "api.shop.example",
            "upstream_host": address,
            "upstream_cluster": cluster,
            "upstream_local_address": "10.20.0.9:51234",
            "downstream_local_address": "10.20.0.9:8443",
            "downstream_remote_address": f"{visitor.ip}:51034",
            "requested_server_name": "api.shop.example",
            "route_name": route,
            "cookie": visitor.cookie,
            "sec_gpc": "1" if visitor.gpc else "-",
            "traceparent": f"00-{rng.getrandbits(128):032x}-{rng.getrandbits(64):016x}-01",
        }

    def _har(self, visitor: _Visitor, at_ms: int, *, is_personal: bool) -> dict[str, Any]:
        rng = self._rng
        host, path = (rng.choice(_SITES), self._own_path()[1]) if rng.random() < 0.65 else rng.choice(_TAGS)
        url = f"https://{host}{path}"
        if host not in _SITES:
            page = f"https%3A%2F%2Fwww.shop.example%2Fproducts%2F{self._product()}"
            url += f"?v=2&tid=G-1&cid={visitor.anonymous_id}&dl={page}&dr=&ul={visitor.language}&gcs=G111&_p={rng.randrange(10**9)}"
            if is_personal:
                url += f"&em={_email(visitor).replace('@', '%40')}"
        headers = self._headers(visitor, host, None)
        if host not in _SITES:
            headers.pop("cookie")
        return {
            "startedDateTime": _iso(at_ms),
            "time": rng.random() * 90,
            "request": {
                "method": "GET",
                "url": url,
                "httpVersion": "HTTP/2",
                "headers": [{"name": name, "value": value} for name, value in headers.items()],
                "queryString": [],
                "cookies": [],
                "headersSize": -1,
                "bodySize": 0,
            },
            "response": {
                "status": 200,
                "statusText": "",
                "headers": [],
                "content": {"size": 35, "mimeType": "image/gif"},
            },
            "cache": {},
            "timings": {"blocked": 0.4, "dns": -1, "connect": -1, "send": 0.1, "wait": 20.1, "receive": 0.3},
            "serverIPAddress": f"203.0.113.{rng.randint(1, 250)}",
        }

    def _event(self, visitor: _Visitor, at_ms: int, *, is_personal: bool) -> dict[str, Any]:
        rng = self._rng
        product = self._product()
        name, properties, path = self._what_happened(product)
        if is_personal:
            form = self._form(visitor)[2]
            if "card" in form and rng.random() < 0.95:
                del form["card"]
            name, path = rng.choice(
                (("Signed Up", "/account"), ("Order Completed", "/checkout/success"), ("Lead Captured", "/newsletter"))
            )
            properties = {"form": "web", **form}
        event: dict[str, Any] = {
            "type": "track" if name else "page",
            **({"event": name} if name else {"name": "Product"}),
            "messageId": f"ajs-next-{rng.getrandbits(128):032x}",
            "anonymousId": visitor.anonymous_id,
            "userId": visitor.user_id or None,
            "timestamp": _iso(at_ms - 40),
            "sentAt": _iso(at_ms - 10),
            "receivedAt": _iso(at_ms),
            "originalTimestamp": _iso(at_ms - 45),
            "context": {
                "ip": visitor.ip,
                "library": {"name": "analytics.js", "version": "npm:next-1.70.0"},
                "locale": visitor.language,
                "timezone": "Europe/Berlin",
                "userAgent": visitor.agent,
                "page": {
                    "path": path,
                    "referrer": "https://www.shop.example/",
                    "search": "",
                    "title": product.replace("-", " ").title(),
                    "url": f"https://www.shop.example{path}",
                },
                "campaign": {
                    "source": "newsletter",
                    "medium": "email",
                    "name": rng.choice(("spring", "summer", "sale")),
                },
                "location": {"country": visitor.country, "region": visitor.region},
                "screen": {"width": 1512, "height": 982, "density": 2},
            },
            "properties": properties,
            "version": 2,
        }
        if visitor.gpc:
            event["context"]["gpc"] = True
        kind = rng.random()
        if kind < 0.5:
            event["integrations"] = {"All": False} | dict.fromkeys(self._destinations(visitor), True)
        elif kind < 0.8:
            event["integrations"] = {}
        return event

    def _destinations(self, visitor: _Visitor) -> list[str]:
        """Give who gets an event: the tag manager keeps to what the visitor chose, but for one event in twenty."""
        rng = self._rng
        chosen = rng.choices(_DESTINATIONS, weights=(30, 20, 15, 15, 20, 20, 3, 1), k=rng.randint(1, 3))
        if rng.random() < 0.05:
            return chosen
        on_record = visitor.number % 5 < 3
        refuses = visitor.gpc or (on_record and visitor.number % 4 == 0)
        if not on_record and visitor.country in _EUROPE:
            return []
        return [each for each in chosen if not (refuses and each in _ADVERTISE)]

    def _what_happened(self, product: str) -> tuple[str, dict[str, Any], str]:
        rng = self._rng
        sold = {
            "product_id": product,
            "sku": product.rpartition("-")[2],
            "name": product.replace("-", " "),
            "price": 49.9,
        }
        path = f"/products/{product}"
        kind = rng.random()
        if kind < 0.5:
            return "", {"path": path, "title": product, "url": f"https://www.shop.example{path}"}, path
        if kind < 0.75:
            return (
                "Product Viewed",
                sold | {"currency": "EUR", "category": "home", "position": rng.randint(1, 40)},
                path,
            )
        if kind < 0.9:
            shown = [
                {"product_id": self._product(), "position": each} for each in range(rng.randint(3, 10 * self._scale))
            ]
            return "Product List Viewed", {"list_id": "search", "products": shown}, "/search"
        return "Product Added", sold | {"quantity": 1, "cart_id": _uuid(rng)}, path


_ADJECTIVES = (
    "enamel",
    "oak",
    "linen",
    "dotted",
    "wool",
    "copper",
    "glass",
    "rain",
    "folding",
    "striped",
    "round",
    "small",
)
_THINGS = (
    "kettle",
    "chair",
    "towel",
    "notebook",
    "lamp",
    "jacket",
    "shelf",
    "vase",
    "rug",
    "basket",
    "clock",
    "mirror",
)
_UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def _zipf(size: int) -> Sequence[float]:
    return tuple(accumulate(1 / (rank + 10) for rank in range(size)))


def _uuid(rng: Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _agent(rng: Random) -> str:
    system = rng.choice(
        (
            "Windows NT 10.0; Win64; x64",
            "Macintosh; Intel Mac OS X 10_15_7",
            "Linux; Android 10; K",
            "X11; Linux x86_64",
        )
    )
    return f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{rng.randint(100, 148)}.0.0.0 Safari/537.36"


def _phone(rng: Random) -> str:
    return f"+1-202-555-01{rng.randrange(100):02d}"


def _email(visitor: _Visitor) -> str:
    return f"{visitor.given.lower()}.{visitor.family.lower()}{visitor.number}@example.net"


def _consent_cookie(rng: Random, country: str) -> str:
    if country == "US":
        return f"usprivacy={rng.choice(('1YNN', '1YNN', '1YYN', '1---'))}"
    purposes = rng.choice(({1, 2, 3, 4, 7, 9, 10}, {1, 7, 9}, set()))
    # Consent was given in the last few weeks; a text of it in tenths of a second.
    created = START_MS // 100 - rng.randrange(20 * 864_000)
    return (
        f"euconsent-v2={tc_core(purposes, set(), set(range(1, 700, 3)) if purposes else set(), set(), created=created)}"
    )


def _iso(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec='milliseconds')[:23]}Z"


def main() -> None:
    """Print what a seed came to."""
    made = list(Mix(1).records(20_000))
    sizes = Counter({topic: sum(len(each.value) for each in made if each.topic == topic) for topic in FORMATS})
    numbers = Counter(each.topic for each in made)
    print(f"{len(made):,} records, {sizes.total() / len(made):,.0f} bytes in the mean")  # noqa: T201 - a benchmark reports
    for topic, number in numbers.most_common():
        print(f"  {topic:8} {number / len(made):6.1%} {sizes[topic] / number:7,.0f} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
