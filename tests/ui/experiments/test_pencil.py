"""Drawing a curve before an experiment runs, and that line over the outcome."""

from dataclasses import replace

import numpy as np
import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.plan import end_of
from bntui.core.snapshot import Snapshot
from bntui.experiments.experiment import Curve, Experiment
from bntui.experiments.library import configs_of
from bntui.experiments.pencil import STEPS, Pencil
from bntui.ui.drawing.curves import pencilled
from bntui.ui.drawing.view import Axis, View
from bntui.ui.experiments.pencil_screen import Length, PencilChart, PencilScreen, length
from bntui.ui.experiments.progress import ExperimentProgress, Experiments
from bntui.ui.explorer.screen import Explorer
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.experiments.course import SMALL, TWO, at_end, finish, see_it
from tests.ui.scripted import history, mid_run
from tests.ui.user import CONFIG, FULL, TABS, User, opened

DRAWN = replace(TWO, question=replace(TWO.question, draw=Curve("slow", "val_acc")))
LATER = replace(TWO, question=replace(TWO.question, draw=Curve("fast", "val_acc_fresh")))


def offered(experiment: Experiment = DRAWN) -> Experiments:
    return Experiments(lambda: (experiment,), lambda s: configs_of(s, {}))


async def ask(user: User, answer: str = "2") -> None:
    """Answer the question, and be asked for a line."""
    await user.press("g", "enter", answer)
    assert isinstance(user.app.screen, PencilScreen)
    assert len(user.runs.made) == 1


def progress_of(user: User) -> ExperimentProgress:
    progress = user.app.explorer._guide.progress
    assert progress is not None
    return progress


class TestDrawing:
    @pytest.mark.parametrize("size", [FULL, TABS, SMALL])
    async def test_it_is_asked_for_after_the_answer(self, size: tuple[int, int]) -> None:
        async with opened(size, experiments=offered()) as user:
            await ask(user)
            said = user.part(".box")
            assert "validation accuracy with running statistics of “m = 0.99”" in said
            assert "← → move · ↑ ↓ draw · enter takes it · esc skips" in said
            assert "update 0 of 32: 0.50" in said
            assert "0.500 pencil" in said
            assert "updates" in said
            assert "running" in user.text.splitlines()[0]

    async def test_arrows_draw_and_enter_takes_the_line(self) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            await user.press("right", "right", "up", "up", "up", "right", "down")
            assert "update 4.8 of 32: 0.60" in user.part("#reading")
            await user.press("enter")
            assert len(user.runs.made) == 2
            assert user.run.request.note == "01 two · m = 0.99"
            drawn = Pencil((10, 10, 13) + (12,) * 18, 3)
            assert progress_of(user).pencil == drawn
            assert progress_of(user).chosen == 2

    @pytest.mark.parametrize("key", ["escape", "q"])
    async def test_it_can_be_skipped(self, key: str) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            await user.press("up", key)
            assert len(user.runs.made) == 2
            assert progress_of(user).pencil is None
            await see_it(user)
            assert "pencil" not in user.text

    async def test_the_mouse_draws_while_its_button_is_held(self) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            chart = user.app.screen.query_one(PencilChart)
            columns, rows = chart.size.width - 27, chart.size.height - 1
            await user.pilot.mouse_down(chart, offset=(6, 0))
            await user.pilot.hover(chart, offset=(6 + columns // 2, rows - 1))
            await user.pilot.mouse_up(chart, offset=(6 + columns // 2, rows - 1))
            await user.pilot.hover(chart, offset=(8, 3))  # without the button
            await user.settle()
            await user.press("enter")
            pencil = progress_of(user).pencil
            assert pencil is not None
            assert pencil.levels[0] == STEPS
            assert pencil.levels[-1] == 0
            assert pencil.place in {STEPS // 2, STEPS // 2 + 1}

    async def test_in_ascii_it_is(self) -> None:
        async with opened(TABS, experiments=offered(), glyphs=Glyphs.ASCII) as user:
            await ask(user)
            assert user.text.isascii()
            assert "p p p" in user.part("PencilChart")


class TestLength:
    def test_it_is_in_updates_where_such_data_are_at_hand(self) -> None:
        at_hand = mid_run(RunConfig())
        assert length(RunConfig(epochs=2), at_hand) == Length(32, "updates")
        grown = RunConfig(epochs=2, batch_schedule="x2/1", knobs=Knobs(batch_size=125))
        assert length(grown, at_hand) == Length(32 + 16, "updates")

    def test_else_in_epochs(self) -> None:
        assert length(RunConfig(), Snapshot()) == Length(10, "epochs")
        assert length(RunConfig(dataset="photos"), mid_run(CONFIG)) == Length(10, "epochs")

    def test_where_epochs_have_no_fixed_length_in_shares(self) -> None:
        grown = length(RunConfig(batch_schedule="x2/1"), Snapshot())
        assert grown == Length(100, "% of run")
        assert grown.at(0.25) == "25 % of run"
        assert Length(10, "epochs").at(0.25) == "epoch 2.5 of 10"


class TestOverTheOutcome:
    async def test_it_lies_over_the_run_that_it_is_about(self) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            await user.press("up", "up", "enter")
            await see_it(user)
            assert "0.600 pencil" in user.part("#panel-1")
            assert "pencil" not in user.part("#panel-3")
            await finish(user, 0.2)
            await see_it(user)
            assert "run 2 of 2" in user.text
            assert "pencil" not in user.part("#panel-1")

    async def test_after_the_last_run_it_lies_over_all(self) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            await user.press("enter")
            await finish(user, 0.2)
            await finish(user, 0.9)
            assert "0.500 pencil" in user.text
            assert "Your pencil's line was off by 0.39 on average." in user.part("#said")

    async def test_it_waits_for_its_run(self) -> None:
        async with opened(experiments=offered(LATER)) as user:
            await ask(user)
            await user.press("enter")
            await see_it(user)
            assert "pencil" not in user.part("#panel-1")
            await finish(user, 0.2)
            await see_it(user)
            assert "0.500 pencil" in user.part("#panel-1")

    async def test_without_a_line_nothing_is_said_of_one(self) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            await user.press("escape")
            await finish(user, 0.2)
            await finish(user, 0.9)
            assert "pencil" not in user.text

    async def test_once_the_experiment_is_left_the_line_is_gone(self) -> None:
        async with opened(experiments=offered()) as user:
            await ask(user)
            await user.press("enter")
            await see_it(user)
            await user.press("r", "y")
            await see_it(user)
            assert isinstance(user.app.screen, Explorer)
            assert "pencil" not in user.text

    def test_how_far_off_it_was_is_measured_on_its_own_curve(self) -> None:
        ended = at_end(CONFIG, 0.2, series={"val_acc": history([0.1] * 160)}, update=160)
        progress = ExperimentProgress(DRAWN, (CONFIG, CONFIG), None, (ended,), pencil=Pencil())
        assert progress.off() == pytest.approx(0.4)
        other = replace(progress, experiment=LATER)
        assert np.isnan(other.off())
        assert np.isnan(replace(progress, ended=()).off())
        assert np.isnan(replace(progress, pencil=None).off())

    def test_over_images_and_time_it_ends_where_the_run_is(self) -> None:
        run = mid_run(CONFIG, series={"images": history([250.0 * n for n in range(1, 98)])})
        planned = end_of(run)
        assert planned is not None
        line = Pencil().line(planned.update)
        assert pencilled(line, run, View()).view.x[-1] == planned.update
        over_images = pencilled(line, run, View(axis=Axis.IMAGES))
        assert 250.0 * 88 < over_images.view.x[-1] <= 250.0 * 97
        assert over_images.every == 2
        assert pencilled(line, run, View(axis=Axis.SECONDS)).view.x[-1] == planned.update
