"""The play itself: lawful visitors in random order, with the scenes in between."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, islice
from random import Random

from monitor.shop.cues import Cue, Scene
from monitor.shop.journeys import arrive, catalog, page, walk
from monitor.shop.people import Moment
from monitor.shop.pieces import Draft, Piece, write
from monitor.shop.plants import SCENES, TIMED_SCENES

_CROWD = 300
"""Visitors in the shop at once. At 200 pieces a second each does something every 1.5 s and stays about half a minute."""
_STEP_MS = 5
"""Distance of pieces on the shop's own clock: 200 a second."""
_MAX_WAITING = 500
"""Cues that may wait for time to pass; a clock that stands still must not fill the memory."""
_FIRST_DAY_MS = 1_793_606_400_000
"""2026-11-02T08:00:00Z, when `lawful_day` starts unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A seeded simulator of an online shop: the same seed and clock give the same bytes."""

    seed: int
    start_ms: int
    """Where the shop's own clock starts, milliseconds since the epoch; it advances 5 ms for each piece."""
    now_ms: Callable[[], int] | None = None
    """A clock to use instead, asked once for each piece, when the piece is drawn; it must not run backwards."""
    planted: bool = True
    """Play the scenes; without them every piece is lawful."""

    def stream(self) -> Iterator[Piece]:
        """Yield pieces without end, in the order in which they are to be produced."""
        # One source of chance for the visits and one for the scenes, so that the scenes do not disturb who visits.
        visits, chance = Random(self.seed), Random(~self.seed)  # noqa: S311 - repeatable play, nothing secret
        crowd = [arrive(visits) for _ in range(_CROWD)]
        for visitor in crowd:
            # When the doors open people are at different points of their visit; what they skipped they have not chosen.
            del visitor.steps[visits.randint(1, len(visitor.steps)) :]
        program = _Program(chance)
        for number in count():
            at_ms = self.start_ms + number * _STEP_MS if self.now_ms is None else self.now_ms()
            draft = program.next(number, at_ms) if self.planted else None
            rng = visits if draft is None else chance
            if draft is None:
                place = visits.randrange(_CROWD)
                if not crowd[place].steps:
                    crowd[place] = arrive(visits)
                draft = walk(Moment(visits, crowd[place], at_ms))
            yield write(_in_company(draft, rng, at_ms), at_ms)


def lawful_day(seed: int, pieces: int, start_ms: int = _FIRST_DAY_MS) -> Iterator[Piece]:
    """Yield that many pieces in which opt-out signals and refusals occur and are honoured, and nothing is planted."""
    return islice(Shop(seed, start_ms, planted=False).stream(), pieces)


def _in_company(draft: Draft, rng: Random, at_ms: int) -> Draft:
    """Put some events and gateway records among others in one message, as collectors and log plugins do."""
    if draft.raw is not None or draft.role not in {"events", "kong"} or rng.random() > 0.12:
        return draft
    make = page if draft.role == "events" else catalog
    # The others are strangers without any choice on record: lawful whatever happens to them elsewhere.
    others = [make(Moment(rng, arrive(rng), at_ms)).items[0] for _ in range(rng.randint(1, 3))]
    place = rng.randint(0, len(others))
    plant = draft.plant._replace(item=place) if draft.plant is not None else None
    return draft._replace(items=(*others[:place], *draft.items, *others[place:]), plant=plant)


class _Program:
    """The scenes still to come: every kind once a round in a random order, one scene about every 60 pieces."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._next_scene = chance.randint(20, 60)
        self._round: list[Scene] = [*chance.sample(SCENES, len(SCENES)), *TIMED_SCENES]
        self._order = count()
        self._by_count: list[tuple[int, int, Cue]] = []
        self._by_time: list[tuple[int, int, Cue]] = []

    def next(self, number: int, at_ms: int) -> Draft | None:
        """Give the piece that is due at this place in the stream, if any."""
        if number >= self._next_scene:
            self._next_scene = number + self._chance.randint(40, 80)
            self._begin(number, at_ms)
        for waiting, now in ((self._by_time, at_ms), (self._by_count, number)):
            if waiting and waiting[0][0] <= now:
                cue = heappop(waiting)[2]
                self._wait(cue.then, number, at_ms)
                return cue.make(at_ms)
        return None

    def _begin(self, number: int, at_ms: int) -> None:
        if not self._round:
            scenes = SCENES + TIMED_SCENES
            self._round = self._chance.sample(scenes, len(scenes))
        scene = self._round.pop()
        if scene in TIMED_SCENES and len(self._by_time) > _MAX_WAITING:
            return
        self._wait(scene(self._chance), number, at_ms)

    def _wait(self, cues: Iterable[Cue], number: int, at_ms: int) -> None:
        for cue in cues:
            if cue.after_ms:
                heappush(self._by_time, (at_ms + cue.after_ms, next(self._order), cue))
            else:
                heappush(self._by_count, (number + cue.after_pieces, next(self._order), cue))
