"""What a live run leaves in the store."""

import math
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bntui import __version__
from bntui.core.config import Change, Knobs, RunConfig
from bntui.core.measured import Noise, Recalibration
from bntui.core.run import Recorder
from bntui.core.run_request import Branch
from bntui.core.snapshot import Mark, Phase, Snapshot
from bntui.diagnose.remedies import Measured, Remedy, RemedyName
from bntui.measure.hindsight import Moment, Moments
from bntui.store.database import Store
from bntui.store.recorded_series import CHUNK
from bntui.store.recorder import StoreRecorder
from bntui.store.writing import State
from tests.store.recorded import CONFIG, Clock, checkpoint, feed, journal, keep, loss, report, state
from tests.ui.scripted import facts, validation


def test_the_real_recorder_is_one(path: Path) -> None:
    recorder: Recorder = StoreRecorder(path)
    assert recorder.problem == ""


class TestWhatIsKept:
    def test_every_value_comes_back_to_the_last_bit(self, path: Path, store: Store) -> None:
        run = keep(path, updates=1000)
        points = store.points(run)
        assert list(points) == ["train_loss", "seconds", "val_acc"]
        assert points["train_loss"].updates.tolist() == list(range(1, 1001))
        assert points["train_loss"].values.tolist() == [loss(n) for n in range(1, 1001)]
        assert points["val_acc"].updates.tolist() == list(range(5, 1001, 5))
        assert not points["val_acc"].values.flags.writeable

    def test_a_note_is_kept_beside_a_new_run(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path, note="03 without · m = 0.9 \udce9")
        recorder.record(state(1), ())
        recorder.close(state(1))
        assert store.run(recorder.run).note == "03 without · m = 0.9 \\udce9"

    def test_what_is_not_finite_comes_back_too(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        values = [math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324]
        recorder.record(state(6), [("train_loss", n, x) for n, x in enumerate(values, start=1)])
        recorder.close(state(6))
        kept = store.points(recorder.run)["train_loss"].values
        assert kept.tobytes() == np.array(values).tobytes()

    def test_a_series_lies_in_few_chunks_however_often_it_is_committed(
        self, path: Path, store: Store
    ) -> None:
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        for update in range(1, 3 * CHUNK + 2):
            clock.now += 1.0
            recorder.record(state(update), journal([update]))
        with sqlite3.connect(path) as connection:
            sizes = connection.execute(
                "SELECT length(vals) / 8 FROM points WHERE series = 'train_loss' ORDER BY chunk"
            ).fetchall()
        assert sizes == [(CHUNK,), (CHUNK,), (CHUNK,), (1,)]
        assert store.points(recorder.run)["train_loss"].updates.tolist() == list(
            range(1, 3 * CHUNK + 2)
        )
        recorder.close(state(3 * CHUNK + 1))

    def test_a_run_says_what_it_is_made_of_and_how_it_went(self, path: Path, store: Store) -> None:
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        run = store.run(keep(path, updates=40))
        assert len(run.id) == 12
        assert int(run.id, 16) >= 0
        assert before <= run.started <= run.ended <= datetime.now(UTC)
        assert (run.state, run.updates, run.epoch, run.seconds) == (State.FINISHED, 40, 3, 4.0)
        assert run.config == CONFIG
        assert run.facts == facts()
        assert run.versions.keys() == {"bntui", "python", "torch", "numpy"}
        assert (run.versions["bntui"], run.versions["numpy"]) == (__version__, np.__version__)
        assert (run.loss, run.acc) == (1 / 2, 1 - 0.5 / 2)
        assert (run.val_acc, run.val_acc_fresh) == (0.114, 0.97)
        assert (run.note, run.pinned, run.deleted, run.parent) == ("", False, None, None)

    def test_every_setting_comes_back(self, path: Path, store: Store) -> None:
        config = RunConfig(
            dataset="mnist",
            data_dir="/dat\udce4 \x1b[31m",
            train_size=300,
            norm="group",
            threads=2,
            steps=7,
            knobs=Knobs(batch_size=1, momentum=0.1 + 0.2, learning_rate=1e-12, pace=0.5),
            at=(
                Change(3, "recalibrate"),
                Change(5, "momentum", 0.9),
                Change(6, "estimator", "warm-up"),
                Change(7, "pace", math.inf),
            ),
        )
        run = store.run(keep(path, config=config))
        assert run.config == config
        assert run.unknown == ()

    def test_epochs_come_back_without_their_channels(self, path: Path, store: Store) -> None:
        first, second = store.reports(keep(path, updates=40))
        assert replace(first, layers=()) == replace(report(1), layers=())
        assert (first.update, second.update) == (16, 32)
        for kept, layer in zip(second.layers, report(2).layers, strict=True):
            assert len(kept.detail.mean_gap) == 0
            assert replace(kept, detail=layer.detail) == layer

    def test_a_twins_epochs_stand_beside_the_runs_own(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        noise = Noise(16, math.nan, None, 3, low=80.5, high=math.inf, high_68=900.0)
        recorder.report(report(1, noise=noise, layers=()))
        recorder.report(report(1, twin="momentum=0.5", loss=7.0, layers=()))
        recorder.record(state(16), ())
        recorder.close(state(16))
        own, twin = store.reports(recorder.run)
        assert (own.twin, twin.twin, twin.loss) == ("", "momentum=0.5", 7.0)
        assert own.noise is not None
        assert repr(own.noise) == repr(noise)
        assert twin.noise is None
        assert store.run(recorder.run).loss == 1.0

    @pytest.mark.parametrize(
        ("seen", "shown"),
        [
            pytest.param({}, (0.114, 0.97), id="the last report"),
            pytest.param(
                {"recalibrated": Recalibration(32, 0.114, 0.958, applied=True)},
                (0.958, 0.97),
                id="a recalibration after it, of the same weights",
            ),
            pytest.param(
                {"recalibrated": Recalibration(36, 0.114, 0.958, applied=True)},
                (0.958, math.nan),
                id="a recalibration of later weights",
            ),
            pytest.param(
                {"recalibrated": Recalibration(20, 0.114, 0.958, applied=True)},
                (0.114, 0.97),
                id="no recalibration before it",
            ),
            pytest.param(
                {
                    "recalibrated": Recalibration(32, 0.114, 0.958, applied=True),
                    "validation": validation(0.957, 0.96, update=32),
                },
                (0.957, 0.96),
                id="the validation after a recalibration",
            ),
            pytest.param(
                {"validation": validation(0.2, 0.96, update=35)}, (0.2, 0.96), id="a later one"
            ),
            pytest.param(
                {"validation": validation(0.2, 0.96, update=32)},
                (0.114, 0.97),
                id="whole before few",
            ),
            pytest.param(
                {
                    "reports": (report(2, val_acc_fresh=math.nan),),
                    "validation": validation(0.114, 0.958, update=32),
                },
                (0.114, 0.958),
                id="fresh statistics that the report has not",
            ),
            pytest.param({"reports": ()}, (0.114, 0.97), id="nothing since it was resumed"),
        ],
    )
    def test_the_listing_shows_what_the_screen_showed_last(
        self, path: Path, store: Store, seen: dict[str, Any], shown: tuple[float, float]
    ) -> None:
        recorder = StoreRecorder(path)
        feed(recorder, range(1, 41))
        for again in seen.get("reports", ()):
            recorder.report(again)
        last = state(40, **{"phase": Phase.FINISHED, "reports": (report(1), report(2)), **seen})
        recorder.close(last)
        run = store.run(recorder.run)
        assert [run.val_acc, run.val_acc_fresh] == pytest.approx(shown, nan_ok=True)

    def test_figures_that_were_not_measured_are_nan(self, path: Path, store: Store) -> None:
        run = store.run(keep(path, updates=5))
        assert math.isnan(run.loss)
        assert math.isnan(run.val_acc_fresh)

    def test_of_each_verdict_the_first_and_the_last_are_kept(
        self, path: Path, store: Store
    ) -> None:
        recorder = StoreRecorder(path)
        story = [(5, 0.114, 0.974), (7, 0.3, 0.974), (10, 0.2, 0.975), (15, 0.97, 0.975)]
        story += [(20, 0.114, 0.98)]
        for update, running, fresh in story:
            judged = validation(running, fresh, update=update)
            for later in (0, 1):  # the same validation again: nothing new to say
                recorder.record(state(update + later, validation=judged), ())
        recorder.close(state(20, validation=judged))
        verdicts = store.verdicts(recorder.run)
        assert [(said.at, said.cause) for said in verdicts] == [
            (5, "stale: start values"),
            (10, "stale: start values"),
            (15, "validation does not suffer"),
            (20, "stale: start values"),
        ]
        assert "fresh statistics: 0.114 → 0.974" in verdicts[0].evidence[0]
        assert "fresh statistics: 0.200 → 0.975" in verdicts[1].evidence[0]
        assert verdicts[0].remedies == (Remedy(RemedyName.RECALIBRATE, update=5),)
        assert verdicts[0].cure == ""

    def test_what_a_remedy_was_measured_to_give_is_kept(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        tried = Recalibration(20, 0.114, 0.9, applied=False, images=1000)
        snapshot = state(20, validation=validation(update=20), recalibration=tried)
        recorder.record(snapshot, ())
        recorder.close(snapshot)
        measured = Measured(0.9, instead_of=0.114, update=20, images=1000)
        remedy = Remedy(RemedyName.APPLY_RECALIBRATION, update=20, measured=measured)
        assert store.verdicts(recorder.run)[-1].remedies == (remedy,)

    def test_a_failure_is_kept_with_its_sentence(self, path: Path, store: Store) -> None:
        message = "no memory is left for caf\udce9."
        run = store.run(keep(path, end=Phase.FAILED, message=message))
        assert (run.state, run.message) == (State.FAILED, "no memory is left for caf\\udce9.")
        assert store.verdicts(run.id)[-1].cause == "the run failed"

    def test_a_run_that_was_never_loaded_is_not_kept(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        recorder.record(Snapshot(), ())
        failed = Snapshot(phase=Phase.FAILED, message="no such device")
        recorder.record(failed, ())
        recorder.close(failed)
        assert store.runs() == []
        assert recorder.problem == ""

    def test_the_map_of_all_momenta_is_kept_moment_by_moment(
        self, path: Path, store: Store
    ) -> None:
        moments = Moments(("0.9", "cumulative"))
        recorder = StoreRecorder(path)
        expected = []
        for update in range(1, 1101):  # more than the map itself keeps
            moments.append(Moment(update, (update / 2000, 0.5), 0.3, 0.9, 0.97))
            recorder.record(state(update, hindsight=moments.view(200)), ())
            expected.append(update / 2000)
        recorder.close(state(update, hindsight=moments.view(200)))
        points = store.points(recorder.run)
        assert points["hindsight:0.9"].values.tolist() == expected
        assert set(points["hindsight:own"].values.tolist()) == {0.3}
        assert set(points["hindsight:momentum"].values.tolist()) == {0.97}

    def test_a_branch_names_where_it_began(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path, origin=Branch(checkpoint(97, run="0123456789ab")))
        recorder.record(state(98), journal([98]))
        recorder.close(state(98))
        run = store.run(recorder.run)
        assert (run.parent, run.branched) == ("0123456789ab", 97)


class TestMarks:
    def test_marks_come_back_in_order_and_once(self, path: Path, store: Store) -> None:
        marks = (
            Mark(7, "momentum 0.97→0.9", "momentum=0.9"),
            Mark(7, "recalibrated", "recalibrate"),
            Mark(20, "diverged"),
        )
        assert store.marks(keep(path, marks=marks)) == marks

    def test_no_mark_is_lost_when_the_run_itself_forgets_its_oldest(
        self, path: Path, store: Store
    ) -> None:
        everything = [Mark(n, f"momentum {n}→{n + 1}", f"momentum={n}") for n in range(30)]
        recorder = StoreRecorder(path)
        for update in range(1, 31):
            recorder.record(state(update, marks=tuple(everything[max(0, update - 4) : update])), ())
        recorder.close(state(30, marks=tuple(everything[26:])))
        assert store.marks(recorder.run) == tuple(everything)


class TestStates:
    def test_the_state_follows_the_phase(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        for phase in (Phase.RUNNING, Phase.PAUSED, Phase.FINISHED, Phase.RUNNING, Phase.STOPPED):
            recorder.record(state(1, phase=phase), ())
            assert store.run(recorder.run).state.value == phase.value
        recorder.close(state(1, phase=Phase.STOPPED))

    def test_a_finished_run_that_is_closed_has_finished(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        recorder.record(state(1), ())
        recorder.record(state(2, phase=Phase.FINISHED), ())
        stopped = state(2, phase=Phase.STOPPED)
        recorder.record(stopped, ())
        recorder.close(stopped)
        assert store.run(recorder.run).state is State.FINISHED

    def test_closed_it_leaves_nothing_beside_the_store(self, path: Path, store: Store) -> None:
        run = keep(path)
        store.close()
        assert [file.name for file in path.parent.iterdir()] == [path.name]
        assert run
