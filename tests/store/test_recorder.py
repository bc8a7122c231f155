"""What a live run leaves in the store, when, and what it does when it can't."""

import math
import sqlite3
from collections.abc import Iterator
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
from bntui.core.run_request import Branch, Resume
from bntui.core.snapshot import Mark, Phase, Snapshot
from bntui.diagnose.remedies import Measured, Remedy, RemedyName
from bntui.measure.hindsight import Moment, Moments
from bntui.store import recorder as recording
from bntui.store import runs_file
from bntui.store.checksum import checksums_statement
from bntui.store.database import Store
from bntui.store.recorded_series import CHUNK
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import StoreError, connect
from bntui.store.writing import State, put_checkpoint
from tests.store.recorded import CONFIG, Clock, checkpoint, feed, journal, keep, loss, report, state
from tests.ui.scripted import facts, validation


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "runs.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path) as store:
        yield store


def last_update(store: Store, run: str) -> int:
    """Return the last update of which the store has a value; 0 for none."""
    points = store.points(run)
    return int(points["train_loss"].updates[-1]) if points else 0


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


class TestWhenItIsCommitted:
    def test_it_commits_at_least_once_a_second_and_not_at_every_call(
        self, path: Path, store: Store
    ) -> None:
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        seen = []
        for call in range(31):
            clock.now = call / 10
            recorder.record(state(call + 1), journal([call + 1]))
            seen.append(last_update(store, recorder.run))
        behind = [call + 1 - last for call, last in enumerate(seen)]
        assert max(behind) < 10  # calls, a tenth of a second each
        assert len(set(seen)) <= 9
        recorder.close(state(31))

    @pytest.mark.parametrize(
        "changes",
        [{"phase": Phase.PAUSED}, {"marks": (Mark(2, "momentum 0.97→0.9", "momentum=0.9"),)}],
        ids=["phase", "mark"],
    )
    def test_a_phase_or_a_mark_is_committed_at_once(
        self, path: Path, store: Store, changes: dict[str, Any]
    ) -> None:
        recorder = StoreRecorder(path, clock=Clock())
        recorder.record(state(1), journal([1]))
        recorder.record(state(2), journal([2]))
        assert last_update(store, recorder.run) == 1
        recorder.record(state(3, **changes), journal([3]))
        assert last_update(store, recorder.run) == 3
        recorder.close(state(3, **changes))

    def test_a_checkpoint_never_comes_without_what_led_to_it(
        self, path: Path, store: Store
    ) -> None:
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        recorder.record(state(1), journal([1]))
        clock.now = 0.3
        kept = (checkpoint(1, b"older"), checkpoint(2, b"weights and all"))
        recorder.record(state(2, checkpoints=kept), journal([2]))
        assert store.last_checkpoint(recorder.run) is None
        clock.now = 1.0
        recorder.record(state(3, checkpoints=kept), journal([3]))
        found = store.last_checkpoint(recorder.run)
        assert found is not None
        assert (found.update, found.label, found.state) == (2, "update 2", b"weights and all")
        assert (found.config, found.run) == (kept[1].config, recorder.run)
        assert store.run(recorder.run).checkpoint == 2
        assert store.run(recorder.run).config == CONFIG  # as it began
        assert last_update(store, recorder.run) == 3
        recorder.close(state(3))

    def test_only_the_last_checkpoint_of_an_unfinished_run_is_kept(
        self, path: Path, store: Store
    ) -> None:
        run = keep(path, end=Phase.STOPPED, checkpoints=(checkpoint(1), checkpoint(2)))
        found = store.last_checkpoint(run)
        assert found is not None
        assert found.update == 2

    def test_dear_checkpoints_are_written_seldom_but_whenever_the_run_stands_still(
        self, path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = Clock()

        def slowly(*args: Any) -> None:
            clock.now += 0.5
            put_checkpoint(*args)

        monkeypatch.setattr(recording, "put_checkpoint", slowly)
        recorder = StoreRecorder(path, clock=clock)
        written = []
        for update in range(1, 101):  # a second each
            clock.now = float(update)
            recorder.record(state(update, checkpoints=(checkpoint(update),)), ())
            written.append(store.run(recorder.run).checkpoint)
        assert [written[0], *set(written[1:50])] == [1, 1]
        assert len(set(written)) == 2  # half a second is a hundredth of fifty
        paused = state(101, checkpoints=(checkpoint(101),), phase=Phase.PAUSED)
        recorder.record(paused, ())
        assert store.run(recorder.run).checkpoint == 101
        stopped = state(102, checkpoints=(checkpoint(102),), phase=Phase.PAUSED)
        recorder.close(stopped)
        assert store.run(recorder.run).checkpoint == 102

    def test_a_finished_run_needs_no_checkpoint(self, path: Path, store: Store) -> None:
        recorder = StoreRecorder(path)
        finished = state(2, phase=Phase.FINISHED, checkpoints=(checkpoint(2),))
        recorder.record(finished, ())
        assert store.last_checkpoint(recorder.run) is not None  # it may still go on
        recorder.close(finished)
        assert store.last_checkpoint(recorder.run) is None
        assert store.run(recorder.run).checkpoint is None

    def test_a_checkpoint_with_settings_of_a_newer_bntui_is_refused(
        self, path: Path, store: Store
    ) -> None:
        run = keep(path, end=Phase.STOPPED, checkpoints=(checkpoint(2),))
        store._file.connection.execute(
            "UPDATE checkpoints SET config = json_set(config, '$.warmth', 3)"
        )
        store._file.connection.execute(checksums_statement("checkpoints"))
        with pytest.raises(StoreError, match=r"does not know \(warmth\)"):
            store.last_checkpoint(run)


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


class TestResuming:
    def test_a_resumed_run_is_like_one_that_was_never_interrupted(
        self, path: Path, store: Store
    ) -> None:
        saved = (  # with the state that is resumed, the second just before
            Mark(5, "momentum 0.97→0.9", "momentum=0.9"),
            Mark(300, "recalibrated", "recalibrate"),
        )
        undone = (Mark(300, "batch 64→8", "batch=8"), Mark(320, "batch 8→4", "batch=4"))
        whole = keep(path, updates=600, marks=saved)
        cut = keep(path, updates=333, marks=saved + undone, end=Phase.STOPPED)
        recorder = StoreRecorder(path, origin=Resume(checkpoint(300, run=cut)))
        feed(recorder, range(301, 601), marks=saved)
        recorder.close(state(600, marks=saved, phase=Phase.FINISHED))
        assert recorder.run == cut
        one, other = store.points(whole), store.points(cut)
        assert one.keys() == other.keys()
        for name, points in one.items():
            assert points.updates.tolist() == other[name].updates.tolist()
            assert points.values.tobytes() == other[name].values.tobytes()
        assert store.marks(cut) == store.marks(whole) == saved
        assert [r.update for r in store.reports(cut)] == [r.update for r in store.reports(whole)]
        assert store.run(cut).state is State.FINISHED
        assert len(store.runs()) == 2

    def test_nothing_is_taken_back_before_the_run_is_loaded_again(
        self, path: Path, store: Store
    ) -> None:
        run = keep(path, updates=40, end=Phase.STOPPED)
        recorder = StoreRecorder(path, origin=Resume(checkpoint(10, run=run)))
        failed = Snapshot(phase=Phase.FAILED, message="the data are gone")
        recorder.record(failed, ())
        recorder.close(failed)
        assert last_update(store, run) == 40
        assert store.run(run).state is State.STOPPED

    def test_a_verdict_that_still_holds_is_not_said_again(self, path: Path, store: Store) -> None:
        judged = validation(update=10)
        run = keep(path, updates=40, end=Phase.STOPPED, validation=judged)
        for update in (25, 30, 35):
            recorder = StoreRecorder(path, origin=Resume(checkpoint(20, run=run)))
            recorder.record(state(update, validation=validation(update=update)), ())
            recorder.close(state(update, validation=validation(update=update)))
            assert [said.at for said in store.verdicts(run)] == [10, update]

    def test_a_run_under_way_cant_be_resumed(self, path: Path) -> None:
        recorder = StoreRecorder(path)
        recorder.record(state(1), ())
        with pytest.raises(StoreError, match=f"{recorder.run} is under way"):
            StoreRecorder(path, origin=Resume(checkpoint(1, run=recorder.run)))
        recorder.close(state(1))
        StoreRecorder(path, origin=Resume(checkpoint(1, run=recorder.run))).close(Snapshot())


class TestTrouble:
    """A store that can't be written never stops a run, is spoken of, and is tried again."""

    def test_a_folder_that_cant_be_made(self, tmp_path: Path) -> None:
        in_the_way = tmp_path / "file"
        in_the_way.write_text("")
        clock = Clock()
        recorder = StoreRecorder(in_the_way / "runs.sqlite", clock=clock)
        recorder.record(state(1), journal([1]))
        assert str(in_the_way) in recorder.problem
        assert "BNTUI_STORE" in recorder.problem
        assert recorder.problem.count("\n") == 0

        in_the_way.unlink()  # and the user makes room
        recorder.record(state(2), journal([2]))
        assert recorder.problem  # not tried at every call
        clock.now = 1.0
        recorder.record(state(3), journal([3]))
        assert recorder.problem == ""
        with Store(in_the_way / "runs.sqlite") as store:
            assert store.points(recorder.run)["train_loss"].updates.tolist() == [1, 2, 3]
        recorder.close(state(3))

    def test_a_store_that_another_process_holds(self, path: Path, store: Store) -> None:
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        recorder.record(state(1), journal([1]))
        other = connect(path, patience=1.0)
        other.execute("BEGIN IMMEDIATE")
        mark = (Mark(1, "momentum 0.97→0.9", "momentum=0.9"),)
        recorder.report(report(1))
        recorder.record(state(2, marks=mark), journal([2]))
        assert "locked" in recorder.problem
        other.execute("ROLLBACK")
        other.close()
        clock.now = 1.0
        recorder.record(state(3, marks=mark), journal([3]))
        assert recorder.problem == ""
        assert store.points(recorder.run)["train_loss"].updates.tolist() == [1, 2, 3]
        assert store.marks(recorder.run) == mark
        assert len(store.reports(recorder.run)) == 1
        recorder.close(state(3, marks=mark))

    def test_a_full_disk(self, path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        full = True

        def connect_full(path: Path, *, patience: float) -> sqlite3.Connection:
            connection = connect(path, patience=patience)
            if full:
                pages = connection.execute("PRAGMA page_count").fetchone()[0]
                connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            return connection

        monkeypatch.setattr(runs_file, "connect", connect_full)
        clock = Clock()
        recorder = StoreRecorder(path, clock=clock)
        recorder.record(state(1), journal([1]))
        assert recorder.problem == ""
        for second in range(1, 6):
            clock.now = float(second)
            some = range(1000 * second, 1000 * (second + 1))
            recorder.record(state(some[-1]), journal(some))
        assert "full" in recorder.problem
        assert last_update(store, recorder.run) == 1  # all or nothing
        full = False
        clock.now = 6.0
        recorder.record(state(5999), ())
        assert recorder.problem == ""
        assert store.points(recorder.run)["train_loss"].updates.tolist() == [1, *range(1000, 6000)]
        recorder.close(state(5999))

    def test_what_waits_in_memory_has_an_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(recording, "MOST_WAITING", 100)
        in_the_way = tmp_path / "file"
        in_the_way.write_text("")
        clock = Clock()
        recorder = StoreRecorder(in_the_way / "runs.sqlite", clock=clock)
        recorder.record(state(1), journal([1]))
        clock.now = 1.0
        recorder.record(state(200), journal(range(2, 201)))
        assert "The rest of it is given up" in recorder.problem
        in_the_way.unlink()
        clock.now = 2.0
        recorder.record(state(201), journal([201]))
        recorder.close(state(201))
        assert "The rest of it is given up" in recorder.problem
        with Store(in_the_way / "runs.sqlite") as store:
            assert store.runs() == []

    def test_a_store_of_a_newer_bntui(self, path: Path) -> None:
        connect(path, patience=1.0).execute("PRAGMA user_version = 99")
        recorder = StoreRecorder(path)
        recorder.record(state(1), journal([1]))
        assert "newer bntui" in recorder.problem
        recorder.close(state(1))


def test_a_notice_is_no_problem(tmp_path: Path) -> None:
    recorder = StoreRecorder(tmp_path / "runs.sqlite", notice="the store was mended.")
    recorder.record(state(1), journal([1]))
    assert (recorder.notice, recorder.problem) == ("the store was mended.", "")
    recorder.close(state(1, phase=Phase.STOPPED))
