"""The values of the Helm chart: described once, for its schema (`values.schema.json`) and its README."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic_core import PydanticUndefined

from detectors.documents import Written
from monitor.config import SECRET_SETTINGS, Config
from topics.catalog import CATALOG

CHART = "helm/privacy-monitor"

Object = dict[str, Any]
Objects = list[Object]
Texts = dict[str, str]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
"""The name of an object of Kubernetes."""
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][-A-Za-z0-9_.]*$", max_length=100)]
Quantity = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$")]


class Image(Written):
    """The container image."""

    repository: Annotated[str, Field(min_length=1)] = Field(description="Image without tag.")
    tag: str = Field(description="Tag; the chart's `appVersion` when empty.")
    digest: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")] = Field(description="Digest, over the tag.")
    pullPolicy: Literal["Always", "IfNotPresent", "Never"]  # noqa: N815 - a name of Kubernetes
    pullSecrets: list[Name] = Field(description="Names of pull secrets.")  # noqa: N815


class SecretFile(Written):
    """One key of a Secret that exists, as a file in `/run/secrets/privacy-monitor`."""

    file: FileName = Field(description="Name of the file.")
    secret: Name = Field(description="Name of the Secret.")
    key: FileName = Field(description="Key in the Secret.")


class RulesFrom(Written):
    """A ConfigMap of rules that exists."""

    configMap: Name  # noqa: N815
    pack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")] = Field(description="Pack that its rules belong to.")


class KnowledgeValues(Written):
    """What the monitor judges by, beside what is shipped."""

    restartOnChange: bool = Field(  # noqa: N815
        description="true: changed rules, register or law roll the workers, and broken ones stop the roll-out. "
        "false: workers load them while they run, within about a minute."
    )
    rules: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*$")], str] = Field(
        description="Own rules: id to YAML."
    )
    rulesFrom: list[RulesFrom] = Field(description="ConfigMaps of rules that exist, one pack each.")  # noqa: N815
    exemptions: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")], str] = Field(
        description="Exceptions: id to YAML."
    )
    law: dict[Annotated[str, Field(pattern=r"^(jurisdictions|transfers)/[a-z0-9-]+$")], str] = Field(
        description="Own law: `jurisdictions/us-ca` to YAML, which adds to or overrides the shipped file of that name."
    )
    register_: str = Field(alias="register", description="Transfer register, as YAML. Empty: none is kept.")
    needs: str = Field(
        description="Own decisions on what a purchase needs to know, as YAML. Empty: the shipped table alone."
    )
    types: str = Field(description="Own kinds of personal data, as YAML. Empty: none.")
    baseline: str = Field(
        description="What each endpoint had, as `privacy-monitor baseline learn` writes it. Empty: none."
    )


class Resources(Written):
    """Requests and limits of a container."""

    requests: dict[str, Quantity | Annotated[int, Field(ge=0)] | float]
    limits: dict[str, Quantity | Annotated[int, Field(ge=0)] | float]


class Scheduling(Written):
    """Where pods run, in Kubernetes' own words."""

    podAnnotations: Texts  # noqa: N815
    podLabels: Texts  # noqa: N815
    nodeSelector: Texts  # noqa: N815
    tolerations: Objects
    affinity: Object
    priorityClassName: str  # noqa: N815
    topologySpreadConstraints: Objects = Field(  # noqa: N815
        description="Empty: spread over zones and hosts where possible."
    )


class Persistence(Written):
    """A volume."""

    enabled: bool = Field(description="false: an emptyDir.")
    size: Quantity = Field(description="Of each pod's volume.")
    storageClass: str = Field(description="Empty: the cluster's default.")  # noqa: N815


class Workers(Written):
    """The traffic plane: pods that judge."""

    kind: Literal["StatefulSet", "Deployment"] = Field(
        description="StatefulSet: static membership and a volume for the ledger. Deployment: neither."
    )
    replicas: Annotated[int, Field(ge=1)] = Field(description="Pods, where nothing scales them.")
    perPod: Annotated[int, Field(ge=1, le=32)] = Field(  # noqa: N815
        description="Workers in a pod, one container each, which share the pod's ledger."
    )
    sessionTimeoutSeconds: Annotated[int, Field(ge=6, le=1800)] = Field(  # noqa: N815
        description="With static membership: how long a worker may be gone before others take its partitions."
    )
    resources: Resources = Field(description="Of each worker.")
    terminationGracePeriodSeconds: Annotated[int, Field(ge=45)] = Field(  # noqa: N815
        description="The last batch is delivered within 30 seconds, or read again by the next."
    )
    scheduling: Scheduling


class Ledger(Written):
    """The consent ledger in each worker's pod."""

    enabled: bool = Field(description="false: `consent: null`; what needs a recorded choice is unknown.")
    nativeSidecar: bool = Field(  # noqa: N815
        description="Started before and stopped after the workers (Kubernetes 1.29 and newer). false: beside them."
    )
    startSeconds: Annotated[int, Field(ge=30)] = Field(  # noqa: N815
        description="How long it may take to read the consent topic from its beginning."
    )
    persistence: Persistence
    resources: Resources


class AlertWorkers(Written):
    """The alert plane."""

    replicas: Annotated[int, Field(ge=1)] = Field(description="Pods; no more than partitions of the findings topic.")
    resources: Resources
    terminationGracePeriodSeconds: Annotated[int, Field(ge=30)] = Field(  # noqa: N815
        description="Time to commit and to leave the group."
    )
    scheduling: Scheduling


class NotifyValues(Written):
    """`privacy-monitor notify`; it runs where `config.notify` is set."""

    persistence: Persistence
    resources: Resources
    scheduling: Scheduling


class TopicsValues(Written):
    """The monitor's own topics."""

    create: bool = Field(description="Make those that are missing before the first worker starts.")
    partitions: Annotated[int, Field(ge=1)] = Field(description="Of each topic, but for those that must have one.")
    replication: Annotated[int, Field(ge=1)] = Field(description="Copies of each topic.")


class CheckValues(Written):
    """`privacy-monitor check` before each worker."""

    broker: bool = Field(description="Also ask the broker whether the topics exist.")


class TriggerSecret(Written):
    """A parameter of KEDA's Kafka scaler, from a Secret."""

    parameter: Literal["sasl", "username", "password", "tls", "ca", "cert", "key", "keyPassword"]
    name: Name
    key: FileName


class Autoscaling(Written):
    """More or fewer worker pods by lag (KEDA) or processor time (HPA)."""

    kind: Literal["none", "keda", "hpa"] = Field(description="none: `workers.replicas` pods.")
    minReplicas: Annotated[int, Field(ge=1)] = Field(  # noqa: N815
        description="Never zero: a monitor that is not there sees nothing."
    )
    partitions: Annotated[int, Field(ge=1)] = Field(
        description="Partitions of all source topics together: more workers than these would rest."
    )
    lagThreshold: Annotated[int, Field(ge=1)] = Field(description="KEDA: records behind for each pod.")  # noqa: N815
    cooldownSeconds: Annotated[int, Field(ge=0)] = Field(description="KEDA: calm before pods are taken away.")  # noqa: N815
    cpuPercent: Annotated[int, Field(ge=10, le=100)] = Field(  # noqa: N815
        description="HPA: share of the requested processor time."
    )
    metadata: Texts = Field(description="KEDA: further settings of its Kafka trigger (`sasl`, `tls`).")
    secrets: list[TriggerSecret] = Field(description="KEDA: credentials, for a TriggerAuthentication.")


class NetworkPolicyValues(Written):
    """Deny all traffic of the pods but what is named."""

    enabled: bool
    dns: Objects = Field(description="Peers that answer DNS.")
    kafka: Objects = Field(description="Peers that are brokers. Empty: any address.")
    kafkaPorts: list[Annotated[int, Field(ge=1, le=65535)]] = Field(  # noqa: N815
        description="Ports of the brokers. Empty: those of `config.kafka.bootstrap_servers`."
    )
    prometheus: Objects = Field(description="Peers that may read metrics.")
    notify: Objects = Field(description="Egress rules of `notify`, in Kubernetes' own words.")


class PodMonitorValues(Written):
    """A PodMonitor of the Prometheus operator."""

    enabled: bool
    interval: Annotated[str, Field(pattern=r"^[0-9]+(ms|s|m)$")]
    labels: Texts


class PrometheusRuleValues(Written):
    """The shipped alerts and recorded series, as PrometheusRules."""

    enabled: bool
    labels: Texts
    runbooks: str = Field(description="Address in front of `runbooks/NAME.md`, such as that of your copy of the site.")
    disabled: list[str] = Field(description="Names of alerts to leave out.")


class Dashboards(Written):
    """The shipped Grafana dashboards, as ConfigMaps."""

    enabled: bool
    labels: Texts
    annotations: Texts


class StrimziUser(Written):
    """A KafkaUser with the rights that the monitor needs, and no others."""

    enabled: bool
    authentication: Literal["scram-sha-512", "tls"]


class Strimzi(Written):
    """Topics and a user as resources of Strimzi."""

    enabled: bool
    apiVersion: Literal["kafka.strimzi.io/v1", "kafka.strimzi.io/v1beta2"]  # noqa: N815
    cluster: str = Field(description="Name of the Kafka resource.")
    namespace: str = Field(description="Namespace of the Kafka resource; the release's when empty.")
    partitions: Annotated[int, Field(ge=1)] = Field(description="Of each topic, but for those that must have one.")
    replicas: Annotated[int, Field(ge=1)] = Field(description="Copies of each topic.")
    user: StrimziUser


class Issuer(Written):
    """An issuer of cert-manager."""

    name: str
    kind: Literal["Issuer", "ClusterIssuer"]


class CertManager(Written):
    """A client certificate for Kafka from cert-manager; `kafka.client` is pointed at its files."""

    enabled: bool
    issuer: Issuer
    commonName: str = Field(description="Name that Kafka knows the client by; the release's when empty.")  # noqa: N815
    duration: Annotated[str, Field(pattern=r"^[0-9]+h$")]
    renewBefore: Annotated[str, Field(pattern=r"^[0-9]+h$")]  # noqa: N815


class ServiceAccount(Written):
    """The service account. It has no rights, and no token is mounted."""

    create: bool
    name: str
    annotations: Texts


class Enabled(Written):
    """On or off."""

    enabled: bool


class Tests(Written):
    """`helm test`: sends the canary and waits for its alert."""

    enabled: bool
    timeoutSeconds: Annotated[int, Field(ge=10)]  # noqa: N815


class Values(Written):
    """Values of the chart privacy-monitor."""

    nameOverride: str = Field(description="In place of the chart's name.")  # noqa: N815
    fullnameOverride: str = Field(description="In place of the release's and the chart's name.")  # noqa: N815
    commonLabels: Texts = Field(description="Labels of everything.")  # noqa: N815
    image: Image
    config: Config = Field(
        description="The monitor's configuration, as in docs/configuration.md. The chart sets paths, `rules`, `exemptions`, "
        "`law`, `register` and what containers need."
    )
    secrets: list[SecretFile] = Field(
        description="Keys of Secrets that exist, as files in `/run/secrets/privacy-monitor`. `subject.key` is needed."
    )
    extraEnv: Objects = Field(description="Further environment of every container.")  # noqa: N815
    extraEnvFrom: Objects = Field(description="Further sources of environment.")  # noqa: N815
    extraVolumes: Objects = Field(  # noqa: N815
        description="Further volumes of every pod, such as one with a list of trackers that `config.recipients.lists` names."
    )
    extraVolumeMounts: Objects = Field(description="Where containers see them.")  # noqa: N815
    knowledge: KnowledgeValues
    topics: TopicsValues
    check: CheckValues
    workers: Workers
    ledger: Ledger
    alerts: AlertWorkers
    notify: NotifyValues
    autoscaling: Autoscaling
    podDisruptionBudget: Enabled  # noqa: N815
    networkPolicy: NetworkPolicyValues  # noqa: N815
    serviceAccount: ServiceAccount  # noqa: N815
    podMonitor: PodMonitorValues  # noqa: N815
    prometheusRule: PrometheusRuleValues  # noqa: N815
    dashboards: Dashboards
    strimzi: Strimzi
    certManager: CertManager  # noqa: N815
    tests: Tests


_CHARTS_OWN = ("rules", "exemptions", "law", "register", "needs", "types", "baseline")
"""Settings of the configuration that the chart makes from `knowledge`."""


def values_schema() -> str:
    """Give `values.schema.json`: the chart's values, with the configuration's own schema in them."""
    schema = Values.model_json_schema(by_alias=True)
    schema["properties"]["global"] = {"type": "object", "description": "Values of a chart that this one is part of."}
    definitions = schema["$defs"]
    config = definitions["Config"]
    for name in _CHARTS_OWN:
        del config["properties"][name]
    config["required"] = [name for name in config["required"] if name != "subjects"]
    definitions["SubjectConfig"].pop("required", None)
    return _json({"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_defaults(schema)})


def facts() -> str:
    """Give what the chart's templates must know of the program: its topics, and which settings are secrets."""
    topics = [{"name": each.name, "partitions": each.partitions, "config": each.configs()} for each in CATALOG]
    return _json({"topics": topics, "secretSettings": sorted(SECRET_SETTINGS)})


def readme(defaults: Mapping[str, Any]) -> str:
    """Give the chart's README with the table of its values. `defaults` is what `values.yaml` holds."""
    lines = [*_README.splitlines(), "", "| value | default | meaning |", "|---|---|---|"]
    for path, default, meaning in _rows(Values, defaults, ""):
        shown = f"`{json.dumps(default, ensure_ascii=False)}`" if default is not PydanticUndefined else "–"
        lines.append(f"| `{path}` | {shown} | {meaning} |".replace("\n", " "))
    return "\n".join(lines) + "\n"


_README = """\
# Chart privacy-monitor

Generated by `make docs`; do not edit. The operations guide (`docs/operations.md`) says how to size, upgrade and roll back.

```sh
kubectl create secret generic privacy-monitor --from-literal=subject.key="$(openssl rand -hex 32)"
helm install privacy helm/privacy-monitor --values values.yaml
helm test privacy --logs          # sends a made-up order and waits for its alert
```

The least that must be said is in `ci/minimal.yaml`; `ci/` holds four more sets, each of which is linted, rendered,
checked against the schemas of Kubernetes and run on a real Kafka by the tests.

## What it makes

| component | kind | what for |
|---|---|---|
| `worker` | StatefulSet or Deployment | traffic workers, with the consent ledger in the same pod |
| `alerts` | StatefulSet | the alert plane |
| `notify` | StatefulSet of one | where `config.notify` is set |
| `canary` | Pod of `helm test` | the whole path, end to end |

Beside these a ConfigMap each for the configuration and for what is judged by, disruption budgets, and a network policy that denies
all but DNS, Kafka, Prometheus and what you name. PodMonitor, PrometheusRules, dashboards, ScaledObject or HorizontalPodAutoscaler,
Strimzi's topics and user, and a client certificate of cert-manager on request.
No Secret is made and none is written into a ConfigMap.

The rules, dashboards and facts under `files/` are links to what the project ships: `make chart` packs the chart whole.

## Values

Resources, schedulings and the configuration are shown as they are; all else by its leaves."""


def _rows(model: type[BaseModel], defaults: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any, str]]:
    for name, field in model.model_fields.items():
        path = prefix + (field.alias or name)
        default = defaults.get(field.alias or name, PydanticUndefined)
        kind = field.annotation
        nested = isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in {Config, Resources, Scheduling}
        if nested and isinstance(kind, type) and isinstance(default, Mapping):
            yield from _rows(kind, default, f"{path}.")
        else:
            known = kind.__doc__ if isinstance(kind, type) and issubclass(kind, BaseModel) else ""
            section = f"{model.__doc__}" if name in {"enabled", "create"} else ""
            yield path, default, field.description or known or section


def _without_defaults(schema: Any) -> Any:
    """Leave out what only repeats: titles, and defaults of the configuration, which the program itself knows."""
    if isinstance(schema, Mapping):
        # Keys of a mapping that fit no pattern are mistakes.
        closed = {"additionalProperties": False} if "patternProperties" in schema else {}
        return closed | {
            key: {name: _without_defaults(each) for name, each in value.items()}
            if key in {"properties", "$defs"}
            else _without_defaults(value)
            for key, value in schema.items()
            if key not in {"title", "default"}
        }
    return [_without_defaults(each) for each in schema] if isinstance(schema, list) else schema


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
