"""What people declare of an episode, taken into its state. Pure; times are arguments in milliseconds."""

import msgspec

from alerts.state import Episode
from alerts.telling import MAX_TIME_MS, tell
from topics.alert import Alert, Change
from topics.triage import Declaration, Declared

_MOST_MET = 50
"""Duties of one episode that are remembered as met."""
_DECLARED = {
    Declared.BREACH: "a breach of personal data",
    Declared.NOTICE: "a notice of the regulator",
    Declared.MET: "a duty is met",
}


def declare(state: Episode, declaration: Declaration, now_ms: int, offset: int) -> tuple[Episode, list[Alert]]:
    """Take in what somebody declared, and tell which clocks run now. Declaring it again tells nothing.

    `now_ms` and `offset` are those of the declaration's record. One that is read again changes nothing either: what was taken
    back since must not stand again. Raises ValueError when it contradicts itself.
    """
    if not 0 <= declaration.at_ms <= MAX_TIME_MS or (declaration.what is Declared.MET) != bool(declaration.duty):
        raise ValueError("a declaration that contradicts itself")
    last_offset, last_ms = state.heard
    if offset <= last_offset and now_ms <= last_ms:
        return state, []
    declared, met = dict(state.declared), set(state.met)
    if declaration.what is Declared.MET and declaration.at_ms:
        met.add(declaration.duty)
    elif declaration.what is Declared.MET:
        met.discard(declaration.duty)
    elif declaration.at_ms:
        declared[declaration.what.value] = declaration.at_ms
    else:
        declared.pop(declaration.what.value, None)
    heard = msgspec.structs.replace(state, heard=(offset, max(now_ms, last_ms)))
    if declared == state.declared and met == set(state.met):
        return heard, []
    changed = msgspec.structs.replace(
        heard, declared=dict(sorted(declared.items())), met=tuple(sorted(met))[:_MOST_MET]
    )
    taken_back = "" if declaration.at_ms else " is taken back"
    return tell(changed, Change.GROWN, now_ms, f"; declared: {_DECLARED[declaration.what]}{taken_back}")
