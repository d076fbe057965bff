"""What a step of the purchase, or a recipient, needs to know: a table of judgement, and a shop's own decisions over it."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from detectors.classify.need_files import OTHER, Doubt, Need, NeedFile, WrittenNeed, WrittenOverride
from detectors.classify.taxonomy import Taxonomy
from detectors.documents import Problem, read
from topics.flow import Goods, Step

_CACHED = 8_192
_STRICTEST_FIRST = tuple(Need)
_FORMS = (Goods.PHYSICAL, Goods.DIGITAL)
_ASIDE = tuple(each for each in Goods if each not in _FORMS)
_IN_ORDER = (Step.CART, Step.CONTACT, Step.SHIPPING, Step.PAYMENT, Step.REVIEW, Step.ORDER)
SELLS = frozenset({Goods.PHYSICAL, Goods.DIGITAL, Goods.GIFT})
"""What a shop sells that says nothing else."""

PURCHASE = frozenset({"payment", "delivery", "tax"})
"""Purposes of recipients who take part in a purchase, whatever the step."""

UNKNOWN = "unknown"
"""The purpose of a recipient of whom nothing is known."""
_GOODS_UNKNOWN = "Nobody knows whether these goods call for it."
_RECIPIENT_UNKNOWN = "Nobody knows what this recipient does; some in a purchase may have it."


class Excess(NamedTuple):
    """A category that a step or a recipient got and does not need."""

    category: str
    kind: Need
    """UNNEEDED or PROHIBITED; CONDITIONAL where the goods or the recipient decide, and nobody knows them."""
    reason: str
    """Why, for people."""
    enough: str
    """What would do instead."""
    early: Step = Step.NONE
    """The later step that is the first to need it, or may; NONE: none does."""


class Verdict(NamedTuple):
    """What is said of the categories of one flow."""

    excess: tuple[Excess, ...] = ()
    """Sorted by category."""
    conditional: tuple[str, ...] = ()
    """Categories that are needed on conditions which no record tells."""


class Place(NamedTuple):
    """Who is judged: the shop at a step, or a recipient for its purpose."""

    step: Step
    purpose: str
    own: bool


_NOTHING = Verdict()


class NeedTable:
    """Judges categories by step or recipient, and goods. Values do not change; answers are remembered by value."""

    def __init__(
        self,
        file: NeedFile,
        taxonomy: Taxonomy,
        overrides: Sequence[WrittenOverride] = (),
        sells: frozenset[Goods] = SELLS,
    ) -> None:
        self._file = file
        self._taxonomy = taxonomy
        self._overrides = tuple(overrides)
        self._sells = sells
        self._travels = frozenset(file.travels)
        self._ambient = file.ambient_paths
        self._parts = (*(name for name in file.recipients if name != OTHER), OTHER)
        self._judge = lru_cache(_CACHED)(self._judged)
        self.is_ambient = lru_cache(_CACHED)(self._is_ambient)
        """Tell a field that an event library attaches to every event, whatever the step."""

    def decided(self, overrides: Sequence[WrittenOverride], sells: frozenset[Goods]) -> "NeedTable":
        """Give the same table under a shop's own decisions, for a shop that sells these kinds of goods."""
        return NeedTable(self._file, self._taxonomy, overrides, sells)

    def assess(
        self, step: Step, purpose: str, categories: Iterable[str], *, own: bool = False, goods: tuple[str, ...] = ()
    ) -> Verdict:
        """Say what is too much for the shop at a step, or for a recipient of a purpose, in or out of a step.

        `own` is the shop's own collection, which is judged within the purchase only. `goods` as a flow has them.
        """
        if own and step is Step.NONE:
            return _NOTHING
        return self._judge(Place(step, purpose, own), tuple(sorted(set(categories))), goods)

    def is_part_of_a_purchase(self, purpose: str) -> bool:
        """Tell a recipient who takes part in purchases, whatever the step: who gets paid, delivers or taxes."""
        return purpose in PURCHASE and purpose in self._file.recipients

    def _is_ambient(self, path: str) -> bool:
        return any(path == each or path.startswith((f"{each}.", f"{each}[")) for each in self._ambient)

    def _judged(self, place: Place, categories: tuple[str, ...], goods: tuple[str, ...]) -> Verdict:
        possible = self._possible(goods)
        excess: list[Excess] = []
        conditional: list[str] = []
        # Somebody of whom nothing is known may have any part in the purchase.
        parts = (
            [place] if place.own or place.purpose != UNKNOWN else [place._replace(purpose=each) for each in self._parts]
        )
        for category in categories:
            readings = [self._need(part, category, goods) for part in parts for goods in possible]
            most, least = max(readings, key=_leniency), min(readings, key=_leniency)
            if most.need in TOO_MUCH:
                excess.append(self._excess(place, category, most, possible))
                continue
            if most.need is Need.CONDITIONAL:
                conditional.append(category)
            if least.need in TOO_MUCH and self._decides(category, most, least):
                told = _GOODS_UNKNOWN if len(parts) == 1 else _RECIPIENT_UNKNOWN
                excess.append(Excess(category, Need.CONDITIONAL, f"{least.reason} {told}", least.enough))
        return Verdict(tuple(excess), tuple(conditional)) if excess or conditional else _NOTHING

    def _excess(self, place: Place, category: str, found: "_Reading", possible: tuple[frozenset[Goods], ...]) -> Excess:
        early = self._first_later(place, category, possible) if place.own else Step.NONE
        reason = f"{found.reason} The step {early.value} is the first to need it." if early else found.reason
        return Excess(category, found.need, reason, found.enough, early)

    def _first_later(self, place: Place, category: str, possible: tuple[frozenset[Goods], ...]) -> Step:
        if place.step not in _IN_ORDER:
            return Step.NONE
        for step in _IN_ORDER[_IN_ORDER.index(place.step) + 1 :]:
            later = place._replace(step=step)
            if any(self._need(later, category, each).need not in TOO_MUCH for each in possible):
                return step
        return Step.NONE

    def _possible(self, goods: tuple[str, ...]) -> tuple[frozenset[Goods], ...]:
        """Give every kind of goods that the facts leave open, the usual ones first."""
        known = frozenset(goods)
        forms: list[tuple[Goods, ...]] = [(each,) for each in _FORMS if each in known]
        if len(forms) == len(_FORMS):
            forms = [_FORMS]
        if not forms:
            forms = [(each,) for each in _FORMS if each in self._sells] or [()]
        options: list[list[tuple[Goods, ...]]] = [forms]
        for kind in _ASIDE:
            if kind in known:
                options.append([(kind,)])
            elif kind in self._sells and f"no-{kind}" not in known:
                options.append([(), (kind,)])
        return tuple(frozenset(kind for part in each for kind in part) for each in product(*options))

    def _need(self, place: Place, category: str, goods: frozenset[Goods]) -> "_Reading":
        decided = self._decided(place, category, goods)
        if decided is not None:
            return decided
        if not self._travels.isdisjoint(_with_parents(category)):
            return _Reading(Need.CONDITIONAL)
        written = self._file.categories.get(category)
        if written is None:
            if not self._taxonomy.is_sensitive(category):
                return _Reading(Need.CONDITIONAL)
            return _Reading(Need.UNNEEDED, self._file.sensitive.reason, self._file.sensitive.enough)
        serves, removed = self._serves(place, goods)
        without = {purpose for kind in goods for purpose in written.without.get(kind, ())}
        if Goods.PHYSICAL in goods:
            without -= set(written.without.get(Goods.DIGITAL, ()))
        readings = [
            _Reading(need, sentence or written.reason, written.enough)
            for need, sentence in (_entry(written, purpose) for purpose in serves if purpose not in without)
        ]
        best = max(readings, key=_leniency, default=_Reading(Need.UNNEEDED, written.reason, written.enough))
        if best.need not in TOO_MUCH or not (removed or without):
            return best
        # What goods of another kind would need is too much because of these: that is the reason to give.
        lost = (*removed, *without)
        if not any(_entry(written, purpose)[0] not in TOO_MUCH for purpose in lost):
            return best
        kind = next(kind for kind in sorted(goods) if self._file.goods[kind].removes or kind in written.without)
        return best._replace(reason=self._file.goods[kind].reason)

    def _serves(self, place: Place, goods: frozenset[Goods]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the purposes that a place has for goods, and those that these goods take away."""
        if place.own:
            base = self._file.steps[place.step]
        else:
            base = self._file.recipients.get(place.purpose) or self._file.recipients[OTHER]
        removes: set[str] = set()
        adds: list[str] = []
        for kind in goods:
            written = self._file.goods.get(kind)
            if written is None:
                continue
            if kind is not Goods.DIGITAL or Goods.PHYSICAL not in goods:
                removes.update(written.removes)
            if (place.step is not Step.CART) if place.own else place.purpose in written.to:
                adds += written.adds
        removed = tuple(each for each in base if each in removes)
        return (*(each for each in base if each not in removes), *adds), removed

    def _decided(self, place: Place, category: str, goods: frozenset[Goods]) -> "_Reading | None":
        for each in self._overrides:
            here = place.step in each.steps if place.own else place.purpose in each.recipients
            if not here or (each.goods and goods.isdisjoint(each.goods)):
                continue
            if category == each.category or category.startswith(f"{each.category}."):
                return _Reading(each.need, each.justification, each.enough or "Leave it out.")
        return None

    def _decides(self, category: str, most: "_Reading", least: "_Reading") -> bool:
        """Tell whether it is worth saying that nobody knows which of two readings is the right one."""
        if least.need is Need.PROHIBITED:
            return True
        written = self._file.categories.get(category)
        return most.need is Need.CONDITIONAL and written is not None and written.doubt is Doubt.GAP

    def never_allowed(self, category: str) -> bool:
        """Tell whether no decision of a shop's can allow more than the table does."""
        written = self._file.categories.get(category)
        return written is not None and written.otherwise is Need.PROHIBITED


class _Reading(NamedTuple):
    need: Need
    reason: str = ""
    enough: str = ""


TOO_MUCH = frozenset({Need.PROHIBITED, Need.UNNEEDED})


def _leniency(reading: _Reading) -> int:
    return _STRICTEST_FIRST.index(reading.need)


def _entry(written: WrittenNeed, purpose: str) -> tuple[Need, str]:
    for need, listed in (
        (Need.NEEDED, written.needed),
        (Need.CONDITIONAL, written.conditional),
        (Need.UNNEEDED, written.unneeded),
    ):
        if purpose in listed:
            return need, listed[purpose]
    return written.otherwise, ""


def _with_parents(category: str) -> Iterable[str]:
    while category:
        yield category
        category = category.rpartition(".")[0]


def read_needs(text: str, file: str, taxonomy: Taxonomy) -> tuple[NeedTable | None, list[Problem]]:
    """Read the need table from the text of its file: the table, or every mistake."""
    written, problems = read(text, file, NeedFile)
    if written is None:
        return None, problems
    unknown = [
        Problem(file, 0, f"categories.{category}", "the taxonomy has no such category")
        for category in written.categories
        if category not in taxonomy.categories
    ]
    return (None if unknown else NeedTable(written, taxonomy)), unknown
