"""By which way data left, as far as a record can tell."""

import msgspec
import pytest

from detectors.classify.route import LATE_MS, route_of
from topics.flow import Route
from topics.observation import Kind, Observation

AT_MS = 1_793_606_400_000


def observation(source: str) -> Observation:
    return Observation(item=0, kind=Kind.REQUEST, source=source)


@pytest.mark.parametrize(
    ("source", "via", "route"),
    [
        ("har", "request", Route.BROWSER),
        ("kong", "request", Route.SERVER_SIDE),
        ("kong", "upstream", Route.GATEWAY),
        ("segment", "integration", Route.SERVER_SIDE),
        ("segment", "stage", Route.SERVER_SIDE),
        ("kong", "", Route.NONE),
    ],
)
def test_the_route_follows_from_how_the_disclosure_is_known(source: str, via: str, route: Route) -> None:
    assert route_of(observation(source), via, AT_MS, AT_MS + 10) is route


@pytest.mark.parametrize("via", ["request", "upstream", "integration"])
def test_an_event_that_is_old_when_the_broker_gets_it_is_late_whatever_the_way(via: str) -> None:
    assert route_of(observation("har"), via, AT_MS, AT_MS + LATE_MS) is Route.BACKFILL
    on_time = route_of(observation("har"), via, AT_MS, AT_MS + LATE_MS - 1)
    assert on_time not in {Route.BACKFILL, Route.RETRY}


def test_what_comes_late_from_a_device_is_a_retry() -> None:
    made_on_a_device = msgspec.structs.replace(observation("segment"), user_agent="Mozilla/5.0")
    assert route_of(made_on_a_device, "integration", AT_MS, AT_MS + LATE_MS) is Route.RETRY


def test_without_the_brokers_time_nothing_is_late() -> None:
    assert route_of(observation("har"), "request", AT_MS, -1) is Route.BROWSER
