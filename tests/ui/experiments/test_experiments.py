"""Guided experiments in the explorer: chosen, asked about, run arm by arm, concluded."""

from dataclasses import replace
from typing import Any

import pytest
from textual.containers import VerticalScroll

from bntui.core.config import Knobs, Observation, RunConfig
from bntui.core.measured import Recalibration
from bntui.core.snapshot import Checkpoint, EpochReport, Phase, Snapshot
from bntui.core.text import ConfigError
from bntui.experiments.experiment import Choice, Experiment
from bntui.experiments.library import built_in, configs_of
from bntui.experiments.outcome import published
from bntui.experiments.reader import parse
from bntui.ui.drawing.legend import legend
from bntui.ui.drawing.plot import Line
from bntui.ui.experiments.experiment_line import ExperimentLine
from bntui.ui.experiments.leave import LeaveScreen
from bntui.ui.experiments.progress import ExperimentProgress, Experiments, short_names, thread
from bntui.ui.experiments.question import QuestionScreen
from bntui.ui.explorer.screen import Explorer
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.answer import Answer
from tests.ui.scripted import failed, history, mid_run
from tests.ui.user import CONFIG, FULL, TABS, TINY, User, opened

SMALL = (60, 16)
FILE = """
title = "Two momenta [red]:smile:"
post = 1
hypothesis = "Old values stay."
watch = "the gap between the curves."
[question]
text = "Which validates better?"
choices = [
    { text = "[b]0.99", right = "slow.val_acc > fast.val_acc" },
    { text = "0.9" },
]
[options]
width = 0.25
epochs = 2
[arm.slow]
label = "m = 0.99"
published = 4096
[arm.fast]
label = "m = 0.9"
momentum = 0.9
[[claim]]
holds = 'fast["0.9"] == fast.val_acc and fast.val_acc > slow.val_acc'
text = "A lower momentum helps: {slow.val_acc:.2f} and {fast.val_acc:.2f}."
[[claim]]
holds = "fast.updates == 99"
text = "It takes {fast.updates:.0f} updates."
[[claim]]
holds = "slow.recalibrated_to > 0.5"
text = "Recalibration helps."
"""
ALONE = """
title = "One run"
hypothesis = "Nothing happens."
watch = "nothing."
[question]
text = "Well?"
choices = [{ text = "yes", right = "run.acc > 0" }, { text = "no" }]
[arm.run]
epochs = 3
at = ["4:recalibrate"]
[[claim]]
holds = "run.acc > 0"
text = "It learns."
"""
TWO = replace(parse(FILE, name="two", file="two.toml"), number=1)
ONE = replace(parse(ALONE, name="one", file="one.toml"), number=2)


def experiments(first: Experiment | None = None, *, configs: Any = None) -> Experiments:
    return Experiments(lambda: (TWO, ONE), configs or (lambda s: configs_of(s, {})), first)


def report(epoch: int, val_acc: float) -> EpochReport:
    rows = (("0.9", val_acc),)
    return EpochReport(
        epoch, 16 * epoch, 1.0, 1.0, 0.1, 0.9, 2.0, val_acc, 0.1, 0.95, hindsight=rows
    )


def at_end(config: RunConfig, val_acc: float, **changes: Any) -> Snapshot:
    reports = tuple(report(epoch, val_acc) for epoch in range(1, config.epochs + 1))
    values: dict[str, Any] = {"phase": Phase.FINISHED, "epochs": config.epochs, "reports": reports}
    return mid_run(config, **values | changes)


async def finish(user: User, val_acc: float, **changes: Any) -> None:
    """Let the run at hand come to the end of its epochs."""
    await user.see(at_end(user.run.snapshot.config, val_acc, **changes))


async def begin(user: User, answer: str = "2") -> None:
    """Begin the first experiment of the list."""
    await user.press("g", "enter", answer)
    await see_it(user)


def experiment_lines(user: User) -> list[str]:
    """Return the two lines that say which experiment is under way."""
    area = user.app.explorer.query_one(ExperimentLine).region
    return user.text.splitlines()[area.y : area.bottom]


async def see_it(user: User) -> None:
    user.app.explorer.follower.poll()
    await user.settle()


class TestList:
    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_it_has_every_experiment_and_says_what_the_chosen_one_is_about(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size, experiments=experiments()) as user:
            await user.press("g")
            for text in ("1 Two momenta", "[red]:smile:", "post 1", "2 One run"):
                assert text in user.part("OptionList")
            sheet = user.part("#sheet")
            assert "Old values stay. Watch the gap between the curves." in sheet
            assert "Runs, each with width 0.25 · epochs 2" in sheet
            assert "m = 0.99 as the thread's run at batch 4096 m = 0.9: momentum 0.9" in sheet
            await user.press("down")
            sheet = user.part("#sheet")
            assert "2. One run" in sheet
            assert "Runs run: epochs 3 · at 4:recalibrate" in sheet

    async def test_esc_leaves_everything_as_it_is(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "escape")
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 1

    async def test_the_sheet_can_be_read_and_begun_from(self) -> None:
        async with opened(experiments=experiments()) as user:
            await user.press("g", "down", "tab", "enter")
            assert "Well?" in user.text

    async def test_without_experiments_it_says_so(self) -> None:
        async with opened() as user:
            await user.press("g")
            assert "there are no experiments here" in user.text


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
            assert "as you predicted" in user.part()

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
            await user.press("left", "n", "space", "c", "x", "p")
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
            await user.press("c", "c", "y")
            assert user.run.calls[-2:] == ["PEEK", "RECALIBRATE"]
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


KEPT = Checkpoint(0, "start", CONFIG, b"much")
LEAVING = {
    "a turned knob": ("right",),
    "a typed value": ("enter", "0", ".", "5", "enter"),
    "another structure": ("up", "left"),
    "a recalibration": ("c", "c"),
    "a restart": ("r",),
    "a restart with a new seed": ("R",),
    "a new run": ("k", "down", "right", "r"),
    "a twin": ("t", "enter"),
    "a branch": ("b", "enter"),
    "another experiment": ("g", "down", "enter"),
}
"""Keys that would leave an experiment, with the knob for momentum chosen."""


class TestLeaving:
    async def ask(self, user: User, keys: tuple[str, ...]) -> None:
        await begin(user)
        await user.see(checkpoints=(KEPT,))
        await user.choose("momentum")
        await user.press(*keys)
        assert isinstance(user.app.screen, LeaveScreen)
        said = user.part(".box")
        assert "This leaves experiment 1: its conclusion would not be about this run." in said
        assert "[y] leave it" in said

    @pytest.mark.parametrize("keys", LEAVING.values(), ids=LEAVING)
    async def test_whoever_stays_finds_nothing_changed(self, keys: tuple[str, ...]) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, keys)
            await user.press("n")
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 2
            assert user.run.applied == []
            assert "RECALIBRATE" not in user.run.calls
            assert "0.99" in user.knob("momentum")
            assert "on" in user.knob("norm")
            assert "experiment 1 · run 1 of 2" in user.text
            await finish(user, 0.2)
            assert len(user.runs.made) == 3

    @pytest.mark.parametrize("keys", LEAVING.values(), ids=LEAVING)
    async def test_whoever_agrees_gets_what_they_asked_for(self, keys: tuple[str, ...]) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, keys)
            await user.press("y")
            done = len(user.runs.made) == 3 or user.run.applied or "RECALIBRATE" in user.run.calls
            assert done or "Well?" in user.text

    @pytest.mark.parametrize("answer", ["escape", "enter", "q"])
    async def test_only_a_clear_yes_leaves(self, answer: str) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, ("r",))
            await user.press(answer)
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 2

    async def test_a_branch_that_is_given_up_is_not_told_of(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, LEAVING["a branch"])
            await user.press("n")
            assert "back at update" not in user.text

    async def test_it_is_asked_once_however_often_a_key_is_pressed(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await user.choose("momentum")
            user.app.simulate_key("left")
            user.app.simulate_key("left")
            await user.settle()
            await user.settle()
            assert isinstance(user.app.screen, LeaveScreen)
            await user.press("n")
            assert isinstance(user.app.screen, Explorer)
            assert "0.99" in user.knob("momentum")

    async def test_a_run_that_ended_meanwhile_is_the_one_that_is_changed(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, ("right",))
            await finish(user, 0.2)
            await user.press("y")
            await see_it(user)
            assert len(user.runs.made) == 2
            assert user.run.applied
            assert "The experiment is left" in user.text

    async def test_an_answer_can_be_clicked(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, ("r",))
            leave, _ = user.app.screen.query(Answer)
            await user.pilot.click(leave)
            await user.settle()
            assert len(user.runs.made) == 3

    async def test_the_header_goes_on_telling_of_the_run(self) -> None:
        async with opened(experiments=experiments()) as user:
            await self.ask(user, ("r",))
            assert "update 97" in user.text.splitlines()[0]

    async def test_an_experiment_that_is_over_is_not_asked_about(self) -> None:
        async with opened(experiments=experiments()) as user:
            await begin(user)
            await finish(user, 0.2)
            await finish(user, 0.9)
            await user.press("escape", "r")
            assert isinstance(user.app.screen, Explorer)
            assert len(user.runs.made) == 4


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
