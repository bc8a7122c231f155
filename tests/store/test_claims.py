"""Cells of a sweep are given to one process each: new, gone on with, or not at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from bntui.core.config import RunConfig
from bntui.core.run_request import New, Resume
from bntui.core.snapshot import Phase, Snapshot
from bntui.core.sweep import OBSERVED, Axis, Cell, CellState, Design, Standing
from bntui.store.database import Store
from bntui.store.follow_sweep import read_sweep
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import StoreError
from bntui.store.writing import State, versions
from tests.store.cells import CELL, DESIGN, Take, at, keep, saved
from tests.store.recorded import journal, state


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
