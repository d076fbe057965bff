"""What a sink sends: alerts as the body and headers of one request. Pure."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from alerts.text import Links, plain, told
from topics.alert import Alert, Change, EpisodeState
from topics.finding import Severity

_SEVERITIES = {
    Severity.LOW: "info",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "warning",
    Severity.CRITICAL: "critical",
}
"""Our severities in the words of Prometheus alerts."""


class Request(msgspec.Struct, frozen=True):
    """Body and headers of one request."""

    body: bytes
    headers: Mapping[str, str]


class Form(Protocol):
    """How a kind of sink writes alerts."""

    @property
    def most(self) -> int:
        """Alerts that one request can hold; 0: as many as the limits say."""

    @property
    def digests(self) -> bool:
        """Whether many alerts can be one message."""

    def request(self, alerts: Sequence[Alert], folded: int, now_ms: int, *, is_digest: bool = False) -> Request | None:
        """Write some alerts, oldest first; None where they are nothing to tell this kind of target.

        `folded`: how many older ones they speak for beside themselves. `is_digest`: they were gathered over a time.
        """


class SignedWebhook:
    """A webhook in the form of the Standard Webhooks specification 1.0 (standardwebhooks.com), symmetric signatures.

    Signed is `id.timestamp.body` by HMAC-SHA256; the id follows from the alerts, so that one told twice has one id.
    """

    most = 0
    digests = True

    def __init__(self, secret: bytes, links: Links | None = None) -> None:
        self._secret = secret
        self._links = links or Links()

    def request(self, alerts: Sequence[Alert], folded: int, now_ms: int, *, is_digest: bool = False) -> Request:
        body = msgspec.json.encode(
            {
                "schema": "privacy.notification.v1",
                "folded": folded,
                "digest": is_digest,
                "alerts": alerts,
                "texts": [plain(told(alert, self._links)) for alert in alerts],
            },
            order="deterministic",
        )
        identifier = hashlib.sha256("\n".join(alert.alert_id for alert in alerts).encode()).hexdigest()[:32]
        moment = str(now_ms // 1000)
        signed = hmac.new(self._secret, f"{identifier}.{moment}.".encode() + body, hashlib.sha256).digest()
        return Request(
            body,
            {
                "webhook-id": identifier,
                "webhook-timestamp": moment,
                "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
            },
        )


class Alertmanager:
    """Alertmanager's API v2 (`POST /api/v2/alerts`): an episode is one alert, which ends when the episode does."""

    most = 0
    digests = False

    def __init__(self, hold_seconds: float, links: Links | None = None) -> None:
        """`hold_seconds`: how long an alert fires without news; longer than an episode needs to resolve.

        Where a rule gives its episodes more time, they are held by that.
        """
        self._hold_ms = int(hold_seconds * 1000)
        self._links = links or Links()

    def request(self, alerts: Sequence[Alert], folded: int, now_ms: int, *, is_digest: bool = False) -> Request:
        del folded, is_digest  # the counts in the annotations are those of the whole episode
        # Of several changes of one episode the last is its state; Alertmanager keeps states only.
        newest = {alert.episode_id: alert for alert in alerts}
        return Request(msgspec.json.encode([self._alert(alert, now_ms) for alert in newest.values()]), {})

    def _alert(self, alert: Alert, now_ms: int) -> dict[str, Any]:
        over = alert.state is EpisodeState.RESOLVED or alert.change is Change.RESOLVED
        start_ms = min(alert.opened_at_ms, now_ms)
        end_ms = now_ms if over else now_ms + max(self._hold_ms, _hold_ms(alert))
        return {
            "labels": {
                "alertname": "PrivacyEpisode",
                "episode": alert.episode_id,
                "detector": alert.detector.value,
                "rule": alert.rule,
                "verdict": alert.verdict.value,
                "severity": _SEVERITIES[alert.severity],
                "audience": alert.audience.value,
                "jurisdiction": alert.jurisdiction or "none",
                "recipient": alert.recipient or "none",
            },
            "annotations": {
                "summary": alert.why,
                "description": f"{alert.findings} findings since {_moment(alert.first_at_ms)}, "
                f"the last at {_moment(alert.last_at_ms)}.",
                "runbook_url": self._links.runbook(alert),
                **{label: text for label, text in told(alert, self._links) if label != "what"},
            },
            "startsAt": _moment(start_ms),
            "endsAt": _moment(end_ms),
        }


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hold_ms(alert: Alert) -> int:
    """Give how long the rule itself lets an episode live without news, and an hour."""
    windows = alert.windows
    return 0 if windows is None else ((windows.quiet or 0) + (windows.resolve or 0) + 3_600) * 1000
