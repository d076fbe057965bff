"""An alert that somebody else wrote must not move a cursor, hide a word or fill a screen."""

import io
import json
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

from alerts.sinks.forms import Alertmanager, SignedWebhook
from monitor.alert_log import decode
from monitor.cli import app
from monitor.top import Seen, page
from tests.alerts.test_export import history
from topics.alert import Alert
from topics.record import RawRecord

EVILS = {
    "escape": "\x1b[2J\x1b]0;gone\x07",
    "one byte escape": "\x9b2J",
    "cursor": "a\rb\bc\x0bd",
    "direction": "shop\u202egro.elpmaxe\u2066",
    "hidden": "a\u200bb\ufeffc\u00add",
    "line": "a\nb\u2028c\u0085d",
    "long": "A" * 1_000_000,
}
NOW_MS = 1_700_000_100_000


def forged(evil: str) -> Alert:
    """Give an alert with this text in all places that are free text."""
    return msgspec.structs.replace(
        history()[0],
        why=f"Happened{evil}.",
        recipient=evil,
        jurisdiction=evil,
        rule=evil,
        services=(evil,),
        categories=(evil,),
        episode_key=evil,
        group=(("flow.recipient", evil),),
    )


def harmless(text: str) -> bool:
    return all(each.isprintable() for each in text.replace("\r\n", "\n").split("\n")) and len(text) < 100_000


@pytest.mark.parametrize("evil", EVILS.values(), ids=list(EVILS))
def test_top_shows_it_harmless(evil: str) -> None:
    seen = Seen(("shop.events",))
    record = RawRecord("privacy.alerts.v1", 0, 0, NOW_MS, b"key", msgspec.json.encode(forged(evil)))
    seen.absorb([record], NOW_MS / 1000)
    shown = io.StringIO()
    Console(file=shown, width=200, force_terminal=False).print(page(seen, NOW_MS / 1000))
    assert "Happened" in shown.getvalue()
    assert harmless(shown.getvalue())


@pytest.mark.parametrize("form", ["csv", "json", "ocsf"])
@pytest.mark.parametrize("evil", EVILS.values(), ids=list(EVILS))
def test_each_export_writes_it_harmless(evil: str, form: str, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    file.write_bytes(msgspec.json.encode(forged(evil)) + b"\n")
    result = CliRunner().invoke(app, ["export", "--file", str(file), "--format", form])
    assert result.exit_code == 0, result.output
    assert "Happened" in result.stdout
    assert harmless(result.stdout)
    assert "\\u001b" not in result.stdout


@pytest.mark.parametrize("evil", EVILS.values(), ids=list(EVILS))
def test_each_sink_sends_it_harmless(evil: str) -> None:
    alert = decode(msgspec.json.encode(forged(evil)))
    assert alert is not None
    for form in (SignedWebhook(b"a secret of the tests"), Alertmanager(3600)):
        body = form.request([alert], 0, NOW_MS).body.decode()
        assert "Happened" in body
        assert harmless(body)
        assert all(harmless(text) for text in _texts(json.loads(body)))


def test_an_alert_of_our_own_is_read_as_it_was_written() -> None:
    for alert in history():
        assert decode(msgspec.json.encode(alert)) == alert
    quoted = msgspec.structs.replace(history()[0], why='Étiquette "privée" – 個人, 👍.')
    assert decode(msgspec.json.encode(quoted)) == quoted


def _texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
