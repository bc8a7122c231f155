"""A cell of the map opens its moment: layers, then a channel, then the arithmetic; esc goes back up."""

import pytest

from bntui.core.measured import Recalibration
from bntui.core.snapshot import Snapshot
from bntui.ui.drawing.view import View
from bntui.ui.explorer.drift import DriftTable
from bntui.ui.explorer.moment import MomentScreen, about
from bntui.ui.explorer.past import as_of, kept_validations, nearest
from bntui.ui.explorer.results import Results
from tests.ui.explorer.kept import at, kept_run
from tests.ui.explorer.mapped import hindsight
from tests.ui.user import User, opened

MAP = hindsight((12, 60, 97))


async def on_the_map(user: User, *updates: int) -> None:
    await user.see(kept_run(*updates, hindsight=MAP))
    await user.choose("panel-3")


def screen(user: User) -> str:
    return type(user.app.screen).__name__


class TestPast:
    def test_the_last_validation_up_to_an_update_is_the_nearest(self) -> None:
        run = kept_run(10, 50, 97)
        assert [one.update for one in kept_validations(run)] == [10, 50, 97]
        for update, found in ((97, 97), (96, 50), (50.0, 50), (10, 10), (1000, 97)):
            known = nearest(run, update)
            assert known
            assert known.update == found
        assert nearest(run, 9) is None
        assert nearest(Snapshot(), 9) is None

    def test_the_validation_that_is_shown_counts_even_if_it_was_not_kept(self) -> None:
        run = kept_run(10, 50, validation=at(97))
        assert [one.update for one in kept_validations(run)] == [10, 50, 97]

    def test_as_of_a_moment_nothing_later_is_there(self) -> None:
        done = Recalibration(60, 0.1, 0.9, applied=True)
        then = as_of(kept_run(10, 50, 97, recalibrated=done), at(50))
        assert then.update == 50
        assert then.recalibrated is None
        assert all((view.x <= 50).all() for view in then.series.values())
        assert then.series["train_acc"].x[-1] == 50
        assert as_of(kept_run(97, recalibrated=done), at(97)).recalibrated is done

    def test_it_says_when_it_was_and_what_was_found(self) -> None:
        assert about(at(97)) == [
            "Update 97, 1,000 images: accuracy 0.114 with running statistics, 0.974 with fresh ones.",
            "38 % of the start value is left.",
        ]


class TestScreens:
    async def test_m_goes_down_to_the_arithmetic_and_escape_back_up(self) -> None:
        async with opened() as user:
            await on_the_map(user)
            await user.press("m")
            assert screen(user) == "MomentScreen"
            assert "Update 97, 1,000 images: accuracy 0.197 with running" in user.part("#when")
            await user.press("down", "enter")
            assert screen(user) == "LayerScreen"
            assert "conv2_bn layer 2 of 5, update 97" in user.part()
            await user.press("down", "enter")
            assert screen(user) == "ChannelScreen"
            assert "r ← 0.99·" in user.part()
            for below in ("LayerScreen", "MomentScreen", "Explorer"):
                await user.press("escape")
                assert screen(user) == below

    async def test_the_crosshair_says_which_moment(self) -> None:
        async with opened() as user:
            await on_the_map(user)
            results = user.app.explorer.query_one(Results)
            results.view = View(cursor=70.0)
            await user.see(kept_run(hindsight=MAP))
            await user.press("m")
            assert "Update 50, " in user.part("#when")

    async def test_left_and_right_go_to_other_moments(self) -> None:
        async with opened() as user:
            await on_the_map(user)
            await user.press("m", "left")
            assert "Update 50, " in user.part("#when")
            assert "61 % of the start value" in user.part("#when")
            await user.press("left", "left")
            assert "Update 10, " in user.part("#when")
            await user.press("right", "right", "right")
            assert "Update 97, " in user.part("#when")

    async def test_a_moment_of_the_past_stays_while_the_run_goes_on(self) -> None:
        async with opened() as user:
            await on_the_map(user)
            await user.press("m", "enter")
            await user.see(kept_run(10, 50, 97, 120, hindsight=MAP))
            assert "update 97" in user.part()
            await user.press("w")
            assert "CHANNELS" not in user.run.calls
            await user.press("escape")
            await user.see()
            await user.press("right")
            assert "Update 120, " in user.part("#when")

    async def test_the_layer_shown_last_is_chosen_on_the_way_back(self) -> None:
        async with opened() as user:
            await on_the_map(user)
            await user.press("m", "enter", "right", "right", "escape")
            moment = user.app.screen
            assert isinstance(moment, MomentScreen)
            assert moment.query_one(DriftTable).chosen == 2

    async def test_before_anything_was_kept_it_says_so(self) -> None:
        async with opened() as user:
            await on_the_map(user, 80)
            results = user.app.explorer.query_one(Results)
            results.view = View(cursor=60.0)
            await user.see(kept_run(80, hindsight=MAP))
            await user.press("m")
            assert screen(user) == "Explorer"
            assert "no validation up to update 60 was kept with its layers" in user.part()

    async def test_enter_on_the_runs_own_row_opens_the_moment(self) -> None:
        async with opened() as user:
            await on_the_map(user)
            await user.press("enter")
            assert screen(user) == "MomentScreen"

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
    async def test_every_size_shows_all_of_it(self, size: tuple[int, int]) -> None:
        async with opened(size) as user:
            await on_the_map(user)
            await user.press("3", "m")
            assert "start value" in user.part("#when")
            assert user.part().count("_bn") >= 5
            await user.press("enter", "enter")
            assert "r ← 0.99·" in user.part()
            assert "v ← 0.99·" in user.part()


async def test_the_help_has_the_numbers_of_the_moment() -> None:
    async with opened() as user:
        await on_the_map(user)
        await user.press("m", "left", "question_mark")
        assert screen(user) == "HelpScreen"
        assert "150 / 1,000 = 0.150" in user.part()  # of update 50, and not of 97
