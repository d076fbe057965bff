from tests.bench.lawful import judge


def test_a_lawful_day_with_refusals_and_signals_raises_no_violation() -> None:
    outcome = judge(5_000)
    assert outcome.records > 4_500
    assert outcome.refusals > 50
    assert outcome.violations == {}
