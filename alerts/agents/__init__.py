"""Agents that are shipped, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from alerts.agent import FindingsApp
from alerts.agents.hourly import hourly

AGENTS: Mapping[str, Callable[[FindingsApp], None]] = MappingProxyType({"hourly": hourly})
