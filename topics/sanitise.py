"""Free text from traffic or configuration, made fit for findings, logs and pages."""

import re
from functools import lru_cache

MAX_TEXT = 64
"""Characters of a sanitised text, at most."""
MAX_PATH = 160
"""Characters of a sanitised path, at most."""
_READ = 1024
# A name that holds an address or a card number is not a name: somebody's data stands where a name belongs.
_LONG_NUMBER = re.compile(r"[0-9](?:[ .-]?[0-9]){12,}")
_NOT_TEXT = re.compile(r"[^A-Za-z0-9._/ -]+")
_NOT_PATH = re.compile(r"[^A-Za-z0-9._/ \[\]*-]+")


def sanitise(text: str) -> str:
    """Give printable ASCII: letters, digits, `.`, `-`, `_`, `/` and space, at most `MAX_TEXT` characters.

    Everything else becomes `_`; so do words with an `@` and numbers of 13 digits or more.
    """
    return _text(text if len(text) <= _READ else text[:_READ])


def sanitise_path(path: str) -> str:
    """Give the path of a field in the characters of `sanitise` and `[`, `]`, `*`, at most `MAX_PATH` characters."""
    return _path(path if len(path) <= _READ else path[:_READ])


def printable(text: str, most: int) -> str:
    """Give the first `most` characters, with a mark for each that moves a cursor, turns the direction of writing or hides.

    For texts that people wrote, in any language; names from traffic go through `sanitise`.
    """
    text = text[:most]
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


# The same few names stand in every finding: without the cache they would cost more than the rest of it.
@lru_cache(maxsize=8192)
def _text(text: str) -> str:
    return _NOT_TEXT.sub("_", _masked(text))[:MAX_TEXT].strip()


@lru_cache(maxsize=8192)
def _path(path: str) -> str:
    return _NOT_PATH.sub("_", _masked(path))[:MAX_PATH].strip()


def _masked(text: str) -> str:
    if "@" in text:
        # By words and not by a pattern, which would go back and forth over a long text.
        text = " ".join(["_" if "@" in word else word for word in text.split(" ")])
    return _LONG_NUMBER.sub("_", text)
