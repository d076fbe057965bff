"""Where a value stands: what is above it, what that says, and under which key."""

import msgspec

from detectors.classify.keys import Key


class Place(msgspec.Struct, gc=False):
    """An object or array on the way to a value. Paths are put together only where something is found.

    A struct is made in a quarter of the time of a class, and one is made for every object of a record.
    """

    up: "Place | None"
    word: str
    """The key as a path may show it; `[]` for the elements of an array."""
    context: int
    """Contexts that hold inside of it."""
    key: Key | None
    """The key that an array stands under: its elements are read as its values."""
    around: int
    """Contexts that hold for such elements: of what stands above and beside the array, and of its own name."""
    above: int
    """Contexts of what stands above the array."""
    depth: int
    layers: int
    """How many wrappings it stands in."""

    def path(self, word: str = "") -> str:
        """Give the path of a member, or of itself."""
        path, place = word, self
        while True:
            above = place.word
            if above:
                path = above + path if path[:1] == "[" or not path else f"{above}.{path}"
            if place.up is None:
                return path
            place = place.up


class Leaf(msgspec.Struct, gc=False):
    """A text that no name explained, and where it stands."""

    text: str
    place: Place
    key: Key | None
    word: str
    around: int
    """Contexts above and beside it, and of its own name."""
    above: int
