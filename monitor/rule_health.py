"""What rules cost on the traffic that is there: sampled, so that the loop pays next to nothing for it."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from detectors.assessment import Assessment
from detectors.rules.values import EvaluationError
from monitor.pipeline import Context, Judged, process
from topics.finding import Detector
from topics.record import RawRecord

EVERY_SECONDS = 30.0
_RECORDS = 20
_ASSESSMENTS = 50
"""Of one detector."""


class RuleHealth:
    """Measures every rule now and then, on some of the records that were just judged."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock() + EVERY_SECONDS

    def sample(self, context: Context, records: Sequence[RawRecord]) -> Mapping[str, float]:
        """Give seconds for one evaluation by rule; nothing until the next measure is due, or where nothing was assessed."""
        if self._clock() < self._next:
            return {}
        self._next = self._clock() + EVERY_SECONDS
        return costs(context, records[:_RECORDS])


def costs(context: Context, records: Sequence[RawRecord]) -> Mapping[str, float]:
    """Give seconds for one evaluation by rule, on what was assessed in these records."""
    found: dict[Detector, list[Assessment]] = defaultdict(list)

    def witness(_record: RawRecord, judged: Judged) -> None:
        for each in judged.assessments:
            if len(found[each.detector]) < _ASSESSMENTS:
                found[each.detector].append(each)

    process(records, context, {}, witness)
    spent: dict[str, float] = {}
    for rule in context.rules.rules:
        assessments = found.get(rule.written.assessor.detector)
        if not assessments:
            continue
        holds, began = rule.when.holds, time.perf_counter()
        for facts in assessments:
            with suppress(EvaluationError):
                holds(facts)
        spent[rule.written.id] = (time.perf_counter() - began) / len(assessments)
    return spent
