"""The search through one part: names first, then one pass over what they do not explain, then what the pass points at."""

import re
from functools import lru_cache
from typing import Any

import orjson

from detectors.classify.budget import Budget
from detectors.classify.encodings.binary import decompressed
from detectors.classify.encodings.forms import pairs_of, read_multipart
from detectors.classify.encodings.markup import read_markup
from detectors.classify.encodings.opened import OVER_BUDGET, TOO_DEEP, Caps
from detectors.classify.encodings.strict import is_ambiguous, read_strictly
from detectors.classify.encodings.unwrap import unwrap, ways_of
from detectors.classify.evidence import Trace
from detectors.classify.findings import Findings
from detectors.classify.keys import Key, KeyReader
from detectors.classify.place import Leaf, Place
from detectors.classify.recognizers.compiled import Ready
from detectors.classify.recognizers.recognizer import SURE
from detectors.classify.taxonomy import Taxonomy
from detectors.classify.values import is_masked, shape
from detectors.classify.walk import Walk, what_is_told
from topics.observation import Media, Part

SYNTAX = "syntax"
MARKUP = "markup"
"""XML or HTML that cannot be read: its names are not known."""
REPEATED = "repeated-key"
"""A name stands twice in one object: which value a recipient took, nobody can tell. Both are searched."""
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
_MOST_PIECES = 64
_NAMED_IN_TEXT = re.compile(
    r"[\"']?([A-Za-z_][A-Za-z0-9_.\-\[\]]{0,63})[\"']?\s{0,4}[:=]\s{0,4}(?:\"([^\"\\]{1,256})|'([^'\\]{1,256})|([^\s\"',;&<>{}\[\]]{1,256}))"
)


class Search:
    """State of one search."""

    __slots__ = (
        "_caps", "_memory", "_nodes", "_openings", "_recognizers", "_taxonomy", "budget", "findings", "free",
    )  # fmt: skip

    def __init__(self, budget: Budget, taxonomy: Taxonomy, trace: Trace | None = None) -> None:
        self.budget = budget
        self.findings = Findings(budget.fields, trace)
        self.free: list[Leaf] = []
        self._taxonomy = taxonomy
        self._recognizers = taxonomy.recognizers
        self._memory = taxonomy.memory
        self._caps = Caps(budget.opened_bytes, budget.ratio)
        self._nodes = budget.nodes
        self._openings = budget.opened

    def part(self, part: Part) -> None:
        """Search a part by what its bytes are; what the sender calls them is believed only where they could be it."""
        data = part.data
        if data[:4].startswith(_COMPRESSED):
            plain = decompressed(data, self._caps)
            if plain is None:
                self.findings.blind |= self._caps.blind or {SYNTAX}
                return
            data = plain
        root = _root(part.path, self._taxonomy.keys)
        start = data[:64].lstrip()[:1]
        if start == b"<":
            self._markup(data, root)
        elif part.media is Media.FORM and start not in {b"{", b"["}:
            self._form(data, root)
        elif start in {b"{", b"["} or part.media is Media.JSON:
            self._json(data, root)
        else:
            self._other(data, root)
        self._end()

    def text(self, data: bytes, path: str) -> None:
        """Search a text: names near their values, and what tells itself."""
        self._text(data, _root(path, self._taxonomy.keys))
        self._end()

    def _end(self) -> None:
        """Let the second tier read the free texts, and join what could not be opened."""
        self.findings.blind |= self._caps.blind
        tier = self._taxonomy.second_tier
        if tier is None or not self.free:
            return
        answer = tier.read([leaf.text for leaf in self.free])
        for index, category in answer.found:
            leaf = self.free[index]
            self.findings.add(leaf.place.path(leaf.word), category, "")
            self.findings.tell(
                leaf.place.path(leaf.word), category, "second-tier", "the second tier found it in a free text", 0.5
            )
        if answer.unknown:
            self.findings.blind.add(answer.unknown)

    def _json(self, data: bytes, root: Place) -> None:
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            self.findings.blind.add(OVER_BUDGET if "depth" in str(error) else SYNTAX)
            self._text(data, root)
            return
        walk = self._document(document, root)
        # A walk that ended early counted too little to tell anything.
        if OVER_BUDGET not in self.findings.blind and (walk.rounded or is_ambiguous(data, walk.members, walk.strings)):
            strict, repeated = read_strictly(data)
            if repeated:
                self.findings.blind.add(REPEATED)
            if strict is not None and (repeated or walk.rounded):
                self._document(strict, root)

    def _form(self, data: bytes, root: Place) -> None:
        if data.count(b"&") >= self._nodes:
            self.findings.blind.add(OVER_BUDGET)
        self._document(pairs_of(data.decode("utf-8", "replace"), self._nodes), root)

    def _markup(self, data: bytes, root: Place) -> None:
        document = read_markup(data)
        if document is None:
            self.findings.blind.add(MARKUP)
            self._text(data, root)
        else:
            self._document(document, root)

    def _other(self, data: bytes, root: Place) -> None:
        if data[:2] == b"--" and b"form-data" in data:
            document = read_multipart(data.decode("utf-8", "replace"))
            if document:
                self._document(document, root)
                return
        self._text(data, root)

    def _text(self, data: bytes, root: Place) -> None:
        if len(data) > self.budget.text_bytes:
            self.findings.blind.add(OVER_BUDGET)
        text = data[: self.budget.text_bytes].decode("utf-8", "replace")
        leaf = Leaf(text, root, None, "", root.context, root.context)
        self.free.append(leaf)
        named = self._names_in_text(leaf)
        bits = self._recognizers.open((text,))
        if bits:
            self._alone(leaf, bits, named)
            self._open(leaf, bits)

    def _names_in_text(self, leaf: Leaf) -> frozenset[str]:
        """Find names that stand right before their value, in broken JSON, logs and configuration; give the categories found."""
        before = set(self.findings.found)
        left = self._nodes
        for match in _NAMED_IN_TEXT.finditer(leaf.text):
            left -= 1
            if left < 0:
                self.findings.blind.add(OVER_BUDGET)
                break
            key = self._taxonomy.keys.read(match.group(1))
            text = (match.group(2) or match.group(3) or match.group(4) or "").strip()
            if key.meanings and not is_masked(text):
                self._named(text, key, leaf, key.word, leaf.around | key.own)
        return frozenset(category for path, category in self.findings.found if (path, category) not in before)

    def _document(self, document: Any, place: Place) -> Walk:
        walk = Walk(self.budget, self._taxonomy, self.findings, self._nodes)
        walk.through(document, place)
        self._nodes = walk.left
        self.free += walk.free
        texts = walk.texts
        if walk.leaves:
            texts = [*texts, *[leaf.text for leaf in walk.leaves]]
        points = [*map(self._memory.points.get, map(hash, texts))]
        if None in points:
            points = self._point(texts, points)
        if any(points):
            at = iter(points)
            for values, plan, view, place_, around in walk.seen:
                for index in view.texts:
                    bits = next(at)
                    if bits:
                        key = plan.keys[index]
                        self._pointed(
                            Leaf(values[index], place_, key, key.word, around | key.own, place_.context), bits
                        )
            for leaf, bits in zip(walk.leaves, at, strict=True):
                if bits:
                    self._pointed(leaf, bits)
        return walk

    def _point(self, texts: list[str], known: list[int | None]) -> list[int | None]:
        """Ask the gates about texts that nobody knows yet."""
        unknown = [text for text, bits in zip(texts, known, strict=True) if bits is None]
        bits = self._recognizers.open(unknown)
        if not bits:  # nearly always
            self._memory.point_nowhere(unknown)
            return [bits or 0 for bits in known]
        point = self._memory.point
        told = iter([point(hash(text), self._points(text, bits)) for text in unknown])
        return [next(told) if bits is None else bits for bits in known]

    def _pointed(self, leaf: Leaf, points: int) -> None:
        """Look at a text in which something may be; remember where it gave nothing."""
        quiet = self._memory.quiet
        mark = hash(
            (
                leaf.key.ident if leaf.key else 0,
                leaf.around,
                leaf.above,
                leaf.place.context,
                leaf.place.layers,
                _contradicted(leaf),
                leaf.text,
            )
        )
        if mark in quiet and self.findings.trace is None:
            return
        added = self.findings.added
        self._leaf(leaf, points)
        if self.findings.added == added and not self.findings.blind and not self._caps.blind:
            self._memory.hush(mark)

    def _points(self, text: str, bits: int) -> int:
        """Give those of the bits that this text bears out, whatever its name."""
        if len(text) < 6:  # characters of the shortest value that tells itself
            return 0
        if len(text) > self.budget.text_bytes:
            return bits  # is cut where it is looked at, and told
        table = self._recognizers
        alone, carried = bits & ~table.carried, bits & table.carried
        ways = ways_of(text, carried, table.carriers) if carried else 0
        if ways & table.carriers["json"]:
            return alone | ways  # an object is opened first, and mostly explains all of it
        points = 0
        for ready in table.of(alone):
            if ready.has in text and (
                ready.whole(text.strip()) or (ready.within and any(map(ready.valid, ready.within(text))))
            ):
                points |= ready.bit
        if ways == table.carriers["pairs"] and not points and not self._query_tells(text):
            return 0
        return points | ways

    def _query_tells(self, text: str) -> bool:
        """Tell whether the query of an address names anything that matters, or has a value that has to be looked at.

        Most queries page, sort and measure: told here in a tenth of the time that it takes to walk through them.
        """
        read = self._taxonomy.keys.read
        for piece in text[text.find("?") + 1 :].split("&", _MOST_PIECES):
            name, _, value = piece.partition("=")
            key = read(name)
            if key.meanings or key.holds or not (len(value) < 7 or (len(value) < 13 and value.isalnum())):
                return True
        return False

    def _leaf(self, leaf: Leaf, bits: int) -> None:
        text = leaf.text
        if len(text) > self.budget.text_bytes:
            self.findings.blind.add(OVER_BUDGET)
            leaf.text = text[: self.budget.text_bytes]
        if bits & self._recognizers.carried and self._open(leaf, bits):
            return
        self._alone(leaf, bits)

    def _open(self, leaf: Leaf, bits: int) -> bool:
        """Search what a text is wrapped around; True when that has names, and nothing stands beside it."""
        place = leaf.place
        named = False
        for opened in unwrap(leaf.text, bits, self._recognizers.carriers, self._caps):
            if place.layers >= self.budget.layers:
                self.findings.blind.add(TOO_DEEP)
                return False
            self._openings -= 1
            if self._openings < 0:
                self.findings.blind.add(OVER_BUDGET)
                return False
            inner = self._inside(leaf, place.layers + 1)
            if opened.document is not None:
                self._document(opened.document, inner)
                named = True
                continue
            self._reads(Leaf(opened.text, inner, leaf.key, "", leaf.around, leaf.above))
        return named

    def _reads(self, leaf: Leaf) -> None:
        """Read an unwrapped text as the value of the name that the wrapping stood under."""
        text = leaf.text.strip()
        if not text or is_masked(text):
            return
        key = leaf.key
        if key is not None and self._named(text, key, leaf, "", leaf.around):
            return
        inner = self._points(text, self._recognizers.open((text,)))
        if inner:
            self._leaf(leaf, inner)

    def _named(self, text: str, key: Key, leaf: Leaf, word: str, context: int) -> bool:
        """Find what a name tells about a text; True when it explains it."""
        told = what_is_told(text, key, context, leaf.above, self.findings, leaf.place)
        if told.category:
            self.findings.add(leaf.place.path(word), told.category, told.shape)
        return bool(told.category)

    def _inside(self, leaf: Leaf, layers: int) -> Place:
        """Give the place of what stands inside of a text: the same path, the same context."""
        key, place = leaf.key, leaf.place
        context = place.context if key is None or not leaf.word else key.within(place.context)
        return Place(place, leaf.word, context, key, leaf.around, leaf.above, place.depth + 1, layers)

    def _alone(self, leaf: Leaf, bits: int, known: frozenset[str] = frozenset()) -> None:
        """Find what a value tells without its name, except for categories that are known of it."""
        bits &= ~_contradicted(leaf)
        if leaf.above & self._taxonomy.business:
            bits &= ~self._recognizers.not_of_business
        text = leaf.text.strip()
        for ready in self._recognizers.of(bits & ~self._recognizers.carried):
            if ready.whole(text):
                confidence = self._confidence(ready, leaf)
                self._tell(ready, leaf, confidence, "the whole value looks like it and passes its check")
                if confidence >= SURE and not is_masked(text):
                    self.findings.add(
                        leaf.place.path(leaf.word),
                        ready.recognizer.category,
                        "" if ready.recognizer.hidden else shape(text),
                    )
                    return
            elif ready.within is not None and ready.recognizer.category not in known:
                self._within(ready, leaf)

    def _within(self, ready: Ready, leaf: Leaf) -> None:
        """Find a value inside of a longer text; one of each kind is enough."""
        assert ready.within is not None  # noqa: S101 - said to the type checker
        for text in ready.within(leaf.text):
            if ready.valid(text) and not is_masked(text):
                self.free.append(leaf)
                self._tell(ready, leaf, ready.recognizer.alone, "it stands inside of the text and passes its check")
                self.findings.add(
                    leaf.place.path(leaf.word),
                    ready.recognizer.category,
                    "" if ready.recognizer.hidden else shape(text),
                )
                return
        self._tell(ready, leaf, 0.0, "something looks like it, nothing passes its check")

    def _confidence(self, ready: Ready, leaf: Leaf) -> float:
        near = ready.recognizer.beside if leaf.around & self._taxonomy.people else 0.0
        return ready.recognizer.alone + near

    def _tell(self, ready: Ready, leaf: Leaf, confidence: float, why: str) -> None:
        if self.findings.trace is not None:
            self.findings.tell(
                leaf.place.path(leaf.word), ready.recognizer.category, ready.recognizer.name, why, confidence
            )


@lru_cache(1_024)
def _root(path: str, keys: KeyReader) -> Place:
    """Give the place of a part: adapters name a few alone."""
    context = keys.read(path.rpartition(".")[2]).inner if path else 0
    return Place(None, path, context, None, 0, 0, 0, 0)


def _contradicted(leaf: Leaf) -> int:
    """Give the bits of the recognizers that names speak against: its own, and that above where its own says nothing."""
    key, above = leaf.key, leaf.place.key
    if key is None:
        return 0
    return key.contradicted | above.contradicted if key.bare and above is not None else key.contradicted
