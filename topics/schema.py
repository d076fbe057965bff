"""JSON Schemas of the records on our topics, and the AsyncAPI document that names them. Made from the types. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from topics.accounting import Accounting, DeadLetter
from topics.alert import Alert
from topics.bundle import Bundle
from topics.canary import Canary
from topics.catalog import (
    ACCOUNTING,
    ALERTS,
    CANARY,
    CATALOG,
    CONSENT,
    DEAD_LETTERS,
    FINDINGS,
    LINEAGES,
    LINKS,
    RULES,
    SHADOW,
    TRIAGE,
    VOLUMES,
)
from topics.consent import ConsentRecord
from topics.finding import Fold
from topics.lineage import Lineage
from topics.links import LinkRecord
from topics.triage import Declaration
from topics.volume import Volume

RECORDS: Mapping[str, type[msgspec.Struct]] = {
    CONSENT.name: ConsentRecord,
    LINKS.name: LinkRecord,
    FINDINGS.name: Fold,
    SHADOW.name: Fold,
    ALERTS.name: Alert,
    VOLUMES.name: Volume,
    DEAD_LETTERS.name: DeadLetter,
    ACCOUNTING.name: Accounting,
    CANARY.name: Canary,
    RULES.name: Bundle,
    TRIAGE.name: Declaration,
    LINEAGES.name: Lineage,
}
"""What a record of each topic is."""
_WRITTEN_BY_OTHERS = frozenset({CONSENT.name})


def json_schema(topic: str) -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a topic's records. Raises KeyError for a topic that is not ours."""
    record = RECORDS[topic]
    (_,), definitions = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    schema = definitions.pop(record.__name__)
    name = schema["properties"].get("schema")
    if name is not None:
        # Shadow findings have the shape and the name of findings.
        schema["properties"]["schema"] = {"const": name["default"], "default": name["default"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:streaming-privacy-monitor:{topic}",
        **schema,
        **({"$defs": definitions} if definitions else {}),
    }


def asyncapi(version: str) -> dict[str, Any]:
    """Give the AsyncAPI 3.0 document of all topics; messages refer to the schemas in files beside it."""
    channels, operations, messages = {}, {}, {}
    for topic in CATALOG:
        record = RECORDS[topic.name].__name__
        address = _identifier(topic.name)
        messages[address] = {
            "name": record,
            "title": topic.holds,
            "contentType": "application/json",
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": f"./{topic.name}.json"},
            },
            "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}}},
        }
        channels[address] = {
            "address": topic.name,
            "title": topic.holds,
            "messages": {record: {"$ref": f"#/components/messages/{address}"}},
            "bindings": {
                "kafka": {
                    "topicConfiguration": {
                        "cleanup.policy": topic.cleanup.value.split(","),
                        "retention.ms": topic.retention_ms,
                    }
                }
            },
        }
        action = "receive" if topic.name in _WRITTEN_BY_OTHERS else "send"
        operations[f"{action}_{address}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{address}"},
            "messages": [{"$ref": f"#/channels/{address}/messages/{record}"}],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Streaming privacy monitor",
            "version": version,
            "description": "The monitor's own topics. Records of privacy.alerts.v1 carry CloudEvents 1.0 headers.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def _identifier(topic: str) -> str:
    return topic.replace(".", "_")
