"""What was said of equal facts before: nothing is found, and this is unknown. Told without opening a body.

Nearly all disclosures of a shop are fine, and alike: the same recipient, place, signals and choice, day after day. What the
assessors and rules say then rests on few values. It is found out once for each combination of them and remembered.
Whatever could give a finding, or could depend on what a body holds, is judged whole.

That a body cannot matter is not assumed: the facts are judged twice, with the categories that typed fields alone tell and
with all that the taxonomy has. Assessors ask whether all categories are covered, or whether any is of concern; where both
ends agree, so does everything between. Rules that read categories themselves, or moments, switch this off for their detector.
"""

import re
from collections.abc import Sequence

import msgspec

from detectors.assess import Knowing, assess, unknowns
from detectors.assessment import Assessment
from detectors.classify.flows import (
    COLLECTION,
    Common,
    Knowledge,
    Target,
    categories_of,
    event_time,
    flow_to,
    is_ours,
    is_partner,
    signals_for,
    signals_of,
    subjects_of,
    targets_of,
)
from detectors.classify.needs import NeedTable
from detectors.classify.origin import WEAK_SOURCES, origin_of
from detectors.classify.route import LATE_MS
from detectors.consent.decide import is_governed
from detectors.consent.ledger import Choice, Coverage, LedgerView, as_of
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
_NOWHERE = RecordPlace("", "", 0, 0)
_READS_MOMENTS = re.compile(r"_ms\b|consent\s*\.\s*path")
_READS_BODIES = re.compile(r"\b(?:categories|fields|uninspectable)\b")


_Facts = tuple[object, ...]
"""All that assessors and rules may read of a flow, but for its moment within the day and what bodies hold."""


class Verdicts:
    """Remembers verdicts for one state of knowledge."""

    def __init__(self, know: Knowledge, law: LawPack, needs: NeedTable, rules: RuleSet) -> None:
        self.know = know
        self.law = law
        self.needs = needs
        self.rules = rules
        self._known: dict[_Facts, Unknown | None] = {}
        self._everything = tuple(sorted(know.taxonomy.categories))
        self._reads_moments = _detectors_of(rules, _READS_MOMENTS)
        self._reads_bodies = _detectors_of(rules, _READS_BODIES)

    def are_of(self, by: Knowing, rules: RuleSet) -> bool:
        """Tell whether they were reached by this knowledge."""
        return self.know is by.know and self.law is by.law and self.needs is by.needs and self.rules is rules

    def of(self, observation: Observation, broker_ms: int, ledger: LedgerView) -> Unknown | None:
        """Say what is unknown where nothing is found; None: the observation has to be judged whole."""
        know = self.know
        step = know.steps.of(observation)
        is_closed = bool(observation.parts)
        if is_closed and step is not Step.NONE:
            # What a step needs, or who gets paid or delivers, is told from the fields that they get.
            return None
        targets = targets_of(observation, know)
        is_for_partner = is_partner(targets)
        if is_closed and is_for_partner:
            return None
        if (
            step is not Step.NONE
            and not any(target.role is Role.OWN for target in targets)
            and is_ours(observation, know)
        ):
            targets.append(COLLECTION)
        at_ms = event_time(observation.at_ms, broker_ms, know.skew_ms)
        origin = origin_of(observation, know.addresses, know.assumed_origin)
        if origin.conflict or origin.place.source in WEAK_SOURCES:
            return None
        common = Common(
            at_ms=at_ms,
            broker_ms=broker_ms,
            subjects=subjects_of(observation, know.key),
            origin=origin,
            step=step,
            goods=know.goods.of(observation) if step is not Step.NONE or is_for_partner else (),
            signals=signals_of(observation, at_ms),
            fields=(),
            categories=categories_of(observation, ()),
            uninspectable=(),
        )
        return self._of_flows(observation, common, targets, ledger, is_closed=is_closed)

    def _of_flows(
        self,
        observation: Observation,
        common: Common,
        targets: Sequence[Target],
        ledger: LedgerView,
        *,
        is_closed: bool,
    ) -> Unknown | None:
        coverage = ledger.coverage(common.broker_ms)
        day, is_late = common.at_ms // _DAY_MS, common.broker_ms - common.at_ms >= LATE_MS
        of_record = (
            *(common.origin.place, common.step, common.goods, common.categories, bool(common.subjects), coverage),
            *(day, is_late, is_closed, observation.headers is not None, observation.service, observation.source),
        )
        choices: Sequence[Choice] | None = None
        found: dict[tuple[Detector, str], None] = {}
        for target in targets:
            if target.role is Role.OWN and common.step is Step.NONE:
                continue
            mine: Sequence[Choice] = ()
            granted = after_notice = False
            if common.subjects and is_governed(target.purpose):
                mine = choices = ledger.choices(common.subjects) if choices is None else choices
                recorded = as_of(mine, target.purpose, common.at_ms) if mine else None
                if recorded is not None:
                    choice, granted = recorded
                    after_notice = choice.after_gpc_notice
                    if not granted:
                        # How long ago somebody refused decides how loudly to tell.
                        return None
            facts = target, signals_for(target, observation, common), granted, after_notice, of_record
            told = self._known.get(facts, _NEVER_ASKED)
            if told is _NEVER_ASKED:
                flow = flow_to(observation, common, target)
                told = self._told(flow, target, mine, coverage, is_closed=is_closed)
                if len(self._known) >= _CACHED:
                    self._known.clear()
                self._known[facts] = told
            if told is None:
                return None
            found.update(dict.fromkeys(told))
        return tuple(found)

    def _told(
        self, flow: DataFlow, target: Target, choices: Sequence[Choice], coverage: Coverage, *, is_closed: bool
    ) -> Unknown | None:
        """Say what is unknown of a flow where nothing is found, whatever its body holds; None where that is not sure."""
        assessments = assess(flow, target.entry, self, choices, coverage)
        if not self._reads_moments.isdisjoint([each.detector for each in assessments]):
            return None
        if is_closed:
            if not self._reads_bodies.isdisjoint([each.detector for each in assessments]):
                return None
            if not any(category.startswith("user.") for category in flow.categories):
                return None
            fullest = msgspec.structs.replace(flow, categories=self._everything)
            if _said(assess(fullest, target.entry, self, choices, coverage)) != _said(assessments):
                return None
        findings, errors = judge(assessments, self.rules, _NOWHERE, "")
        if findings or errors or any(each.transfer.bulk for each in assessments):
            return None
        return tuple(dict.fromkeys(unknowns(assessments)))


def _said(assessments: Sequence[Assessment]) -> list[tuple[object, ...]]:
    return [(each.detector, each.consent, each.transfer, each.agreement, each.checkout) for each in assessments]


def _detectors_of(rules: RuleSet, names: re.Pattern[str]) -> frozenset[Detector]:
    """Give the detectors of which a rule reads one of these names."""
    return frozenset(
        rule.written.assessor.detector
        for rule in rules.rules
        if any(names.search(each.text) for each in (rule.when, *(when for when, _ in rule.severities)))
    )
