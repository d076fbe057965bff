"""The chart, rendered by Helm's own code, and what it renders checked against the schemas of Kubernetes and of operators."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "privacy-monitor"
VALUE_SETS = sorted(file.stem for file in (CHART / "ci").glob("*.yaml"))

Object = dict[str, Any]


@cache
def helm() -> Any:
    """Give Helm, or skip: its package is built for Linux on x86-64 alone."""
    return pytest.importorskip("helm_python", reason="helm-python-sdk is not built for this machine")


def values(name: str) -> Object:
    """Give a value set of the chart."""
    found: Object = YAML(typ="safe").load((CHART / "ci" / f"{name}.yaml").read_text())
    # As JSON: Helm takes it so, and a date is text there.
    return json.loads(json.dumps(found, default=str))  # type: ignore[no-any-return]


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> Object:
    """Give values with a change in them, as a second values file would make it."""
    result = dict(base)
    for key, value in change.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result


def render(given: Mapping[str, Any], chart: Path = CHART) -> list[Object]:
    """Give every object that the chart makes of values. Raises Helm's error where they are refused."""
    with helm().Chart.load(chart) as loaded:
        loaded.validate_schema(dict(given))
        texts = loaded.render(dict(given), name="shop", namespace="privacy")
    return [each for name, text in sorted(texts.items()) if name.endswith(".yaml") for each in _objects(text)]


@cache
def rendered(name: str) -> list[Object]:
    """Give the objects of a value set."""
    return render(values(name))


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [each for each in objects if each["kind"] in kinds]


def pods(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Give the name and the specification of each pod."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each["metadata"]["name"], each["spec"]
        elif each["kind"] in {"StatefulSet", "Deployment"}:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def containers(spec: Object) -> list[Object]:
    return [*spec.get("initContainers", []), *spec["containers"]]


def _objects(text: str) -> Iterator[Object]:
    yield from (each for each in YAML(typ="safe").load_all(text) if each is not None)
