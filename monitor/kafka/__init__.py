"""Kafka at the edge: the only package that imports confluent_kafka."""

from monitor.kafka.admin import Cluster, check_settings, create_topics, describe, is_compacted, require_topics
from monitor.kafka.companion import Companion
from monitor.kafka.connection import CommitFailed, DeliveryFailed, Denied, KafkaProblem, Settings, explain
from monitor.kafka.log_reader import FETCH_AGE_MS, LogReader
from monitor.kafka.range_reader import RangeReader
from monitor.kafka.reader import Reader
from monitor.kafka.span_reader import SpanReader
from monitor.kafka.table_reader import TableReader
from monitor.kafka.writer import Delivered, Writer

__all__ = [
    "FETCH_AGE_MS",
    "Cluster",
    "CommitFailed",
    "Companion",
    "Delivered",
    "DeliveryFailed",
    "Denied",
    "KafkaProblem",
    "LogReader",
    "RangeReader",
    "Reader",
    "Settings",
    "SpanReader",
    "TableReader",
    "Writer",
    "check_settings",
    "create_topics",
    "describe",
    "explain",
    "is_compacted",
    "require_topics",
]
