"""Cells of a sweep are given to one process each: new, gone on with, or not at all."""

import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bntui.core.config import RunConfig
from bntui.core.run_request import New, Resume
from bntui.core.snapshot import Checkpoint, Phase, Snapshot
from bntui.core.sweep import OBSERVED, Axis, Cell, CellState, Design, Standing
from bntui.store import claims
from bntui.store.claims import Claim, claim
from bntui.store.database import Store
from bntui.store.follow_sweep import read_sweep
from bntui.store.liveness import mark
from bntui.store.recorder import StoreRecorder
from bntui.store.repair import MendedError
from bntui.store.runs_file import RunsFile
from bntui.store.schema import StoreError
from bntui.store.writing import State, versions
from tests.children import started
from tests.store.recorded import journal, report, state
from tests.store.test_untrusted import change as change_row
from tools.faults import Fault

DESIGN = Design(RunConfig(width=0.25, epochs=2), (Axis("batch_size", (16, 64, 256)),), (0, 1))
CELL = DESIGN.cells()[1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.sqlite"


@pytest.fixture
def take(path: Path) -> Iterator[Callable[..., Claim | None]]:
    taken: list[Claim] = []

    def take(cell: Cell = CELL, **how: Any) -> Claim | None:
        found = claim(path, cell, "sweep sweep-1", **how)
        if found is not None:
            taken.append(found)
        return found

    yield take
    for one in taken:
        one.recorder.close(Snapshot())


Take = Callable[..., Claim | None]


def at(cell: Cell, update: int, **changes: Any) -> Snapshot:
    """Return a cell's run at an update, 16 of them an epoch."""
    knobs = cell.config.knobs
    return state(update, **{"config": cell.config, "knobs": knobs, **changes})


def keep(path: Path, cell: Cell, phase: Phase, update: int = 20, **changes: Any) -> None:
    """Keep a cell's run that has ended so."""
    found = claim(path, cell, "sweep sweep-1")
    assert found is not None
    for epoch in range(1, update // 16 + 1):
        found.recorder.report(report(epoch))
    found.recorder.record(at(cell, update, **changes), journal(range(1, update + 1)))
    found.recorder.close(at(cell, update, phase=phase, **changes))
    assert not found.recorder.problem


def saved(cell: Cell, update: int = 16, **changes: Any) -> dict[str, Any]:
    """Return what keeps a checkpoint of a cell's run, made with two threads."""
    config = replace(cell.config, threads=2, **changes)
    return {"checkpoints": (Checkpoint(update, "epoch 1", config, b"a state", cell.id),)}


@pytest.mark.parametrize(("schedule", "asked"), [("", 8192), ("1:9000", 16)])
def test_a_run_whose_batch_was_clipped_to_the_images_is_its_cell_s(
    path: Path, take: Take, schedule: str, asked: int
) -> None:
    base = RunConfig(width=0.25, epochs=2, batch_schedule=schedule)
    (cell,) = Design(base, (Axis("batch_size", (asked,)),)).cells()
    images = at(cell, 1).facts
    assert images
    knobs = replace(cell.config.knobs, batch_size=images.train)
    keep(path, cell, Phase.FINISHED, config=replace(cell.config, knobs=knobs), knobs=knobs)
    assert take(cell) is None
    (seen,) = read_sweep_of(path, cell)
    assert seen.standing is Standing.FINISHED


def read_sweep_of(path: Path, cell: Cell) -> tuple[CellState, ...]:
    with Store(path) as store:
        store.put_sweep("clipped-sweep", Design(cell.config))
    return read_sweep(path, "clipped-sweep").cells


def test_a_cell_that_is_not_kept_begins(path: Path, take: Take) -> None:
    found = take()
    assert found is not None
    request = found.request
    assert (request.config, request.observation) == (CELL.config, OBSERVED)
    assert (request.origin, request.note, request.keep) == (New(), "sweep sweep-1", True)
    assert found.recorder.run == CELL.id
    found.recorder.record(at(CELL, 1, phase=Phase.PAUSED), journal([1]))
    with Store(path) as store:
        (run,) = store.runs()
    assert (run.id, run.note, run.config) == (CELL.id, "sweep sweep-1", CELL.config)


def test_a_cell_is_had_by_one(path: Path, take: Take) -> None:
    found = take()
    assert found is not None
    assert take() is None  # although nothing is kept of it yet
    with pytest.raises(StoreError, match=f"run {CELL.id} is under way"):
        StoreRecorder(path, run=CELL.id)
    found.recorder.close(Snapshot())
    assert take() is not None


def test_what_has_finished_is_not_run_again(path: Path, take: Take) -> None:
    keep(path, CELL, Phase.FINISHED, 32)
    assert take() is None
    assert take(retry_failed=True) is None
    assert take(DESIGN.cells()[0]) is not None


@pytest.mark.parametrize("phase", [Phase.RUNNING, Phase.STOPPED, Phase.INTERRUPTED, Phase.PAUSED])
def test_what_was_trained_further_has_finished(path: Path, take: Take, phase: Phase) -> None:
    keep(path, CELL, phase, 40, epoch=3, **saved(CELL, 32))
    assert take() is None


def test_of_updates_that_are_counted_too(path: Path, take: Take) -> None:
    (cell,) = Design(RunConfig(steps=30, epochs=1000)).cells()
    keep(path, cell, Phase.STOPPED, 31)
    assert take(cell) is None
    (cell,) = Design(RunConfig(steps=32, epochs=1000)).cells()
    keep(path, cell, Phase.STOPPED, 31)
    assert take(cell) is not None


def test_what_failed_is_run_again_only_if_asked_for(path: Path, take: Take) -> None:
    keep(path, CELL, Phase.FAILED, message="it was too hot", **saved(CELL))
    with Store(path) as store:
        store.set_note(CELL.id, "look at this")
    assert take() is None
    found = take(retry_failed=True)
    assert found is not None
    assert found.request.origin == New()
    with Store(path) as store:  # nothing is lost before there is something new
        assert store.run(CELL.id).message == "it was too hot"
        assert len(store.reports(CELL.id)) == 1
    found.recorder.record(at(CELL, 3, phase=Phase.PAUSED), journal(range(1, 4)))
    with Store(path) as store:
        run = store.run(CELL.id)
        assert (run.state, run.message, run.updates) == (State.PAUSED, "", 3)
        assert run.note == "sweep sweep-1"
        assert store.reports(CELL.id) == ()
        assert store.last_checkpoint(CELL.id) is None
        assert store.points(CELL.id)["train_loss"].updates.tolist() == [1, 2, 3]
        assert [one.id for one in store.runs()] == [CELL.id]


def test_what_fails_before_it_is_loaded_has_failed(path: Path, take: Take) -> None:
    one, other = DESIGN.cells()[:2]
    keep(path, other, Phase.STOPPED, **saved(other))
    for cell in (one, other):
        found = take(cell)
        assert found is not None
        why = Snapshot(phase=Phase.FAILED, message="no such data", config=cell.config)
        found.close(why)
        assert not found.recorder.problem
        assert take(cell) is None
    with Store(path) as store:
        fresh, before = store.run(one.id), store.run(other.id)
        assert store.last_checkpoint(other.id) is not None
    for run in (fresh, before):
        assert (run.state, run.message, run.note) == (
            State.FAILED, "no such data", "sweep sweep-1",
        )  # fmt: skip
    assert not fresh.facts.loaded
    assert (before.updates, before.facts.loaded) == (20, True)
    again = take(one, retry_failed=True)
    assert again is not None
    again.close(at(one, 32, phase=Phase.FINISHED))
    with Store(path) as store:
        assert store.run(one.id).facts.loaded


def test_what_can_not_be_kept_of_a_failure_is_a_problem(
    path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    found = take()
    assert found is not None
    monkeypatch.setattr(claims, "put_failure", full)
    found.close(Snapshot(phase=Phase.FAILED, config=CELL.config))
    assert "database or disk is full" in found.recorder.problem
    assert take() is not None


@pytest.mark.parametrize("phase", [Phase.STOPPED, Phase.PAUSED, Phase.INTERRUPTED, Phase.RUNNING])
def test_what_was_interrupted_goes_on_from_its_checkpoint(
    path: Path, take: Take, phase: Phase
) -> None:
    keep(path, CELL, phase, **saved(CELL))
    found = take()
    assert found is not None
    origin = found.request.origin
    assert isinstance(origin, Resume)
    assert (origin.checkpoint.update, origin.checkpoint.content()) == (16, b"a state")
    # With the threads of the run so far, whatever this machine has: bit for bit.
    assert found.request.config == replace(CELL.config, threads=2) == origin.checkpoint.config
    assert found.request.observation == OBSERVED
    found.recorder.record(at(CELL, 16, phase=Phase.PAUSED), ())
    with Store(path) as store:
        assert store.run(CELL.id).updates == 16
        assert len(store.reports(CELL.id)) == 1


def test_what_left_no_checkpoint_begins_anew(path: Path, take: Take) -> None:
    keep(path, CELL, Phase.STOPPED)
    found = take()
    assert found is not None
    assert found.request.origin == New()


def test_a_checkpoint_of_other_settings_or_versions_is_not_gone_on_from(
    path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, third = DESIGN.cells()[:3]
    keep(path, one, Phase.STOPPED, **saved(one, seed=5))
    keep(path, other, Phase.STOPPED, **saved(other))
    now = versions()
    for changed in ({"torch": "1.0"}, {"bntui": "0.1"}):
        with monkeypatch.context() as patched:
            patched.setattr("bntui.store.writing.versions", lambda c=changed: {**now, **c})
            keep(path, third, Phase.STOPPED, **saved(third))
        found = take(third)
        assert found is not None
        assert found.request.origin == New()
        found.recorder.close(at(third, 1, phase=Phase.FAILED))
        with Store(path) as store:
            store._file.connection.execute("DELETE FROM runs WHERE id = ?", (third.id,))
    first, second = take(one), take(other)
    assert first is not None
    assert first.request.origin == New()
    assert second is not None
    assert isinstance(second.request.origin, Resume)


def test_a_run_of_other_settings_is_not_the_cells(path: Path, take: Take) -> None:
    recorder = StoreRecorder(path, run=CELL.id)
    recorder.close(state(32, phase=Phase.FINISHED))
    found = take()
    assert found is not None
    assert found.request.origin == New()


def test_settings_that_change_no_numbers_make_no_other_cell(path: Path, take: Take) -> None:
    config = replace(CELL.config, threads=7, device="cpu")
    recorder = StoreRecorder(path, run=CELL.id)
    recorder.close(replace(at(CELL, 32, phase=Phase.FINISHED), config=config))
    assert take() is None


def test_a_deleted_run_is_kept_and_comes_back_only_if_it_goes_on(path: Path, take: Take) -> None:
    done, begun = DESIGN.cells()[:2]
    keep(path, done, Phase.FINISHED, 32)
    keep(path, begun, Phase.STOPPED, **saved(begun))
    with Store(path) as store:
        store.delete(done.id)
        store.delete(begun.id)
        assert take(done) is None
        assert store.runs() == []
        assert take(begun) is not None
        assert [run.id for run in store.runs()] == [begun.id]


def test_a_wrong_row_begins_anew(path: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNTUI_STORE", str(path))
    keep(path, CELL, Phase.FINISHED, 32)
    change_row("runs", "facts", "[]")
    found = take()
    assert found is not None
    found.recorder.record(at(CELL, 1, phase=Phase.PAUSED), ())
    with Store(path) as store:
        assert store.run(CELL.id).updates == 1


def test_a_wrong_checkpoint_is_not_gone_on_from(
    path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNTUI_STORE", str(path))
    keep(path, CELL, Phase.STOPPED, **saved(CELL))
    change_row("checkpoints", "config", '{"norm": "spectral"}')
    found = take()
    assert found is not None
    assert found.request.origin == New()


@pytest.mark.parametrize("table", ["runs", "checkpoints"])
def test_a_damaged_store_is_mended_first(path: Path, take: Take, table: str) -> None:
    keep(path, CELL, Phase.STOPPED, **saved(CELL))
    with closing(sqlite3.connect(path)) as connection, connection:
        column = "config" if table == "runs" else "label"
        connection.execute(f"UPDATE {table} SET {column} = 'no'")
    found = take()
    assert found is not None
    assert "was damaged: it lies beside its place as" in found.recorder.notice
    assert found.request.origin == New()
    found.recorder.record(at(CELL, 1, phase=Phase.PAUSED), ())
    assert not found.recorder.problem
    with Store(path) as store:
        assert store.run(CELL.id).updates == 1


def test_but_not_while_a_run_is_under_way(path: Path, take: Take) -> None:
    one, other = DESIGN.cells()[:2]
    keep(path, other, Phase.STOPPED)
    first = take(one)
    assert first is not None
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE runs SET config = 'no'")
    with pytest.raises(StoreError, match=f"is damaged, and run {one.id} is under way"):
        take(other)
    first.recorder.close(Snapshot())
    second = take(other)
    assert second is not None
    assert "was damaged" in second.recorder.notice


def test_what_is_damaged_twice_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: object, **__: object) -> None:
        raise MendedError("it was damaged")

    monkeypatch.setattr(claims, "_origin", damaged)
    with pytest.raises(MendedError):
        claim(path, CELL)


def test_a_store_that_can_not_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="BNTUI_STORE"):
        claim(tmp_path / "file" / "runs.sqlite", CELL)


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
from tests.store.test_claims import MANY, at

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
from tests.store.test_claims import CELL, at, saved

found = claim(Path(sys.argv[1]), CELL)
found.recorder.record(at(CELL, 20, **saved(CELL)), ())
print(found.recorder.problem, flush=True)
input()
"""
MANY = Design(RunConfig(epochs=2), (Axis("batch_size", tuple(range(8, 18))),), (0, 1, 2))


def test_processes_that_claim_at_once_have_each_cell_once(path: Path) -> None:
    processes = [started(CLAIMING, str(path)) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
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
from tests.store.test_claims import at

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
