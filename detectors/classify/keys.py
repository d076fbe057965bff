"""Names of fields: split into words, looked up once, remembered by value."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from detectors.classify.values import digits_in, find_email, looks_like_card

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_SEGMENTS = re.compile(r"[.\[\]/:]+")
_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,40}\Z")
_CACHED_KEYS = 16_384
_MOST_WORDS = 8
_MOST_DIGITS = 4
_LONGEST_KEY = 128


class Meaning(NamedTuple):
    """One category that a name may tell, and under which circumstances."""

    category: str
    tells: str
    """Name of the recognizer or the check, for explain."""
    check: Callable[[str], bool]
    """Whether a value can be it."""
    near: int
    """Contexts of which one is needed, as bits; 0: none is needed."""
    not_near: int
    """Contexts, also of siblings, in which the name means something else."""
    not_in: int
    """Contexts of what stands above, in which the name means something else."""
    hashed: str
    """Category of a hash under this name; empty: a hash is nothing else."""
    hidden: bool
    """No shape is shown."""
    personal: bool
    """False: the field says nothing by itself, its text is searched."""


class Key(NamedTuple):
    """All that a raw key tells, whatever its value."""

    word: str
    """The key as a path may show it: itself, or `*`."""
    meanings: tuple[Meaning, ...]
    """Candidates in the order to try; the first whose circumstances and value fit wins."""
    own: int
    """Contexts that the key gives to its own value (`billing_city`: address)."""
    inner: int
    """Contexts that it gives to what is inside it."""
    beside: int
    """Contexts that it gives to its siblings."""
    neutral: bool
    """It says nothing, so what is inside keeps the context from above."""
    contradicted: int
    """Bits of the recognizers that its words speak against: a long number below `order_id` is no card."""
    axis: int
    """1: it may name a latitude, 2: a longitude."""
    holds: str
    """`email` or `card` when the key itself is one, else empty."""
    free: bool
    """A name for free text."""
    ident: int
    """Python's own hash of the key, salted anew in every process: by it decisions are remembered."""


class Vocabulary(NamedTuple):
    """Words with the contexts that they give, as bits, ready for look-up."""

    names: Mapping[str, tuple[Meaning, ...]]
    contexts: Mapping[str, int]
    siblings: Mapping[str, int]
    qualifiers: Mapping[str, int]
    neutral: frozenset[str]
    decorations: frozenset[str]
    contradicted: Mapping[str, int]
    """Bits of recognizers by the word that speaks against them."""
    shown: frozenset[str]
    """Words that a path may show."""
    thing: int
    """The context of what is no person."""
    people: int
    """Contexts that a thing switches off."""


class KeyReader:
    """Reads keys of one taxonomy; remembers harmless ones, and by their hash alone those that may be personal data."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._known: dict[str, Key] = {}
        self._hidden: dict[int, Key] = {}
        """By Python's own hash of the key, which is salted anew in every process."""

    def read(self, raw: str) -> Key:
        """Tell what a key means."""
        key = self._known.get(raw)
        if key is not None:
            return key
        if len(raw) > _LONGEST_KEY:
            return self._resolve(raw)
        key = self._hidden.get(hash(raw))
        if key is None:
            key = self._resolve(raw)
            if len(self._known) + len(self._hidden) >= _CACHED_KEYS:
                self._known.clear()
                self._hidden.clear()
            if key.word == "*":
                self._hidden[hash(raw)] = key
            else:
                self._known[raw] = key
        return key

    def _resolve(self, raw: str) -> Key:
        if len(raw) > _LONGEST_KEY:
            return Key(
                "*",
                (),
                0,
                0,
                0,
                neutral=False,
                contradicted=0,
                axis=0,
                holds=held_by(raw[: 8 * _LONGEST_KEY]),
                free=False,
                ident=hash(raw),
            )
        vocabulary = self._vocabulary
        # `card[number]` and `billing.city` are paths in one key: what stands first is the parent of what stands last.
        segments = [each for each in _SEGMENTS.split(raw) if each]
        own = 0
        for segment in segments[:-1]:
            own = self._context(words(segment))
        last = words(segments[-1]) if segments else []
        meanings, qualified = self._meanings(last)
        joined = "".join(last)
        return Key(
            word=_shown(raw, vocabulary.shown),
            meanings=meanings,
            own=own | qualified,
            inner=self._context(last),
            beside=vocabulary.siblings.get(joined, 0),
            neutral=joined in vocabulary.neutral or joined.isdigit(),
            contradicted=_union(vocabulary.contradicted, last),
            axis=_AXES.get(last[-1], 0) if last else 0,
            holds=held_by(raw),
            free=any(not each.personal for each in meanings),
            ident=hash(raw),
        )

    def _context(self, last: list[str]) -> int:
        known = self._vocabulary.contexts
        bits = known.get("".join(last), 0)
        for word in last:
            bits |= known.get(word, 0)
        thing = self._vocabulary.thing
        # `customer_order_items` describes items; a card of a shop's is still a card.
        return bits & ~self._vocabulary.people if bits & thing else bits

    def _meanings(self, last: list[str]) -> tuple[tuple[Meaning, ...], int]:
        names = self._vocabulary.names
        for candidate, bits in self._candidates(last):
            found = names.get(candidate)
            if found is None and candidate.endswith("s"):
                found = names.get(candidate[:-1])
            if found is not None and (not _is_curt(candidate, last) or any(not each.near for each in found)):
                return found, bits
        return (), 0

    def _candidates(self, last: list[str]) -> Iterator[tuple[str, int]]:
        vocabulary = self._vocabulary
        joined = "".join(last)
        yield joined, 0
        rest = [word for word in last if word not in vocabulary.decorations]
        if {"sha", "md"} & set(last):
            rest = [word for word in rest if word not in {"sha", "md", "256", "512", "1", "5"}]
        if rest and len(rest) < len(last):
            yield "".join(rest), 0
        bits = 0
        while len(rest) > 1 and rest[0] in vocabulary.qualifiers:
            bits |= vocabulary.qualifiers[rest[0]]
            rest = rest[1:]
            yield "".join(rest), bits
        if len(last) == 1:
            for qualifier, given in vocabulary.qualifiers.items():
                if joined.startswith(qualifier) and len(joined) > len(qualifier):
                    yield joined[len(qualifier) :], given
        elif len(last) > 1 and len(last[0]) <= _CURT:
            # A prefix of a vendor's: `vpc_CardNum`, `x_zip`.
            yield "".join(last[1:]), 0


def _union(bits: Mapping[str, int], last: list[str]) -> int:
    """Join the bits of all words."""
    found = 0
    for word in last:
        found |= bits.get(word, 0)
    return found


_CURT = 3
_AXES = {"latitude": 1, "lat": 1, "longitude": 2, "lng": 2, "lon": 2, "long": 2}


def _is_curt(candidate: str, last: list[str]) -> bool:
    """Tell a name that was found only by dropping somebody's prefix: an ambiguous name is not enough then."""
    return len(last) > 1 and len(last[0]) <= _CURT and candidate == "".join(last[1:])


def words(key: str) -> list[str]:
    """Split a key into lower-case words: `billingAddress_line1` gives billing, address, line, 1."""
    return [word.lower() for word in _WORDS.findall(key)]


def held_by(key: str) -> str:
    """Tell whether a key itself is an e-mail address or a card number."""
    if find_email(key):
        return "email"
    return "card" if looks_like_card(key) else ""


def _shown(raw: str, vocabulary: frozenset[str]) -> str:
    """Give the key as a path may show it: itself when it is made of words of schemas, else `*`.

    A key may be a person's name or identifier, and a short plain name looks like any word: only words that are known as
    words are shown, single letters, and short numbers.
    """
    segments = [each for each in _SEGMENTS.split(raw) if each]
    shown = ".".join(segments)
    if not _PLAIN.match(shown) or digits_in(raw) > _MOST_DIGITS:
        return "*"
    for segment in segments:
        parts = words(segment)
        if len(parts) > _MOST_WORDS or not parts:
            return "*"
        if "".join(parts) not in vocabulary and not all(
            part in vocabulary or part.isdigit() or len(part) == 1 for part in parts
        ):
            return "*"
    return shown
