"""The whole monitor on Apache Kafka: what goes in, what comes out, and that it adds up exactly."""

import base64
import hashlib
import io
import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from monitor.demo.page import page as terminal
from monitor.demo.watched import Watched, absorb
from monitor.shop import Plant, Shop
from tests.integration.system import Coordinates, System, distinct_findings, expand, page, read_topic
from tests.kafka.jvm import Cluster
from topics.record import RawRecord
from topics.subject import SubjectKey

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PIECES = 3_000
SOUND_CANARIES = 3
TOPICS = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx", "consent": "privacy.consent.v1"}
SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
    {"topic": "shop.nginx", "adapter": "nginx", "service": "edge"},
    {"topic": "shop.har", "adapter": "har", "service": "browser"},
)
CANARIES = {
    "email": "canary.{}@secret-canary.example",
    "name": "Zebedeecanary{} Quillfeather",
    "card": "4000056655665556",
    "phone": "+1555019{}7731",
}


@dataclass
class Run:
    """What one run of the whole monitor left behind."""

    delivery: str
    system: System
    plants: dict[Coordinates, Plant]
    hostile: set[Coordinates]
    har: Coordinates
    canaries: list[Coordinates]
    """Of a sound record of each format, then of the same cut short."""
    accounting: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]
    episodes: dict[str, dict[str, Any]]
    produced: Counter[tuple[str, int]]
    pages: str


@pytest.fixture(scope="module", params=["at_least_once", "exactly_once"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    delivery: str = request.param
    with (
        Cluster(1) as cluster,
        System(cluster.bootstrap, tmp_path_factory.mktemp(delivery), SOURCES, {"delivery": delivery}) as system,
    ):
        start_ms = time.time_ns() // 1_000_000 - PIECES * 5
        pieces = list(islice(Shop(11, start_ms).stream(), PIECES))
        workers = system.start("run", "--workers", "2")
        alerts = system.start("alerts")
        places = system.produce([(TOPICS[each.role], each.key, each.value) for each in pieces])
        har = system.produce([("shop.har", None, json.dumps(har_page()).encode())])
        canaries = system.produce(canary_records())
        hostile = system.produce([(topic, None, value) for topic, value in hostile_records()])
        accounting = system.await_judged(90)
        findings = system.read("privacy.findings.v1")
        episodes = system.await_episodes(sum(each.total() for each in distinct_findings(findings).values()))
        pages = "\n".join(page(url) for url in page_urls(system))
        for process in (workers, alerts):
            process.terminate()
        codes = [process.wait(30) for process in (workers, alerts)]
        assert codes == [0, 0], system.logs()
        produced = Counter((topic, partition) for topic, partition, _ in [*places, *har, *canaries, *hostile])
        yield Run(
            delivery,
            system,
            {place: piece.plant for place, piece in zip(places, pieces, strict=True) if piece.plant is not None},
            set(hostile),
            har[0],
            canaries,
            accounting,
            findings,
            system.read("privacy.deadletter.v1"),
            episodes,
            produced,
            pages,
        )


def test_every_planted_violation_is_found_and_none_is_invented(run: Run) -> None:
    found = defaultdict(set)
    for each in run.findings:
        if each["verdict"] == "violation":
            for place in expand(each):
                if place not in run.canaries:
                    found[place].add(each["detector"])
    planted = {place: {plant.detector} for place, plant in run.plants.items() if plant.expected == "violation"}
    # The recorded page sent Global Privacy Control and a pixel; nobody knows from where, so it is the shop's own policy.
    planted[run.har] = {"unconsented-tracking"}
    assert len(planted) > 20
    assert dict(found) == planted


def test_every_offset_lies_in_exactly_one_class(run: Run) -> None:
    classes: dict[tuple[str, int], dict[int, str]] = defaultdict(dict)
    for each in run.accounting:
        kinds = [kind for length, kind in each["runs"] for _ in range(length)]
        assert len(kinds) == each["end"] - each["start"]
        known = classes[each["topic"], each["partition"]]
        for offset, kind in enumerate(kinds, each["start"]):
            # A batch that was delivered twice says the same twice; in transactions it is never delivered twice.
            assert known.setdefault(offset, kind) == kind
    ends = {place: count for place, count in run.produced.items() if place[0] != "privacy.consent.v1"}
    assert {place: sorted(known) for place, known in classes.items()} == {
        place: list(range(end)) for place, end in ends.items()
    }
    kinds_seen = {kind for known in classes.values() for kind in known.values()}
    assert kinds_seen == {"inspected", "dead-lettered"}


def test_transactions_deliver_each_range_once(run: Run) -> None:
    if run.delivery == "at_least_once":
        pytest.skip("at least once may deliver a batch twice, with equal ids")
    ranges = [(each["topic"], each["partition"], each["start"]) for each in run.accounting]
    assert len(ranges) == len(set(ranges))
    ids = [each["finding_id"] for fold in run.findings for each in fold["exemplars"]]
    assert len(ids) == len(set(ids))


def test_dead_letters_are_the_malformed_records_and_no_others(run: Run) -> None:
    whole = {(each["topic"], each["partition"], each["offset"]) for each in run.dead_letters if each["item"] is None}
    malformed = {place for place, plant in run.plants.items() if plant.expected == "dead-letter"}
    assert malformed <= whole | {(e["topic"], e["partition"], e["offset"]) for e in run.dead_letters}
    assert whole - malformed <= run.hostile | set(run.canaries[SOUND_CANARIES:])
    counted = set()
    for each in run.accounting:
        offset = each["start"]
        for length, kind in each["runs"]:
            if kind == "dead-lettered":
                counted |= {(each["topic"], each["partition"], at) for at in range(offset, offset + length)}
            offset += length
    assert whole <= counted


def test_findings_accounting_and_episodes_add_up(run: Run) -> None:
    assert all(each["count"] == len(expand(each)) for each in run.findings)
    counted = {key: places.total() for key, places in distinct_findings(run.findings).items()}
    # A gap is an episode of its own, for engineers.
    assert {key.removesuffix(":gap"): each["findings"] for key, each in run.episodes.items()} == counted
    by_range = {(e["topic"], e["partition"], e["start"], e["end"]): e["findings"] for e in run.accounting}
    shadow = distinct_findings(run.system.read("privacy.shadow.v1"))
    assert sum(by_range.values()) == sum(counted.values()) + sum(places.total() for places in shadow.values())


def test_planted_secrets_are_nowhere_but_in_the_sources(run: Run) -> None:
    outputs = [run.pages, run.system.logs(), terminal_page(run)]
    for topic in ("findings", "shadow", "alerts", "deadletter", "accounting"):
        for key, value, headers in read_topic(run.system.bootstrap, f"privacy.{topic}.v1"):
            outputs += [(key or b"").decode("latin-1"), (value or b"").decode("latin-1"), repr(headers)]
    everything = "\n".join(outputs)
    found = {place for each in run.findings for place in expand(each)}
    assert found >= set(run.canaries[:SOUND_CANARIES]), "the search means something only when there was a finding"
    assert len(everything) > 10_000
    for secret in secrets():
        for form in forms(secret):
            assert form not in everything


def test_metrics_count_what_the_topics_hold(run: Run) -> None:
    total = sum(
        float(line.rpartition(" ")[2])
        for line in run.pages.splitlines()
        if line.startswith("privacy_findings_total{") and 'mode="live"' in line
    )
    assert total == sum(each.total() for each in distinct_findings(run.findings).values())


def terminal_page(run: Run) -> str:
    """Draw the page that the demo shows, from what this run left in the topics."""
    watched = Watched()
    topics = ("privacy.accounting.v1", "privacy.findings.v1", "privacy.alerts.v1", "privacy.deadletter.v1")
    for topic in topics:
        records = read_topic(run.system.bootstrap, topic)
        absorb(watched, [RawRecord(topic, 0, 0, 0, key, value) for key, value, _ in records], 0.0)
    console = Console(record=True, width=400, file=io.StringIO())
    console.print(terminal(watched, ["http://127.0.0.1:9465/metrics"], 1.0))
    text = console.export_text()
    assert "unconsented-tracking" in text
    return text


def page_urls(system: System) -> list[str]:
    """Find the pages of all processes in their logs."""
    urls = [json.loads(line)["pages"] + "/metrics" for line in system.logs().splitlines() if '"pages"' in line]
    assert len(urls) >= 3, system.logs()
    return urls


def har_page() -> dict[str, Any]:
    def entry(url: str, headers: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
        return {
            "startedDateTime": "2026-11-02T10:00:00.000Z",
            "pageref": "page_1",
            "request": {
                "method": "GET",
                "url": url,
                "headers": [{"name": name, "value": value} for name, value in [("Sec-GPC", "1"), *headers]],
                "queryString": [],
                "cookies": [],
            },
            "response": {"status": 200, "headers": [], "content": {}},
        }

    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "test", "version": "1"},
            "pages": [
                {"id": "page_1", "title": "https://www.shop.example/", "startedDateTime": "2026-11-02T10:00:00Z"}
            ],
            "entries": [
                entry("https://www.shop.example/"),
                entry(f"https://www.facebook.com/tr?id=1&ev=Purchase&em={CANARIES['email'].format('har')}"),
            ],
        }
    }


def canary_records() -> list[tuple[str, bytes | None, bytes | None]]:
    """Give a record of each format that carries secrets everywhere a secret can stand."""
    secret = {kind: text.format("x") for kind, text in CANARIES.items()}
    person = {
        "email": secret["email"],
        "name": secret["name"],
        "phone": secret["phone"],
        secret["email"]: secret["name"],
    }
    event = {
        "type": "track",
        "event": "Checkout Step Completed",
        "userId": secret["email"],
        "anonymousId": secret["name"],
        "properties": {**person, "card": {"number": secret["card"], "cvc": "987"}, "step": "shipping"},
        "context": {
            "gpc": True,
            "ip": "192.0.2.77",
            "traits": person,
            "location": {"country": "US", "region": "CA"},
            "page": {"url": f"https://www.shop.example/checkout/shipping?email={secret['email']}"},
        },
        "integrations": {"Facebook Pixel": True, secret["email"]: True},
    }
    headers = {
        "host": "api.shop.example",
        "sec-gpc": "1",
        "cookie": f"ajs_user_id={secret['email']}",
        "cloudfront-viewer-country": "US",
        "cloudfront-viewer-country-region": "CA",
        "x-custom": secret["name"],
    }
    kong = {
        "started_at": 1_793_606_400_000,
        "client_ip": "192.0.2.78",
        "request": {
            "method": "POST",
            "uri": f"/checkout/shipping?email={secret['email']}",
            "headers": headers,
            "body": json.dumps({**person, "cvv": "987", "cardNumber": secret["card"], "dateOfBirth": "1990-01-01"}),
        },
        "route": {"name": "checkout-shipping"},
        "service": {"host": "graph.facebook.com"},
        "consumer": {"username": secret["email"]},
    }
    nginx = {
        "time_iso8601": "2026-11-02T10:00:00+00:00",
        "remote_addr": "192.0.2.79",
        "request_method": "POST",
        "host": "graph.facebook.com",
        "request_uri": f"/v18.0/1/events?email={secret['email']}",
        "http_sec_gpc": "1",
        "http_cookie": f"name={secret['name']}",
        "request_body": json.dumps(person),
        "status": "200",
    }
    broken = json.dumps(event)[:-20].encode()
    return [
        ("shop.events", secret["email"].encode(), json.dumps(event).encode()),
        ("shop.kong", None, json.dumps(kong).encode()),
        ("shop.nginx", None, json.dumps(nginx).encode()),
        ("shop.events", None, broken),
        ("shop.kong", None, json.dumps(kong)[:-30].encode()),
    ]


def secrets() -> list[str]:
    return [
        *(text.format(kind) for text in CANARIES.values() for kind in ("x", "har")),
        "Zebedeecanaryx",
        "secret-canary",
    ]


def forms(secret: str) -> list[str]:
    data = secret.encode()
    return [
        secret,
        secret.lower(),
        secret[::-1],
        data.hex(),
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        secret.replace("@", "%40"),
        hashlib.sha256(data).hexdigest(),
        hashlib.md5(data).hexdigest(),  # noqa: S324 - a form to look for
    ]


def hostile_records() -> list[tuple[str, bytes]]:
    """Give what must harm nothing: random bytes, cut JSON, other encodings, nulls, huge and deep values."""
    rng = Random(5)
    topics = [str(source["topic"]) for source in SOURCES]
    good = json.dumps({"type": "track", "event": "Product Viewed", "userId": "ü"})
    values = [rng.randbytes(rng.randrange(1, 300)) for _ in range(1_000)]
    values += [good[:length].encode() for length in range(1, len(good), 5)]
    values += [
        good.encode("utf-16"),
        good.encode("latin-1", "replace"),
        "ü".encode("latin-1"),
        b"null",
        b"[]",
        b"{}",
        b"0",
        b'""',
    ]
    values += [b"", b"\x00" * 100, b"[" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000]
    values += [
        b'{"properties":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"type":"track","properties":{"a":"' + b"x" * 10_000_000 + b'"}}',
    ]
    return [(topics[index % len(topics)], value) for index, value in enumerate(values)]


def test_the_independent_checker_agrees(run: Run) -> None:
    report = audited(run, 0)
    assert report["verdict"] == "accounted-for"
    assert report["faults"] == []
    assert report["unverifiable"] == {}
    assert sum(report["offsets"].values()) == sum(
        count for (topic, _), count in run.produced.items() if topic != "privacy.consent.v1"
    )
    assert report["findings"] == sum(each.total() for each in distinct_findings(run.findings).values()) + sum(
        each.total() for each in distinct_findings(run.system.read("privacy.shadow.v1")).values()
    )


def test_the_bytes_of_a_dead_letter_open_to_who_holds_the_secret_and_to_nobody_else(run: Run) -> None:
    letters = run.system.read("privacy.deadletter.v1")
    sealed = {(each["topic"], each["partition"], each["offset"]): each for each in letters if each["sealed"]}
    assert sealed

    def show(offset: int, config: Path) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "monitor", "dead-letters", "show", "--offset", str(offset), "--config"]
        return subprocess.run([*command, str(config)], capture_output=True, check=False, timeout=60)

    # Those of records that are empty or too large hold no bytes.
    offset, done = next(
        (offset, shown) for offset in range(len(letters)) if (shown := show(offset, run.system.config)).returncode == 0
    )
    letter = next(each for each in sealed.values() if len(done.stdout) == each["size_bytes"])
    key = SubjectKey("k1", (run.system.folder / "subject.key").read_bytes())
    assert key.digest(done.stdout).partition(".")[2] == letter["digest"].partition(".")[2]
    other = run.system.folder / "other.yaml"
    (run.system.folder / "other.key").write_text("another key that is long enough")
    config = json.loads(run.system.config.read_text())
    other.write_text(json.dumps(config | {"dead_letters": {"secret": {"file": "other.key"}}}))
    refused = show(offset, other)
    assert refused.returncode != 0
    assert refused.stdout == b""
    assert b"cannot be opened" in refused.stderr


def audited(run: Run, code: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "monitor", "audit", "--json", "--settle-seconds", "0"]
    done = subprocess.run([*command, "--config", str(run.system.config)], capture_output=True, check=False, timeout=120)
    assert done.returncode == code and done.stdout, (done.stdout[:2000], done.stderr.decode())  # noqa: PT018
    report: dict[str, Any] = json.loads(done.stdout)
    return report
