"""The values of the Helm chart, described once: for their schema and the table of the chart's README."""

from typing import Annotated, Any, Literal

from pydantic import Field

from detectors.documents import Written
from monitor.config import Config

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
