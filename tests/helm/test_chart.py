"""The chart: sound by Helm, Kubernetes and the operators; safe; complete; and it refuses what is wrong."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from monitor.chart import CHART as CHART_FOLDER
from monitor.chart import readme
from monitor.chart_values import Values
from tests.helm.chart import CHART, ROOT, VALUE_SETS, Object, containers, helm, merged, of_kind, pods, render, rendered
from tests.helm.chart import values as values_of
from tests.helm.schemas import mistakes
from topics.catalog import CATALOG

every_set = pytest.mark.parametrize("name", VALUE_SETS)
_LABELS = ("name", "instance", "version", "part-of", "managed-by")
_SECRET_WORDS = re.compile(r"(password|secret|token|api[_-]?key|private)", re.IGNORECASE)


def test_the_five_value_sets_are_there() -> None:
    assert VALUE_SETS == ["everything", "keda", "minimal", "production", "tls-sasl"]
    assert (ROOT / CHART_FOLDER).samefile(CHART)


@every_set
def test_helm_lint_finds_nothing_to_warn_of(name: str) -> None:
    report = helm().lint(CHART, values_of(name), strict=True)
    assert report["errors"] == []
    assert [each for each in report["messages"] if each["severity"] > 1] == []


@every_set
def test_every_object_fits_the_schema_of_its_kind(name: str) -> None:
    assert [each for thing in rendered(name) for each in mistakes(thing)] == []


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("StatefulSet", ("spec", "replicas"), "three"),
        ("StatefulSet", ("spec", "template", "spec", "containers", 0, "securityContxt"), {}),
        ("PodMonitor", ("spec", "podMetricsEndpoint"), []),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "sverity"), "high"),
        ("Certificate", ("spec", "issuerRef"), "name"),
        ("KafkaTopic", ("spec", "partitions"), 0),
        ("KafkaUser", ("spec", "authorization", "acls", 0, "operations"), ["Reed"]),
    ],
)
def test_the_schemas_see_what_is_wrong(kind: str, path: tuple[str | int, ...], value: object) -> None:
    thing: Any = copy.deepcopy(of_kind(rendered("everything"), kind)[0])
    assert mistakes(thing) == []
    inner = thing
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert mistakes(thing) != []


@every_set
def test_every_pod_fits_the_restricted_standard_and_has_no_way_to_the_cluster(name: str) -> None:
    for pod, spec in pods(rendered(name)):
        security = spec["securityContext"]
        assert security["runAsNonRoot"] is True, pod
        assert security["runAsUser"] == security["runAsGroup"] == 65532, pod
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, pod
        assert spec["automountServiceAccountToken"] is False, pod
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), pod
        assert {kind for volume in spec["volumes"] for kind in volume.keys() - {"name"}} <= {
            "configMap",
            "projected",
            "emptyDir",
        }, pod
        for each in containers(spec):
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, each["name"]


@every_set
def test_every_container_asks_for_what_it_needs_and_is_watched(name: str) -> None:
    for pod, spec in pods(rendered(name)):
        for each in containers(spec):
            assert each["resources"]["requests"].keys() == {"cpu", "memory"}, (pod, each["name"])
            assert "memory" in each["resources"]["limits"], (pod, each["name"])
            if each.get("ports"):
                port = each["ports"][0]["name"]
                assert re.fullmatch(r"[a-z0-9-]{1,15}", port)
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    assert each[probe]["httpGet"]["port"] == port, (pod, each["name"])
        if "terminationGracePeriodSeconds" in spec:
            # A batch on its way is given 30 seconds; the ledger and the workers are ended one after the other.
            assert spec["terminationGracePeriodSeconds"] >= 45, pod


@every_set
def test_every_object_has_the_standard_labels(name: str) -> None:
    for thing in rendered(name):
        labels = thing["metadata"]["labels"]
        assert all(f"app.kubernetes.io/{each}" in labels for each in _LABELS), thing["metadata"]["name"]
        assert all(re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", each) for each in labels.values())
    assert all(thing["metadata"]["labels"]["team"] == "privacy" for thing in rendered("everything"))


@every_set
def test_selectors_find_the_pods_that_they_are_for(name: str) -> None:
    labels = {each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in _workloads(name)}
    for thing in _workloads(name):
        assert thing["spec"]["selector"]["matchLabels"].items() <= labels[thing["metadata"]["name"]].items()
    for thing in of_kind(rendered(name), "PodDisruptionBudget", "NetworkPolicy", "PodMonitor"):
        spec = thing["spec"]
        wanted = (spec.get("selector") or spec["podSelector"])["matchLabels"]
        assert any(wanted.items() <= each.items() for each in labels.values()), thing["metadata"]["name"]


@every_set
def test_secrets_are_named_and_never_written(name: str) -> None:
    objects = rendered(name)
    assert of_kind(objects, "Secret") == []
    assert list(_written_secrets(_config(name))) == []
    for _, spec in pods(objects):
        for each in containers(spec):
            assert all("value" not in env or not _SECRET_WORDS.search(env["name"]) for env in each.get("env", []))


def test_a_password_in_the_values_is_refused_before_it_is_stored() -> None:
    wrong = merged(values_of("tls-sasl"), {"config": {"kafka": {"client": {"sasl.password": "hunter2"}}}})
    with pytest.raises(helm().HelmError) as refused:
        render(wrong)
    assert "config.kafka.client: sasl.password is a secret" in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"workers": {"replicas": "two"}}, "/workers/replicas"),
        ({"workers": {"replcas": 2}}, "replcas"),
        ({"config": {"kafka": {"bootstrap_servers": ""}}}, "/config/kafka/bootstrap_servers"),
        ({"config": {"sources": [{"topic": "shop.events"}]}}, "adapter"),
        ({"config": {"settle_seconds": 90}}, "/config/settle_seconds"),
        ({"config": {"rules": ["rules"]}}, "rules"),
        ({"autoscaling": {"kind": "keda", "minReplicas": 0}}, "/autoscaling/minReplicas"),
        ({"autoscaling": {"kind": "keda", "minReplicas": 30}}, "more pods than autoscaling.partitions give work"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"secrets": []}, "no entry makes the file subject.key"),
        ({"knowledge": {"rules": {"NoPack": "id: x"}}}, "/knowledge/rules"),
        ({"workers": {"kind": "Deployment"}, "config": {"kafka": {"static_membership": True}}}, "needs a StatefulSet"),
        ({"strimzi": {"enabled": True}}, "strimzi.cluster: name the Kafka resource"),
        ({"certManager": {"enabled": True}}, "certManager.issuer.name: name the issuer"),
        ({"config": {"kafka": {"bootstrap_servers": "kafka"}}}, "networkPolicy.kafkaPorts"),
    ],
)
def test_wrong_values_are_refused_with_their_place(change: Object, told: str) -> None:
    with pytest.raises(helm().HelmError) as refused:
        render(merged(values_of("minimal"), change))
    assert told in str(refused.value)


def test_what_must_be_said_is_asked_for() -> None:
    with pytest.raises(helm().HelmError) as refused:
        render({})
    assert all(word in str(refused.value) for word in ("/config", "kafka", "shop", "sources"))


def test_workers_keep_their_partitions_and_their_ledger_over_a_restart() -> None:
    workers = _named("minimal", "-workers")
    config = _config("minimal")
    assert workers["kind"] == "StatefulSet"
    assert config["kafka"]["static_membership"] is True
    assert config["kafka"]["client"]["session.timeout.ms"] == 60_000
    assert [each["metadata"]["name"] for each in workers["spec"]["volumeClaimTemplates"]] == ["ledger"]
    spec = workers["spec"]["template"]["spec"]
    assert spec["shareProcessNamespace"] is True, "LMDB tells readers apart by process id"
    sidecar = next(each for each in spec["initContainers"] if each["name"] == "ledger")
    assert sidecar["restartPolicy"] == "Always"
    mounts = [{m["name"] for m in each["volumeMounts"]} for each in (sidecar, *spec["containers"])]
    assert all("ledger" in each for each in mounts)


def test_a_deployment_has_neither() -> None:
    workers = _named("keda", "-workers")
    assert workers["kind"] == "Deployment"
    assert _config("keda")["kafka"]["static_membership"] is False
    assert "session.timeout.ms" not in _config("keda")["kafka"].get("client", {})
    assert {"name": "ledger", "emptyDir": {"sizeLimit": "10Gi"}} in workers["spec"]["template"]["spec"]["volumes"]


def test_every_worker_of_a_pod_has_its_own_port_and_is_scraped() -> None:
    spec = _named("production", "-workers")["spec"]["template"]["spec"]
    ports = {p["name"]: p["containerPort"] for each in containers(spec) for p in each.get("ports", [])}
    assert ports == {"metrics-ledger": 9464, "metrics-0": 9465, "metrics-1": 9466}
    (monitor,) = of_kind(rendered("production"), "PodMonitor")
    scraped = {each["port"] for each in monitor["spec"]["podMetricsEndpoints"]}
    assert scraped == {*ports, "metrics"}
    (policy, _) = of_kind(rendered("production"), "NetworkPolicy")
    assert policy["spec"]["ingress"][0]["ports"][0] == {"protocol": "TCP", "port": 9464, "endPort": 9466}


def test_changed_rules_roll_the_pods_or_leave_them_as_asked() -> None:
    def stamp(change: Object) -> dict[str, str]:
        objects = render(merged(values_of("production"), change))
        (workers,) = [
            each for each in objects if each["metadata"]["name"].endswith("-workers") and "replicas" in each["spec"]
        ]
        annotations: dict[str, str] = workers["spec"]["template"]["metadata"]["annotations"]
        return annotations

    changed: Object = {"knowledge": {"register": "recipients: []\n"}}
    assert stamp({}) == stamp({})
    assert stamp({}) != stamp(changed)
    live: Object = {"knowledge": {"restartOnChange": False}}
    assert stamp(live) == stamp(merged(live, changed))
    assert stamp(live) != stamp(merged(live, {"config": {"settle_seconds": 3}})), "the configuration always counts"


def test_the_network_is_closed_but_for_what_is_named() -> None:
    policy, notify = of_kind(rendered("production"), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    dns, kafka = policy["spec"]["egress"]
    assert kafka == {"ports": [{"protocol": "TCP", "port": 9092}], "to": [{"ipBlock": {"cidr": "10.20.0.0/24"}}]}
    assert {each["port"] for each in dns["ports"]} == {53}
    assert notify["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "notify"
    assert notify["spec"]["egress"] == [{"ports": [{"protocol": "TCP", "port": 443}]}]


def test_keda_scales_by_lag_never_to_zero_and_never_beyond_the_partitions() -> None:
    (scaled,) = of_kind(rendered("keda"), "ScaledObject")
    spec = scaled["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 13), "25 partitions, two workers in a pod"
    assert "idleReplicaCount" not in spec
    assert [each["metadata"]["topic"] for each in spec["triggers"]] == ["shop.events", "shop.nginx"]
    assert all(each["metadata"]["scaleToZeroOnInvalidOffset"] == "false" for each in spec["triggers"])
    assert all(each["metadata"]["allowIdleConsumers"] == "false" for each in spec["triggers"])
    assert spec["scaleTargetRef"]["name"] == _named("keda", "-workers")["metadata"]["name"]
    assert "replicas" not in _named("keda", "-workers")["spec"]


def test_topics_and_rights_follow_the_catalogue() -> None:
    made = {each["metadata"]["name"]: each["spec"] for each in of_kind(rendered("everything"), "KafkaTopic")}
    assert made.keys() == {topic.name for topic in CATALOG}
    for topic in CATALOG:
        assert made[topic.name]["config"] == topic.configs()
        assert made[topic.name]["partitions"] == (topic.partitions or 12)
    (user,) = of_kind(rendered("everything"), "KafkaUser")
    acls = user["spec"]["authorization"]["acls"]
    assert all(
        "Write" not in each["operations"] for each in acls if each["resource"].get("name", "").startswith("shop.")
    )
    assert not any({"All", "Alter", "Delete"} & set(each["operations"]) for each in acls)


@pytest.mark.parametrize("name", ["production", "everything"])
def test_alerts_and_dashboards_are_the_shipped_ones(name: str) -> None:
    shipped = {
        rule["alert"]
        for path in (ROOT / "alerts" / "prometheus").glob("*.yaml")
        if not path.name.startswith("tests")
        for group in YAML(typ="safe").load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    rules = [
        rule
        for each in of_kind(rendered(name), "PrometheusRule")
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    disabled = {"PrivacyMonitorWatchdog"} if name == "everything" else set()
    assert {each["alert"] for each in rules} == shipped - disabled
    base = "https://docs.example/privacy-monitor/" if name == "production" else ""
    assert all(each["annotations"]["runbook_url"].startswith(f"{base}runbooks/") for each in rules)
    dashboards = {
        file: json.loads(text)
        for each in of_kind(rendered(name), "ConfigMap")
        if each["metadata"]["labels"].get("grafana_dashboard") == "1"
        for file, text in each["data"].items()
    }
    files = sorted((ROOT / "alerts" / "dashboards").glob("*.json"))
    assert dashboards == {path.name: json.loads(path.read_text()) for path in files}


def test_a_packed_chart_renders_what_the_folder_does(tmp_path: Path) -> None:
    with helm().Chart.load(CHART) as chart:
        archive = Path(chart.save(tmp_path))
        assert not [each["name"] for each in chart.files if "tests" in each["name"] or each["name"].startswith("ci/")]
    given = values_of("everything")
    assert render(given, archive) == render(given)


def test_the_readme_is_what_the_values_say() -> None:
    defaults = YAML(typ="safe").load((CHART / "values.yaml").read_text())
    assert (CHART / "README.md").read_text() == readme(defaults), "run `make docs` and commit the chart's README"


def test_values_and_their_description_name_the_same() -> None:
    defaults = YAML(typ="safe").load((CHART / "values.yaml").read_text())
    missing = {**defaults, "config": values_of("minimal")["config"] | {"subjects": {"secret": {"env": "KEY"}}}}
    assert set(_paths(Values.model_validate(missing).model_dump(by_alias=True))) == set(_paths(missing))


def test_the_canary_of_helm_test_reaches_kafka_and_nothing_else() -> None:
    (pod,) = of_kind(rendered("minimal"), "Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["spec"]["restartPolicy"] == "Never"
    assert pod["spec"]["containers"][0]["args"] == [
        "canary",
        "--timeout",
        "150",
        "--config",
        "/etc/privacy-monitor/monitor.yaml",
    ]


def _written_secrets(tree: Any) -> Iterator[str]:
    """Find values under the name of a secret that are no path to one."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        if isinstance(value, str) and _SECRET_WORDS.search(str(key)) and not value.startswith("/run/secrets/"):
            yield f"{key}: {value}"
        yield from _written_secrets(value)


def test_a_written_secret_would_be_seen() -> None:
    assert list(_written_secrets({"kafka": {"client": {"sasl.password": "hunter2"}}})) != []


def _paths(tree: Any, prefix: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict) and value and key != "config":
            yield from _paths(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _workloads(name: str) -> list[Object]:
    return of_kind(rendered(name), "StatefulSet", "Deployment")


def _named(name: str, ending: str) -> Object:
    (found,) = [each for each in _workloads(name) if each["metadata"]["name"].endswith(ending)]
    return found


def _config(name: str) -> Object:
    (found,) = [each for each in of_kind(rendered(name), "ConfigMap") if each["metadata"]["name"].endswith("-config")]
    config: Object = YAML(typ="safe").load(found["data"]["monitor.yaml"])
    return config
