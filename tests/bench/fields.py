"""Rate of the search for personal data on mixed gateway records of 0.5 to 4 kB, beside reading JSON and Presidio's expressions.

    python -m tests.bench.fields [--presidio 40]

Records are written here: three kinds of gateway log, and requests with a cart or an order in their body. Hosts, routes, agents and products
repeat as they do in traffic; identifiers, times, addresses and persons do not. Every gate is open: each record is searched whole.
CPU time, all loops interleaved in one run, so only the ratios mean something.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from detectors.classify.fields import Budget, find_fields
from tests.bench.detection_fields import shipped_taxonomy
from tests.bench.structured import leaves
from topics.observation import Media, Part

_AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/{kit}.36 (KHTML, like Gecko) {browser}/{version}.0.0.0 Safari/{kit}.36"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64", "iPhone; CPU iPhone OS 17_1 like Mac OS X")
    for kit in (537, 605)
    for browser, version in (("Chrome", 119), ("Chrome", 120), ("Version", 17), ("Edg", 118))
]  # fmt: skip
_PRODUCTS = [
    f"{colour} {thing}"
    for colour in ("Blue", "Red", "Linen", "Oak", "Steel")
    for thing in ("Lamp", "Shirt", "Chair", "Mug", "Rug", "Desk")
]
_ROUTES = [
    "/api/v1/cart",
    "/api/v1/products",
    "/api/v2/search",
    "/checkout/shipping",
    "/account/orders",
    "/assets/app.js",
]
_NAMES = ["Jane Roe", "Max Muster", "Ana Costa", "Li Wei", "Erik Holm", "Sara Levi"]


def records(count: int, seed: int = 7) -> list[bytes]:
    """Write records of all kinds in turn."""
    chance = random.Random(seed)
    return [orjson.dumps(_KINDS[index % len(_KINDS)](chance)) for index in range(count)]


def _hex(chance: random.Random, count: int) -> str:
    return f"{chance.getrandbits(4 * count):0{count}x}"


def _uuid(chance: random.Random) -> str:
    text = _hex(chance, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _address(chance: random.Random) -> str:
    return f"{chance.randint(11, 203)}.{chance.randint(32, 250)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}"


def _headers(chance: random.Random) -> dict[str, Any]:
    return {
        "host": "shop.example",
        "user-agent": chance.choice(_AGENTS),
        "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "accept-language": chance.choice(["en-US,en;q=0.9", "de-DE,de;q=0.8", "fr-FR"]),
        "accept-encoding": "gzip, deflate, br, zstd",
        "referer": f"https://shop.example/c/{chance.choice(['lamps', 'chairs', 'rugs'])}?page={chance.randint(1, 40)}",
        "sec-fetch-mode": "cors",
        "sec-fetch-site": "same-origin",
        "x-forwarded-proto": "https",
        "x-request-id": _uuid(chance),
    }


def _kong(chance: random.Random) -> dict[str, Any]:
    route = chance.choice(_ROUTES)
    at = 1_795_963_663_576 + chance.randrange(10**8)
    return {
        "request": {"method": "GET", "uri": f"{route}?page={chance.randint(1, 99)}&sort=price", "url": f"https://shop.example:8443{route}", "size": chance.randint(200, 2_000),
            "querystring": {"page": str(chance.randint(1, 99)), "sort": "price"}, "headers": _headers(chance), "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "client_verify": "NONE"}},
        "response": {"status": 200, "size": chance.randint(500, 90_000), "headers": {"content-type": "application/json; charset=utf-8", "cache-control": "private, max-age=0", "vary": "Accept-Encoding", "via": "kong/3.4.2", "x-kong-upstream-latency": str(chance.randint(1, 90))}},
        "route": {"id": "6f2c0a7e-91b1-4a53-9a52-0ad1f1a5f1b0", "name": "storefront", "paths": ["/api"], "protocols": ["http", "https"], "strip_path": False, "created_at": 1_700_000_000, "updated_at": 1_700_000_500},
        "service": {"id": "2b1d7c55-3d57-4c9c-8a4e-5dc0c1b5d3aa", "host": "storefront.internal", "port": 8080, "protocol": "http", "connect_timeout": 60_000, "retries": 5},
        "latencies": {"kong": chance.randint(0, 9), "proxy": chance.randint(1, 90), "request": chance.randint(10, 99)},
        "client_ip": _address(chance), "started_at": at, "upstream_uri": route, "workspace": "default",
    }  # fmt: skip


def _envoy(chance: random.Random) -> dict[str, Any]:
    return {
        "start_time": f"2026-11-25T10:{chance.randint(10, 59)}:{chance.randint(10, 59)}.{chance.randint(100, 999)}Z", "method": "GET", "path": f"{chance.choice(_ROUTES)}/{chance.randint(1, 99_999)}", "protocol": "HTTP/2",
        "response_code": 200, "response_flags": "-", "bytes_received": 0, "bytes_sent": chance.randint(100, 99_999), "duration": chance.randint(1, 900), "x_forwarded_for": _address(chance), "user_agent": chance.choice(_AGENTS),
        "request_id": _uuid(chance), "authority": "shop.example", "upstream_host": f"10.0.{chance.randint(0, 9)}.{chance.randint(1, 250)}:8080", "upstream_cluster": "outbound|8080||cart.default.svc.cluster.local", "route_name": "default",
    }  # fmt: skip


def _nginx(chance: random.Random) -> dict[str, Any]:
    return {
        "time": "2026-11-25T10:11:12+00:00", "remote_addr": _address(chance), "request_method": "GET", "uri": chance.choice(_ROUTES), "args": f"utm_source=news&variant={chance.randint(1, 99)}", "status": "200",
        "body_bytes_sent": str(chance.randint(100, 90_000)), "http_referer": "https://search.example/", "http_user_agent": chance.choice(_AGENTS), "request_time": f"0.{chance.randint(10, 999)}", "host": "shop.example", "request_id": _hex(chance, 32),
    }  # fmt: skip


def _cart(chance: random.Random) -> dict[str, Any]:
    items = [
        {
            "sku": f"SKU-{chance.randint(100_000, 999_999)}",
            "name": chance.choice(_PRODUCTS),
            "qty": chance.randint(1, 4),
            "price": chance.randint(100, 9_000) / 100,
        }
        for _ in range(chance.randint(1, 4))
    ]
    body = orjson.dumps({"cart_id": _uuid(chance), "currency": "EUR", "items": items, "coupon": None}).decode()
    return {
        "client_ip": _address(chance),
        "request": {"method": "POST", "uri": "/api/v1/cart", "headers": _headers(chance), "body": body},
        "response": {"status": 201},
        "started_at": 1_795_963_663_576,
    }


def _order(chance: random.Random) -> dict[str, Any]:
    name = chance.choice(_NAMES)
    first, _, last = name.partition(" ")
    address = {
        "first_name": first,
        "last_name": last,
        "address1": f"{chance.randint(1, 99)} Main Street",
        "city": "Springfield",
        "zip": f"{chance.randint(10_000, 99_999)}",
        "country_code": "US",
    }
    order = {"email": f"{first}.{chance.randint(1, 9_999)}@example.com".lower(), "phone": f"+1 555 {chance.randint(200, 999)} {chance.randint(1_000, 9_999)}", "shipping_address": address, "billing_address": address,
        "line_items": [{"variant_id": chance.randint(10**9, 10**10), "title": chance.choice(_PRODUCTS), "quantity": 1}], "total_price": "120.00", "note": "please ring twice"}  # fmt: skip
    kong = _kong(chance)
    kong["request"]["body"] = orjson.dumps(order).decode()
    return kong


_KINDS: Sequence[Callable[[random.Random], dict[str, Any]]] = (
    _kong,
    _envoy,
    _nginx,
    _kong,
    _cart,
    _envoy,
    _kong,
    _order,
)


def main() -> None:
    """Print the rates."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fields", description=__doc__)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--presidio", type=int, default=0, help="records that Presidio reads too")
    arguments = parser.parse_args()
    taxonomy, budget = shipped_taxonomy(), Budget()
    data = records(arguments.records)
    first = _spent(lambda each: find_fields(Part("", each, Media.JSON), budget, taxonomy), data)
    quick, ours = [], []
    for round_ in range(5):
        fresh = records(arguments.records, seed=100 + round_)
        quick.append(_spent(orjson.loads, fresh))
        ours.append(_spent(lambda each: find_fields(Part("", each, Media.JSON), budget, taxonomy), fresh))
    size = sum(map(len, data)) / len(data)
    _say(f"{len(data):,} records, {min(map(len, data)):,} to {max(map(len, data)):,} bytes, {size:,.0f} on average")
    _say(
        f"orjson.loads {min(quick):8.2f} us   find_fields {min(ours):8.2f} us, the first time {first:.2f}   rate {min(quick) / min(ours):.3f} of orjson.loads"
    )
    if arguments.presidio:
        from tests.bench.presidio_alone import analyze  # noqa: PLC0415 - an optional part

        def presidio(each: bytes) -> None:
            for _, text in leaves(orjson.loads(each), ""):
                analyze(text)

        slow = _spent(presidio, data[: arguments.presidio])
        _say(f"presidio {slow:,.0f} us a record: {slow / min(ours):,.0f} times as long")


def _spent(read: Callable[[bytes], object], data: Sequence[bytes]) -> float:
    """Give microseconds of CPU for each record."""
    started = time.process_time()
    for each in data:
        read(each)
    return (time.process_time() - started) / len(data) * 1e6


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a benchmark reports


if __name__ == "__main__":
    main()
