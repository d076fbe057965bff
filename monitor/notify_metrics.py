"""The metrics of `privacy-monitor notify`. The label `sink` holds configured names only."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class NotifyMetrics:
    """The metrics of the one process that notifies."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.alerts = Counter(
            "privacy_notify_alerts",
            "Alerts by what became of them: kept (spooled), folded (a newer one of its episode speaks for it), "
            "stale (known already), delivered.",
            ["sink", "outcome"],
            registry=registry,
        )
        self.requests = Counter(
            "privacy_notify_requests",
            "Requests by outcome: delivered, busy (429), refused (another 4xx, or a redirect), failed (5xx or no answer). "
            "What was not delivered is tried again.",
            ["sink", "outcome"],
            registry=registry,
        )
        self.waiting = Gauge(
            "privacy_notify_waiting", "Notifications in the spool that may be sent.", ["sink"], registry=registry
        )
        self.held = Gauge(
            "privacy_notify_held",
            "Notifications that are held for the end of quiet hours or the next digest.",
            ["sink"],
            registry=registry,
        )
        self.oldest = Gauge(
            "privacy_notify_oldest_waiting_seconds",
            "How long the oldest notification has waited since it might be sent; 0 when none may. A rise: the target takes nothing.",
            ["sink"],
            registry=registry,
        )
        self.unreadable = Counter(
            "privacy_notify_unreadable_alerts",
            "Records of the alerts topic that are no alert. Any at all: somebody else writes there.",
            registry=registry,
        )
