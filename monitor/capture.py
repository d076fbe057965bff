"""Captures: files of recorded traffic, read as if they came from a topic, with no broker."""

import gzip
import io
import json
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from topics.adapters import ADAPTERS, sniff
from topics.record import RawRecord

_HEAD_BYTES = 65_536
STANDARD_INPUT = "-"
_ANY = msgspec.json.Decoder(msgspec.Raw)
_JSON = json.JSONDecoder(strict=False)
_BETWEEN = re.compile(r"[\s,]*")


class CaptureProblem(Exception):
    """A capture that cannot be read, in one line that says what to do."""


class Capture:
    """One file of recorded traffic: a HAR file (one record), or JSON Lines (a record for each line)."""

    def __init__(self, name: str, adapter: str | None) -> None:
        """Open the head of the file and learn its format. Raises CaptureProblem."""
        self.name = name
        self.cut_line = 0
        """Line at which a compressed file breaks off; 0 when it does not. Known when its records were read."""
        self.cut_at: int | None = None
        """Byte at which a HAR file breaks off."""
        self._whole: bytes | None = None
        if adapter is not None and adapter not in ADAPTERS:
            raise CaptureProblem(f"unknown format {adapter!r}; there are {', '.join(sorted(ADAPTERS))}")
        try:
            head = self._head()
        except (OSError, EOFError, ValueError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise CaptureProblem(f"{name}: cannot be read ({reason or 'not a whole gzip file'})") from None
        if not head.strip():
            raise CaptureProblem(f"{name}: the file is empty")
        chosen = adapter or sniff(head)
        if chosen is None:
            raise CaptureProblem(f"{name}: unknown format; name it with --format: {', '.join(sorted(ADAPTERS))}")
        self.adapter: str = chosen
        self._is_by_line = chosen == "har" and _is_entry(head.partition(b"\n")[0])

    def _head(self) -> bytes:
        """Open the file and give its first bytes. What cannot be read twice (a pipe) is kept."""
        if self.name == STANDARD_INPUT:
            self._whole = sys.stdin.buffer.read()
        else:
            found = Path(self.name).stat()
            if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
                self._whole = Path(self.name).read_bytes()
            self.size = found.st_size
        if self._whole is not None:
            self.size = len(self._whole)
        with self._open() as stream:
            return stream.read(_HEAD_BYTES)

    def records(self, topic: str, on_bytes: Callable[[int], None] = lambda _: None) -> Iterator[RawRecord]:
        """Give the records: offset is the line number less one, time is unknown. Blank lines are no records."""
        self.cut_line = 0
        if self.adapter == "har" and not self._is_by_line:
            value, self.cut_at = _whole_entries(b"".join(self._lines()))
            self.cut_line = int(self.cut_at is not None)
            yield RawRecord(topic, 0, 0, -1, None, value)
            on_bytes(self.size)
            return
        for number, line in enumerate(self._lines()):
            on_bytes(len(line))
            value = line.rstrip(b"\r\n")
            if value.strip():
                yield RawRecord(topic, 0, number, -1, None, value)

    def _lines(self) -> Iterator[bytes]:
        """Give what can be read of the file, and note where it breaks off."""
        number = 0
        with self._open() as stream:
            try:
                for line in stream:
                    number += 1
                    yield line
            except (OSError, EOFError, zlib.error):
                self.cut_line = number + 1

    def _open(self) -> BinaryIO:
        if self._whole is not None:
            return io.BytesIO(self._whole)
        path = Path(self.name)
        if path.suffix == ".gz":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        return path.open("rb")


def _is_entry(line: bytes) -> bool:
    """Tell a line that is a HAR entry by itself: JSON Lines of entries, and not the beginning of a HAR file."""
    try:
        entry = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(entry, dict) and "request" in entry


def _whole_entries(data: bytes) -> tuple[bytes, int | None]:
    """Close a HAR file that breaks off after its last whole entry, and tell at which byte; others stay as they are."""
    try:
        _ANY.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    else:
        return data, None
    # A character for each byte: what is outside of strings is ASCII, and places stay places.
    text = data.decode("latin-1")
    begin = text.find("[", text.find('"entries"')) + 1
    if '"entries"' not in text or not begin:
        return data, None
    end = at = begin
    while (found := _BETWEEN.match(text, at)) is not None:
        try:
            _, end = _JSON.raw_decode(text, found.end())
        except (ValueError, RecursionError):
            break
        at = end
    return data[:end] + b"]}}", end
