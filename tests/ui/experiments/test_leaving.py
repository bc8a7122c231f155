"""Whatever would leave an experiment asks first, and changes nothing unless the reader agrees."""

from dataclasses import replace

import pytest

from bntui.core.snapshot import Checkpoint
from bntui.ui.experiments.leave import LeaveScreen
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.explorer.screen import Explorer
from bntui.ui.explorer.whatif import WhatIf
from bntui.ui.widgets.answer import Answer
from tests.ui.experiments.course import begin, experiments, finish, see_it
from tests.ui.explorer.mapped import HIGH, LOW, MIDDLE, hindsight, looks
from tests.ui.user import CONFIG, User, opened

KEPT = Checkpoint(0, "start", CONFIG, b"much")
LEAVING = {
    "a turned knob": ("right",),
    "a typed value": ("enter", "0", ".", "5", "enter"),
    "another structure": ("up", "left"),
    "a recalibration": ("c",),
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


@pytest.mark.parametrize("screen", ["the map", "what if"])
class TestHindsight:
    """A row of the map may turn two knobs at once; what that does is told only if it is done."""

    async def use(self, user: User, screen: str) -> None:
        """Ask for momentum 0.9, from the map or from what-if, in a run with another estimator."""
        await begin(user)
        past = hindsight((4, 50, 97), rows={"0.9": (LOW, MIDDLE, HIGH)})
        last = hindsight((97,), rows={"0.9": (HIGH,)})
        knobs = replace(user.run.snapshot.knobs, estimator="warm-up")
        await user.see(hindsight=past, what_if=last, knobs=knobs)
        await user.choose("panel-3")
        if screen == "what if":
            await user.press("w")
            user.app.screen.query_one(WhatIf).row = "0.9"
        else:
            rows = list(looks((4,)).rows)
            user.app.screen.query_one(HindsightMap).action_move(
                rows.index("0.9") - rows.index("warm-up")
            )
        await user.settle()
        await user.press("enter")
        assert isinstance(user.app.screen, LeaveScreen)
        assert "from the next update on" not in user.part(".box")

    async def test_whoever_stays_finds_nothing_changed(self, screen: str) -> None:
        async with opened(experiments=experiments()) as user:
            await self.use(user, screen)
            await user.press("n")
            assert user.run.applied == []
            assert "momentum 0.9: from the next" not in user.part()

    async def test_whoever_agrees_has_both_knobs_turned(self, screen: str) -> None:
        async with opened(experiments=experiments()) as user:
            await self.use(user, screen)
            await user.press("y")
            knobs = user.run.applied[-1]
            assert (knobs.estimator, knobs.momentum) == ("momentum", 0.9)
            assert "momentum 0.9: from the next update on" in user.part()
