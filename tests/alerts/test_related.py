"""Related episodes: by what they share, at the same time, by key; idempotent and bounded."""

from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.episodes import Episode, Policy, step
from alerts.register import Register
from alerts.related import MOST, relate
from tests.alerts.traffic import START_MS, Seen, fold
from topics.alert import EpisodeState
from topics.distinct import Distinct

_OFFSETS = count()


def episode(key: str, **changes: object) -> Episode:
    state, _ = step(None, fold([Seen(key, 0, next(_OFFSETS), START_MS, 1, f"of-{key}")]), START_MS, Policy())
    plain = {"recipient": f"r-{key}", "services": (f"s-{key}",), "exemplars": ()}
    return msgspec.structs.replace(state, **{**plain, **changes})


def by(one: Episode, *others: Episode) -> dict[str, tuple[str, ...]]:
    return {each.episode_key: each.by for each in relate(one, others).related}


def test_episodes_that_share_a_recipient_or_persons_are_related_and_a_service_alone_is_not_enough() -> None:
    one = episode("a", recipient="meta", services=("web",))
    assert by(one, episode("b", recipient="meta")) == {"b": ("recipient",)}
    assert by(one, episode("b", services=("web",))) == {}
    assert by(one, episode("b", subjects=one.subjects)) == {"b": ("subjects",)}
    assert by(one, episode("b")) == {}


def test_a_service_and_a_route_together_are_enough() -> None:
    state, _ = step(None, fold([Seen("x", 0, 0, START_MS, 1, "s")]), START_MS, Policy())
    routed = tuple(msgspec.structs.replace(each, proof=(("route", "gateway"),)) for each in state.exemplars)
    shared = {"services": ("web",), "exemplars": routed}
    assert by(episode("a", **shared), episode("b", **shared)) == {"b": ("service", "route")}


@pytest.mark.parametrize(
    "apart",
    [
        {"first_at_ms": START_MS + 3_600_000, "last_at_ms": START_MS + 3_700_000},
        {"state": EpisodeState.RESOLVED},
        {"exemption": "canary"},
    ],
)
def test_what_is_over_exempted_or_of_another_time_is_not_related(apart: dict[str, object]) -> None:
    one = episode("a", recipient="meta")
    assert by(one, episode("b", recipient="meta", **apart)) == {}


def test_large_cohorts_that_overlap_are_related_and_strangers_are_not() -> None:
    crowd = Distinct(f"p{number}" for number in range(2_000)).encode()
    same = Distinct(f"p{number}" for number in range(500, 2_500)).encode()
    strangers = Distinct(f"q{number}" for number in range(2_000)).encode()
    assert by(episode("a", subjects=crowd), episode("b", subjects=same)) == {"b": ("subjects",)}
    assert by(episode("a", subjects=crowd), episode("b", subjects=strangers)) == {}


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("mno"), st.sampled_from(["web", "app"])), min_size=1, max_size=12))
def test_relating_again_changes_nothing_and_at_most_a_few_are_named(others: list[tuple[str, str]]) -> None:
    one = episode("a", recipient="m", services=("web",))
    rest = [episode(f"k{number}", recipient=r, services=(s,)) for number, (r, s) in enumerate(others)]
    once = relate(one, rest)
    assert relate(once, rest) == once
    assert relate(once, list(reversed(rest))) == once
    assert len(once.related) <= MOST
    assert one.episode_key not in {each.episode_key for each in once.related}


def test_the_register_finds_neighbours_by_what_they_share_within_bounds_and_after_a_takeover() -> None:
    register = Register()
    for number in range(300):
        each = episode(f"k{number:03}", recipient="meta")
        register.put(0, each.episode_key.encode(), each)
    one = episode("a", recipient="meta")
    found = register.neighbours(0, one)
    assert len(found) == 50
    assert found[-1].episode_key == "k299"
    register.forget(0, b"k299")
    assert "k299" not in {each.episode_key for each in register.neighbours(0, one)}
    heir = Register()
    heir.take(0, {key: value for _, key, value in register.changes() if value is not None and key == b"k001"})
    assert heir.neighbours(0, one) == []
    assert list(heir.of(0))
    assert [each.episode_key for each in heir.neighbours(0, one)] == ["k001"]
    heir.drop([0])
    assert heir.neighbours(0, one) == []
