"""The files of the ledger: one writer at a time, and what a crash of the machine may have left of them."""

import contextlib
import fcntl
import os
import struct
import zlib
from enum import StrEnum
from pathlib import Path
from typing import IO

from monitor.ledger_snapshot import LedgerProblem

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_UNSYNCED = "unsynced"
_DIGEST = "digest"
_PIECE_BYTES = 1 << 20
_REPORTED = "reported-damaged"

ABSENT = (0, 0)
"""The identity of a file that is not there."""


class Damage(StrEnum):
    """Why a ledger was set aside and read anew from its topics. A closed set: it is a metric label."""

    MACHINE_CRASH = "machine-crash"
    """The machine went down while it was written."""
    CUT_SHORT = "cut-short"
    """The file is shorter than what it says to hold."""
    ALTERED = "altered"
    """It is not what was written when it was closed."""
    UNREADABLE = "unreadable"
    """LMDB, or a reader of ours, found something that nobody had written."""


def hold(path: Path) -> IO[str]:
    """Make the folder and hold it for this process until the file that is given is closed. Raises LedgerProblem.

    Two writers would give one number to different words.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = (path / "writer.lock").open("w")
    except OSError as error:
        raise LedgerProblem(
            f"the consent ledger in {path} cannot be written ({error.strerror}); correct consent.path"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise LedgerProblem(
            f"another process writes the consent ledger in {path}; end it, or give each its own consent.path"
        ) from None
    return lock


def is_suspect(path: Path) -> bool:
    """Tell whether the machine went down while the ledger was written.

    Commits are not forced to the disk: a kill of the process loses nothing, but a crash of the machine may leave pages
    of different moments, which no check sum tells.
    """
    try:
        return (path / _UNSYNCED).read_text(encoding="utf-8") != _boot()
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError):
        return True


def mark_unsynced(path: Path) -> None:
    """Note that the file is being written, in this run of the machine."""
    (path / _UNSYNCED).write_text(_boot(), encoding="utf-8")


def mark_synced(path: Path, used_bytes: int) -> None:
    """Note that everything is on the disk, and what it is."""
    with contextlib.suppress(OSError):
        (path / _DIGEST).write_text(_digest(path, used_bytes), encoding="utf-8")
    (path / _UNSYNCED).unlink(missing_ok=True)


def is_altered(path: Path) -> bool:
    """Tell whether the file is other than it was when it was closed. After a kill nobody knows, and it is taken as it is.

    LMDB has no check sums: of damage in a page that still looks like one it says nothing. Reads the whole file once.
    """
    digest = path / _DIGEST
    try:
        was = digest.read_text(encoding="utf-8")
        digest.unlink()
        return was != _digest(path, int(was.partition(" ")[0]))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


def _digest(path: Path, used_bytes: int) -> str:
    check, left = 0, used_bytes
    with (path / "data.mdb").open("rb", buffering=0) as file:
        while left > 0 and (piece := file.read(min(left, _PIECE_BYTES))):
            check = zlib.crc32(piece, check)
            left -= len(piece)
    return f"{used_bytes} {check:08x} {left}"


_META = struct.Struct("<IIQQ")
"""Start of LMDB's meta page behind its header of 16 bytes: magic, version, address, map size (lmdb 0.9, `MDB_meta`)."""
_META_AT, _LAST_PAGE_AT, _MAGIC = 16, 16 + 24 + 2 * 48, 0xBEEFC0DE


def is_cut_short(path: Path) -> bool:
    """Tell whether the file ends before its last page. To touch what is not there would end the process with SIGBUS."""
    try:
        with (path / "data.mdb").open("rb") as file:
            size, pages = os.fstat(file.fileno()).st_size, []
            page_bytes = os.sysconf("SC_PAGE_SIZE")
            for at in (0, page_bytes):
                file.seek(at)
                meta = file.read(_LAST_PAGE_AT + 8)
                if len(meta) == _LAST_PAGE_AT + 8 and _META.unpack_from(meta, _META_AT)[0] == _MAGIC:
                    pages.append(int.from_bytes(meta[_LAST_PAGE_AT:], "little"))
    except OSError:
        return False
    # Without a meta page LMDB says itself that it is none of its files.
    return bool(pages) and size < (max(pages) + 1) * page_bytes


def report(path: Path) -> None:
    """Tell the writer that its file is damaged."""
    with contextlib.suppress(OSError):
        (path / _REPORTED).touch()


def was_reported(path: Path) -> bool:
    """Tell whether a reader found the file damaged."""
    return (path / _REPORTED).exists()


def set_aside(path: Path) -> None:
    """Move a damaged ledger away: it holds nothing that the topics do not, which are read again."""
    for name in ("data.mdb", "lock.mdb"):
        with contextlib.suppress(FileNotFoundError):
            (path / name).rename(path / f"{name}.damaged")
    for name in (_REPORTED, _DIGEST):
        (path / name).unlink(missing_ok=True)


def identity(path: Path) -> tuple[int, int]:
    """Tell which file it is now, so that a new one in its place is seen."""
    try:
        found = os.stat(path / "data.mdb")  # noqa: PTH116 - half the time of Path.stat, once for each batch
    except OSError:
        return ABSENT
    return found.st_dev, found.st_ino


def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
