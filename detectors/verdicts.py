"""What was said of equal facts before: nothing is found, and this is unknown.

Nearly all disclosures of a shop are fine, and alike: the same recipient, place, kinds of data, signals and consent, day after
day. What the assessors and rules say then rests on these few values. It is found out once for each combination of them
and remembered; whatever gives a finding is judged anew each time.
"""

import re
from collections.abc import Callable, Sequence
from operator import attrgetter

import msgspec

from detectors import tracking
from detectors.assess import Knowing, assess, unknowns
from detectors.assessment import Consent
from detectors.classify.flows import Common, common_of, flow_to, parties_of, signals_for
from detectors.classify.origin import WEAK_SOURCES
from detectors.classify.route import route_of
from detectors.classify.targets import Target
from detectors.consent.decide import is_governed
from detectors.consent.ledger import Choice, Coverage, LedgerView
from detectors.drift import NOTHING_APPEARED, Appeared, Baseline, appeared_in
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
_WHAT_IT_COMES_TO: Callable[[Consent], tuple[object, ...]] = attrgetter(
    *(each.name for each in msgspec.structs.fields(Consent) if each.name not in {"path", "at_ms"})
)
"""All of what consent says but where and when it stands on record."""
_NOWHERE = RecordPlace("", "", 0, 0)
_READS_MORE = re.compile(r"_ms\b|\bpaths?\b|\bevidence\b")
"""Names of what rules may read and the facts do not hold: moments within the day, and where something stood."""


_Facts = tuple[object, ...]
"""All that assessors and rules may read of a flow, but for its moment within the day and where something stood."""


class Verdicts:
    """Remembers verdicts for one state of knowledge."""

    def __init__(self, by: Knowing, rules: RuleSet, baseline: Baseline | None = None) -> None:
        self.know = by.know
        self.law = by.law
        self.needs = by.needs
        self._rules = rules
        self._baseline = baseline
        self._known: dict[_Facts, Unknown | None] = {}
        self._read_more = frozenset(
            rule.written.assessor.detector
            for rule in rules.rules
            if any(_READS_MORE.search(each.text) for each in (rule.when, *(when for when, _ in rule.severities)))
        )

    def are_of(self, by: Knowing, rules: RuleSet, baseline: Baseline | None) -> bool:
        """Tell whether they were reached by this knowledge."""
        return (
            self.know is by.know
            and self.law is by.law
            and self.needs is by.needs
            and self._rules is rules
            and self._baseline is baseline
        )

    def of(self, observation: Observation, broker_ms: int, ledger: LedgerView) -> Unknown | Common:
        """Say what is unknown where nothing is found; else what its flows share, for it has to be judged whole."""
        parties = parties_of(observation, self.know)
        step, targets = parties
        is_step = step is not Step.NONE
        # To the shop's own systems nothing is disclosed, and outside of a purchase nothing is too much: only drift is told of them.
        if (
            not is_step
            and (self._baseline is None or not targets)
            and not [t for t in targets if t.role is not Role.OWN]
        ):
            return ()
        common = common_of(observation, broker_ms, self.know, parties)
        origin = common.origin
        if origin.conflict or origin.place.source in WEAK_SOURCES:
            return common
        coverage = ledger.coverage(broker_ms)
        is_ambient = self.needs.is_ambient
        of_record = (
            origin.place,
            common.own_place,
            step,
            common.goods,
            common.categories,
            common.uninspectable,
            bool(common.subjects),
            coverage,
            frozenset([each.category for each in common.fields if not is_ambient(each.path)]),
            common.at_ms // _DAY_MS,
            observation.headers is not None,
            observation.service,
            observation.source,
        )
        teller, appeared = appeared_in(observation, common, self._baseline, self.needs)
        choices: Sequence[Choice] | None = None
        found: dict[tuple[Detector, str], None] = {}
        for target in targets:
            told = appeared if target is teller else NOTHING_APPEARED
            if target.role is Role.OWN and not is_step and not told.categories:
                continue
            mine: Sequence[Choice] = ()
            if common.subjects and is_governed(target.purpose):
                mine = choices = ledger.choices(common.subjects) if choices is None else choices
            flow = flow_to(observation, common, target) if mine else None
            consent = self._consent(flow, mine, coverage) if flow is not None else None
            route = route_of(observation, target.proof, common.at_ms, broker_ms)
            facts = target, route, signals_for(target, observation, common), consent, told, of_record
            unknown = self._known.get(facts, _NEVER_ASKED)
            if unknown is _NEVER_ASKED:
                unknown = self._told(flow or flow_to(observation, common, target), target, mine, coverage, told)
                if len(self._known) >= _CACHED:
                    self._known.clear()
                self._known[facts] = unknown
            if unknown is None:
                return common
            found.update(dict.fromkeys(unknown))
        return tuple(found)

    def _consent(self, flow: DataFlow, choices: Sequence[Choice], coverage: Coverage) -> tuple[object, ...] | None:
        """Give what the person's choices come to, without where and when they stand on record."""
        law = self.law.law_for(flow.origin.country, flow.origin.subdivision, flow.at_ms)
        tracked = tracking.assess(flow, law, choices, coverage, tracking.kinds(flow, law, self.know.taxonomy))
        return None if tracked is None else _WHAT_IT_COMES_TO(tracked.consent)

    def _told(
        self, flow: DataFlow, target: Target, choices: Sequence[Choice], coverage: Coverage, appeared: Appeared
    ) -> Unknown | None:
        """Say what is unknown of a flow where nothing is found; None where something is, or where more than the facts counts."""
        assessments = assess(flow, target.entry, self, choices, coverage, appeared)
        if not self._read_more.isdisjoint([each.detector for each in assessments]):
            return None
        findings, errors = judge(assessments, self._rules, _NOWHERE, "")
        if findings or errors or any(each.transfer.bulk for each in assessments):
            return None
        return tuple(dict.fromkeys(unknowns(assessments)))
