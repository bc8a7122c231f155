"""What is asked before an experiment runs, and how it is answered."""

from dataclasses import replace

import pytest
from textual.containers import VerticalScroll

from bntui.core.config import Observation, RunConfig
from bntui.core.text import ConfigError
from bntui.experiments.experiment import Choice, Experiment
from bntui.experiments.library import built_in
from bntui.ui.experiments.question import QuestionScreen
from bntui.ui.explorer.screen import Explorer
from bntui.ui.widgets.answer import Answer
from tests.ui.experiments.course import ONE, SMALL, TWO, experiments, finish
from tests.ui.user import FULL, TABS, opened


class TestQuestion:
    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_it_is_put_before_anything_runs(self, size: tuple[int, int]) -> None:
        async with opened(size, experiments=experiments()) as user:
            await user.press("g", "enter")
            for text in ("Which validates better?", "[1] [b]0.99", "[2] 0.9", "post 1 of the"):
                assert text in user.part("VerticalScroll")
            assert len(user.runs.made) == 1

    @pytest.mark.parametrize("size", [TABS, SMALL])
    async def test_all_answers_are_in_sight_below_the_header(self, size: tuple[int, int]) -> None:
        async with opened(size) as user:
            for experiment in built_in():
                user.app.push_screen(QuestionScreen(experiment))
                await user.settle()
                said = user.part("#asked")
                assert experiment.question.text in said
                for number, choice in enumerate(experiment.question.choices, start=1):
                    assert f"[{number}] {choice.text}" in said
                assert "running" in user.text.splitlines()[0]
                box = user.app.screen.query_one(".box", VerticalScroll)
                box.scroll_end(animate=False)
                await user.settle()
                assert experiment.hypothesis.split()[-1] in user.part(".box")
                assert user.part("#asked") == said
                await user.press("escape")

    async def test_however_many_there_are_none_is_out_of_reach(self) -> None:
        many = tuple(Choice("an answer in several words " * 4, None) for _ in range(9))
        asked = replace(TWO, question=replace(TWO.question, choices=many))
        async with opened(SMALL) as user:
            user.app.push_screen(QuestionScreen(asked))
            await user.settle()
            assert "[1]" in user.part("#asked")
            user.app.screen.query_one("#asked", VerticalScroll).scroll_end(animate=False)
            await user.settle()
            assert "[9]" in user.part("#asked")

    async def test_an_answer_can_be_clicked(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "enter")
            _, second = user.app.screen.query(Answer)
            await user.pilot.click(second)
            await user.settle()
            assert user.run.request.note == "01 two · m = 0.99"
            await finish(user, 0.2)
            await finish(user, 0.9)
            assert "As you predicted." in user.part("#said")

    async def test_a_number_answers_it_and_begins_the_first_run(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "enter", "2")
            assert user.run.snapshot.config == RunConfig(width=0.25, epochs=2)
            assert user.run.request.left_open == frozenset()
            assert user.run.calls == ["start"]
            assert user.run.request.observation == Observation()
            assert user.run.request.note == "01 two · m = 0.99"

    async def test_only_numbers_of_answers_count(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "enter", "3", "9", "0")
            assert "Which validates better?" in user.text
            assert len(user.runs.made) == 1

    async def test_esc_begins_nothing(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "enter", "escape")
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 1

    async def test_the_command_lines_comes_first_and_nothing_runs_meanwhile(self) -> None:
        async with opened(experiments=experiments(ONE), paused=True) as user:
            assert "Well?" in user.text
            assert user.run.calls == []
            await user.press("1")
            assert user.run.snapshot.config.epochs == 3
            assert user.run.calls == ["start"]

    async def test_left_unanswered_the_run_waits(self) -> None:
        async with opened(experiments=experiments(ONE), paused=True) as user:
            await user.press("escape")
            assert user.run.calls == ["start paused"]
            assert len(user.runs.made) == 1

    async def test_what_cant_be_run_is_a_notice(self) -> None:
        def refuse(_: Experiment) -> tuple[RunConfig, ...]:
            raise ConfigError("the folder [red] is not there.")

        async with opened(experiments=experiments(configs=refuse)) as user:
            await user.press("g", "enter", "1")
            assert "the folder [red] is not there." in user.part()
            assert len(user.runs.made) == 1
