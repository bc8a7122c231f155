"""The lines above and below leave out whole words where there is no room for all."""

import pytest

from bntui.engine.config import RunConfig
from bntui.ui.widgets.hint import whole_parts
from bntui.ui.widgets.status import StatusLine
from tests.ui.scripted import mid_run


@pytest.mark.parametrize(
    ("width", "shown"),
    [(20, "one · two · three"), (17, "one · two · three"), (16, "one · two"), (2, "one")],
)
def test_parts_that_do_not_fit_are_left_out(width: int, shown: str) -> None:
    assert whole_parts("one · two · three", width) == shown


def line(width: int) -> str:
    status = StatusLine()
    status._snapshot = mid_run(RunConfig())
    return "".join(text for text, _ in status.draw(width, 1)[0])


def test_a_narrow_screen_has_the_seed_with_its_number_or_not_at_all() -> None:
    lines = [line(width) for width in range(60, 100)]
    assert all("seed 0" in one or "seed" not in one for one in lines)
    assert {"seed 0" in one for one in lines} == {True, False}
