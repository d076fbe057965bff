"""Episodes: many findings of one kind become one thing to act upon. Pure; times are arguments in milliseconds."""

from collections.abc import Iterable

import msgspec

from alerts.clocks import dues, keeps, refused_at_ms, running
from alerts.policy import Policy
from alerts.state import Episode
from alerts.telling import MAX_TIME_MS, digest, tell
from alerts.thresholds import Waiting, collect, reached, trimmed
from alerts.wording import until_when, what_is_due
from topics.alert import Alert, Change, EpisodeState
from topics.distinct import Distinct
from topics.finding import MAX_EXEMPLARS, SEVERITIES, Finding, Fold, Severity, Verdict

MAX_NAMES = 50
"""Services, purposes and categories of one episode are listed up to here; beyond it the set is marked as overflowed."""
_MAX_OFFSET = 2**63 - 1
_MAX_COUNT = 2**53 - 1
_MINUTE_MS = 60_000
_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


def key_of(fold: Fold) -> str:
    """Give the key of the episode that a fold belongs to: gaps and exempted findings never share one with violations."""
    key = fold.episode_key + ":gap" if fold.verdict is Verdict.GAP else fold.episode_key
    return key + ":exempt" if fold.exemption else key


def step(state: Episode | None, fold: Fold, now_ms: int, policy: Policy) -> tuple[Episode, list[Alert]]:
    """Count what a fold brings beyond the mark, and say what people should know.

    `now_ms` is the time of the fold's record, so that reading it again gives the same.
    Folds of one input partition must come in the order of their offsets; any suffix of them may come again.
    Raises ValueError when the fold contradicts itself.
    """
    subjects = checked(fold)
    place = f"{fold.cluster}/{fold.topic}/{fold.partition}"
    mark = -1 if state is None else state.marks.get(place, -1)
    high = fresh = 0
    first_offset = first_minute = -1
    for distance, minute, count in fold.offsets:
        high += distance
        if high > mark:
            if not fresh:
                first_offset = high
                first_minute = minute
            fresh += count
            first_minute = min(first_minute, minute)
    if not fresh and state is not None:
        return state, []
    if fold.threshold is not None and (state is None or state.state is not EpisodeState.OPEN):
        beyond = [(minute, count) for offset, minute, count in _places(fold) if offset > mark]
        return _together(state, fold, (place, high, first_offset), beyond, (now_ms, policy))
    if state is None or _is_over(state, now_ms, policy):
        # A fold that was partly counted in the episode before: only the minute of the rest is known.
        first = fold.first_at_ms if fresh == fold.count else max(fold.first_at_ms, first_minute * _MINUTE_MS)
        begun = _begin(fold, place, first_offset, min(first, fold.last_at_ms), _kept(state, now_ms))
        return tell(_add(begun, fold, (place, high, fresh), subjects, now_ms, state), Change.OPENED, now_ms)
    grown = _add(state, fold, (place, high, fresh), subjects, now_ms, state)
    if state.state is not EpisodeState.OPEN:
        return tell(grown, Change.REOPENED, now_ms)
    if grown.severity is not state.severity:
        return tell(grown, Change.ESCALATED, now_ms)
    if grown.findings.bit_length() > grown.told_findings.bit_length():
        return tell(grown, Change.GROWN, now_ms)
    return grown, []


def _places(fold: Fold) -> Iterable[tuple[int, int, int]]:
    """Give offset, event minute and findings of each record of a fold."""
    offset = 0
    for distance, minute, count in fold.offsets:
        offset += distance
        yield offset, minute, count


def _together(
    state: Episode | None,
    fold: Fold,
    at: tuple[str, int, int],
    fresh: list[tuple[int, int]],
    when: tuple[int, Policy],
) -> tuple[Episode, list[Alert]]:
    """Count towards a rule's threshold; an episode opens, or opens again, when it is reached."""
    place, high, first_offset = at
    now_ms, policy = when
    threshold = fold.threshold
    if threshold is None:
        raise ValueError("a fold without a threshold")
    base = state or msgspec.structs.replace(
        _begin(fold, place, first_offset, fold.first_at_ms), state=EpisodeState.RESOLVED, seen_at_ms=now_ms
    )
    waiting = collect(base.waiting or Waiting(), fold, fresh, threshold)
    enough = reached(waiting, threshold)
    if enough is None:
        marks = dict(sorted({**base.marks, place: high}.items()))
        seen_at_ms = base.seen_at_ms if base.state is EpisodeState.QUIET else max(base.seen_at_ms, now_ms)
        return msgspec.structs.replace(
            base, marks=marks, waiting=trimmed(waiting, threshold), seen_at_ms=seen_at_ms
        ), []
    is_again = not _is_over(base, now_ms, policy)
    first_at_ms = min(max(fold.first_at_ms, enough.first_minute * _MINUTE_MS), fold.last_at_ms)
    before = base if is_again else _begin(fold, place, first_offset, first_at_ms, _kept(state, now_ms))
    grown = _add(before, fold, (place, high, enough.findings), enough.subjects, now_ms, base)
    opened_at_ms = min(grown.opened_at_ms, enough.first_minute * _MINUTE_MS)
    opened = msgspec.structs.replace(
        grown,
        opened_at_ms=grown.opened_at_ms if is_again else opened_at_ms,
        first_at_ms=grown.first_at_ms if is_again else opened_at_ms,
        exemplars=_exemplars(before.exemplars, enough.exemplars),
        waiting=None,
    )
    return tell(opened, Change.REOPENED if is_again else Change.OPENED, now_ms)


def _is_over(state: Episode, now_ms: int, policy: Policy) -> bool:
    """Say whether what comes now begins another episode."""
    if state.state is not EpisodeState.RESOLVED:
        return False
    reopen_ms = policy.under(state.windows).reopen_seconds * 1000
    # An episode that was never told cannot be opened again.
    return not state.revision or now_ms - state.told_at_ms >= reopen_ms


def tick(state: Episode, now_ms: int, policy: Policy) -> tuple[Episode, list[Alert]]:
    """Let time pass up to `now_ms`: all folds written before that moment must have been counted."""
    policy = policy.under(state.windows)
    # First of all, since silence calls nobody: a sink may leave it out.
    warned, alerts = _warn(state, now_ms, policy)
    if alerts:
        return warned, alerts
    silent_ms = now_ms - state.seen_at_ms
    if state.state is EpisodeState.OPEN:
        if silent_ms >= policy.quiet_seconds * 1000:
            return tell(msgspec.structs.replace(state, state=EpisodeState.QUIET), Change.QUIET, now_ms)
        if state.findings != state.told_findings and now_ms - state.told_at_ms >= policy.remind_seconds * 1000:
            return tell(state, Change.GROWN, now_ms)
    elif state.state is EpisodeState.QUIET and silent_ms >= policy.resolve_seconds * 1000:
        return tell(msgspec.structs.replace(state, state=EpisodeState.RESOLVED), Change.RESOLVED, now_ms)
    return state, []


def _warn(state: Episode, now_ms: int, policy: Policy) -> tuple[Episode, list[Alert]]:
    """Tell that a duty is due soon, when nobody was told anything since that began to be so."""
    if not state.clocks or state.exemption:
        return state, []
    before_ms = int(policy.warn_seconds * 1000)
    soon = [due for due in running(dues(state)) if state.told_at_ms < due.due_at_ms - before_ms <= now_ms]
    if not soon:
        return state, []
    note = "".join(f"; {what_is_due(due)} {until_when(due)} ({due.duty})" for due in soon)
    return tell(state, Change.GROWN, now_ms, note)


def is_forgettable(state: Episode, now_ms: int, policy: Policy) -> bool:
    """Say whether the state may be dropped: over, silent for the forget time, and no declared clock runs."""
    return (
        now_ms - state.seen_at_ms >= policy.forget_seconds * 1000
        and _is_over(state, now_ms, policy)
        and not keeps(state, now_ms)
    )


def _kept(state: Episode | None, now_ms: int) -> Episode | None:
    """Give the episode before of a key when what was declared of it still counts."""
    return state if state is not None and keeps(state, now_ms) else None


def checked(fold: Fold) -> Distinct:
    """Give the distinct subjects of a fold. Raises ValueError when it contradicts itself.

    The findings topic is open to others: such a fold must not change a count.
    """
    if not fold.offsets or fold.offsets[0][0] < 0 or any(distance < 1 for distance, _, _ in fold.offsets[1:]):
        raise ValueError("offsets do not ascend")
    if sum(distance for distance, _, _ in fold.offsets) > _MAX_OFFSET:
        raise ValueError("an offset is out of range")
    if any(count < 1 for _, _, count in fold.offsets) or sum(count for _, _, count in fold.offsets) != fold.count:
        raise ValueError("the count is not the sum over the offsets")
    if fold.count > _MAX_COUNT:
        raise ValueError("the count is out of range")
    if not 0 <= fold.first_at_ms <= fold.last_at_ms <= MAX_TIME_MS:
        raise ValueError("the times are out of order or out of range")
    return Distinct.decode(fold.subjects)


def _begin(fold: Fold, place: str, offset: int, first_at_ms: int, kept: Episode | None = None) -> Episode:
    key = key_of(fold)
    return Episode(
        episode_key=key,
        episode_id=digest(key, place, offset),
        detector=fold.detector,
        rule=fold.rule,
        rule_version=fold.rule_version,
        verdict=fold.verdict,
        severity=Severity.LOW if fold.verdict is Verdict.GAP else fold.severity,
        mode=fold.mode,
        basis=fold.basis,
        jurisdiction=fold.jurisdiction,
        law=fold.law,
        recipient=fold.recipient,
        group=fold.group,
        state=EpisodeState.OPEN,
        opened_at_ms=first_at_ms,
        first_at_ms=first_at_ms,
        last_at_ms=fold.last_at_ms,
        seen_at_ms=0,
        findings=0,
        marks={},
        subjects="e:",
        services=(),
        purposes=(),
        categories=(),
        overflowed=(),
        exemplars=(),
        bundle=fold.bundle,
        exemption=fold.exemption,
        declared={} if kept is None else kept.declared,
        met=() if kept is None else kept.met,
    )


def _add(
    base: Episode, fold: Fold, counted: tuple[str, int, int], subjects: Distinct, now_ms: int, before: Episode | None
) -> Episode:
    place, high, fresh = counted
    everybody = Distinct.decode(base.subjects)
    everybody.merge(subjects)
    overflowed = set(base.overflowed)
    severity = base.severity
    if base.verdict is not Verdict.GAP and _RANK[fold.severity] > _RANK[severity]:
        severity = fold.severity
    marks, heard = ({}, base.heard) if before is None else (before.marks, before.heard)
    # What was counted before is already in the minimum and the maximum: taking them again changes nothing.
    first_at_ms = base.first_at_ms if base.findings == 0 else min(base.first_at_ms, fold.first_at_ms)
    return msgspec.structs.replace(
        base,
        rule_version=fold.rule_version,
        severity=severity,
        law=_union("law", base.law, fold.law, overflowed),
        exposure=_union("exposure", base.exposure, fold.exposure, overflowed),
        amounts=fold.amounts or base.amounts,
        clocks=fold.clocks or base.clocks,
        windows=fold.windows,
        runbook=fold.runbook or base.runbook,
        refused_at_ms=_earliest(base.refused_at_ms, fold.exemplars),
        state=EpisodeState.OPEN,
        first_at_ms=first_at_ms,
        last_at_ms=max(base.last_at_ms, fold.last_at_ms),
        seen_at_ms=max(base.seen_at_ms, now_ms),
        findings=min(base.findings + fresh, _MAX_COUNT),
        marks=dict(sorted({**marks, place: high}.items())),
        heard=heard,
        subjects=everybody.encode(),
        services=_union("services", base.services, fold.services, overflowed),
        purposes=_union("purposes", base.purposes, fold.purposes, overflowed),
        categories=_union("categories", base.categories, fold.categories, overflowed),
        overflowed=tuple(sorted(overflowed)),
        exemplars=_exemplars(base.exemplars, fold.exemplars),
        bundle=fold.bundle,
    )


def _earliest(known_ms: int, exemplars: Iterable[Finding]) -> int:
    moments = [each for each in (known_ms, *map(refused_at_ms, exemplars)) if each]
    return min(moments, default=0)


def _union(name: str, known: tuple[str, ...], more: Iterable[str], overflowed: set[str]) -> tuple[str, ...]:
    names = set(known)
    for one in more:
        if one not in names:
            if len(names) >= MAX_NAMES:
                overflowed.add(name)
                break
            names.add(one)
    return known if len(names) == len(known) else tuple(sorted(names))


def _exemplars(known: tuple[Finding, ...], more: tuple[Finding, ...]) -> tuple[Finding, ...]:
    ids = {finding.finding_id for finding in known}
    kept = list(known)
    for finding in more:
        if len(kept) >= MAX_EXEMPLARS:
            break
        if finding.finding_id not in ids:
            ids.add(finding.finding_id)
            kept.append(finding)
    return tuple(kept)


__all__ = [
    "MAX_NAMES",
    "MAX_TIME_MS",
    "Episode",
    "Policy",
    "checked",
    "is_forgettable",
    "key_of",
    "step",
    "tick",
]
