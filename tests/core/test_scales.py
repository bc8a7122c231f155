"""The ranges that axes span, and their ticks."""

import math

import pytest

from bntui.core.scales import UNIT, YRange, extent, grown, settled
from tests.ui.drawing.drawn import NAN, view


class TestScales:
    def test_x_grows_by_doubling(self) -> None:
        assert [grown(x) for x in (0, 1, 32, 33, 64, 65, 100_000)] == [
            32, 32, 32, 64, 64, 128, 131_072,
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("low", "high", "expected"),
        [
            (0.013, 0.97, (0, 1)),
            (-3, 7, (-5, 10)),
            (99, 101, (99, 101)),
            (0, 0, (-1, 1)),
            (0.3, 0.3, (0.26, 0.34)),
            (-1e308, 1e308, (-1e99, 1e99)),
        ],
    )
    def test_a_range_is_round(self, low: float, high: float, expected: tuple[float, float]) -> None:
        y = settled(None, low, high)
        assert (y.low, y.high) == pytest.approx(expected)

    def test_a_logarithmic_range_is_whole_decades(self) -> None:
        assert settled(None, 0.02, 3, log=True) == YRange(0.01, 10, log=True)
        assert settled(None, 1, 1, log=True) == YRange(1, 10, log=True)
        assert settled(None, 1e-320, 1e308, log=True) == YRange(1e-99, 1e99, log=True)

    def test_a_range_is_kept_until_values_leave_it(self) -> None:
        y = settled(None, 0, 1)
        assert settled(y, 0.2, 0.7) is y
        assert settled(y, 0.2, 1.1) == YRange(0, 1.5)

    def test_a_range_is_kept_until_a_quarter_would_do(self) -> None:
        y = settled(None, 0, 1)
        assert settled(y, 0, 0.3) is y
        assert settled(y, 0, 0.2) == YRange(0, 0.2)

    def test_a_range_without_values_is_the_previous_or_a_plain_one(self) -> None:
        assert settled(None, NAN, NAN) == UNIT
        assert settled(None, NAN, NAN, log=True) == YRange(0.1, 10, log=True)
        assert settled(YRange(2, 3), NAN, NAN) == YRange(2, 3)
        assert settled(YRange(2, 3), NAN, NAN, log=True) == YRange(0.1, 10, log=True)

    def test_the_extent_is_of_finite_values_in_sight(self) -> None:
        views = [view(9, 1, NAN, 3), view()]
        assert extent(views, 1, 3) == (1, 3)
        assert extent([view(-1, 0, 2, 5)], 0, 9, log=True) == (2, 5)
        assert extent([view(1, 7, 3)], 0.2, 0.8) == (1, 7)  # it passes through
        assert all(map(math.isnan, extent([], 0, 9)))

    @pytest.mark.parametrize(
        ("y", "most", "expected"),
        [
            (UNIT, 3, ["0.0", "0.5", "1.0"]),
            (UNIT, 10, [f"{n / 10:.1f}" for n in range(11)]),
            (YRange(0.26, 0.34), 3, ["0.26", "0.34"]),
            (YRange(0, 1_000_000), 2, ["0e0", "5e5", "1e6"]),
            (YRange(1e-4, 1e4, log=True), 4, ["1e-4", "0.01", "1", "100", "1e4"]),
        ],
    )
    def test_ticks(self, y: YRange, most: int, expected: list[str]) -> None:
        assert [written for _, written in y.ticks(most)] == expected
