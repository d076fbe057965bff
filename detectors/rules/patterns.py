"""Regular expressions of the rule language, in time linear in the text: the one module that imports re2."""

from collections.abc import Callable

import re2

_MAX_PROGRAM_BYTES = 1 << 20
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = _MAX_PROGRAM_BYTES


def searcher(pattern: str) -> Callable[[str], bool] | None:
    """Compile a pattern to what finds it anywhere in a text; None when it is no pattern of RE2."""
    try:
        compiled = re2.compile(pattern, options=_OPTIONS)
    except re2.error:
        return None
    search = compiled.search
    return lambda text: search(text) is not None
