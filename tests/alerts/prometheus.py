"""Debian's Prometheus and Alertmanager, run for real: rules, scrapes, silences, and a receiver of webhooks."""

import json
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.kafka.debian import fetched
from tests.kafka.processes import Process, Unavailable, answers, free_ports, spawn, stop, wait_until

ALERTS = Path(__file__).parents[2] / "alerts"
_TEMPLATES = "/usr/share/prometheus/alertmanager"
RULES = [ALERTS / "prometheus" / name for name in ("privacy.yaml", "monitor.yaml", "objectives.yaml")]


def programs() -> Path:
    """Return the folder with promtool, amtool, prometheus and prometheus-alertmanager.

    Raises:
        Unavailable: they are neither installed nor to be fetched.
    """
    names = ("promtool", "amtool", "prometheus", "prometheus-alertmanager")
    for folder in (Path("/usr/bin"), fetched("prometheus", ("prometheus", "prometheus-alertmanager")) / "usr/bin"):
        if all((folder / name).exists() for name in names):
            return folder
    raise Unavailable("Debian's packages hold no promtool or amtool where they used to be")


def alertmanager_command(folder: Path) -> list[str]:
    """Give the command of Alertmanager. Unpacked and not installed, it lacks files that Debian's build wants in /usr.

    Their folder is a string in the program: a copy gets one of the same length, relative to its working folder.
    """
    found = programs() / "prometheus-alertmanager"
    if Path(_TEMPLATES).exists():
        return [str(found)]
    copy = folder / "prometheus-alertmanager"
    relative = "." + "/" * (len(_TEMPLATES) - 1)
    copy.write_bytes(found.read_bytes().replace(_TEMPLATES.encode(), relative.encode()))
    copy.chmod(0o755)
    for template in (found.parents[2] / _TEMPLATES.lstrip("/")).glob("*.tmpl"):
        shutil.copy(template, folder)
    return ["env", f"--chdir={folder}", str(copy)]


def tool(name: str, *arguments: str, text: str = "", cwd: Path | None = None) -> tuple[int, str]:
    """Run promtool or amtool to its end; give its exit code and all it printed."""
    done = subprocess.run(
        [str(programs() / name), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=cwd,
    )
    return done.returncode, done.stdout + done.stderr


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - a page on this machine
        return json.load(answer)


class Receiver:
    """An HTTP server that keeps what is posted to it and answers as told."""

    def __init__(self, answer: Callable[[int], tuple[int, float]] = lambda _: (200, 0.0)) -> None:
        """`answer` gets the number of the request, from 0, and gives status and delay in seconds."""
        self.bodies: list[Any] = []
        """Of the requests that were answered with 2xx, in order."""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock:
                    number = len(receiver.requests)
                    receiver.requests.append((self.path, dict(self.headers.items()), body))
                    status, delay = answer(number)
                    if 200 <= status < 300:
                        receiver.bodies.append(json.loads(body))
                if delay:
                    time.sleep(delay)
                self.send_response(status)
                if status in {301, 302, 307, 308}:
                    self.send_header("Location", receiver.url + "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def alerts(self, name: str, status: str = "firing") -> list[dict[str, Any]]:
        """Give the alerts of one name that Alertmanager posted."""
        return [
            alert
            for body in list(self.bodies)
            for alert in body["alerts"]
            if alert["labels"]["alertname"] == name and alert["status"] == status
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Observed:
    """A Prometheus that scrapes pages every second, with our rules, and an Alertmanager behind it."""

    def __init__(self, pages: Sequence[str], rules: Mapping[str, str], receiver: str) -> None:
        """Start both. `pages` are addresses of metrics pages, `rules` files by name, `receiver` gets the webhooks."""
        found = programs()
        self._temporary = tempfile.TemporaryDirectory(prefix="prometheus-for-tests-")
        folder = Path(self._temporary.name)
        prometheus, alertmanager = free_ports(2)
        self.url = f"http://127.0.0.1:{prometheus}"
        self.alertmanager = f"http://127.0.0.1:{alertmanager}"
        for name, text in rules.items():
            (folder / name).write_text(text)
        targets = [page.removeprefix("http://").removesuffix("/metrics") for page in pages]
        (folder / "prometheus.yml").write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": [str(folder / name) for name in rules],
                    "scrape_configs": [{"job_name": "privacy-monitor", "static_configs": [{"targets": targets}]}],
                    "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
                }
            )
        )
        (folder / "alertmanager.yml").write_text(
            json.dumps(
                {
                    "route": {"receiver": "hook", "group_by": ["..."], "group_wait": "1s", "group_interval": "1s"},
                    "receivers": [{"name": "hook", "webhook_configs": [{"url": receiver}]}],
                }
            )
        )
        self._processes: list[Process] = [
            spawn(
                "prometheus",
                [
                    str(found / "prometheus"),
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{prometheus}",
                ],
                folder / "prometheus.log",
            ),
            spawn(
                "alertmanager",
                [
                    *alertmanager_command(folder),
                    f"--config.file={folder}/alertmanager.yml",
                    f"--storage.path={folder}/am",
                    f"--web.listen-address=127.0.0.1:{alertmanager}",
                    "--cluster.listen-address=",
                ],
                folder / "alertmanager.log",
            ),
        ]
        if not wait_until(lambda: answers(prometheus) and answers(alertmanager), 30, self._processes):
            tails = "\n".join(process.tail() for process in self._processes)
            self.stop()
            raise Unavailable(f"Prometheus did not start\n{tails}")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Give the result of an instant query."""
        answer = get(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        assert answer["status"] == "success", (expression, answer)
        data = answer["data"]
        found: list[dict[str, Any]] = data["result"] if data["resultType"] == "vector" else [data]
        return found

    def firing(self, name: str) -> list[dict[str, Any]]:
        """Give the alerts of a name that fire."""
        return self.query(f'ALERTS{{alertname="{name}", alertstate="firing"}}')

    def silence(self, *matchers: str) -> None:
        """Silence what matches for an hour, by amtool."""
        code, said = tool(
            "amtool",
            "silence",
            "add",
            *matchers,
            f"--alertmanager.url={self.alertmanager}",
            "--comment=a test",
            "--author=test",
        )
        assert code == 0, said

    def suppressed(self, name: str) -> bool:
        """Say whether Alertmanager holds an alert of this name back."""
        found = get(f"{self.alertmanager}/api/v2/alerts")
        return any(one["labels"]["alertname"] == name and one["status"]["state"] == "suppressed" for one in found)

    def stop(self) -> None:
        stop(self._processes)
        self._temporary.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
