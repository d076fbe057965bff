"""The process in which Apprise sends. It reads what it may do from its first line, and a message from each further one.

The guard is Python's own audit hook, which sees every look-up and connection, whatever library makes it, and cannot be taken
off again. It is in place before the first message, and after it no program is started either.
"""

import json
import logging
import socket
import sys
from collections.abc import Sequence
from typing import Any, TextIO, cast

import requests
from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType, OverflowMode

from alerts.sinks.target import is_public

_KINDS = {each.value: each for each in NotifyType}
_STARTS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "pty.spawn")
_CLOSED = ("socket.gethostbyname", "socket.gethostbyaddr", "socket.sendto", "socket.sendmsg")


class NotAllowed(OSError):
    """A connection, or a program, that nobody allowed."""


class Guard:
    """Which connections may be made."""

    def __init__(self, allowed_hosts: Sequence[str], *, allow_private: bool) -> None:
        self._allowed = {host.lower() for host in allowed_hosts}
        self._allow_private = allow_private
        self._found: set[str] = set()
        self._look_up = socket.getaddrinfo
        self.refused = False
        """Whether something was refused since this was last set to False."""

    def stand(self) -> None:
        """Take the post. There is no way back."""
        setattr(socket, "getaddrinfo", self._looked_up)  # noqa: B010 - its type is not ours to match
        setattr(requests.Session, "resolve_redirects", lambda *_, **__: iter(()))  # noqa: B010
        sys.addaudithook(self._hook)

    def _looked_up(self, *arguments: Any, **named: Any) -> Any:
        found = self._look_up(*arguments, **named)
        self._found |= {str(each[4][0]) for each in found}
        return found

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            self._check(self._is_allowed(arguments[0]))
        elif event == "socket.connect":
            address = arguments[1]
            self._check(isinstance(address, tuple) and self._is_reachable(str(address[0])))
        elif event in _CLOSED or event in _STARTS:
            self._check(False)

    def _check(self, good: bool) -> None:  # noqa: FBT001 - a private yes or no
        if not good:
            self.refused = True
            raise NotAllowed("not among the allowed hosts")

    def _is_allowed(self, host: Any) -> bool:
        name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
        return name.lower() in self._allowed

    def _is_reachable(self, address: str) -> bool:
        # What was looked up belongs to an allowed host; an address that nobody looked up must be one itself.
        known = address in self._found or address.lower() in self._allowed
        return known and (self._allow_private or is_public(address))


def main(read: TextIO, write: TextIO) -> None:
    """Serve until the input ends."""
    logging.disable(logging.CRITICAL)  # Apprise's messages name addresses, and those hold secrets.
    order = json.loads(read.readline())
    asset = AppriseAsset(secure_logging=True)
    asset.http_redirects = False
    asset.async_mode = False
    target = Apprise.instantiate(order["address"], asset=asset, suppress_exceptions=True)
    problem = "no address that Apprise knows"
    if target is not None:
        scheme = str(order["address"]).partition("://")[0].lower()
        problem = "" if order["allow_http"] or scheme not in _clear(target) else "sends in clear text; set allow_http"
    _answer(write, {"problem": problem})
    if problem:
        return
    guard = Guard(order["allowed_hosts"], allow_private=order["allow_private"])
    guard.stand()
    for line in read:
        message = json.loads(line)
        guard.refused = False
        _answer(write, {"outcome": _sent(target, message, guard)})


def _clear(target: Any) -> set[str]:
    """Give the schemes of a service that are not encrypted."""
    schemes = target.protocol
    return {schemes} if isinstance(schemes, str) else set(schemes or ())


def _sent(target: Any, message: dict[str, str], guard: Guard) -> str:
    try:
        done = target.notify(
            title=message["title"],
            body=message["body"],
            notify_type=_KINDS.get(message["type"], NotifyType.INFO),
            body_format=NotifyFormat.TEXT,
            # Many services refuse what is too long, and where they know no title it counts as text.
            overflow=OverflowMode.TRUNCATE,
        )
    except Exception:  # noqa: BLE001 - a plugin of somebody else's: whatever it was, nothing was delivered
        done = False
    return "refused" if guard.refused and not done else "delivered" if done else "failed"


def _answer(write: TextIO, said: dict[str, str]) -> None:
    write.write(json.dumps(said) + "\n")
    write.flush()


if __name__ == "__main__":
    out = sys.stdout
    # What a plugin prints must not be taken for an answer.
    sys.stdout = cast("TextIO", sys.stderr)
    main(sys.stdin, out)
