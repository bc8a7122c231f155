"""What a driver does with cells: which it claims, those that others have, and how it ends."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from bntui.core.snapshot import Phase
from bntui.core.sweep import Cell
from bntui.store.claims import claim
from bntui.store.database import Store
from bntui.store.sweep_cells import over
from bntui.store.writing import State
from bntui.sweeps.executor import Ended, Reported
from tests.store.recorded import report
from tests.sweeps.led import ended, wait_until
from tests.sweeps.scripted import (
    DESIGN,
    ONE,
    THREE,
    TWO,
    Scripted,
    driver,
    finished,
    progress,
    seen,
    stored,
    stored_updates,
)
from tests.sweeps.tiny import SECONDS


def test_cells_are_run_in_the_design_s_order_as_there_is_room(path: Path) -> None:
    executor = Scripted(jobs=2)
    led = driver(path, executor)
    executor.begun(2)
    assert [run for run, _ in executor.requests] == [ONE.id, TWO.id]
    executor.send(TWO.id, *finished(TWO))
    assert executor.begun(3)[0] == THREE.id
    executor.send(ONE.id, Reported(report(1)), *finished(ONE))
    executor.send(THREE.id, *finished(THREE))
    ended(led)
    assert (led.failure, led.failures, led.message) == ("", (), "")
    assert executor.closed
    for cell in DESIGN.cells():
        run = stored(path, cell)
        assert (run.state, run.updates, run.note) == (State.FINISHED, 40, "sweep sweep-1")
    with Store(path) as store:
        assert [one.epoch for one in store.reports(ONE.id)] == [1]


def test_what_is_finished_is_not_run_again(path: Path) -> None:
    for left in (3, 0):
        executor = Scripted(jobs=3)
        led = driver(path, executor)
        if left:
            executor.begun(left)
            for cell in DESIGN.cells():
                executor.send(cell.id, *finished(cell))
        ended(led)
        assert len(executor.requests) == left


def test_fields_that_are_left_out_are_those_of_the_message_before(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor, replace(DESIGN, axes=()))
    run, _ = executor.begun(1)
    (cell,) = replace(DESIGN, axes=()).cells()
    whole = progress(cell, 10)
    lean = replace(whole.snapshot, facts=None, update=20)
    executor.send(run, whole, Ended(replace(lean, phase=Phase.FINISHED), frozenset({"facts"})))
    ended(led)
    assert stored(path, cell).updates == 20


def test_cells_of_another_are_waited_for_and_taken_over(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bntui.sweeps.driver.LOOK_SECONDS", 0.05)
    other = claim(path, ONE)
    assert other
    executor = Scripted(jobs=2)
    led = driver(path, executor)
    executor.begun(2)
    for cell in (TWO, THREE):
        executor.send(cell.id, *finished(cell))
    wait_until(lambda: stored_updates(path).keys() == {TWO.id, THREE.id})
    assert not led.join(0.3)
    assert [run for run, _ in executor.requests] == [TWO.id, THREE.id]
    other.recorder.close(seen(ONE, 7, Phase.INTERRUPTED))
    assert executor.begun(3)[0] == ONE.id
    executor.send(ONE.id, *finished(ONE))
    ended(led)


def test_it_ends_when_another_has_finished_the_last_cell(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bntui.sweeps.driver.LOOK_SECONDS", 0.05)
    others = [claim(path, cell) for cell in DESIGN.cells()]
    executor = Scripted()
    led = driver(path, executor)
    for cell, other in zip(DESIGN.cells(), others, strict=True):
        assert not led.over
        assert other
        other.recorder.close(seen(cell, 40, Phase.FINISHED))
    ended(led)
    assert not executor.requests


def test_what_is_over_is_what_is_done_and_of_the_cell_s_settings(path: Path) -> None:
    phases = Phase.FINISHED, Phase.FAILED, Phase.INTERRUPTED
    for cell, phase in zip(DESIGN.cells(), phases, strict=True):
        claimed = claim(path, cell)
        assert claimed
        claimed.recorder.close(seen(cell, 40, phase))
    cells = {cell.id: cell for cell in DESIGN.cells()}
    assert set(over(path, cells, or_failed=True)) == {ONE.id, TWO.id}
    assert set(over(path, cells, or_failed=False)) == {ONE.id}
    assert set(over(path, {ONE.id: TWO}, or_failed=True)) == set()


def test_a_look_at_many_cells_ends_when_the_sweep_is_left(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, left, looked = Event(), Event(), []

    def slow(path: Path, cells: Mapping[str, Cell], *, or_failed: bool) -> Iterator[str]:
        for run in cells:
            begun.set()
            assert left.wait(SECONDS)
            looked.append(run)
            yield run

    monkeypatch.setattr("bntui.sweeps.driver.over", slow)
    led = driver(path, Scripted())
    assert begun.wait(SECONDS)
    led.leave(0.0)
    left.set()
    ended(led)
    assert looked == [ONE.id]


def test_it_says_with_what_it_works_at_the_moment(path: Path) -> None:
    executor = Scripted()
    led = driver(path, executor)
    assert led.workers == "1 script"
    executor.workers = "no script"
    assert led.workers == "no script"
    assert led.leave(SECONDS)


def test_what_is_under_way_is_kept_when_the_sweep_is_left(path: Path) -> None:
    executor = Scripted(jobs=2)
    executor.answers = False
    led = driver(path, executor)
    executor.begun(2)
    executor.send(ONE.id, progress(ONE, 10))
    executor.send(TWO.id, progress(TWO, 20))
    wait_until(lambda: stored_updates(path) == {ONE.id: 10, TWO.id: 20})
    assert not led.leave(0.0)
    wait_until(lambda: executor.stopped)
    ended(led)  # though TWO never answers
    assert executor.closed
    for cell in (ONE, TWO):
        assert stored(path, cell).state is State.INTERRUPTED
        again = claim(path, cell)
        assert again, "another can have it"
        again.recorder.close(seen(cell, 0))
