"""One rule file, from its text to a compiled rule or to every mistake in it."""

import operator
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from detectors import documents
from detectors.documents import Problem, line_of
from detectors.rules.language import MAX_EXPRESSION, Expression, compile_expression
from detectors.rules.model import RuleFile, is_named
from detectors.rules.names import Assessor, Kind, assessment, readable
from detectors.rules.pack import FILE, Pack, pack_of, references
from detectors.rules.plan import Rule, Trial
from detectors.rules.positions import place, with_column
from detectors.rules.sentences import compile_sentence
from detectors.rules.subset import Mistake
from detectors.spelling import suggestion
from topics.finding import Mode, Severity, Threshold, Verdict


class Knowledge(NamedTuple):
    """What rule files are held against."""

    packs: Mapping[str, Pack]
    duties: Collection[str] | None
    recalled: Collection[str]
    """Duties that nobody checked."""
    runbooks: Collection[str] | None


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

    def condition(
        self, path: Sequence[int | str], value: str, assessor: Assessor, packs: Mapping[str, Pack]
    ) -> tuple[Expression | None, list[Problem]]:
        """Compile a condition with the lists and macros of the file's pack; mistakes stand where they were written."""
        if len(value) > MAX_EXPRESSION:
            too_long = Mistake(0, f"longer than {MAX_EXPRESSION} characters; split the rule")
            return None, [self.problem_inside(path, value, too_long)]
        pack = packs.get(pack_of(self.file))
        if pack is None:
            named = references(value)
            if named:
                offset = value.index(named[0])
                missing = Mistake(offset, f"{named[0]}: the folder has no {FILE} that could hold it")
                return None, [self.problem_inside(path, value, missing)]
            expression, mistakes = compile_expression(value, assessor)
            return expression, [self.problem_inside(path, value, each) for each in mistakes]
        expanded, unknown = pack.expand(value)
        wrong = [(each.macro, each.offset, each.message) for each in unknown]
        expression, mistakes = compile_expression(expanded.text, assessor)
        wrong += [(*expanded.origin(each.offset), each.message) for each in mistakes]
        return expression if not wrong else None, [
            pack.problem(macro, offset, message)
            if macro
            else self.problem_inside(path, value, Mistake(offset, message))
            for macro, offset, message in wrong
        ]


_CACHED = 4_096
_read: dict[tuple[object, ...], tuple[Rule | None, list[Problem]]] = {}


def read_rule(file: str, text: str, knowledge: Knowledge) -> tuple[Rule | None, list[Problem]]:
    """Compile one rule file. Equal texts give the same rule, so that a changed set costs what has changed in it."""
    pack = knowledge.packs.get(pack_of(file))
    shared = (pack.file, pack.text) if pack is not None else None
    others = [None if each is None else frozenset(each) for each in knowledge[1:]]
    key = (file, text, shared, *others)
    found = _read.get(key)
    if found is None:
        if len(_read) >= _CACHED:
            _read.clear()
        found = _read[key] = _read_rule(file, text, knowledge)
    return found[0], list(found[1])


def _read_rule(file: str, text: str, knowledge: Knowledge) -> tuple[Rule | None, list[Problem]]:
    document, problems = documents.load(text, file)
    if problems:
        return None, problems
    written, problems = documents.validate(document, file, RuleFile)
    source = _Source(file, text, document)
    rule: Rule | None = None
    if written is None:
        # What can be said about the condition is said now, so that one round of corrections is enough.
        problems = problems + _mistakes_of_condition(source, knowledge)
    else:
        rule, problems = _Reading(source, written, knowledge).rule()
    return rule, [with_column(each, document) for each in problems]


def _mistakes_of_condition(source: _Source, knowledge: Knowledge) -> list[Problem]:
    document = source.document
    if not isinstance(document, Mapping) or document.get("assessor") not in set(Assessor):
        return []
    when = document.get("when")
    if not isinstance(when, str):
        return []
    return source.condition(("when",), when, Assessor(document["assessor"]), knowledge.packs)[1]


class _Reading:
    """One valid file on its way to a rule; collects what is wrong with its meaning."""

    def __init__(self, source: _Source, written: RuleFile, knowledge: Knowledge) -> None:
        self._source, self._written, self._knowledge = source, written, knowledge
        self._problems: list[Problem] = []

    def rule(self) -> tuple[Rule | None, list[Problem]]:
        written, duties, runbooks = self._written, self._knowledge.duties, self._knowledge.runbooks
        self._check_identity()
        if runbooks is not None and written.runbook not in runbooks:
            hint = suggestion(written.runbook, runbooks) or f"; write {written.runbook}.md beside the rule"
            self._report(("runbook",), f"there is no runbook {written.runbook}{hint}")
        for number, duty in enumerate(written.law):
            if duties is not None and not any(is_named(known, duty) for known in duties):
                self._report(("law", number), f"the law pack has no duty {duty}{suggestion(duty, duties)}")
        self._check_ground(duties or (), self._knowledge.recalled)
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
        together = written.threshold
        threshold = (
            Threshold(findings=together.findings, subjects=together.subjects, minutes=together.minutes)
            if together is not None
            else None
        )
        windows = written.episode.windows if written.episode is not None else None
        return Rule(
            self._source.file, written, major, when, escalations, groups, why, trials, percent, threshold, windows
        ), []

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
        expression, problems = self._source.condition(path, value, self._written.assessor, self._knowledge.packs)
        self._problems += problems
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
