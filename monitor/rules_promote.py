"""A rule from shadow to live: only through the gate in its own file, and with nothing else changed in it."""

from pathlib import Path

from detectors import documents
from detectors.documents import Problem
from detectors.law.pack import LawPack
from detectors.rules.plan import Rule
from detectors.rules.ruleset import content_digest
from monitor.config import Config
from monitor.evidence import file_of, read_evidence
from monitor.files import ConfigProblems
from monitor.rule_files import compile_checked, rule_texts
from monitor.rules_knowledge import rule_of
from topics.finding import Mode


def promote(config: Config, file: str, law: LawPack, name: str, canary: str) -> Path:
    """Make a rule live, wholly or for a share such as `10%`. Raises ConfigProblems with all that stands against it."""
    problems: list[Problem] = []
    texts = rule_texts(config, file, problems)
    ruleset, found = compile_checked(texts, law)
    if ruleset is None or problems:
        # The gate is about tests too: a set with a mistake or a failing test promotes nothing.
        raise ConfigProblems(sorted([*problems, *found]))
    rule = rule_of(ruleset, name)
    path = Path(rule.file)
    if not any(folder in path.parents for folder in config.rules):
        own = "copy its file into a folder of your own rules, and promote it there"
        raise ConfigProblems([Problem(rule.file, 0, "", f"{name} is shipped; {own}")])
    against = _against(rule, canary)
    if against:
        raise ConfigProblems(against)
    changed = with_mode(texts[rule.file], canary)
    ruleset, found = compile_checked({**texts, rule.file: changed}, law)
    if ruleset is None:
        raise ConfigProblems(found)
    beside = path.with_name(path.name + ".new")
    beside.write_text(changed, encoding="utf-8")
    beside.replace(path)
    return path


def _against(rule: Rule, canary: str) -> list[Problem]:
    """Give everything that stands against making a rule live."""
    written = rule.written
    if written.mode is Mode.LIVE and (written.canary or "") == canary:
        return [Problem(rule.file, 0, "mode", f"{written.id} is live already{f' for {canary}' if canary else ''}")]
    if written.gate is None:
        return [Problem(rule.file, 0, "gate", "the rule has no gate; write `gate: {alerts_per_day: 5, hours: 24}`")]
    beside = file_of(rule)
    try:
        evidence = read_evidence(rule)
    except ValueError:
        return [Problem(str(beside), 0, "", "is no record of a backtest; run the backtest again")]
    again = f"run `privacy-monitor backtest --keep --rules {rule.file} …` on the rule as it is"
    if evidence is None:
        return [Problem(rule.file, 0, "gate", f"no backtest of this rule was kept; {again}")]
    problems = []
    if evidence.version != written.version:
        problems.append(f"the backtest is of version {evidence.version}, and the rule is {written.version}; {again}")
    elif evidence.content != content_digest(rule):
        problems.append(f"the rule was changed after its backtest; {again}")
    if evidence.hours < written.gate.hours:
        problems.append(f"the backtest spans {evidence.hours:g} hours, and the gate asks for {written.gate.hours:g}")
    if evidence.calls_per_day > written.gate.alerts_per_day:
        problems.append(
            f"{evidence.calls_per_day:.1f} calls to people a day by the backtest, and the gate allows "
            f"{written.gate.alerts_per_day:g}"
        )
    return [Problem(str(beside), 0, "", each) for each in problems]


def with_mode(text: str, canary: str) -> str:
    """Give a rule's text with `mode: live` and its canary, and every other character as it was."""
    document, _ = documents.load(text, "")
    lines = text.splitlines(keepends=True)
    line, column = document.lc.value("mode")
    end = "\r\n" if lines[line].endswith("\r\n") else "\n"
    rest = lines[line][column:]
    comment = rest.partition("#")[2].rstrip()
    lines[line] = f"{lines[line][:column]}live" + (f"  #{comment}" if comment else "") + end
    if "canary" in document:
        at = document.lc.key("canary")[0]
        lines[at] = f"canary: {canary}{end}" if canary else ""
    elif canary:
        lines.insert(line + 1, f"canary: {canary}{end}")
    return "".join(lines)
