"""One HTTP POST to a checked target: no redirects, no proxy, a deadline, and little read of the answer."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from alerts.sinks.target import Target, TargetProblem, address_of

_MOST_RETRY_AFTER = 3600.0


class Outcome(StrEnum):
    """What became of a request."""

    DELIVERED = "delivered"
    BUSY = "busy"
    """429: later, please."""
    REFUSED = "refused"
    """Another 4xx, a redirect, or a target that may not be used: somebody must mend the configuration."""
    FAILED = "failed"
    """5xx, no answer in time, or no connection."""


class Answer(NamedTuple):
    """The outcome of a request, and when the target asked to come again (seconds; 0: it did not say)."""

    outcome: Outcome
    status: int = 0
    retry_after: float = 0.0


def post(target: Target, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> Answer:
    """Send a body and read the status. Never raises for what the target does."""
    try:
        address = address_of(target)
    except TargetProblem:
        return Answer(Outcome.REFUSED)
    except OSError:
        return Answer(Outcome.FAILED)
    connection = _connection(target, address, timeout_seconds)
    try:
        connection.request(
            "POST",
            target.path,
            body,
            {
                "Host": target.authority,
                "Content-Type": "application/json",
                "User-Agent": "streaming-privacy-monitor",
                "Connection": "close",
                **headers,
            },
        )
        answer = connection.getresponse()
        return Answer(_outcome(answer.status), answer.status, _seconds(answer.headers.get("Retry-After", "")))
    except (OSError, http.client.HTTPException):
        return Answer(Outcome.FAILED)
    finally:
        connection.close()


class _Pinned(http.client.HTTPSConnection):
    """A connection to the address that was checked; the certificate is held against the name."""

    def __init__(self, target: Target, address: str, timeout_seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout_seconds)
        self._at = (address, target.port)
        self._within = timeout_seconds

    def connect(self) -> None:
        plain = socket.create_connection(self._at, timeout=self._within)
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def _connection(target: Target, address: str, timeout_seconds: float) -> http.client.HTTPConnection:
    if target.scheme == "https":
        return _Pinned(target, address, timeout_seconds)
    return http.client.HTTPConnection(address, target.port, timeout=timeout_seconds)


def _outcome(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome.DELIVERED
    if status == 429:
        return Outcome.BUSY
    # A redirect is not followed: it could lead to where nobody allowed us to send.
    return Outcome.FAILED if status >= 500 else Outcome.REFUSED


def _seconds(text: str) -> float:
    return min(float(text), _MOST_RETRY_AFTER) if text.isascii() and text.isdigit() and len(text) < 9 else 0.0
