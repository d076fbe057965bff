"""The record of an alert is a CloudEvent that the SDK reads."""

import msgspec
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat

from alerts.cloudevents import headers
from alerts.episodes import Policy, step
from tests.alerts.traffic import START_MS, Seen, fold


def test_the_sdk_reads_the_headers_and_the_alert_back() -> None:
    one = Seen(key="k", partition=0, offset=3, at_ms=START_MS, count=1, subject="s")
    _, (alert,) = step(None, fold([one]), START_MS + 123, Policy())
    value = msgspec.json.encode(alert)
    event = from_binary_event(KafkaMessage(headers=dict(headers(alert)), key=b"k", value=value), JSONFormat())
    attributes = event.get_attributes()
    assert attributes["time"].timestamp() * 1000 == START_MS + 123
    assert {name: attributes[name] for name in attributes if name != "time"} == {
        "specversion": "1.0",
        "id": alert.alert_id,
        "source": "/streaming-privacy-monitor/alerts",
        "type": "privacy.alert.opened",
        "subject": alert.episode_id,
        "partitionkey": "k",
        "datacontenttype": "application/json",
    }
    assert msgspec.convert(event.get_data(), type(alert)) == alert
