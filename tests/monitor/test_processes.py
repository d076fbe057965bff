"""Processes of ours: restarted with growing pauses, given up when nothing would change, never left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.processes import EXIT_USAGE, Child, GaveUp, Supervisor

FOREVER = "import time; print('up', flush=True); time.sleep(600)"


def child(code: str, output: Path | None = None) -> Child:
    return Child(name="child", command=[sys.executable, "-c", code], output=output)


@pytest.fixture
def supervised() -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def start(*children: Child) -> Supervisor:
        made.append(Supervisor(children))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.stop(1.0)


def eventually(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_what_ends_is_started_again_after_pauses_that_grow(supervised: Callable[..., Supervisor]) -> None:
    crashing = child("raise SystemExit(3)")
    supervisor = supervised(crashing)
    pauses: list[float] = []

    def ended() -> bool:
        before = crashing.restarts
        supervisor.watch()
        if crashing.restarts > before:
            pauses.append(crashing.next_start - time.monotonic())
        return crashing.restarts >= 3

    eventually(ended)
    assert [round(pause * 2) / 2 for pause in pauses] == [0.5, 1.0, 2.0]


def test_nothing_is_started_before_its_pause_is_over(supervised: Callable[..., Supervisor]) -> None:
    crashing = child("pass")
    supervisor = supervised(crashing)

    def ended() -> bool:
        supervisor.watch()
        return crashing.restarts == 1

    eventually(ended)
    supervisor.watch()
    assert crashing.process is None
    assert crashing.next_start > time.monotonic()


def test_a_crash_by_signal_is_a_crash(supervised: Callable[..., Supervisor]) -> None:
    crashing = child("import os; os.abort()")
    supervisor = supervised(crashing)

    def ended() -> bool:
        supervisor.watch()
        return crashing.restarts == 1

    eventually(ended)


def test_one_that_cannot_work_as_configured_is_given_up(supervised: Callable[..., Supervisor]) -> None:
    supervisor = supervised(child(f"raise SystemExit({EXIT_USAGE})"))

    process = supervisor.children[0].process
    assert process is not None
    process.wait(10)
    with pytest.raises(GaveUp, match="child cannot start as configured; its last line says why"):
        supervisor.watch()


def test_stop_ends_the_polite_and_the_deaf(supervised: Callable[..., Supervisor], tmp_path: Path) -> None:
    deaf = child(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOREVER}", tmp_path / "deaf.log")
    supervisor = supervised(child(FOREVER, tmp_path / "polite.log"), deaf)
    pids = [each.process.pid for each in supervisor.children if each.process is not None]
    eventually(lambda: all((tmp_path / f"{name}.log").read_text() for name in ("polite", "deaf")))
    supervisor.stop(grace_seconds=0.5)
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(ChildProcessError):
        os.waitpid(pids[0], 0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children by the kernel's word")
def test_children_die_with_a_supervisor_that_is_killed() -> None:
    code = (
        "import sys, time\n"
        "from monitor.processes import Child, Supervisor\n"
        f"supervisor = Supervisor([Child(name='c', command=[sys.executable, '-c', {FOREVER!r}]) for _ in range(2)])\n"
        "supervisor.start()\n"
        "print(*(each.process.pid for each in supervisor.children), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        # The children say that they are up on the same pipe, before the supervisor names them or after.
        said = [word for _ in range(3) for word in parent.stdout.readline().split()]
        pids = [int(word) for word in said if word.isdigit()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        parent.send_signal(signal.SIGKILL)
        eventually(lambda: not any(alive(pid) for pid in pids))


AS_FIRST = """
import sys, time
from pathlib import Path
from monitor.processes import Child, Supervisor
orphan = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'pass'])"
steady = Child(name="steady", command=[sys.executable, "-c", "import time; time.sleep(600)"])
supervisor = Supervisor([steady, Child(name="mother", command=[sys.executable, "-c", orphan + "; import time; time.sleep(600)"])])
supervisor.start()
mother = supervisor.children[1].process
time.sleep(1)
mother.kill()
def states():
    return [p.read_text().rpartition(")")[2].split()[0] for p in Path("/proc").glob("[0-9]*/stat")]
deadline = time.monotonic() + 20
while supervisor.children[1].restarts == 0 or "Z" in states():
    supervisor.watch()
    assert time.monotonic() < deadline, states()
    time.sleep(0.05)
print("restarts", supervisor.children[1].restarts, "steady", supervisor.children[0].restarts)
supervisor.stop(1.0)
"""


def test_as_the_first_process_of_a_container_it_reaps_what_others_left_behind() -> None:
    namespace = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("this machine lets nobody make a PID namespace")
    done = subprocess.run(
        [*namespace, sys.executable, "-c", AS_FIRST], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "restarts 1 steady 0\n", done.stderr
