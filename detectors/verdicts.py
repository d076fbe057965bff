"""What was said of equal facts before: nothing is found, and this is unknown.

Nearly all disclosures of a shop are fine, and alike: the same recipient, place, kinds of data, signals and consent, day after
day. What the assessors and rules say then rests on these few values. It is found out once for each combination of them
and remembered; whatever gives a finding is judged anew each time.
"""

import re
from collections.abc import Sequence

import msgspec

from detectors import tracking
from detectors.assess import Knowing, assess, unknowns
from detectors.classify.flows import (
    COLLECTION,
    Knowledge,
    Scan,
    Target,
    common_of,
    flow_to,
    is_ours,
    scan_of,
    targets_of,
)
from detectors.classify.needs import NeedTable
from detectors.classify.origin import WEAK_SOURCES
from detectors.consent.decide import is_governed
from detectors.consent.ledger import Choice, Coverage, LedgerView
from detectors.law.pack import LawPack
from detectors.rules.judge import RecordPlace, judge
from detectors.rules.ruleset import RuleSet
from topics.finding import Detector
from topics.flow import DataFlow, Role, Step
from topics.observation import Observation

Unknown = tuple[tuple[Detector, str], ...]
"""Per detector the reason why it could not decide; empty: judged by all."""

_CACHED = 32_768
_DAY_MS = 86_400_000
_NEVER_ASKED: Unknown = ((Detector.UNCONSENTED_TRACKING, "never asked"),)
_OF_THE_RECORD = frozenset({"path", "at_ms"})
_NOWHERE = RecordPlace("", "", 0, 0)
_READS_MORE = re.compile(r"_ms\b|\bpaths?\b|\bevidence\b")
"""Names of what rules may read and the facts do not hold: moments within the day, and where something stood."""


_Facts = tuple[object, ...]
"""All that assessors and rules may read of a flow, but for its moment within the day and where something stood."""


class Verdicts:
    """Remembers verdicts for one state of knowledge."""

    def __init__(self, know: Knowledge, law: LawPack, needs: NeedTable, rules: RuleSet) -> None:
        self.know = know
        self.law = law
        self.needs = needs
        self.rules = rules
        self._known: dict[_Facts, Unknown | None] = {}
        self._read_more = frozenset(
            rule.written.assessor.detector
            for rule in rules.rules
            if any(_READS_MORE.search(each.text) for each in (rule.when, *(when for when, _ in rule.severities)))
        )

    def are_of(self, by: Knowing, rules: RuleSet) -> bool:
        """Tell whether they were reached by this knowledge."""
        return self.know is by.know and self.law is by.law and self.needs is by.needs and self.rules is rules

    def of(self, observation: Observation, broker_ms: int, ledger: LedgerView) -> Unknown | Scan:
        """Say what is unknown where nothing is found; else what its bodies hold, for it has to be judged whole."""
        know = self.know
        step = know.steps.of(observation)
        targets = targets_of(observation, know)
        if (
            step is not Step.NONE
            and not any(target.role is Role.OWN for target in targets)
            and is_ours(observation, know)
        ):
            targets.append(COLLECTION)
        if step is Step.NONE and all(target.role is Role.OWN for target in targets):
            return ()
        scan = scan_of(observation, know)
        common = common_of(observation, broker_ms, know, scan, step, targets)
        origin = common.origin
        if origin.conflict or origin.place.source in WEAK_SOURCES:
            return scan
        coverage = ledger.coverage(broker_ms)
        of_record = (
            *(
                origin.place,
                common.own_place,
                step,
                common.goods,
                common.categories,
                common.uninspectable,
                bool(common.subjects),
                coverage,
            ),
            *(tuple(sorted({field.category for field in common.fields if not self.needs.is_ambient(field.path)})),),
            *(common.at_ms // _DAY_MS,),
            *(observation.headers is not None, observation.service, observation.source),
        )
        choices: Sequence[Choice] | None = None
        found: dict[tuple[Detector, str], None] = {}
        for target in targets:
            if target.role is Role.OWN and step is Step.NONE:
                continue
            mine: Sequence[Choice] = ()
            if common.subjects and is_governed(target.purpose):
                mine = choices = ledger.choices(common.subjects) if choices is None else choices
            flow = flow_to(observation, common, target)
            consent = self._consent(flow, mine, coverage) if mine else None
            facts = target, flow.route, flow.signals, consent, of_record
            told = self._known.get(facts, _NEVER_ASKED)
            if told is _NEVER_ASKED:
                told = self._told(flow, target, mine, coverage)
                if len(self._known) >= _CACHED:
                    self._known.clear()
                self._known[facts] = told
            if told is None:
                return scan
            found.update(dict.fromkeys(told))
        return tuple(found)

    def _consent(self, flow: DataFlow, choices: Sequence[Choice], coverage: Coverage) -> tuple[object, ...] | None:
        """Give what the person's choices come to, without where and when they stand on record."""
        law = self.law.law_for(flow.origin.country, flow.origin.subdivision, flow.at_ms)
        tracked = tracking.assess(flow, law, choices, coverage, tracking.kinds(flow, law, self.know.taxonomy))
        if tracked is None:
            return None
        consent = msgspec.structs.asdict(tracked.consent)
        return tuple([value for name, value in consent.items() if name not in _OF_THE_RECORD])

    def _told(self, flow: DataFlow, target: Target, choices: Sequence[Choice], coverage: Coverage) -> Unknown | None:
        """Say what is unknown of a flow where nothing is found; None where something is, or where more than the facts counts."""
        assessments = assess(flow, target.entry, self, choices, coverage)
        if not self._read_more.isdisjoint([each.detector for each in assessments]):
            return None
        findings, errors = judge(assessments, self.rules, _NOWHERE, "")
        if findings or errors or any(each.transfer.bulk for each in assessments):
            return None
        return tuple(dict.fromkeys(unknowns(assessments)))
