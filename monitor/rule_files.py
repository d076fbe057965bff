"""Rule files: where they lie, which of two with one name counts, and their whole check."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from detectors.documents import Problem
from detectors.law.fact import Confidence
from detectors.law.pack import LawPack
from detectors.rules.pack import FILE, is_pack, pack_of
from detectors.rules.ruleset import RuleSet, compile_rules, run_tests
from monitor.config import Config
from monitor.files import folders, package_files, read_text, yaml_files

PACKS = "detectors.rules.packs"
RUNBOOKS = "alerts.runbooks"


def shipped_rules() -> dict[str, str]:
    """Give the shipped rules by file, with the names of the shipped runbooks."""
    return {**package_files(PACKS, ".yaml"), **_shipped_runbooks()}


def rule_texts(config: Config, file: str, problems: list[Problem]) -> dict[str, str]:
    """Read the rules that a configuration asks for, by file: the shipped packs, and the own folders over them."""
    return overlaid(shipped_rules(), own_rules(config, file, problems))


def own_rules(config: Config, file: str, problems: list[Problem]) -> dict[str, str]:
    """Read the folders of own rules that a configuration names, with the names of the runbooks in them."""
    own = folders(config.rules, file, "rules", problems)
    for folder in config.rules:
        own |= _runbooks(folder)
    return own


def overlaid(base: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Give both sets of files; of two with one name (a rule's id, a pack's manifest) only the other one counts."""
    names = {_name(file) for file in others}
    return {**{file: text for file, text in base.items() if _name(file) not in names}, **others}


def read_rules(paths: Sequence[Path], problems: list[Problem]) -> dict[str, str]:
    """Read rule files and the folders of rule files that somebody named, with what belongs to them."""
    found = read_files(paths, problems)
    for path in paths:
        beside = path.parent / FILE
        if not path.is_dir() and beside.is_file() and beside != path:
            found |= read_files([beside], problems)
        found |= _runbooks(path if path.is_dir() else path.parent)
    return {**found, **_shipped_runbooks()}


def read_files(paths: Sequence[Path], problems: list[Problem]) -> dict[str, str]:
    """Read YAML files and the folders of them that somebody named."""
    found: dict[str, str] = {}
    for path in paths:
        files = yaml_files(path) if path.is_dir() else [path]
        if not files:
            problems.append(Problem(str(path), 0, "", "there is no file (*.yaml) in this folder"))
        for file in files:
            try:
                found[str(file)] = read_text(file)
            except OSError as error:
                problems.append(Problem(str(file), 0, "", f"cannot be read ({error.strerror})"))
    return found


def compile_checked(files: Mapping[str, str], law: LawPack | None) -> tuple[RuleSet | None, list[Problem]]:
    """Compile rules, hold them against the duties of the law pack, and run their tests; or give every mistake."""
    duties = duty_ids(law) if law is not None else None
    recalled = recalled_ids(law) if law is not None else frozenset[str]()
    rules, problems = compile_rules(files, duties=duties, recalled=recalled)
    if rules is not None:
        problems = run_tests(rules)
        return (None, problems) if problems else (rules, [])
    # The tests of the files that are sound are run too, so that one round of corrections is enough.
    wrong = {each.file for each in problems}
    shared = {file: text for file, text in files.items() if is_pack(file) and file not in wrong}
    for file in sorted(files.keys() - wrong - shared.keys()):
        alone, _ = compile_rules({**shared, file: files[file]}, duties=duties, recalled=recalled)
        problems += run_tests(alone) if alone is not None else []
    return None, sorted(problems)


def duty_ids(law: LawPack) -> frozenset[str]:
    """Give the ids of all duties of a law pack."""
    return frozenset(duty.id for each in law.jurisdictions.values() for duty in each.duties)


def is_rule(file: str) -> bool:
    """Say whether a file holds a rule: no manifest, and no runbook."""
    return not is_pack(file) and not file.endswith(".md")


def recalled_ids(law: LawPack) -> frozenset[str]:
    """Give the ids of the duties that nobody checked: they may warn and never accuse."""
    return frozenset(
        duty.id for each in law.jurisdictions.values() for duty in each.duties if duty.confidence is Confidence.RECALLED
    )


def _shipped_runbooks() -> dict[str, str]:
    return dict.fromkeys(package_files(RUNBOOKS, ".md"), "")


def _runbooks(folder: Path) -> dict[str, str]:
    """Give the runbooks in a folder by name; what stands in them is for people alone."""
    found = sorted(folder.rglob("*.md"))
    return {str(file): "" for file in found if not any(part.startswith(".") for part in file.relative_to(folder).parts)}


def _name(file: str) -> str:
    return f"{pack_of(file)}/{FILE}" if is_pack(file) else Path(file).name.replace(".yml", ".yaml")
