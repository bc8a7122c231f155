"""The map of every momentum as literal rows."""

from dataclasses import replace
from typing import Any

import numpy as np

from bntui.core.scales import UNIT
from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.canvas import Picture
from bntui.ui.drawing.charts import chart
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.ramp import CHARACTERS
from bntui.ui.explorer.heat_map import heat_map, looks_in, named, update_at
from bntui.ui.explorer.looks import Looks
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.explorer.mapped import HIGH, LOW, MIDDLE, looks

WIDTH = AXIS + 16 + LEGEND
FEW = CHARACTERS[Glyphs.BLOCKS]


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]


def picture_of(shown: Looks, *, height: int = 13, **options: Any) -> Picture:
    x = options.pop("x", (0.0, 32.0))
    ends = shown.ends
    return heat_map(shown, shown.updates, ends, width=WIDTH, height=height, x=x, **options)


def drawn(shown: Looks, **options: Any) -> list[str]:
    return text(picture_of(shown, **{"ramp": FEW} | options))


class TestMap:
    def test_rows_with_their_whole_names_and_the_runs_own_in_a_frame(self) -> None:
        shown = looks(
            rows={
                "0.9": (0.3, MIDDLE, HIGH),
                "0.8": (0.5, 0.8, 0.9),
                "bias-corrected": (0.19, 0.2, 0.899),
            }
        )
        assert drawn(shown) == [
            "0.999│  ········       0.100",
            "0.995│  ········       0.100",
            "0.99 ▐  ········      ▌0.100 ◂ this run",
            "0.98 │  ········       0.100",
            "0.97 │  ········       0.100",
            "0.95 │  ········       0.100",
            " 0.9 │  ░░░░▓▓▓█       0.951",
            " 0.8 │  ▒▒▒▒████       0.900",
            " 0.5 │  ········       0.100",
            "   0 │  ········       0.100",
            "     │  ····░░░█       0.899 bias-corrected",
            "     │  ········       0.100 cumulative",
            "     │  ········       0.100 warm-up",
        ]

    def test_a_long_name_stands_beside_its_value_where_there_is_room(self) -> None:
        assert named("bias-corrected", "0.975", 20, own=False) == "0.975 bias-corrected"
        assert named("bias-corrected", "0.975", 17, own=False) == "bias-corrected"
        assert named("cumulative", "0.975", 30, own=True) == "0.975 cumulative ◂ this run"
        assert named("warm-up", "0.975", 17, own=True) == "0.975 warm-up ◂"
        assert named("0.9", "0.975", 17, own=False) == "0.975"

    def test_margins_are_those_of_the_charts(self) -> None:
        below = text(chart([], width=WIDTH, height=3, x_low=0, x_high=32, y=UNIT))
        row = drawn(looks(), height=13)[0]
        assert row.index("│") == below[0].index("┤") == AXIS - 1
        assert row.index("0.100") == WIDTH - LEGEND + 1

    def test_the_runs_own_frame_has_the_colour_of_its_statistics(self) -> None:
        row = picture_of(looks())[2]
        framed = [text for text, role in row if role == "running strong"]
        assert framed == ["0.99 ", "▐", "▌", "0.100 ◂ this run"]

    def test_every_shade_is_a_role_and_without_colours_a_character(self) -> None:
        shown = looks(rows={"0.9": (0.3, MIDDLE, HIGH)})
        assert picture_of(shown)[6][2:6] == [
            ("  ", ""),
            ("████", "heat-6"),
            ("███", "heat-12"),
            ("█", "heat-19"),
        ]
        few = picture_of(shown, ramp=FEW)[6][2:6]
        assert few == [("  ", ""), ("░░░░", "heat-1"), ("▓▓▓", "heat-3"), ("█", "heat-4")]

    def test_a_run_that_is_like_no_estimator_has_a_row_of_its_own(self) -> None:
        recalibrated = looks(own=(LOW, LOW, HIGH), momentum=0.99)
        assert drawn(recalibrated, height=1) == [" run ▐  ·······█      ▌0.951 ◂ this run"]

    def test_what_was_not_measured_is_blank(self) -> None:
        shown = looks((4, 8, 24, 28))
        assert drawn(shown, height=1) == ["0.99 ▐  ·······  ···  ▌0.100 ◂ this run"]
        nothing = looks(own=(LOW, float("nan"), LOW))
        assert drawn(nothing)[2] == "0.99 ▐  ········      ▌0.100 ◂ this run"
        gone = replace(shown, own=np.full(4, np.nan), accuracy=np.full((13, 4), np.nan))
        assert "·" not in drawn(gone, height=1)[0]

    def test_looks_to_come_change_no_column_that_has_one(self) -> None:
        values = [LOW, MIDDLE, HIGH, 0.3, 0.85, LOW, HIGH]
        updates = [1, 3, 9, 10, 11, 25, 31]
        before = ""
        for count in range(1, len(values) + 1):
            shown = looks(updates[:count], rows={"0.9": values[:count]})
            row = drawn(shown)[6][AXIS : AXIS + 16].rstrip()
            known = [place for place, shade in enumerate(before[:-1]) if shade != " "]
            assert all(row[place] == before[place] for place in known)
            before = row
        assert before == "·▓▓▓████████···█"

    def test_a_window_shows_what_was_measured_before_it(self) -> None:
        shown = looks(rows={"0.9": (0.3, MIDDLE, HIGH)})
        assert drawn(shown, x=(8.0, 16.0))[6] == " 0.9 │░░░░░░░░▓▓▓▓▓▓▓▓ 0.951"
        assert drawn(shown, x=(24.0, 32.0))[6] == " 0.9 │                 0.951"

    def test_the_cursor_marks_its_cell_and_its_label_and_sets_the_values(self) -> None:
        shown = looks(rows={"0.9": (0.3, MIDDLE, HIGH)})
        row = picture_of(shown, cursor=13.0, row="0.9")[6]
        assert row[:5] == [
            (" 0.9 ", "axis cursor"),
            ("│", "axis"),
            ("  ", ""),
            ("████", "heat-6"),
            ("◆", "heat-12 cursor"),
        ]
        assert row[-1] == ("0.600", "")
        newest = picture_of(shown, row="0.9", ramp=FEW)[6]
        assert newest[5] == ("█", "heat-4 cursor")
        early = picture_of(shown, cursor=1.0, row="0.9")[6]
        assert early[2] == (" ", "cursor")
        assert early[-1] == ("    –", "")
        word = picture_of(shown, row="warm-up")[12]
        assert word[0][1] == "axis"
        assert word[-1] == ("0.100 warm-up", "cursor")

    def test_no_room_is_no_picture(self) -> None:
        shown = looks()
        assert drawn(shown, height=0) == []
        assert heat_map(shown, shown.updates, shown.ends, width=9, height=9, x=(0, 32)) == []

    def test_a_column_shows_the_last_look_up_to_the_end_that_a_click_takes_for_it(self) -> None:
        shown, x = looks((3, 9, 10, 30)), (0.0, 32.0)
        for column, look in enumerate(looks_in(shown.updates, shown.ends, x, 16).tolist()):
            if look >= 0:
                assert shown.at(update_at(column, x, 16)) == look
