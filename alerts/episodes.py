"""Episodes: many findings of one kind become one thing to act upon. Pure; times are arguments in milliseconds."""

import hashlib
from collections.abc import Iterable

import msgspec

from alerts.thresholds import Waiting, collect, reached, trimmed
from alerts.wording import sentence
from topics.alert import Alert, Audience, Change, EpisodeState
from topics.distinct import Distinct
from topics.exposure import Amount, Clock
from topics.finding import MAX_EXEMPLARS, SEVERITIES, Basis, Detector, Finding, Fold, Mode, Severity, Verdict

MAX_NAMES = 50
"""Services, purposes and categories of one episode are listed up to here; beyond it the set is marked as overflowed."""
MAX_TIME_MS = 253_402_300_799_999
"""The end of the year 9999: the last moment that a timestamp in RFC 3339 can name."""
_MAX_OFFSET = 2**63 - 1
_MAX_COUNT = 2**53 - 1
_MINUTE_MS = 60_000
_RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an episode is over, and how often people are told. All in seconds."""

    quiet_seconds: float = 900.0
    """Nothing new for so long: the episode is quiet."""
    resolve_seconds: float = 86_400.0
    """Nothing new for so long: the episode is resolved."""
    remind_seconds: float = 900.0
    """Grown since the last alert, and nobody was told for so long: tell."""
    forget_seconds: float = 7 * 86_400.0
    """Resolved and nothing new for so long: the state may be dropped."""


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known about one episode. Counts and marks travel together, so one write keeps both."""

    episode_key: str
    episode_id: str
    """Hash of the key and the coordinates of the first finding, so that a replay gives the same."""
    detector: Detector
    rule: str
    rule_version: str
    """Of the newest fold."""
    verdict: Verdict
    severity: Severity
    mode: Mode
    basis: Basis
    jurisdiction: str
    law: tuple[str, ...]
    recipient: str
    group: tuple[tuple[str, str], ...]
    state: EpisodeState
    opened_at_ms: int
    first_at_ms: int
    last_at_ms: int
    seen_at_ms: int
    """When the newest counted fold was written (the record's time, not the event's)."""
    findings: int
    marks: dict[str, int]
    """`cluster/topic/partition` of the traffic to the highest offset counted. Kept when a new episode of the key begins."""
    subjects: str
    services: tuple[str, ...]
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    overflowed: tuple[str, ...]
    exemplars: tuple[Finding, ...]
    bundle: str
    exposure: tuple[str, ...] = ()
    """Ids of the duties that say what it entails, of all folds."""
    amounts: tuple[Amount, ...] = ()
    clocks: tuple[Clock, ...] = ()
    """What those duties name in money and time, as of the newest fold that names any."""
    exemption: str = ""
    """Id of the exception that covers all of it; that of the first fold, where several do."""
    waiting: Waiting | None = None
    """Findings that came since it was last open and are not yet enough, of a rule with a threshold. An episode that was
    never told is `resolved` with revision 0, and holds nothing else but its marks."""
    revision: int = 0
    told_findings: int = 0
    told_at_ms: int = 0

    @property
    def audience(self) -> Audience:
        """Who should act."""
        if self.exemption:
            return Audience.NOBODY
        return Audience.ENGINEERS if self.verdict is Verdict.GAP else Audience.ON_CALL


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
    del policy  # growth is told at powers of two; only time needs the policy
    subjects = _checked(fold)
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
        return _together(state, fold, (place, high, first_offset), beyond, now_ms)
    if state is None or state.state is EpisodeState.RESOLVED:
        # A fold that was partly counted in the episode before: only the minute of the rest is known.
        first = fold.first_at_ms if fresh == fold.count else max(fold.first_at_ms, first_minute * _MINUTE_MS)
        begun = _begin(fold, place, first_offset, min(first, fold.last_at_ms))
        return _tell(_add(begun, fold, (place, high, fresh), subjects, now_ms, state), Change.OPENED, now_ms)
    grown = _add(state, fold, (place, high, fresh), subjects, now_ms, state)
    if state.state is EpisodeState.QUIET:
        return _tell(grown, Change.REOPENED, now_ms)
    if grown.severity is not state.severity:
        return _tell(grown, Change.ESCALATED, now_ms)
    if grown.findings.bit_length() > grown.told_findings.bit_length():
        return _tell(grown, Change.GROWN, now_ms)
    return grown, []


def _places(fold: Fold) -> Iterable[tuple[int, int, int]]:
    """Give offset, event minute and findings of each record of a fold."""
    offset = 0
    for distance, minute, count in fold.offsets:
        offset += distance
        yield offset, minute, count


def _together(
    state: Episode | None, fold: Fold, at: tuple[str, int, int], fresh: list[tuple[int, int]], now_ms: int
) -> tuple[Episode, list[Alert]]:
    """Count towards a rule's threshold; an episode opens, or opens again, when it is reached."""
    place, high, first_offset = at
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
    is_again = base.state is EpisodeState.QUIET
    first_at_ms = min(max(fold.first_at_ms, enough.first_minute * _MINUTE_MS), fold.last_at_ms)
    before = base if is_again else _begin(fold, place, first_offset, first_at_ms)
    grown = _add(before, fold, (place, high, enough.findings), enough.subjects, now_ms, base)
    opened_at_ms = min(grown.opened_at_ms, enough.first_minute * _MINUTE_MS)
    opened = msgspec.structs.replace(
        grown,
        opened_at_ms=grown.opened_at_ms if is_again else opened_at_ms,
        first_at_ms=grown.first_at_ms if is_again else opened_at_ms,
        exemplars=_exemplars(before.exemplars, enough.exemplars),
        waiting=None,
    )
    return _tell(opened, Change.REOPENED if is_again else Change.OPENED, now_ms)


def tick(state: Episode, now_ms: int, policy: Policy) -> tuple[Episode, list[Alert]]:
    """Let time pass up to `now_ms`: all folds written before that moment must have been counted."""
    silent_ms = now_ms - state.seen_at_ms
    if state.state is EpisodeState.OPEN:
        if silent_ms >= policy.quiet_seconds * 1000:
            return _tell(msgspec.structs.replace(state, state=EpisodeState.QUIET), Change.QUIET, now_ms)
        if state.findings != state.told_findings and now_ms - state.told_at_ms >= policy.remind_seconds * 1000:
            return _tell(state, Change.GROWN, now_ms)
    elif state.state is EpisodeState.QUIET and silent_ms >= policy.resolve_seconds * 1000:
        return _tell(msgspec.structs.replace(state, state=EpisodeState.RESOLVED), Change.RESOLVED, now_ms)
    return state, []


def is_forgettable(state: Episode, now_ms: int, policy: Policy) -> bool:
    """Say whether the state may be dropped: resolved, and silent for the forget time."""
    return state.state is EpisodeState.RESOLVED and now_ms - state.seen_at_ms >= policy.forget_seconds * 1000


def _checked(fold: Fold) -> Distinct:
    # The findings topic is open to others: a fold that contradicts itself must not change a count.
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


def _begin(fold: Fold, place: str, offset: int, first_at_ms: int) -> Episode:
    key = key_of(fold)
    return Episode(
        episode_key=key,
        episode_id=_digest(key, place, offset),
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
    marks = {} if before is None else before.marks
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
        state=EpisodeState.OPEN,
        first_at_ms=first_at_ms,
        last_at_ms=max(base.last_at_ms, fold.last_at_ms),
        seen_at_ms=max(base.seen_at_ms, now_ms),
        findings=min(base.findings + fresh, _MAX_COUNT),
        marks=dict(sorted({**marks, place: high}.items())),
        subjects=everybody.encode(),
        services=_union("services", base.services, fold.services, overflowed),
        purposes=_union("purposes", base.purposes, fold.purposes, overflowed),
        categories=_union("categories", base.categories, fold.categories, overflowed),
        overflowed=tuple(sorted(overflowed)),
        exemplars=_exemplars(base.exemplars, fold.exemplars),
        bundle=fold.bundle,
    )


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


def _tell(state: Episode, change: Change, now_ms: int) -> tuple[Episode, list[Alert]]:
    told = msgspec.structs.replace(
        state, revision=state.revision + 1, told_findings=state.findings, told_at_ms=min(max(now_ms, 0), MAX_TIME_MS)
    )
    people = Distinct.decode(told.subjects)
    reason = told.exemplars[0].why if told.exemplars else f"Rule {told.rule} found something"
    alert = Alert(
        alert_id=_digest(told.episode_id, told.revision, change.value, told.findings),
        change=change,
        why=sentence(reason, told.findings, people, change),
        audience=told.audience,
        at_ms=told.told_at_ms,
        revision=told.revision,
        episode_id=told.episode_id,
        episode_key=told.episode_key,
        state=told.state,
        detector=told.detector,
        rule=told.rule,
        rule_version=told.rule_version,
        verdict=told.verdict,
        severity=told.severity,
        mode=told.mode,
        basis=told.basis,
        jurisdiction=told.jurisdiction,
        law=told.law,
        recipient=told.recipient,
        group=told.group,
        opened_at_ms=told.opened_at_ms,
        first_at_ms=told.first_at_ms,
        last_at_ms=told.last_at_ms,
        findings=told.findings,
        subjects=len(people),
        subjects_exact=people.is_exact,
        services=told.services,
        purposes=told.purposes,
        categories=told.categories,
        overflowed=told.overflowed,
        exemplars=told.exemplars,
        bundle=told.bundle,
        exposure=told.exposure,
        amounts=told.amounts,
        clocks=told.clocks,
        exemption=told.exemption,
    )
    return told, [alert]


def _digest(*parts: str | int) -> str:
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
