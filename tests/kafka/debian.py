"""Programs out of Debian's packages, unpacked into the cache folder: no root, no service started, nothing installed."""

import getpass
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.kafka.processes import fetch_once, run


def fetched(name: str, packages: Sequence[str]) -> Path:
    """Return a folder that holds these packages and what they need and this machine lacks, fetched once per machine.

    Raises:
        Unavailable: there is no apt, or no way to its archive.
    """
    release = Path("/etc/os-release").read_text(encoding="utf-8") if Path("/etc/os-release").exists() else ""
    values = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    system = "-".join(values.get(key, "unknown").strip('"') for key in ("ID", "VERSION_ID"))
    return fetch_once(f"{name}-{system}-{os.uname().machine}", lambda folder: _fetch(folder, packages))


def _fetch(folder: Path, packages: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="apt-for-tests-") as temporary:
        apt = Path(temporary)
        for sub in ("state/lists/partial", "cache/archives/partial", "debs"):
            (apt / sub).mkdir(parents=True)
        # apt with folders of its own works for every user and does not touch the package lists of the system.
        options = [
            *("-o", f"Dir::State={apt}/state", "-o", "Dir::State::status=/var/lib/dpkg/status"),
            *("-o", f"Dir::Cache={apt}/cache", "-o", f"APT::Sandbox::User={getpass.getuser()}"),
            *("-o", "Debug::NoLocking=true", "-o", "APT::Install-Recommends=false"),
        ]
        run(["apt-get", "-qq", *options, "update"], seconds=120)
        plan = run(["apt-get", "-s", *options, "install", *packages], seconds=60, env={"LC_ALL": "C"})
        # Programs that are installed already are not in the plan, yet all must lie in one folder.
        planned = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
        run(["apt-get", "-qq", *options, "download", *sorted(planned | set(packages))], seconds=240, cwd=apt / "debs")
        for package in sorted((apt / "debs").glob("*.deb")):
            run(["dpkg", "-x", str(package), str(folder)], seconds=60)
