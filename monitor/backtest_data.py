"""The report of a backtest as data: what JSON gives, and what terminal and page show."""

from typing import Any

import msgspec

from alerts.episodes import Episode
from monitor.backtest import Diff, Kind
from topics.distinct import Distinct

MAX_LISTED = 20
"""Episodes that the report names, of each kind."""


def as_data(diff: Diff) -> dict[str, Any]:
    """Give the whole report in built-in types: what JSON and the page show."""
    return {
        "bundles": {"before": diff.bundles[0], "after": diff.bundles[1]},
        "traffic": {
            "records": diff.records,
            "bytes": diff.bytes,
            "first_ms": diff.first_ms,
            "last_ms": diff.last_ms,
            "days": round(diff.days, 4),
        },
        "is_empty": diff.is_empty,
        "changes": {kind.value: diff.changes[kind] for kind in Kind},
        "rules": [_rule(diff, name) for name in sorted(diff.rules) if diff.rules[name].changes],
        "unchanged_rules": sorted(name for name, each in diff.rules.items() if not each.changes),
        "episodes": {
            "before": len(diff.before.episodes),
            "after": len(diff.after.episodes),
            "new": [_episode(each) for each in diff.opened[:MAX_LISTED]],
            "new_count": len(diff.opened),
            "lost": [_episode(each) for each in diff.closed[:MAX_LISTED]],
            "lost_count": len(diff.closed),
            "left_out_folds": diff.before.left_out + diff.after.left_out,
        },
        "calls": {
            "before": diff.before.calls.total(),
            "after": diff.after.calls.total(),
            "after_if_live": diff.after.calls_if_live.total(),
            "per_day_before": _daily(diff, diff.before.calls.total()),
            "per_day_after": _daily(diff, diff.after.calls.total()),
        },
        "faults": {"before": diff.before.faults, "after": diff.after.faults},
    }


def _rule(diff: Diff, name: str) -> dict[str, Any]:
    each = diff.rules[name]
    return {
        "rule": name,
        "before": each.before,
        "after": each.after,
        "changes": {
            kind.value: {
                "findings": number,
                "persons": len(each.persons[kind]),
                "persons_exact": each.persons[kind].is_exact,
                "examples": [msgspec.to_builtins(example) for example in each.examples[kind]],
            }
            for kind, number in sorted(each.changes.items())
        },
        "calls_before": diff.before.calls[name],
        "calls_after": diff.after.calls[name],
        "calls_after_if_live": diff.after.calls_if_live[name],
    }


def _episode(each: Episode) -> dict[str, Any]:
    return {
        "rule": each.rule,
        "severity": each.severity.value,
        "mode": each.mode.value,
        "verdict": each.verdict.value,
        "exemption": each.exemption,
        "group": dict(each.group),
        "findings": each.findings,
        "persons": len(Distinct.decode(each.subjects)),
    }


def _daily(diff: Diff, calls: int) -> float | None:
    return round(calls / diff.days, 2) if diff.is_long else None
