"""Slack and the many others that Apprise knows: how an alert is written for them, and the process that sends it.

Apprise opens connections of its own. It runs in a process of its own, where every connection is held against the allowed
hosts, follows no redirect, uses no proxy, and reaches no private address unless that was allowed (`apprise_process`).
"""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec

from alerts.sinks.forms import Request
from alerts.sinks.post import Answer, Outcome
from alerts.text import Links, digest, plain, title, told
from topics.alert import Alert, EpisodeState
from topics.finding import SEVERITIES, Severity

_LONGEST_TITLE = 200
_LONGEST_BODY = 3_000
_LONGEST_ANSWER = 10_000
_START_SECONDS = 20.0
# In chats these begin a mention, a link or a format. What stands in a name from traffic must do none of that.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "@": "＠", "`": "'", "*": "∗", "_": "＿", "\r": " "})


class AppriseText:
    """Title and text. Several alerts, and a digest, are one message."""

    most = 0
    digests = True

    def __init__(self, links: Links) -> None:
        self._links = links

    def request(self, alerts: Sequence[Alert], folded: int, now_ms: int, *, is_digest: bool = False) -> Request | None:
        del now_ms
        newest = alerts[-1]
        if len(alerts) == 1 and not is_digest:
            head, text = title(newest), plain(told(newest, self._links))
        else:
            head, text = digest(alerts, folded, _LONGEST_BODY - 200)
        message = {
            "title": head.translate(_HARMLESS)[:_LONGEST_TITLE],
            "body": text.translate(_HARMLESS)[:_LONGEST_BODY],
            "type": _kind(alerts),
        }
        return Request(msgspec.json.encode(message), {})


def _kind(alerts: Sequence[Alert]) -> str:
    if all(alert.state is EpisodeState.RESOLVED for alert in alerts):
        return "success"
    worst = max(SEVERITIES.index(alert.severity) for alert in alerts)
    return "failure" if SEVERITIES[worst] is Severity.CRITICAL else "warning" if worst else "info"


class AppriseSender:
    """Sends through the process of one Apprise address. Starts it when it is needed, and again when it ends."""

    def __init__(self, address: str, allowed_hosts: Sequence[str], *, allow_private: bool, allow_http: bool) -> None:
        self._order = {
            "address": address,
            "allowed_hosts": sorted(allowed_hosts),
            "allow_private": allow_private,
            "allow_http": allow_http,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def problem(self) -> str:
        """Say why the address cannot be used; empty: it can. Nothing is sent."""
        try:
            return self._start()
        finally:
            self.close()

    def __call__(self, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
        """Send a message. Never raises for what the target does."""
        del headers
        if (self._process is None or self._process.poll() is not None) and self._start():
            return Answer(Outcome.REFUSED)
        outcome = self._ask(body, timeout_seconds).get("outcome")
        if outcome == "delivered":
            return Answer(Outcome.DELIVERED)
        if outcome == "refused":
            return Answer(Outcome.REFUSED)
        if outcome is None:
            # It may still be sending: that must not go on beside the next try.
            self.close()
        return Answer(Outcome.FAILED)

    def close(self) -> None:
        """End the process."""
        process, self._process, self._rest = self._process, None, b""
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()

    def _start(self) -> str:
        self.close()
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "alerts.sinks.apprise_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept,
            )
        except OSError:
            return "its process cannot be started"
        said = self._ask(json.dumps(self._order).encode(), _START_SECONDS)
        return str(said.get("problem", "its process does not start"))

    def _ask(self, line: bytes, seconds: float) -> dict[str, object]:
        """Write a line and wait for one; nothing where none comes in time."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return {}
        until = time.monotonic() + seconds
        try:
            process.stdin.write(line + b"\n")
            process.stdin.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                while b"\n" not in self._rest:
                    if len(self._rest) > _LONGEST_ANSWER or not selector.select(max(0.0, until - time.monotonic())):
                        return {}
                    piece = os.read(process.stdout.fileno(), 65_536)
                    if not piece:
                        return {}
                    self._rest += piece
            answer, _, self._rest = self._rest.partition(b"\n")
            found = json.loads(answer)
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
