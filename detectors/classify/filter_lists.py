"""Lists that an operator brings: hosts, or filters in Adblock syntax. They stand behind the shipped lists and before the looks of a request.

A list tells what requests to a host are for, in the purpose that its owner gives it; who receives them stays unknown.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from detectors.documents import Problem

_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?")
_ADDRESS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]*)")
_LOCAL = frozenset({"localhost", "localhost.localdomain", "local", "broadcasthost", "ip6-localhost", "ip6-loopback"})
_LONGEST_HOST = 253
_MOST_MISTAKES = 20


class FilterList(Protocol):
    """A list that says whether it means a request."""

    name: str
    """Name of the file, for explanations."""
    purpose: str

    def means(self, host: str, path: str, query: str, page_host: str) -> bool:
        """Tell whether the list is about a request; `page_host` is where it came from, empty when unknown."""
        ...


class HostList:
    """Host names, each for itself and everything below it."""

    __slots__ = ("_hosts", "name", "purpose")

    def __init__(self, name: str, purpose: str, hosts: frozenset[str]) -> None:
        self.name = name
        self.purpose = purpose
        self._hosts = hosts

    def __len__(self) -> int:
        return len(self._hosts)

    def means(self, host: str, path: str, query: str, page_host: str) -> bool:  # noqa: ARG002 - the protocol's signature
        """Tell whether the host, or what it stands below, is listed."""
        name = host[: _LONGEST_HOST + 2].lower().rstrip(".")
        while name:
            if name in self._hosts:
                return True
            name = name.partition(".")[2]
        return False


def read_hosts(text: str, file: str, purpose: str) -> tuple[HostList | None, list[Problem]]:
    """Read a hosts file (`0.0.0.0 ads.example`) or a plain list of one host a line; `#` begins a comment. The list, or its mistakes."""
    hosts: set[str] = set()
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].lower().split()
        if len(words) > 1 and _ADDRESS.fullmatch(words[0]):
            words = words[1:]
        for word in words:
            if word in _LOCAL or _ADDRESS.fullmatch(word):
                continue
            if _HOST.fullmatch(word) and len(word) <= _LONGEST_HOST:
                hosts.add(word.removeprefix("*.").rstrip("."))
            else:
                problems.append(
                    Problem(file, number, "", "not a host name, alone or behind an address; `#` begins a comment")
                )
                break
        if len(problems) >= _MOST_MISTAKES:
            break
    if not hosts and not problems:
        problems.append(Problem(file, 0, "", "holds no host name"))
    return (None if problems else HostList(file, purpose, frozenset(hosts))), problems


def purpose_of(lists: Sequence[FilterList], host: str, path: str, query: str, page_host: str) -> tuple[str, str]:
    """Give the purpose and the name of the first list that means a request; empty where none does."""
    for each in lists:
        if each.means(host, path, query, page_host):
            return each.purpose, each.name
    return "", ""
