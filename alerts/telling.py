"""An episode as an alert: what people are told of it after a change. Pure."""

import hashlib

import msgspec

from alerts.clocks import dues
from alerts.hints import hints
from alerts.state import Episode
from alerts.wording import sentence
from topics.alert import Alert, Change
from topics.distinct import Distinct

MAX_TIME_MS = 253_402_300_799_999
"""The end of the year 9999: the last moment that a timestamp in RFC 3339 can name."""


def tell(state: Episode, change: Change, now_ms: int, note: str = "") -> tuple[Episode, list[Alert]]:
    """Give the state that has been told, and the alert. `note` stands before the end of its sentence."""
    told = msgspec.structs.replace(
        state, revision=state.revision + 1, told_findings=state.findings, told_at_ms=min(max(now_ms, 0), MAX_TIME_MS)
    )
    people = Distinct.decode(told.subjects)
    reason = told.exemplars[0].why if told.exemplars else f"Rule {told.rule} found something"
    alert = Alert(
        # After a crash the same revision can be told with and without what was declared meanwhile: two alerts, two ids.
        alert_id=digest(
            told.episode_id,
            told.revision,
            change.value,
            told.findings,
            *(f"{what}={at_ms}" for what, at_ms in told.declared.items()),
            *told.met,
        ),
        change=change,
        why=sentence(reason, told.findings, people, change, note),
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
        runbook=told.runbook,
        windows=told.windows,
        due=dues(told),
        hints=hints(told.exemplars),
        related=told.related,
    )
    return told, [alert]


def digest(*parts: str | int) -> str:
    """Give an id made of its parts, 32 hex digits."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
