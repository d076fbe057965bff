"""Free text from traffic or configuration, made fit for findings, logs and pages."""

import re
from functools import lru_cache

MAX_TEXT = 64
"""Characters of a sanitised text, at most."""
MAX_PATH = 160
"""Characters of a sanitised path, at most."""
_READ = 1024
# A name that holds an address or a long number is not a name: somebody's data stands where a name belongs.
_ADDRESS = re.compile(r"[^\s@]*@[^\s@]*")
_LONG_NUMBER = re.compile(r"[0-9](?:[ .-]?[0-9]){12,}")
_TEXT = re.compile(r"[^A-Za-z0-9._/ -]+")
_PATH = re.compile(r"[^A-Za-z0-9._/ \[\]*-]+")


def sanitise(text: str) -> str:
    """Give printable ASCII: letters, digits, `.`, `-`, `_`, `/` and space, at most `MAX_TEXT` characters.

    Everything else becomes `_`; so do words with an `@` and numbers of 13 digits or more.
    """
    return _clean(text[:_READ], path=False)


def sanitise_path(path: str) -> str:
    """Give the path of a field in the characters of `sanitise` and `[`, `]`, `*`, at most `MAX_PATH` characters."""
    return _clean(path[:_READ], path=True)


@lru_cache(maxsize=8192)
def _clean(text: str, *, path: bool) -> str:
    text = _LONG_NUMBER.sub("_", _ADDRESS.sub("_", text))
    return (_PATH if path else _TEXT).sub("_", text)[: MAX_PATH if path else MAX_TEXT].strip()
