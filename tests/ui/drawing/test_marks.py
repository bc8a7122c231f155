"""Marks of what happened in a run, above a chart."""

import pytest

from bntui.core.snapshot import Mark
from bntui.ui.drawing.marks import Flag, flags, merged
from tests.ui.scripted import history


class TestMarks:
    @pytest.mark.parametrize(
        ("marks", "expected"),
        [
            (
                [Mark(90, "momentum 0.99→0.98"), Mark(97, "momentum 0.98→0.9")],
                [Mark(90, "momentum 0.99→0.9")],
            ),
            (
                [Mark(0, "lr 1→2"), Mark(12, "lr 2→3"), Mark(24, "lr 3→4"), Mark(37, "lr 4→5")],
                [Mark(0, "lr 1→4"), Mark(37, "lr 4→5")],
            ),
            (
                [Mark(1, "lr 1→2"), Mark(2, "momentum 0.99→0.9"), Mark(3, "lr 2→3")],
                [Mark(1, "lr 1→3"), Mark(2, "momentum 0.99→0.9")],
            ),
            ([Mark(1, "lr 1→2"), Mark(2, "lr 2→1")],) * 2,
            ([Mark(1, "lr 1→2"), Mark(2, "lr 3→4")],) * 2,
            ([Mark(1, "recalibrated"), Mark(2, "recalibrated"), Mark(3, "diverged")],) * 2,
        ],
    )
    def test_one_turn_of_a_knob_is_one_mark(self, marks: list[Mark], expected: list[Mark]) -> None:
        assert merged(marks) == expected

    def test_marks_stand_where_the_axis_has_their_update(self) -> None:
        clock = history([256 * update for update in range(1, 20)])
        assert flags([Mark(10, "lr 1→2"), Mark(11, "diverged")], clock) == [
            Flag(2560, "lr 1→2"),
            Flag(2816, "diverged", "×", "bad"),
        ]
