"""Captures: files of recorded traffic, read as if they came from a topic, with no broker."""

import gzip
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from topics.adapters import sniff
from topics.record import RawRecord

_HEAD_BYTES = 65_536
STANDARD_INPUT = "-"


class CaptureProblem(Exception):
    """A capture that cannot be read, in one line that says what to do."""


class Capture:
    """One file of recorded traffic: a HAR file (one record), or JSON Lines (a record for each line)."""

    def __init__(self, name: str, adapter: str | None) -> None:
        """Open the head of the file and learn its format. Raises CaptureProblem."""
        self.name = name
        if name == STANDARD_INPUT:
            self._whole: bytes | None = sys.stdin.buffer.read()
            self.size = len(self._whole)
            head = self._whole[:_HEAD_BYTES]
        else:
            self._whole = None
            path = Path(name)
            if not path.is_file():
                raise CaptureProblem(f"{name}: there is no such file")
            self.size = path.stat().st_size
            try:
                with self._open() as stream:
                    head = stream.read(_HEAD_BYTES)
            except (OSError, EOFError) as error:
                raise CaptureProblem(f"{name}: cannot be read ({type(error).__name__})") from None
        if not head.strip():
            raise CaptureProblem(f"{name}: the file is empty")
        chosen = adapter or sniff(head)
        if chosen is None:
            raise CaptureProblem(f"{name}: unknown format; name it with --format")
        self.adapter: str = chosen

    def records(self, topic: str, on_bytes: Callable[[int], None] = lambda _: None) -> Iterator[RawRecord]:
        """Give the records: offset is the line number less one, time is unknown. Blank lines are no records."""
        if self.adapter == "har":
            with self._open() as stream:
                value = stream.read()
            on_bytes(self.size)
            yield RawRecord(topic, 0, 0, -1, None, value)
            return
        with self._open() as stream:
            for number, line in enumerate(stream):
                on_bytes(len(line))
                value = line.rstrip(b"\r\n")
                if value.strip():
                    yield RawRecord(topic, 0, number, -1, None, value)

    def _open(self) -> BinaryIO:
        if self._whole is not None:
            return io.BytesIO(self._whole)
        path = Path(self.name)
        if path.suffix == ".gz":
            return gzip.open(path, "rb")  # type: ignore[return-value]
        return path.open("rb")
