"""Kafka at the edge: the only package that imports confluent_kafka."""

from monitor.kafka.admin import Cluster, check_settings, create_topics, describe, is_compacted, require_topics
from monitor.kafka.connection import DeliveryFailed, Denied, KafkaProblem, Settings, explain
from monitor.kafka.log_reader import FETCH_AGE_MS, LogReader
from monitor.kafka.range_reader import RangeReader
from monitor.kafka.reader import Reader
from monitor.kafka.span_reader import SpanReader
from monitor.kafka.writer import Delivered, Outgoing, Writer

__all__ = [
    "FETCH_AGE_MS",
    "Cluster",
    "Delivered",
    "DeliveryFailed",
    "Denied",
    "KafkaProblem",
    "LogReader",
    "Outgoing",
    "RangeReader",
    "Reader",
    "Settings",
    "SpanReader",
    "Writer",
    "check_settings",
    "create_topics",
    "describe",
    "explain",
    "is_compacted",
    "require_topics",
]
