"""What came out of an experiment, and where one goes from there."""

import pytest

from bntui.core.measured import Recalibration
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.experiments.course import begin, experiments, finish, see_it
from tests.ui.user import FULL, TABS, User, opened


class TestConclusion:
    async def concluded(self, user: User, answer: str = "2") -> None:
        await begin(user, answer)
        await finish(user, 0.2)
        await finish(user, 0.9)

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_it_says_of_every_claim_whether_it_holds(self, size: tuple[int, int]) -> None:
        async with opened(size, experiments=experiments()) as user:
            await self.concluded(user)
            said = user.part("VerticalScroll")
            for text in (
                "1. Two momenta [red]:smile:",
                "Which validates better?",
                "√ The answer was [2] 0.9, as you predicted.",
                "√ holds A lower momentum helps: 0.20 and 0.90.",
                "× does not It takes 32 updates.",
                "· not measured Recalibration helps.",
            ):
                assert text in said
            await user.press("end")
            said = user.part("VerticalScroll")
            assert "acc val_acc val_loss" in said
            assert "the thread, batch 4096, 10 epochs 0.9873 0.1141 7.6021" in said
            assert "m = 0.99 0.9000 0.2000 2.0000 0.9500" in said
            assert "m = 0.9 0.9000 0.9000 2.0000 0.9500" in said
            assert "enter next, 2. One run" in said
            assert "enter: the next · g: all · esc: stay here" in said

    async def test_a_wrong_prediction_is_named(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user, "1")
            assert "× The answer was [2] 0.9; you predicted [1] [b]0.99." in user.part()

    async def test_no_prediction_is_neither_right_nor_wrong(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user, "enter")
            said = user.part()
            assert "The answer was [2] 0.9." in said
            assert "√ The answer" not in said
            assert "× The answer" not in said

    async def test_a_look_at_a_recalibration_hides_none_that_was_applied(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            tried = Recalibration(30, 0.9, 0.91, False)
            applied = Recalibration(4, 0.1, 0.8, True)
            await finish(user, 0.2, recalibration=tried, recalibrated=applied)
            await finish(user, 0.9)
            assert "√ holds Recalibration helps." in user.part()

    async def test_enter_goes_on_with_the_next_and_after_the_last_with_the_list(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user)
            await user.press("enter")
            assert "Well?" in user.text
            await user.press("enter")
            await finish(user, 0.5)
            assert "It learns." in user.text
            await user.press("enter")
            assert "what it is about" in user.text

    async def test_esc_stays_with_the_curves_and_g_comes_back(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user)
            await user.press("escape")
            assert "experiment 1 · Two momenta [red]:smile:: all runs are over" in user.text
            assert "slow" in user.part("#panel-1")
            assert len(user.runs.made) == 3
            await user.choose("momentum")
            await user.press("left")
            assert "is left" not in user.text
            await user.press("g")
            assert "A lower momentum helps" in user.text
            await user.press("g")
            assert "what it is about" in user.text
            await user.press("enter")
            assert "Well?" in user.text


async def test_in_ascii_every_screen_is() -> None:
    async with opened(TABS, experiments=experiments(), glyphs=Glyphs.ASCII) as user:
        await user.press("g")
        assert user.text.isascii()
        await user.press("enter")
        assert user.text.isascii()
        await user.press("1")
        await see_it(user)
        assert user.text.isascii()
        assert "batch 256" in user.part("#knobs")
        await finish(user, 0.2)
        await finish(user, 0.9)
        assert "x does not" in user.text
        assert user.text.isascii()
