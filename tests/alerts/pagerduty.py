"""PagerDuty's Events API v2 as its documentation writes it, on this machine: it refuses what the contract does not allow.

Written from developer.pagerduty.com ("Send an Alert Event", "Events API v2 overview"); it imports nothing that it judges.
"""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MOST_BYTES = 512 * 1024
SEVERITIES = {"critical", "error", "warning", "info"}
_TOP = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}


@dataclass
class Incident:
    """An incident: open until it is resolved; a trigger after that opens another one."""

    is_open: bool
    events: list[dict[str, Any]] = field(default_factory=list)


class PagerDutyServer:
    """The API, with what it took: incidents by key, in the order in which they were opened."""

    def __init__(self, routing_key: str, failing: Callable[[int], int] = lambda _: 0) -> None:
        """`failing` gets the number of the request, from 0, and gives a status to fail with; 0: work."""
        self.incidents: dict[str, list[Incident]] = {}
        self.refused: list[list[str]] = []
        self.requests = 0
        self._key = routing_key
        lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with lock:
                    failure = failing(server.requests)
                    server.requests += 1
                    if failure:
                        self._say(failure, {"status": "throttle exceeded" if failure == 429 else "error"})
                        return
                    errors = server.errors(self.path, dict(self.headers.items()), body)
                    if errors:
                        server.refused.append(errors)
                        self._say(
                            400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
                        )
                        return
                    key = server.take(json.loads(body))
                self._say(202, {"status": "success", "message": "Event processed", "dedup_key": key})

            def _say(self, status: int, answer: dict[str, Any]) -> None:
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v2/enqueue"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def errors(self, path: str, headers: dict[str, str], body: bytes) -> list[str]:
        """Give everything in which a request breaks the contract."""
        if path != "/v2/enqueue":
            return [f"no such path: {path}"]
        if {name.lower(): value for name, value in headers.items()}.get("content-type", "") != "application/json":
            return ["not JSON by its header"]
        if len(body) > MOST_BYTES:
            return ["larger than 512 KB"]
        try:
            event = json.loads(body)
        except ValueError:
            return ["not JSON"]
        found = [f"unknown field {name}" for name in event.keys() - _TOP]
        if event.get("routing_key") != self._key:
            found.append("routing_key is not that of an integration")
        action = event.get("event_action")
        if action not in {"trigger", "acknowledge", "resolve"}:
            found.append("event_action is none of trigger, acknowledge, resolve")
        key = event.get("dedup_key", "")
        if not isinstance(key, str) or len(key) > 255 or (action != "trigger" and not key):
            found.append("dedup_key is longer than 255, or missing")
        if action == "trigger":
            found += _payload_errors(event.get("payload"))
            found += [f"bad link {link}" for link in event.get("links", []) if not re.match(r"https?://", link["href"])]
        return found

    def take(self, event: dict[str, Any]) -> str:
        key = event["dedup_key"]
        of_key = self.incidents.setdefault(key, [])
        if event["event_action"] == "trigger":
            if not of_key or not of_key[-1].is_open:
                of_key.append(Incident(is_open=True))
            of_key[-1].events.append(event)
        elif of_key and of_key[-1].is_open:
            of_key[-1].events.append(event)
            of_key[-1].is_open = event["event_action"] != "resolve"
        return str(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _payload_errors(payload: Any) -> list[str]:
    if not isinstance(payload, dict):
        return ["payload is missing"]
    found = [f"unknown field payload.{name}" for name in payload.keys() - _PAYLOAD]
    summary = payload.get("summary")
    if not isinstance(summary, str) or not 1 <= len(summary) <= 1024:
        found.append("payload.summary has not 1 to 1024 characters")
    if not isinstance(payload.get("source"), str) or not payload["source"]:
        found.append("payload.source is missing")
    if payload.get("severity") not in SEVERITIES:
        found.append("payload.severity is none of critical, error, warning, info")
    if "timestamp" in payload:
        try:
            datetime.fromisoformat(payload["timestamp"])
        except ValueError:
            found.append("payload.timestamp is no moment of ISO 8601")
    if not isinstance(payload.get("custom_details", {}), dict):
        found.append("payload.custom_details is no object")
    return found
