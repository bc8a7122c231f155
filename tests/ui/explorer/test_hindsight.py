"""The map of every momentum: literal rows, the reading, and the keys that move it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from textual.app import ComposeResult

from bntui.core.config import Knobs, RunConfig
from bntui.core.measured import Hindsight
from bntui.core.scales import UNIT
from bntui.core.snapshot import Mark, Phase, Snapshot
from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.charts import chart
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.view import Axis, View
from bntui.ui.explorer import hindsight as module
from bntui.ui.explorer.hindsight import OWN_ROW, HindsightMap, heat_map, kept_rows, key, reading
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.scripted import history, mid_run

NAMES = (
    *("0", "0.5", "0.8", "0.9", "0.95", "0.97", "0.98", "0.99", "0.995", "0.999"),
    *("bias-corrected", "cumulative", "warm-up"),
)
TOP_DOWN = [*reversed(NAMES[:10]), *NAMES[10:]]
LOW, MIDDLE, HIGH = 0.1, 0.6, 0.951
WIDTH = AXIS + 16 + LEGEND


def hindsight(
    updates: Sequence[float] = (4, 12, 20),
    *,
    rows: dict[str, Sequence[float]] | None = None,
    own: Sequence[float] | None = None,
    momentum: float = 0.99,
) -> Hindsight:
    """Return moments at which every row is `LOW` but those given; own is the row of `momentum`."""
    table = {name: [LOW] * len(updates) for name in NAMES}
    table |= {name: list(values) for name, values in (rows or {}).items()}
    return Hindsight(
        names=NAMES,
        images=200,
        updates=np.array(updates, dtype=np.float64),
        accuracy=np.array([table[name] for name in NAMES]),
        own=np.array(table[f"{momentum:g}"] if own is None else own),
        fresh=np.full(len(updates), 0.974),
        momentum=np.full(len(updates), momentum),
    )


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]


def drawn(shown: Hindsight, *, height: int = 13, **options: Any) -> list[str]:
    x = options.pop("x", (0.0, 32.0))
    return text(heat_map(shown, shown.updates, width=WIDTH, height=height, x=x, **options))


class TestMap:
    def test_rows_from_high_momenta_down_and_the_other_estimators_last(self) -> None:
        shown = hindsight(
            rows={
                "0.9": (0.3, MIDDLE, HIGH),
                "0.8": (0.5, 0.8, 0.9),
                "bias-corrected": (0.19, 0.2, 0.899),
            }
        )
        assert drawn(shown) == [
            ".999 │  ········       0.100",
            ".995 │  ········       0.100",
            " .99 │  ········       0.100 ◂ this run",
            " .98 │  ········       0.100",
            " .97 │  ········       0.100",
            " .95 │  ········       0.100",
            "  .9 │  ░░░░▒▒▒█       0.951",
            "  .8 │  ▒▒▒▒▓▓▓█       0.900",
            "  .5 │  ········       0.100",
            "   0 │  ········       0.100",
            "b-cor│  ····░░░▓       0.899",
            "cumul│  ········       0.100",
            "warm │  ········       0.100",
        ]

    def test_margins_are_those_of_the_charts(self) -> None:
        below = text(chart([], width=WIDTH, height=3, x_low=0, x_high=32, y=UNIT))
        row = drawn(hindsight(), height=1)[0]
        assert row.index("│") == below[0].index("┤") == AXIS - 1
        assert row.index("0.100") == WIDTH - LEGEND + 1

    def test_the_runs_own_row_is_strong_as_well_as_marked(self) -> None:
        shown = hindsight()
        picture = heat_map(shown, shown.updates, width=WIDTH, height=13, x=(0, 32))
        assert [row[0] for row in picture if "strong" in row[0][1]] == [(" .99 ", "strong")]

    def test_every_shade_is_a_character_and_a_role(self) -> None:
        shown = hindsight(rows={"0.9": (0.3, MIDDLE, HIGH)})
        row = heat_map(shown, shown.updates, width=WIDTH, height=13, x=(0, 32))[6]
        assert row[2:6] == [("  ", ""), ("░░░░", "heat-1"), ("▒▒▒", "heat-2"), ("█", "heat-4")]

    @pytest.mark.parametrize(
        ("height", "labels"),
        [
            (1, ".99"),
            (4, ".999 .99 .9 b-cor"),
            (6, ".999 .99 .95 .9 0 b-cor"),
            (12, ".999 .995 .99 .98 .97 .95 .9 .8 .5 0 b-cor warm"),
            (99, ".999 .995 .99 .98 .97 .95 .9 .8 .5 0 b-cor cumul warm"),
        ],
    )
    def test_with_little_room_the_telling_rows_are_kept(self, height: int, labels: str) -> None:
        assert [row.split("│")[0].strip() for row in drawn(hindsight(), height=height)] == (
            labels.split()
        )

    def test_the_runs_own_row_is_never_dropped(self) -> None:
        assert kept_rows(hindsight(momentum=0.8), 1) == ["0.8"]

    def test_a_run_that_is_like_no_estimator_has_a_row_of_its_own(self) -> None:
        typed = hindsight(own=(LOW, LOW, 0.5), momentum=0.93)
        recalibrated = hindsight(own=(LOW, LOW, HIGH), momentum=0.99)
        assert drawn(typed)[0] == " run │  ·······▒       0.500 ◂ this run"
        assert drawn(recalibrated, height=1) == [" run │  ·······█       0.951 ◂ this run"]
        assert kept_rows(typed, 99) == [OWN_ROW, *TOP_DOWN]

    def test_moments_to_come_change_no_column_but_the_newest(self) -> None:
        values = [LOW, MIDDLE, HIGH, 0.3, 0.85, LOW, HIGH]
        updates = [1, 3, 9, 10, 11, 25, 31]
        before = ""
        for count in range(1, len(values) + 1):
            shown = hindsight(updates[:count], rows={"0.9": values[:count]})
            row = drawn(shown)[6][AXIS : AXIS + 16].rstrip()
            assert row.startswith(before[:-1])
            before = row
        assert before == "·▒▒▒█▓▓▓▓▓▓▓···█"

    def test_a_window_shows_what_was_measured_before_it(self) -> None:
        shown = hindsight(rows={"0.9": (0.3, MIDDLE, HIGH)})
        assert drawn(shown, x=(8.0, 16.0))[6] == "  .9 │░░░░░░░░▒▒▒▒▒▒▒▒ 0.951"
        assert drawn(shown, x=(24.0, 32.0))[6] == "  .9 │                 0.951"

    def test_the_cursor_reverses_its_cell_and_its_label_and_sets_the_values(self) -> None:
        shown = hindsight(rows={"0.9": (0.3, MIDDLE, HIGH)})
        options: dict[str, Any] = {"width": WIDTH, "height": 13, "x": (0, 32), "row": "0.9"}
        row = heat_map(shown, shown.updates, cursor=13.0, **options)[6]
        assert row[:5] == [
            ("  .9 ", "axis cursor"),
            ("│", "axis"),
            ("  ", ""),
            ("░░░░", "heat-1"),
            ("▒", "heat-2 cursor"),
        ]
        assert row[-2] == (" 0.600", "")
        newest = heat_map(shown, shown.updates, **options)[6]
        assert newest[5] == ("█", "heat-4 cursor")
        early = heat_map(shown, shown.updates, cursor=1.0, **options)[6]
        assert early[2] == (" ", "cursor")
        assert early[-2] == ("     –", "")

    def test_no_room_is_no_picture(self) -> None:
        assert drawn(hindsight(), height=0) == []
        assert heat_map(hindsight(), np.array([4.0, 12, 20]), width=9, height=9, x=(0, 32)) == []

    def test_the_key_says_where_shades_change(self) -> None:
        assert key() == "· .2 ░ .5 ▒ .8 ▓ .9 █"


class TestReading:
    SHOWN = hindsight((90, 96, 101), rows={"0.9": (0.9, 0.951, 0.96), "0.99": (0.2, 0.1, 0.3)})

    def test_reads_a_cell_beside_the_runs_own(self) -> None:
        assert (
            reading(self.SHOWN, 96, "0.9")
            == "update 96, momentum 0.9: 0.951; this run's 0.99: 0.100"
        )

    def test_reads_the_last_moment_before(self) -> None:
        assert reading(self.SHOWN, 95.5, "bias-corrected") == (
            "update 90, bias-corrected: 0.100; this run's 0.99: 0.200"
        )
        assert reading(self.SHOWN, 89, "0.9") == "nothing was measured before update 90"

    def test_reads_the_newest_without_a_cursor(self) -> None:
        assert reading(self.SHOWN, None, "0.9").startswith("update 101, momentum 0.9: 0.960;")

    def test_reads_the_runs_own_beside_fresh_statistics(self) -> None:
        assert reading(self.SHOWN, 96, OWN_ROW) == (
            "update 96, this run's 0.99: 0.100; fresh statistics: 0.974"
        )


class MapApp(DiffApp):
    CSS = "HindsightMap { height: 17; border: round red; }"
    glyphs = Glyphs.BRAILLE

    def compose(self) -> ComposeResult:
        yield HindsightMap(id="first")
        yield HindsightMap(id="map")


def shot(**changes: Any) -> Snapshot:
    shown = hindsight((4, 12, 20), rows={"0.9": (0.3, MIDDLE, HIGH)})
    config = changes.pop("config", RunConfig())
    return mid_run(config, **{"update": 20, "hindsight": shown} | changes)


def lines(widget: HindsightMap) -> list[str]:
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


class TestWidget:
    async def test_rows_axis_and_reading_at_80_columns(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot(marks=(Mark(10, "momentum 0.9→0.99"),)))
            rows = lines(shown)
            assert rows[0].startswith(".999 │")
            assert rows[12].startswith("warm │")
            assert rows[13].startswith("      0 ")
            assert "▲ momentum 0.9→0.99" in rows[13]
            assert rows[13].endswith("updates")
            assert rows[14] == " update 20, momentum 0.9: 0.951; this run's 0.99: 0.100"
            assert shown.border_title == (
                f"every momentum, in hindsight, 200 images {key()} · measuring 40%"
            )

    async def test_arrows_move_the_row_and_leave_at_the_ends(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot())
            shown.focus()
            await pilot.press("down")
            assert shown.row == "0.8"
            assert lines(shown)[14] == " update 20, momentum 0.8: 0.100; this run's 0.99: 0.100"
            await pilot.press("up", "up")
            assert shown.row == "0.95"
            await pilot.press(*["up"] * 6)
            assert shown.row == "0.999"
            assert pilot.app.focused is pilot.app.query_one("#first")
            await pilot.press("up")  # of a map without rows
            assert pilot.app.focused is shown

    async def test_the_crosshair_reads_the_map(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot(), view=View(cursor=13.0))
            assert lines(shown)[14] == " update 12, momentum 0.9: 0.600; this run's 0.99: 0.100"
            assert " 0.600" in lines(shown)[6]
            assert any(segment.style and segment.style.reverse for segment in shown.render_line(6))

    async def test_the_axis_may_count_seconds_and_a_window_hides_what_lies_outside(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            clock = {"seconds": history([0.5 * n for n in range(1, 21)])}
            shown.show(shot(series=clock), view=View(axis=Axis.SECONDS))
            assert lines(shown)[13].endswith("time")
            whole = lines(shown)[6]
            shown.show(shot(series=clock), view=View(axis=Axis.SECONDS), end=60.0)
            assert lines(shown)[6].count("░") < whole.count("░")
            shown.show(shot(), view=View(window=(6.0, 16.0)))
            assert lines(shown)[14].startswith(" update 12, ")

    async def test_before_the_first_moment_it_says_what_it_waits_for(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot(hindsight=None))
            assert lines(shown)[0] == " waits for the first look back"
            shown.show(shot(hindsight=None, phase=Phase.PAUSED))
            assert lines(shown)[0] == " waits for training: press space"
            shown.show(shot(hindsight=None, config=RunConfig(norm="none")))
            assert "no batch norm" in lines(shown)[0]

    async def test_in_ascii_all_shades_differ(self) -> None:
        async with MapApp().run_test(size=(80, 40)) as pilot:
            pilot.app.glyphs = Glyphs.ASCII  # type: ignore[attr-defined]
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot())
            assert len(set(module.ASCII_RAMP)) == len(module.RAMP)
            assert "".join(lines(shown)).isascii()
            assert lines(shown)[6].startswith("  .9 |")
            assert {":", "+", "#"} <= set(lines(shown)[6])

    async def test_a_new_moment_refreshes_few_cells(self) -> None:
        async with MapApp().run_test(size=(120, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot())
            await pilot.pause()
            before = lines(shown)
            later = hindsight((4, 12, 20, 21), rows={"0.9": (0.3, MIDDLE, HIGH, HIGH)})
            shown.show(replace(shot(), hindsight=later))
            changed = sum(
                a != b
                for old, new in zip(before, lines(shown), strict=True)
                for a, b in zip(old.ljust(120), new.ljust(120), strict=True)
            )
            assert 13 <= changed <= 13 * 4

    async def test_a_live_change_shows_momentum_at_the_time(self) -> None:
        changed = replace(
            hindsight(own=(LOW, LOW, MIDDLE), momentum=0.9), momentum=np.array([0.99, 0.99, 0.9])
        )
        assert reading(changed, 12, "0.5").endswith("this run's 0.99: 0.100")
        async with MapApp().run_test(size=(80, 40)) as pilot:
            shown = pilot.app.query_one("#map", HindsightMap)
            shown.show(shot(hindsight=changed, knobs=Knobs(momentum=0.9)))
            assert lines(shown)[0].startswith(" run │")
