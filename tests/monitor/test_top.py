"""The page of `privacy-monitor top`, drawn from records as the topics hold them."""

import io

import msgspec
from rich.console import Console

from monitor.top import Seen, page, ranked
from tests.alerts.test_export import history
from topics.accounting import Accounting, OffsetClass
from topics.alert import EpisodeState
from topics.catalog import ACCOUNTING, ALERTS, DEAD_LETTERS
from topics.finding import Severity, Verdict
from topics.record import RawRecord

NOW = 1_700_000_100.0


def record(topic: str, value: object, age: float = 1.0) -> RawRecord:
    encoded = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return RawRecord(topic, 0, 0, int((NOW - age) * 1000), None, encoded)


def account(topic: str, records: int, unknown: int = 0) -> Accounting:
    return Accounting(
        cluster="c",
        topic=topic,
        partition=0,
        start=0,
        end=records,
        runs=((records, OffsetClass.INSPECTED),),
        items={"judged": records - unknown, "unknown:no-origin": unknown},
        findings=0,
        ledger_mark="",
        bundle="b",
        worker="w",
        delivery="at_least_once",
    )


def drawn(seen: Seen) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(page(seen, NOW))
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue()


def test_a_topic_without_verdicts_is_shown_as_silent_or_blind() -> None:
    seen = Seen(("shop.events", "shop.kong", "shop.old"))
    seen.absorb([record(ACCOUNTING.name, account("shop.events", 600, 60))], NOW)
    seen.absorb([record(ACCOUNTING.name, account("shop.old", 600), age=300)], NOW)
    lines = {line.split()[1]: line for line in drawn(seen).splitlines() if "shop." in line}
    assert "10.0" in lines["shop.events"]
    assert "ok" in lines["shop.events"]
    assert "never" in lines["shop.kong"]
    assert "silent or blind" in lines["shop.kong"]
    assert "silent or blind" in lines["shop.old"]
    assert "90.0% of items judged" in drawn(seen)


def test_records_that_are_none_change_nothing() -> None:
    seen = Seen(("shop.events",))
    seen.absorb([record(topic, b"\xff{") for topic in (ACCOUNTING.name, ALERTS.name)], NOW)
    seen.absorb([record(DEAD_LETTERS.name, b"{}"), record(DEAD_LETTERS.name, b"{}", age=120)], NOW)
    assert seen.alerts == {}
    assert "1 dead letters" in drawn(seen)


def test_what_goes_on_stands_before_what_is_over_and_violations_before_gaps() -> None:
    critical, low = history(Severity.CRITICAL, key="a")[0], history(Severity.LOW, key="b")[0]
    gap, over = history(verdict=Verdict.GAP, key="c")[0], history(Severity.CRITICAL, key="d")[-1]
    assert over.state is EpisodeState.RESOLVED
    assert ranked([over, gap, low, critical]) == [critical, low, gap, over]
    seen = Seen(())
    seen.absorb([record(ALERTS.name, each) for each in (over, gap, low, critical)], NOW)
    page_ = drawn(seen)
    assert "2 violations and 1 gaps not resolved" in page_
    assert critical.why in page_


def test_markup_in_traffic_stays_text() -> None:
    alert = msgspec.structs.replace(history()[0], why="[bold red]evil[/] said so.")
    seen = Seen(())
    seen.absorb([record(ALERTS.name, alert)], NOW)
    assert "[bold red]evil[/] said so." in drawn(seen)
