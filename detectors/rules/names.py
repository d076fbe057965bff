"""The names that rules read, taken from the types of flows and assessments, so that they are written once."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from detectors.assessment import Agreement, Assessment, Checkout, Consent, Law, Transfer
from detectors.classify.origin import CONFLICTS
from detectors.spelling import suggestion
from topics.finding import Detector
from topics.flow import PURPOSES, DataFlow


class Assessor(StrEnum):
    """Who states the facts that a rule reads."""

    TRACKING = "tracking"
    TRANSFERS = "transfers"
    CHECKOUT = "checkout"
    RECIPIENTS = "recipients"

    @property
    def detector(self) -> Detector:
        """The public id of the detector that this assessor belongs to."""
        return _DETECTORS[self]


_DETECTORS = {
    Assessor.TRACKING: Detector.UNCONSENTED_TRACKING,
    Assessor.TRANSFERS: Detector.CROSS_JURISDICTION_TRANSFER,
    Assessor.CHECKOUT: Detector.CHECKOUT_OVER_COLLECTION,
    Assessor.RECIPIENTS: Detector.UNDOCUMENTED_RECIPIENT,
}


class Kind(StrEnum):
    """The static type of a name, in CEL's words."""

    BOOL = "bool"
    INT = "int"
    STRING = "string"
    LIST = "list(string)"


class Readable(NamedTuple):
    """A name that rules may read."""

    path: str
    kind: Kind
    words: frozenset[str] | None
    """The list of its values; None when there is none."""
    is_enumerated: bool = False
    """Its type is an enumeration, so that another value cannot be."""


_PARTS: Mapping[Assessor, Mapping[str, type[msgspec.Struct]]] = {
    Assessor.TRACKING: {"flow": DataFlow, "law": Law, "consent": Consent},
    Assessor.TRANSFERS: {"flow": DataFlow, "law": Law, "transfer": Transfer},
    Assessor.CHECKOUT: {"flow": DataFlow, "law": Law, "checkout": Checkout},
    Assessor.RECIPIENTS: {"flow": DataFlow, "law": Law, "agreement": Agreement},
}
# Who the person is and where exactly the record stood decide no rule: they are evidence.
_WITHHELD = frozenset({"flow.subjects", "flow.item", "flow.location", "flow.proof_path"})
_WORDS: Mapping[str, frozenset[str]] = {
    "flow.purpose": PURPOSES,
    "flow.origin_conflict": CONFLICTS,
    "law.regime": frozenset({"opt-in", "opt-out", "none"}),
}
_BASE = DataFlow(item=0, location="test", at_ms=0)


@cache
def readable(assessor: Assessor) -> Mapping[str, Readable]:
    """Give what rules of this assessor may read, by dotted path."""
    found: dict[str, Readable] = {}
    for root, struct in _PARTS[assessor].items():
        for each in _walk(root, struct):
            found[each.path] = each
    return found


def roots(assessor: Assessor) -> tuple[str, ...]:
    """Give the first words of all names."""
    return tuple(_PARTS[assessor])


def _walk(prefix: str, struct: type[msgspec.Struct]) -> Iterable[Readable]:
    hints = get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        path, hint = f"{prefix}.{field.name}", hints[field.name]
        if path in _WITHHELD:
            continue
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from _walk(path, hint)
            continue
        kind = _kind(hint)
        if kind is not None:
            yield Readable(path, kind, _words(path, hint), isinstance(hint, type) and issubclass(hint, StrEnum))


def _kind(hint: Any) -> Kind | None:
    if hint is bool:
        return Kind.BOOL
    if hint is int:
        return Kind.INT
    if isinstance(hint, type) and issubclass(hint, str):
        return Kind.STRING
    if get_origin(hint) is tuple and get_args(hint) == (str, ...):
        return Kind.LIST
    return None


def _words(path: str, hint: Any) -> frozenset[str] | None:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return frozenset(member.value for member in hint)
    return _WORDS.get(path)


class Wrong(NamedTuple):
    """A mistake in the given facts of a rule's test."""

    path: tuple[str, ...]
    message: str


def assessment(assessor: Assessor, given: Mapping[str, Any]) -> tuple[Assessment | None, list[Wrong]]:
    """Build the assessment that a test describes; what it leaves out has the default of its type."""
    wrong: list[Wrong] = []
    values = _typed(assessor, given, (), wrong)
    if wrong:
        return None, wrong
    flow = _filled(_BASE, values.pop("flow", {}))
    parts = {
        root: _filled(struct(), values.get(root, {})) for root, struct in _PARTS[assessor].items() if root != "flow"
    }
    return Assessment(detector=assessor.detector, flow=flow, **parts), []


def _typed(assessor: Assessor, given: Mapping[str, Any], path: tuple[str, ...], wrong: list[Wrong]) -> dict[str, Any]:
    names, result = readable(assessor), dict[str, Any]()
    for key, value in given.items():
        here = (*path, key)
        dotted = ".".join(here)
        name = names.get(dotted)
        if name is not None:
            problem = _unfit(name, value)
            if problem:
                wrong.append(Wrong(here, problem))
            result[key] = tuple(value) if isinstance(value, list) else value
        elif not any(known.startswith(f"{dotted}.") for known in names):
            known = {each for known in names for each in _prefixes(known)}
            wrong.append(Wrong(here, f"rules of {assessor} cannot read {dotted}{suggestion(dotted, known)}"))
        elif not isinstance(value, Mapping):
            wrong.append(Wrong(here, f"expected a mapping with the fields of {dotted}"))
        else:
            result[key] = _typed(assessor, value, here, wrong)
    return result


def _prefixes(dotted: str) -> list[str]:
    words = dotted.split(".")
    return [".".join(words[:count]) for count in range(1, len(words) + 1)]


_EXPECTED = {
    Kind.BOOL: "true or false",
    Kind.INT: "a whole number",
    Kind.STRING: "text (in quotes if it looks like something else)",
    Kind.LIST: "a list of texts",
}


def _unfit(name: Readable, value: Any) -> str:
    fits = {
        Kind.BOOL: isinstance(value, bool),
        Kind.INT: isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63,
        Kind.STRING: isinstance(value, str),
        Kind.LIST: isinstance(value, list) and all(isinstance(each, str) for each in value),
    }[name.kind]
    if not fits:
        return f"{name.path} is {name.kind}: expected {_EXPECTED[name.kind]}"
    if name.words is not None and value not in name.words:
        return f"{name.path} is never {value!r}{suggestion(str(value), name.words)}"
    return ""


def _filled(struct: Any, values: Mapping[str, Any]) -> Any:
    changes = {
        key: _filled(getattr(struct, key), value) if isinstance(value, Mapping) else value
        for key, value in values.items()
    }
    # Through convert, so that words become members of their enums as they are in real assessments.
    plain = msgspec.structs.asdict(msgspec.structs.replace(struct, **changes))
    return msgspec.convert(plain, type(struct), from_attributes=True)
