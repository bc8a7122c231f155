"""A run that was interrupted goes on from the store bit for bit, with the real engine."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.run import Point
from bntui.core.run_request import New, Resume, RunRequest
from bntui.core.settings import parse_change
from bntui.core.snapshot import Checkpoint, Phase, Snapshot
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.stored_snapshot import repeating
from bntui.store.writing import State
from bntui.train.session import Session
from tests.train.sessions import snapshot_of

SMALL = RunConfig(
    train_size=96,
    width=0.0625,
    device="cpu",
    epochs=4,
    knobs=Knobs(batch_size=16),
    at=(parse_change("5:momentum=0.5"), parse_change("20:recalibrate")),
)
TIMED = {"seconds"}
"""What no two runs have in common."""


@pytest.fixture(autouse=True)
def _every_epoch_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bntui.train.session.SHARE", math.inf)


def news(snapshot: Snapshot, since: int) -> Iterator[Point]:
    """Return what a short run has written down after an update."""
    for name, view in snapshot.series.items():
        for x, value in zip(view.x.tolist(), view.last.tolist(), strict=True):
            if x > since:
                yield name, int(x), value


def train(recorder: StoreRecorder, begin: Checkpoint | None, until: int) -> Snapshot:
    """Train to an update, recorded as by a runner, and return the last snapshot."""
    observation = Observation(live=False)
    config = begin.config if begin else SMALL
    origin = Resume(begin) if begin else New()
    session = Session(RunRequest(config, observation, origin), run=recorder.run)
    told = session.trainer.update
    while not session.finished and session.trainer.update < until:
        for report in session.train_once(None):
            recorder.report(report)
        snapshot = snapshot_of(session, Phase.RUNNING)
        recorder.record(snapshot, list(news(snapshot, told)))
        told = snapshot.update
    return replace(snapshot, phase=Phase.FINISHED if session.finished else Phase.STOPPED)


def test_the_resumed_curves_are_those_of_an_uninterrupted_run(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    recorder = StoreRecorder(path)
    whole = recorder.run
    recorder.close(train(recorder, None, 10**9))

    recorder = StoreRecorder(path)
    cut = recorder.run
    recorder.close(train(recorder, None, 16))
    with Store(path) as store:
        begin = store.last_checkpoint(cut)
        assert begin is not None
        assert begin.update == 12
        recorder = StoreRecorder(path, origin=Resume(begin))
        recorder.close(train(recorder, begin, 10**9))

        one, other = store.points(whole), store.points(cut)
        assert one.keys() == other.keys()
        assert len(one["train_loss"].values) == 24
        for name in one.keys() - TIMED:
            assert one[name].updates.tolist() == other[name].updates.tolist(), name
            assert one[name].values.tobytes() == other[name].values.tobytes(), name
        assert store.marks(whole) == store.marks(cut)
        assert len(store.marks(whole)) == 2
        figures = [
            [(r.epoch, r.update, r.loss, r.acc, r.val_loss, r.val_acc) for r in store.reports(run)]
            for run in (whole, cut)
        ]
        assert figures[0] == figures[1]
        assert len(figures[0]) == 4
        first, second = store.run(whole), store.run(cut)
        assert first.state is second.state is State.FINISHED
        assert (first.config, first.knobs) == (second.config, second.knobs)
        assert repeating(store, first) == repeating(store, second)
