"""The trace of `explain` in words, from the same data that `--json` prints."""

from collections.abc import Iterator
from typing import Any

from monitor.explain_evidence import evidence_lines

Node = dict[str, Any]
_SILENT_RULES = 8
"""Rules that did not hold, by id, in one line at most; `--json` gives all with their conditions."""


def lines(traces: list[Node]) -> Iterator[str]:
    """Give the trace as lines of plain text."""
    for position, trace in enumerate(traces):
        if position:
            yield ""
        yield from _item(trace)


def _item(trace: Node) -> Iterator[str]:
    if "not_read" in trace:
        why = trace["not_read"]
        at = f" at byte {why['position']}" if why["position"] is not None else ""
        yield f"NOT READ  {why['reason']}{at}"
        return
    if "not_judged" in trace:
        yield f"NOT JUDGED  item {trace['item']}: {trace['not_judged']}"
        return
    yield from _read(trace)
    yield from evidence_lines(trace["evidence"])
    for flow in trace["flows"]:
        yield ""
        yield from _flow(flow)
    yield ""
    yield from _verdict(trace)
    yield from _flips(trace["flips"])
    for each in (trace.get("revealed") or {}).get("subjects", ()):
        yield f"REVEALED  {each['kind']} = {each['value']}"
    for each in (trace.get("revealed") or {}).get("fields", ()):
        yield f"REVEALED  {each['path']} = {each['value']}"


def _read(trace: Node) -> Iterator[str]:
    read = trace["read"]
    yield f"READ  {read['place']} item {trace['item']}, by the adapter {read['adapter']}: {read['kind']} {read['name']}".rstrip()
    yield f"  at {read['at']} by the clock of the {read['clock']}; the broker received it at {read['broker_at']}"
    told = [
        f"{word} {read[word.replace(' ', '_')]}"
        for word in ("service", "host", "page host", "step")
        if read[word.replace(" ", "_")]
    ]
    if told:
        yield f"  {', '.join(told)}"
    if not read["headers_seen"]:
        yield "  the format carries no headers: that a signal is missing proves nothing"
    for each in trace["subjects"]:
        yield f"  subject {each['hash']} ({each['kind']})"
    if not trace["subjects"]:
        yield "  names nobody: no choice on record can be looked up"
    if "no_flow" in trace:
        yield f"  no flow: {trace['no_flow']}"


def _flow(flow: Node) -> Iterator[str]:
    yield f"FLOW  {flow['location']}: {flow['recipient']} ({flow['role']}) for {flow['purpose']}"
    host = f", seen as {flow['recipient_host']}" if flow["recipient_host"] else ""
    yield f"  recipient: {flow['recipient_known_by']}{host}"
    if flow["disclosure_known_by"]:
        at = f", named at {flow['disclosure_named_at']}" if flow["disclosure_named_at"] else ""
        yield f"  disclosure: proved by {flow['disclosure_known_by']}{at}"
    yield f"  from {_place(flow['origin'])} to {_place(flow['destination'])}"
    if flow["origin_rival"]:
        yield f"  another source says that the person is in {_place(flow['origin_rival'])}"
    yield f"  categories: {', '.join(flow['categories']) or 'none'}"
    for field in flow["fields"]:
        yield f"    {field['path']}: {field['category']}"
    if flow["uninspectable"]:
        yield f"  could not be looked into: {', '.join(flow['uninspectable'])}"
    law = flow["law"]
    gpc = ", must honour GPC" if law["honours_gpc"] else ""
    yield f"  law on {law['on']}: {law['jurisdiction'] or 'unknown place'}, {law['regime']}{gpc} (basis {law['basis']})"
    for duty in law["duties"]:
        yield f"    {duty['id']} — {duty['citation']}"
    if "signals" in flow:
        yield from _signals(flow["signals"])
        yield from _ledger(flow["ledger"])
    for detector in flow["detectors"]:
        yield from _detector(detector)


def _signals(signals: list[Node]) -> Iterator[str]:
    if not signals:
        yield "  signals on the record: none"
    for each in signals:
        heard = f"set aside: {each['set_aside']}" if each["set_aside"] else "speaks to this purpose"
        remark = f" ({each['remark']})" if each["remark"] and each["remark"] not in heard else ""
        yield f"  signal {each['kind']} at {each['path']} says {each['says']} of {', '.join(each['of'])}{remark} — {heard}"


def _ledger(ledger: Node) -> Iterator[str]:
    mark = f" (read to {ledger['mark']})" if ledger["mark"] else ""
    yield f"  ledger: {ledger['coverage']}{mark}"
    yield f"    the verdict then used: {_version(ledger['used']) if ledger['used'] else 'no choice on record'}"
    if ledger["todays"]:
        yield f"    today's ledger would use: {_version(ledger['todays'])}"
    for each in ledger["late"]:
        yield f"    arrived too late for the verdict: {_version(each)}"
    for each in ledger["afterwards"]:
        yield f"    made after the event, so it changes nothing: {_version(each)}"


def _version(version: Node) -> str:
    source = f" by {version['source']}" if version["source"] else ""
    notice = ", after a notice of the conflict with GPC" if version["after_gpc_notice"] else ""
    return f"{version['place']}: {version['says']} at {version['at']}{source}{notice}"


def _detector(detector: Node) -> Iterator[str]:
    states = detector["states"]
    stated = "; ".join(f"{name} {_words(value)}" for name, value in states.items() if name != "evidence")
    yield f"  {detector['detector']}: {stated}"
    for category, reason, enough in states.get("evidence", ()):
        yield f"    {category}: {reason} Enough: {enough}"
    for rule in detector["rules"]:
        if rule["held"]:
            yield f"    held      {rule['rule']} {rule['version']} ({rule['mode']})"
        elif rule["held"] is None:
            yield f"    failed    {rule['rule']} {rule['version']}"
    silent = [rule["rule"] for rule in detector["rules"] if rule["held"] is False]
    if silent:
        more = f" and {len(silent) - _SILENT_RULES} more" if len(silent) > _SILENT_RULES else ""
        yield f"    not held  {', '.join(silent[:_SILENT_RULES])}{more}"


def _verdict(trace: Node) -> Iterator[str]:
    today = trace.get("findings_by_todays_ledger")
    yield "VERDICT THEN" if today is not None else "VERDICT"
    yield from _findings(trace)
    if today is not None:
        yield "WHAT TODAY'S LEDGER WOULD SAY"
        yield from _findings({"findings": today, "unknown": ()})


def _findings(trace: Node) -> Iterator[str]:
    for each in trace["findings"]:
        yield f"  {each['verdict']} {each['rule']} ({each['severity']}, {each['mode']}, basis {each['basis']}) at {each['location']}"
        yield f"    {each['why']}"
        if each["law"]:
            yield f"    duties: {', '.join(each['law'])}"
        yield f"    id {each['id']}"
    for each in trace["unknown"]:
        yield f"  unknown for {each['detector']}: {each['reason']}"
    if not trace["findings"]:
        yield "  no finding"


def _flips(flips: list[Node]) -> Iterator[str]:
    if not flips:
        yield "WOULD FLIP IT  none of the facts that were tried"
        return
    yield "WOULD FLIP IT (judged again with that one fact changed)"
    for flip in flips:
        yield f"  {flip['fact']}"
        for each in flip["vanish"]:
            yield f"    then silent: {each}"
        for each in flip["appear"]:
            yield f"    then speaks: {each}"


def _place(place: Node) -> str:
    name = place["subdivision"] or place["country"]
    return f"{name} (told by {place['source'] or 'nobody'})" if name else "an unknown place"


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
