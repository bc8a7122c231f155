"""The runs of a guided experiment, arm by arm, and the line that tells of them."""

from dataclasses import replace

import pytest

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.experiments.library import configs_of
from bntui.ui.experiments.progress import Experiments
from bntui.ui.explorer.screen import Explorer
from tests.ui.experiments.course import (
    SMALL,
    TWO,
    begin,
    experiment_lines,
    experiments,
    finish,
    see_it,
)
from tests.ui.scripted import failed
from tests.ui.user import CONFIG, FULL, TABS, TINY, opened


class TestRuns:
    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_a_line_says_where_it_stands_and_how_to_leave(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size, experiments=experiments()) as user:
            before = user.app.explorer.query_one("#body").region.height
            assert "experiment 1" not in user.text
            await begin(user)
            first, second = experiment_lines(user)
            assert first.startswith(" experiment 1 · run 1 of 2: m = 0.99 ")
            assert first.endswith(" what would leave it asks first ")
            assert second.startswith(" Watch the gap between the curves.")
            assert user.app.explorer.query_one("#body").region.height == before - 2

    async def test_what_is_too_long_is_cut_between_words(self) -> None:
        arm = replace(TWO.arms[0], label="many, " * 20)
        long = replace(TWO, watch="word " * 40, arms=(arm,))
        one = Experiments(lambda: (long,), lambda s: configs_of(s, {}))
        async with opened(TABS, experiments=one) as user:
            await begin(user)
            first, second = experiment_lines(user)
            assert first.rstrip().endswith("many, many … (g)")
            assert second.rstrip().endswith("word word … (g)")

    async def test_a_label_that_leaves_room_is_whole(self) -> None:
        label = "batch 256 of 4,000 images, as 4096 of 60,000"
        one = replace(TWO, arms=(replace(TWO.arms[0], label=label),))
        offered = Experiments(lambda: (one,), lambda s: configs_of(s, {}))
        async with opened(TABS, experiments=offered) as user:
            await begin(user)
            assert f"run 1 of 1: {label} " in experiment_lines(user)[0]
            await user.resize(SMALL)
            assert experiment_lines(user)[0].rstrip().endswith("batch 256 of 4,000 … (g)")

    async def test_too_small_a_screen_asks_for_room_alone(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.resize(TINY)
            assert "experiment" not in user.text
            assert "please enlarge" in user.text

    async def test_they_follow_one_another_the_earlier_ones_as_ghosts(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            assert "thread running" in user.part("#panel-1")
            assert "was" not in user.part("#panel-1")
            await finish(user, 0.2)
            assert user.run.snapshot.config == RunConfig(
                width=0.25, epochs=2, knobs=Knobs(momentum=0.9)
            )
            assert user.run.calls == ["start"]
            assert user.run.request.observation == Observation(hindsight=True)
            assert user.run.request.note == "01 two · m = 0.9"
            await see_it(user)
            assert "run 2 of 2: m = 0.9" in user.text
            chart = user.part("#panel-1")
            assert "slow" in chart
            assert "thread" not in chart

    async def test_an_arm_begins_at_the_pace_that_is_watched_at(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.see(knobs=Knobs(pace=5.0))
            await finish(user, 0.2, knobs=Knobs(pace=5.0))
            assert user.run.snapshot.config.knobs == Knobs(momentum=0.9, pace=5.0)

    async def test_under_another_screen_the_end_of_a_run_waits(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.press("question_mark")
            await finish(user, 0.2)
            assert len(user.runs.made) == 2
            await user.press("escape")
            assert len(user.runs.made) == 3

    async def test_what_changes_nothing_leaves_it_alone(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.choose("pace")
            await user.press("left", "n", "space", "C", "x", "p")
            assert "experiment 1 · run 1 of 2" in user.text
            await finish(user, 0.2)
            assert len(user.runs.made) == 3

    async def test_a_turned_knob_leaves_it_with_its_curves_in_place(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await finish(user, 0.2)
            await see_it(user)
            await user.choose("momentum")
            await user.press("left", "y")
            assert user.run.applied[-1].momentum < 0.9
            assert "The experiment is left" in user.text
            assert "experiment 1 · run" not in user.text
            assert "slow" in user.part("#panel-1")
            await finish(user, 0.9)
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 3

    async def test_an_applied_recalibration_leaves_it(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.press("c", "y")
            assert user.run.calls[-1] == "RECALIBRATE"
            assert "The experiment is left" in user.text

    @pytest.mark.parametrize("key", ["r", "R"])
    async def test_a_run_of_ones_own_leaves_it_and_its_ghosts(self, key: str) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await finish(user, 0.2)
            await see_it(user)
            await user.press(key, "y")
            await see_it(user)
            assert user.run.request.note == ""
            assert "The experiment is left" in user.text
            assert "slow" not in user.part("#panel-1")
            assert "was" in user.part("#panel-1")

    async def test_a_run_that_was_trained_on_is_no_longer_its_arm(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await finish(user, 0.2, epochs=4)
            assert "The experiment is left" in user.text
            assert len(user.runs.made) == 2

    async def test_after_a_failure_another_can_be_begun(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.see(failed(CONFIG, "out of memory"))
            assert "run 1 of 2 has failed: m = 0.99" in user.text
            await begin(user)
            assert "run 1 of 2: m = 0.99" in user.text

    async def test_after_a_failure_nothing_is_asked(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.see(failed(CONFIG, "out of memory"))
            await user.press("d")
            assert isinstance(user.app.screen, Explorer)
            assert user.run.snapshot.config.dataset == "digits"
            assert len(user.runs.made) == 3
