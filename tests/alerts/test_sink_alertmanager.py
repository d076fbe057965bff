"""The Alertmanager sink against a real Alertmanager: an episode fires, and ends when it is resolved."""

import json
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec
import pytest

from alerts.sinks.forms import Alertmanager
from alerts.sinks.post import Outcome, post
from alerts.sinks.route import Route
from alerts.sinks.sink import Limits, Sink
from alerts.sinks.spool import Spool
from alerts.sinks.target import check
from tests.alerts.prometheus import ALERTS, Observed, Receiver
from tests.alerts.test_export import history
from tests.conftest import skip_or_fail
from tests.kafka.processes import Unavailable, wait_until
from topics.finding import Windows

NOW_MS = 1_800_000_000_000


@pytest.mark.slow
def test_an_episode_fires_at_a_real_alertmanager_and_ends_with_its_resolution(tmp_path: Path) -> None:
    alerts = history()
    opened, resolved = alerts[0], alerts[-1]
    with Receiver() as receiver, Spool(tmp_path / "spool") as spool:
        try:
            observed = Observed([], {}, receiver.url)
        except Unavailable as reason:
            skip_or_fail(f"no Alertmanager: {reason}")
        with observed:
            target = check(f"{observed.alertmanager}/api/v2/alerts", ["127.0.0.1"], allow_http=True, allow_private=True)
            limits = Limits(requests_per_minute=60_000)
            sink = Sink("am", Alertmanager(3600), partial(post, target), spool, limits=limits, route=Route())
            now_ms = time.time_ns() // 1_000_000
            sink.take([msgspec.structs.replace(opened, recipient='evil"\n\x00')], now_ms)
            assert sink.flush(now_ms) == (Outcome.DELIVERED, 1)
            assert wait_until(lambda: bool(receiver.alerts("PrivacyEpisode")), 20)
            fired = receiver.alerts("PrivacyEpisode")[0]
            assert fired["labels"]["rule"] == opened.rule
            assert fired["labels"]["severity"] == "warning"
            assert fired["annotations"]["summary"] == opened.why
            assert (ALERTS / fired["annotations"]["runbook_url"]).is_file()
            now_ms = time.time_ns() // 1_000_000
            sink.take([msgspec.structs.replace(resolved, recipient='evil"\n\x00')], now_ms)
            assert sink.flush(now_ms) == (Outcome.DELIVERED, 1)
            assert wait_until(lambda: bool(receiver.alerts("PrivacyEpisode", "resolved")), 20)


def test_an_alert_fires_for_as_long_as_its_rule_lets_the_episode_live() -> None:
    def lasts(windows: Windows | None) -> float:
        alert = msgspec.structs.replace(history()[0], windows=windows)
        (made,) = json.loads(Alertmanager(3600).request([alert], 0, NOW_MS).body)
        return datetime.fromisoformat(made["endsAt"]).timestamp() - NOW_MS / 1000

    assert lasts(None) == 3600
    assert lasts(Windows(update=1)) == 3600
    assert lasts(Windows(quiet=3_600, resolve=7 * 86_400)) == 3_600 + 7 * 86_400 + 3_600
