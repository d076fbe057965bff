"""Every metric of the traffic plane, in one place. What a change in it means stands beside it.

Label values come from closed sets only: configured topics, shipped detectors, rule ids, known jurisdictions, reasons.
"""

from collections.abc import Container, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from alerts.budget import OTHER, Budget
from monitor.pipeline import Outcome
from topics.finding import Finding, Mode
from topics.record import Place, Reason

# The moment a counter began is of no use to a rate, and doubles the series of a scrape.
disable_created_metrics()  # type: ignore[no-untyped-call]

_MOST_FINDING_SERIES = 600
_MOST_RECIPIENT_SERIES = 400
_EXPECTED_ITEMS = ("judged",)
_EXPECTED_LETTERS = tuple(reason.value for reason in Reason)


class Metrics:
    """The metrics of one worker process."""

    def __init__(self, registry: CollectorRegistry, *, version: str) -> None:
        self.events = Counter(
            "privacy_monitor_events",
            "Records read, by source topic and class of the accounting. A flat line while traffic flows: we are blind.",
            ["topic", "outcome"],
            registry=registry,
        )
        self.items = Counter(
            "privacy_monitor_items",
            "Items inside records: judged, unknown (a fact is missing, by reason) or rejected. "
            "A falling share of judged means that less of the traffic can be spoken for.",
            ["topic", "outcome"],
            registry=registry,
        )
        self.findings = Counter(
            "privacy_findings",
            "Findings by mode: live, shadow, or exempt (an exception covers it, nobody is called). "
            "A rise of live ones is a new or growing violation.",
            ["detector", "rule", "severity", "jurisdiction", "verdict", "mode"],
            registry=registry,
        )
        self.recipients = Counter(
            "privacy_recipient_findings",
            "Findings by known recipient; `other` is every recipient that the list of recipients does not name.",
            ["detector", "recipient", "verdict"],
            registry=registry,
        )
        self.gaps = Counter(
            "privacy_gaps",
            "Assessments that lacked a fact, by detector and reason. A rise is lost signals, not lost rights.",
            ["detector", "reason"],
            registry=registry,
        )
        self.bulk_flows = Counter(
            "privacy_bulk_flows",
            "Flows of data whose persons a law counts over twelve months, by kind of data. `nobody`: the record names no person, "
            "so nobody was counted, and the threshold may be passed unseen.",
            ["kind", "counted"],
            registry=registry,
        )
        self.dead_letters = Counter(
            "privacy_monitor_dead_letters",
            "Records or items that could not be read. A rise after a release is a changed format.",
            ["topic", "reason"],
            registry=registry,
        )
        self.expired = Counter(
            "privacy_monitor_expired_records",
            "Offsets that retention removed before they were read. Any at all: nobody will ever know what was in them.",
            ["topic"],
            registry=registry,
        )
        self.void_offsets = Counter(
            "privacy_monitor_void_offsets",
            "Times that offsets turned out to be those of another log: a topic was created anew, or a broker lost records. "
            "It is read from its beginning; what the earlier log held and was not read is gone.",
            ["topic"],
            registry=registry,
        )
        self.lost_access = Gauge(
            "privacy_monitor_lost_access",
            "1 while a topic, the group or the transactional id cannot be used: read-denied, write-denied or absent. "
            "The rest goes on; what is denied waits, and retention may take it.",
            ["kind", "name", "why"],
            registry=registry,
        )
        self.rule_seconds = Gauge(
            "privacy_monitor_rule_evaluation_seconds",
            "Time for one evaluation of a rule's condition, sampled every half minute on records that were just judged.",
            ["rule"],
            registry=registry,
        )
        self._newest: dict[str, int] = {}
        self.rule_fired = Gauge(
            "privacy_monitor_rule_last_fired_timestamp_seconds",
            "Event time of the newest finding of a rule since the worker started, whatever its mode. Absent: it has not "
            "found anything. Standing still while traffic flows: the rule may be broken, or its matter solved.",
            ["rule"],
            registry=registry,
        )
        self.rule_errors = Counter(
            "privacy_monitor_rule_errors",
            "Rules that failed on a flow: fix the rule, what it would have judged is counted as unknown.",
            ["rule"],
            registry=registry,
        )
        self.faults = Counter(
            "privacy_monitor_faults",
            "Errors of the monitor itself while judging an item. Any at all is a bug to report.",
            registry=registry,
        )
        self.failed_deliveries = Counter(
            "privacy_monitor_failed_deliveries",
            "Batches that could not be delivered and are read again.",
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "privacy_monitor_evaluation_seconds",
            "Time to judge one batch.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self.event_age = Histogram(
            "privacy_monitor_event_age_seconds",
            "From the broker's receipt of a record to its delivered verdict, of the oldest record in a batch.",
            buckets=(0.1, 0.25, 0.5, 1, 1.25, 1.5, 2, 3, 5, 10, 30, 60, 300, 3600),
            registry=registry,
        )
        self.lag_records = Gauge(
            "privacy_monitor_consumer_lag_records",
            "Records of the assigned partitions that were not judged yet, as of the last fetch.",
            ["topic"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "privacy_monitor_consumer_lag_seconds",
            "Age of the oldest record that was fetched and not judged yet (0 when all is judged). "
            "A rise: verdicts come late.",
            ["topic"],
            registry=registry,
        )
        self.last_event = Gauge(
            "privacy_monitor_last_event_timestamp_seconds",
            "Time of the newest event judged, by topic. Standing still: the topic is silent, or we are blind.",
            ["topic"],
            registry=registry,
        )
        self.ledger_ready = Gauge(
            "privacy_monitor_ledger_ready",
            "1 when the consent ledger spoke for the last batch, 0 when it was loading or behind.",
            registry=registry,
        )
        self.rules = Gauge(
            "privacy_monitor_rules_loaded_info", "The digest that judges now.", ["digest"], registry=registry
        )
        self.overflow = Counter(
            "privacy_monitor_series_overflow",
            "Findings counted under `other` because their metric shows as many series as it may. Findings themselves "
            "still name everything.",
            registry=registry,
        )
        self._finding_labels = Budget(_MOST_FINDING_SERIES, 3)
        self._recipient_labels = Budget(_MOST_RECIPIENT_SERIES, 1)
        self.reloads = Counter(
            "privacy_monitor_reload",
            "Times that changed files were loaded: loaded, unchanged, or broken. "
            "Any broken: somebody's change does not judge; the log says what is wrong, the last good rules go on.",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("loaded", "unchanged", "broken"):
            self.reloads.labels(outcome)
        self.reload_turn = Histogram(
            "privacy_monitor_reload_turn_seconds",
            "Of each reload the longest turn of the worker's loop meanwhile, and its first turn by what was loaded, waits for "
            "the broker left out. Long ones: a change of rules holds up the judging of traffic.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )
        build = Gauge("privacy_monitor_build_info", "The running version.", ["version"], registry=registry)
        build.labels(version).set(1)

    def expect(self, topics: Iterable[str]) -> None:
        """Show the series of the watched topics from the start: a rate needs the zero before the first record."""
        for topic in topics:
            self.events.labels(topic, "inspected")
            for outcome in _EXPECTED_ITEMS:
                self.items.labels(topic, outcome)
            for outcome in _EXPECTED_LETTERS:
                self.dead_letters.labels(topic, outcome)
            self.expired.labels(topic)
            self.lag_records.labels(topic)
            self.lag_seconds.labels(topic)

    def count(self, outcome: Outcome, *, jurisdictions: frozenset[str], recipients: Container[str] = ()) -> None:
        """Count one delivered batch. A place or recipient that is not among the known ones is `other`."""
        for (topic, kind), number in outcome.records.items():
            self.events.labels(topic, kind).inc(number)
        for (topic, kind), number in outcome.items.items():
            self.items.labels(topic, kind).inc(number)
        for (detector, reason), number in outcome.gaps.items():
            self.gaps.labels(detector, reason).inc(number)
        for (kind, counted), number in outcome.bulk_flows.items():
            self.bulk_flows.labels(kind, counted).inc(number)
        for letter in outcome.dead_letters:
            self.dead_letters.labels(letter.topic, letter.reason).inc()
        for fault in outcome.faults:
            if fault.rule:
                self.rule_errors.labels(fault.rule).inc()
            else:
                self.faults.inc()
        for topic, at_ms in outcome.last_event_ms.items():
            self.last_event.labels(topic).set(at_ms / 1000)
        self._findings(outcome.findings, jurisdictions, recipients)

    def _findings(self, findings: Iterable[Finding], jurisdictions: frozenset[str], recipients: Container[str]) -> None:
        before = self._finding_labels.overflows + self._recipient_labels.overflows
        newest: dict[str, int] = {}
        for finding in findings:
            detector, verdict = finding.detector.value, finding.verdict.value
            recipient = finding.recipient if finding.recipient in recipients else OTHER
            self.recipients.labels(*self._recipient_labels(detector, recipient, verdict)).inc()
            place = finding.jurisdiction if finding.jurisdiction in jurisdictions else OTHER
            mode = "exempt" if finding.exemption and finding.mode is Mode.LIVE else finding.mode.value
            self.findings.labels(
                *self._finding_labels(detector, finding.rule, finding.severity.value, place, verdict, mode)
            ).inc()
            newest[finding.rule] = max(finding.at_ms, newest.get(finding.rule, 0))
        for rule, at_ms in newest.items():
            self._newest[rule] = max(at_ms, self._newest.get(rule, 0))
            self.rule_fired.labels(rule).set(self._newest[rule] / 1000)
        after = self._finding_labels.overflows + self._recipient_labels.overflows
        if after > before:
            self.overflow.inc(after - before)

    def rule_costs(self, seconds: Mapping[str, float]) -> None:
        """Tell what one evaluation of each rule took. Rules that are no more are shown no more."""
        if not seconds:
            return
        self.rule_seconds.clear()
        for rule, each in seconds.items():
            self.rule_seconds.labels(rule).set(each)

    def judges_by(self, bundle: str) -> None:
        """Tell which knowledge judges now."""
        self.rules.clear()
        self.rules.labels(bundle).set(1)

    def lag(self, ends: dict[Place, int], positions: dict[Place, int], topics: Iterable[str]) -> None:
        """Tell how far behind the assigned partitions are."""
        behind = dict.fromkeys(topics, 0)
        for place, end in ends.items():
            behind[place[0]] = behind.get(place[0], 0) + max(0, end - positions.get(place, end))
        for topic, records in behind.items():
            self.lag_records.labels(topic).set(records)

    def oldest(self, ages_seconds: Mapping[str, float]) -> None:
        """Tell the age of the oldest record that waits for its verdict, by topic; 0 where none waits."""
        for topic, age in ages_seconds.items():
            self.lag_seconds.labels(topic).set(age)


class LedgerMetrics:
    """The metrics of the ledger process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter(
            "privacy_monitor_ledger_records",
            "Consent records by what became of them: applied, rejected, late (also applied).",
            ["outcome"],
            registry=registry,
        )
        self.links = Counter(
            "privacy_monitor_ledger_links",
            "Links between identifiers: new, or overflowed (a subject got more than are followed, so none of its are). "
            "Overflow is a shared identifier (a test account, a literal `null`), or somebody who forges events.",
            ["outcome"],
            registry=registry,
        )
        self.rebuilds = Counter(
            "privacy_monitor_ledger_rebuilds",
            "Times that the ledger's file was set aside and its topics were read anew, by what was wrong with it.",
            ["reason"],
            registry=registry,
        )
        self.disk_full = Gauge(
            "privacy_monitor_ledger_disk_full",
            "1 while the ledger cannot be written for want of room on its disk. Verdicts become unknown meanwhile.",
            registry=registry,
        )
        self.subjects = Gauge("privacy_monitor_ledger_subjects", "Subjects in the ledger.", registry=registry)
        self.fresh = Gauge(
            "privacy_monitor_ledger_fresh_timestamp_seconds",
            "Moment up to which all consent has been read. Behind the present by more than settle_seconds: verdicts are unknown.",
            registry=registry,
        )
