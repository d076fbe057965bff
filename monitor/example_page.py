"""The example of the documentation: some of the demo shop's planted mistakes, judged, made episodes and drawn as they are anywhere.

Nothing in it is written by hand. The key of the subjects and the name of the bundle are the example's own, so that the page
changes only when what it shows does.
"""

import io
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path

import msgspec
import orjson
from rich.console import Console

from alerts.episodes import Policy, step
from alerts.related import relate
from alerts.state import Episode
from alerts.text import Links, plain, told
from detectors.consent.ledger import Choice, Coverage, Word
from monitor.context import load_shipped
from monitor.pipeline import Outcome, process
from monitor.shop import Shop
from monitor.shop.pieces import Piece
from monitor.tallies import Start
from monitor.top import Seen, page
from topics.accounting import Accounting
from topics.adapters import make
from topics.alert import Alert
from topics.consent import read as read_consent
from topics.observation import AdapterOptions
from topics.record import RawRecord, Rejected
from topics.subject import SubjectKey

_KEY = SubjectKey("k1", b"the key of the example, for nothing else")
_BUNDLE = "e0a3000000000000"
_START_MS = 1_793_606_400_000
"""The morning of 2 November 2026, in UTC."""
_SEED, _PIECES, _EACH = 7, 4_000, 3
_SHOWN = (
    "refusal-on-record",
    "gpc-at-gateway",
    "helpdesk-not-registered",
    "birth-date-at-shipping",
    "location-in-address",
)
_RULE, _PLACE = "tracking.opt-out-ignored", "US-CA"
_ADAPTERS = {
    "shop.events": ("segment", AdapterOptions(service="web-shop")),
    "shop.kong": ("kong", AdapterOptions(service="api-gateway", body="request.body")),
}
_SETTLE_MS = 1_500
_WIDTH = 132


class _Recorded:
    """The consent ledger of the example."""

    mark = "0:0"

    def __init__(self) -> None:
        self._choices: dict[str, list[Choice]] = {}

    def add(self, record: RawRecord) -> None:
        found = read_consent(record, _KEY)
        if not isinstance(found, Rejected):
            subjects, said = found
            choice = Choice(
                said.at_ms, record.offset, record.timestamp_ms, Word(said.granted, said.refused, "", record.topic, 0)
            )
            for subject in subjects:
                self._choices.setdefault(subject, []).append(choice)

    def coverage(self, broker_ms: int) -> Coverage:
        del broker_ms
        return Coverage.READY

    def choices(self, subjects: tuple[str, ...] | list[str]) -> list[Choice]:
        return [choice for subject in subjects for choice in self._choices.get(subject, ())]

    def choices_of(self, people: list[tuple[str, ...]]) -> list[list[Choice]]:
        return [self.choices(subjects) for subjects in people]


class Example(msgspec.Struct, frozen=True):
    """What the example came to."""

    records: tuple[RawRecord, ...]
    """What was judged, with all that is personal in it."""
    alerts: tuple[Alert, ...]
    """Of each episode the newest."""
    accounting: tuple[Accounting, ...]
    now_ms: int


@cache
def example() -> Example:
    """Judge the example's traffic."""
    ledger, records = _Recorded(), []
    for number, piece in enumerate(islice(Shop(_SEED, _START_MS).stream(), _PIECES)):
        record = RawRecord(_topic(piece), 0, number, piece.at_ms + 20, piece.key, piece.value)
        if piece.role == "consent":
            ledger.add(record)
        elif piece.plant is not None and piece.plant.kind in _SHOWN:
            records.append((piece.plant.kind, record))
    seen = dict.fromkeys(_SHOWN, 0)
    chosen: list[RawRecord] = []
    for kind, record in records:
        seen[kind] += 1
        if seen[kind] <= _EACH:
            # One after the other, as if there were nothing else on the topic.
            offset = sum(each.topic == record.topic for each in chosen)
            chosen.append(record._replace(offset=offset))
    register = resources.files("monitor.shop").joinpath("register.yaml")
    loaded = load_shipped(domains=["shop.example"], register_file=Path(str(register)))
    loaded = msgspec.structs.replace(loaded, know=msgspec.structs.replace(loaded.know, key=_KEY), bundle=_BUNDLE)
    adapters = {topic: make(name, options) for topic, (name, options) in _ADAPTERS.items()}
    context = msgspec.structs.replace(loaded.context(adapters, "example"), ledger=ledger)
    outcomes = [(record, process([record], context, {(record.topic, 0): Start(record.offset)})) for record in chosen]
    now_ms = max(record.timestamp_ms for record in chosen) + 2 * _SETTLE_MS
    return Example(
        tuple(chosen),
        _told(outcomes),
        tuple(each for _, outcome in outcomes for each in outcome.accounting),
        now_ms,
    )


@cache
def example_page() -> str:
    """Give the page: the terminal, and one episode in words and as it stands on its topic."""
    found = example()
    shown = next(alert for alert in found.alerts if (alert.rule, alert.jurisdiction) == (_RULE, _PLACE))
    record = orjson.dumps(msgspec.to_builtins(shown), option=orjson.OPT_INDENT_2).decode()
    return "\n".join(
        (
            "# An example",
            "",
            "Generated by `make docs` from some of the demo shop's planted mistakes; do not edit.",
            "Persons are keyed hashes, and evidence is a place and never a value.",
            "",
            "## `privacy-monitor top`",
            "",
            "```text",
            _drawn(found),
            "```",
            "",
            "## An episode in words",
            "",
            "As every sink tells it.",
            "",
            "```text",
            plain(told(shown, Links(runbooks="https://docs.shop.example/runbooks"))),
            "```",
            "",
            "## The same as a record of `privacy.alerts.v1`",
            "",
            "```json",
            record,
            "```",
            "",
        )
    )


def _topic(piece: Piece) -> str:
    return {"events": "shop.events", "kong": "shop.kong", "nginx": "shop.nginx"}.get(piece.role, "privacy.consent.v1")


def _told(outcomes: list[tuple[RawRecord, Outcome]]) -> tuple[Alert, ...]:
    """Make episodes of the findings as the alert plane does, and give the newest alert of each."""
    episodes: dict[str, Episode] = {}
    newest: dict[str, Alert] = {}
    for record, outcome in outcomes:
        for fold in outcome.folds:
            known = episodes.get(fold.episode_key)
            episode, alerts = step(known, fold, record.timestamp_ms + _SETTLE_MS, Policy())
            episode = relate(episode, episodes.values())
            episodes[fold.episode_key] = episode
            for alert in alerts:
                newest[alert.episode_key] = msgspec.structs.replace(alert, related=episode.related)
    return tuple(newest.values())


def _drawn(found: Example) -> str:
    now = found.now_ms / 1000
    seen = Seen(tuple(_ADAPTERS), {alert.episode_key: alert for alert in found.alerts})
    times = [record.timestamp_ms / 1000 for record in found.records]
    seen.recent = list(zip(times, found.accounting, strict=True))
    for at, account in seen.recent:
        seen.last[account.topic] = max(at, seen.last.get(account.topic, 0.0))
    out = io.StringIO()
    console = Console(file=out, width=_WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(page(seen, now))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())
