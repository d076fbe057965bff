"""A sink whose thread fails does not fail alone, nor with what it read in its text."""

import sqlite3
import threading
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from alerts.sinks.spool import Spool
from monitor.files import read_config
from monitor.notify import sent_until_stopped
from monitor.notify_metrics import NotifyMetrics
from monitor.sinks import checked_sinks
from tests.alerts.test_every_sink import OPENED
from tests.monitor.test_notify_config import sink, write


def test_a_sink_that_cannot_go_on_says_so_without_what_it_read(tmp_path: Path) -> None:
    file = write(tmp_path, sink("hook"))
    _, (hook,) = checked_sinks(read_config(file), file)
    path = tmp_path / "spool"
    with Spool(path) as spool:
        hook.over(spool).take([OPENED], time.time_ns() // 1_000_000)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE waiting SET value = ?", (b'{"episode_key": "jane@example.com"',))
    failure = sent_until_stopped(hook, path, NotifyMetrics(CollectorRegistry()), threading.Event())
    assert failure == "the sink hook ended by DecodeError"
