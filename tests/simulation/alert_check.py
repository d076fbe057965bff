"""What must hold of the alert plane's topics in the end, by plain counting. It imports nothing that it judges."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from tests.simulation.alert_facts import KEYS, Facts, people
from tests.simulation.broker import Entry

_COUNTED = ("findings", "first_at_ms", "last_at_ms", "subjects")
_BULK = "transfers.bulk-threshold"
_ONE_ALERT = ("episode_id", "revision", "change", "state", "severity", "why", "due", *_COUNTED)
"""What an alert that is told again has in common with itself. The time and related episodes are those of the moment."""
Log = Sequence[tuple[bytes, bytes | None]]


def check(
    facts: Facts, alerts: Log, remembered: Log, findings: Log, totals: Log, *, exactly_once: bool, resolves: bool
) -> Iterator[str]:
    """Give what is wrong."""
    told = [json.loads(value or b"null") for _, value in alerts]
    yield from _counts(facts, told, remembered, resolves=resolves)
    yield from _history(told, exactly_once=exactly_once, resolves=resolves)
    yield from _declarations(facts, told, remembered, exactly_once=exactly_once)
    yield from _totals(facts, told, findings, totals, exactly_once=exactly_once)


def check_quiet(alerts: Log, findings: Sequence[Entry], quiet_seconds: float) -> Iterator[str]:
    """Give which episodes were told to be quiet while something new of them had been there for less than the quiet time."""
    fresh: defaultdict[str, list[int]] = defaultdict(list)
    counted: set[tuple[str, int, int]] = set()
    for each in findings:
        fold = _json(each.value)
        if fold.get("episode_key") in KEYS:
            offsets = accumulate(distance for distance, _, _ in fold["offsets"])
            its = {(fold["episode_key"], fold["partition"], offset) for offset in offsets}
            if its - counted:
                fresh[fold["episode_key"]].append(each.timestamp_ms)
                counted |= its
    for _, value in alerts:
        alert = _json(value)
        if alert["change"] in {"quiet", "resolved"}:
            noise = [at for at in fresh[alert["episode_key"]] if 0 < alert["at_ms"] - at < quiet_seconds * 1000]
            if noise:
                yield f"{alert['episode_key']} was called {alert['change']} at {alert['at_ms']}, with news at {noise}"


def check_forgotten(facts: Facts, alerts: Log, remembered: Log) -> Iterator[str]:
    """Give what is wrong after so long a silence that everything is over and may be dropped."""
    newest = {alert["episode_key"]: alert for alert in (json.loads(value or b"null") for _, value in alerts)}
    for key in facts.counts():
        if newest[key]["state"] != "resolved":
            yield f"{key} is {newest[key]['state']} for ever"
    kept = [key for key, value in dict(remembered).items() if value is not None]
    if kept:
        yield f"remembered for ever: {kept}"


def _counts(facts: Facts, told: list[dict[str, Any]], remembered: Log, *, resolves: bool) -> Iterator[str]:
    """Hold the newest alert of each episode, and what is remembered of it, against plain counting."""
    newest: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for alert in told:
        its = newest[alert["episode_key"]]
        # The newest record counts, and the newest episode stands last.
        its.pop(alert["episode_id"], None)
        its[alert["episode_id"]] = alert
    values = {key.decode(): json.loads(value) for key, value in dict(remembered).items() if value is not None}
    truth = facts.counts()
    if strange := set(newest) & set(KEYS) - set(truth):
        yield f"episodes of nothing: {strange}"
    for key, counted in truth.items():
        episodes = list(newest[key].values())
        value = values.get(key)
        if not episodes or value is None:
            yield f"{key} was never told or is not remembered"
            continue
        sums = {
            "findings": sum(each["findings"] for each in episodes),
            "first_at_ms": min(each["first_at_ms"] for each in episodes),
            "last_at_ms": max(each["last_at_ms"] for each in episodes),
            # Whom two episodes of a key share cannot be told from their numbers.
            "subjects": counted["subjects"] if resolves else episodes[-1]["subjects"],
        }
        if sums != counted:
            yield f"{key}: told {sums}, true {counted}"
        same = ("episode_id", "revision", "state", *_COUNTED[:3])
        if [value[name] for name in same] != [episodes[-1][name] for name in same]:
            yield f"{key}: the newest alert is not what is remembered"
        if len(people(value["subjects"])) != episodes[-1]["subjects"]:
            yield f"{key}: {value['subjects']} remembered, {episodes[-1]['subjects']} told"
        if value["state"] != ("resolved" if resolves else "quiet"):
            yield f"{key} is {value['state']} in the end"


def _history(told: list[dict[str, Any]], *, exactly_once: bool, resolves: bool) -> Iterator[str]:
    """Hold all alerts that were ever told against each other."""
    revisions: defaultdict[str, set[int]] = defaultdict(set)
    opened: defaultdict[str, set[str]] = defaultdict(set)
    alerts: dict[str, list[Any]] = {}
    for alert in told:
        revisions[alert["episode_id"]].add(alert["revision"])
        opened[alert["episode_key"]].add(alert["episode_id"])
        content = [alert[name] for name in _ONE_ALERT]
        if alerts.setdefault(alert["alert_id"], content) != content:
            yield f"{alert['alert_id']} names two alerts: {content} and {alerts[alert['alert_id']]}"
    for episode, known in revisions.items():
        if known != set(range(1, max(known) + 1)):
            yield f"{episode}: a change was never told, of {sorted(known)}"
    if not resolves:
        yield from (f"{key} has episodes {ids}" for key, ids in opened.items() if len(ids) > 1)
    if exactly_once:
        again = [each for each, count in Counter(alert["alert_id"] for alert in told).items() if count > 1]
        if again:
            yield f"told twice: {again}"
        by_revision = Counter((alert["episode_id"], alert["revision"]) for alert in told)
        if two := [each for each, count in by_revision.items() if count > 1]:
            yield f"two alerts of one revision: {two}"


def _declarations(facts: Facts, told: list[dict[str, Any]], remembered: Log, *, exactly_once: bool) -> Iterator[str]:
    """Each is taken once: what is remembered goes through the states that were declared, in their order, to the last."""
    states: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, value in remembered:
        if value is not None:
            episode = json.loads(value)
            known, state = states[episode["episode_key"]], {"declared": episode["declared"], "met": episode["met"]}
            if not known or known[-1] != state:
                known.append(state)
    for key, declared in facts.states.items():
        ahead = iter(declared)
        if not all(state in ahead for state in states[key]):
            yield f"{key}: declared {declared}, remembered {states[key]}"
        elif states[key][-1] != declared[-1]:
            yield f"{key}: {declared[-1]} was declared, and {states[key][-1]} is remembered"
        alerts = {alert["alert_id"] for alert in told if alert["episode_key"] == key and "; declared: " in alert["why"]}
        if len(alerts) < len(declared) - 1 or (exactly_once and len(alerts) != len(declared) - 1):
            yield f"{key}: {len(declared) - 1} changes were declared, and {len(alerts)} told"


def _totals(
    facts: Facts, told: list[dict[str, Any]], findings: Log, totals: Log, *, exactly_once: bool
) -> Iterator[str]:
    months: dict[tuple[str, str], set[str]] = {}
    for key, value in dict(totals).items():
        for month, persons in json.loads(value or b"null")["months"].items():
            months[key.decode().rpartition("/")[2], month] = people(persons)
    if months != facts.months():
        yield f"totals {months}, true {facts.months()}"
    counted: Counter[tuple[str, str]] = Counter()
    newest = {alert["episode_id"]: alert for alert in told if alert["rule"] == _BULK}
    for alert in newest.values():
        counted[alert["recipient"], alert["verdict"]] += alert["findings"]
    if counted != facts.reached():
        yield f"thresholds {counted}, true {facts.reached()}"
    if exactly_once:
        folds = [_json(value) for _, value in findings]
        written = Counter((each["recipient"], each["verdict"]) for each in folds if each.get("rule") == _BULK)
        if written != facts.reached():
            yield f"findings of thresholds {written}, true {facts.reached()}"


def _json(value: bytes | None) -> dict[str, Any]:
    """Read a record; what is none of ours holds nothing."""
    try:
        read = json.loads(value or b"null")
    except ValueError:
        return {}
    return read or {}
