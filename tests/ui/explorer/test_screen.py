"""The explorer as somebody at the keyboard meets it, over a scripted run."""

import asyncio
import math
from dataclasses import replace

import pytest

from bntui.core import parsers
from bntui.core.config import Knobs
from bntui.core.measured import Recalibration
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Phase
from bntui.core.text import ConfigError
from bntui.ui.app import BntuiApp
from bntui.ui.widgets.knob import Knob
from tests.ui.scripted import (
    NAN,
    ScriptedRuns,
    diverged,
    failed,
    histories,
    history,
    layers,
    mid_run,
    validation,
)
from tests.ui.user import CONFIG, FULL, PANELS, TABS, TINY, opened, screen_text


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


class TestNewRuns:
    async def test_another_batch_norm_is_a_new_run_with_the_same_seed_and_knobs(self) -> None:
        async with opened(config=replace(CONFIG, seed=7)) as user:
            await user.press("right")
            await user.choose("norm")
            await user.press("right")
            assert len(user.runs.made) == 1
            for key, value in (("left", "off"), ("enter", "on")):
                await user.press(key)
                await user.see()
                assert f"◂{value}▸" in user.knob("norm")
            first, second, third = user.runs.made
            assert "stop" in first.calls
            assert "stop" in second.calls
            assert third.calls == ["start"]
            wanted = replace(CONFIG, seed=7, knobs=Knobs(batch_size=512))
            assert second.snapshot.config == replace(wanted, norm="none")
            assert third.snapshot.config == wanted

    async def test_r_begins_again_with_the_same_seed_or_the_next(self) -> None:
        async with opened(config=replace(CONFIG, seed=7)) as user:
            await user.choose("momentum")
            await user.press("left", "r", "R")
            first, second, third = user.runs.made
            assert "stop" in first.calls
            assert "stop" in second.calls
            assert third.calls == ["start"]
            wanted = replace(CONFIG, seed=7, knobs=Knobs(momentum=0.98))
            assert second.snapshot.config == wanted
            assert third.snapshot.config == replace(wanted, seed=8)
            await user.see()
            assert "seed 8" in user.text
            assert "◂0.98▸" in user.knob("momentum")
            assert "pending" not in user.text

    async def test_the_last_seed_is_followed_by_the_first(self) -> None:
        async with opened(config=replace(CONFIG, seed=parsers.MAX_SEED)) as user:
            await user.press("R")
            assert user.run.snapshot.config.seed == 0

    async def test_the_old_runs_curves_stay_as_a_ghost(self) -> None:
        async with opened() as user:
            await user.press("r")
            await user.see(series={})
            for panel, running in (("#panel-1", "0.114"), ("#panel-2", "2.850")):
                await user.press(panel[-1])
                assert running in user.part(panel)
                assert "– running" in user.part(panel)
            assert "0.993 train" not in user.text

    async def test_what_the_machine_chose_for_the_first_run_holds_for_the_next(self) -> None:
        left_open = frozenset({"width"})
        async with opened(left_open=left_open) as user:
            await user.press("r")
            assert [run.request.left_open for run in user.runs.made] == [left_open, frozenset()]

    async def test_a_run_that_never_loaded_leaves_the_choice_to_the_next(self) -> None:
        left_open = frozenset({"width"})
        async with opened(left_open=left_open, loaded=False) as user:
            await user.press("r")
            assert [run.request.left_open for run in user.runs.made] == [left_open, left_open]


class TestRunKeys:
    async def test_space_pauses_and_goes_on(self) -> None:
        async with opened() as user:
            for phase, asked in (
                (Phase.RUNNING, "pause"),
                (Phase.PAUSED, "resume"),
                (Phase.FINISHED, "resume"),
            ):
                await user.see(phase=phase)
                assert f" {phase.value} · update 97" in user.text
                await user.press("space")
                assert user.run.calls[-1] == asked
            assert len(user.run.calls) == 4

    async def test_n_is_a_single_update_and_c_recalibrates_at_once(self) -> None:
        async with opened() as user:
            await user.press("n")
            assert user.run.calls == ["start", "pause", "STEP"]
            await user.press("c")
            assert user.run.calls[3:] == ["RECALIBRATE"]
            await user.see(recalibration=Recalibration(97, 0.1, 0.95, True))
            assert "recalibrated at update 97: 0.100 → 0.950" in user.part("MessageLines")

    async def test_shift_c_says_what_a_recalibration_would_give_and_changes_nothing(self) -> None:
        async with opened() as user:
            await user.press("C")
            assert user.run.calls[1:] == ["PEEK"]
            await user.see(recalibration=Recalibration(97, 0.1, 0.95, False))
            assert "would give 0.100 → 0.950: c applies one" in user.part("MessageLines")

    async def test_d_takes_the_built_in_digits_but_only_after_a_failure(self) -> None:
        config = replace(CONFIG, dataset="mnist", data_dir="/data", train_size=50_000)
        async with opened(config=config) as user:
            await user.press("d")
            assert len(user.runs.made) == 1
            await user.see(failed(config, "MNIST is not in /data."))
            await user.press("d")
            assert user.run.snapshot.config == CONFIG
            await user.see()
            assert "digits 4,000+1,000 images" in user.text

    async def test_it_opens_paused_when_asked_to(self) -> None:
        async with opened(paused=True) as user:
            assert user.run.calls == ["start paused"]

    @pytest.mark.parametrize("key", ["q", "ctrl+c"])
    async def test_quitting_stops_and_joins_the_run(self, key: str) -> None:
        async with opened() as user:
            await user.press(key)
        assert user.run.calls == ["start", "leave"]
        assert user.app.return_code == 0
        assert user.app.all_ended

    async def test_quitting_joins_earlier_runs_that_had_not_ended(self) -> None:
        async with opened() as user:
            user.run.ends = False
            await user.press("r", "q")
        old, new = user.runs.made
        assert old.calls == ["start", "stop", "join", "leave"]
        assert new.calls == ["start", "leave"]
        assert not user.app.all_ended

    async def test_a_run_that_a_key_typed_ahead_replaced_is_not_begun(self) -> None:
        app = BntuiApp(runs := ScriptedRuns(), RunRequest(CONFIG))
        async with app.run_test(size=FULL) as pilot:
            first = runs.made[0]
            await pilot.press("r")
            before = list(first.calls)
            app.explorer._start(first)  # as from the queue, behind that key
            assert first.calls == before
            assert runs.made[1].calls == ["start"]

    async def test_the_screen_follows_the_run_by_itself(self) -> None:
        runs = ScriptedRuns()
        app = BntuiApp(runs, RunRequest(CONFIG), updates_per_second=50.0)
        async with app.run_test(size=FULL):
            for number in (98, 99):
                async with asyncio.timeout(30):
                    while f"update {number}" not in screen_text(app):
                        runs.made[-1].show(update=number)
                        await asyncio.sleep(0.02)


class TestWhatARunShows:
    async def test_before_loading_it_says_what_it_waits_for(self) -> None:
        async with opened(loaded=False) as user:
            await user.see(message="loading torch")
            assert "○ loading" in user.text.splitlines()[0]
            assert "loading torch" in user.text.splitlines()[0]
            assert "loading torch" in user.part("EvidencePanel")
            assert "waiting for the first validation" in user.part("DriftTable")
            assert "waiting for the first validation" in user.part("Predictions")
            assert "momentum 0.99" in user.knob("momentum")

    async def test_a_run_opened_paused_says_how_to_begin(self) -> None:
        async with opened() as user:
            await user.see(phase=Phase.PAUSED, update=0, validation=None, series={})
            assert "press space" in user.part("DriftTable")

    async def test_the_middle_of_a_run(self) -> None:
        async with opened() as user:
            first = user.text.splitlines()[0]
            assert "digits 4,000+1,000 images · cpu · width 0.25 · seed 0" in first
            assert "▶ running · update 97 · epoch 7/10 · 3,405 images/s" in first
            for value in ("0.993 train", "0.993 fresh", "0.114 running"):
                assert value in user.part("#panel-1")
            for layer in ("conv1_bn", "conv2_bn", "conv3_bn", "flatten_bn", "dense1_bn"):
                assert f"{layer} " in user.part("DriftTable")
            assert "38 %" in user.part("DriftTable")
            assert "mean gap" in user.part("DriftTable")
            assert "98%" in user.part("Predictions")
            assert "0.114" in user.part("EvidencePanel")
            assert "0.974" in user.part("EvidencePanel")

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_a_failure_is_told_in_its_own_words_and_the_screen_stays_usable(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size) as user:
            await user.see(failed(CONFIG, "The file [red]x[/red] is damaged."))
            assert "× failed" in user.text.splitlines()[0]
            assert "The file [red]x[/red] is damaged." in user.part("HeadlinePanel")
            await user.press("right", "space", "n", "c", "2", "question_mark", "escape", "r")
            assert len(user.runs.made) == 2
            assert user.run.snapshot.knobs == Knobs(batch_size=512)

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_a_diverged_run_is_drawn(self, size: tuple[int, int]) -> None:
        async with opened(size) as user:
            await user.press("r")
            await user.see(diverged(CONFIG))
            seen = ""
            for panel in PANELS:
                await user.press(panel)
                seen += user.text
            assert "nan running" in seen
            assert "××××" in seen
            assert "diverged" in seen
            assert "× NaN" in seen

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_a_run_of_extreme_numbers_is_drawn(self, size: tuple[int, int]) -> None:
        usual = validation()
        async with opened(size) as user:
            for panel, title in PANELS.items():
                await user.press(panel)
                for value in (math.inf, -math.inf, 1e300, 0.0):
                    score = replace(usual.running, loss=value)
                    drift = layers(mean_gap=value, mean_gap_max=value, log_var_ratio=value)
                    await user.see(
                        validation=replace(usual, running=score, fresh=score, layers=drift),
                        series={name: history([NAN, value, 1.0, value]) for name in histories()},
                        images_per_s=value,
                    )
                    assert title in user.text
                await user.see(series={name: history([]) for name in histories()}, validation=None)
                assert title in user.text

    async def test_without_batch_norm_nothing_can_drift(self) -> None:
        async with opened(config=replace(CONFIG, norm="none")) as user:
            assert "no batch norm" in user.part("DriftTable")
            assert "◂" not in user.knob("norm")
            assert user.knob("norm") == "batch norm off"
            assert "Without BatchNorm no averages" in user.part("HeadlinePanel")

    async def test_a_message_is_told_once_and_literally(self) -> None:
        async with opened() as user:
            await user.see(message="clipped to [b]4000[/b].")
            assert user.part().count("clipped to [b]4000[/b].") == 1
            await user.see(update=98)
            assert user.part().count("clipped to") == 1
            await user.see(message="clipped to 300.")
            assert "clipped to 300." in user.part("MessageLines")


class TestSizes:
    async def test_all_panels_but_loss_are_shown_at_once_where_there_is_room(self) -> None:
        async with opened() as user:
            for key, hidden in (("5", "2"), ("2", "1"), ("3", "1"), ("1", "2")):
                await user.press(key)
                shown = {number for number, title in PANELS.items() if title in user.text}
                assert shown == set(PANELS) - {hidden}

    async def test_a_tall_terminal_shows_loss_as_well(self) -> None:
        async with opened((200, 60)) as user:
            for key in PANELS:
                await user.press(key)
                assert all(title in user.text for title in PANELS.values())

    async def test_accuracy_has_twelve_rows_at_the_usual_size(self) -> None:
        async with opened() as user:
            assert user.app.screen.query_one("#panel-1").size.height - 1 >= 12

    async def test_number_keys_switch_panels_on_a_small_terminal(self) -> None:
        async with opened(TABS) as user:
            assert PANELS["1"] in user.text
            for key in (*PANELS, "1"):
                await user.press(key)
                shown = {number for number, title in PANELS.items() if title in user.text}
                assert shown == {key}
                assert "Validation fails: 11 % instead of 97 %" in user.part("HeadlinePanel")

    @pytest.mark.parametrize("size", [FULL, TABS, (60, 16), (200, 60)])
    async def test_tab_visits_the_knobs_and_every_panel_and_shift_tab_goes_back(
        self, size: tuple[int, int]
    ) -> None:
        async with opened(size) as user:

            def here() -> str:
                focused = user.app.screen.focused
                assert focused is not None
                assert focused.is_on_screen
                return "knobs" if isinstance(focused, Knob) else focused.id or ""

            visited = [here()]
            while len(visited) < 2 or visited[-1] != "knobs":
                await user.press("tab")
                visited.append(here())
            hidden = {"panel-2"} if size == FULL else set()
            assert sorted(visited[1:]) == sorted(
                {"knobs", *map("panel-{}".format, PANELS)} - hidden
            )
            for place in reversed(visited[:-1]):
                await user.press("shift+tab")
                assert here() == place

    async def test_tab_returns_to_the_knob_that_was_chosen(self) -> None:
        async with opened() as user:
            await user.press("down", "down", "tab", "shift+tab")
            assert user.knob("momentum").startswith("momentum ◂0.99▸")

    async def test_a_hidden_panel_is_up_to_date_when_it_is_shown(self) -> None:
        async with opened(TABS) as user:
            await user.press("2", "1")
            await user.see(update=98, series=histories() | {"val_loss": history([1.25])})
            await user.press("2")
            assert "1.250 running" in user.part("#panel-2")

    async def test_the_knobs_fit_in_one_line_of_a_small_terminal(self) -> None:
        wide = Knobs(batch_size=65536, momentum=0.995, learning_rate=0.0005)
        async with opened(TABS, replace(CONFIG, knobs=wide)) as user:
            line = user.text.splitlines()[4]
            assert line.split("  ")[0].strip() == "▸batch 65536"
            assert " ".join(line.split()) == (
                "▸batch 65536 BN on m 0.995 est momentum rate 0.0005 pace max"
            )
            await user.choose("learning-rate")
            await user.press("left")
            assert "rate 0.0002…" in user.text.splitlines()[4]

    async def test_the_longest_values_fit_beside_each_other(self) -> None:
        wide = Knobs(65536, 0.995, "bias-corrected", 0.0005, 20.0)
        async with opened(TABS, replace(CONFIG, norm="ghost", knobs=wide)) as user:
            assert " ".join(user.text.splitlines()[4].split()) == (
                "▸batch 65536 BN ghost m 0.995 est bias-corrected rate 0.0005 pace 20/s"
            )

    async def test_the_usual_values_fit_where_there_is_least_room(self) -> None:
        usual = Knobs(4096, 0.99, "warm-up", 0.001)
        async with opened((60, 16), replace(CONFIG, knobs=usual)) as user:
            assert " ".join(user.text.splitlines()[4].split()) == (
                "▸batch 4096 BN on m 0.99 est warm-up rate 0.001 pace max"
            )

    async def test_knobs_turn_on_a_small_terminal_too(self) -> None:
        async with opened(TABS) as user:
            await user.press("down", "down", "left")
            assert user.run.applied == [Knobs(momentum=0.98)]

    async def test_a_tiny_terminal_is_told_what_is_needed(self) -> None:
        async with opened(TINY) as user:
            assert user.part() == (
                "bntui needs 60 columns and 16 rows: please enlarge the terminal. The run goes on."
            )
            await user.press("q")
        assert user.run.calls == ["start", "leave"]

    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_resizing_back_and_forth_restores_the_screen(self, size: tuple[int, int]) -> None:
        async with opened(size) as user:
            before = user.text
            for other in (FULL, TABS, TINY):
                await user.resize(other)
                await user.resize(size)
                assert user.text == before
            await user.press("right")
            assert user.run.applied == [Knobs(batch_size=512)]

    async def test_the_smallest_size_shows_verdict_and_chart(self) -> None:
        async with opened((60, 16)) as user:
            assert "Validation fails: 11 % instead of 97 %" in user.part("HeadlinePanel")
            assert "0.114 running" in user.part("#panel-1")


class TestThemes:
    async def test_a_light_theme_shows_the_same_in_colours_that_suit_it(self) -> None:
        async with opened() as user:
            before, dark = user.text, colours(user.app, "0.114 running")
            user.app.theme = "textual-light"
            await user.settle()
            assert user.text == before
            assert dark[0] == "#e69f00"
            assert colours(user.app, "0.114 running")[0] == "#8f6000"
            assert colours(user.app, "0.114 running")[1] != dark[1]

    @pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
    async def test_the_panel_with_the_focus_looks_unlike_the_others(
        self, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with opened() as user:
            for key, title in (("3", "every momentum"), ("4", "drift: running")):
                await user.press("6")
                elsewhere = styles(user.app, title)
                await user.press(key)
                assert styles(user.app, title) != elsewhere


def styles(app: BntuiApp, text: str) -> list[str]:
    """Return how the line is drawn that `text` is on."""
    for strip in app.screen._compositor.render_strips():
        if text in strip.text:
            return [str(segment.style) for segment in strip]
    raise AssertionError(f"{text!r} is not on the screen")


def colours(app: BntuiApp, text: str) -> tuple[str, str]:
    """Return the foreground and the background that `text` is shown in."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if text in segment.text and segment.style:
                color, ground = segment.style.color, segment.style.bgcolor
                return (color.name if color else "", ground.name if ground else "")
    raise AssertionError(f"{text!r} is not on the screen")


def test_mid_run_is_what_a_scripted_run_shows_once_started() -> None:
    run = ScriptedRuns()(RunRequest(CONFIG))
    assert run.snapshot.phase is Phase.LOADING
    run.start()
    assert run.snapshot.update == mid_run(CONFIG).update
