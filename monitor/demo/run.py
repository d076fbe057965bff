"""The demo's course: start everything, play, watch, drain, tell. Nothing in it is staged.

Broker, ledger, worker and alert plane are real processes, the same that `run` and `alerts` start. The shop plays records
in real formats; what it planted is matched by coordinates to what the monitor wrote to its own topics.
"""

import contextlib
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec
import orjson
from rich.console import Console
from rich.live import Live

from monitor.broker import DEFAULT_PORT, EmbeddedBroker, free_port
from monitor.config import Config
from monitor.demo.page import page, waiting
from monitor.demo.ready import Starting
from monitor.demo.watched import Result, Watched, absorb, conclude
from monitor.kafka import Delivered, LogReader, Settings, Writer, create_topics
from monitor.processes import Child, Supervisor, ourselves
from monitor.shop import Piece, Shop
from topics.catalog import ACCOUNTING, ALERTS, CATALOG, CONSENT, DEAD_LETTERS, FINDINGS, Cleanup, Topic
from topics.record import Outgoing

SOURCES = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx"}
PIECES_PER_SECOND = 200
_DRAIN_SECONDS = 30.0
_SETTLED_SECONDS = 3.0
"""With everything accounted for, alerts that are still on their way arrive within this."""
_PIECES_AT_ONCE = 20
_PAGES_PORT = 9464
_ALERTS_PORT = 9564


def run(seconds: float | None, *, as_json: bool, seed: int, keep: bool) -> int:
    """Run the demo. Gives the exit code: 0, or 1 when what was found is not what was planted."""
    console = Console(stderr=as_json)
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    with contextlib.ExitStack() as cleanup:
        folder = Path(tempfile.mkdtemp(prefix="privacy-monitor-demo-"))
        if not keep:
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        theatre = _Theatre(console, folder, stopping, cleanup)
        theatre.watch(seconds, seed, live=console.is_terminal and not as_json)
        interrupted = stopping.is_set()
        theatre.end(drain=not interrupted)
        result = conclude(theatre.watched, theatre.seconds, theatre.urls)
    if as_json:
        sys.stdout.write(orjson.dumps(msgspec.to_builtins(result), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _print(console, result)
    return 0 if interrupted or result.is_right else 1


class _Theatre:
    """The processes of the demo, and what is seen of them."""

    def __init__(
        self, console: Console, folder: Path, stopping: threading.Event, cleanup: contextlib.ExitStack
    ) -> None:
        self.watched = Watched()
        self._console = console
        self._stopping = stopping
        self._lock = threading.Lock()
        self._closed = threading.Event()
        console.print("Starting an embedded broker, in memory …")
        broker = EmbeddedBroker(folder / "broker.log")
        cleanup.callback(broker.stop)
        if broker.port != DEFAULT_PORT:
            console.print(f"Port {DEFAULT_PORT} is taken; the broker listens on {broker.port}.")
        broker.wait()
        self._settings: Settings = {"bootstrap.servers": broker.bootstrap}
        console.print(f"Creating {len(CATALOG) + len(SOURCES)} topics …")
        sources = [Topic(name, "-", Cleanup.DELETE, -1, "demo traffic") for name in SOURCES.values()]
        create_topics(self._settings, [*CATALOG, *sources], partitions=2, replication=1)
        self._reader = LogReader(self._settings, [FINDINGS.name, ALERTS.name, DEAD_LETTERS.name, ACCOUNTING.name])
        cleanup.callback(self._reader.close)
        pages, alerts = _free_pair(_PAGES_PORT), free_port(_ALERTS_PORT)
        for wanted, port in ((_PAGES_PORT, pages), (_ALERTS_PORT, alerts)):
            if wanted != port:
                console.print(f"Port {wanted} is taken; using {port} instead.")
        config = str(_write_config(folder, broker.bootstrap, pages, alerts))
        # The alert plane takes longest to begin.
        commands = {"alerts": ["alerts"], "ledger": ["ledger"], "worker": ["worker", "--index", "0"]}
        self._supervisor = Supervisor(
            [
                Child(name=name, command=ourselves(*command, "--config", config), output=folder / f"{name}.log")
                for name, command in commands.items()
            ]
        )
        cleanup.callback(self._supervisor.stop, 5.0)
        console.print("Starting the alert plane, the consent ledger and a traffic worker: some seconds …")
        self._supervisor.start()
        self._began = time.monotonic()
        addresses = {
            name: f"http://127.0.0.1:{port}"
            for name, port in (("traffic worker", pages + 1), ("consent ledger", pages), ("alert plane", alerts))
        }
        self._starting = Starting(addresses)
        self.urls = [f"{address}/metrics" for address in addresses.values()]
        console.print(f"Metrics: {self.urls[0]} (worker)  {self.urls[1]} (ledger)  {self.urls[2]} (alert plane)")
        console.print(f"Logs: {folder}. Ctrl-C ends everything.")
        self._player: threading.Thread | None = None

    @property
    def seconds(self) -> float:
        """How long the processes have been running."""
        return time.monotonic() - self._began

    def watch(self, seconds: float | None, seed: int, *, live: bool) -> None:
        """Play traffic and show what the monitor says of it, until the time is over or somebody stops it."""
        self._player = threading.Thread(target=self._play, args=(seed,), daemon=True)
        self._player.start()
        told = 0.0
        with contextlib.ExitStack() as view:
            screen = view.enter_context(Live(console=self._console, refresh_per_second=4)) if live else None
            while not self._stopping.is_set() and (seconds is None or self.seconds < seconds):
                self._look()
                for name in self._starting.ask():
                    self._console.print(f"Ready after {self.seconds:.1f} s: the {name}.")
                if screen is not None:
                    screen.update(page(self.watched, self.urls, self.seconds, self._starting.names))
                elif self.seconds - told > 5:
                    told = self.seconds
                    self._console.print(_line(self.watched, told, self._starting.names))
                self._supervisor.watch()

    def end(self, *, drain: bool) -> None:
        """Stop playing, and read on until everything that was produced is accounted for."""
        self._closed.set()
        if self._player is not None:
            self._player.join(10.0)
        deadline = time.monotonic() + _DRAIN_SECONDS
        quiet_since = time.monotonic()
        while drain and time.monotonic() < deadline and not self._stopping.is_set():
            if self._look():
                quiet_since = time.monotonic()
            if self.watched.is_drained and time.monotonic() - quiet_since > _SETTLED_SECONDS:
                return

    def _look(self) -> int:
        records = self._reader.poll(500, 0.2)
        with self._lock:
            absorb(self.watched, records, self.seconds)
        return len(records)

    def _play(self, seed: int) -> None:
        """Produce the shop's traffic at a steady pace, and note where each plant came to lie."""
        writer = Writer(self._settings)
        stream = Shop(seed, 0, now_ms=lambda: time.time_ns() // 1_000_000).stream()
        began = time.monotonic()
        sent = 0
        while not self._closed.is_set() and not self._stopping.is_set():
            pieces = [next(stream) for _ in range(_PIECES_AT_ONCE)]
            writer.send(
                [Outgoing(SOURCES.get(each.role, CONSENT.name), each.key or b"", each.value) for each in pieces],
                lambda index, where, pieces=pieces: self._note(pieces[index], where),  # type: ignore[misc]
            )
            sent += len(pieces)
            time.sleep(max(0.0, began + sent / PIECES_PER_SECOND - time.monotonic()))

    def _note(self, piece: Piece, where: Delivered) -> None:
        if piece.role == "consent":
            return
        place = where.topic, where.partition
        with self._lock:
            self.watched.produced += 1
            self.watched.ends[place] = max(where.offset + 1, self.watched.ends.get(place, 0))
            if piece.plant is not None:
                self.watched.plants[where.topic, where.partition, where.offset] = piece.plant


def _print(console: Console, result: Result) -> None:
    first = (
        "no alert yet" if result.first_alert_seconds is None else f"first alert after {result.first_alert_seconds} s"
    )
    console.print(
        f"\n{result.records} records in {result.seconds} s, {result.accounted} accounted for; "
        f"{first}; {result.episodes} episodes."
    )
    if not result.accounted:
        console.print("It ended before the worker had judged anything, so the figures below say nothing.")
    console.print(f"Planted violations: {result.planted}. Found: {result.found}. Missed: {len(result.missed)}.")
    console.print(f"Lawful near-misses: {result.near_misses}. Raised: {result.near_misses_raised}.")
    console.print(f"Invented: {len(result.invented)}.")
    console.print(f"Malformed: {result.malformed}. Dead-lettered: {result.malformed_dead_lettered}.")
    for text in [*(f"missed: {each}" for each in result.missed), *(f"invented: {each}" for each in result.invented)][
        :20
    ]:
        console.print("  " + text, markup=False, highlight=False)


def _line(watched: Watched, seconds: float, starting: Sequence[str]) -> str:
    if not watched.judged_records:
        return f"{seconds:5.0f} s  {waiting(starting)}"
    judged = watched.items.get("judged", 0)
    total = max(1, sum(watched.items.values()))
    found = sum(n for (_, verdict), n in watched.findings.items() if verdict == "violation")
    return (
        f"{seconds:5.0f} s  {watched.judged_records / max(1.0, seconds):6.0f} records/s  {judged / total:6.1%} judged  "
        f"{found} violations  {len(watched.alerts)} episodes"
    )


def _write_config(folder: Path, bootstrap: str, pages: int, alerts: int) -> Path:
    """Write the configuration of the demo's processes."""
    secret = folder / "subject.key"
    secret.write_text(secrets.token_hex(32))
    register = folder / "register.yaml"
    register.write_text(resources.files("monitor.shop").joinpath("register.yaml").read_text())
    written = {
        "kafka": {"bootstrap_servers": bootstrap, "group": "privacy-monitor-demo"},
        "shop": {"domains": ["shop.example"]},
        "sources": [
            {"topic": SOURCES["events"], "adapter": "segment", "service": "web-shop"},
            {"topic": SOURCES["kong"], "adapter": "kong", "service": "api-gateway", "body": "request.body"},
            {"topic": SOURCES["nginx"], "adapter": "nginx", "service": "edge"},
        ],
        "subjects": {"key_id": "demo", "secret": {"file": str(secret)}},
        # The embedded broker answers the question for a partition's end wrongly.
        "consent": {"path": str(folder / "ledger.lmdb"), "end_offsets": "fetched", "map_size_mb": 256},
        "register": str(register),
        "http": {"port": pages},
        "alerts": {"port": alerts, "update_seconds": 2},
        # The shop plants what is to be found, and nothing else is counted.
        "canary_seconds": 0,
    }
    Config.model_validate(written)
    file = folder / "monitor.yaml"
    # JSON is YAML.
    file.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))
    return file


def _free_pair(preferred: int) -> int:
    """Find a port whose neighbour is free too: one for the ledger's pages, one for the worker's."""
    for base in range(preferred, preferred + 200, 2):
        if free_port(base) == base and free_port(base + 1) == base + 1:
            return base
    return free_port(0)
