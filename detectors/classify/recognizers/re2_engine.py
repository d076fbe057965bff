"""Databases of patterns in RE2, where Hyperscan has no wheel: slower, the same answers. The only module that imports it."""

from collections.abc import Sequence

import re2


class Re2Database:
    """Patterns of one family; one pass tells which of them a text has, in linear time."""

    def __init__(self, patterns: Sequence[tuple[int, str]]) -> None:
        """Compile (bit, pattern over UTF-8 bytes); raise ValueError for a pattern that is not understood."""
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.dot_nl = True
        options.log_errors = False
        options.never_capture = True
        self._set = re2.Set.SearchSet(options)
        try:
            for _, pattern in patterns:
                self._set.Add(pattern.encode("latin-1"))
        except re2.error as error:
            raise ValueError(str(error)) from None
        self._set.Compile()
        self._bits = [bit for bit, _ in patterns]

    def scan(self, data: bytes) -> int:
        """Give the bits of the patterns that the bytes have."""
        return sum(self._bits[index] for index in set(self._set.Match(data) or ()))
