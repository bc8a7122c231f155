"""A guided experiment as a value: its runs, and what lies behind each."""

from dataclasses import replace

import pytest

from bntui.core.snapshot import Checkpoint, Snapshot
from bntui.experiments.library import built_in, configs_of
from bntui.experiments.outcome import published
from bntui.ui.drawing.legend import legend
from bntui.ui.drawing.plot import Line
from bntui.ui.experiments.progress import ExperimentProgress, short_names, thread
from tests.ui.experiments.course import TWO, at_end
from tests.ui.scripted import history, mid_run
from tests.ui.user import CONFIG


class TestProgress:
    def progress(self, *ended: Snapshot) -> ExperimentProgress:
        return ExperimentProgress(TWO, configs_of(TWO, {"seed": 5}), None, ended)

    def test_what_lies_behind_holds_no_checkpoints(self) -> None:
        kept = Checkpoint(0, "start", CONFIG, b"much")
        progress = self.progress().with_end(at_end(CONFIG, 0.2, checkpoints=(kept,)))
        ((name, behind),) = progress.ghosts(Snapshot())
        assert (name, behind.checkpoints) == ("slow", ())

    def test_the_last_run_does_not_lie_behind_itself(self) -> None:
        progress = self.progress(at_end(CONFIG, 0.2), at_end(CONFIG, 0.9))
        assert progress.over
        assert [name for name, _ in progress.ghosts(mid_run(CONFIG))] == ["slow"]

    def test_the_threads_run_lies_behind_the_arm_that_repeats_it(self) -> None:
        ghosts = dict(self.progress().ghosts(mid_run(CONFIG)))
        assert ghosts.keys() == {"thread"}
        assert self.progress().ghosts(Snapshot()) == []

    def test_the_threads_epochs_are_laid_over_those_of_the_run(self) -> None:
        series = thread(64, 63, 4_000).series
        validation = series["val_acc"]
        assert validation.x.tolist() == [63.0 * epoch for epoch in range(1, 11)]
        assert validation.last.tolist() == list(published()[64].history("val_acc"))
        assert series["val_loss"].last.tolist() == list(published()[64].history("val_loss"))
        assert series["images"].last.tolist() == [4_000.0 * epoch for epoch in range(1, 11)]
        assert series["seconds"].latest == published()[64].final("seconds")

    def test_arms_are_told_apart_in_a_legend(self) -> None:
        def named(*names: str) -> list[str]:
            arms = tuple(replace(TWO.arms[0], name=name) for name in names)
            return short_names(replace(TWO, arms=arms))

        assert named("with_bn", "bare") == ["with bn", "bare"]
        assert named("linear", "linear_warm", "root-warm") == ["linear", "lin w", "root w"]
        assert named("momentum_9", "momentum_99") == ["m 9", "m 99"]
        assert named("plain", "a_name_beyond_all_measure") == ["#1", "#2"]
        assert named("batch_renorm", "b_renorm") == ["#1", "#2"]

    @pytest.mark.parametrize("name", [arm for one in built_in() for arm in short_names(one)])
    def test_whole_names_of_built_in_arms_fit_beside_two_values(self, name: str) -> None:
        pair = [
            Line(f"{name} {label}", label, history([0.5]), ghost=True)
            for label in ("fresh", "running")
        ]
        others = [Line(label, label, history([0.5])) for label in ("train", "fresh", "running")]
        rows = legend([*pair, *others], rows=4, x=1, x_high=1, row_of=lambda _: 0)
        assert ["".join(text for text, _ in row) for row in rows][-1] == f" 0.500 0.500 {name}"
        assert not name.startswith("#")

    @pytest.mark.parametrize(
        ("name", "row"),
        [
            ("plain running", " 0.500 plain running"),
            ("halfway running", " 0.500 halfway run"),
            ("thread running", " 0.500 thread running"),
            ("a name beyond all measure running", " 0.500 a name beyond…"),
        ],
    )
    def test_a_legend_takes_short_forms_of_words(self, name: str, row: str) -> None:
        ((found,),) = legend([Line(name, "", history([0.5]))], rows=1, x=1, x_high=1, row_of=int)
        assert found == (row, "")
