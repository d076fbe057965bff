"""The report of `make bench` as a page."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one program took."""

    records: int
    cpu: float
    """Seconds."""
    wall: float
    """Seconds."""
    memory_mb: float

    @property
    def rate(self) -> float:
        """Records for each second of CPU."""
        return self.records / self.cpu


class Grown(NamedTuple):
    """Time for a record before and after something grew."""

    what: str
    before: str
    after: str
    before_us: float
    after_us: float
    ratio_of_parse: float = 0.0
    """The second over `orjson.loads` on the same bytes."""


class Late(NamedTuple):
    """How long findings took from the broker's receipt of the record to theirs, in milliseconds."""

    per_second: float
    settle_ms: float
    findings: int
    p50: float
    p99: float
    most: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that was measured."""

    conditions: Sequence[str]
    measured: dict[str, Measured]
    pair: Measured
    latency: Late | None
    growth: Sequence[Grown]
    presidio_us: float


def render(report: Report) -> str:
    """Write the report in Markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    worker, ceiling = report.measured["worker"], report.measured["ceiling"]
    yield "## Conditions"
    yield ""
    yield from (f"- {line}." for line in report.conditions)
    yield ""
    yield "## Records for each second of CPU"
    yield ""
    yield "C is `consume + orjson.loads` on the same topics in the same run."
    yield ""
    yield "| program | records a CPU second | us a record | x C | resident MB |"
    yield "|---|---|---|---|---|"
    for name, each in report.measured.items():
        yield f"| {name} | {each.rate:,.0f} | {1e6 / each.rate:.1f} | {each.rate / ceiling.rate:.2f} | {each.memory_mb:.0f} |"
    yield f"| two workers | {report.pair.rate:,.0f} | {1e6 / report.pair.rate:.1f} | {report.pair.rate / ceiling.rate:.2f} | {report.pair.memory_mb:.0f} each |"
    yield ""
    yield "## Against what was promised"
    yield ""
    yield "| promise | wanted | found |"
    yield "|---|---|---|"
    yield from _promises(report, worker, ceiling)
    yield ""
    if report.growth:
        yield "## Growth, in memory"
        yield ""
        yield "| what grows | from | to | us a record | then | ratio | then, x orjson.loads |"
        yield "|---|---|---|---|---|---|---|"
        for row in report.growth:
            parse = f"{row.ratio_of_parse:.1f}" if row.ratio_of_parse else ""
            yield f"| {row.what} | {row.before} | {row.after} | {row.before_us:.1f} | {row.after_us:.1f} | {row.after_us / row.before_us:.2f} | {parse} |"


def _promises(report: Report, worker: Measured, ceiling: Measured) -> Iterator[str]:
    measured = report.measured
    yield f"| worker to C | 1.0 | {worker.rate / ceiling.rate:.2f} |"
    if "worker, every gate open" in measured:
        yield f"| every gate open to C | (told) | {measured['worker, every gate open'].rate / ceiling.rate:.2f} |"
    for peer, wanted in (("Faust agent", 10), ("Quix Streams", 2)):
        if peer in measured:
            yield f"| worker to {peer} that only parses | {wanted} | {worker.rate / measured[peer].rate:.1f} |"
    if "worker, exactly once" in measured:
        yield f"| exactly once to at least once | 0.9 | {measured['worker, exactly once'].rate / worker.rate:.2f} |"
    yield f"| two workers to one, for each CPU second | 0.85 | {report.pair.rate / worker.rate:.2f} |"
    yield f"| resident memory of a worker, MB | 500 | {worker.memory_mb:.0f} |"
    late = report.latency
    if late is not None:
        yield (
            f"| record to finding at {late.per_second:,.0f} records a second (half load), p99 beyond the {late.settle_ms:.0f} ms to settle, ms "
            f"| 250 | {late.p99 - late.settle_ms:.0f} (p50 {late.p50 - late.settle_ms:.0f}, most {late.most - late.settle_ms:.0f}, {late.findings:,} findings) |"
        )
    if report.presidio_us:
        us = 1e6 / worker.rate
        yield f"| Presidio's regular expressions alone, us a record (to the worker) | (told) | {report.presidio_us:,.0f} ({report.presidio_us / us:,.0f} x) |"
