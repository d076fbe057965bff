"""What PagerDuty is sent: Events API v2 (developer.pagerduty.com, "Send an Alert Event"), one event in each request. Pure.

An episode is one incident: its key is `dedup_key`, which is also the key of the Kafka record and the uid of the OCSF finding.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from alerts.clocks import running
from alerts.sinks.forms import Request
from alerts.text import Links, told
from topics.alert import Alert, Change, EpisodeState
from topics.finding import Severity, Verdict

ADDRESS = "https://events.pagerduty.com/v2/enqueue"
MOST_SUMMARY = 1024
"""Characters of a summary."""
MOST_KEY = 255
ROUTING_KEY = r"[A-Za-z0-9]{32}"
"""The form of an integration key."""

_SEVERITIES = {
    Severity.LOW: "info",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "critical",
}
_CLIENT = "streaming-privacy-monitor"


class PagerDuty:
    """The form of PagerDuty: trigger while there is something to do, resolve when it is over.

    There is no acknowledgement from here: nobody has done anything yet.
    """

    most = 1
    digests = False

    def __init__(self, routing_key: str, links: Links) -> None:
        self._routing_key = routing_key
        self._links = links

    def request(self, alerts: Sequence[Alert], folded: int, now_ms: int, *, is_digest: bool = False) -> Request | None:
        del now_ms, is_digest
        alert = alerts[-1]
        if alert.change is Change.QUIET and not folded:
            # Silence calls nobody, and would open again what somebody has closed.
            return None
        event: dict[str, Any] = {
            "routing_key": self._routing_key,
            "event_action": "resolve" if _is_over(alert) else "trigger",
            "dedup_key": alert.episode_key[:MOST_KEY],
        }
        if not _is_over(alert):
            event |= {"client": _CLIENT, "payload": self._payload(alert), "links": self._where(alert)}
        return Request(msgspec.json.encode(event), {})

    def _payload(self, alert: Alert) -> dict[str, Any]:
        return {
            "summary": alert.why[:MOST_SUMMARY],
            "source": (alert.services[0] if alert.services else alert.recipient) or _CLIENT,
            "severity": "info" if alert.verdict is Verdict.GAP else _SEVERITIES[alert.severity],
            "timestamp": _moment(alert.last_at_ms),
            "component": alert.recipient or "unknown",
            "group": alert.jurisdiction or "unknown",
            "class": alert.rule,
            "custom_details": dict(told(alert, self._links)),
        }

    def _where(self, alert: Alert) -> list[dict[str, str]]:
        page = self._links.runbook(alert)
        return [{"href": page, "text": "Runbook"}] if page.startswith("https://") else []


def _is_over(alert: Alert) -> bool:
    """Say whether nothing is left to do: a declared breach has to be told although its flow has stopped."""
    return alert.state is EpisodeState.RESOLVED and not running(alert.due)


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
