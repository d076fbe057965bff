"""Rows of the hourly agent: sums that no cut changes, and nothing but counts."""

import random
from collections import Counter
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.agents.hourly import Read, Row, rows
from tests.alerts.traffic import START_MS, Seen, batches, fold, traffic
from topics.canary import CANARY_RULE
from topics.finding import Fold, Verdict

HOUR_MS = 3_600_000


def seen(offset: int, count: int = 1, at_ms: int = START_MS) -> Seen:
    return Seen(key="k", partition=0, offset=offset, at_ms=at_ms, count=count, subject="0badcafe")


def read(*folds: Fold, partition: int = 0) -> list[Read]:
    return [Read(partition, offset, each) for offset, each in enumerate(folds)]


def by_hour(found: list[Row]) -> Counter[str]:
    return Counter(
        {hour: sum(row.findings for row in found if row.hour == hour) for hour in {row.hour for row in found}}
    )


@given(st.integers(0, 2**32), st.lists(st.integers(1, 200), max_size=6))
def test_how_the_minutes_are_cut_changes_no_sum(seed: int, cuts: list[int]) -> None:
    random_ = random.Random(seed)
    folds = [each for batch in batches(random_, traffic(random_, 0, 300, ["a", "b"]), again=0) for each in batch]
    whole = read(*folds)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    parts = [row for first, last in pairwise(edges) for row in rows(whole[first:last])]
    assert by_hour(parts) == by_hour(rows(whole))
    assert sum(row.findings for row in parts) == sum(each.count for each in folds)
    assert len({row.id for row in parts}) == len(parts)


def test_folds_that_are_read_again_have_the_same_ids() -> None:
    folds = read(fold([seen(1), seen(2)]), fold([seen(3, at_ms=START_MS + HOUR_MS)]))
    assert rows(folds) == rows(folds)
    # Cut earlier, the first of the two rows is the one that a longer batch replaces.
    assert rows(folds[:1])[0].id == rows(folds)[0].id


def test_a_fold_that_comes_twice_counts_once() -> None:
    folds = read(fold([seen(1)]), fold([seen(2)]))
    assert rows([*folds, *folds]) == rows(folds)


def test_a_fold_over_the_turn_of_an_hour_is_two_rows() -> None:
    turn = START_MS // HOUR_MS * HOUR_MS + HOUR_MS
    found = rows(read(fold([seen(1, 2, turn - 1), seen(2, 3, turn)])))
    assert [(row.hour, row.findings) for row in found] == [("2023-11-14T22:00:00Z", 2), ("2023-11-14T23:00:00Z", 3)]


def test_gaps_and_exempted_findings_are_told_apart_from_violations() -> None:
    plain = fold([seen(1)])
    gap = msgspec.structs.replace(plain, verdict=Verdict.GAP)
    exempted = msgspec.structs.replace(plain, exemption="acme-contract")
    found = rows(read(plain, gap, exempted, plain))
    assert [(row.verdict, row.exempted, row.findings) for row in found] == [
        (Verdict.VIOLATION, False, 2),
        (Verdict.GAP, False, 1),
        (Verdict.VIOLATION, True, 1),
    ]


def test_partitions_have_rows_of_their_own_since_each_may_be_read_again_by_another() -> None:
    found = rows([*read(fold([seen(1)]), partition=0), *read(fold([seen(1)]), partition=1)])
    assert [row.id.split("/")[0] for row in found] == ["0", "1"]


def test_the_canary_is_no_traffic_of_the_shop() -> None:
    assert rows(read(msgspec.structs.replace(fold([seen(1)]), rule=CANARY_RULE))) == []


@pytest.mark.parametrize("minute", [-(2**62), -1, 2**62])
def test_minutes_beyond_the_times_of_a_fold_end_nothing(minute: int) -> None:
    strange = msgspec.structs.replace(fold([seen(1)]), offsets=((1, minute, 1),))
    assert [row.hour for row in rows(read(strange))] == ["2023-11-14T22:00:00Z"]


def test_a_row_names_no_person() -> None:
    written = msgspec.json.encode(rows(read(fold([seen(1)]))))
    assert b"0badcafe" not in written
    assert b"fields" not in written
