"""What a glance saves changes nothing: gated and ungated, a batch comes to the same."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.context import load, load_shipped
from monitor.files import read_config
from monitor.pipeline import Context, Outcome, process
from monitor.shop import Shop
from tests.bench.mix import DOMAIN, Mix
from tests.bench.pipeline import REGISTER, batches, context
from topics.adapters import make
from topics.observation import AdapterOptions, Glancing
from topics.record import RawRecord

_TOPICS = {"kong": "kong", "nginx": "nginx", "envoy": "envoy", "events": "segment"}


def told(outcome: Outcome) -> dict[str, Any]:
    """Give all that an outcome says; counts of nothing are left out."""
    plain = msgspec.structs.asdict(outcome)
    for name in ("records", "items", "gaps"):
        plain[name] = {key: number for key, number in plain[name].items() if number}
    return plain


@cache
def _gated(*, with_register: bool) -> Context:
    loaded = load_shipped(domains=[DOMAIN], register_file=REGISTER if with_register else None)
    return loaded.context({topic: make(name, AdapterOptions()) for topic, name in _TOPICS.items()}, "test")


def _ungated(by: Context) -> Context:
    return msgspec.structs.replace(by, gate=None, verdicts=None)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """Load what is loaded once, outside of any deadline."""
    _gated(with_register=True)
    _gated(with_register=False)
    _bases()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_mix_comes_to_the_same_with_every_gate_open(seed: int) -> None:
    mix = Mix(seed, visitors=2_000)
    gated = context(mix)
    ungated = _ungated(gated)
    findings = 0
    for batch in batches(mix, 3_000):
        one, other = process(batch, gated, {}), process(batch, ungated, {})
        assert told(one) == told(other)
        findings += len(one.findings)
    assert findings > 50


def test_most_of_a_gateways_records_are_told_at_a_glance() -> None:
    by = _gated(with_register=True)
    passed = dict.fromkeys(_TOPICS, 0)
    seen = dict.fromkeys(_TOPICS, 0)
    for record in Mix(3).records(2_000):
        adapter = by.adapters.get(record.topic)
        if not isinstance(adapter, Glancing):
            continue
        glance = adapter.glance(record.value)
        seen[record.topic] += 1
        passed[record.topic] += glance is not None and by.gate is not None and by.gate.is_ours_alone(glance)
    shares = {topic: passed[topic] / seen[topic] for topic in _TOPICS}
    assert shares["kong"] > 0.75
    assert shares["nginx"] > 0.75
    assert shares["envoy"] > 0.75
    assert shares["events"] > 0.3


@pytest.mark.parametrize("with_register", [True, False], ids=["register", "no register"])
def test_the_demo_shop_comes_to_the_same_with_every_gate_open(*, with_register: bool) -> None:
    by = _gated(with_register=with_register)
    pieces = islice(Shop(11, 1_772_445_600_000).stream(), 1_500)
    batch = [
        RawRecord(piece.role, 0, at, piece.at_ms, piece.key, piece.value)
        for at, piece in enumerate(pieces)
        if piece.role in by.adapters
    ]
    one = process(batch, by, {})
    assert told(one) == told(process(batch, _ungated(by), {}))
    assert one.findings or not with_register


_ODD = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "-", "null", "/", "/cart", "/checkout/payment", "a b", "10.0.0.9:80", "8.8.8.8", "x.svc", "[::1]:80"]
    ),
    st.sampled_from(
        ["graph.facebook.com", "SHOP.example.", "shop.example:8443", "/g/collect?v=2&tid=G-1&cid=2", "POST /cart"]
    ),
    st.sampled_from(
        ["outbound|443||api.stripe.com", "inbound|80||", "PassthroughCluster", "BlackHoleCluster", "outbound|80||a.svc"]
    ),
    st.sampled_from(
        [
            "ajs_user_id=7; ajs_anonymous_id=8",
            "visitor_id=%22x%22",
            "2026-09-01T09:00:00Z",
            "somebody@example.net",
            "Ünï\ud83d\ude00",
        ]
    ),
    st.integers(-(2**40), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.lists(st.sampled_from(["shop.example", "evil.example", 7]), max_size=2),
    st.dictionaries(
        st.sampled_from(["host", "email", "path", "url", "All", "Stripe", "id"]),
        st.sampled_from([True, False, "x@example.net"]),
        max_size=2,
    ),
)
_KEYS = (
    *(
        "Host",
        "Cookie",
        "host",
        "cookie",
        "uri",
        "url",
        "path",
        "name",
        "id",
        "consumer",
        "custom_id",
        "username",
        "tries",
        "device",
    ),
    *(
        "route-name",
        "user-id",
        "user_id",
        "anonymous_id",
        "batch",
        "traits",
        "email",
        "timestamp",
        "upstream_host",
        "service",
    ),
    *(
        "remote_user",
        "ingress_name",
        "route",
        "request_uri",
        "args",
        "integrations",
        "userId",
        "type",
        "event",
        "proxy_host",
        "msec",
    ),
)


def _places(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for each in node.values():
            yield from _places(each)


@cache
def _bases() -> list[tuple[str, bytes]]:
    return [(each.topic, each.value) for each in Mix(5, visitors=200).records(400) if each.topic in _TOPICS]


@st.composite
def _changed(draw: st.DrawFn) -> tuple[str, bytes]:
    """Give a record of the mix with a few members changed, added or removed."""
    topic, value = draw(st.sampled_from(_bases()))
    record = json.loads(value)
    for _ in range(draw(st.integers(1, 3))):
        holder = draw(st.sampled_from(list(_places(record))))
        key = draw(st.one_of(st.sampled_from(_KEYS), st.sampled_from(sorted(holder) or ["x"])))
        if draw(st.booleans()) and key in holder:
            del holder[key]
        else:
            holder[key] = draw(_ODD)
    return topic, json.dumps(record, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@settings(max_examples=300, deadline=None)
@given(changed=_changed(), with_register=st.booleans())
def test_a_record_of_any_shape_comes_to_the_same_with_every_gate_open(
    changed: tuple[str, bytes], *, with_register: bool
) -> None:
    topic, value = changed
    by = _gated(with_register=with_register)
    batch = [RawRecord(topic, 0, 7, 1_788_253_200_000, None, value)]
    assert told(process(batch, by, {})) == told(process(batch, _ungated(by), {}))


@given(
    st.sampled_from(["kong", "nginx", "envoy", "events"]),
    st.integers(0, 399),
    st.integers(0, 3_000),
    st.binary(max_size=2),
)
def test_a_record_with_broken_bytes_comes_to_the_same_with_every_gate_open(
    topic: str, which: int, at: int, noise: bytes
) -> None:
    bases = [value for each, value in _bases() if each == topic]
    value = bases[which % len(bases)]
    value = value[:at] + noise + value[at + len(noise) :]
    by = _gated(with_register=True)
    batch = [RawRecord(topic, 0, 7, 1_788_253_200_000, None, value)]
    assert told(process(batch, by, {})) == told(process(batch, _ungated(by), {}))


_KONG = {
    "started_at": 1_788_253_200_000,
    "client_ip": "203.0.113.9",
    "request": {"method": "GET", "uri": "/products/7", "headers": {"host": DOMAIN}},
    "service": {"host": "catalog.internal"},
    "tries": [{"ip": "8.8.8.8"}],
}
_ENVOY = {
    "start_time": "2026-09-01T09:00:00Z",
    "authority": DOMAIN,
    "path": "/products/7",
    "method": "GET",
    "upstream_cluster": "outbound|80||catalog.internal",
}


@pytest.mark.parametrize(
    ("topic", "record"),
    [
        ("kong", {**_KONG, "service": {"host": ""}}),
        ("envoy", {**_ENVOY, "upstream-cluster": "outbound|443||graph.facebook.com"}),
        ("envoy", {**_ENVOY, ":authority": "graph.facebook.com"}),
    ],
)
def test_a_record_that_names_its_recipient_elsewhere_is_not_told_at_a_glance(topic: str, record: Any) -> None:
    by = _gated(with_register=True)
    batch = [RawRecord(topic, 0, 7, 1_788_253_200_000, None, json.dumps(record).encode())]
    one = process(batch, by, {})
    assert one.findings
    assert told(one) == told(process(batch, _ungated(by), {}))


_ABROAD = """\
id: rules.collected-abroad
title: A purchase that is received in the United States
version: 1.0.0
status: stable
mode: live
assessor: checkout
when: flow.destination.country == "US"
severity: low
group_by: [flow.service]
runbook: checkout.unneeded-field
why: "{flow.service} received it."
description: A rule of the tests.
tests:
  - name: there
    given: {flow: {destination: {country: US}}}
    expect: finding
  - name: elsewhere
    given: {flow: {destination: {country: DE}}}
    expect: none
"""
_PLACES = """\
recipients: []
services:
  - {host: eu.shop.example, country: DE}
  - {host: us.shop.example, country: US}
"""


def test_what_was_said_of_a_purchase_in_one_place_is_not_said_of_it_in_another(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.collected-abroad.yaml").write_text(_ABROAD)
    (tmp_path / "register.yaml").write_text(_PLACES)
    (tmp_path / "subject.key").write_text("a key of the tests, longer than sixteen bytes")
    file = tmp_path / "monitor.yaml"
    file.write_text(
        json.dumps(
            {
                "kafka": {"bootstrap_servers": "localhost:9092"},
                "shop": {"domains": ["shop.example"]},
                "sources": [{"topic": "kong", "adapter": "kong"}],
                "subjects": {"secret": {"file": "subject.key"}},
                "register": "register.yaml",
                "rules": ["rules"],
            }
        )
    )
    loaded = load(read_config(file), str(file))
    by = loaded.context({"kong": make("kong", AdapterOptions())}, "test")
    places = ["eu.shop.example", "us.shop.example"]
    headers = {"cloudfront-viewer-country": "DE"}
    batch = [
        RawRecord(
            "kong",
            0,
            at,
            1_788_253_200_000,
            None,
            json.dumps(
                {
                    **_KONG,
                    "request": {"method": "POST", "uri": "/checkout/shipping", "headers": {**headers, "host": host}},
                    "tries": [],
                }
            ).encode(),
        )
        for at, host in enumerate(places)
    ]
    one = process(batch, by, {})
    assert [(each.rule, each.offset) for each in one.findings] == [("rules.collected-abroad", 1)]
    assert told(one) == told(process(batch, _ungated(by), {}))
