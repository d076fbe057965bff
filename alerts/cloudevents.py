"""CloudEvents 1.0 in the headers of a Kafka record (binary mode): written by hand, read back in tests by the SDK."""

from datetime import UTC, datetime

from topics.alert import Alert

SOURCE = "/streaming-privacy-monitor/alerts"
TYPE_PREFIX = "privacy.alert."


def headers(alert: Alert) -> list[tuple[str, bytes]]:
    """Give the record headers of an alert. The names are those of the Kafka protocol binding of CloudEvents 1.0.2."""
    at = datetime.fromtimestamp(alert.at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", alert.alert_id.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_type", f"{TYPE_PREFIX}{alert.change.value}".encode()),
        ("ce_time", at.encode()),
        ("ce_subject", alert.episode_id.encode()),
        ("ce_partitionkey", alert.episode_key.encode()),
        ("content-type", b"application/json"),
    ]
