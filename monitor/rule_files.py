"""Rule files: where they lie, which of two with one name counts, and their whole check."""

from collections.abc import Mapping
from pathlib import Path

from detectors.documents import Problem
from detectors.law.fact import Confidence
from detectors.law.pack import LawPack
from detectors.rules.ruleset import RuleSet, compile_rules, run_tests
from monitor.config import Config
from monitor.files import folders, package_files, read_text, yaml_files

PACKS = "detectors.rules.packs"


def rule_texts(config: Config, file: str, problems: list[Problem]) -> dict[str, str]:
    """Read the rules that a configuration asks for, by file: the shipped packs, and the own folders over them."""
    return overlaid(package_files(PACKS, ".yaml"), folders(config.rules, file, "rules", problems))


def overlaid(base: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Give both sets of files; of two with one name (a rule's id) only the other one counts."""
    names = {_stem(file) for file in others}
    return {**{file: text for file, text in base.items() if _stem(file) not in names}, **others}


def read_rules(paths: list[Path], problems: list[Problem]) -> dict[str, str]:
    """Read rule files and the folders of rule files that somebody named."""
    found: dict[str, str] = {}
    for path in paths:
        files = yaml_files(path) if path.is_dir() else [path]
        if not files:
            problems.append(Problem(str(path), 0, "", "there is no rule file (*.yaml) in this folder"))
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
    for file in sorted(files.keys() - wrong):
        alone, _ = compile_rules({file: files[file]}, duties=duties, recalled=recalled)
        problems += run_tests(alone) if alone is not None else []
    return None, sorted(problems)


def duty_ids(law: LawPack) -> frozenset[str]:
    """Give the ids of all duties of a law pack."""
    return frozenset(duty.id for each in law.jurisdictions.values() for duty in each.duties)


def recalled_ids(law: LawPack) -> frozenset[str]:
    """Give the ids of the duties that nobody checked: they may warn and never accuse."""
    return frozenset(
        duty.id for each in law.jurisdictions.values() for duty in each.duties if duty.confidence is Confidence.RECALLED
    )


def _stem(file: str) -> str:
    return Path(file).name.removesuffix(".yaml").removesuffix(".yml")
