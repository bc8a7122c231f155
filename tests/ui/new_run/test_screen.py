"""The settings of a new run: their knobs, what is said of them, and the run that begins."""

from dataclasses import fields, replace
from typing import Any

import pytest

from bntui.core.config import Knobs, RunConfig
from bntui.core.settings import SETTINGS
from bntui.core.snapshot import Snapshot
from bntui.core.text import ConfigError
from bntui.ui.new_run.meanings import meaning
from bntui.ui.new_run.specs import GROUPS, norm_layers
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.knob_spec import KnobSpec
from tests.ui.scripted import failed, mid_run
from tests.ui.user import CONFIG, FULL, TABS, User, opened

SPECS = {spec.name: spec for _, specs in GROUPS for spec in specs}
ELSEWHERE = {"data_dir", "train_size", "device", "amp", "compile", "threads", "steps"} | {
    *("knobs", "at", "twin")
}
"""What a run has that is the machine's, the command line's or the explorer's."""


def said(name: str, config: RunConfig = CONFIG, **changes: Any) -> str:
    config = replace(config, **changes)
    return meaning(SPECS[name], config, mid_run(config))


class TestKnobs:
    def test_every_setting_of_a_run_is_there(self) -> None:
        assert set(SPECS) == {field.name for field in fields(RunConfig)} - ELSEWHERE

    @pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
    def test_every_step_can_be_typed_as_it_is_shown_and_is_explained(self, spec: KnobSpec) -> None:
        for value in spec.ladder[:70]:
            assert spec.parse(spec.show(value)) == value
            changes: dict[str, Any] = {spec.name: value}
            assert said(spec.name, **changes)
            assert meaning(spec, replace(CONFIG, **changes), Snapshot())

    @pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
    def test_the_default_is_a_step(self, spec: KnobSpec) -> None:
        assert getattr(RunConfig(), spec.name) in spec.ladder

    def test_layers_turn_through_as_many_as_there_are(self) -> None:
        spec = norm_layers(depth=2)
        assert spec.step(None, -1) == 6
        assert spec.step(6, 1) is None
        assert spec.step(None, 1) is None
        assert spec.step(0, -1) == 0
        assert spec.step(40, 1) is None
        assert spec.step(40, -1) == 6
        assert spec.parse(" All ") is None

    def test_a_seed_steps_by_one_however_large(self) -> None:
        assert SPECS["seed"].step(4_000_000_000, 1) == 4_000_000_001
        assert SPECS["seed"].step(0, -1) == 0


class TestMeanings:
    def test_a_network_is_told_by_its_layers(self) -> None:
        assert said("norm_layers", norm_layers=2).startswith("The first 2 of 5")
        assert said("norm_layers", norm_layers=6, depth=2).startswith("The first 6 of 7")
        assert said("norm_layers", norm_layers=6).startswith("All 5")
        assert said("norm_layers", norm_layers=0).startswith("None of the 5")
        assert "none of the 5 layers is there" in said("norm_layers", norm="none")
        assert "16 normalisation layers" in said("depth", depth=11)
        assert said("width", width=0.25).startswith("8 and 16 channels, 128 hidden units")

    def test_ghosts_are_counted(self) -> None:
        ghost = replace(CONFIG, norm="ghost", knobs=Knobs(batch_size=100))
        assert said("ghost_batch", ghost) == "A batch of 100 is normalised in 4 sub-batches of 32."
        assert "one sub-batch" in said("ghost_batch", ghost, ghost_batch=100)
        assert "4 in a batch of 100" in said("ghost_updates", ghost)
        assert "Only with norm ghost" in said("ghost_updates")

    def test_rates_and_batches_are_reckoned(self) -> None:
        config = replace(CONFIG, knobs=Knobs(batch_size=256, learning_rate=0.01))
        assert "0.01 becomes 0.02: times the square" in said("lr_rule", config, lr_rule="sqrt")
        assert "0.01 becomes 0.04: times 256/64 " in said("lr_rule", config, lr_rule="linear")
        assert "first 32 updates, 2 epochs," in said("lr_warmup", config, lr_warmup=32)
        assert "neither is on" in said("base_batch", config)
        assert "neither" not in said("base_batch", config, lr_rule="sqrt")
        grown = said("batch_schedule", config, batch_schedule="x2/3", epochs=10)
        assert "is 256, then 512 from epoch 4, 1,024 from epoch 7, 2,048 from epoch 10:" in grown
        clipped = said("batch_schedule", config, batch_schedule="x4/1", epochs=100)
        assert "4,000 from epoch 3:" in clipped
        assert "256 all along" in said("batch_schedule", config, batch_schedule="x2/50")
        assert "160 updates at batch 256" in said("epochs", config)

    def test_what_depends_on_data_that_are_not_loaded_is_left_out(self) -> None:
        snapshot = mid_run(CONFIG)
        other = replace(CONFIG, dataset="mnist")
        assert "updates" not in meaning(SPECS["epochs"], other, snapshot)


async def structure(user: User) -> None:
    await user.press("k")
    assert "─ structure ─" in user.text


class TestScreen:
    @pytest.mark.parametrize("size", [FULL, TABS])
    async def test_it_shows_every_setting_with_its_value(self, size: tuple[int, int]) -> None:
        config = replace(CONFIG, norm="ghost", depth=3, seed=7, batch_schedule="1:16,5:64")
        async with opened(size, config) as user:
            await structure(user)
            shown = user.part("#settings")
            for text in (
                "network norm ◂ghost▸ norm layers all depth 3 width 0.25 ghost batch 32",
                "training optimizer adam rate rule none rate warm-up 0",
                "batch growth 1:16,5:64 base batch 64",
                "run data set digits seed 7 epochs 10",
                "▸ begin the new run",
            ):
                assert text in shown
            assert "norm: ghost BN on sub-batches" in user.part("#meaning")
            assert "none, batch, ghost, renorm, group or layer." in user.part("#meaning")
            assert "Nothing is changed" in user.part("#meaning")

    async def test_changes_are_collected_and_begin_one_run_with_the_old_one_behind(self) -> None:
        async with opened(config=replace(CONFIG, seed=7)) as user:
            await user.press("right")  # batch size, to 512
            await structure(user)
            await user.press("right", "down", "down", "right", "right", "left")
            assert "norm ghost new run" in user.part("#settings")
            assert "depth ◂1▸ new run" in user.part("#settings")
            assert "r starts a new run with norm: batch → ghost depth: 0 → 1" in user.part(
                "#meaning"
            )
            assert len(user.runs.made) == 1
            await user.press("r")
            old, new = user.runs.made
            assert "stop" in old.calls
            assert new.snapshot.config == replace(
                CONFIG, seed=7, norm="ghost", depth=1, knobs=Knobs(batch_size=512)
            )
            await user.see(series={})
            assert "BN" not in user.knob("norm")
            assert user.knob("norm") == "batch norm ghost"
            assert "0.114" in user.part("#panel-1")  # the ghost's

    async def test_enter_on_the_last_line_begins_too(self) -> None:
        async with opened() as user:
            await structure(user)
            await user.press("right", "up")
            assert "─╮ r starts a new run with" in user.part("#meaning")
            await user.press("enter")
            assert len(user.runs.made) == 2
            assert user.run.snapshot.config == replace(CONFIG, norm="ghost")

    async def test_a_setting_that_is_turned_back_is_no_change(self) -> None:
        async with opened() as user:
            await structure(user)
            await user.press("right", "left")
            assert "Nothing is changed" in user.part("#meaning")
            assert user.part("#settings").count("new run") == 1  # on the last line

    @pytest.mark.parametrize("key", ["escape", "q", "k"])
    async def test_leaving_changes_nothing(self, key: str) -> None:
        async with opened() as user:
            before = user.text
            await structure(user)
            await user.press("right", key)
            assert user.text == before
            assert [run.calls for run in user.runs.made] == [["start"]]

    async def test_a_value_is_typed_and_judged_by_the_engine(self) -> None:
        async with opened() as user:
            await structure(user)
            await user.choose("seed")
            await user.press("enter")
            await user.type("-1")
            with pytest.raises(ConfigError) as refused:
                SETTINGS["seed"].parse_typed("-1")
            assert user.part("#problem") == str(refused.value)
            await user.press("escape", "enter")
            await user.type("1234")
            assert "seed ◂1234▸ new run" in user.part("#settings")
            await user.choose("norm-layers")
            await user.press("enter")
            await user.type("2")
            await user.press("enter")
            await user.type("all")
            await user.press("r")
            assert user.run.snapshot.config == replace(CONFIG, seed=1234)

    async def test_layers_turn_down_from_all_of_a_deeper_network(self) -> None:
        async with opened() as user:
            await structure(user)
            await user.choose("depth")
            await user.press("right", "right")
            await user.choose("norm-layers")
            await user.press("left")
            assert "norm layers ◂6▸" in user.part("#settings")

    async def test_what_was_chosen_before_the_run_is_loaded_is_not_for_the_machine(self) -> None:
        left_open = frozenset({"width", "dataset"})
        async with opened(left_open=left_open, loaded=False) as user:
            await structure(user)
            await user.choose("width")
            await user.press("right", "r")
            assert user.run.snapshot.config == replace(CONFIG, width=0.5)
            assert user.run.request.left_open == frozenset({"dataset"})

    async def test_it_opens_after_a_failure_and_begins_with_what_helps(self) -> None:
        config = replace(CONFIG, dataset="mnist")
        async with opened(config=config) as user:
            await user.see(failed(config, "MNIST is not there."))
            await structure(user)
            await user.choose("dataset")
            await user.press("left", "r")
            assert user.run.snapshot.config == replace(CONFIG, dataset="photos")

    async def test_all_of_it_can_be_reached_where_there_is_least_room(self) -> None:
        async with opened((60, 16)) as user:
            await structure(user)
            await user.press("up")
            await user.pilot.wait_for_animation()
            assert "▸ begin the new run" in user.text
            await user.press("up")
            assert "epochs ◂10▸" in user.part()
            assert "160 updates" in user.part("#meaning")

    async def test_it_is_plain_where_the_terminal_is(self) -> None:
        async with opened(glyphs=Glyphs.ASCII) as user:
            await user.press("k", "right")
            assert "norm: batch > ghost" in user.text
            assert user.text.isascii()


async def test_the_smallest_size_has_room_for_what_a_setting_means() -> None:
    async with opened((60, 16)) as user:
        await user.press("k")
        said = user.part("#meaning")
        assert "norm: batch" in said
        assert "BN, as in the thread:" in said
        await user.press("right")
        assert "norm ◂ghost▸" in user.part("#settings")
        await user.press("up")
        assert user.part("#meaning")
