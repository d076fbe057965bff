"""Cost of over-collection on the benchmark's traffic: telling steps and goods, and asking the table of needs.

    python -m tests.bench.checkout [--records 20000] [--rounds 5]

CPU time of one process, the quickest of interleaved rounds, against `orjson.loads` on the same records. Beside what is done
stands what it replaced: patterns of paths and answers that are not remembered, and names of goods looked for one after the other.
"""

from collections.abc import Callable, Sequence

import msgspec

from detectors.classify import goods
from detectors.classify.needs import Place
from monitor.pipeline import Context, Judged, process
from tests.bench.mix import Mix
from tests.bench.pipeline import against_parsing, batches, chosen, context
from topics.flow import DataFlow, Role, Step
from topics.observation import Observation
from topics.record import RawRecord

_NAMES = [name.encode() for names in goods._QUESTIONS.values() for name in names]


class Seen(msgspec.Struct):
    """What of the records of a batch is asked about."""

    observations: list[Observation] = []
    in_purchase: list[Observation] = []
    flows: list[DataFlow] = []


def seen(batch: Sequence[RawRecord], judged: Context) -> Seen:
    """Give the observations of a batch, those of a purchase, and the flows that the assessor is asked about."""
    found = Seen()

    def witness(_: RawRecord, each: Judged) -> None:
        found.observations.append(each.observation)
        flows = [flow for flow, _ in each.classified.flows if flow.step is not Step.NONE]
        found.flows.extend(flows)
        if flows:
            found.in_purchase.append(each.observation)

    process(batch, judged, {}, witness)
    return found


def compared(by: Context) -> dict[str, Callable[[Seen], None]]:  # noqa: C901 - one small function for each row
    """Give what is compared."""
    steps, reader, needs = by.know.steps, by.know.goods, by.needs

    def step(each: Seen) -> None:
        for one in each.observations:
            steps.of(one)

    def step_anew(each: Seen) -> None:
        for one in each.observations:
            if one.path:
                steps._paths._first(one.path)

    def named(each: Seen) -> None:
        for one in each.in_purchase:
            reader.of(one)

    def one_by_one(each: Seen) -> None:
        for one in each.in_purchase:
            for part in one.parts:
                [part.data.find(name) for name in _NAMES]

    def need(each: Seen) -> None:
        for flow in each.flows:
            kinds = [field.category for field in flow.fields]
            needs.assess(flow.step, flow.purpose, kinds, own=flow.role is Role.OWN, goods=flow.goods)

    def need_anew(each: Seen) -> None:
        for flow in each.flows:
            kinds = tuple(sorted({field.category for field in flow.fields}))
            needs._judged(Place(flow.step, flow.purpose, flow.role is Role.OWN), kinds, flow.goods)

    return {
        "steps of all records": step,
        "paths alone, anew": step_anew,
        "goods of a purchase": named,
        "names of goods, one by one": one_by_one,
        "needs, remembered": need,
        "needs, asked anew": need_anew,
    }


def main() -> None:
    """Print microseconds for each record, and ratios."""
    size = chosen(__doc__, 5)
    work = batches(mix := Mix(1), size.records)
    judged = context(mix)
    asked = [seen(batch, judged) for batch in work]
    seconds, parsed = against_parsing(compared(judged), asked, work, size.rounds)
    for name, spent in seconds.items():
        per_record = spent / size.records * 1e6
        print(f"checkout {name:26} {per_record:6.3f} us a record, {spent / parsed:6.3f} x orjson.loads")  # noqa: T201
    share = sum(len(each.in_purchase) for each in asked) / size.records
    print(f"checkout {share:.3f} of the records are of a purchase")  # noqa: T201


if __name__ == "__main__":
    main()
