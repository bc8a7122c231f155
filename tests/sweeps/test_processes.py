"""Cells in processes of this machine: workers and drivers that are killed, and two drivers on one store."""

import signal
import sys
from pathlib import Path

import pytest

from bntui.core.run_request import RunRequest
from bntui.store.database import Store
from bntui.store.writing import State
from bntui.sweeps.driver import Driver
from bntui.sweeps.processes import Processes
from tests.sweeps.by_itself import run_itself
from tests.sweeps.led import (
    check_equal,
    driving,
    ended,
    is_gone,
    lead,
    updates,
    wait_until,
    workers,
)
from tests.sweeps.tiny import SECONDS, design

PACE = 5.0
"""Updates a second: of the 48 of the longer cell most are left when a test that waits for CPUs looks."""


@pytest.fixture
def undisturbed(tmp_path: Path) -> Path:
    """A store in which every cell has run in one go."""
    path = tmp_path / "undisturbed.sqlite"
    for cell in design(tmp_path, epochs=4).cells():
        run_itself(path, cell)
    return path


def test_cells_of_a_worker_that_was_killed_go_on_bit_for_bit(
    tmp_path: Path, undisturbed: Path
) -> None:
    path, cells = tmp_path / "runs.sqlite", design(tmp_path, epochs=4, pace=PACE)
    led = lead(path, cells)
    wait_until(lambda: updates(path, cells.cells()[0]) >= 5)
    for process in workers():
        process.kill()
    ended(led)
    assert (led.failure, led.failures) == ("", ())
    assert led.message.endswith("the process that ran it was killed (signal 9, SIGKILL).")
    check_equal(path, undisturbed, cells)
    assert not workers()


def test_a_driver_that_was_killed_leaves_nothing_behind_but_work_that_another_goes_on_with(
    tmp_path: Path, undisturbed: Path
) -> None:
    path, cells = tmp_path / "runs.sqlite", design(tmp_path, epochs=4, pace=PACE)
    driver = driving(path, tmp_path, cells)
    wait_until(lambda: updates(path, cells.cells()[0]) >= 5)
    left = workers(driver.pid)
    assert left
    driver.kill()
    driver.communicate()
    wait_until(lambda: all(is_gone(process) for process in left))
    ended(lead(path, cells))
    check_equal(path, undisturbed, cells)


def test_two_drivers_share_a_sweep(tmp_path: Path, undisturbed: Path) -> None:
    path, cells = tmp_path / "runs.sqlite", design(tmp_path, epochs=4, pace=40.0)
    begun: list[str] = []

    class Counted(Processes):
        def begin(self, run: str, request: RunRequest) -> None:
            begun.append(run)
            super().begin(run, request)

    both = [Driver(path, "sweep-1", cells, Counted(1, 1)) for _ in range(2)]
    for led in both:
        led.start()
    for led in both:
        ended(led)
    assert sorted(begun) == sorted(cell.id for cell in cells.cells())
    check_equal(path, undisturbed, cells)


def test_what_is_left_goes_on_whatever_the_terminal_sends(
    tmp_path: Path, undisturbed: Path
) -> None:
    path, cells = tmp_path / "runs.sqlite", design(tmp_path, epochs=4, pace=PACE)
    led = lead(path, cells)
    wait_until(lambda: updates(path, cells.cells()[0]) >= 3)
    ours = workers()
    for process in ours:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
    wait_until(lambda: updates(path, cells.cells()[0]) >= 6)
    assert led.leave(SECONDS, interrupted=True)
    assert led.message == ""
    assert all(is_gone(process) for process in ours)
    with Store(path) as store:
        run = store.run(cells.cells()[0].id)
    assert run.state is State.INTERRUPTED
    assert run.checkpoint == run.updates
    ended(lead(path, cells))
    check_equal(path, undisturbed, cells)


@pytest.mark.parametrize(
    ("program", "why"),
    [("/no/such/python", "No such file"), ("/bin/false", "ended with status 1")],
)
def test_processes_that_can_not_start_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, why: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    led = lead(tmp_path / "runs.sqlite", design(tmp_path))
    ended(led)
    assert led.failure.startswith("no process can be started to train in (")
    assert why in led.failure
    assert led.failures == ()
