"""What the commands for rules work on: the files that somebody named, or all that judge."""

from pathlib import Path

from detectors.documents import Problem
from detectors.exemptions import Exemptions, read_exemptions
from detectors.law.pack import LawPack, read_pack
from detectors.rules.plan import Rule
from detectors.rules.ruleset import RuleSet, compile_rules
from detectors.spelling import suggestion
from monitor.capture import Capture
from monitor.config import Config
from monitor.context import Loaded, load, load_shipped
from monitor.files import ConfigProblems, Unreadable, folders, package_files, read_config
from monitor.inspect import own_domains
from monitor.rule_files import duty_ids, read_rules, recalled_ids, rule_texts, shipped_rules


def rule_files_of(paths: list[Path] | None, config: Path | None) -> tuple[dict[str, str], list[Problem]]:
    """Read the files that somebody named; otherwise all that judge."""
    problems: list[Problem] = []
    if paths:
        files = read_rules(paths, problems)
        if problems:
            raise Unreadable(sorted(problems))
        return files, problems
    if config is None:
        return shipped_rules(), problems
    return rule_texts(read_config(config), str(config), problems), problems


def compiled_rules(paths: list[Path] | None, config: Path | None) -> RuleSet:
    """Compile rules without running their tests. Raises ConfigProblems."""
    files, problems = rule_files_of(paths, config)
    law = law_pack(config)
    ruleset, found = compile_rules(files, duties=duty_ids(law), recalled=recalled_ids(law))
    if ruleset is None or problems:
        raise ConfigProblems(sorted([*problems, *found]))
    return ruleset


def law_pack(config: Path | None) -> LawPack:
    """Read the law pack, with own folders of a configuration. Raises ConfigProblems."""
    problems: list[Problem] = []
    files = package_files("detectors.law", ".yaml")
    if config is not None:
        files |= folders(read_config(config).law, str(config), "law", problems)
    pack, found = read_pack(files)
    if pack is None or problems:
        raise ConfigProblems(sorted([*problems, *found]))
    return pack


def exemptions_of(config: Path | None, ruleset: RuleSet) -> Exemptions:
    """Read the exceptions of a configuration. Raises ConfigProblems."""
    if config is None:
        return Exemptions()
    problems: list[Problem] = []
    files = folders(read_config(config).exemptions, str(config), "exemptions", problems)
    exemptions, found = read_exemptions(files, ruleset)
    if exemptions is None or problems:
        raise ConfigProblems(sorted([*problems, *found]))
    return exemptions


def knowledge_for(config: Path | None, files: list[str]) -> tuple[Config | None, Loaded]:
    """Read the configuration; without one, tell from the captures whose shop it is."""
    if config is None:
        return None, load_shipped(domains=own_domains([Capture(name, None) for name in files]))
    settings = read_config(config)
    return settings, load(settings, str(config))


def rule_of(ruleset: RuleSet, name: str) -> Rule:
    """Find a rule by its id. Raises ConfigProblems that suggests one."""
    for rule in ruleset.rules:
        if rule.written.id == name:
            return rule
    known = [rule.written.id for rule in ruleset.rules]
    raise ConfigProblems([Problem(name, 0, "", f"there is no such rule{suggestion(name, known)}")])
