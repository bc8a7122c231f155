"""The screen of a sweep: it fills while one looks, its crosshair, and sweeps of every design."""

from dataclasses import replace

import pytest
from textual.geometry import Region

from bntui.core.config import RunConfig
from bntui.core.sweep import Axis, Design
from bntui.sweeps.phase import NO_AXIS, UPDATES, first_choice
from bntui.ui.sweeps.behind import RunsBehindScreen
from bntui.ui.sweeps.lines import ChoiceLine, Reading, SweepLine
from bntui.ui.widgets.notices import MessageLines
from tests.ui.sweeps.scripted import (
    FULL,
    SMALL,
    TABS,
    said,
    view_of,
    watching,
)

LONG = (
    "run 36f8c269dfb1 goes on later: this run is not being kept: the store /tmp/s.sqlite can't be used: "
    "database or disk is full; name another file with BNTUI_STORE."
)


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

    @pytest.mark.parametrize("size", [FULL, TABS, SMALL])
    async def test_a_message_is_told_whole_in_as_many_lines_as_it_takes(
        self, size: tuple[int, int]
    ) -> None:
        async with watching(size=size) as watcher:
            before = watcher.map.size
            await watcher.see(message=LONG)
            assert LONG in " ".join(said(watcher, MessageLines).split())
            await watcher.pilot.resize_terminal(*TABS)
            await watcher.see()
            assert LONG in " ".join(said(watcher, MessageLines).split())
            await watcher.pilot.resize_terminal(*size)
            await watcher.see(message="")
            assert watcher.map.size == before
            assert "gap: fresh less running accuracy" in said(watcher, MessageLines)

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
            assert (
                "gap 0.475 (0.472 to 0.478, 3 seeds) · median running 0.159 · median fresh 0.634"
                in text
            )
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
