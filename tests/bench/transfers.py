"""Cost of the transfers assessor on the benchmark's traffic: for each flow, and amortised over all records.

    python -m tests.bench.transfers [--records 20000] [--rounds 5]

The ceiling is 0.7 us a record, amortised. CPU time of one process, the quickest of interleaved rounds: remembered answers
against the same questions asked anew each time, and both against `orjson.loads` on the records. A second table asks on
each day of a year, which no live stream does and a backfill may.
"""

from collections.abc import Callable, Sequence
from typing import Any

from detectors import recipients, transfers
from detectors.law.pack import LawPack
from detectors.law.timeline import DAY_MS
from detectors.register import RegisterEntry
from monitor.pipeline import Context, Judged, process
from tests.bench.mix import Mix
from tests.bench.pipeline import against_parsing, batches, chosen, context
from topics.flow import DataFlow, Role
from topics.record import RawRecord

CEILING_US = 0.7
Asked = tuple[DataFlow, RegisterEntry | None]


def asked(batch: Sequence[RawRecord], judged: Context) -> list[Asked]:
    """Give the flows of a batch that the pipeline asks the assessor about."""
    flows: list[Asked] = []

    def witness(_: RawRecord, each: Judged) -> None:
        flows.extend((flow, entry) for flow, entry in each.classified.flows if flow.proof and flow.role is not Role.OWN)

    process(batch, judged, {}, witness)
    return flows


def steps(pack: LawPack) -> dict[str, Callable[[Sequence[Asked]], None]]:
    """Give what is compared. Each asks the same flows."""
    answer: Any = transfers._assessed

    def remembered(batch: Sequence[Asked]) -> None:
        for flow, entry in batch:
            transfers.assess(flow, entry, pack, flow.at_ms)

    def anew(batch: Sequence[Asked]) -> None:
        for flow, entry in batch:
            place, day = (flow.origin, flow.destination), flow.at_ms // DAY_MS
            nobody, read = flow.recipient == "unknown", not flow.uninspectable
            answer.__wrapped__(pack, entry, flow.role, *place, flow.categories, nobody, read, day)

    def agreements(batch: Sequence[Asked]) -> None:
        for flow, entry in batch:
            recipients.assess(flow, entry, flow.at_ms)

    def year(batch: Sequence[Asked]) -> None:
        for at, (flow, entry) in enumerate(batch):
            transfers.assess(flow, entry, pack, flow.at_ms - at % 365 * DAY_MS)

    return {
        "remembered": remembered,
        "asked anew": anew,
        "agreements (recipients.assess)": agreements,
        "remembered, on any day of a year": year,
    }


def main() -> None:
    """Print microseconds for each flow and for each record."""
    size = chosen(__doc__, 5)
    work = batches(mix := Mix(1), size.records)
    judged = context(mix)
    flows = [asked(batch, judged) for batch in work]
    number = sum(map(len, flows))
    seconds, parsed = against_parsing(steps(judged.law), flows, work, size.rounds)
    for name, spent in seconds.items():
        print(  # noqa: T201 - a benchmark reports
            f"transfers {name:33} {spent / number * 1e6:6.2f} us a flow, {spent / size.records * 1e6:6.3f} us a record, "
            f"{spent / parsed:6.3f} x orjson.loads"
        )
    per_record = seconds["remembered"] / size.records * 1e6
    word = "within" if per_record <= CEILING_US else "ABOVE"
    print(f"transfers {number / size.records:.2f} flows a record; {word} the ceiling of {CEILING_US} us a record")  # noqa: T201


if __name__ == "__main__":
    main()
