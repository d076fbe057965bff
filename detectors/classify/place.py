"""Where a value stands: what is above it, what that says, and under which key."""

from detectors.classify.keys import Key


class Place:
    """An object or array on the way to a value. Paths are put together only where something is found."""

    __slots__ = ("_path", "above", "around", "context", "depth", "key", "layers", "up", "word")

    def __init__(  # noqa: PLR0913, PLR0917 - made for every object of a record, where a call with names costs half as much again
        self,
        up: "Place | None",
        word: str,
        context: int,
        key: Key | None,
        around: int,
        above: int,
        depth: int,
        layers: int,
    ) -> None:
        self.up = up
        self.word = word
        """The key as a path may show it; `[]` for the elements of an array."""
        self.context = context
        """Contexts that hold inside of it."""
        self.key = key
        """The key that an array stands under: its elements are read as its values."""
        self.around = around
        """Contexts that hold for such elements: of what stands above and beside the array, and of its own name."""
        self.above = above
        """Contexts of what stands above the array."""
        self.depth = depth
        self.layers = layers
        """How many wrappings it stands in."""
        self._path: str | None = None

    def path(self, word: str = "") -> str:
        """Give the path of a member, or of itself."""
        own = self._path
        if own is None:
            before = self.up.path() if self.up is not None else ""
            own = self._path = _join(before, self.word)
        return _join(own, word)


def _join(before: str, word: str) -> str:
    if not word:
        return before
    return f"{before}.{word}" if before and word != "[]" else before + word


class Leaf:
    """A text that no name explained, and where it stands."""

    __slots__ = ("above", "around", "key", "place", "text", "word")

    def __init__(self, text: str, place: Place, key: Key | None, word: str, around: int, above: int) -> None:
        self.text = text
        self.place = place
        self.key = key
        self.word = word
        self.around = around
        """Contexts above and beside it, and of its own name."""
        self.above = above
