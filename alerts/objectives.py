"""Service level objectives of the monitor itself, as Prometheus rules: one table, plain YAML out of it. Pure.

Names and labels are those of Sloth, so that dashboards for it work: `slo:sli_error:ratio_rate5m`, `sloth_slo`.
"""

import msgspec

PAGE = ((14.4, "5m", "1h"), (6.0, "30m", "6h"))
"""(burn rate, short window, long window) of what wakes somebody: 2 % of a month's budget in an hour, 5 % in six."""
TICKET = ((3.0, "2h", "1d"), (1.0, "6h", "3d"))
"""The same for what can wait until morning."""
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_RUNBOOKS = "runbooks"


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """One promise: at least this share of the events is good over thirty days."""

    id: str
    alert: str
    objective: float
    bad: str
    """PromQL of the rate of bad events, `{window}` for the window."""
    total: str
    summary: str
    meaning: str


OBJECTIVES = (
    Objective(
        id="freshness",
        alert="PrivacyMonitorFreshnessBudget",
        objective=0.99,
        bad="sum(rate(privacy_monitor_event_age_seconds_count[{window}])) "
        '- sum(rate(privacy_monitor_event_age_seconds_bucket{{le="5.0"}}[{window}]))',
        total="sum(rate(privacy_monitor_event_age_seconds_count[{window}]))",
        summary="Verdicts come late, quicker than the objective allows",
        meaning="batches whose oldest record waited longer than 5 seconds for its verdict",
    ),
    Objective(
        id="coverage",
        alert="PrivacyMonitorCoverageBudget",
        objective=0.95,
        bad='sum(rate(privacy_monitor_items_total{{outcome!="judged"}}[{window}]))',
        total="sum(rate(privacy_monitor_items_total[{window}]))",
        summary="More of the traffic cannot be judged than the objective allows",
        meaning="items that could not be judged",
    ),
)


def rules() -> str:
    """Give the rule file: the share of bad events per window, the objective, and two alerts for each objective."""
    lines = [
        "# Generated from alerts/objectives.py by `make docs`; do not edit.",
        "groups:",
    ]
    for each in OBJECTIVES:
        lines += [f"  - name: privacy-monitor-slo-{each.id}", "    rules:"]
        for window in _WINDOWS:
            bad, total = each.bad.format(window=window), each.total.format(window=window)
            lines += [
                f"      - record: slo:sli_error:ratio_rate{window}",
                "        expr: >-",
                f"          ({bad})",
                f"          / ({total} > 0)",
                *_labels(each, window=window),
            ]
        lines += [
            "      - record: slo:objective:ratio",
            f"        expr: vector({each.objective:g})",
            *_labels(each),
            "      - record: slo:error_budget:ratio",
            f"        expr: vector({1 - each.objective:.4g})",
            *_labels(each),
            "      - record: slo:current_burn_rate:ratio",
            f"        expr: {_series('5m', each)} / {1 - each.objective:.4g}",
            *_labels(each),
        ]
        lines += _alert(each, "critical", PAGE) + _alert(each, "warning", TICKET)
    return "\n".join(lines) + "\n"


def _series(window: str, each: Objective) -> str:
    return f'slo:sli_error:ratio_rate{window}{{sloth_id="privacy-monitor-{each.id}"}}'


def _labels(each: Objective, **more: str) -> list[str]:
    labels = {
        "sloth_id": f"privacy-monitor-{each.id}",
        "sloth_service": "privacy-monitor",
        "sloth_slo": each.id,
        **{f"sloth_{name}": value for name, value in more.items()},
    }
    return ["        labels:", *(f"          {name}: {value}" for name, value in labels.items())]


def _alert(each: Objective, severity: str, pairs: tuple[tuple[float, str, str], ...]) -> list[str]:
    budget = 1 - each.objective
    conditions = [
        f"(max({_series(short, each)}) > {rate * budget:.4g} and max({_series(long, each)}) > {rate * budget:.4g})"
        for rate, short, long in pairs
    ]
    return [
        f"      - alert: {each.alert}",
        "        expr: >-",
        f"          {conditions[0]}",
        f"          or {conditions[1]}",
        "        labels:",
        f"          severity: {severity}",
        "          audience: engineers",
        f"          sloth_slo: {each.id}",
        "        annotations:",
        f"          summary: {each.summary}",
        "          description: >-",
        f"            {{{{ $value | humanizePercentage }}}} {each.meaning}; {budget * 100:.3g}% are allowed over thirty days.",
        f"          runbook_url: {_RUNBOOKS}/{each.alert}.md",
    ]
