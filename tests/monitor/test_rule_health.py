"""The health of rules: what each costs on the traffic that is there, and when it last found something."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitor.context import Loaded, load
from monitor.demo.record import record
from monitor.files import read_config
from monitor.metrics import Metrics
from monitor.pipeline import Context, process
from monitor.replay import CaptureReplay
from monitor.rule_health import EVERY_SECONDS, RuleHealth, costs
from topics.record import RawRecord


@pytest.fixture(scope="module")
def traffic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, list[RawRecord], Loaded]:
    folder = tmp_path_factory.mktemp("health")
    record(folder, 400, 7)
    config = read_config(folder / "monitor.yaml")
    loaded = load(config)
    with CaptureReplay([str(folder / "shop.events.jsonl")], loaded, config, None) as replay:
        records = [each for batch, _ledger in replay.batches(lambda _: None) for each in batch]
        return loaded.context(replay.adapters, replay.cluster), records, loaded


def test_each_rule_whose_facts_were_stated_has_a_cost(traffic: tuple[Context, list[RawRecord], Loaded]) -> None:
    context, records, loaded = traffic
    found = costs(context, records)
    tracking = {each.written.id for each in loaded.rules.rules if each.written.assessor == "tracking"}
    assert tracking <= found.keys()
    assert all(0 < seconds < 0.01 for seconds in found.values())


def test_a_sample_is_taken_now_and_then(traffic: tuple[Context, list[RawRecord], Loaded]) -> None:
    context, records, _ = traffic
    now = 0.0
    health = RuleHealth(lambda: now)
    assert health.sample(context, records) == {}
    now = EVERY_SECONDS
    assert health.sample(context, records)
    assert health.sample(context, records) == {}


def test_metrics_tell_the_cost_and_the_newest_finding_of_each_rule(
    traffic: tuple[Context, list[RawRecord], Loaded],
) -> None:
    context, records, _ = traffic
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1")
    outcome = process(records, context, {})
    for _ in range(2):
        metrics.count(outcome, jurisdictions=frozenset())
    metrics.rule_costs(costs(context, records))
    page = generate_latest(registry).decode()
    for rule in {each.rule for each in outcome.findings}:
        newest = max(each.at_ms for each in outcome.findings if each.rule == rule)
        told = registry.get_sample_value("privacy_monitor_rule_last_fired_timestamp_seconds", {"rule": rule})
        assert told == pytest.approx(newest / 1000)
    assert 'privacy_monitor_rule_evaluation_seconds{rule="tracking.gpc-ignored"}' in page
