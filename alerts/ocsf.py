"""Alerts as OCSF 1.8 Compliance Findings (class 2003). Pure.

Source: schema.ocsf.io, version 1.8.0, classes/compliance_finding. A gap is no failed control: its status is unknown.
"""

from typing import Any

from topics.alert import Alert, Change, EpisodeState
from topics.finding import Finding, Severity, Verdict

VERSION = "1.8.0"
_CATEGORY, _CLASS = 2, 2003
_SEVERITIES = {
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_NEW, _IN_PROGRESS, _RESOLVED = (1, "New"), (2, "In Progress"), (4, "Resolved")
_SUPPRESSED = (3, "Suppressed")
_ACCEPTED = (2, "Warning")
"""Of the control, where somebody answers for it by an exception."""
_CONTROL = {Verdict.VIOLATION: (3, "Fail"), Verdict.GAP: (0, "Unknown")}


def compliance_finding(alert: Alert, product_version: str) -> dict[str, Any]:
    """Give the event of one alert. `finding_info.uid` is the episode key, which all alerts of a problem share."""
    severity_id, severity = _SEVERITIES[alert.severity]
    activity_id, activity = _activity(alert)
    status_id, status = _status(alert)
    control_id, control = _ACCEPTED if alert.exemption else _CONTROL[alert.verdict]
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity_id,
        "type_name": f"Compliance Finding: {activity}",
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "time": alert.at_ms,
        "start_time": alert.first_at_ms,
        "end_time": alert.last_at_ms,
        "count": alert.findings,
        "message": alert.why,
        "metadata": {
            "version": VERSION,
            "uid": alert.alert_id,
            "product": {
                "name": "streaming-privacy-monitor",
                "vendor_name": "streaming-privacy-monitor",
                "version": product_version,
            },
        },
        "finding_info": {
            "uid": alert.episode_key,
            "uid_alt": alert.episode_id,
            "title": alert.why,
            "types": [alert.detector.value],
            "created_time": alert.opened_at_ms,
            "modified_time": alert.at_ms,
            "first_seen_time": alert.first_at_ms,
            "last_seen_time": alert.last_at_ms,
            "related_events_count": alert.findings,
            "analytic": {"type_id": 1, "type": "Rule", "uid": alert.rule, "version": alert.rule_version},
        },
        "compliance": {
            "control": alert.rule,
            "category": alert.detector.value,
            "standards": list(alert.law) or [alert.basis.value],
            "requirements": list(alert.law),
            "status_id": control_id,
            "status": control,
        },
        "evidences": [_evidence(each) for each in alert.exemplars],
        "unmapped": {
            "audience": alert.audience.value,
            "basis": alert.basis.value,
            "jurisdiction": alert.jurisdiction,
            "recipient": alert.recipient,
            "services": list(alert.services),
            "purposes": list(alert.purposes),
            "categories": list(alert.categories),
            "exposure": list(alert.exposure),
            "subjects": alert.subjects,
            "subjects_exact": alert.subjects_exact,
            "bundle": alert.bundle,
            "exemption": alert.exemption,
            "runbook": alert.runbook,
            "due": [{"duty": each.duty, "due_at": each.due_at_ms, "waits_for": each.waits_for} for each in alert.due],
            "hints": list(alert.hints),
            "related": [each.episode_key for each in alert.related],
        },
    }


def _evidence(finding: Finding) -> dict[str, Any]:
    return {
        "uid": finding.finding_id,
        "name": finding.rule,
        "data": {
            "topic": finding.topic,
            "partition": finding.partition,
            "offset": finding.offset,
            "item": finding.item,
            "fields": list(finding.fields),
            "categories": list(finding.categories),
            "proof": dict(finding.proof),
        },
    }


def _activity(alert: Alert) -> tuple[int, str]:
    if alert.change is Change.OPENED:
        return _CREATE
    return _CLOSE if alert.change is Change.RESOLVED else _UPDATE


def _status(alert: Alert) -> tuple[int, str]:
    if alert.exemption:
        return _SUPPRESSED
    if alert.state is EpisodeState.RESOLVED:
        return _RESOLVED
    return _NEW if alert.change is Change.OPENED else _IN_PROGRESS
