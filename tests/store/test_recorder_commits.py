"""When a recorder commits, and how a run that is gone on with is kept."""

from pathlib import Path
from typing import Any

import pytest

from bntui.core.run_request import Resume
from bntui.core.snapshot import Mark, Phase, Snapshot
from bntui.store import recorder as recording
from bntui.store.checksum import checksums_statement
from bntui.store.database import Store
from bntui.store.recorder import StoreRecorder
from bntui.store.schema import StoreError
from bntui.store.writing import State, put_checkpoint
from tests.store.recorded import CONFIG, Clock, checkpoint, feed, journal, keep, last_update, state
from tests.ui.scripted import validation


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
