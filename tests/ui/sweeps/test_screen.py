"""The screen of a sweep: it fills while one looks, every key, every size."""

from dataclasses import replace
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.widget import Widget

from bntui.core.config import RunConfig
from bntui.core.estimators import ROWS
from bntui.core.sweep import Axis, Design
from bntui.sweeps.phase import MOMENTUM, NO_AXIS, UPDATES, Value, first_choice
from bntui.ui.sweeps.behind import RunsBehindScreen
from bntui.ui.sweeps.lines import ChoiceLine, Reading, SweepLine
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.widgets.notices import MessageLines
from bntui.ui.words.help_screen import HelpScreen
from tests.ui.sweeps.scripted import FULL, SMALL, TABS, TINY, Watcher, view_of, watching, words


def said(watcher: Watcher, kind: type[Widget]) -> str:
    """Return what one of the lines says."""
    area = watcher.screen.query_one(kind).region
    return words(line[area.x : area.right] for line in watcher.lines[area.y : area.bottom])


class TestFilling:
    async def test_the_diagram_fills_while_one_looks(self) -> None:
        async with watching(view_of(0)) as watcher:
            assert "0 of 24 runs finished · 24 waiting" in said(watcher, SweepLine)
            assert "no epoch has ended yet" in said(watcher, ChoiceLine)
            assert "gap not measured yet" in said(watcher, Reading)
            await watcher.see(view_of(0, running=2))
            assert "2 running" in said(watcher, SweepLine)
            assert "╱" in watcher.lines[10]
            assert "epoch 1, the newest" in said(watcher, ChoiceLine)
            await watcher.see(view_of(24))
            assert "■ all 24 runs finished" in said(watcher, SweepLine)
            assert "╱" not in watcher.lines[10]
            assert "epoch 4, the newest" in said(watcher, ChoiceLine)
            assert "gap 0.000 (3 seeds)" in said(watcher, Reading)

    async def test_what_is_the_same_view_is_not_drawn_again(self) -> None:
        async with watching() as watcher:
            drawn: list[object] = []
            watcher.map.repaint = lambda: drawn.append(1)  # type: ignore[method-assign]
            watcher.screen.poll()
            assert drawn == []
            await watcher.see(view_of(11, running=2))
            assert drawn == [1]

    async def test_source_and_lead_are_started_once_there_is_a_picture(self) -> None:
        async with watching() as watcher:
            assert watcher.source.calls == ["start"]
            assert watcher.lead
            assert watcher.lead.calls == ["start"]
            assert "2 processes of 1 thread" in said(watcher, SweepLine)
        assert watcher.source.calls == ["start", "leave"]
        assert watcher.lead.calls == ["start", "leave"]

    async def test_messages_of_the_lead_and_the_store_are_told(self) -> None:
        async with watching() as watcher:
            assert watcher.lead
            watcher.lead.message = "a worker was killed: its run goes on"
            await watcher.see()
            assert "a worker was killed: its run goes on" in said(watcher, MessageLines)
            watcher.lead.failure = "the store could not be used for 30 s"
            await watcher.see()
            assert "the store could not be used for 30 s" in said(watcher, MessageLines)
            watcher.lead.message = watcher.lead.failure = ""
            await watcher.see(message="the store can't be read\x1b")
            assert "the store can't be read\\x1b" in said(watcher, MessageLines)

    async def test_failed_runs_wait_until_they_have_failed_again(self) -> None:
        async with watching(view_of(22, failed=2)) as watcher:
            assert watcher.lead
            assert "■ 22 of 24 runs finished · 2 failed" in said(watcher, SweepLine)
            first, second = (one.cell.id for one in watcher.source.view.cells[-2:])
            watcher.lead.retrying = frozenset({first, second})
            await watcher.see()
            assert "○ 22 of 24 runs finished · 2 waiting" in said(watcher, SweepLine)
            watcher.lead.retrying = frozenset({second})
            await watcher.see()
            assert "22 of 24 runs finished · 1 waiting · 1 failed" in said(watcher, SweepLine)

    async def test_other_workers_show(self) -> None:
        async with watching() as watcher:
            assert watcher.lead
            watcher.lead.workers = "Ray: 7 CPUs on 3 nodes"
            await watcher.see()
            assert "Ray: 7 CPUs on 3 nodes" in said(watcher, SweepLine)

    async def test_a_sweep_of_another_process_is_looked_at_only(self) -> None:
        async with watching(leads=False) as watcher:
            assert "10 of 24 runs finished" in said(watcher, SweepLine)
            assert "processes" not in said(watcher, SweepLine)


class TestCrosshair:
    async def test_it_begins_at_keras_s_default(self) -> None:
        async with watching(view_of(24)) as watcher:
            assert watcher.map.cursor == (0, 7)
            text = said(watcher, Reading)
            assert text.startswith("batch size 16 · momentum 0.99 · learning rate 0.001 gap 0.000")
            assert "after epoch 4, update 1,000" in text
            assert "(seed 0)" in text
            assert "(seed 2)" in text

    async def test_it_moves_and_stops_at_the_edges(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press("full_stop", "up")
            assert watcher.map.cursor == (1, 8)
            assert "batch size 64 · momentum 0.995" in said(watcher, Reading)
            await watcher.press("comma", "comma", "comma", "down")
            assert watcher.map.cursor == (0, 7)
            await watcher.press("greater_than_sign", "pageup")
            assert watcher.map.cursor == (3, 12)
            assert "momentum warm-up" in said(watcher, Reading)
            await watcher.press("less_than_sign", "pagedown", "pagedown")
            assert watcher.map.cursor == (0, 0)

    async def test_its_words_are_what_was_measured(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press(*["full_stop"] * 3)
            text = said(watcher, Reading)
            assert "gap 0.475 (0.472 to 0.478, 3 seeds) · running 0.159 · fresh 0.634" in text
            assert "update 16" in text
            assert "85 % of the start values left" in text

    async def test_a_click_moves_it_and_another_one_opens(self) -> None:
        async with watching(view_of(24)) as watcher:
            area = watcher.map.content_region
            at = area.x + 18 + 30, area.y + 1
            await watcher.pilot.click(offset=at)
            assert watcher.map.cursor == (1, 12)
            await watcher.pilot.click(offset=at)
            await watcher.settle()
            assert isinstance(watcher.app.screen, RunsBehindScreen)

    async def test_the_wheel_moves_it(self) -> None:
        async with watching(view_of(24)) as watcher:
            watcher.map.action_move(0, 1)
            await watcher.settle()
            assert watcher.map.cursor == (0, 8)


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


class TestDesigns:
    async def test_a_sweep_of_seeds_alone_has_one_row_of_momenta(self) -> None:
        view = view_of(2, design=Design(RunConfig(width=0.25, epochs=4), (), (0, 1)))
        async with watching(view) as watcher:
            choice = watcher.screen.choice
            assert NO_AXIS in (choice.x, choice.y)
            assert "2 seeds" in said(watcher, Reading)
            await watcher.press("x", "y", "v", "right_square_bracket", "enter")
            assert isinstance(watcher.app.screen, RunsBehindScreen)

    async def test_a_sweep_without_batch_norm_shows_accuracies(self) -> None:
        design = Design(RunConfig(norm="none"), (Axis("batch_size", (64, 256)),), (0,))
        async with watching(view_of(2, design=design)) as watcher:
            assert said(watcher, ChoiceLine).startswith("running")


class TestOtherViews:
    async def test_an_axis_that_is_gone_is_left_for_the_first_diagram(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press("x")
            assert watcher.screen.choice.x == UPDATES
            await watcher.see(view_of(0))  # how many images there are is known no longer
            assert watcher.screen.choice == first_choice(watcher.source.view)
            assert watcher.map.cursor == (0, 7)
            assert "gap not measured yet" in said(watcher, Reading)

    async def test_a_choice_that_the_view_has_stays_with_its_tile(self) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press("right_square_bracket", "full_stop")
            choice = watcher.screen.choice
            await watcher.see(view_of(8))
            assert (watcher.screen.choice, watcher.map.cursor) == (choice, (1, 7))

    @pytest.mark.parametrize(
        "axes",
        [
            (Axis("batch_size", (32, 512)),),
            (Axis("depth", (1, 2)), Axis("norm", ("layer", "none"))),
            (Axis("learning_rate", (0.01, 0.1, 1.0)), Axis("batch_size", (16, 64, 256, 1024))),
            (),
        ],
    )
    @pytest.mark.parametrize("keys", [[], ["x"], ["x", "y", "right_square_bracket"], ["v", "left"]])
    async def test_another_sweep_of_the_name_begins_with_its_first_diagram(
        self, axes: tuple[Axis, ...], keys: list[str]
    ) -> None:
        async with watching(view_of(24)) as watcher:
            await watcher.press(*keys, "greater_than_sign", "pageup")
            other = view_of(1, design=Design(RunConfig(width=0.25, epochs=4), axes))
            await watcher.see(other)
            assert watcher.screen.choice == first_choice(other)
            tile = watcher.map.chosen
            assert tile
            assert other.cells[0].cell.id in tile.runs
            assert "(seed 0)" in said(watcher, Reading)
            await watcher.press("x", "y", "tab", "right_square_bracket", "v", "enter")
            assert isinstance(watcher.app.screen, RunsBehindScreen)


class TestSizes:
    @pytest.mark.parametrize("size", [FULL, TABS, SMALL])
    @pytest.mark.parametrize("glyphs", list(Glyphs))
    async def test_everything_is_there(self, size: tuple[int, int], glyphs: Glyphs) -> None:
        async with watching(view_of(14, running=3, failed=1), size, glyphs=glyphs) as watcher:
            text = words(watcher.lines)
            for part in (
                "lr-and-batch",
                "3 running",
                "1 failed",
                "momentum",
                "batch size",
                "q quit",
            ):
                assert part in text
            assert watcher.text.isascii() == (glyphs is Glyphs.ASCII)
            await watcher.press("enter")
            assert watcher.text.isascii() == (glyphs is Glyphs.ASCII)

    async def test_a_tiny_terminal_is_told_and_comes_back(self) -> None:
        async with watching(size=TINY) as watcher:
            assert "bntui needs 60 columns and 16 rows" in words(watcher.lines)
            assert "The sweep goes on." in words(watcher.lines)
            await watcher.see(view_of(24))
            await watcher.resize(FULL)
            assert "all 24 runs finished" in said(watcher, SweepLine)
            await watcher.press("up")
            assert watcher.map.cursor == (0, 8)

    async def test_a_large_diagram_scrolls_with_the_crosshair(self) -> None:
        async with watching(view_of(24), SMALL) as watcher:
            assert "0.99▲" in watcher.text.replace(" ", "")
            await watcher.press(*["up"] * 5)
            assert "warm-up" in watcher.text
            assert "▼" in watcher.text
            await watcher.press("pagedown", "pagedown")
            assert "0│" in watcher.text

    async def test_without_colour_shades_are_characters(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        async with watching(view_of(24)) as watcher:
            assert "█████" in watcher.lines[7]
            assert "▄▄▄" in watcher.text

    @pytest.mark.parametrize("theme", ["bntui", "bntui-light"])
    async def test_a_value_stands_out_from_its_shade(self, theme: str) -> None:
        async with watching(view_of(24), theme=theme) as watcher:
            for level in range(20):
                style = watcher.map.role_style(f"heat-{level}")
                assert style.color
                assert style.bgcolor
                ink, ground = style.color.get_truecolor(), style.bgcolor.get_truecolor()
                assert contrast(ink, ground) > 4.5, level


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Return the ratio of two colours' luminances, as WCAG 2 has it."""

    def luminance(colour: tuple[int, int, int]) -> float:
        parts = (part / 255 for part in colour)
        linear = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


async def test_a_change_of_one_cell_repaints_little() -> None:
    axes = (
        Axis("batch_size", tuple(8 * place for place in range(1, 51))),
        Axis("learning_rate", tuple(place / 1000 for place in range(1, 41))),
    )
    design = Design(RunConfig(width=0.25, epochs=4), axes)
    before, after = (view_of(1000 + more, design=design) for more in (0, 1))
    cells = (*before.cells[:1000], after.cells[1000], *before.cells[1001:])
    async with watching(before) as watcher:
        await watcher.press("x", "x", "y")
        choice = watcher.screen.choice
        assert (choice.x, choice.y) == ("learning_rate", "batch_size")
        regions: list[Region] = []
        watcher.map.refresh = lambda *some, **_: regions.extend(some)  # type: ignore[method-assign,assignment]
        await watcher.see(replace(before, cells=cells))
        assert 1 <= sum(region.area for region in regions) <= 8
