import pytest

from bntui.ui.explorer.refresh_rate import CORE_SHARE, LONGEST_WAIT, RefreshRate


@pytest.mark.parametrize(
    ("cost", "most", "wait"),
    [
        (0.0, 15.0, 1 / 15),
        (0.002, 15.0, 0.002 / CORE_SHARE),
        (0.05, 15.0, LONGEST_WAIT),
        (0.05, 0.001, 1000.0),
        (0.0, 4.0, 0.25),
    ],
)
def test_a_look_that_costs_more_comes_less_often(cost: float, most: float, wait: float) -> None:
    now = [5.0]
    rate = RefreshRate(most, lambda: now[0])
    for _ in range(3):
        now[0] += cost
        assert rate.wait() == pytest.approx(wait)
