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
from bntui.ui.app import BntuiApp
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
from tests.ui.user import CONFIG, FULL, PANELS, TABS, opened, screen_text


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


def test_mid_run_is_what_a_scripted_run_shows_once_started() -> None:
    run = ScriptedRuns()(RunRequest(CONFIG))
    assert run.snapshot.phase is Phase.LOADING
    run.start()
    assert run.snapshot.update == mid_run(CONFIG).update
