"""Schemas of Kubernetes and of the operators, and an object's mistakes against them: unknown keys are mistakes too."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import kubernetes_validate

VERSIONS = ("1.29", "1.37")
"""The oldest Kubernetes with native sidecars switched on, and the newest that the schemas know."""


def mistakes(thing: Mapping[str, Any]) -> list[str]:
    """Give what is wrong with an object by the schema of its kind."""
    kind = f"{thing['apiVersion']}/{thing['kind']}"
    if kind not in _OPERATORS:
        return [f"{kind} {version}: {each}" for version in VERSIONS for each in _core(thing, version)]
    return [f"{kind}: {each.instance_path} {each.message}" for each in _operator(kind).iter_errors(thing)]


def _core(thing: Mapping[str, Any], version: str) -> Iterator[str]:
    try:
        kubernetes_validate.validate(thing, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


@cache
def _operator(kind: str) -> Any:
    return jsonschema_rs.validator_for(_OPERATORS[kind]())


def _closed(schema: Any) -> Any:
    """Refuse unknown keys, as the API server does not: it drops them, and with them what was meant."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    result = {key: _closed(value) for key, value in schema.items()}
    if "properties" in result and result.get("type") == "object":
        result.setdefault("additionalProperties", False)
    return result


def _model(module: str, kind: str) -> Callable[[], Any]:
    """Give the schema of an operator's kind, from the models that a package makes of its definition."""

    def make() -> Any:
        model = getattr(importlib.import_module(f"cloudcoil.models.{module}"), kind)
        return _closed(model.model_json_schema(by_alias=True))

    return make


def _object(properties: Mapping[str, Any], *optional: str) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "required": [name for name in properties if name not in optional],
    }


def _one_of(*words: str) -> Mapping[str, Any]:
    return {"enum": list(words)}


_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 1}
_METADATA = _object(
    {
        "name": {**_TEXT, "maxLength": 253, "pattern": r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"},
        "namespace": _TEXT,
        "labels": {"type": "object", "required": ["strimzi.io/cluster"], "additionalProperties": _TEXT},
        "annotations": {"type": "object", "additionalProperties": _TEXT},
    },
    "annotations",
)
_STRIMZI = _one_of("kafka.strimzi.io/v1", "kafka.strimzi.io/v1beta2")


def _kafka_topic() -> Any:
    """No package holds Strimzi's schemas; this says what its documentation says of the fields that the chart uses."""
    config = {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean", "number"]}}
    spec = _object({"partitions": _COUNT, "replicas": {**_COUNT, "maximum": 32767}, "config": config})
    return _object({"apiVersion": _STRIMZI, "kind": _one_of("KafkaTopic"), "metadata": _METADATA, "spec": spec})


def _kafka_user() -> Any:
    operations = (
        "Read Write Delete Alter Describe All IdempotentWrite ClusterAction Create AlterConfigs DescribeConfigs"
    )
    kinds = _one_of("topic", "group", "transactionalId")
    resource = {
        "oneOf": [
            _object({"type": kinds, "name": _TEXT, "patternType": _one_of("literal", "prefix")}),
            _object({"type": _one_of("cluster")}),
        ]
    }
    acl = _object(
        {
            "resource": resource,
            "operations": {"type": "array", "minItems": 1, "items": _one_of(*operations.split())},
        }
    )
    spec = _object(
        {
            "authentication": _object({"type": _one_of("tls", "tls-external", "scram-sha-512")}),
            "authorization": _object(
                {"type": _one_of("simple"), "acls": {"type": "array", "minItems": 1, "items": acl}}
            ),
        }
    )
    return _object({"apiVersion": _STRIMZI, "kind": _one_of("KafkaUser"), "metadata": _METADATA, "spec": spec})


_OPERATORS = {
    "monitoring.coreos.com/v1/PodMonitor": _model("prometheus_operator.v1", "PodMonitor"),
    "monitoring.coreos.com/v1/PrometheusRule": _model("prometheus_operator.v1", "PrometheusRule"),
    "keda.sh/v1alpha1/ScaledObject": _model("keda.v1alpha1", "ScaledObject"),
    "keda.sh/v1alpha1/TriggerAuthentication": _model("keda.v1alpha1", "TriggerAuthentication"),
    "cert-manager.io/v1/Certificate": _model("cert_manager.v1", "Certificate"),
    "kafka.strimzi.io/v1/KafkaTopic": _kafka_topic,
    "kafka.strimzi.io/v1beta2/KafkaTopic": _kafka_topic,
    "kafka.strimzi.io/v1/KafkaUser": _kafka_user,
    "kafka.strimzi.io/v1beta2/KafkaUser": _kafka_user,
}
