"""What came out of an experiment, and where one goes from there."""

from dataclasses import replace

import pytest
from textual.containers import VerticalScroll

from bntui.core.measured import Recalibration
from bntui.experiments.library import configs_of
from bntui.experiments.reader import parse
from bntui.ui.experiments.progress import Experiments
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.answer import Answer
from tests.ui.experiments.course import FILE, SMALL, begin, experiments, finish, see_it
from tests.ui.scripted import failed
from tests.ui.user import CONFIG, FULL, TABS, User, opened


class TestConclusion:
    async def concluded(self, user: User, answer: str = "2") -> None:
        await begin(user, answer)
        await finish(user, 0.2)
        await finish(user, 0.9)

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_it_says_of_every_claim_whether_it_holds(self, size: tuple[int, int]) -> None:
        async with opened(size, experiments=experiments()) as user:
            await self.concluded(user)
            for text in (
                "1. Two momenta [red]:smile:",
                "Which validates better?",
                "√ The answer was [2] 0.9. As you predicted.",
                "√ A lower momentum helps: 0.20 and 0.90.",
                "× Not so on this run: It takes 32 updates.",
                "· Not measured: Recalibration helps.",
            ):
                assert text in user.part("#said")
            user.app.screen.query_one(".box", VerticalScroll).scroll_end(animate=False)
            await user.settle()
            said = user.part("#runs")
            assert "acc val_acc val_loss" in said
            assert "0.9873 0.1141 7.6021" in said
            assert "m = 0.99 0.9000 0.2000 2.0000 0.9500" in said
            assert "m = 0.9 0.9000 0.9000 2.0000 0.9500" in said
            assert "[enter] next: 2. One run" in said
            assert "enter: the next · g: all · esc: stay here" in user.part(".box")

    @pytest.mark.parametrize("size", [FULL, (200, 60)])
    async def test_it_leaves_the_chart_with_all_curves_in_sight(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size, experiments=experiments()) as user:
            await self.concluded(user)
            await user.settle()
            chart = user.app.explorer.query_one("#panel-1").region
            box = user.app.screen.query_one(".box").region
            assert chart.height >= 12
            assert box.y >= chart.bottom
            assert box.bottom == size[1]
            text = user.text
            for curve in ("slow fresh", "slow running", "0.114 running"):
                assert curve in text

    @pytest.mark.parametrize("size", [TABS, SMALL])
    async def test_where_there_is_no_room_for_both_it_takes_all_but_the_header(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size, experiments=experiments()) as user:
            await self.concluded(user)
            box = user.app.screen.query_one(".box").region
            assert box.y >= 1
            assert box.width == size[0]
            assert "finished" in user.text.splitlines()[0]

    async def test_it_makes_room_as_the_terminal_is_resized(self) -> None:
        async with opened(TABS, experiments=experiments()) as user:
            await self.concluded(user)
            await user.resize(FULL)
            await user.until(lambda: user.app.screen.has_class("-beside"))
            await user.resize(TABS)
            await user.until(lambda: not user.app.screen.has_class("-beside"))
            assert "√ The answer was [2]" in user.part("#said")

    async def test_each_sentence_has_a_line_of_its_own(self) -> None:
        texts = "It is {fast.val_acc:.2f}. The thread saw {thread_4096.val_acc:.4f}, 0.9 of it."
        source = FILE.replace("It takes {fast.updates:.0f} updates.", texts)
        one = replace(parse(source, name="two", file="two.toml"), number=1)
        offered = Experiments(lambda: (one,), lambda s: configs_of(s, {}))
        async with opened(experiments=offered) as user:
            await self.concluded(user)
            lines = [line[1:60].strip() for line in user.text.splitlines()]
            assert lines[lines.index("It is 0.90.") + 1] == "The thread saw 0.1141, 0.9 of it."

    async def test_the_contrary_of_a_claim_needs_no_words_before_it(self) -> None:
        source = FILE.replace(
            'text = "It takes {fast.updates:.0f} updates."',
            'text = "Just as many."\notherwise = "It takes {fast.updates:.0f} updates."',
        )
        one = replace(parse(source, name="two", file="two.toml"), number=1)
        offered = Experiments(lambda: (one,), lambda s: configs_of(s, {}))
        async with opened(experiments=offered) as user:
            await self.concluded(user)
            assert "× It takes 32 updates." in user.part("#said")

    async def test_what_comes_next_can_be_clicked(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user)
            await user.pilot.click(user.app.screen.query(Answer).first())
            await user.settle()
            assert "Well?" in user.text

    async def test_a_wrong_prediction_is_named(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user, "1")
            assert "× The answer was [2] 0.9. You predicted [1] [b]0.99." in user.part("#said")

    async def test_no_prediction_is_neither_right_nor_wrong(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.concluded(user, "enter")
            said = user.part("#said")
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
            assert "√ Recalibration helps." in user.part("#said")

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


class TestUnfinished:
    """Not every run has come to its end."""

    async def test_what_was_measured_before_it_was_left_can_be_seen(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await finish(user, 0.2)
            await see_it(user)
            await user.choose("momentum")
            await user.press("left", "y", "g")
            assert "what 1 of 2 runs showed" in user.text
            said, runs = user.part("#said"), user.part("#runs")
            assert "Which answer is right was not measured. You predicted [2] 0.9." in said
            assert "· Not measured: A lower momentum helps: 0.20 and (not measured)." in said
            assert "m = 0.99 0.9000 0.2000 2.0000 0.9500" in runs
            assert "m = 0.9 not measured" in runs
            await user.press("g")
            assert "what it is about" in user.text
            assert "done" not in user.part("OptionList")

    async def test_a_run_that_failed_was_not_measured(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await finish(user, 0.2)
            await user.see(failed(CONFIG, "out of memory"))
            assert "run 2 of 2 has failed: m = 0.9" in user.text
            await user.press("g")
            assert "m = 0.9 not measured" in user.part("#runs")

    async def test_before_the_first_end_there_is_nothing_to_show(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.see(failed(CONFIG, "out of memory"))
            await user.press("g")
            assert "what it is about" in user.text


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
        assert "x  Not so on this run:" in user.text
        assert user.text.isascii()
