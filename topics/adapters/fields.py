"""Field maps: which of a log's keys says what, for formats whose keys the user chooses."""

from collections.abc import Mapping

import msgspec

from topics.adapters import reading
from topics.adapters.tolerant import value_of

Keys = Mapping[str, tuple[str, ...]]
"""Our name -> the log's keys, in order of preference."""


def mapped(defaults: Keys, own: Mapping[str, str]) -> Keys:
    """Put the user's own key in the place of the default ones."""
    return {ours: (own[ours],) if ours in own else theirs for ours, theirs in defaults.items()}


def values(members: Mapping[str, msgspec.Raw], keys: Keys) -> dict[str, str]:
    """Give the texts that a log has, by our names; absent ones are left out."""
    found: dict[str, str] = {}
    for ours, theirs in keys.items():
        for key in theirs:
            raw = members.get(key)
            text = reading.text(value_of(raw)) if raw else None
            if text is not None:
                found[ours] = text
                break
    return found
