"""Assessments and rules to findings. All rules are asked; the first that holds does not silence the others."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from detectors.assessment import Assessment
from detectors.rules.model import is_named
from detectors.rules.plan import Rule, candidates
from detectors.rules.ruleset import RuleSet
from detectors.rules.values import EvaluationError, FaultKind
from topics.finding import Basis, Detector, Finding, Mode, Severity, Verdict
from topics.sanitise import sanitise, sanitise_path

MAX_FIELDS = 20
"""Field paths in a finding, at most."""


class RecordPlace(NamedTuple):
    """Where the judged record stands."""

    cluster: str
    topic: str
    partition: int
    offset: int


class RuleError(NamedTuple):
    """A rule that failed on an assessment. Holds nothing of the record."""

    rule: str
    version: str
    kind: FaultKind


def judge(
    assessments: Sequence[Assessment], ruleset: RuleSet, record: RecordPlace, bundle: str
) -> tuple[list[Finding], list[RuleError]]:
    """Ask the rules of its detector about each assessment of one record: findings by assessment, then by rule id.

    A rule that fails gives an error and no finding; the others are not affected. Equal arguments give equal findings.
    """
    findings: list[Finding] = []
    errors: list[RuleError] = []
    plans = ruleset.plans
    for facts in assessments:
        for rule, holds in candidates(plans[facts.detector], facts):
            try:
                if holds(facts):
                    findings.append(_finding(rule, facts, _severity(rule, facts), record, bundle))
            except EvaluationError as fault:
                errors.append(RuleError(rule.written.id, rule.written.version, fault.kind))
            except Exception:  # noqa: BLE001 - one rule must not stop the stream; counted as a fault of ours
                errors.append(RuleError(rule.written.id, rule.written.version, FaultKind.INTERNAL))
    return findings, errors


def finding_id(record: RecordPlace, detector: Detector, rule: str, item: int, location: str) -> str:
    """Give the identity of a finding, 32 hex digits: the same for every reading of the record."""
    place = (record.cluster, record.topic, str(record.partition), str(record.offset))
    return _hashed(*place, detector.value, location, str(item), rule)


@lru_cache(maxsize=8192)
def episode_key(rule: str, major: str, values: tuple[str, ...]) -> str:
    """Give the key that findings of one episode share, 32 hex digits: rule, its major version, values of `group_by`."""
    return _hashed(rule, major, *values)


def is_live_share(key: str, percent: int) -> bool:
    """Say whether an episode belongs to the live share of its rule. A higher share holds all episodes of a lower one."""
    return percent >= 100 or int(key[:8], 16) % 100 < percent


def _hashed(*parts: str) -> str:
    # The length before each part keeps ("a", "bc") apart from ("ab", "c").
    text = "".join([f"{len(part)}:{part}" for part in parts])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _severity(rule: Rule, facts: Assessment) -> Severity:
    for condition, severity in rule.severities:
        if condition.holds(facts):
            return severity
    return rule.written.severity


def _finding(rule: Rule, facts: Assessment, severity: Severity, record: RecordPlace, bundle: str) -> Finding:
    written, flow, law = rule.written, facts.flow, facts.law
    duties = _duties(written.law, law.duties)
    basis = _basis(law.basis, written.law, duties)
    entails = basis is Basis.LAW and written.verdict is Verdict.VIOLATION
    group = tuple([(path, _group_value(get(facts))) for path, get in rule.groups])
    concerned = _concerned(rule, facts)
    key = episode_key(written.id, rule.major, tuple([value for _path, value in group]))
    return Finding(
        finding_id=finding_id(record, facts.detector, written.id, flow.item, flow.location),
        detector=facts.detector,
        rule=written.id,
        rule_version=written.version,
        verdict=written.verdict,
        severity=severity,
        mode=written.mode if is_live_share(key, rule.live_percent) else Mode.SHADOW,
        basis=basis,
        why=rule.why(facts),
        jurisdiction=law.jurisdiction,
        law=duties,
        recipient=sanitise(flow.recipient),
        service=sanitise(flow.service),
        purpose=flow.purpose,
        step=flow.step.value,
        categories=_categories(facts, concerned),
        fields=_paths(facts, concerned),
        subject=flow.subjects[0] if flow.subjects else "",
        at_ms=flow.at_ms,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        item=flow.item,
        location=sanitise_path(flow.location),
        proof=_proof(facts, concerned),
        group=group,
        episode_key=key,
        bundle=bundle,
        exposure=law.exposure if entails else (),
        threshold=rule.threshold,
        windows=rule.windows,
        runbook=written.runbook,
    )


def _group_value(value: str | bool) -> str:  # noqa: FBT001 - a value of a name, not a switch
    if isinstance(value, bool):
        return "true" if value else "false"
    return sanitise(value)


def _basis(of_law: Basis, named: tuple[str, ...], duties: tuple[str, ...]) -> Basis:
    """Say whether a duty that the rule is about is in force. Other duties of the same law are no ground."""
    if not named:
        return of_law
    return Basis.LAW if duties else Basis.POLICY


@lru_cache(maxsize=4096)
def _duties(named: tuple[str, ...], in_force: tuple[str, ...]) -> tuple[str, ...]:
    """Give the duties in force that the rule is about; all in force when it names none. Never one not in force."""
    if not named:
        return in_force
    return tuple([duty for duty in in_force if any(is_named(duty, each) for each in named)])


_EXCESS = ("unneeded", "prohibited")
_LISTS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("unneeded", "early", "sensitive", "prohibited"), _EXCESS),
    **{each: (each,) for each in ("undecided", "unproved", "appeared")},
    "appeared_sensitive": ("appeared",),
}
"""Names of the checkout's facts that are lists of categories, and the lists that a rule on them is about."""


@lru_cache(maxsize=1024)
def _lists(condition: str) -> tuple[str, ...]:
    """Give the lists of categories that a condition is about; all of them where it names none."""
    named = [name for name in _LISTS if re.search(rf"\bcheckout\.{name}\b", condition)] or list(_LISTS)
    return tuple(dict.fromkeys(each for name in named for each in _LISTS[name]))


def _concerned(rule: Rule, facts: Assessment) -> frozenset[str]:
    """Give the categories of a checkout that a rule is about: a finding of one kind does not tell of another's."""
    if facts.detector is not Detector.CHECKOUT_OVER_COLLECTION:
        return frozenset()
    return frozenset([each for name in _lists(rule.when.text) for each in getattr(facts.checkout, name)])


def _categories(facts: Assessment, concerned: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(concerned)) if concerned else facts.flow.categories


def _paths(facts: Assessment, concerned: frozenset[str]) -> tuple[str, ...]:
    paths: tuple[str, ...]
    if facts.detector is Detector.CHECKOUT_OVER_COLLECTION:
        told = {field.path for field in facts.flow.fields if field.category in concerned}
        paths = tuple([path for path in facts.checkout.paths if path in told or not told])
    else:
        paths = tuple([field.path for field in facts.flow.fields])
    return tuple([sanitise_path(path) for path in paths[:MAX_FIELDS]])


def _proof(facts: Assessment, concerned: frozenset[str]) -> tuple[tuple[str, str], ...]:
    flow = facts.flow
    pairs: list[tuple[str, str]]
    if facts.detector is Detector.UNCONSENTED_TRACKING:
        consent = facts.consent
        pairs = [("signal", consent.signal), ("path", consent.path), ("reason", consent.reason)]
        pairs += [("conflict", conflict) for conflict in consent.conflicts]
        pairs += [("remark", remark) for remark in consent.remarks]
        pairs += [("carries", kind) for kind in sorted({each.kind for each in flow.signals}) or ("none",)]
        if consent.seconds_since_refusal >= 0:
            pairs.append(("seconds-since-refusal", str(consent.seconds_since_refusal)))
            if consent.refused_by_signal:
                pairs.append(("refused-by", "signal"))
    elif facts.detector is Detector.CROSS_JURISDICTION_TRANSFER:
        transfer = facts.transfer
        pairs = [
            ("status", transfer.status.value),
            ("origin", transfer.origin),
            ("destination", transfer.destination),
            ("regime", transfer.regime),
            ("mechanism", transfer.mechanism),
            ("register", transfer.entry),
            ("expired-on", transfer.expired_on),
            ("expires-on", transfer.expires_on),
            ("reason", transfer.reason),
            *(("bulk", each) for each in transfer.bulk),
        ]
        if transfer.onward_destination:
            pairs += [("onward", transfer.onward.value), ("onward-destination", transfer.onward_destination)]
            pairs.append(("onward-reason", transfer.onward_reason))
    elif facts.detector is Detector.UNDOCUMENTED_RECIPIENT:
        agreement = facts.agreement
        pairs = [
            ("status", agreement.status.value),
            ("host", flow.recipient_host),
            ("register", agreement.entry),
            ("expired-on", agreement.expired_on),
            ("reason", agreement.reason),
            *(("uncovered", each) for each in agreement.uncovered),
        ]
    else:
        found = facts.checkout
        pairs = [("step", found.step), ("endpoint", found.endpoint), *(("goods", each) for each in found.goods)]
        pairs += [("sensitive", each) for each in found.sensitive]
        pairs += [("early", each) for each in found.early]
    if flow.origin_conflict:
        rival = flow.origin_rival
        pairs += [("origin-source", flow.origin.source), ("origin-rival", rival.subdivision or rival.country)]
        pairs += [("origin-rival-source", rival.source)]
    pairs += [("recipient-proof", flow.proof), ("recipient-path", flow.proof_path)]
    pairs.append(("route", flow.route.value))
    told = [(name, sanitise_path(value)) for name, value in pairs if value]
    for category, reason, enough in facts.checkout.evidence:
        if category in concerned:
            # Sentences that people wrote into the need table, and nothing of the record.
            told += [("excess", category), ("because", reason), ("enough", enough)]
    return tuple(told)
