"""The newest alert of each episode key, read from the topic or from a file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from monitor.kafka import LogReader
from monitor.kafka.connection import KafkaProblem, Settings
from topics.alert import Alert
from topics.catalog import ALERTS
from topics.sanitise import printable

_DECODER = msgspec.json.Decoder(Alert)
_LONGEST = 65_536
"""Bytes of an alert that the alert plane writes itself, at most: names are bounded, and so is how many there are."""
_MOST_TEXT = 2_000
_SILENCE = 50
"""Empty polls in a row (0.2 s each) after which a broker that shows no end is given up."""


class AlertFileProblem(Exception):
    """A file of alerts that cannot be read; the text says where."""


def newest(alerts: Iterable[Alert]) -> list[Alert]:
    """Keep the last alert of each episode key, ordered by when it was told."""
    last: dict[str, Alert] = {}
    for alert in alerts:
        last[alert.episode_key] = alert
    return sorted(last.values(), key=lambda alert: (alert.at_ms, alert.alert_id))


def from_topic(settings: Settings) -> Iterator[Alert]:
    """Read the alerts topic as far as it goes now. Records that are no alerts are passed over."""
    reader = LogReader(settings, [ALERTS.name])
    try:
        ends = reader.ends(queried=True)
        if ends is None:
            raise KafkaProblem("the broker does not say where the alerts topic ends")
        silent = 0
        while any(reader.reached.get(place, 0) < end for place, end in ends.items()):
            records = reader.poll(500, 0.2)
            silent = 0 if records else silent + 1
            if silent > _SILENCE:
                raise KafkaProblem("the alerts topic could not be read to its end")
            for record in records:
                alert = decode(record.value)
                if alert is not None:
                    yield alert
    finally:
        reader.close()


def from_file(path: Path) -> Iterator[Alert]:
    """Read JSON Lines of alerts. Raises AlertFileProblem, which names the line."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AlertFileProblem(f"{path}: cannot be read ({error.strerror})") from None
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        alert = decode(line)
        if alert is None:
            raise AlertFileProblem(f"{path}:{number}: is no record of {ALERTS.name}")
        yield alert


def decode(value: bytes | None) -> Alert | None:
    """Read one record of the alerts topic; None when it is no alert.

    Others may write to that topic too: what would move a cursor, turn the direction of writing or fill a screen is marked or
    cut here, before it comes to a terminal, a file or a sink.
    """
    try:
        alert = _DECODER.decode(value or b"")
        text = (value or b"").decode()
        if len(text) <= _LONGEST and "\\" not in text and text.isprintable():
            return alert
        return msgspec.convert(_marked(msgspec.to_builtins(alert)), Alert)
    except (ValueError, RecursionError):
        return None


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, _MOST_TEXT)
    if isinstance(value, dict):
        return {key: _marked(each) for key, each in value.items()}
    return [_marked(each) for each in value] if isinstance(value, list | tuple) else value
