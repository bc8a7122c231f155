"""Processes that share a sweep: each cell is had by one at a time, and those of a killed one are there to be had."""

import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bntui.core.config import RunConfig
from bntui.core.run_request import Resume
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Design
from bntui.store import claims
from bntui.store.database import Store
from bntui.store.follow_sweep import read_sweep
from bntui.store.liveness import mark
from bntui.store.recorder import StoreRecorder
from bntui.store.runs_file import RunsFile
from bntui.store.writing import State
from tests.children import go_on, started
from tests.store.cells import CELL, Take, at, keep
from tools.faults import Fault


def test_who_ends_between_a_look_and_the_lock_has_ended(
    path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(path, CELL, Phase.STOPPED)
    hold = claims._hold

    def another_first(*arguments: Any) -> bool:
        recorder = StoreRecorder(path, run=CELL.id)
        recorder.close(at(CELL, 32, phase=Phase.FINISHED))
        return hold(*arguments)

    monkeypatch.setattr(claims, "_hold", another_first)
    assert take() is None
    monkeypatch.undo()
    assert take() is None
    with Store(path) as store:
        assert store.run(CELL.id).updates == 32


def test_somebody_who_looks_takes_no_cell_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(path, CELL, Phase.STOPPED)
    looks = mark(path, CELL.id)
    if looks is None:
        pytest.skip("the kernel has no such names here")
    monkeypatch.setattr("bntui.store.liveness.time.sleep", lambda _: looks.close())
    file = RunsFile(path)
    assert file.hold(CELL.id)
    file.close()


CLAIMING = """
import sys
from pathlib import Path
from bntui.core.config import RunConfig
from bntui.core.snapshot import Phase
from bntui.core.sweep import Axis, Design
from bntui.store.claims import claim
from bntui.store.database import Store
from tests.store.cells import at
from tests.store.test_claiming_processes import MANY

path = Path(sys.argv[1])
print("ready", flush=True)
input()
for cell in MANY.cells():
    found = claim(path, cell, "sweep sweep-1")
    if found is not None:
        print(cell.id, flush=True)
        for update in range(1, 5):
            found.recorder.record(at(cell, update), ())
        found.recorder.close(at(cell, 32, phase=Phase.FINISHED))
        assert not found.recorder.problem, found.recorder.problem
print("done", flush=True)
input()
"""
HOLDING = """
import sys
from pathlib import Path
from bntui.store.claims import claim
from tests.store.cells import CELL, at, saved

found = claim(Path(sys.argv[1]), CELL)
found.recorder.record(at(CELL, 20, **saved(CELL)), ())
print(found.recorder.problem, flush=True)
input()
"""
MANY = Design(RunConfig(epochs=2), (Axis("batch_size", tuple(range(8, 18))),), (0, 1, 2))


def test_processes_that_claim_at_once_have_each_cell_once(path: Path) -> None:
    processes = [started(CLAIMING, str(path)) for _ in range(3)]
    go_on(processes)
    had = [process.communicate("\n", timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [words.pop() for words in had] == ["done"] * 3
    every = [run for words in had for run in words]
    assert sorted(every) == sorted(cell.id for cell in MANY.cells())
    with Store(path) as store:
        assert all(run.state is State.FINISHED for run in store.runs())
        assert len(store.runs()) == 30
    assert not path.with_name(f"{path.name}-live").exists()


@pytest.mark.fault("kill -9 of a process that has a sweep's cell", injected="in its second epoch")
def test_the_cell_of_a_killed_process_is_there_to_be_had(
    path: Path, take: Take, fault: Fault
) -> None:
    with started(HOLDING, str(path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n"
        assert take() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    found = take()
    assert found is not None
    assert isinstance(found.request.origin, Resume)
    fault.saw = (
        "another process that runs the sweep goes on with the cell, from its last checkpoint"
    )
    fault.lost = "what came after that checkpoint, which is computed again"


SHARING = """
import random, sys, time
from pathlib import Path
from bntui.core.snapshot import Checkpoint, Phase
from bntui.store.claims import claim
from bntui.store.follow_sweep import read_sweep
from tests.store.recorded import journal, report
from tests.store.cells import at

path, order = Path(sys.argv[1]), random.Random(int(sys.argv[2]))
while not (view := read_sweep(path, "sweep-1")).over:
    left = [one.cell for one in view.cells if one.standing in {"waiting", "interrupted"}]
    for cell in order.sample(left, min(3, len(left))):
        found = claim(path, cell)
        if found is None:
            continue
        first, kept = found.request.checkpoint.update if found.request.checkpoint else 0, ()
        for update in range(first + 1, 33):
            if update % 8 == 0:
                kept = (Checkpoint(update, "here", cell.config, b"a state", cell.id),)
            if update % 16 == 0:
                found.recorder.report(report(update // 16))
            now = at(cell, update, epoch=-(-update // 16), checkpoints=kept)
            found.recorder.record(now, journal([update]))
            time.sleep(0.002)
        found.close(at(cell, 32, phase=Phase.FINISHED))
        print(cell.id, found.recorder.problem, flush=True)
"""


@pytest.mark.long
@pytest.mark.timeout(0)
def test_kills_of_those_who_share_a_sweep_lose_no_cell_and_repeat_none(path: Path) -> None:
    rng = random.Random(20)
    design = replace(MANY, seeds=tuple(range(12)))
    with Store(path) as store:
        store.put_sweep("sweep-1", design)
    all_of_them = [started(SHARING, str(path), str(number)) for number in range(3)]
    for number in range(20):
        time.sleep(rng.uniform(0.5, 4.0))
        alive = [process for process in all_of_them if process.poll() is None]
        if not alive:
            break
        rng.choice(alive).send_signal(signal.SIGKILL)
        all_of_them.append(started(SHARING, str(path), str(3 + number)))
    said = [process.communicate(timeout=300)[0] for process in all_of_them]
    ended = [line.strip() for text in said for line in text.splitlines()]
    assert len(ended) == len(set(ended))
    assert set(ended) <= {cell.id for cell in design.cells()}  # and no problem with it
    print(f"\n{len(all_of_them) - 3} kills, {design.count()} cells, none ended twice")
    assert read_sweep(path, "sweep-1").over
    with Store(path) as store:
        assert len(store.runs()) == design.count()
        for run in store.runs():
            assert [one.epoch for one in store.reports(run.id)] == [1, 2]
            points = store.points(run.id)["train_loss"]
            assert points.updates.tolist() == list(range(1, 33))
        assert store.remarks == []
