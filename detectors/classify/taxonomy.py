"""The taxonomy of personal data: categories, what makes them sensitive, and the names of fields that tell them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import copy
from typing import Annotated

from pydantic import Field as Bounded
from pydantic import field_validator, model_validator

from detectors.classify.checks import CHECKS
from detectors.classify.keys import KeyReader, Meaning, Vocabulary, bare
from detectors.classify.memory import Memory
from detectors.classify.plans import Plans
from detectors.classify.recognizers.compiled import OWN, Compiled
from detectors.classify.recognizers.recognizer import Recognizer, Table
from detectors.classify.recognizers.table import SHIPPED, VALIDATORS
from detectors.classify.second_tier import SecondTier
from detectors.documents import Problem, Written, read

Word = Annotated[str, Bounded(pattern=r"^[^\W_A-Z]+$", max_length=64)]
"""A name as it is compared: joined, in lower case, in any script. Accents are taken off."""

EMAIL = "user.contact.email"
PHONE = "user.contact.phone_number"
CARD = "user.financial.credit_card.number"
LOCATION = "user.location.precise"
HASHED: Mapping[str, str] = {EMAIL: f"{EMAIL}.hashed", PHONE: f"{PHONE}.hashed"}
"""Categories that a hash under their name turns into another: still personal data, and a key to match people by."""

SHAPELESS = frozenset({"adid", "agent", "apikey", "coordinates", "cvv", "hash", "id", "ip", "secret"})
"""Checks whose values are too secret for even a shape, or whose shape would tell a responder nothing."""
_USED_BY_CODE = (EMAIL, PHONE, CARD, LOCATION, *HASHED.values())


class Regime(Written):
    """Where a kind of data counts as sensitive."""

    article_9: bool
    """GDPR Art. 9(1) lists it."""
    us_states: tuple[Annotated[str, Bounded(pattern=r"^[A-Z]{2}$")], ...]
    """Postal codes of the states whose consumer privacy act lists it."""


class Category(Written):
    """One kind of data."""

    label: str
    check: str
    regime: str = ""
    """Code of the regime that makes it sensitive; empty when it is not."""
    personal: bool = True
    """False: the field says nothing by itself, only its text is searched."""
    keys: tuple[Word, ...] = ()
    near: dict[str, tuple[Word, ...]] = Bounded(default_factory=dict)
    not_near: tuple[str, ...] = ()
    not_in: tuple[str, ...] = ()
    checks: dict[str, tuple[Word, ...]] = Bounded(default_factory=dict)
    """Names among `keys` and `near` whose values look otherwise, by the check that they need."""

    @field_validator("check")
    @classmethod
    def _is_known_check(cls, check: str) -> str:
        if check not in CHECKS:
            raise ValueError(f"unknown check; one of: {', '.join(sorted(CHECKS))}")
        return check

    @model_validator(mode="after")
    def _checks_exist(self) -> "Category":
        named = {*self.keys, *(word for words in self.near.values() for word in words)}
        wrong = [f"checks: unknown check {check}" for check in self.checks if check not in CHECKS]
        wrong += [
            f"checks: {word} is no name of this category"
            for words in self.checks.values()
            for word in words
            if word not in named
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    @property
    def sensitive(self) -> bool:
        """Whether some regime treats it as sensitive."""
        return bool(self.regime)


class TaxonomyFile(Written):
    """What stands in taxonomy.yaml."""

    contexts: dict[str, tuple[Word, ...]]
    siblings: dict[str, tuple[Word, ...]]
    neutral: tuple[Word, ...]
    qualifiers: dict[str, tuple[Word, ...]]
    decorations: tuple[Word, ...]
    heads: tuple[Word, ...]
    people_only: tuple[Word, ...]
    regimes: dict[str, Regime]
    categories: dict[Annotated[str, Bounded(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")], Category]

    @model_validator(mode="after")
    def _names_exist(self) -> "TaxonomyFile":
        wrong = [f"categories lacks {key}" for key in _USED_BY_CODE if key not in self.categories]
        known = self.contexts.keys()
        wrong += [f"contexts lacks {name}" for name in ("person", "address", "thing", "business") if name not in known]
        for group in ("siblings", "qualifiers"):
            wrong += [f"{group}: unknown context {name}" for name in getattr(self, group) if name not in known]
        for key, category in self.categories.items():
            wrong += [
                f"{key}: unknown context {name}"
                for name in (*category.near, *category.not_near, *category.not_in)
                if name not in known
            ]
            if category.regime and category.regime not in self.regimes:
                wrong.append(f"{key}: unknown regime {category.regime}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


class WordFile(Written):
    """What stands in words.yaml."""

    words: tuple[str, ...]
    """Words, any number in one line."""


class Taxonomy:
    """Categories by key, and the reader of field names. Made once; equal for all records."""

    def __init__(self, file: TaxonomyFile, shown: frozenset[str] = frozenset(), table: Table = SHIPPED) -> None:
        self._file, self._shown, self._table = file, shown, table
        self.categories: Mapping[str, Category] = file.categories
        self.regimes: Mapping[str, Regime] = file.regimes
        self._codes = {key: each.regime for key, each in file.categories.items() if each.regime}
        self.bits: Mapping[str, int] = {name: 1 << index for index, name in enumerate(file.contexts)}
        self.recognizers = Compiled(table, VALIDATORS)
        self.keys = KeyReader(_vocabulary(file, self.bits, shown, self.recognizers))
        self.plans = Plans(self.keys)
        self.memory = Memory()
        self.people = sum(self.bits[name] for name in ("person", "address", "card") if name in self.bits)
        """Contexts in which somebody is described."""
        self.business = self.bits["business"]
        """The context of who trades: the look of a value tells nothing about a person there."""
        self.second_tier: SecondTier | None = None
        """Reads free text after the search; None: nobody does."""

    def with_own(self, recognizers: tuple[Recognizer, ...], categories: Mapping[str, Category]) -> "Taxonomy":
        """Give the same taxonomy with a shop's own recognizers, which are asked first, and categories."""
        file = self._file.model_copy(update={"categories": {**self._file.categories, **categories}})
        return Taxonomy(file, self._shown, {OWN: recognizers, **self._table})

    def with_second_tier(self, tier: SecondTier) -> "Taxonomy":
        """Give the same taxonomy with a reader of free text."""
        changed = copy(self)
        changed.second_tier = tier
        return changed

    def is_sensitive(self, category: str, jurisdiction: str = "") -> bool:
        """Tell whether a category is sensitive where the person is (`DE`, `US-CA`).

        Unknown place: whether any regime says so. Outside of the United States the list of GDPR Art. 9 is the measure.
        """
        known = self.categories.get(category)
        if known is None or not known.regime:
            return False
        regime = self.regimes[known.regime]
        country, _, state = jurisdiction.partition("-")
        if country == "US":
            return state in regime.us_states if state else bool(regime.us_states)
        return regime.article_9 or (not country and bool(regime.us_states))

    def codes_of(self, categories: Iterable[str], jurisdiction: str, listed: Collection[str] = ()) -> tuple[str, ...]:
        """Give the codes under which the law of a place treats categories as sensitive, sorted.

        `listed` are the codes that the law pack has for the place; where it has none, the matrix of the taxonomy is asked.
        """
        if self._codes.keys().isdisjoint(categories):
            return ()
        coded = ((category, self._codes[category]) for category in categories if category in self._codes)
        return tuple(
            sorted(
                {code for key, code in coded if (code in listed if listed else self.is_sensitive(key, jurisdiction))}
            )
        )

    def label(self, category: str) -> str:
        """Give the name of a category for people; the key itself when it is unknown."""
        known = self.categories.get(category)
        return known.label if known else category


def read_taxonomy(text: str, file: str, words: str = "", words_file: str = "") -> tuple[Taxonomy | None, list[Problem]]:
    """Read a taxonomy, and the words that paths may show beside its own: the taxonomy, or every mistake of both files."""
    written, problems = read(text, file, TaxonomyFile)
    shown: frozenset[str] = frozenset()
    if words:
        listed, mistakes = read(words, words_file, WordFile)
        problems += mistakes
        shown = frozenset(word for line in listed.words for word in line.split()) if listed else shown
    return (None if written is None or problems else Taxonomy(written, shown)), problems


def _vocabulary(file: TaxonomyFile, bits: Mapping[str, int], shown: frozenset[str], table: Compiled) -> Vocabulary:
    names: dict[str, tuple[Meaning, ...]] = {}
    # What a recognizer proves comes first, then what a name tells near something, then what it tells anywhere.
    by_name = sorted(_by_categories(file, bits), key=lambda each: not each[1].near)
    for written, meaning in (*_by_recognizers(table, bits), *by_name):
        word = bare(written)
        names[word] = (*names.get(word, ()), meaning)
    return Vocabulary(
        names=names,
        contexts=_by_word(file.contexts, bits),
        siblings=_by_word(file.siblings, bits),
        qualifiers=_by_word(file.qualifiers, bits),
        neutral=frozenset(file.neutral),
        decorations=frozenset(file.decorations),
        heads=frozenset(map(bare, file.heads)),
        people_only=frozenset(map(bare, file.people_only)),
        contradicted=table.contradicted,
        shown=shown.union(
            names,
            file.neutral,
            file.decorations,
            table.contradicted,
            *(group for groups in (file.contexts, file.siblings, file.qualifiers) for group in groups.values()),
        ),
        thing=bits["thing"],
        business=bits["business"],
        person=bits["person"] | bits["card"],
        people=bits["person"] | bits["address"],
    )


def _by_categories(file: TaxonomyFile, bits: Mapping[str, int]) -> Iterator[tuple[str, Meaning]]:
    """Give what names tell by the file alone: the look of the value is checked loosely."""
    for key, category in file.categories.items():
        not_near, not_in = _bits(category.not_near, bits), _bits(category.not_in, bits)
        near: dict[str, int] = {}
        for context, listed in category.near.items():
            for word in listed:
                near[word] = near.get(word, 0) | bits[context]

        other = {word: check for check, words in category.checks.items() for word in words}

        def meaning(
            word: str,
            wanted: int,
            not_near: int,
            key: str = key,
            not_in: int = not_in,
            other: Mapping[str, str] = other,
        ) -> Meaning:
            known = file.categories[key]
            check = other.get(word, known.check)
            return Meaning(
                category=key, tells=check, check=CHECKS[check], near=wanted, not_near=not_near, not_in=not_in,
                hashed=HASHED.get(key, ""), hidden=known.check in SHAPELESS, personal=known.personal,
            )  # fmt: skip

        yield from ((word, meaning(word, wanted, not_near)) for word, wanted in near.items())
        yield from ((word, meaning(word, 0, 0)) for word in category.keys)


def _by_recognizers(table: Compiled, bits: Mapping[str, int]) -> Iterator[tuple[str, Meaning]]:
    """Give what names tell that a recognizer asks for: its pattern and its validator have to agree."""
    for each in table.recognizers:
        meaning = Meaning(
            category=each.category, tells=each.name, check=table.checks[each.name], near=0, not_near=0,
            not_in=_bits(each.not_in, bits), hashed=HASHED.get(each.category, ""), hidden=each.hidden, personal=True,
        )  # fmt: skip
        yield from ((word, meaning) for word in each.keys)


def _bits(names: tuple[str, ...], bits: Mapping[str, int]) -> int:
    return sum(bits[name] for name in set(names))


def _by_word(groups: Mapping[str, tuple[str, ...]], bits: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, listed in groups.items():
        for word in listed:
            found[bare(word)] = found.get(bare(word), 0) | bits[name]
    return found
