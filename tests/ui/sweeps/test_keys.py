"""What every key of a sweep's screen does."""

from pathlib import Path

import pytest

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.sweep import Axis, Design
from bntui.sweeps.phase import MOMENTUM, Value
from bntui.ui.sweeps.lines import ChoiceLine, Reading
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.words.help_screen import HelpScreen
from tests.ui.sweeps.scripted import said, view_of, watching, words


class TestKeys:
    async def test_epochs(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press("left", "left")
            assert "◂ epoch 2 of 4 ▸" in said(watcher, ChoiceLine)
            assert "after epoch 2, update 500" in said(watcher, Reading)
            await watcher.press("left", "left")
            assert "epoch 1 of 4 ▸" in said(watcher, ChoiceLine)
            assert "this is the first epoch" in said(watcher, MessageLines)
            await watcher.press("right", "right", "right")
            assert "epoch 4, the newest" in said(watcher, ChoiceLine)

    async def test_updates_until_sound_are_of_no_epoch(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press(*["full_stop"] * 2)
            newest = said(watcher, Reading)
            await watcher.press("left", "left", "v", "v", "v")
            assert "epoch" not in said(watcher, ChoiceLine)
            text = said(watcher, Reading)
            assert "not sound yet (3 seeds)" in text
            assert newest[newest.index("running") :].partition(" · ")[0] in text
            assert "measured up to update 64" in text
            assert "gap up to 0.05, fresh at least 0.2" in said(watcher, MessageLines)
            assert "start values" not in text
            await watcher.press("left")
            assert "updates until sound are found over all epochs" in said(watcher, MessageLines)
            await watcher.press("v")
            assert "epoch 2 of 4" in said(watcher, ChoiceLine)

    async def test_the_newest_epoch_stays_the_newest(self) -> None:
        async with watching(view_of(0, running=2)) as watcher:
            await watcher.see(view_of(2))
            assert "epoch 4, the newest" in said(watcher, ChoiceLine)
            await watcher.press("left")
            await watcher.see(view_of(4))
            assert "epoch 3 of 4" in said(watcher, ChoiceLine)

    async def test_values(self) -> None:
        async with watching(view_of(24)) as watcher:
            seen = []
            for _ in Value:
                seen.append(said(watcher, ChoiceLine).partition(" · ")[0])
                await watcher.press("v")
            assert seen == [str(one) for one in Value]
            assert said(watcher, ChoiceLine).startswith("gap")

    async def test_the_value_s_ramp_has_its_numbers(self) -> None:
        async with watching(view_of(24)) as watcher:
            titles = []
            for _ in Value:
                titles.append(words([watcher.lines[2]]).strip("╭─╮ "))
                await watcher.press("v")
            assert "fails 1" in titles[0]
            assert "0.05 sound" in titles[0]
            assert "0 " in titles[1]
            assert "never yet, 750" in titles[3]

    async def test_other_settings(self) -> None:
        async with watching(view_of(24)) as watcher:
            assert "learning rate [0.001]" in said(watcher, ChoiceLine)
            await watcher.press("right_square_bracket")
            assert "learning rate [0.01]" in said(watcher, ChoiceLine)
            assert "learning rate 0.01" in said(watcher, Reading)
            await watcher.press("right_square_bracket")
            assert "learning rate [0.001]" in said(watcher, ChoiceLine)
            await watcher.press("left_square_bracket")
            assert "learning rate [0.01]" in said(watcher, ChoiceLine)
            await watcher.press("tab")
            assert "there is one other setting" in said(watcher, MessageLines)

    async def test_axes_and_the_crosshair_stays_on_its_run(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press("full_stop")
            tile = watcher.map.chosen
            assert tile
            await watcher.press("y")  # momenta go up: the next is batch size, which is across
            choice = watcher.screen.choice
            assert (choice.x, choice.y) == (MOMENTUM, "batch_size")
            assert watcher.map.cursor == (7, 1)
            assert watcher.map.chosen == tile
            await watcher.press("y", "x", "x", "y")
            choice = watcher.screen.choice
            assert (choice.x, choice.y) == ("learning_rate", "batch_size")
            assert choice.at == {MOMENTUM: 7}
            assert "momentum (Keras's) [0.99]" in said(watcher, ChoiceLine)
            assert watcher.map.chosen == tile

    async def test_a_held_momentum_can_be_the_run_s_own(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press("x", "x", "y")
            for _ in range(7):
                await watcher.press("left_square_bracket")
            assert "momentum (Keras's) [0]" in said(watcher, ChoiceLine)
            await watcher.press("left_square_bracket")
            assert "[the run's own]" in said(watcher, ChoiceLine)
            assert "the run's own momentum" in said(watcher, Reading)
            await watcher.press("left_square_bracket")
            assert "[warm-up]" in said(watcher, ChoiceLine)

    async def test_tab_chooses_among_several_settings(self) -> None:
        axes = (
            Axis("batch_size", (64, 256)),
            Axis("learning_rate", (0.001, 0.01)),
            Axis("depth", (1, 2)),
        )
        view = view_of(8, design=Design(RunConfig(width=0.25, epochs=4), axes))
        async with watching(view) as watcher:
            assert "learning rate [0.001] · depth 1" in said(watcher, ChoiceLine)
            await watcher.press("tab", "right_square_bracket")
            assert "learning rate 0.001 · depth [2]" in said(watcher, ChoiceLine)

    async def test_updates_are_in_place_of_batch_size_and_not_beside_it(self) -> None:
        async with watching(view_of(24)) as watcher:
            seen = []
            for _ in range(4):
                await watcher.press("x")
                choice = watcher.screen.choice
                seen.append((choice.x, choice.y))
                assert watcher.map.chosen
            assert {"batch_size", "updates"} not in [set(one) for one in seen]
            assert "updates" in {one for pair in seen for one in pair}

    async def test_diagram_data_and_screen_are_saved(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        async with watching(view_of(3)) as watcher:
            await watcher.press("e", "D", "S")
            assert "saved" in said(watcher, MessageLines)
        pictures = [one.read_text(encoding="utf-8") for one in tmp_path.rglob("*.svg")]
        (data,) = tmp_path.rglob("*.csv")
        assert sum("lr-and-batch" in one for one in pictures) == 2
        assert sum("<title>" in one for one in pictures) == 1  # the diagram, not the screen
        lines = data.read_text(encoding="utf-8").splitlines()
        assert len(lines) == 1 + 3 * 4 * (len(ROWS) + 1)

    async def test_the_help_is_the_screen_s_own(self) -> None:
        async with watching() as watcher:
            await watcher.press("question_mark")
            assert isinstance(watcher.app.screen, HelpScreen)
            assert "A sweep trains every combination" in watcher.text
            await watcher.press("2")
            assert "the epoch before, the next one" in words(watcher.lines)
