"""The store and several processes: one that is killed, and two that write at once."""

import random
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bntui.core.run_request import Resume
from bntui.core.snapshot import Phase
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.writing import State
from tests.children import go_on, started
from tests.store.recorded import feed, keep, loss, state
from tests.store.writers import WRITING, writing
from tools.faults import Fault

OPENING = """
import sys
from pathlib import Path
from bntui.store.database import Store
from bntui.store.schema import StoreError

print("ready", flush=True)
input()
try:
    with Store(Path(sys.argv[1])) as store:
        print(*sorted(run.id for run in store.runs()))
except StoreError as error:
    print(error)
"""
TRAINING = """
import sys, time
from pathlib import Path
from bntui.core.config import RunConfig
from bntui.core.parsers import MAX_EPOCHS
from bntui.core.run_request import RunRequest
from bntui.core.parsers import MAX_EPOCHS
from bntui.train.runner import Runner
from bntui.store.recorder import StoreRecorder

recorder = StoreRecorder(Path(sys.argv[1]))
print(recorder.run, flush=True)
config = RunConfig(width=1 / 32, threads=1, epochs=MAX_EPOCHS)
run, told = Runner(RunRequest(config), recorder=lambda: recorder), 0
run.start()
while True:
    if (snapshot := run.snapshot).update > told:
        told = snapshot.update
        print(told, time.monotonic(), recorder.problem, flush=True)
    time.sleep(0.005)
"""


def test_a_killed_run_is_there_up_to_the_last_second_and_can_go_on(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    with writing(path, 10**9) as process:
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        times: dict[int, float] = {}
        while len(times) < 200 or times[len(times)] - times[1] < 3.5:
            told, now = process.stdout.readline().split()
            times[int(told)] = float(now)
        with Store(path) as store:
            assert store.run(run).state is State.RUNNING
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            if line.count(" ") == 2 and line.endswith("\n"):
                told, now = line.split()
                times[int(told)] = float(now)

    last = max(times)
    safe = max(update for update in times if times[update] <= times[last] - 1.0)
    with Store(path) as store:
        found = store.run(run)
        assert found.state is State.INTERRUPTED
        assert found.updates >= safe
        points = store.points(run)["train_loss"]
        assert points.updates.tolist() == list(range(1, found.updates + 1))
        assert points.values.tolist() == [loss(n) for n in range(1, found.updates + 1)]
        checkpoint = store.last_checkpoint(run)
        assert checkpoint is not None
        update = checkpoint.update
        assert 0 < update <= found.updates
        assert checkpoint.state == str(update).encode()

        recorder = StoreRecorder(path, origin=Resume(checkpoint))
        feed(recorder, range(update + 1, update + 101))
        assert store.run(run).state is State.RUNNING
        recorder.close(state(update + 100, phase=Phase.FINISHED))
        assert store.run(run).state is State.FINISHED
        resumed = store.points(run)["train_loss"]
        assert resumed.updates.tolist() == list(range(1, update + 101))
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def kill(path: Path, moment: float, code: str = WRITING) -> float:
    """Kill a recording run at a moment of its clock; return how many of its seconds are missing.

    Those between the first update that the store lacks and the last that the run told.
    """
    with writing(path, 10**9, code) as process:
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        times: dict[int, float] = {}
        for line in process.stdout:
            if line.count(" ") != 2 or not line.endswith("\n"):
                continue
            told, now = line.split()
            times[int(told)] = float(now)
            if float(now) - min(times.values()) >= moment and process.poll() is None:
                process.send_signal(signal.SIGKILL)
    with Store(path) as store:
        found = store.run(run)
        assert found.state is State.INTERRUPTED
        points = store.points(run)["train_loss"]
        assert points.updates.tolist() == list(range(1, found.updates + 1))
        if code is WRITING:
            assert points.values.tolist() == [loss(n) for n in range(1, found.updates + 1)]
    last = times[max(times)]
    # From when the first update that is missing was made: before it, nothing was.
    return last - min((times[n] for n in times if n > found.updates), default=last)


@pytest.mark.fault("kill -9 of a recording run", injected="5 times, at random moments")
def test_kills_at_random_moments(tmp_path: Path, fault: Fault) -> None:
    rng = random.Random(5)
    missing = [kill(tmp_path / "runs.sqlite", rng.uniform(0.0, 4.0)) for _ in range(5)]
    assert max(missing) <= 1.0
    with Store(tmp_path / "runs.sqlite") as store:
        states = {run.state.value for run in store.runs()}
    fault.saw = f"the store opens; every run is listed as {', '.join(states)}"
    fault.lost = "at most the last second of the run"


@pytest.mark.long
@pytest.mark.timeout(0)
def test_fifty_kills_of_a_run_that_trains(tmp_path: Path) -> None:
    rng = random.Random(50)
    path = tmp_path / "runs.sqlite"
    missing = [kill(path, rng.uniform(0.0, 8.0), TRAINING) for _ in range(50)]
    print(f"\nseconds missing: median {sorted(missing)[25]:.2f}, most {max(missing):.2f}")
    assert max(missing) <= 1.0
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("round_", range(2))
def test_processes_that_write_at_once_lose_nothing(tmp_path: Path, round_: int) -> None:
    path = tmp_path / "runs.sqlite"  # which none of them finds
    processes = [writing(path, 400) for _ in range(3)]
    runs = {}
    for process in processes:
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        runs[run] = process
    for run, process in runs.items():
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        assert process.wait() == 0
        assert len(lines) == 400
        with Store(path) as store:
            points = store.points(run)
            assert points["train_loss"].updates.tolist() == list(range(1, 401))
            assert points["val_acc"].updates.tolist() == list(range(5, 401, 5))
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("round_", range(3))
def test_processes_that_open_a_damaged_store_at_once_mend_it_once(
    tmp_path: Path, round_: int
) -> None:
    path = tmp_path / "runs.sqlite"
    kept = sorted(keep(path) for _ in range(2))
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'points'"
        ).fetchone()
    damaged = bytearray(path.read_bytes())
    damaged[4096 * (page - 1) : 4096 * page] = b"\xff" * 4096  # found by whoever opens it
    path.write_bytes(damaged)
    processes = [started(OPENING, str(path)) for _ in range(4)]
    go_on(processes)
    told = [process.communicate(timeout=60)[0].strip() for process in processes]
    mended = [line for line in told if "lies beside its place" in line]
    assert len(mended) == 1, told
    (aside,) = tmp_path.glob("runs.sqlite.damaged-?")
    assert aside.read_bytes() == damaged
    rest = {line for line in told if line not in mended}
    with Store(path) as store:
        assert sorted(run.id for run in store.runs()) == kept
    assert rest <= {
        " ".join(kept),
        f"the store {path} is being mended by another bntui: try again.",
    }
