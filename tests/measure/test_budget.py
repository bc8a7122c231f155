"""Tests of the share of the time that observing may take."""

import os
import signal
import time
from threading import Thread

import pytest

from bntui.machine import clock
from bntui.measure import budget
from bntui.measure.budget import Budget
from bntui.ui.terminal.driver import TerminalDriver


def test_observing_keeps_to_its_share() -> None:
    seconds = 0.0
    watch = Budget(lambda: seconds)

    def pass_by(more: float) -> None:
        nonlocal seconds
        seconds += more

    looks = 0
    while watch.total < 2 * budget.OPENING_SECONDS:
        pass_by(0.04)
        watch.trained()
        if watch.allows("look"):
            looks += 1
            pass_by(0.1)
            watch.observed("look")
    most = budget.OPENING_SECONDS * (budget.OPENING_SHARE + budget.LATER_SHARE)
    assert most - 0.3 <= watch.observing <= most + 0.3
    assert watch.observing == pytest.approx(0.1 * looks)


def test_whoever_reads_a_clock_that_stands_still_waits() -> None:
    seen: list[float] = []
    reader = Thread(target=lambda: seen.append(clock.now()))
    begun, reading = time.perf_counter(), clock.now()
    with clock.standing_still(), clock.standing_still():
        reader.start()
        reader.join(0.2)
        assert not seen
    reader.join()
    assert reading <= seen[0] <= clock.now()
    assert clock.now() - reading <= time.perf_counter() - begun - 0.2


def test_a_stopped_process_neither_trains_nor_observes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour behind ctrl+z, in the middle of a look, would forbid looks for the next nine."""
    passed, stopped = 0.0, []

    def stop(process: int, signalled: int) -> None:
        nonlocal passed
        stopped.append((process, signalled))
        passed += 3600.0

    monkeypatch.setattr(time, "perf_counter", lambda: passed)
    monkeypatch.setattr(os, "kill", stop)
    monkeypatch.setattr(clock, "_stopped", 0.0)
    driver = TerminalDriver.__new__(TerminalDriver)
    driver._writer_thread = None
    watch = Budget()
    passed += 10.0
    watch.trained()
    passed += 1.0
    driver._stop()
    watch.observed("look")
    assert stopped == [(os.getpid(), signal.SIGSTOP)]
    assert (watch.training, watch.observing) == (10.0, 1.0)
    assert watch.allows("look")
