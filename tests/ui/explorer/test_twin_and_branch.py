"""A twin beside a run, and the way back to any of its moments, from the keyboard."""

import math
from dataclasses import replace

from bntui.core.run_request import Branch, New
from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.drawing.curves import curves, series_difference
from bntui.ui.drawing.view import FOLLOWING
from tests.ui.explorer.states import MOMENTS
from tests.ui.scripted import history, mid_run
from tests.ui.user import CONFIG, FULL, TABS, opened


class TestTwin:
    async def test_t_asks_for_the_twins_value_and_begins_both_anew(self) -> None:
        async with opened() as user:
            await user.choose("momentum")
            await user.press("t")
            assert "a twin with another momentum" in user.text
            await user.type("0.9")
            assert user.run.request.origin == New()
            assert user.run.snapshot.config == replace(CONFIG, twin="momentum=0.9")
            assert user.run.calls[0] == "start"

    async def test_it_proposes_the_next_value_down(self) -> None:
        async with opened() as user:
            await user.choose("batch-size")
            await user.press("t", "enter")
            assert user.run.snapshot.config.twin == "batch=128"

    async def test_a_norm_can_be_the_difference(self) -> None:
        async with opened() as user:
            await user.choose("norm")
            await user.press("t", "enter")
            assert user.run.snapshot.config.twin == "norm=none"

    async def test_t_again_goes_on_without(self) -> None:
        async with opened(config=replace(CONFIG, twin="momentum=0.9")) as user:
            await user.press("t")
            assert user.run.snapshot.config == CONFIG

    async def test_without_a_knob_in_hand_it_says_what_to_do(self) -> None:
        async with opened() as user:
            for chosen in ("pace", "panel-4"):
                await user.choose(chosen)
                await user.press("t")
                assert len(user.runs.made) == 1
                assert "choose a knob first" in user.text

    async def test_the_twin_and_the_difference_are_on_the_chart(self) -> None:
        async with opened() as user:
            twin = replace(user.run.snapshot, config=CONFIG)
            await user.see(twin=twin)
            chart = user.part("#panel-1")
            assert "twin" in chart
            assert "apart" in chart

    def test_the_difference_is_taken_where_both_were_validated(self) -> None:
        mine, theirs = history([0.1, 0.2, 0.3, 0.9]), history([0.5, math.nan, 0.1])
        one, other = Snapshot(series={"val_acc": mine}), Snapshot(series={"val_acc": theirs})
        apart = series_difference(one, other, "val_acc")
        assert apart.x.tolist() == mine.x[:3].tolist()
        assert [round(value, 6) for value in apart.last.tolist()[::2]] == [-0.4, 0.2]
        assert apart.broken.tolist() == [False, True, False]

    def test_the_loss_has_no_line_for_it(self) -> None:
        snapshot = mid_run(CONFIG, twin=mid_run(CONFIG))
        labels = [line.label for line in curves("loss", snapshot, FOLLOWING)]
        assert "apart" not in labels


class TestBranch:
    async def test_b_lists_the_moments_and_enter_goes_back_and_waits(self) -> None:
        for size in (FULL, TABS):
            async with opened(size) as user:
                await user.see(checkpoints=MOMENTS)
                await user.press("b")
                for moment in MOMENTS:
                    assert moment.label in user.text
                await user.press("up", "enter")
                assert user.run.request.origin == Branch(MOMENTS[1])
                assert user.run.calls[0] == "start paused"
                assert "back at update 16" in user.text

    async def test_the_crosshair_proposes_the_moment_before_it(self) -> None:
        async with opened() as user:
            await user.see(checkpoints=MOMENTS, update=97)
            for _ in range(8):
                await user.press("less_than_sign")
            await user.press("b", "enter")
            begun = user.run.request.checkpoint
            assert begun
            assert begun.update < 40

    async def test_esc_leaves_the_run_as_it_is(self) -> None:
        async with opened() as user:
            await user.see(checkpoints=MOMENTS)
            await user.press("b", "escape")
            assert len(user.runs.made) == 1
            assert user.run.snapshot.phase is Phase.RUNNING

    async def test_without_a_moment_there_is_nothing_to_list(self) -> None:
        async with opened() as user:
            await user.press("b")
            assert "return to a moment" not in user.text
