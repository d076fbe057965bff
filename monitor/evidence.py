"""What a backtest said of a rule, kept beside its file: what `rules promote` holds against the rule's gate."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from detectors.rules.plan import Rule
from detectors.rules.ruleset import RuleSet, content_digest
from monitor.backtest import Diff

SUFFIX = ".backtest.json"


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One backtest of one version of a rule."""

    rule: str
    version: str
    content: str
    """Digest of all of the rule that decides what it finds and how it is told."""
    records: int
    hours: float
    """Of event time that the traffic spans."""
    findings: int
    calls_if_live: int
    """Times that on-call would have been called with the rule live."""

    @property
    def calls_per_day(self) -> float:
        """Calls to people a day."""
        return self.calls_if_live * 24 / self.hours if self.hours else 0.0


def file_of(rule: Rule) -> Path:
    """Give the file beside the rule's."""
    return Path(rule.file).with_name(rule.written.id + SUFFIX)


def write_evidence(paths: Sequence[Path], rules: RuleSet, diff: Diff) -> None:
    """Write what a backtest said of each rule whose file is among the paths or in one of them."""
    for rule in rules.rules:
        file = Path(rule.file)
        if any(path == file or path in file.parents for path in paths):
            name = rule.written.id
            evidence = Evidence(
                rule=name,
                version=rule.written.version,
                content=content_digest(rule),
                records=diff.records,
                hours=round(diff.days * 24, 3),
                findings=diff.rules[name].after if name in diff.rules else 0,
                calls_if_live=diff.after.calls_if_live[name],
            )
            file_of(rule).write_bytes(msgspec.json.format(msgspec.json.encode(evidence), indent=2) + b"\n")


def read_evidence(rule: Rule) -> Evidence | None:
    """Read what was kept of a rule; None when there is nothing. Raises ValueError on anything else."""
    try:
        return msgspec.json.decode(file_of(rule).read_bytes(), type=Evidence)
    except FileNotFoundError:
        return None
