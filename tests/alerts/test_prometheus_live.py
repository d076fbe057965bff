"""The whole way: a planted violation becomes a finding, a metric, a rule that fires, and a message to a receiver.

Windows of the shipped rules are made sixty times shorter, minutes to seconds; nothing else in them is changed.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from monitor.shop import Shop
from tests.alerts.prometheus import ALERTS, RULES, Observed, Receiver, tool
from tests.conftest import skip_or_fail
from tests.integration.system import System, page
from tests.kafka.jvm import Cluster
from tests.kafka.processes import Unavailable, free_ports, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

SOURCES = (
    {"topic": "shop.events", "adapter": "segment", "service": "web-shop"},
    {"topic": "shop.kong", "adapter": "kong", "service": "api-gateway", "body": "request.body"},
    {"topic": "shop.nginx", "adapter": "nginx", "service": "edge"},
)
TOPICS = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx", "consent": "privacy.consent.v1"}
PLACELESS = (
    "shop.events",
    None,
    json.dumps(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": "somebody",
            "properties": {"email": "a@shop.example"},
            "integrations": {"Facebook Pixel": True},
        }
    ).encode(),
)
"""Nothing in it says where the person is: a gap."""
SILENCED = "tracking.gpc-ignored"
CANARY_SECONDS = 2
"""A minute made shorter as the windows are, but for what a canary needs on its way."""
PIECES = 1_500
ROUNDS = 10
_DURATION = re.compile(r"(?<![\w.])(\d+)([mhd])\b")
_SECONDS = {"m": 1, "h": 60, "d": 1440}


@dataclass
class Live:
    system: System
    prometheus: Observed
    receiver: Receiver
    hook: Receiver
    """Of `privacy-monitor notify`."""
    pages: list[str]


def shortened(text: str) -> str:
    """Write minutes as seconds."""
    return _DURATION.sub(lambda found: f"{int(found[1]) * _SECONDS[found[2]]}s", text)


def eventually(true: Callable[[], object], seconds: float, what: str) -> None:
    assert wait_until(lambda: bool(true()), seconds), what


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    try:
        cluster = Cluster(1)
    except Unavailable as reason:
        skip_or_fail(f"no Apache Kafka on the JVM: {reason}")
    settings: dict[str, Any] = {
        "alerts": {"port": free_ports(1)[0], "update_seconds": 1},
        "canary_seconds": CANARY_SECONDS,
    }
    with (
        cluster,
        Receiver() as hook,
        System(
            cluster.bootstrap, tmp_path_factory.mktemp("live"), SOURCES, {**settings, "notify": notify(hook.url)}
        ) as system,
        Receiver() as receiver,
    ):
        system.start("run", "--workers", "1")
        system.start("alerts")
        system.start("notify")
        assert wait_until(lambda: len(page_addresses(system)) == 4, 60), system.logs()
        pages = page_addresses(system)
        try:
            prometheus = Observed(pages, {path.name: shortened(path.read_text()) for path in RULES}, receiver.url)
        except Unavailable as reason:
            skip_or_fail(f"no Prometheus: {reason}")
        with prometheus:
            eventually(lambda: len(prometheus.query("up == 1")) == 4, 30, "four targets that are up")
            prometheus.silence(f"rule={SILENCED}")
            play(system)
            yield Live(system, prometheus, receiver, hook, pages)


def notify(url: str) -> dict[str, Any]:
    hook = {
        "name": "hook",
        "kind": "webhook",
        "url": url + "/alerts",
        # Any file that holds a secret will do.
        "secret": {"file": "subject.key"},
        "allow_http": True,
        "allow_private": True,
        "requests_per_minute": 600,
    }
    return {"port": 0, "allowed_hosts": ["127.0.0.1"], "sinks": [hook]}


def page_addresses(system: System) -> list[str]:
    """Find the pages of all processes in their logs."""
    found = [json.loads(line)["pages"] for line in system.logs().splitlines() if '"pages"' in line]
    return [f"{url}/metrics" for url in found]


def play(system: System) -> None:
    """Produce a shop's day in pieces, some seconds long, so that rates have something to see."""
    start_ms = time.time_ns() // 1_000_000 - PIECES * 5
    pieces = list(islice(Shop(11, start_ms).stream(), PIECES))
    for number in range(ROUNDS):
        some = pieces[number * PIECES // ROUNDS : (number + 1) * PIECES // ROUNDS]
        system.produce([(TOPICS[each.role], each.key, each.value) for each in some] + [PLACELESS])
        time.sleep(0.8)


def test_the_pages_of_all_processes_please_promtool(live: Live) -> None:
    for address in live.pages:
        assert tool("promtool", "check", "metrics", text=page(address)) == (0, ""), address


def test_a_planted_violation_reaches_the_receiver_with_its_rule_and_its_runbook(live: Live) -> None:
    eventually(lambda: live.receiver.alerts("PrivacyViolation"), 60, "a violation at the receiver")
    told = live.receiver.alerts("PrivacyViolation")[0]
    assert told["labels"]["audience"] == "on-call"
    rule = told["labels"]["rule"]
    assert rule in told["annotations"]["description"]
    assert told["annotations"]["runbook_url"] == "runbooks/PrivacyViolation.md"
    counted = live.prometheus.query(f'sum(privacy_findings_total{{rule="{rule}",verdict="violation"}})')
    assert float(counted[0]["value"][1]) > 0


def test_a_silence_holds(live: Live) -> None:
    fired = f'max_over_time(ALERTS{{alertstate="firing", rule="{SILENCED}"}}[10m])'
    eventually(lambda: live.prometheus.query(fired), 60, "an alert of the silenced rule")
    eventually(lambda: live.receiver.alerts("PrivacyViolation"), 60, "another violation at the receiver")
    assert all(alert["labels"].get("rule") != SILENCED for body in live.receiver.bodies for alert in body["alerts"])


def test_each_episode_reaches_the_webhook_signed_and_in_order(live: Live) -> None:
    told = {each["episode_key"]: each for each in live.system.read("privacy.alerts.v1") if each["audience"] != "none"}
    assert told

    def received() -> dict[str, int]:
        alerts = [alert for body in list(live.hook.bodies) for alert in body["alerts"]]
        return {alert["episode_key"]: alert["revision"] for alert in alerts}

    eventually(lambda: all(received().get(key, 0) >= each["revision"] for key, each in told.items()), 30, "all told")
    secret = (live.system.folder / "subject.key").read_bytes()
    revisions: dict[str, int] = {}
    for path, headers, body in list(live.hook.requests):
        assert path == "/alerts"
        given = {name.lower(): value for name, value in headers.items()}
        signed = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        assert given["webhook-signature"] == f"v1,{expected}"
        for alert in json.loads(body)["alerts"]:
            assert alert["revision"] > revisions.get(alert["episode_id"], 0)
            revisions[alert["episode_id"]] = alert["revision"]


def test_export_and_top_tell_the_same_episodes_from_the_topics(live: Live) -> None:
    exported = [json.loads(line) for line in live.system.command("export", "--format", "ocsf").splitlines()]
    assert {each["finding_info"]["uid"] for each in exported} == {
        each["episode_key"] for each in live.system.read("privacy.alerts.v1")
    }
    shown = live.system.command("top", "--seconds", "4")
    outcomes = Counter(each["compliance"]["status"] for each in exported)
    assert f"{outcomes['Fail']} violations and {outcomes['Unknown']} gaps" in shown
    assert [each["status"] for each in exported if each["compliance"]["status"] == "Warning"] == ["Suppressed"]
    assert "canary" not in shown
    assert all(str(source["topic"]) in shown for source in SOURCES)


def test_each_query_of_each_dashboard_has_data(live: Live) -> None:
    queries = list(dashboard_queries())
    assert len(queries) > 35
    waiting = {expression for expression, may_be_empty in queries if not may_be_empty}
    for expression, may_be_empty in queries:
        assert not may_be_empty or live.prometheus.query(expression) is not None, expression
    deadline = time.monotonic() + 90
    # Windows are seconds long here, so traffic flows while the queries are asked.
    while waiting and time.monotonic() < deadline:
        playing = threading.Thread(target=play, args=(live.system,))
        playing.start()
        while waiting and playing.is_alive():
            waiting = {expression for expression in waiting if not live.prometheus.query(expression)}
        playing.join()
    assert waiting == set()


def test_a_canary_arrives_every_time_and_calls_nobody(live: Live) -> None:
    arrived = "time() - privacy_monitor_canary_last_arrived_timestamp_seconds"
    eventually(lambda: live.prometheus.query(f"{arrived} < {3 * CANARY_SECONDS}"), 60, "a canary that arrived")
    before = latency(live)
    eventually(lambda: latency(live)[0] >= before[0] + 3, 60, "three more canaries")
    number, seconds = latency(live)
    assert 0 < seconds / number < 10
    assert live.prometheus.query('privacy_findings_total{rule="canary.seen", mode!="exempt"}') == []
    assert live.prometheus.query('privacy_episodes_open{rule="canary.seen"}') == []
    told = [alert for body in live.receiver.bodies for alert in body["alerts"]]
    assert all(alert["labels"].get("rule") != "canary.seen" for alert in told)
    assert all(alert["rule"] != "canary.seen" for body in live.hook.bodies for alert in body["alerts"])


def latency(live: Live) -> tuple[float, float]:
    """Give how many canaries arrived as alerts, and their seconds together."""
    name = "privacy_monitor_canary_latency_seconds"
    found = [live.prometheus.query(f'{name}_{each}{{stage="alert"}}') for each in ("count", "sum")]
    return float(found[0][0]["value"][1]), float(found[1][0]["value"][1])


def test_a_canary_that_is_lost_raises_its_alarm_until_it_arrives_again(live: Live) -> None:
    name = "PrivacyMonitorCanaryLost"
    eventually(lambda: not live.prometheus.firing(name), 60, "no alarm while canaries arrive")
    before = len(live.receiver.alerts(name))
    workers = live.system.processes[0]
    stopped = [child for child in children(workers.pid) if "worker" in command_of(child)]
    assert stopped
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        eventually(lambda: len(live.receiver.alerts(name)) > before, 60, f"{name} at the receiver")
        assert live.receiver.alerts(name)[-1]["labels"]["audience"] == "engineers"
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)
    eventually(lambda: not live.prometheus.firing(name), 90, "the end of the alarm")


def children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def command_of(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")


def test_a_declared_breach_runs_its_clock_in_the_alert_the_metric_and_the_terminal(live: Live) -> None:
    def episode() -> dict[str, Any] | None:
        told = {each["episode_key"]: each for each in live.system.read("privacy.alerts.v1")}
        return next((each for each in told.values() if any(due["kind"] == "breach" for due in each["due"])), None)

    eventually(episode, 60, "an episode whose law knows a breach clock")
    found = episode()
    assert found is not None
    key, place = found["episode_key"], found["jurisdiction"]
    assert all(due["due_at_ms"] == 0 for due in found["due"] if due["kind"] == "breach")
    said = live.system.command("declare", key[:12], "breach", "--by", "privacy-office")
    assert "now runs" in said

    def due() -> list[dict[str, Any]]:
        told = {each["episode_key"]: each for each in live.system.read("privacy.alerts.v1")}
        return [each for each in told[key]["due"] if each["kind"] == "breach" and each["started_at_ms"]]

    eventually(due, 30, "a clock that runs")
    numbered = [each for each in due() if each["due_at_ms"]]
    for each in numbered:
        kind = f"breach-{each['detail']}"
        shown = f'privacy_duty_next_due_timestamp_seconds{{duty="{kind}",jurisdiction="{place}"}}'
        eventually(partial(live.prometheus.query, shown), 20, shown)
        assert each["duty"] in live.system.command("top", "--seconds", "4")
    live.system.command("declare", key, "breach", "--undo")
    eventually(lambda: not due(), 30, "a clock that is taken back")


def test_silence_of_the_traffic_raises_the_alarm_that_we_are_blind(live: Live) -> None:
    eventually(lambda: live.receiver.alerts("PrivacyMonitorBlind"), 90, "PrivacyMonitorBlind at the receiver")
    blind = {alert["labels"]["topic"] for alert in live.receiver.alerts("PrivacyMonitorBlind")}
    assert blind <= set(TOPICS.values())
    # Prometheus repeats an alert each minute; the first may have come before Alertmanager was known to it.
    eventually(lambda: live.receiver.alerts("PrivacyMonitorWatchdog"), 90, "the watchdog at the receiver")


def dashboard_queries() -> Iterator[tuple[str, bool]]:
    for path in sorted((ALERTS / "dashboards").glob("*.json")):
        board: dict[str, Any] = json.loads(path.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                expression = shortened(target["expr"]).replace("$__rate_interval", "20s")
                yield expression, target.get("allowEmpty", False)
