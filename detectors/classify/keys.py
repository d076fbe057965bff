"""Names of fields: split into words, looked up once, remembered by value."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from detectors.classify.values import digits_in, find_email, looks_like_card

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_SHOUTED = re.compile(r"[A-Z]{2,5}(?=[a-z]{3})|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_A-Za-z]+")
"""Another way to split: `AVSaddress1` gives avs, address, 1."""
_SEGMENTS = re.compile(r"[.\[\]/:]+")
_PLAIN = re.compile(r"[$\w-]{1,40}\Z")
_MOST_SEGMENTS = 8
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
    over: int
    """Those of them that stand above it in the key itself (`store[city]`: a thing)."""
    inner: int
    """Contexts that it gives to what is inside it."""
    keeps: int
    """Contexts from above that hold inside it too: the address of a shop is the shop's."""
    beside: int
    """Contexts that it gives to its siblings."""
    neutral: bool
    """It says nothing, so what is inside keeps the context from above."""
    contradicted: int
    """Bits of the recognizers that its words speak against: a long number below `order_id` is no card."""
    bare: bool
    """It says no more than `number` or `value`: the words of what stands above speak against recognizers too."""
    axis: int
    """1: it may name a latitude, 2: a longitude."""
    holds: str
    """`email` or `card` when the key itself is one, else empty."""
    free: bool
    """A name for free text."""
    ident: int
    """Python's own hash of the key, salted anew in every process: by it decisions are remembered."""

    def within(self, above: int) -> int:
        """Give the contexts inside of it, from those above it."""
        return above if self.neutral else self.inner | (above & self.keeps)


class Vocabulary(NamedTuple):
    """Words with the contexts that they give, as bits, ready for look-up."""

    names: Mapping[str, tuple[Meaning, ...]]
    contexts: Mapping[str, int]
    siblings: Mapping[str, int]
    qualifiers: Mapping[str, int]
    neutral: frozenset[str]
    decorations: frozenset[str]
    heads: frozenset[str]
    """Names that tell their category behind whatever words."""
    people_only: frozenset[str]
    """The same, also behind words that name a thing."""
    contradicted: Mapping[str, int]
    """Bits of recognizers by the word that speaks against them."""
    shown: frozenset[str]
    """Words that a path may show."""
    thing: int
    """The context of what is no person."""
    business: int
    """The context of who trades, and of where the shop works."""
    person: int
    """Contexts by which somebody is told from it."""
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
                0,
                0,
                neutral=False,
                contradicted=0,
                bare=False,
                axis=0,
                holds=held_by(raw[: 8 * _LONGEST_KEY]),
                free=False,
                ident=hash(raw),
            )
        vocabulary = self._vocabulary
        # `card[number]` and `billing.city` are paths in one key: what stands first is the parent of what stands last.
        segments = [each for each in _SEGMENTS.split(raw) if each]
        over = 0
        for segment in segments[:-1]:
            over = self._within(words(segment), over)
        last = words(segments[-1]) if segments else []
        meanings, qualified = self._meanings(last)
        if not meanings and last:
            meanings, qualified = self._meanings(shouted(segments[-1]))
        joined = "".join(last)
        inner = self._context(last)
        return Key(
            word=_shown(raw, vocabulary.shown),
            meanings=meanings,
            own=over | qualified,
            over=over,
            inner=inner | (over & self._keeps(last, inner)),
            keeps=self._keeps(last, inner),
            beside=vocabulary.siblings.get(joined, 0),
            neutral=joined in vocabulary.neutral or joined.isdigit(),
            contradicted=_union(vocabulary.contradicted, last),
            bare=joined in _BARE,
            axis=_AXES.get(last[-1], 0) if last else 0,
            holds=held_by(raw),
            free=any(not each.personal for each in meanings),
            ident=hash(raw),
        )

    def _within(self, last: list[str], above: int) -> int:
        """Give the contexts inside of a segment of a key, from those above it."""
        joined = "".join(last)
        if joined in self._vocabulary.neutral or joined.isdigit():
            return above
        inner = self._context(last)
        return inner | (above & self._keeps(last, inner))

    def _keeps(self, last: list[str], inner: int) -> int:
        """Tell which contexts from above hold inside of a name: none where it says whose or for whom something is."""
        vocabulary = self._vocabulary
        told = inner & vocabulary.person or any(vocabulary.qualifiers.get(word, 0) & vocabulary.people for word in last)
        return 0 if told else vocabulary.business

    def _context(self, last: list[str]) -> int:
        known = self._vocabulary.contexts
        bits = known.get("".join(last), 0)
        for word in last:
            bits |= known.get(word, 0) | known.get(word.removesuffix("s"), 0)
        thing = self._vocabulary.thing
        # `customer_order_items` describes items; a card of a shop's is still a card.
        return bits & ~self._vocabulary.people if bits & thing else bits

    def _meanings(self, last: list[str]) -> tuple[tuple[Meaning, ...], int]:
        names = self._vocabulary.names
        for candidate, bits, curt in self._candidates(last):
            found = names.get(candidate)
            if found is None and candidate.endswith("s"):
                found = names.get(candidate[:-1])
            if found is not None and curt:
                # Somebody's prefix was dropped to find it: what is ambiguous by itself is not enough then.
                found = tuple(each for each in found if not each.near)
            if found:
                return found, bits
        return (), 0

    def _candidates(self, last: list[str]) -> Iterator[tuple[str, int, bool]]:
        """Give names to look up, the contexts of what was dropped for them, and whether that was somebody's mere prefix."""
        vocabulary = self._vocabulary
        yield "".join(last), 0, False
        rest = [word for word in last if word not in vocabulary.decorations]
        if {"sha", "md"} & set(last):
            rest = [word for word in rest if word not in {"sha", "md", "256", "512", "1", "5"}]
        if rest and len(rest) < len(last):
            yield "".join(rest), 0, False
        yield from self._unqualified(rest)
        if len(last) == 1:
            for qualifier, given in vocabulary.qualifiers.items():
                if last[0].startswith(qualifier) and len(last[0]) > len(qualifier):
                    yield last[0][len(qualifier) :], given, False
        elif len(last) > 1 and len(last[0]) <= _CURT:
            # A prefix of a vendor's: `vpc_CardNum`, `x_zip`.
            yield "".join(last[1:]), 0, True
            yield from self._unqualified(last[1:])
        for index in range(1, len(last)):
            # `OrbitalConnectionPassword`, `gift_recipient_email`
            tail = "".join(last[index:])
            if tail in vocabulary.people_only or (
                tail in vocabulary.heads and not self._context(last[:index]) & vocabulary.thing
            ):
                yield tail, 0, True

    def _unqualified(self, rest: list[str]) -> Iterator[tuple[str, int, bool]]:
        """Give a name without the words that say whose or which, from the left (`billing_city`), then from the right (`ciudad_facturacion`)."""
        qualifiers, bits = self._vocabulary.qualifiers, 0
        while len(rest) > 1 and rest[0] in qualifiers:
            bits |= qualifiers[rest[0]]
            rest = rest[1:]
            yield "".join(rest), bits, False
        while len(rest) > 1 and rest[-1] in qualifiers:
            bits |= qualifiers[rest[-1]]
            rest = rest[:-1]
            yield "".join(rest), bits, False


def _union(bits: Mapping[str, int], last: list[str]) -> int:
    """Join the bits of all words."""
    found = 0
    for word in last:
        found |= bits.get(word, 0)
    return found


_BARE = frozenset({"number", "no", "nr", "num", "numero", "nummer", "code", "value"})
_CURT = 3
_AXES = {
    **dict.fromkeys(("latitude", "lat", "breitengrad", "latitud", "latitudine", "breedtegraad", "szerokosc", "широта", "緯度", "纬度"), 1),
    **dict.fromkeys(("longitude", "lng", "lon", "long", "laengengrad", "langengrad", "longitud", "longitudine", "lengtegraad", "dlugosc", "долгота", "経度", "经度"), 2),
}  # fmt: skip


def words(key: str) -> list[str]:
    """Split a key into lower-case words without accents: `billingAddress_line1` gives billing, address, line, 1."""
    return [word.lower() for word in _WORDS.findall(key if key.isascii() else bare(key))]


def shouted(key: str) -> list[str]:
    """Split a key the other way that is used: capitals that stand before a small word are a word."""
    return [word.lower() for word in _SHOUTED.findall(key)]


def bare(text: str) -> str:
    """Write Latin letters without accents, and full-width ones plainly; other scripts in their usual form."""
    apart = unicodedata.normalize("NFKD", text.translate(_LIGATURES))
    return unicodedata.normalize("NFKC", "".join(each for each in apart if not "\u0300" <= each <= "\u036f"))


_LIGATURES = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"}
)


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
    if not 1 <= len(segments) <= _MOST_SEGMENTS or digits_in(raw) > _MOST_DIGITS:
        return "*"
    for segment in segments:
        if not _PLAIN.match(segment):
            return "*"
        if not _is_known(words(segment), vocabulary) and not _is_known(shouted(segment), vocabulary):
            return "*"
    return ".".join(segments)


def _is_known(parts: list[str], vocabulary: frozenset[str]) -> bool:
    """Tell whether words are words of schemas. A single letter of another script may be a whole name."""
    if not 0 < len(parts) <= _MOST_WORDS:
        return False
    return "".join(parts) in vocabulary or all(
        part in vocabulary or (part.isascii() and (part.isdigit() or len(part) == 1)) for part in parts
    )
