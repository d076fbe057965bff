"""Hostile traffic must not make a metrics page grow."""

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from alerts.metrics import AlertMetrics
from monitor.metrics import Metrics
from monitor.pipeline import Outcome
from tests.alerts.traffic import Seen, finding, fold
from topics.finding import SEVERITIES, Detector, Verdict

HOSTILE = 100_000
JURISDICTIONS = frozenset(f"J{number}" for number in range(96))
RECIPIENTS = frozenset(f"vendor-{number}" for number in range(300))


def series(page: bytes) -> int:
    return sum(1 for line in page.splitlines() if line and not line.startswith(b"#"))


def test_hostile_hosts_vendors_and_places_do_not_add_series() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1")
    metrics.expect(["shop.events"])
    seen = finding(Seen("key", 0, 1, 1_700_000_000_000, 1, "s"))
    findings = [
        msgspec.structs.replace(
            seen, recipient=f"h{number}.evil.example", jurisdiction=f"XX-{number}", service=f"/path/{number}"
        )
        for number in range(HOSTILE)
    ]
    metrics.count(Outcome(findings=findings), jurisdictions=JURISDICTIONS, recipients=RECIPIENTS)
    page = generate_latest(registry)
    assert series(page) < 120
    assert b"evil" not in page
    assert b"XX-" not in page
    assert (
        f'privacy_recipient_findings_total{{detector="{seen.detector}",recipient="other",verdict="violation"}} {HOSTILE:.1f}'.encode()
        in page
    )


def test_every_combination_of_known_labels_stays_within_two_thousand_series() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1")
    seen = finding(Seen("key", 0, 1, 1_700_000_000_000, 1, "s"))
    findings = [
        msgspec.structs.replace(
            seen, detector=detector, rule=f"r{rule}", severity=severity, jurisdiction=place, recipient=recipient
        )
        for detector in Detector
        for rule in range(6)
        for severity in SEVERITIES
        for place, recipient in zip(sorted(JURISDICTIONS) * 4, sorted(RECIPIENTS), strict=False)
    ]
    metrics.count(Outcome(findings=findings), jurisdictions=JURISDICTIONS, recipients=RECIPIENTS)
    assert series(generate_latest(registry)) < 2_000
    assert metrics.overflow._value.get() > 0
    counted = sum(
        sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "privacy_findings_total"
    )
    assert counted == len(findings)


def test_hostile_folds_do_not_add_series_to_the_alert_plane() -> None:
    metrics = AlertMetrics(["tracking.gpc-ignored"])
    for number in range(HOSTILE // 10):
        one = fold([Seen("key", 0, number, 1_700_000_000_000, 1, "s", verdict=Verdict.VIOLATION)])
        metrics.fold(
            msgspec.structs.replace(one, rule=f"evil{number}", recipient=f"h{number}", jurisdiction=f"E{number}"),
            1,
            1_700_000_000_000,
            0.0,
        )
    page = generate_latest(metrics.registry)
    assert series(page) < 50
    assert b"evil" not in page
