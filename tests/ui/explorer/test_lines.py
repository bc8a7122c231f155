"""The lines above and below leave out whole words where there is no room for all."""

import pytest

from bntui.core.config import RunConfig
from bntui.ui.widgets.notices import whole_parts
from bntui.ui.widgets.status import StatusLine
from tests.ui.scripted import mid_run


@pytest.mark.parametrize(
    ("width", "shown"),
    [(20, "one · two · three"), (17, "one · two · three"), (16, "one · two"), (2, "one")],
)
def test_parts_that_do_not_fit_are_left_out(width: int, shown: str) -> None:
    assert whole_parts("one · two · three", width) == shown


def line(width: int, config: RunConfig | None = None) -> str:
    status = StatusLine()
    status.snapshot = mid_run(config or RunConfig())
    return "".join(text for text, _ in status.draw(width, 1)[0])


def test_a_narrow_screen_has_the_seed_with_its_number_or_not_at_all() -> None:
    lines = [line(width) for width in range(60, 100)]
    assert all("seed 0" in one or "seed" not in one for one in lines)
    assert {"seed 0" in one for one in lines} == {True, False}


def test_a_narrow_screen_breaks_no_word() -> None:
    whole = set(line(99).split())
    for width in range(50, 99):
        assert set(line(width).split()) <= whole
        assert "width ■" not in line(width)


def test_no_figure_is_cut_at_any_width() -> None:
    config = RunConfig(width=0.0625, seed=1234567)
    for width in range(60, 160):
        words = line(width, config).split()
        assert ("width" in words) == ("0.0625" in words)
        assert ("seed" in words) == ("1234567" in words)
