"""A ledger file that is damaged, and a disk that is full: found out, told, and mended from the topics."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from detectors.consent.ledger import Coverage, Forgets
from monitor.ledger import LedgerDamaged, LedgerFull, LedgerProblem, LedgerWriter
from monitor.ledger_files import Damage
from monitor.ledger_reader import LedgerReader
from topics.record import RawRecord
from topics.subject import SubjectKey

KEY = SubjectKey("k1", b"a key of the tests, longer than sixteen bytes")
TOPIC = "privacy.consent.v1"


def refusals(first: int, count: int) -> list[RawRecord]:
    return [
        RawRecord(TOPIC, 0, n, 50, None, json.dumps({"at_ms": 5, "subject": f"k1.{n:032x}", "refused": ["*"]}).encode())
        for n in range(first, first + count)
    ]


def filled(folder: Path, count: int = 20_000) -> None:
    writer = LedgerWriter(folder, KEY, 64, TOPIC)
    writer.apply(refusals(0, count), 1000)
    writer.mark_fresh(100)
    writer.close()


def test_a_file_that_is_cut_short_is_set_aside_before_it_is_touched(tmp_path: Path) -> None:
    filled(tmp_path)
    os.truncate(tmp_path / "data.mdb", 300_000)
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    assert writer.rebuilt is Damage.CUT_SHORT
    assert writer.starts() == {}
    assert (tmp_path / "data.mdb.damaged").stat().st_size == 300_000
    writer.close()


def test_a_file_as_long_as_its_last_page_is_whole(tmp_path: Path) -> None:
    filled(tmp_path)
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    used = writer.size_bytes()
    writer.close()
    os.truncate(tmp_path / "data.mdb", used)
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    assert writer.rebuilt is None
    assert writer.starts() == {(TOPIC, 0): 20_000}
    writer.close()


@pytest.mark.parametrize(("at", "data"), [(8192 + 100, b"\x55"), (40_000, b"\xff" * 4096), (800_000, b"\0" * 20)])
def test_whatever_was_altered_while_nobody_had_it_open_is_found(tmp_path: Path, at: int, data: bytes) -> None:
    filled(tmp_path)
    with (tmp_path / "data.mdb").open("r+b") as file:
        file.seek(at)
        assert file.read(len(data)) != data
        file.seek(at)
        file.write(data)
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    assert writer.rebuilt is Damage.ALTERED
    assert writer.starts() == {}
    writer.close()


def test_a_ledger_that_was_killed_and_one_that_was_closed_are_taken_as_they_are(tmp_path: Path) -> None:
    filled(tmp_path)
    for ending in ("writer.close()", "os._exit(9)", "writer.close()", "pass"):
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from tests.monitor.test_ledger_damage import KEY, TOPIC, refusals\n"
            "from monitor.ledger import LedgerWriter\n"
            "writer = LedgerWriter(Path(sys.argv[1]), KEY, 64, TOPIC)\n"
            "assert writer.rebuilt is None and writer.subjects() == 20_000\n"
            "writer.apply(refusals(0, 500), 1000)\n" + ending
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)
        assert not done.stderr, done.stderr.decode()


def test_a_reader_that_finds_damage_says_that_it_does_not_know_and_the_writer_makes_another(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    words_are_gone(tmp_path)
    reader = LedgerReader(tmp_path)
    view = reader.view()
    assert view.coverage(100) is Coverage.READY
    assert [each.forgets for each in view.choices([f"k1.{1:032x}"])] == [Forgets.EARLIER]
    assert [each.forgets for (each,) in view.choices_of([(f"k1.{n:032x}",) for n in range(3)])] == [Forgets.EARLIER] * 3
    view.close()
    # From the next batch on there is no ledger, for other readers as well, until there is a new one.
    for each in (reader, LedgerReader(tmp_path)):
        assert each.view().coverage(100) is Coverage.LOADING
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    assert writer.rebuilt is Damage.UNREADABLE
    writer.apply(refusals(0, 3), 1000)
    writer.mark_fresh(100)
    # One process may open the file but once.
    writer.close()
    view = reader.view()
    assert view.coverage(100) is Coverage.READY
    assert [each.refused for each in view.choices([f"k1.{1:032x}"])] == [("*",)]
    view.close()
    reader.close()


def words_are_gone(folder: Path) -> None:
    """Take the words out of a ledger whose versions name them."""
    code = (
        "import lmdb, sys\n"
        "env = lmdb.open(sys.argv[1], max_dbs=4, map_size=64 << 20)\n"
        "with env.begin(write=True) as txn: txn.drop(env.open_db(b'words', txn), delete=False)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)


def test_a_writer_that_gives_up_leaves_a_folder_that_can_be_filled_again(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    writer.give_up(Damage.UNREADABLE)
    writer.close()
    filled(tmp_path, 5)
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    assert writer.subjects() == 5
    writer.close()


def test_a_load_that_was_not_finished_is_begun_anew(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.monitor.test_ledger_damage import KEY, TOPIC, refusals\n"
        "from monitor.ledger import LedgerWriter\n"
        "writer = LedgerWriter(Path(sys.argv[1]), KEY, 64, TOPIC)\n"
        "writer.apply(refusals(0, 40_000), 1000)\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    assert list((tmp_path / "loading").iterdir())
    reader = LedgerReader(tmp_path)
    assert reader.view().coverage(0) is Coverage.LOADING
    reader.close()
    writer = LedgerWriter(tmp_path, KEY, 64, TOPIC)
    assert writer.starts() == {}
    assert not (tmp_path / "loading").exists()
    writer.close()


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(LedgerFull, match="is full"):
        LedgerWriter(tmp_path, KEY, 64, TOPIC, spare_bytes=1 << 60)
    # The folder is free again.
    LedgerWriter(tmp_path, KEY, 64, TOPIC).close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = tempfile.mkdtemp(prefix="small-disk-")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        Path(folder).rmdir()
        pytest.skip("a small disk cannot be mounted without the right to do so")
    yield Path(folder)
    subprocess.run(["umount", folder], check=True)
    Path(folder).rmdir()


def test_a_disk_that_fills_up_stops_the_ledger_and_room_lets_it_go_on(small_disk: Path) -> None:
    writer = LedgerWriter(small_disk / "ledger", KEY, 256, TOPIC, spare_bytes=4 << 20)
    writer.starts()
    done = 0
    with contextlib.suppress(LedgerFull):
        while done < 400_000:
            writer.apply(refusals(done, 2000), 1000)
            done += 2000
    assert 2000 < done < 400_000
    # Nothing of the batch that did not fit was taken, and what was written is read.
    assert writer.starts() == {(TOPIC, 0): done}
    with pytest.raises(LedgerFull):
        writer.mark_fresh(100)
    view = writer.view()
    assert [each.refused for each in view.choices([f"k1.{done - 1:032x}"])] == [("*",)]
    view.close()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    writer.apply(refusals(done, 2000), 1000)
    writer.mark_fresh(100)
    assert writer.starts() == {(TOPIC, 0): done + 2000}
    writer.close()


def test_a_cold_load_that_would_not_fit_is_told_before_it_is_written(small_disk: Path) -> None:
    writer = LedgerWriter(small_disk / "ledger", KEY, 256, TOPIC, spare_bytes=1 << 20)
    for start in range(0, 260_000, 20_000):
        with contextlib.suppress(LedgerFull):
            writer.apply(refusals(start, 20_000), 1000)
    with pytest.raises(LedgerFull):
        writer.mark_fresh(100)
    subprocess.run(["mount", "-o", "remount,size=128m", str(small_disk)], check=True)
    writer.mark_fresh(100)
    assert writer.subjects() > 20_000
    writer.close()


def test_problems_say_what_to_do() -> None:
    assert issubclass(LedgerFull, LedgerProblem)
    assert issubclass(LedgerDamaged, LedgerProblem)
