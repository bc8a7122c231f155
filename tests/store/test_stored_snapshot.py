"""A stored run as a snapshot."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np

from bntui.core.config import RunConfig
from bntui.core.run_request import Branch
from bntui.core.scales import UNIT
from bntui.core.series import Series
from bntui.core.snapshot import Mark, Phase
from bntui.measure.hindsight import Moment, Moments
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.stored_snapshot import load_snapshot, repeating
from bntui.ui.drawing.charts import chart
from bntui.ui.drawing.curves import curves
from bntui.ui.drawing.view import View
from tests.store.recorded import CONFIG, checkpoint, keep, loss, state
from tests.ui.scripted import facts, mid_run

CHANGED = (
    Mark(7, "momentum 0.97→0.9", "momentum=0.9"),
    Mark(9, "recalibrated", "recalibrate"),
    Mark(12, "diverged"),
    Mark(30, "warmth 1→2", "warmth=2"),
)


def test_a_snapshot_has_what_the_run_was(path: Path) -> None:
    knobs = replace(CONFIG.knobs, momentum=0.9)
    run = keep(path, updates=3000, marks=CHANGED, knobs=knobs)
    with Store(path) as store:
        snapshot = load_snapshot(store, run)
    assert (snapshot.phase, snapshot.update, snapshot.seconds) == (Phase.FINISHED, 3000, 300.0)
    assert (snapshot.config, snapshot.facts, snapshot.marks) == (CONFIG, facts(), CHANGED)
    assert snapshot.knobs == knobs
    assert snapshot.report is not None
    assert snapshot.report.update == 16 * (3000 // 16)
    assert snapshot.updates_per_epoch == 63
    live = Series()
    for update in range(1, 3001):
        live.append(update, loss(update))
    view, expected = snapshot.series["train_loss"], live.view()
    for name in ("x", "low", "high", "last", "broken"):
        np.testing.assert_array_equal(getattr(view, name), getattr(expected, name))


def test_the_charts_draw_it_like_the_live_run(path: Path) -> None:
    live = mid_run(RunConfig())
    recorder = StoreRecorder(path)
    points = [
        (name, int(x), float(value))
        for name, view in live.series.items()
        for x, value in zip(view.x, view.last, strict=True)
    ]
    recorder.record(live, points)
    recorder.close(live)
    with Store(path) as store:
        stored = load_snapshot(store, recorder.run)
    assert stored.phase is Phase.INTERRUPTED  # nobody records it any more

    def drawn(ghost: object) -> object:
        lines = curves("acc", state(0), View(), [("was", ghost)])  # type: ignore[list-item]
        return chart(lines, width=80, height=12, x_low=0, x_high=128, y=UNIT)

    assert drawn(stored) == drawn(live)


def test_the_map_of_all_momenta_comes_back(path: Path) -> None:
    moments = Moments(("0.9", "0.99", "cumulative"))
    recorder = StoreRecorder(path)
    for update in (5, 10, 15):
        moments.append(Moment(update, (update / 20, 0.114, 0.5), 0.2, 0.9, 0.97))
        recorder.record(state(update, hindsight=moments.view(200)), ())
    recorder.close(state(15, hindsight=moments.view(200)))
    with Store(path) as store:
        snapshot = load_snapshot(store, recorder.run)
    expected, found = moments.view(200), snapshot.hindsight
    assert found is not None
    assert found.names == expected.names
    for name in ("updates", "accuracy", "own", "fresh", "momentum"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert snapshot.series == {}


def test_the_line_that_repeats_a_run_has_its_live_changes(path: Path) -> None:
    run = keep(path, updates=40, marks=CHANGED[:3])
    with Store(path) as store:
        assert repeating(store, store.run(run)) == (
            "bntui run --width 0.25 --seed 3 --batch-size 64 --momentum 0.97 --steps 40"
            " --at 7:momentum=0.9 --at 9:recalibrate"
        )


def test_a_branch_is_repeated_from_where_the_first_run_began(path: Path) -> None:
    first = keep(path, updates=40, marks=CHANGED[:1])
    parent = first
    for update in (20, 30):  # a branch, and a branch of that
        marks = (*CHANGED[:1], Mark(update, "lr 0.001→0.1", "lr=0.1"))
        begin = checkpoint(update, run=parent)
        recorder = StoreRecorder(path, origin=Branch(begin))
        last = state(50, config=begin.config, marks=marks)
        recorder.record(last, ())
        recorder.close(last)
        parent = recorder.run
    with Store(path) as store:
        assert repeating(store, store.run(parent)) == (
            "bntui run --width 0.25 --seed 3 --batch-size 64 --momentum 0.97 --steps 50"
            " --at 7:momentum=0.9 --at 30:lr=0.1"
        )
        store.delete(first)
        assert repeating(store, store.run(parent)) is not None
        with sqlite3.connect(path) as connection:  # as after damage
            connection.execute("DELETE FROM runs WHERE id = ?", (first,))
        assert repeating(store, store.run(parent)) is None
