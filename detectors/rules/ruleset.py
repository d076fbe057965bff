"""Rule files compiled into what judges: all mistakes of all files at once, or a frozen set with a digest."""

import hashlib
import json
import operator
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from detectors import documents
from detectors.documents import Problem, line_of
from detectors.rules.language import Expression, compile_expression
from detectors.rules.model import RuleFile, is_named
from detectors.rules.names import Assessor, Kind, assessment, readable, suggestion
from detectors.rules.plan import Plan, Rule, Trial, plan
from detectors.rules.positions import place
from detectors.rules.sentences import compile_sentence
from detectors.rules.subset import Mistake
from detectors.rules.values import EvaluationError
from topics.finding import Detector, Mode, Severity, Verdict


class RuleSet(NamedTuple):
    """Compiled rules. Nothing in it changes."""

    rules: tuple[Rule, ...]
    """Sorted by id; ids are unique."""
    digest: str
    """SHA-256 (hex) over the content of the files, whatever their layout and order."""
    plans: Mapping[Detector, Plan]

    def of(self, assessor: Assessor) -> tuple[Rule, ...]:
        """Give the rules that read this assessor's facts, by id."""
        return tuple(rule for rule in self.rules if rule.written.assessor == assessor)


def compile_rules(
    files: Mapping[str, str], *, duties: Collection[str] | None = None, recalled: Collection[str] = ()
) -> tuple[RuleSet | None, list[Problem]]:
    """Compile rule files, given as name -> text; or give every mistake in them, by file and line.

    The name's last folder is the pack: `packs/tracking/tracking.gpc-ignored.yaml` holds a rule of the pack `tracking`.
    With `duties`, the ids of the law pack, a rule that names another duty is a mistake; and so is a rule that accuses
    where all duties that it names are among the `recalled` ones, which nobody checked.
    """
    rules: list[Rule] = []
    problems: list[Problem] = []
    for file in sorted(files):
        rule, found = _compile(file, files[file], duties, recalled)
        problems += found
        if rule is not None:
            rules.append(rule)
    first: dict[str, str] = {}
    for rule in rules:
        earlier = first.setdefault(rule.written.id, rule.file)
        if earlier != rule.file:
            problems.append(Problem(rule.file, 1, "id", f"{rule.written.id} stands in {earlier} too; ids are unique"))
    if problems:
        return None, sorted(problems)
    rules.sort(key=lambda rule: rule.written.id)
    plans = {
        assessor.detector: plan([rule for rule in rules if rule.written.assessor == assessor]) for assessor in Assessor
    }
    return RuleSet(tuple(rules), _digest(rules), MappingProxyType(plans)), []


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


class _Source(NamedTuple):
    """A rule file as it was written."""

    file: str
    text: str
    document: Any

    def problem(self, path: Sequence[int | str], message: str) -> Problem:
        return Problem(self.file, line_of(self.document, path), ".".join(map(str, path)), message)

    def problem_inside(self, path: Sequence[int | str], value: str, mistake: Mistake) -> Problem:
        line, column = place(self.text, self.document, path, value, mistake.offset)
        return Problem(self.file, line, ".".join(map(str, path)), mistake.message, column)


def _compile(
    file: str, text: str, duties: Collection[str] | None, recalled: Collection[str]
) -> tuple[Rule | None, list[Problem]]:
    document, problems = documents.load(text, file)
    if problems:
        return None, problems
    written, problems = documents.validate(document, file, RuleFile)
    source = _Source(file, text, document)
    if written is None:
        # What can be said about the condition is said now, so that one round of corrections is enough.
        return None, problems + _mistakes_of_condition(source)
    return _Reading(source, written).rule(duties, recalled)


def _mistakes_of_condition(source: _Source) -> list[Problem]:
    document = source.document
    if not isinstance(document, Mapping) or document.get("assessor") not in set(Assessor):
        return []
    when = document.get("when")
    if not isinstance(when, str):
        return []
    _expression, mistakes = compile_expression(when, Assessor(document["assessor"]))
    return [source.problem_inside(("when",), when, mistake) for mistake in mistakes]


class _Reading:
    """One valid file on its way to a rule; collects what is wrong with its meaning."""

    def __init__(self, source: _Source, written: RuleFile) -> None:
        self._source, self._written = source, written
        self._problems: list[Problem] = []

    def rule(self, duties: Collection[str] | None, recalled: Collection[str] = ()) -> tuple[Rule | None, list[Problem]]:
        written = self._written
        self._check_identity()
        for number, duty in enumerate(written.law):
            if duties is not None and not any(is_named(known, duty) for known in duties):
                self._report(("law", number), f"the law pack has no duty {duty}{suggestion(duty, duties)}")
        self._check_ground(duties or (), recalled)
        if written.canary and written.mode is not Mode.LIVE:
            self._report(("canary",), "a canary is a share of a live rule; set `mode: live` or remove it")
        when = self._expression(("when",), written.when)
        severities = [
            (self._expression(("severity_when", number, "when"), each.when), each.severity)
            for number, each in enumerate(written.severity_when)
        ]
        groups = self._groups()
        why, mistakes = compile_sentence(written.why, written.assessor)
        for message in mistakes:
            self._report(("why",), message)
        trials = self._trials()
        if self._problems or when is None or why is None:
            return None, self._problems
        escalations = tuple((condition, severity) for condition, severity in severities if condition is not None)
        major = written.version.partition(".")[0]
        percent = int(written.canary.removesuffix("%")) if written.canary else 100
        return Rule(self._source.file, written, major, when, escalations, groups, why, trials, percent), []

    def _report(self, path: Sequence[int | str], message: str) -> None:
        self._problems.append(self._source.problem(path, message))

    def _check_identity(self) -> None:
        folders, _, name = self._source.file.replace("\\", "/").rpartition("/")
        stem = name.removesuffix(".yaml").removesuffix(".yml")
        pack = folders.rpartition("/")[2]
        if self._written.id != stem:
            self._report(("id",), f"the file is named {stem}; id and file name must be equal")
        if pack and not self._written.id.startswith(f"{pack}."):
            self._report(("id",), f"rules of the pack {pack} have ids that begin with {pack}.")

    def _check_ground(self, duties: Collection[str], recalled: Collection[str]) -> None:
        written = self._written
        named = [known for known in duties if any(is_named(known, duty) for duty in written.law)]
        if not named or any(each not in recalled for each in named):
            return
        loud = {written.severity, *(each.severity for each in written.severity_when)} - {Severity.LOW}
        if written.verdict is Verdict.VIOLATION or loud:
            self._report(
                ("law",),
                "all of these duties are only recalled, and what nobody checked may warn and never accuse: "
                "set `verdict: gap` and `severity: low`, or verify a duty",
            )

    def _expression(self, path: tuple[int | str, ...], value: str) -> Expression | None:
        expression, mistakes = compile_expression(value, self._written.assessor)
        self._problems += [self._source.problem_inside(path, value, mistake) for mistake in mistakes]
        return expression

    def _groups(self) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
        names = readable(self._written.assessor)
        groups: list[tuple[str, Callable[[Any], Any]]] = []
        for number, path in enumerate(self._written.group_by):
            name = names.get(path)
            if name is None:
                self._report(
                    ("group_by", number), f"no name {path} for rules of this assessor{suggestion(path, names)}"
                )
            elif name.kind not in {Kind.STRING, Kind.BOOL} or path in UNBOUNDED:
                self._report(("group_by", number), f"{path} can differ from record to record: each would be an episode")
            elif path in self._written.group_by[:number]:
                self._report(("group_by", number), f"{path} stands here twice")
            else:
                groups.append((path, operator.attrgetter(path)))
        return tuple(groups)

    def _trials(self) -> tuple[Trial, ...]:
        trials: list[Trial] = []
        for number, test in enumerate(self._written.tests):
            facts, wrong = assessment(self._written.assessor, test.given)
            for each in wrong:
                self._report(("tests", number, "given", *each.path), each.message)
            if facts is not None:
                line = line_of(self._source.document, ("tests", number))
                trials.append(Trial(test.name, f"tests.{number}", line, facts, test.expect == "finding"))
        expected = Counter(test.expect for test in self._written.tests)
        if not expected["finding"]:
            self._report(("tests",), "no test expects a finding; add one")
        if not expected["none"]:
            self._report(("tests",), "no test expects none; add one")
        return tuple(trials)


UNBOUNDED = frozenset({"flow.recipient_host", "consent.path", "transfer.entry"})
"""Names of text that a record can choose, or that are too many: not for `group_by`."""


def _digest(rules: Sequence[Rule]) -> str:
    content = [rule.written.model_dump(mode="json") for rule in rules]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
