"""Personal data that appears on an endpoint which never had it: a baseline that was learned before, and people reviewed.

Nothing is learned while traffic is judged: the baseline is a file, part of the snapshot of knowledge, so the same bytes give the
same findings on every worker and in every replay (docs/decisions/0014-drift-against-a-file.md). Every text that could name
a person or a thing of the sender's own invention is folded into `*` before it is looked up.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, NamedTuple, Protocol, TypeVar

from pydantic import Field as Bounded

from detectors import documents
from detectors.classify.flows import Common
from detectors.classify.keys import KeyReader
from detectors.classify.needs import NeedTable
from detectors.classify.targets import Target
from detectors.documents import Problem, Written, line_of
from topics.flow import Role, Step
from topics.observation import Kind, Observation

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_MOST_SEGMENTS = 12
_LONGEST_PATH = 512
_LONGEST_NAME = 80
_CACHED = 8_192

Name = Annotated[str, Bounded(max_length=400)]


class _HasRole(Protocol):
    @property
    def role(self) -> Role: ...


Party = TypeVar("Party", bound=_HasRole)


class Appeared(NamedTuple):
    """What appeared on an endpoint. Empty: nothing, or nobody knows what it had before."""

    categories: tuple[str, ...] = ()
    endpoint: str = ""


NOTHING_APPEARED = Appeared()


class WrittenEndpoint(Written):
    """One endpoint, and the kinds of personal data that it had."""

    service: Name = ""
    endpoint: Name
    records: int = Bounded(0, ge=0, description="Records that it was learned from.")
    categories: dict[str, int] = Bounded(
        default_factory=dict,
        description="Kinds of data with the records that held them, 0 where a person wrote it; those below them are meant too.",
    )


class Learned(Written):
    """What a baseline was learned from."""

    records: int = Bounded(ge=0)
    first: datetime | None = None
    last: datetime | None = None
    least: int = Bounded(1, ge=1, description="Endpoints with fewer records were left out.")


class BaselineFile(Written):
    """What stands in a baseline."""

    learned: Learned
    endpoints: tuple[WrittenEndpoint, ...]


class EndpointNames:
    """Names endpoints in words of schemas alone, remembered by value."""

    def __init__(self, keys: KeyReader, words: frozenset[str] = frozenset()) -> None:
        """`words` are segments of paths that are known as they are, such as those of the steps."""
        self._keys = keys
        self._words = words
        self._of = lru_cache(_CACHED)(self._name)

    def of(self, observation: Observation, step: Step = Step.NONE) -> str:
        """Name the endpoint of a request (`POST /checkout/*/shipping`) or an event (`event order_completed`).

        Requests to one GraphQL address are told apart by their step.
        """
        if observation.kind is Kind.EVENT:
            return self._of("event", (observation.name or "")[:_LONGEST_NAME], "")
        method = (observation.method or "").upper()
        name = observation.name or ""
        path = (name[name.index("/") :] if "/" in name else observation.path or "")[:_LONGEST_PATH]
        return self._of(method if method in _METHODS else "OTHER", path, step.value if "graphql" in path else "")

    def _name(self, method: str, path: str, step: str) -> str:
        if method == "event":
            return f"event {self._word('_'.join(path.lower().split()))}"
        segments = [each for each in path.partition("?")[0].split("/") if each]
        shown = "/".join(self._word(each) for each in segments[:_MOST_SEGMENTS])
        rest = "/**" if len(segments) > _MOST_SEGMENTS else ""
        return f"{method} /{shown}{rest}" + (f" ({step})" if step else "")

    def _word(self, raw: str) -> str:
        if raw.lower() in self._words:
            return raw
        if not raw or raw.isdigit():
            return "*"
        word = self._keys.read(raw).word
        # A word that is a template's parameter, or holds a number, names one thing of many.
        return "*" if any(each.isdigit() for each in word) and not _is_version(word) else word


def _is_version(word: str) -> bool:
    return len(word) <= 3 and word[:1] in {"v", "V"} and word[1:].isdigit()


class Baseline:
    """The kinds of personal data that each endpoint had. Values do not change."""

    def __init__(self, endpoints: Mapping[tuple[str, str], frozenset[str]], names: EndpointNames) -> None:
        self._endpoints = endpoints
        self._names = names

    def __len__(self) -> int:
        return len(self._endpoints)

    def appeared(self, observation: Observation, step: Step, categories: Iterable[str]) -> Appeared:
        """Tell which categories the endpoint never had. Of an endpoint that the baseline lacks nothing is said."""
        endpoint = self._names.of(observation, step)
        known = self._endpoints.get((observation.service, endpoint))
        if known is None:
            return NOTHING_APPEARED
        new = tuple(sorted({each for each in categories if not _is_known(each, known)}))
        return Appeared(new, endpoint) if new else NOTHING_APPEARED


def told_by(parties: Sequence[Party]) -> Party | None:
    """Give the one of an observation's targets, or flows, of which is told what appeared: the shop's own, else the first."""
    return next((each for each in parties if each.role is Role.OWN), parties[0] if parties else None)


def appeared_in(
    observation: Observation, common: Common, baseline: Baseline | None, needs: NeedTable
) -> tuple[Target | None, Appeared]:
    """Give what appeared on the endpoint of an observation, and the one of its targets of whose flow it is told."""
    teller = told_by(common.targets) if baseline is not None else None
    if teller is None or baseline is None:
        return None, NOTHING_APPEARED
    categories = [field.category for field in common.fields if not needs.is_ambient(field.path)]
    return teller, baseline.appeared(observation, common.step, categories)


def _is_known(category: str, known: frozenset[str]) -> bool:
    while category:
        if category in known:
            return True
        category = category.rpartition(".")[0]
    return False


def read_baseline(
    text: str, file: str, names: EndpointNames, categories: Mapping[str, object]
) -> tuple[Baseline | None, list[Problem]]:
    """Read a baseline: the value, or every mistake with its line."""
    document, problems = documents.load(text, file)
    if problems:
        return None, problems
    written, problems = documents.validate(document, file, BaselineFile)
    if written is None:
        return None, problems
    endpoints: dict[tuple[str, str], frozenset[str]] = {}
    for index, each in enumerate(written.endpoints):
        key = each.service, each.endpoint
        if key in endpoints:
            problems.append(_mistake(document, file, index, "endpoint", "this endpoint stands here twice"))
        endpoints[key] = frozenset(each.categories)
        problems += [
            _mistake(
                document, file, index, "categories", f"the taxonomy has no category {name}; learn it anew or mend it"
            )
            for name in each.categories
            if name not in categories and not any(known.startswith(f"{name}.") for known in categories)
        ]
    return (None, problems) if problems else (Baseline(endpoints, names), [])


def _mistake(document: object, file: str, index: int, key: str, message: str) -> Problem:
    path = ("endpoints", index, key)
    return Problem(file, line_of(document, path), ".".join(map(str, path)), message)
