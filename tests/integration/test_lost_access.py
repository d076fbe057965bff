"""Rights that are taken away while the monitor runs: told by metric, log and readiness; the rest goes on, and all of it when they are back.

`LOST_ACCESS=all` takes away each kind of right, one after the other, a kind's name that kind; without it one of them.
"""

import json
import os
import socket
import time
import urllib.error
import urllib.request
from itertools import islice
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from monitor.shop import Shop
from tests.integration.system import System, committed, page, topic_ends
from tests.integration.test_crash_points import SOURCES, TOPICS, audited
from tests.kafka.jvm import Cluster
from tests.kafka.processes import free_ports, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(900)]

GROUP = "test-monitor"
USER = "monitor"
ANY, DENY, ALLOW = AclOperation.ALL, AclPermissionType.DENY, AclPermissionType.ALLOW
CASES = (
    ("topic", "shop.events", "read-denied", ResourceType.TOPIC, AclOperation.READ),
    ("topic", "privacy.findings.v1", "write-denied", ResourceType.TOPIC, AclOperation.WRITE),
    ("group", GROUP, "read-denied", ResourceType.GROUP, AclOperation.READ),
    ("transactional-id", "", "write-denied", ResourceType.TRANSACTIONAL_ID, AclOperation.WRITE),
)

_ASKED = os.environ.get("LOST_ACCESS", "")
TAKEN = [each for each in CASES if _ASKED in {each[0], "all"}] or CASES[:1]


class Rights:
    """What the monitor's user may do."""

    def __init__(self, bootstrap: str) -> None:
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self._set(
            *(
                self._binding(kind, "*", ANY, ALLOW)
                for kind in (ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID)
            ),
            AclBinding(
                ResourceType.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, f"User:{USER}", "*", ANY, ALLOW
            ),
        )

    @staticmethod
    def _binding(kind: ResourceType, name: str, operation: AclOperation, permission: AclPermissionType) -> AclBinding:
        return AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, permission)

    def _set(self, *bindings: AclBinding) -> None:
        for future in self.admin.create_acls(list(bindings)).values():
            future.result(20)

    def take(self, kind: ResourceType, name: str, operation: AclOperation) -> None:
        self._set(self._binding(kind, name, operation, DENY))

    def give_back(self, kind: ResourceType, name: str, operation: AclOperation) -> None:
        pattern = AclBindingFilter(kind, name, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, DENY)
        (future,) = self.admin.delete_acls([pattern]).values()
        assert future.result(20), "there was nothing to give back"


def reason(port: int) -> str:
    """Give why the worker is not ready; empty when it is, or when nobody answers."""
    try:
        page(f"http://127.0.0.1:{port}/readyz")
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""
    return ""


def is_lost(port: int, kind: str, why: str) -> bool:
    try:
        lines = page(f"http://127.0.0.1:{port}/metrics").splitlines()
    except OSError:
        return False
    return any(
        line.startswith("privacy_monitor_lost_access{")
        and f'kind="{kind}"' in line
        and why in line
        and line.endswith(" 1.0")
        for line in lines
    )


def test_rights_that_are_taken_away_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    with Cluster(1, {USER: "a password of the tests"}, rights=True) as cluster:
        rights = Rights(cluster.bootstrap)
        (port,) = free_ports(1)
        (tmp_path / "password").write_text("a password of the tests")
        settings = {
            "kafka": {
                "bootstrap_servers": cluster.guarded,
                "group": GROUP,
                "client": {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": USER},
                "secrets": {"sasl.password": {"file": str(tmp_path / "password")}},
            },
            "delivery": "exactly_once",
            "settle_seconds": 0.2,
            "http": {"port": port},
        }
        shop = Shop(31, time.time_ns() // 1_000_000 - 60_000).stream()
        with System(cluster.bootstrap, tmp_path / "system", SOURCES, settings) as system:

            def traffic() -> None:
                pieces = [each for each in islice(shop, 300) if each.role in TOPICS]
                system.produce([(TOPICS[each.role], each.key, each.value) for each in pieces])

            def is_judged(topics: list[str]) -> bool:
                done = committed(cluster.bootstrap, GROUP)
                return all(
                    done.get(place, -1) >= end for place, end in topic_ends(cluster.bootstrap, topics).items() if end
                )

            everything = [str(each["topic"]) for each in SOURCES]
            system.start("run")
            traffic()
            assert wait_until(lambda: is_judged(everything), 180), system.logs()
            worker = port + 1
            for kind, name, why, resource, operation in TAKEN:
                named = name or f"{GROUP}-{socket.gethostname()}-0"
                rights.take(resource, named, operation)
                traffic()
                assert wait_until(lambda: is_lost(worker, kind, why), 120), (kind, system.logs())  # noqa: B023 - asked at once
                assert f"{kind} {named} is {why}" in reason(worker)
                if name == "shop.events":
                    assert wait_until(lambda: is_judged(["shop.kong"]), 120), system.logs()
                assert not is_judged(everything), f"{kind} was not really taken away"
                rights.give_back(resource, named, operation)
                assert wait_until(lambda: is_judged(everything), 180), (kind, system.logs())
                assert wait_until(lambda: not is_lost(worker, kind, why) and not reason(worker), 60), system.logs()  # noqa: B023
            log = system.logs()
            system.kill(system.processes[0])
            report = audited(system)
            assert report["verdict"] == "accounted-for", json.dumps(report["faults"][:5])
            assert report["findings_delivered_again"] == 0
            assert "access lost" in log
