"""The panel of every momentum: the keys and the mouse that move it, what it asks for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from textual.app import ComposeResult
from textual.events import MouseScrollDown
from textual.message import Message
from textual.pilot import Pilot

from bntui.core.config import Knobs, RunConfig
from bntui.core.snapshot import Mark, Phase, Snapshot
from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.ramp import STEPS, colours
from bntui.ui.drawing.view import Axis, View
from bntui.ui.explorer.hindsight import HindsightMap
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.explorer.mapped import HIGH, LOW, MIDDLE, TOP_DOWN, hindsight
from tests.ui.scripted import history, mid_run


class MapApp(DiffApp):
    CSS = "HindsightMap { height: 17; border: round red; }"
    glyphs = Glyphs.BRAILLE

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Message] = []

    def compose(self) -> ComposeResult:
        yield HindsightMap(id="first")
        yield HindsightMap(id="map")

    def on_hindsight_map_applied(self, message: HindsightMap.Applied) -> None:
        self.asked.append(message)

    def on_hindsight_map_pointed(self, message: HindsightMap.Pointed) -> None:
        self.asked.append(message)

    def on_hindsight_map_opened(self, message: HindsightMap.Opened) -> None:
        self.asked.append(message)


def shot(**changes: Any) -> Snapshot:
    shown = hindsight((4, 12, 20), rows={"0.9": (0.3, MIDDLE, HIGH)})
    config = changes.pop("config", RunConfig(epochs=2))
    return mid_run(config, **{"update": 20, "hindsight": shown} | changes)


def the_map(pilot: Pilot[None], **changes: Any) -> HindsightMap:
    shown = pilot.app.query_one("#map", HindsightMap)
    shown.show(shot(**changes), planned=32.0)
    return shown


def asked(pilot: Pilot[None]) -> list[Message]:
    app = pilot.app
    assert isinstance(app, MapApp)
    return app.asked


def lines(widget: HindsightMap) -> list[str]:
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def reading_of(widget: HindsightMap) -> str:
    return lines(widget)[-1].strip()


class TestWidget:
    async def test_rows_axis_and_reading_at_80_columns(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot, marks=(Mark(10, "momentum 0.9→0.99"),))
            rows = lines(shown)
            assert rows[0].startswith("0.999│")
            assert rows[12].endswith("0.100 warm-up")
            assert rows[13].startswith("      0 ")
            assert "▲ momentum 0.9→0.99" in rows[13]
            assert rows[13].endswith("updates")
            assert rows[14] == (
                " update 20 on 200 images, this run's 0.99: 0.100; fresh statistics: 0.974"
            )

    async def test_the_legend_is_in_the_maps_own_colours(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            title = shown._border_title
            assert title
            assert title.plain == (
                "every momentum, in hindsight · accuracy 0 ██████████ 1 · measuring 40%"
            )
            ramp = colours(dark=True)
            levels = (0, 2, 4, 6, 8, 11, 13, 15, 17, 19)
            assert [span.style for span in title.spans] == [ramp[level] for level in levels]
            assert shown.role_style("heat-19").color == shown.role_style("heat-19 cursor").color
            found = shown.role_style("heat-19").color
            assert found
            assert found.name == ramp[STEPS - 1]
            pilot.app.theme = "textual-light"
            await pilot.pause()
            assert [span.style for span in title.spans] != [
                span.style for span in (shown._border_title or title).spans
            ]

    @pytest.mark.parametrize("width", [40, 50, 60, 80, 120])
    async def test_the_title_is_never_cut(self, width: int) -> None:
        async with MapApp().run_test(size=(width, 40)) as pilot:
            shown = the_map(pilot)
            top = "".join(
                segment.text for segment in shown.render_lines(shown.region.reset_offset)[0]
            )
            assert " 1 " in top
            assert "…" not in top

    async def test_where_not_all_rows_fit_a_line_says_which_are_hidden(self) -> None:
        async with MapApp().run_test(size=(120, 40)) as pilot:
            shown = the_map(pilot)
            shown.styles.height = 11
            await pilot.pause()
            rows = lines(shown)
            assert len(rows) == 9
            assert rows[7].endswith("updates")
            assert rows[8] == " hidden: 0.995, 0.98, 0.97, 0.8, 0.5, cumulative"
            shown.focus()
            await pilot.press("down")
            assert rows[7:] != lines(shown)[7:]
            assert "0.98 │" in "".join(lines(shown))
            assert lines(shown)[8].endswith("· 6 rows hidden")

    async def test_where_charts_above_have_the_axis_one_row_more_takes_its_place(self) -> None:
        async with MapApp().run_test(size=(120, 40)) as pilot:
            shown = the_map(pilot)
            shown.styles.height = 11
            pilot.app.screen.add_class("-full")
            await pilot.pause()
            shown.repaint()
            assert not any(row.endswith("updates") for row in lines(shown))
            assert sum("│" in row or "▐" in row for row in lines(shown)) == 8

    async def test_arrows_choose_a_row_and_stay_on_the_map(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            shown.focus()
            await pilot.pause()
            assert shown.chosen == "0.99"
            await pilot.press("down")
            assert shown.chosen == "0.98"
            await pilot.press("left")
            assert shown.chosen == "0.97"
            await pilot.press("right", "right", "up")
            assert shown.chosen == "0.995"
            await pilot.press(*["up"] * 3)
            assert shown.chosen == "0.999"
            await pilot.press(*["down"] * 20)
            assert shown.chosen == "warm-up"
            assert pilot.app.focused is shown
            assert reading_of(shown).startswith("update 20 on 200 images, warm-up: 0.100; this run")

    async def test_hidden_rows_are_reached_as_well(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            shown.styles.height = 6
            shown.focus()
            await pilot.pause()
            seen = {shown.chosen}
            for _ in range(20):
                await pilot.press("up")
            for _ in TOP_DOWN:
                seen.add(shown.chosen)
                assert any(
                    shown.chosen in row or shown.chosen in row.replace("run", "0.99")
                    for row in lines(shown)
                )
                await pilot.press("down")
            assert seen == set(TOP_DOWN)

    async def test_the_row_is_scrubbed_only_with_the_focus_and_if_it_is_another(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            shown.focus()
            await pilot.press("down")
            assert shown.scrubbed == "0.98"
            await pilot.press("up")
            assert shown.scrubbed == ""
            await pilot.press("down")
            pilot.app.query_one("#first", HindsightMap).focus()
            await pilot.pause()
            assert shown.scrubbed == ""

    async def test_enter_asks_for_the_row_or_opens_the_runs_own(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            shown.focus()
            await pilot.press("enter", "down", "enter", "up", "enter")
            assert [type(one).__name__ for one in asked(pilot)] == ["Opened", "Applied", "Opened"]
            assert asked(pilot)[0] == HindsightMap.Opened(20.0)
            assert asked(pilot)[1] == HindsightMap.Applied("0.98")

    async def test_a_click_points_at_a_cell_and_one_more_opens_it(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            columns = shown.size.width - AXIS - LEGEND
            cell = (1 + AXIS + round(columns * 13 / 32), 1 + 6)
            await pilot.click("#map", offset=cell)
            assert shown.chosen == "0.9"
            assert asked(pilot) == [HindsightMap.Pointed(12.0)]
            shown.show(shot(), view=View(cursor=12.0), planned=32.0)
            await pilot.click("#map", offset=cell)
            assert asked(pilot)[1:] == [HindsightMap.Opened(12.0)]
            await pilot.click("#map", offset=(0, 0))
            await pilot.click("#map", offset=(3, 3))
            await pilot.click("#map", offset=(30, 15))
            assert len(asked(pilot)) == 2

    async def test_the_wheel_chooses_rows(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            await pilot._post_mouse_events([MouseScrollDown], "#map", offset=(20, 5))
            assert shown.chosen == "0.98"

    async def test_the_crosshair_reads_the_map(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            shown.row = "0.9"
            shown.show(shot(), view=View(cursor=13.0))
            assert reading_of(shown).startswith(
                "update 12 on 200 images, momentum 0.9: 0.600; this"
            )
            assert "0.600" in lines(shown)[6]
            assert any(segment.style and segment.style.reverse for segment in shown.render_line(6))

    async def test_the_axis_may_count_seconds_and_a_window_hides_what_lies_outside(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot)
            clock = {"seconds": history([0.5 * n for n in range(1, 21)])}
            shown.show(shot(series=clock), view=View(axis=Axis.SECONDS))
            assert lines(shown)[13].endswith("time")
            whole = lines(shown)[6]
            shown.show(shot(series=clock), view=View(axis=Axis.SECONDS), end=60.0)
            assert lines(shown)[6].count("█") < whole.count("█")
            shown.show(shot(), view=View(window=(6.0, 16.0)))
            assert reading_of(shown).startswith("update 12 on ")

    async def test_before_the_first_look_it_says_what_it_waits_for(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot, hindsight=None)
            assert lines(shown)[0] == " waiting for the first look back"
            shown.focus()
            await pilot.press("down", "enter", "up")
            assert asked(pilot) == []
            shown.show(shot(hindsight=None, phase=Phase.PAUSED))
            assert lines(shown)[0] == " waiting for training: press space"
            shown.show(shot(hindsight=None, config=RunConfig(norm="none")))
            assert "no batch norm" in lines(shown)[0]

    async def test_in_ascii_all_shades_differ(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            pilot.app.glyphs = Glyphs.ASCII  # type: ignore[attr-defined]
            shown = the_map(pilot)
            assert "".join(lines(shown)).isascii()
            assert lines(shown)[6].startswith(" 0.9 |")
            assert lines(shown)[2].startswith("0.99 [")
            assert "]0.100 < this run" in lines(shown)[2]
            assert {"-", "+", "@"} <= set(lines(shown)[6])
            assert shown._border_title.plain.isascii()  # type: ignore[union-attr]

    async def test_a_new_look_refreshes_few_cells(self) -> None:
        async with MapApp().run_test(size=(120, 40)) as pilot:
            shown = the_map(pilot)
            await pilot.pause()
            before = lines(shown)
            later = hindsight((4, 12, 20, 21), rows={"0.9": (0.3, MIDDLE, HIGH, HIGH)})
            shown.show(replace(shot(), hindsight=later), planned=32.0)
            changed = sum(
                a != b
                for old, new in zip(before, lines(shown), strict=True)
                for a, b in zip(old.ljust(120), new.ljust(120), strict=True)
            )
            assert 13 <= changed <= 13 * 4

    async def test_a_live_change_gives_the_run_a_row_of_its_own(self) -> None:
        changed = hindsight(own=(LOW, LOW, MIDDLE), momentum=0.9)
        changed = replace(changed, momentum=np.array([0.99, 0.99, 0.9]))
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = the_map(pilot, hindsight=changed, knobs=Knobs(momentum=0.9))
            assert lines(shown)[0].startswith(" run ▐")
            assert lines(shown)[0].endswith("▌0.600 ◂ this run")
