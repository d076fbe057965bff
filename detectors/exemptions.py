"""Exceptions: findings that somebody answers for, until a day. Marked and counted, never dropped. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, NamedTuple

import msgspec
from pydantic import Field, StringConstraints

from detectors import documents
from detectors.documents import Problem, Written, line_of
from detectors.rules.model import RuleId, Sentence
from detectors.rules.ruleset import RuleSet
from detectors.spelling import suggestion
from topics.finding import Finding

ExemptionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class ExemptionFile(Written):
    """One exception: which findings of one rule, who answers for them, why, and until when."""

    id: ExemptionId = Field(description="Equal to the file's name. It marks the findings.")
    rule: RuleId = Field(description="The one rule that it is about.")
    match: dict[str, str] = Field(
        min_length=1, description="Names of the rule's `group_by` and the value of each; all must be equal."
    )
    owner: Sentence = Field(description="Who answers for it.")
    reason: Sentence = Field(description="Why this is acceptable, in a sentence that an auditor can follow.")
    expires: date = Field(description="Its last day, in UTC. Events after it are told again.")


class Exemption(NamedTuple):
    """An exception, ready to be asked."""

    written: ExemptionFile
    file: str
    until_ms: int
    """First moment, in milliseconds since the epoch, at which it holds no longer."""


class Exemptions(msgspec.Struct, frozen=True):
    """All exceptions, by rule and then by file. Nothing in it changes."""

    by_rule: Mapping[str, tuple[Exemption, ...]] = MappingProxyType({})
    digest: str = ""
    """SHA-256 (hex) over the content of the files; empty when there are none."""

    def mark(self, findings: list[Finding]) -> list[Finding]:
        """Give the same findings; those that an exception covers at the time of their event carry its id."""
        if not self.by_rule:
            return findings
        return [self._marked(finding) for finding in findings]

    def _marked(self, finding: Finding) -> Finding:
        group: dict[str, str] | None = None
        for each in self.by_rule.get(finding.rule, ()):
            group = group or dict(finding.group)
            if finding.at_ms < each.until_ms and all(group.get(k) == v for k, v in each.written.match.items()):
                return msgspec.structs.replace(finding, exemption=each.written.id)
        return finding


NO_EXEMPTIONS = Exemptions()


def read_exemptions(files: Mapping[str, str], ruleset: RuleSet) -> tuple[Exemptions | None, list[Problem]]:
    """Read exceptions, given as name -> text, against the rules that they are about; or give every mistake in them."""
    problems: list[Problem] = []
    found: defaultdict[str, list[Exemption]] = defaultdict(list)
    first: dict[str, str] = {}
    for file in sorted(files):
        each, mistakes = _read(file, files[file], ruleset)
        problems += mistakes
        if each is None:
            continue
        earlier = first.setdefault(each.written.id, file)
        if earlier != file:
            problems.append(Problem(file, 1, "id", f"{each.written.id} stands in {earlier} too; ids are unique"))
        found[each.written.rule].append(each)
    if problems:
        return None, sorted(problems)
    content = "\0".join(each.written.model_dump_json() for rule in sorted(found) for each in found[rule])
    digest = sha256(content.encode()).hexdigest() if found else ""
    return Exemptions(MappingProxyType({rule: tuple(each) for rule, each in found.items()}), digest), []


def _read(file: str, text: str, ruleset: RuleSet) -> tuple[Exemption | None, list[Problem]]:
    document, problems = documents.load(text, file)
    if problems:
        return None, problems
    written, problems = documents.validate(document, file, ExemptionFile)
    if written is None:
        return None, problems

    def mistake(path: Sequence[str], message: str) -> Problem:
        return Problem(file, line_of(document, path), ".".join(path), message)

    stem = file.replace("\\", "/").rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
    if stem != written.id:
        problems.append(mistake(("id",), f"the file is named {stem}; id and file name must be equal"))
    rule = next((each for each in ruleset.rules if each.written.id == written.rule), None)
    if rule is None:
        known = [each.written.id for each in ruleset.rules]
        problems.append(mistake(("rule",), f"there is no rule {written.rule}{suggestion(written.rule, known)}"))
    else:
        names = rule.written.group_by
        problems += [
            mistake(
                ("match", name),
                f"{written.rule} is not grouped by {name}{suggestion(name, names)}; it has {', '.join(names)}",
            )
            for name in written.match
            if name not in names
        ]
    if problems:
        return None, problems
    ends = datetime.combine(written.expires, datetime.min.time(), UTC) + timedelta(days=1)
    return Exemption(written, file, int(ends.timestamp() * 1000)), []
