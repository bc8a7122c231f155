"""Knobs of the explorer: turned by keys, and by values that are typed."""

import math
from dataclasses import replace

import pytest

from bntui.core import parsers
from bntui.core.config import Knobs
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.ui.widgets.knob import Knob
from tests.ui.user import CONFIG, opened


class TestKnobs:
    async def test_arrows_choose_a_knob_and_say_which(self) -> None:
        async with opened() as user:
            assert user.knob("batch-size") == "batch size ◂256▸"
            await user.press("down", "down")
            assert user.knob("batch-size") == "batch size 256"
            assert user.knob("momentum").startswith("momentum ◂0.99▸")
            await user.press("up")
            assert user.knob("norm") == "batch norm ◂on▸"

    async def test_left_and_right_turn_a_knob_by_one_step(self) -> None:
        knobs = Knobs(pace=10.0)
        async with opened(config=replace(CONFIG, knobs=knobs)) as user:
            for name, field, less, more in (
                ("batch-size", "batch_size", 128, 512),
                ("momentum", "momentum", 0.98, 0.995),
                ("learning-rate", "learning_rate", 0.0005, 0.002),
                ("pace", "pace", 5.0, 20.0),
            ):
                await user.choose(name)
                await user.press("left", "right", "right", "left")
                values = [getattr(asked, field) for asked in user.run.applied[-4:]]
                assert values == [less, getattr(knobs, field), more, getattr(knobs, field)]
                assert user.run.applied[-1] == knobs

    async def test_a_knob_stays_at_the_end_of_its_scale(self) -> None:
        async with opened() as user:
            await user.choose("pace")
            await user.press("right")
            assert user.run.applied == []
            await user.press("left")
            assert user.run.applied == [Knobs(pace=50.0)]
            assert "◂50/s▸" in user.knob("pace")

    async def test_turning_goes_on_from_a_value_between_two_steps(self) -> None:
        async with opened(config=replace(CONFIG, knobs=Knobs(momentum=0.985))) as user:
            await user.choose("momentum")
            await user.press("left")
            assert user.run.applied == [Knobs(momentum=0.98)]

    async def test_momentum_is_shown_in_torchs_convention_too(self) -> None:
        async with opened() as user:
            assert user.knob("momentum") == "momentum 0.99 torch's 0.01"
            await user.choose("momentum")
            await user.press(*["left"] * 4)
            assert "◂0.9▸" in user.knob("momentum")
            assert "torch's 0.1" in user.knob("momentum")

    async def test_quick_turns_of_several_knobs_add_up(self) -> None:
        async with opened() as user:
            await user.press("right", "right")
            await user.choose("momentum")
            await user.press("left")
            assert user.run.applied[-1] == Knobs(batch_size=1024, momentum=0.98)

    async def test_a_turned_knob_is_pending_until_the_run_echoes_it(self) -> None:
        async with opened() as user:
            await user.choose("momentum")
            await user.press("left")
            assert "◂0.98▸ pending" in user.knob("momentum")
            await user.see(update=98)
            assert "◂0.98▸ pending" in user.knob("momentum")
            await user.see(update=99, knobs=user.run.applied[-1], wanted=None)
            assert "◂0.98▸" in user.knob("momentum")
            assert "pending" not in user.text

    async def test_a_look_at_the_run_while_a_knob_turns_does_not_turn_it_back(self) -> None:
        async with opened() as user:
            user.app.screen.query_one("#momentum", Knob).turn_to(0.98)
            await user.see(update=98)
            await user.see(update=99)
            assert user.knob("momentum").startswith("momentum 0.98 pending")

    async def test_what_is_turned_in_a_pause_stays_pending_until_training_goes_on(self) -> None:
        async with opened() as user:
            await user.see(phase=Phase.PAUSED)
            await user.press("right")
            await user.see(phase=Phase.PAUSED, images_per_s=1.0)
            assert user.knob("batch-size") == "batch size ◂512▸ pending"

    async def test_the_estimator_is_changed_live_and_explained(self) -> None:
        async with opened() as user:
            await user.choose("estimator")
            assert "each update keeps 0.99 of the old value · 21 % of the start" in user.text
            for said in (
                "divides the start value out as Adam does · 0 % of the start value left",
                "the mean over all updates",
                "1 - 1/t of the old at update t",
                "0.99^(256/64) = 0.961",
            ):
                await user.press("right")
                assert said in user.text
            estimators = [knobs.estimator for knobs in user.run.applied]
            assert estimators == ["bias-corrected", "cumulative", "warm-up", "scaled"]
            assert len(user.runs.made) == 1

    async def test_a_value_that_leaves_no_room_for_a_note_is_pending_with_three_dots(self) -> None:
        async with opened() as user:
            await user.choose("estimator")
            await user.press("right")
            assert user.knob("estimator") == "estimator ◂bias-correcte…▸"
            await user.see(knobs=user.run.applied[-1], wanted=None)
            assert user.knob("estimator") == "estimator ◂bias-corrected▸"

    async def test_a_clipped_value_settles_to_the_applied_one(self) -> None:
        async with opened() as user:
            await user.press("enter")
            await user.type("8192")
            assert user.run.applied == [Knobs(batch_size=8192)]
            assert user.knob("batch-size") == "batch size ◂8192▸ pending"
            await user.see(update=98, knobs=Knobs(batch_size=4000), wanted=None)
            assert user.knob("batch-size") == "batch size ◂4000▸"
            await user.press("left")
            assert user.run.applied[-1] == Knobs(batch_size=2048)


class TestTyping:
    async def test_enter_opens_a_dialog_with_the_value_and_escape_leaves_it(self) -> None:
        async with opened() as user:
            before = user.text
            await user.choose("momentum")
            await user.press("enter")
            assert "─ momentum ─" in user.text
            assert user.part("Input") == "0.99"
            assert "The share of its old value that a running" in user.part("ValueScreen Vertical")
            await user.press("7", "escape")
            assert user.run.applied == []
            await user.choose("batch-size")
            assert user.text == before

    async def test_the_pace_is_typed_as_a_number_or_as_unlimited(self) -> None:
        async with opened(config=replace(CONFIG, knobs=Knobs(pace=10.0))) as user:
            await user.choose("pace")
            await user.press("enter")
            assert "10/s" not in user.part("Input")
            await user.type("2.5")
            assert "◂2.5/s▸" in user.knob("pace")
            await user.press("enter")
            await user.type("unlimited")
            assert [knobs.pace for knobs in user.run.applied] == [2.5, math.inf]

    async def test_a_bad_value_keeps_the_dialog_open_with_the_engines_sentence(self) -> None:
        async with opened() as user:
            for name, typed, parse in (
                ("batch-size", "3.5", parsers.parse_batch_size),
                ("momentum", "1.0", parsers.parse_momentum),
                ("learning-rate", "-1", parsers.parse_learning_rate),
                ("pace", "[b]x[/b]", parsers.parse_pace),
            ):
                with pytest.raises(ConfigError) as refused:
                    parse(typed)
                await user.choose(name)
                await user.press("enter")
                await user.type(typed)
                assert user.part("#problem") == str(refused.value)
                await user.press("escape")
            assert user.run.applied == []

    async def test_a_bad_value_can_be_put_right(self) -> None:
        async with opened() as user:
            await user.press("enter")
            await user.type("0")
            await user.press("backspace", "6", "4", "enter")
            assert user.run.applied == [Knobs(batch_size=64)]

    async def test_a_momentum_like_torchs_is_asked_about(self) -> None:
        async with opened() as user:
            await user.choose("momentum")
            for typed, answer, momentum in (("0.01", "n", 0.01), ("0.05", "y", 0.95)):
                await user.press("enter")
                await user.type(typed)
                assert f"did you mean {1 - float(typed):g}?" in user.part("AskScreen Vertical")
                assert momentum not in {knobs.momentum for knobs in user.run.applied}
                await user.press(answer)
                assert user.run.applied[-1] == Knobs(momentum=momentum)
                assert f"◂{momentum:g}▸" in user.knob("momentum")

    async def test_escape_leaves_the_question_and_then_the_dialog(self) -> None:
        async with opened() as user:
            await user.choose("momentum")
            await user.press("enter")
            await user.type("0.01")
            await user.press("escape")
            assert "0.01" in user.part("Input")
            await user.press("escape")
            assert user.run.applied == []
            assert "◂0.99▸" in user.knob("momentum")

    async def test_keys_of_the_explorer_are_letters_in_a_dialog(self) -> None:
        async with opened() as user:
            await user.press("enter")
            await user.press("q", "r", "n", "c", "space")
            assert user.part("Input") == "qrnc"
            assert [run.calls for run in user.runs.made] == [["start"]]
