"""An alert in plain words: all that somebody on call needs to begin, in the same lines whatever carries them. Pure."""

from collections.abc import Sequence

import msgspec

from alerts.clocks import running
from alerts.hints import SENTENCES
from alerts.wording import moment, until_when, what_is_due
from topics.alert import Alert, EpisodeState
from topics.finding import Basis, Verdict

_FALLBACKS = {Verdict.VIOLATION: "PrivacyViolation", Verdict.GAP: "PrivacyGaps"}
_MOST_NAMES = 8
_MOST_DUES = 4
_LONGEST_LINE = 600


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where people find pages."""

    runbooks: str = ""
    """Address in front of a runbook's name, such as that of your copy of the site; empty: relative to `alerts/`."""

    def runbook(self, alert: Alert) -> str:
        """Give the address of the runbook of an alert's rule."""
        page = f"{alert.runbook or _FALLBACKS[alert.verdict]}.md"
        return f"{self.runbooks.rstrip('/')}/{page}" if self.runbooks else f"runbooks/{page}"


def title(alert: Alert) -> str:
    """Give one short line: how severe, which rule, where, and whether it goes on."""
    kind = "gap" if alert.verdict is Verdict.GAP else alert.severity.value
    return f"[{kind}] {alert.rule} in {alert.jurisdiction or 'an unknown place'}: {alert.change.value}"


def told(alert: Alert, links: Links) -> tuple[tuple[str, str], ...]:
    """Give what an alert says, as (label, text) pairs, the most needed first."""
    return tuple(
        (label, _clipped(text))
        for label, text in (
            ("what", alert.why),
            ("who", _who(alert)),
            ("since", _since(alert)),
            ("next", f"{_next(alert)}{links.runbook(alert)}"),
            ("until", _until(alert)),
            ("law", _law(alert)),
            ("cause", " ".join(SENTENCES[each] for each in alert.hints if each in SENTENCES)),
            ("evidence", _evidence(alert)),
            ("related", ", ".join(f"{each.rule} ({each.episode_key})" for each in alert.related)),
            ("episode", alert.episode_key),
        )
        if text
    )


def plain(pairs: Sequence[tuple[str, str]]) -> str:
    """Give the pairs as lines."""
    return "\n".join(f"{label}: {text}" for label, text in pairs)


def digest(alerts: Sequence[Alert], folded: int, longest: int) -> tuple[str, str]:
    """Give title and text of one message about many alerts: each in a line, the most severe first, as far as it fits.

    What does not fit is counted, and so are the `folded` older ones that these speak for.
    """
    episodes = {alert.episode_id: alert for alert in alerts}
    ordered = sorted(episodes.values(), key=lambda alert: (-_rank(alert), -alert.last_at_ms, alert.episode_key))
    violations = sum(alert.verdict is Verdict.VIOLATION for alert in ordered)
    over = sum(alert.state is EpisodeState.RESOLVED for alert in ordered)
    head = f"{len(ordered)} episodes: {violations} violations, {len(ordered) - violations} gaps; {over} are over"
    lines, size = [], 0
    for alert in ordered:
        line = f"{title(alert)}. {alert.why} ({alert.episode_key})"
        if size + len(line) > longest:
            break
        lines.append(line)
        size += len(line) + 1
    if len(lines) < len(ordered):
        lines.append(f"And {len(ordered) - len(lines)} more; `privacy-monitor export` has all of them.")
    if folded or len(alerts) > len(ordered):
        lines.append(f"They speak for {len(alerts) - len(ordered) + folded} earlier changes too.")
    return head, "\n".join(lines)


def _rank(alert: Alert) -> int:
    if alert.verdict is Verdict.GAP:
        return 0
    return ("low", "medium", "high", "critical").index(alert.severity.value) + 1


def _who(alert: Alert) -> str:
    number = f"{alert.subjects}" if alert.subjects_exact else f"about {alert.subjects}"
    persons = "nobody who is named" if alert.subjects == 0 else f"{number} person{'s' if alert.subjects != 1 else ''}"
    parts = [f"{persons} in {alert.jurisdiction or 'an unknown place'}"]
    if alert.recipient:
        parts.append(f"recipient {alert.recipient}")
    if alert.services:
        parts.append(f"sent by {_names(alert.services)}")
    if alert.categories:
        parts.append(f"data: {_names(alert.categories)}")
    return "; ".join(parts)


def _since(alert: Alert) -> str:
    more = "over" if alert.state is EpisodeState.RESOLVED else alert.state.value
    amount = f"{alert.findings} finding{'s' if alert.findings != 1 else ''}"
    return f"{moment(alert.first_at_ms)}, last {moment(alert.last_at_ms)} ({amount}; {more})"


def _next(alert: Alert) -> str:
    if alert.state is EpisodeState.RESOLVED:
        return "confirm that it is mended; "
    return "find who can supply the missing fact; " if alert.verdict is Verdict.GAP else "stop the flow at the sender; "


def _until(alert: Alert) -> str:
    first = running(alert.due)
    rest = tuple(each for each in alert.due if each not in first)
    shown = (*first, *rest)[:_MOST_DUES]
    return "; ".join(f"{what_is_due(each)} {until_when(each)} ({each.duty})" for each in shown)


def _law(alert: Alert) -> str:
    if alert.basis is Basis.POLICY or not alert.law:
        return "no duty of law; the shop's own policy"
    return _names(alert.law)


def _evidence(alert: Alert) -> str:
    places = [f"{each.topic}/{each.partition}/{each.offset}" for each in alert.exemplars]
    fields = dict.fromkeys(field for each in alert.exemplars for field in each.fields)
    where = ", ".join(dict.fromkeys(places)) + (f" at {_names(tuple(fields))}" if fields else "")
    if not alert.exemplars:
        return where
    first = alert.exemplars[0]
    look = f"privacy-monitor explain --topic {first.topic} --partition {first.partition} --offset {first.offset}"
    return f"{where}; look with `{look} --config ...`"


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"
