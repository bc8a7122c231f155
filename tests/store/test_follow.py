"""A stored run that is followed: what another process keeps of it shows within a second."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bntui.core.run import Command
from bntui.core.run_request import Resume
from bntui.core.snapshot import Mark, Phase, Snapshot
from bntui.core.watched import Watched
from bntui.store.database import Store
from bntui.store.follow import Followed, which
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import StoreError
from bntui.store.stored_snapshot import load_snapshot
from tests.store.awaited import PATIENCE, until
from tests.store.recorded import checkpoint, feed, journal, keep, report, state
from tests.store.writers import writing
from tests.ui.scripted import validation

WATCHED = Watched("python train.py", "ResNet", momentum=0.1, learning_rate=0.1, control=True)


@pytest.fixture
def recorder(path: Path) -> Iterator[StoreRecorder]:
    recorder = StoreRecorder(path)
    recorder.record(state(1), journal([1]))
    yield recorder
    recorder.close(state(1))


@pytest.fixture
def follow(path: Path) -> Iterator[Callable[[str], Followed]]:
    begun: list[Followed] = []

    def begin(run: str) -> Followed:
        with Store(path) as store:
            followed = Followed(path, store.run(run))
        begun.append(followed)
        followed.start()
        return followed

    yield begin
    assert all(followed.leave(PATIENCE) for followed in begun)


def same_series(one: Snapshot, other: Snapshot) -> None:
    assert one.series.keys() == other.series.keys()
    for name, view in one.series.items():
        for part in ("x", "low", "high", "last", "broken"):
            np.testing.assert_array_equal(
                getattr(view, part), getattr(other.series[name], part), err_msg=name
            )


Follow = Callable[[str], Followed]


def test_each_update_shows_as_it_is_recorded(
    path: Path, recorder: StoreRecorder, follow: Follow
) -> None:
    followed = follow(recorder.run)
    for update in range(2, 6):
        now = state(update)
        recorder.record(now, journal([update]))  # once: then there is nothing new
        snapshot = until(
            followed,
            lambda shown, update=update: shown.update == update,  # type: ignore[misc]
            lambda now=now: recorder.record(now, ()),  # type: ignore[misc]
        )
        assert snapshot.phase is Phase.RUNNING
        assert snapshot.followed
        assert snapshot.series["train_loss"].x.tolist() == list(range(1, update + 1))


def test_it_is_what_a_look_at_the_store_shows(
    path: Path, recorder: StoreRecorder, follow: Follow
) -> None:
    followed = follow(recorder.run)
    marks = (Mark(40, "momentum 0.97→0.9", "momentum=0.9"),)
    feed(recorder, range(2, 1501), marks=marks)
    until(followed, lambda shown: shown.update > 1)
    feed(recorder, range(1501, 3001), marks=marks, validation=validation(update=3000))
    last = state(3000, marks=marks, validation=validation(update=3000), phase=Phase.PAUSED)
    recorder.record(last, ())
    followed_last = until(followed, lambda shown: shown.phase is Phase.PAUSED)
    with Store(path) as store:
        stored = load_snapshot(store, recorder.run)
    same_series(followed_last, stored)
    assert followed_last.marks == stored.marks == marks
    assert followed_last.reports == stored.reports
    assert followed_last.validation is not None
    assert followed_last.past == (followed_last.validation,)


def test_what_ended_is_shown_at_rest(path: Path, follow: Follow) -> None:
    run = keep(path, updates=40, validation=validation(update=40))
    snapshot = until(follow(run), lambda shown: bool(shown.series))
    assert (snapshot.phase, snapshot.update, snapshot.message) == (Phase.FINISHED, 40, "")


def test_a_killed_process_is_told(path: Path, follow: Follow) -> None:
    with writing(path, 10**9) as process:
        assert process.stdout is not None
        run = process.stdout.readline().strip()
        for _ in range(50):
            process.stdout.readline()
        followed = follow(run)
        until(followed, lambda shown: shown.phase is Phase.RUNNING and shown.update > 20)
        process.send_signal(signal.SIGKILL)
        for _ in process.stdout:
            pass
    snapshot = until(followed, lambda shown: shown.phase is Phase.INTERRUPTED)
    assert snapshot.message == (
        "the process that trained this run has ended without closing it: the last update that it "
        f"kept is {snapshot.update:,}."
    )
    assert snapshot.update > 20


def test_a_run_that_is_resumed_is_followed_on(path: Path, follow: Follow) -> None:
    run = keep(path, updates=300, end=Phase.STOPPED)
    followed = follow(run)
    until(followed, lambda shown: bool(shown.series))
    recorder = StoreRecorder(path, origin=Resume(checkpoint(100, b"", run)))
    feed(recorder, range(101, 111))
    recorder.record(state(110), ())
    snapshot = until(
        followed, lambda shown: shown.update == 110, lambda: recorder.record(state(110), ())
    )
    assert snapshot.phase is Phase.RUNNING
    assert snapshot.series["train_loss"].x.tolist() == list(range(1, 111))
    recorder.close(state(110))


def test_a_store_that_is_removed_is_told_and_found_again(
    path: Path, recorder: StoreRecorder, follow: Follow
) -> None:
    followed = follow(recorder.run)
    until(followed, lambda shown: bool(shown.series))
    aside = path.with_name("aside.sqlite")
    path.rename(aside)
    snapshot = until(followed, lambda shown: bool(shown.message))
    assert "which is tried again every second" in snapshot.message
    assert snapshot.update == 1
    recorder.record(replace(state(2), phase=Phase.PAUSED), journal([2]))
    snapshot = until(followed, lambda shown: shown.update == 2)
    assert not snapshot.message
    assert snapshot.series["train_loss"].x.tolist() == [1, 2]


def test_what_is_asked_reaches_the_recorder(
    path: Path, recorder: StoreRecorder, follow: Follow
) -> None:
    recorder.record(state(2, watched=WATCHED, phase=Phase.PAUSED), ())
    followed = follow(recorder.run)
    until(followed, lambda shown: shown.watched == WATCHED)
    followed.command(Command.WHAT_IF)
    followed.command(Command.RECALIBRATE)
    end = time.monotonic() + PATIENCE
    while not (found := recorder.requested()):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert found == (Command.RECALIBRATE,)
    assert recorder.requested() == ()


def test_who_may_not_be_asked_is_not(path: Path, recorder: StoreRecorder, follow: Follow) -> None:
    recorder.record(state(2, watched=replace(WATCHED, control=False), phase=Phase.PAUSED), ())
    followed = follow(recorder.run)
    until(followed, lambda shown: shown.watched is not None)
    followed.command(Command.RECALIBRATE)
    assert followed.leave(PATIENCE)
    assert recorder.requested() == ()


def test_the_newest_under_way_is_meant(path: Path, recorder: StoreRecorder) -> None:
    kept = keep(path)
    with Store(path) as store:
        assert which(store, None).id == recorder.run
        assert which(store, kept[:8]).id == kept
        recorder.close(state(1, phase=Phase.STOPPED))
        with pytest.raises(
            StoreError, match=f"`bntui attach {kept} --store {path}` opens the newest"
        ):
            which(store, None)


def test_reports_come_once(path: Path, recorder: StoreRecorder, follow: Follow) -> None:
    followed = follow(recorder.run)
    for epoch in (1, 2, 3):
        recorder.report(report(epoch))
        recorder.record(state(16 * epoch, phase=Phase.PAUSED), ())
        until(followed, lambda shown, epoch=epoch: len(shown.reports) == epoch)  # type: ignore[misc]
