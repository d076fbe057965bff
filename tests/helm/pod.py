"""A worker's pod without Kubernetes: its mounts laid out in a folder as the kubelet does, its containers run as processes."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.helm.chart import Object, of_kind

_ROOTS = (
    "/etc/privacy-monitor",
    "/run/secrets/privacy-monitor",
    "/var/lib/privacy-monitor",
    "/usr/share/privacy-monitor",
)
RULE_OF_A_CONFIG_MAP = """\
id: shop.events-from-nowhere
title: An order of nobody's shop
version: 1.0.0
status: experimental
mode: shadow
assessor: checkout
when: flow.service == "nowhere"
severity: low
group_by: [flow.service]
runbook: checkout.unneeded-field
why: "{flow.service} sent an order."
tests:
  - {name: nowhere, given: {flow: {service: nowhere}}, expect: finding}
  - {name: somewhere, given: {flow: {service: web-shop}}, expect: none}
"""


class Pod:
    """The mounts of one rendered pod under a folder, and its containers' commands with the paths of that folder."""

    def __init__(self, objects: list[Object], ending: str, root: Path, secrets: Mapping[str, str]) -> None:
        """`secrets` is what each file of a secret holds; every other secret file holds a made-up key."""
        self._root = root
        self._maps = {each["metadata"]["name"]: each.get("data") or {} for each in of_kind(objects, "ConfigMap")}
        self._maps["tracker-lists"] = {}
        self._maps["shop-rules"] = {"shop.events-from-nowhere.yaml": RULE_OF_A_CONFIG_MAP}
        self._secrets = secrets
        (workload,) = [
            each for each in of_kind(objects, "StatefulSet", "Deployment") if each["metadata"]["name"].endswith(ending)
        ]
        self.spec: Object = workload["spec"]["template"]["spec"]
        volumes = {each["name"]: each for each in self.spec["volumes"]}
        for mount in self.spec["containers"][0]["volumeMounts"]:
            self._mount(volumes.get(mount["name"], {}), mount)
        for folder in _ROOTS:
            self.path(folder).mkdir(parents=True, exist_ok=True)

    def path(self, inside: str) -> Path:
        """Give where a path of the pod lies on this machine."""
        return self._root / inside.lstrip("/")

    def command(self, container: str) -> list[str]:
        """Give the command of a container, to be run on this machine."""
        found = [*self.spec.get("initContainers", []), *self.spec["containers"]]
        (one,) = [each for each in found if each["name"] == container]
        return [sys.executable, "-m", "monitor", *(self._here(each) for each in one["args"])]

    def environment(self, container: str, extra: Mapping[str, str]) -> dict[str, str]:
        found = [*self.spec.get("initContainers", []), *self.spec["containers"]]
        (one,) = [each for each in found if each["name"] == container]
        own = {each["name"]: each["value"] for each in one.get("env", [])}
        return {**os.environ, **own, **extra}

    def run(self, container: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run a container to its end."""
        return subprocess.run(
            self.command(container),
            env=self.environment(container, extra),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def start(self, container: str, **extra: str) -> subprocess.Popen[bytes]:
        """Start a container; its output is kept in the folder."""
        with (self._root / f"{container}.log").open("wb") as output:
            return subprocess.Popen(
                self.command(container),
                env=self.environment(container, extra),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def logs(self) -> str:
        return "\n".join(file.read_text(errors="replace")[-3000:] for file in self._root.glob("*.log"))

    def _here(self, text: str) -> str:
        for root in _ROOTS:
            text = text.replace(root, str(self.path(root)))
        return text

    def _mount(self, volume: Object, mount: Object) -> None:
        files = dict(self._files(volume))
        target = self.path(mount["mountPath"])
        if "subPath" in mount:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[mount["subPath"]])
            return
        # As the kubelet does it: what is seen are links into a hidden folder, which is replaced as a whole.
        hidden = target / "..2026_11_25_12_00_00.1"
        for name, text in files.items():
            (hidden / name).parent.mkdir(parents=True, exist_ok=True)
            (hidden / name).write_text(text)
        hidden.mkdir(parents=True, exist_ok=True)
        (target / "..data").symlink_to(hidden.name)
        for top in {Path(name).parts[0] for name in files}:
            (target / top).symlink_to(Path("..data", top))

    def _files(self, volume: Object) -> Iterator[tuple[str, str]]:
        if "configMap" in volume:
            yield from self._of_map(volume["configMap"])
        for source in volume.get("projected", {}).get("sources", []):
            if "configMap" in source:
                yield from self._of_map(source["configMap"])
            else:
                for item in source["secret"]["items"]:
                    yield item["path"], self._secrets.get(item["path"], "a made-up secret of more than sixteen bytes")

    def _of_map(self, source: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        data = self._maps[source["name"]]
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            yield item["path"], self._here(data[item["key"]])
