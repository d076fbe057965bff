"""Which records cannot concern anybody but the shop: told from typed fields and remembered by value, before anything is opened.

A request that stays with the shop, outside of a purchase, discloses nothing to anybody: no rule can speak of it. Most of a
gateway's traffic is of that kind, and costs a few look-ups here.
"""

from enum import Enum
from typing import TypeVar

from detectors.classify.knowledge import Knowledge
from detectors.classify.targets import host_without_port, is_own_host
from topics.adapters import reading
from topics.flow import Role
from topics.observation import Glance

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_CACHED = 65_536
LONGEST_QUERY = 2_048
"""Characters of a query in which parameters are looked for."""
_LONGEST = 512
"""Characters of a path that is remembered; hostile ones are longer, and looked up anew."""


class Stays(Enum):
    """Whether a request stays with the shop."""

    NO = 0
    """Somebody else gets it, or that cannot be told from the hosts alone."""
    YES = 1
    UNLESS_SHAPED = 2
    """Unless its path gives away a tracker behind a name of the shop's own."""


class Gate:
    """Remembers what hosts and paths mean for one state of knowledge."""

    def __init__(self, know: Knowledge, *, has_baseline: bool) -> None:
        """With a baseline a host that the register calls the shop's own does not stay: drift is told of the flow to it."""
        self.know = know
        self._of_registered = Stays.NO if has_baseline else Stays.YES
        # Plain dictionaries, emptied when full, as the quickest look-up there is.
        self._hosts: dict[tuple[str, str], Stays] = {}
        self._steps: dict[tuple[str | None, str | None, str], tuple[bool, bool]] = {}
        # A query that has every parameter: no shape can ask for one that a real query has and this has not.
        self._any_query = "&".join(f"{name}=" for path in know.recipients.paths for name in path.query)

    def is_ours_alone(self, seen: Glance) -> bool:
        """Tell whether a record is known to give no flow to anybody else, and none of a purchase."""
        hosts = seen.host, seen.upstream
        stays = self._hosts.get(hosts)
        if stays is None:
            stays = self._stays(*hosts)
            if len(hosts[0]) + len(hosts[1]) <= _LONGEST:
                _keep(self._hosts, hosts, stays)
        if stays is Stays.NO:
            return False
        path, _, query = seen.path.partition("?")
        if query and any(mark in query for mark in self.know.steps.marks):
            return False
        asked = seen.name, seen.method, path
        told = self._steps.get(asked)
        if told is None:
            told = self._of_path(*asked)
            if len(path) + len(seen.name or "") <= _LONGEST:
                _keep(self._steps, asked, told)
        is_step, is_shaped = told
        return not is_step and not (is_shaped and stays is Stays.UNLESS_SHAPED)

    def _stays(self, host: str, upstream: str) -> Stays:
        called = reading.host(host)
        if host and (called is None or not is_own_host(host_without_port(called), self.know)):
            return Stays.NO
        if not upstream:
            return Stays.YES
        name = reading.host_name(upstream)
        if name is None:
            return Stays.NO
        entry = self.know.register.by_host(name)
        if entry is not None:
            return self._of_registered if entry.role is Role.OWN else Stays.NO
        return Stays.UNLESS_SHAPED if is_own_host(name, self.know) else Stays.NO

    def _of_path(self, name: str | None, method: str | None, path: str) -> tuple[bool, bool]:
        """Tell whether it may be a step of a purchase, and whether its path may give away a tracker, with one query or another."""
        is_step = self.know.steps.may_be(name, method, path)
        all_parameters_fit = len(self._any_query) <= LONGEST_QUERY
        return is_step, not all_parameters_fit or self.know.recipients.lookup_path(path, self._any_query) is not None


def _keep(table: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(table) >= _CACHED:
        table.clear()
    table[key] = value
