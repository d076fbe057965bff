"""The alert plane as a process of its own, and what it left on its topics."""

import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from alerts.settings import AlertSettings

ROOT = Path(__file__).parents[2]


class RunningApp:
    """The alert plane with these settings; its log is a file beside the settings."""

    def __init__(self, bootstrap: str, settings: AlertSettings, folder: Path) -> None:
        self.settings = settings
        self.started_at = time.monotonic()
        path = folder / "settings.json"
        path.write_bytes(msgspec.json.encode(settings))
        self.log = folder / "alerts.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.alerts.plane_process", bootstrap, str(path)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    def page(self, path: str) -> tuple[int, str]:
        """Get a page; status 0 when nothing listens yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def ready_after(self, seconds: float = 40.0) -> float:
        """Wait until it says that it is ready; give the seconds since its start."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.tail()
            if self.page("/readyz")[0] == 200:
                return time.monotonic() - self.started_at
            time.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s\n{self.tail()}")

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])

    def kill(self) -> None:
        """End it without warning."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to end; give the seconds that took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        return time.monotonic() - began


def metric(page: str, name: str) -> float:
    """Sum a metric over its labels."""
    lines = [line for line in page.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


class Reader:
    """Reads a whole topic from its beginning and goes on from there."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        self._consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(partitions)])
        self.records: list[tuple[bytes, bytes, dict[str, bytes]]] = []

    def read(self, seconds: float = 0.5) -> None:
        """Read what is there, until nothing came for so long."""
        while messages := self._consumer.consume(500, seconds):
            for message in messages:
                error = message.error()
                assert error is None, error
                key, value = message.key(), message.value()
                assert key is not None
                assert value is not None
                self.records.append((key, value, dict(message.headers() or [])))  # type: ignore[arg-type]

    def last(self) -> dict[bytes, bytes]:
        """Give the newest value per key."""
        return {key: value for key, value, _ in self.records}

    def close(self) -> None:
        self._consumer.close()
