"""What a violation entails travels with it: from the law of the day through the fold into the alert."""

import msgspec

from alerts.episodes import Policy, step
from monitor.pipeline import Context, process
from tests.detectors.law.shipped import pack
from tests.monitor.test_event_date import TODAY_MS, context, event, register  # noqa: F401 - the fixtures
from topics.alert import Alert
from topics.finding import Fold, Verdict
from topics.record import RawRecord


def folds(context: Context, origin: str, at: str) -> dict[str, Fold]:  # noqa: F811 - the fixture's value
    record = RawRecord("events", 0, 0, TODAY_MS, None, event(origin, "helpdesk", at))
    return {each.rule: each for each in process([record], context, {}).folds}


def test_a_fold_and_its_alert_carry_amounts_and_clocks_of_the_events_day(context: Context) -> None:  # noqa: F811
    fold = folds(context, "DE", "2026-07-01T12:00:00.000Z")["transfers.mechanism-expired"]
    (maximum,) = [each for each in fold.amounts if each.per == "maximum"]
    assert (maximum.low, maximum.high, maximum.currency) == (0, 20_000_000, "EUR")
    assert any("most that one proceeding" in each for each in maximum.assumptions)
    assert maximum.citations
    breach = [each for each in fold.clocks if each.kind == "breach" and each.detail == "regulator"]
    assert [each.hours for each in breach] == [72]
    assert {each.duty for each in fold.clocks} <= set(fold.exposure)
    (alert,) = step(None, fold, TODAY_MS, Policy())[1]
    assert (alert.amounts, alert.clocks) == (fold.amounts, fold.clocks)
    assert msgspec.json.decode(msgspec.json.encode(alert), type=Alert) == alert


def test_what_accuses_nobody_entails_nothing(context: Context) -> None:  # noqa: F811
    gaps = [each for each in folds(context, "BR", "2026-07-01T12:00:00.000Z").values() if each.verdict is Verdict.GAP]
    assert gaps
    assert all(each.amounts == () and each.clocks == () for each in gaps)


def test_an_episode_keeps_the_newest_figures_and_forgets_none(context: Context) -> None:  # noqa: F811
    fold = folds(context, "DE", "2026-07-01T12:00:00.000Z")["transfers.mechanism-expired"]
    bare = msgspec.structs.replace(fold, amounts=(), clocks=(), offsets=((9, 29_000_000, 1),), count=1)
    episode, _ = step(None, fold, TODAY_MS, Policy())
    after, _ = step(episode, bare, TODAY_MS + 1, Policy())
    assert (after.amounts, after.clocks) == (fold.amounts, fold.clocks)
    assert pack().exposure_for("DE", fold.first_at_ms).amounts == fold.amounts
