"""The demo: the whole monitor on an embedded broker, watching a simulated shop. Nothing in it is staged.

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
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import orjson
from rich.console import Console
from rich.live import Live

from monitor.broker import DEFAULT_PORT, EmbeddedBroker, free_port
from monitor.config import Config
from monitor.demo_page import page
from monitor.kafka import Delivered, LogReader, Outgoing, Settings, Writer, create_topics
from monitor.processes import Child, Supervisor, ourselves
from monitor.shop import Plant, Shop
from topics.accounting import Accounting, DeadLetter
from topics.alert import Alert
from topics.catalog import ACCOUNTING, ALERTS, CATALOG, DEAD_LETTERS, FINDINGS, Cleanup, Topic
from topics.finding import Fold, Verdict
from topics.record import Place

SOURCES = {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx"}
PIECES_PER_SECOND = 200
_DRAIN_SECONDS = 30.0
_BATCH = 20

_FOLD = msgspec.json.Decoder(Fold)
_ALERT = msgspec.json.Decoder(Alert)
_LETTER = msgspec.json.Decoder(DeadLetter)
_ACCOUNT = msgspec.json.Decoder(Accounting)

Coordinates = tuple[str, int, int]
"""Topic, partition, offset."""


class Watched(msgspec.Struct):
    """What the topics of the monitor have told so far: the demo page is a projection of it."""

    produced: int = 0
    judged_offsets: dict[Place, int] = msgspec.field(default_factory=dict)
    items: Counter[str] = msgspec.field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """(detector, verdict) -> findings."""
    found: dict[Coordinates, set[str]] = msgspec.field(default_factory=dict)
    """Where violations were found, and by which detectors."""
    dead: set[Coordinates] = msgspec.field(default_factory=set)
    alerts: dict[str, Alert] = msgspec.field(default_factory=dict)
    plants: dict[Coordinates, Plant] = msgspec.field(default_factory=dict)
    ends: dict[Place, int] = msgspec.field(default_factory=dict)
    """The offset after the last that was produced, by partition."""
    first_alert_seconds: float | None = None
    rate: float = 0.0

    @property
    def judged_records(self) -> int:
        """Count the offsets that the accounting covers."""
        return sum(self.judged_offsets.values())

    @property
    def is_drained(self) -> bool:
        """Tell whether the accounting covers all that was produced."""
        return all(self.judged_offsets.get(place, 0) >= end for place, end in self.ends.items())


class Result(msgspec.Struct, frozen=True):
    """What the demo says at its end."""

    seconds: float
    records: int
    accounted: int
    items: dict[str, int]
    planted: int
    found: int
    missed: list[str]
    invented: list[str]
    near_misses: int
    near_misses_raised: int
    malformed: int
    malformed_dead_lettered: int
    findings: dict[str, int]
    episodes: int
    first_alert_seconds: float | None
    metrics: list[str]

    @property
    def is_right(self) -> bool:
        """Tell whether all was found, nothing invented, and every record accounted for."""
        return (
            not self.missed
            and not self.invented
            and self.accounted == self.records
            and self.malformed == self.malformed_dead_lettered
        )


def run(seconds: float | None, *, as_json: bool, seed: int, keep: bool) -> int:
    """Run the demo. Gives the exit code: 0, or 1 when what was found is not what was planted."""
    console = Console(stderr=as_json)
    folder = Path(tempfile.mkdtemp(prefix="privacy-monitor-demo-"))
    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    with contextlib.ExitStack() as cleanup:
        if not keep:
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        return _run(seconds, console, folder, stopping, cleanup, as_json=as_json, seed=seed)


def _run(  # noqa: PLR0913 - one call, from `run`
    seconds: float | None,
    console: Console,
    folder: Path,
    stopping: threading.Event,
    cleanup: contextlib.ExitStack,
    *,
    as_json: bool,
    seed: int,
) -> int:
    console.print("Starting the embedded broker, the consent ledger, a traffic worker and the alert plane …")
    broker = EmbeddedBroker(folder / "broker.log")
    cleanup.callback(broker.stop)
    if broker.port != DEFAULT_PORT:
        console.print(f"Port {DEFAULT_PORT} is taken; the broker listens on {broker.port}.")
    broker.wait()
    settings: Settings = {"bootstrap.servers": broker.bootstrap}
    sources = [Topic(name, "-", Cleanup.DELETE, -1, "demo traffic") for name in SOURCES.values()]
    create_topics(settings, [*CATALOG, *sources], partitions=2, replication=1)
    config_file, ports = _write_config(folder, broker.bootstrap)
    for wanted, port in ports.items():
        if wanted != port:
            console.print(f"Port {wanted} is taken; using {port} instead.")
    supervisor = Supervisor(
        [
            Child(name=name, command=ourselves(*command, "--config", str(config_file)), output=folder / f"{name}.log")
            for name, command in (
                ("ledger", ["ledger"]),
                ("worker", ["worker", "--index", "0"]),
                ("alerts", ["alerts"]),
            )
        ]
    )
    cleanup.callback(supervisor.stop, 5.0)
    supervisor.start()
    base, alerts_port = (ports[key] for key in list(ports))
    urls = [f"http://127.0.0.1:{port}/metrics" for port in (base + 1, base, alerts_port)]
    console.print(f"Metrics: {urls[0]} (worker)  {urls[1]} (ledger)  {urls[2]} (alert plane)")
    console.print(f"Logs: {folder}  Ctrl-C ends everything.")

    watched = Watched()
    lock = threading.Lock()
    began = time.monotonic()
    player = threading.Thread(target=_play, args=(settings, watched, lock, stopping, seed), daemon=True)
    reader = LogReader(settings, [FINDINGS.name, ALERTS.name, DEAD_LETTERS.name, ACCOUNTING.name])
    cleanup.callback(reader.close)
    player.start()

    def is_over() -> bool:
        return stopping.is_set() or (seconds is not None and time.monotonic() - began >= seconds)

    interrupted = _watch(console, watched, lock, reader, supervisor, urls, began, is_over, quiet=as_json)
    if not stopping.is_set() and seconds is not None:
        stopping.set()
        player.join(10.0)
        _drain(watched, lock, reader)
    stopping.set()
    player.join(10.0)
    result = _result(watched, time.monotonic() - began, urls)
    if as_json:
        sys.stdout.write(orjson.dumps(msgspec.to_builtins(result), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _print(console, result)
    if interrupted or seconds is None:
        return 0
    return 0 if result.is_right else 1


def _watch(  # noqa: PLR0913 - one call, from `_run`
    console: Console,
    watched: Watched,
    lock: threading.Lock,
    reader: LogReader,
    supervisor: Supervisor,
    urls: list[str],
    began: float,
    is_over: Callable[[], bool],
    *,
    quiet: bool,
) -> bool:
    """Show the page until it is over. Tells whether it ended before its time."""
    live = console.is_terminal and not quiet
    told = 0.0
    with Live(console=console, refresh_per_second=4, screen=False) if live else contextlib.nullcontext() as view:
        while not is_over():
            records = reader.poll(500, 0.2)
            with lock:
                absorb(watched, records, time.monotonic() - began)
                watched.rate = watched.judged_records / max(0.1, time.monotonic() - began)
                if view is not None:
                    view.update(page(watched, urls, time.monotonic() - began))
            if view is None and not quiet and time.monotonic() - told > 5:
                told = time.monotonic()
                console.print(_line(watched, told - began))
            supervisor.watch()
    return False


def _drain(watched: Watched, lock: threading.Lock, reader: LogReader) -> None:
    """Read on until everything that was produced is accounted for, and the last alerts have come."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < deadline:
        records = reader.poll(500, 0.2)
        with lock:
            absorb(watched, records, 0.0)
            drained = watched.is_drained
        if records:
            quiet_since = time.monotonic()
        if drained and time.monotonic() - quiet_since > 2.0:
            return


def absorb(watched: Watched, records: list, seconds: float) -> None:  # type: ignore[type-arg]
    """Take in records of the monitor's own topics."""
    for record in records:
        if record.value is None:
            continue
        if record.topic == ACCOUNTING.name:
            account = _ACCOUNT.decode(record.value)
            place = account.topic, account.partition
            watched.judged_offsets[place] = max(account.end, watched.judged_offsets.get(place, 0))
            watched.items.update(account.items)
        elif record.topic == DEAD_LETTERS.name:
            letter = _LETTER.decode(record.value)
            watched.dead.add((letter.topic, letter.partition, letter.offset))
        elif record.topic == FINDINGS.name:
            _absorb_fold(watched, _FOLD.decode(record.value))
        elif record.topic == ALERTS.name:
            alert = _ALERT.decode(record.value)
            watched.alerts[alert.episode_key] = alert
            if watched.first_alert_seconds is None:
                watched.first_alert_seconds = seconds


def _absorb_fold(watched: Watched, fold: Fold) -> None:
    watched.findings[fold.detector.value, fold.verdict.value] += fold.count
    if fold.verdict is not Verdict.VIOLATION:
        return
    offset = 0
    for delta, _minute, _count in fold.offsets:
        offset += delta
        watched.found.setdefault((fold.topic, fold.partition, offset), set()).add(fold.detector.value)


def _play(settings: Settings, watched: Watched, lock: threading.Lock, stopping: threading.Event, seed: int) -> None:
    """Produce the shop's traffic at a steady pace, and note where each plant came to lie."""
    writer = Writer(settings)
    stream = Shop(seed, now_ms=lambda: time.time_ns() // 1_000_000).stream()
    began = time.monotonic()
    sent = 0
    while not stopping.is_set():
        pieces = [next(stream) for _ in range(_BATCH)]
        outgoing = [
            Outgoing(SOURCES.get(piece.role, "privacy.consent.v1"), piece.key or b"", piece.value) for piece in pieces
        ]

        def note(index: int, where: Delivered, pieces: list = pieces) -> None:  # type: ignore[type-arg]
            if pieces[index].role == "consent":
                return
            place = where.topic, where.partition
            with lock:
                watched.produced += 1
                watched.ends[place] = max(where.offset + 1, watched.ends.get(place, 0))
                if pieces[index].plant is not None:
                    watched.plants[where.topic, where.partition, where.offset] = pieces[index].plant

        writer.send(outgoing, note)
        sent += len(pieces)
        time.sleep(max(0.0, began + sent / PIECES_PER_SECOND - time.monotonic()))


def _result(watched: Watched, seconds: float, urls: list[str]) -> Result:
    violations = {place: plant for place, plant in watched.plants.items() if plant.expected == "violation"}
    near = {place: plant for place, plant in watched.plants.items() if plant.expected == "near-miss"}
    malformed = {place for place, plant in watched.plants.items() if plant.expected == "dead-letter"}
    missed = [
        f"{plant.kind} at {_where(place)}"
        for place, plant in sorted(violations.items())
        if plant.detector not in watched.found.get(place, set())
    ]
    invented = [
        f"{detector} at {_where(place)}" + (f" (near miss: {near[place].kind})" if place in near else "")
        for place, detectors in sorted(watched.found.items())
        for detector in sorted(detectors)
        if place not in violations or violations[place].detector != detector
    ]
    return Result(
        seconds=round(seconds, 1),
        records=watched.produced,
        accounted=watched.judged_records,
        items=dict(sorted(watched.items.items())),
        planted=len(violations),
        found=len(violations) - len(missed),
        missed=missed,
        invented=invented,
        near_misses=len(near),
        near_misses_raised=sum(place in watched.found for place in near),
        malformed=len(malformed),
        malformed_dead_lettered=len(malformed & watched.dead),
        findings={f"{detector}/{verdict}": number for (detector, verdict), number in sorted(watched.findings.items())},
        episodes=len(watched.alerts),
        first_alert_seconds=None if watched.first_alert_seconds is None else round(watched.first_alert_seconds, 1),
        metrics=urls,
    )


def _print(console: Console, result: Result) -> None:
    console.print(
        f"\n{result.records} records in {result.seconds} s, {result.accounted} accounted for; "
        f"first alert after {result.first_alert_seconds} s; {result.episodes} episodes."
    )
    console.print(f"Planted violations: {result.planted}. Found: {result.found}. Missed: {len(result.missed)}.")
    console.print(f"Lawful near-misses: {result.near_misses}. Raised: {result.near_misses_raised}.")
    console.print(f"Invented: {len(result.invented)}.")
    console.print(f"Malformed: {result.malformed}. Dead-lettered: {result.malformed_dead_lettered}.")
    for text in [*(f"missed: {each}" for each in result.missed), *(f"invented: {each}" for each in result.invented)][:20]:
        console.print("  " + text, markup=False, highlight=False)


def _line(watched: Watched, seconds: float) -> str:
    judged = watched.items.get("judged", 0)
    total = max(1, sum(watched.items.values()))
    found = sum(n for (_, verdict), n in watched.findings.items() if verdict == "violation")
    return (
        f"{seconds:5.0f} s  {watched.rate:6.0f} records/s  {judged / total:6.1%} judged  "
        f"{found} violations  {len(watched.alerts)} episodes"
    )


def _where(place: Coordinates) -> str:
    return f"{place[0]}/{place[1]}/{place[2]}"


def _write_config(folder: Path, bootstrap: str) -> tuple[Path, dict[int, int]]:
    """Write the configuration of the demo's processes. Gives it with the ports that were wanted and are used."""
    pages, alerts = 9464, 9564
    ports = {pages: _free_pair(pages), alerts: free_port(alerts)}
    secret = folder / "subject.key"
    secret.write_text(secrets.token_hex(32))
    register = folder / "register.yaml"
    register.write_text((Path(__file__).parent / "shop" / "register.yaml").read_text())
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
        "http": {"port": ports[pages]},
        "alerts": {"port": ports[alerts]},
    }
    Config.model_validate(written)
    file = folder / "monitor.yaml"
    # JSON is YAML.
    file.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))
    return file, ports


def _free_pair(preferred: int) -> int:
    """Find a port whose neighbour is free too: one for the ledger's pages, one for the worker's."""
    for base in range(preferred, preferred + 200, 2):
        if free_port(base) == base and free_port(base + 1) == base + 1:
            return base
    return free_port(0)


