"""The lock of a live run."""

import fcntl
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from bntui.store.liveness import hold, is_held, is_under_way, let_go, live_path, mark
from tests.children import started

HOLDING = """
import sys
from pathlib import Path
from bntui.store.liveness import hold
assert hold(Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


def test_it_is_held_until_it_is_let_go(tmp_path: Path) -> None:
    path = tmp_path / "live" / "run"
    assert not is_held(path)
    lock = hold(path)
    assert lock is not None
    assert is_held(path)
    assert hold(path) is None
    let_go(path, lock)
    assert not is_held(path)
    assert not path.exists()


def test_the_end_of_the_process_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with started(HOLDING, str(path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_held(path)
        assert hold(path) is None
        process.kill()
    assert path.exists()
    assert not is_held(path)
    lock = hold(path)
    assert lock is not None
    let_go(path, lock)


FORKED = """
import os, signal, sys
from pathlib import Path
from bntui.store.liveness import hold, live_path, mark
store = Path(sys.argv[1])
assert hold(live_path(store, "aa")) is not None
mark_of_it = mark(store, "aa")
if not os.fork():
    print(os.getpid(), flush=True)
    signal.pause()
sys.stdin.read()
"""


def test_a_forked_child_that_outlives_it_does_not_have_the_run(tmp_path: Path) -> None:
    (store := tmp_path / "runs.sqlite").touch()
    with started(FORKED, str(store)) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            assert is_under_way(store, "aa")
            process.kill()
            process.wait()
            assert not is_under_way(store, "aa")
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_forked_child_lets_nothing_go(tmp_path: Path) -> None:
    path = tmp_path / "live" / "run"
    lock = hold(path)
    assert lock is not None
    child = os.fork()
    if not child:
        os.dup2(os.open(tmp_path, os.O_RDONLY), lock)  # the number is that of another file by now
        let_go(path, lock)
        os._exit(0 if os.fstat(lock) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert is_held(path)
    let_go(path, lock)


@pytest.mark.skipif(sys.platform != "linux", reason="no such names here")
def test_without_names_in_the_kernel_the_lock_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError("no sockets here")

    (store := tmp_path / "runs.sqlite").touch()
    holder = mark(store, "aa")
    assert holder is not None
    assert is_under_way(store, "aa")
    monkeypatch.setattr(socket, "socket", forbidden)
    assert mark(store, "aa") is None
    assert not is_under_way(store, "aa")
    lock = hold(live_path(store, "aa"))
    assert lock is not None
    assert is_under_way(store, "aa")
    let_go(live_path(store, "aa"), lock)
    holder.close()


def test_who_only_looks_does_not_keep_it_from_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    path.touch()
    looking = os.open(path, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    monkeypatch.setattr(time, "sleep", lambda _: os.close(looking))
    lock = hold(path)
    assert lock is not None
    let_go(path, lock)


def test_a_file_that_was_let_go_in_between_is_not_taken_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run"
    flock, calls = fcntl.flock, 0

    def flock_late(descriptor: int, operation: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock_late)
    lock = hold(path)
    assert lock is not None
    assert is_held(path)  # the file that others see
    let_go(path, lock)
