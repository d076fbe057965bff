"""Which other episodes have to do with one: shared recipient, service, route or persons, at the same time. Pure."""

from collections.abc import Iterable

import msgspec

from alerts.state import Episode
from topics.alert import EpisodeState, Related
from topics.distinct import Distinct

MOST = 5
"""Episodes that are named, at most."""
_WEIGHTS = {"subjects": 3, "recipient": 2, "service": 1, "route": 1}
_ENOUGH = 2
"""A service alone relates everything to everything."""
_SLACK_MS = 900_000
"""Times that lie so close together count as overlapping."""
_SHARE = 0.5
"""Of the smaller cohort."""
_TRUSTED = 0.1
"""A cohort below this share of both together drowns in the error of the sketch."""


def relate(episode: Episode, others: Iterable[Episode]) -> Episode:
    """Give the episode with those of the others that have to do with it, beside what was known before.

    Doing it again changes nothing. Exempted episodes are related to nothing.
    """
    if episode.exemption:
        return episode
    found = {each.episode_key: each for each in episode.related}
    persons = Distinct.decode(episode.subjects)
    for other in others:
        if other.episode_key == episode.episode_key or other.exemption or other.state is EpisodeState.RESOLVED:
            continue
        shared = _shared(episode, other, persons)
        if sum(_WEIGHTS[name] for name in shared) >= _ENOUGH:
            found[other.episode_key] = Related(episode_key=other.episode_key, rule=other.rule, by=shared)
    closest = sorted(found.values(), key=lambda each: (-sum(_WEIGHTS[name] for name in each.by), each.episode_key))
    related = tuple(closest[:MOST])
    return episode if related == episode.related else msgspec.structs.replace(episode, related=related)


def _shared(one: Episode, other: Episode, persons: Distinct) -> tuple[str, ...]:
    if one.first_at_ms > other.last_at_ms + _SLACK_MS or other.first_at_ms > one.last_at_ms + _SLACK_MS:
        return ()
    told = []
    if one.recipient and one.recipient == other.recipient:
        told.append("recipient")
    if not set(one.services).isdisjoint(other.services):
        told.append("service")
    if not _routes(one).isdisjoint(_routes(other)):
        told.append("route")
    if _is_same_cohort(persons, Distinct.decode(other.subjects)):
        told.append("subjects")
    return tuple(told)


def _routes(episode: Episode) -> set[str]:
    return {value for each in episode.exemplars for name, value in each.proof if name == "route"}


def _is_same_cohort(one: Distinct, other: Distinct) -> bool:
    smaller = min(len(one), len(other))
    if not smaller:
        return False
    together = Distinct.decode(one.encode())
    together.merge(other)
    if smaller < _TRUSTED * len(together) and not together.is_exact:
        return False
    return len(one) + len(other) - len(together) >= _SHARE * smaller
