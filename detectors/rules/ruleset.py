"""Rule files compiled into what judges: all mistakes of all files at once, or a frozen set with a digest."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from detectors.documents import Problem
from detectors.rules.names import Assessor
from detectors.rules.pack import Pack, is_pack, read_packs
from detectors.rules.plan import Plan, Rule, Trial, plan
from detectors.rules.reading import Knowledge, read_rule
from detectors.rules.values import EvaluationError
from topics.finding import Detector


class PackDigest(NamedTuple):
    """What a pack holds, in short."""

    name: str
    version: str
    """Empty: the folder has no manifest."""
    rules: int
    digest: str
    """SHA-256 (hex) over the content of its rules, lists and macros put in."""


class RuleSet(NamedTuple):
    """Compiled rules. Nothing in it changes."""

    rules: tuple[Rule, ...]
    """Sorted by id; ids are unique."""
    digest: str
    """SHA-256 (hex) over the content of the files, whatever their layout and order."""
    plans: Mapping[Detector, Plan]
    packs: tuple["PackDigest", ...] = ()
    """By name."""

    def of(self, assessor: Assessor) -> tuple[Rule, ...]:
        """Give the rules that read this assessor's facts, by id."""
        return tuple(rule for rule in self.rules if rule.written.assessor == assessor)


def compile_rules(
    files: Mapping[str, str], *, duties: Collection[str] | None = None, recalled: Collection[str] = ()
) -> tuple[RuleSet | None, list[Problem]]:
    """Compile rule files, given as name -> text; or give every mistake in them, by file and line.

    The name's last folder is the pack: `packs/tracking/tracking.gpc-ignored.yaml` holds a rule of the pack `tracking`,
    `packs/tracking/pack.yaml` what its rules share, and `tracking.gpc-ignored.md` anywhere is a runbook.
    With `duties`, the ids of the law pack, a rule that names another duty is a mistake; and so is a rule that accuses
    where all duties that it names are among the `recalled` ones, which nobody checked. With runbooks among the files, a
    rule that names another runbook is a mistake.
    """
    packs, problems = read_packs(files)
    runbooks = frozenset(_stem(file) for file in files if file.endswith(".md"))
    knowledge = Knowledge(packs, duties, recalled, runbooks or None)
    rules: list[Rule] = []
    for file in sorted(files):
        if is_pack(file) or file.endswith(".md"):
            continue
        rule, found = read_rule(file, files[file], knowledge)
        problems += found
        if rule is not None:
            rules.append(rule)
    first: dict[str, str] = {}
    for rule in rules:
        earlier = first.setdefault(rule.written.id, rule.file)
        if earlier != rule.file:
            problems.append(Problem(rule.file, 1, "id", f"{rule.written.id} stands in {earlier} too; ids are unique"))
    if problems:
        # A mistake in a macro is found by every rule that uses it.
        return None, sorted(set(problems))
    rules.sort(key=lambda rule: rule.written.id)
    return RuleSet(tuple(rules), _digest(rules), _plans(rules), _packed(rules, packs)), []


def together(first: RuleSet, second: RuleSet) -> RuleSet:
    """Give a set that speaks where either does; a rule of both stands in it twice."""
    rules = sorted((*first.rules, *second.rules), key=lambda rule: rule.written.id)
    return RuleSet(tuple(rules), _digest(rules), _plans(rules))


def run_tests(ruleset: RuleSet) -> list[Problem]:
    """Run the tests inside the rules; give one problem for each that fails."""
    problems = []
    for rule in ruleset.rules:
        for trial in rule.trials:
            message = outcome_of(rule, trial)
            if message:
                problems.append(Problem(rule.file, trial.line, trial.path, f"test `{trial.name}`: {message}"))
    return problems


def outcome_of(rule: Rule, trial: Trial) -> str:
    """Run one test of a rule: what is wrong, or nothing."""
    try:
        holds = rule.when.holds(trial.facts)
        for condition, _severity in rule.severities:
            condition.holds(trial.facts)
    except EvaluationError as fault:
        return f"the rule failed with {fault.kind}"
    if holds == trial.expects_finding:
        return ""
    return (
        "expected a finding, and there was none" if trial.expects_finding else "expected none, and there was a finding"
    )


def _plans(rules: Sequence[Rule]) -> Mapping[Detector, Plan]:
    return MappingProxyType(
        {
            assessor.detector: plan([each for each in rules if each.written.assessor == assessor])
            for assessor in Assessor
        }
    )


def content_digest(rule: Rule) -> str:
    """Give the digest of what a rule finds and how it is told, whatever its mode, status and gate."""
    content = rule.written.model_dump(mode="json", exclude={"mode", "canary", "status", "gate"})
    texts = [content, rule.when.text, *(each.text for each, _severity in rule.severities)]
    return hashlib.sha256(json.dumps(texts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _digest(rules: Sequence[Rule]) -> str:
    # Conditions count as they run: a changed list or macro changes every rule that uses it.
    content = [
        [rule.written.model_dump(mode="json"), rule.when.text, *(each.text for each, _severity in rule.severities)]
        for rule in rules
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _packed(rules: Sequence[Rule], packs: Mapping[str, Pack]) -> tuple[PackDigest, ...]:
    by_name: dict[str, list[Rule]] = {}
    for rule in rules:
        by_name.setdefault(rule.written.id.partition(".")[0], []).append(rule)
    return tuple(
        PackDigest(name, packs[name].written.version if name in packs else "", len(some), _digest(some))
        for name, some in sorted(by_name.items())
    )


def _stem(file: str) -> str:
    return file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0]
