"""The PagerDuty sink against a server that holds it to the published contract: one incident for an episode, ended with it."""

from functools import partial
from pathlib import Path

import msgspec
import pytest

from alerts.ocsf import compliance_finding
from alerts.sinks.pagerduty import PagerDuty
from alerts.sinks.post import Outcome, post
from alerts.sinks.route import Route
from alerts.sinks.sink import Limits, Sink
from alerts.sinks.spool import Spool
from alerts.sinks.target import check
from alerts.text import Links
from tests.alerts.pagerduty import PagerDutyServer
from tests.alerts.test_export import history
from topics.alert import Alert, Change
from topics.exposure import Due
from topics.finding import SEVERITIES, Severity, Verdict

KEY = "0123456789abcdefABCDEF0123456789"
NOW_MS = 1_800_000_000_000
LINKS = Links(runbooks="https://docs.shop.example/runbooks")


def sink(server: PagerDutyServer, spool: Spool, key: str = KEY) -> Sink:
    target = check(server.url, ["127.0.0.1"], allow_http=True, allow_private=True)
    limits = Limits(requests_per_minute=6_000, fold_above=1_000)
    return Sink("pd", PagerDuty(key, LINKS), partial(post, target), spool, limits=limits, route=Route())


def drain(one: Sink, now_ms: int = NOW_MS) -> list[Outcome]:
    outcomes = []
    while one.waiting():
        done = one.flush(now_ms)
        outcomes += [done[0]] if done else []
        now_ms += 400_000
    return outcomes


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("verdict", Verdict)
def test_an_episode_is_one_incident_under_the_key_of_kafka_and_ocsf(
    tmp_path: Path, severity: Severity, verdict: Verdict
) -> None:
    alerts = history(severity, verdict)
    with PagerDutyServer(KEY) as server, Spool(tmp_path / "spool") as spool:
        one = sink(server, spool)
        one.take(alerts, NOW_MS)
        assert set(drain(one)) == {Outcome.DELIVERED}
    assert server.refused == []
    assert list(server.incidents) == [alerts[0].episode_key]
    assert list(server.incidents) == [compliance_finding(alerts[0], "1")["finding_info"]["uid"]]
    (incident,) = server.incidents[alerts[0].episode_key]
    assert not incident.is_open
    assert [event["event_action"] for event in incident.events] == ["trigger", "resolve"], "silence is not told"
    wanted = {"low": "info", "medium": "warning", "high": "error", "critical": "critical"}[severity.value]
    payload = incident.events[0]["payload"]
    assert payload["severity"] == ("info" if verdict is Verdict.GAP else wanted)
    assert payload["summary"] == alerts[0].why
    assert incident.events[0]["links"][0]["href"].startswith("https://docs.shop.example/runbooks/")


def test_429_and_5xx_are_tried_again_until_all_is_taken_in_order(tmp_path: Path) -> None:
    answers = [429, 500, 503, 0, 429, 502, 0]
    alerts = history()
    with (
        PagerDutyServer(KEY, lambda number: answers[number] if number < len(answers) else 0) as server,
        Spool(tmp_path / "spool") as spool,
    ):
        one = sink(server, spool)
        one.take(alerts, NOW_MS)
        outcomes = drain(one)
    assert outcomes.count(Outcome.BUSY) == 2
    assert outcomes.count(Outcome.FAILED) == 3
    (incident,) = server.incidents[alerts[0].episode_key]
    assert [event["event_action"] for event in incident.events] == ["trigger", "resolve"]


def test_a_wrong_key_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    with PagerDutyServer(KEY) as server, Spool(tmp_path / "spool") as spool:
        one = sink(server, spool, "f" * 32)
        one.take(history()[:1], NOW_MS)
        assert one.flush(NOW_MS) == (Outcome.REFUSED, 1)
        assert one.waiting() == 1
        again = sink(server, spool)
        assert again.flush(NOW_MS + 1) == (Outcome.DELIVERED, 1)
    assert server.refused == [["routing_key is not that of an integration"]]


def test_the_largest_alert_keeps_to_the_limits_of_the_contract(tmp_path: Path) -> None:
    opened = history()[0]
    many = tuple(f"{'long.name.' * 20}{number}" for number in range(50))
    vast = msgspec.structs.replace(
        opened, why="w" * 5_000, services=many, categories=many, law=many, exemplars=opened.exemplars * 5
    )
    with PagerDutyServer(KEY) as server, Spool(tmp_path / "spool") as spool:
        one = sink(server, spool)
        one.take([vast], NOW_MS)
        assert drain(one) == [Outcome.DELIVERED]
    assert server.refused == []


def test_a_quiet_episode_that_speaks_for_untold_changes_is_told(tmp_path: Path) -> None:
    quiet = next(each for each in history() if each.change is Change.QUIET)
    assert PagerDuty(KEY, LINKS).request([quiet], 0, NOW_MS) is None
    assert PagerDuty(KEY, LINKS).request([quiet], 1, NOW_MS) is not None


def test_a_declared_breach_keeps_its_incident_open_when_the_flow_has_stopped() -> None:
    def action(alert: Alert) -> str:
        request = PagerDuty(KEY, LINKS).request([alert], 0, NOW_MS)
        assert request is not None
        return str(msgspec.json.decode(request.body)["event_action"])

    over = history()[-1]
    due = Due(
        due_at_ms=NOW_MS,
        kind="breach",
        detail="regulator",
        duty="eu-breach-regulator",
        started_at_ms=1,
        waits_for="",
        measure="72 hours",
        citation="Art. 33",
    )
    assert action(over) == "resolve"
    assert action(msgspec.structs.replace(over, due=(due,))) == "trigger"
