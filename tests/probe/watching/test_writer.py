"""What was seen becomes snapshots, within a second, whatever the training does meanwhile."""

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from bntui.core.config import RunConfig
from bntui.core.measured import Difference, Recalibration, Score, Validation
from bntui.core.run import Command, Point
from bntui.core.snapshot import EpochReport, Phase, RunFacts, Snapshot
from bntui.core.watched import Found, Watched
from bntui.measure.hindsight import Moment
from bntui.measure.validation import HINDSIGHT_NAMES
from bntui.probe.watching import writer as module
from bntui.probe.watching.writer import PAUSE, Logged, Replaced, Update, Writer
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder

FACTS = RunFacts("cpu", "Numbers", 100, 10, 5, (), 0)


class Kept:
    """A recorder that keeps all in memory."""

    run = "abc"
    problem = ""
    notice = ""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.points: list[Point] = []
        self.asked: tuple[Command, ...] = ()
        self.closed: Snapshot | None = None

    def record(self, snapshot: Snapshot, journal: Sequence[Point]) -> None:
        self.snapshots.append(snapshot)
        self.points += journal

    def report(self, report: EpochReport) -> None:
        raise AssertionError

    def weights(self, update: int, content: bytes) -> None:
        raise AssertionError

    def close(self, snapshot: Snapshot) -> None:
        self.closed = snapshot

    def requested(self) -> tuple[Command, ...]:
        asked, self.asked = self.asked, ()
        return asked


def writer(
    kept: Kept | StoreRecorder | None, ask: Callable[[Command], None] = lambda _: None
) -> Writer:
    return Writer(kept, RunConfig(), FACTS, Watched("train.py", "Net"), distance=False, ask=ask)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_update_is_kept_without_another_one() -> None:
    kept = Kept()
    made = writer(kept)
    made.start()
    made.see(Update(1, 0.5, 0.0, (torch.tensor(2.0), torch.tensor(4.0))))
    until(lambda: kept.snapshots and kept.snapshots[-1].update == 1)
    assert kept.snapshots[-1].phase is Phase.RUNNING
    assert ("train_loss", 1, 6.0) in kept.points  # gradients add up
    made.close(Phase.FINISHED)
    assert kept.closed is made.snapshot
    assert made.snapshot.phase is Phase.FINISHED
    assert made.snapshot.seconds == 0.5


def test_what_is_left_is_taken_at_the_end() -> None:
    kept = Kept()
    made = writer(kept)
    for number in range(1, 51):
        made.see(Update(number, number / 10, 0.0, (torch.tensor(1.0 / number),)))
    made.close(Phase.FAILED, "ValueError: bad")
    assert kept.closed
    assert (kept.closed.update, kept.closed.message) == (50, "ValueError: bad")
    assert kept.closed.series["train_loss"].latest == torch.tensor(1 / 50).item()
    assert [point for point in kept.points if point[0] == "seconds"] == [
        ("seconds", number, number / 10) for number in range(1, 51)
    ]


def test_logged_losses_take_the_place_of_those_of_backward() -> None:
    made = writer(None)
    made.see(Update(1, 0.1, 0.0, (torch.tensor(9.0),)))
    made.see(Logged(1, loss=torch.tensor(1.0), epoch=3))
    made.see(Update(2, 0.2, 0.0, (torch.tensor(9.0),)))
    made.see(Logged(2, loss=2.0, accuracy=0.5))
    made.close(Phase.FINISHED)
    snapshot = made.snapshot
    assert snapshot.series["train_loss"].last.tolist() == [9.0, 1.0, 2.0]
    assert snapshot.series["train_acc"].last.tolist() == [0.5]
    assert snapshot.epoch == 3


def test_the_last_loss_is_what_a_list_of_runs_shows(tmp_path: Path) -> None:
    kept = StoreRecorder(tmp_path / "runs.sqlite")
    made = writer(kept)
    made.see(Update(1, 0.1, 0.0, (torch.tensor(1.0),)))
    made.see(Update(2, 0.2, 0.0, (torch.tensor(0.5),)))
    made.close(Phase.FINISHED)
    with Store(kept.path) as store:
        found = store.find("last")
    assert found.loss == 0.5
    assert math.isnan(found.acc)


def test_a_loss_that_is_not_finite_is_a_divergence() -> None:
    made = writer(None)
    made.see(Update(1, 0.1, 0.0, (torch.tensor(1.0),)))
    made.see(Update(2, 0.2, 0.0, (torch.tensor(math.inf),)))
    made.see(Update(3, 0.3, 0.0, (torch.tensor(math.nan),)))
    made.close(Phase.FINISHED)
    assert made.snapshot.divergence
    assert (made.snapshot.divergence.update, made.snapshot.divergence.layer) == (2, "loss")


def test_looks_findings_and_recalibrations_are_shown() -> None:
    made = writer(None)
    validation = Validation(4, 64, Score(1.0, 0.5, (1, 1)), Score(0.5, 0.9, (1, 1)), ())
    gain = Difference(0.0, 0.1, 0.0, 0.1, 64)
    number = len(HINDSIGHT_NAMES)
    moment = Moment(4, (0.5,) * number, 0.5, 0.9, 0.99, (gain,) * number)
    recalibration = Recalibration(5, 0.5, 0.9, True, 64)
    watched = Watched("train.py", "Net", findings=(Found("lag", "unsound", "Lag"),))
    for seen in (validation, moment, watched, Replaced(recalibration), Update(5, 2.0, 0.25)):
        made.see(seen)
    made.close(Phase.FINISHED)
    snapshot = made.snapshot
    assert snapshot.validation is validation
    assert snapshot.past == (validation,)
    assert snapshot.hindsight
    assert (snapshot.hindsight.images, snapshot.hindsight.distance) == (64, False)
    assert snapshot.watched
    assert snapshot.watched.findings == watched.findings
    assert snapshot.watched.share == 0.25
    assert snapshot.observed_share == 0.25
    assert snapshot.recalibrated is recalibration
    assert snapshot.marks[0].change == "recalibrate"


def test_why_it_is_not_kept_is_known_in_the_end() -> None:
    kept = StoreRecorder(Path("/proc/none/runs.sqlite"))
    made = writer(kept)
    made.close(Phase.FINISHED)
    assert kept.problem.startswith(
        "this run is not being kept, which is tried again every second: "
    )
    assert made.unkept.startswith("this run is not being kept: ")
    assert writer(None).unkept == ""


def test_requests_are_passed_on() -> None:
    kept, asked = Kept(), list[Command]()
    made = writer(kept, asked.append)
    made.start()
    kept.asked = (Command.RECALIBRATE,)
    until(lambda: asked)
    made.close(Phase.STOPPED)
    assert asked == [Command.RECALIBRATE]


def threads() -> int:
    return sum(one.name == "bntui-watch" for one in threading.enumerate())


def fork() -> None:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)


def test_a_process_forks_without_its_thread() -> None:
    found: list[int] = []
    fork()  # ends the threads that other tests have left
    made = writer(Kept())
    made.start()
    for number in range(1, 3):
        made.see(Update(number, number / 10))
        found.append(threads())
        fork()
        found.append(threads())
        fork()
    made.close(Phase.FINISHED)
    made.see(Update(9, 0.9))
    found.append(threads())
    assert found == [1, 0, 1, 0, 0]
    assert made.snapshot.update == 2


def test_a_training_that_forks_all_the_time_is_kept_as_it_goes() -> None:
    kept = Kept()
    made = writer(kept)
    made.start()
    for number in range(1, 31):
        made.see(Update(number, number / 10))
        fork()
        time.sleep(PAUSE / 10)
    assert len(kept.snapshots) >= 2
    assert kept.snapshots[-1].update > 1
    made.close(Phase.FINISHED)
    assert kept.closed
    assert kept.closed.update == 30


def test_where_no_thread_can_be_had_it_is_kept_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    kept = Kept()
    made = writer(kept)
    made.start()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        fork()
        made.see(Update(7, 0.7))
        made.close(Phase.FINISHED)
    assert kept.closed
    assert kept.closed.update == 7


def test_a_fork_waits_once_for_a_store_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    free, waits, join = threading.Event(), list[float | None](), threading.Thread.join

    class Hanging(Kept):
        def record(self, snapshot: Snapshot, journal: Sequence[Point]) -> None:
            super().record(snapshot, journal)
            free.wait(60)

    def joined(thread: threading.Thread, timeout: float | None = None) -> None:
        waits.append(timeout)
        join(thread, timeout)

    fork()  # ends the threads that other tests have left
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.2)
    kept = Hanging()
    made = writer(kept)
    made.start()
    until(lambda: kept.snapshots)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "join", joined)
        for _ in range(3):
            fork()
    assert [one for one in waits if one is not None and one <= 0.2] == [0.2, 0.0, 0.0]
    free.set()
    made.see(Update(3, 0.3))
    until(lambda: kept.snapshots[-1].update == 3)
    assert threads() == 1
    made.close(Phase.FINISHED)


def test_a_recorder_that_fails_does_not_end_the_writing() -> None:
    class Broken(Kept):
        def record(self, snapshot: Snapshot, journal: Sequence[Point]) -> None:
            if len(self.snapshots) == 0:
                self.snapshots.append(snapshot)
                raise OSError("no")
            super().record(snapshot, journal)

    kept = Broken()
    made = writer(kept)
    made.start()
    until(lambda: kept.snapshots)
    made.see(Update(1, 0.1))
    until(lambda: len(kept.snapshots) > 1)
    made.close(Phase.FINISHED)
    assert made.snapshot.update == 1
