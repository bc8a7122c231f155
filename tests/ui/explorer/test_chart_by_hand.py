"""A chart that has the focus, and one under the mouse: crosshair and zoom."""

import pytest
from textual.events import MouseScrollDown, MouseScrollUp

from bntui.ui.drawing.axes import AXIS
from bntui.ui.drawing.legend import LEGEND
from bntui.ui.drawing.view import View
from bntui.ui.explorer.results import Results
from bntui.ui.widgets.chart import Chart
from tests.ui.user import FULL, User, opened

NEWEST = 97.0
"""The last update that the scripted run's training curve has."""


def view(user: User) -> View:
    return user.app.screen.query_one(Results).view


def chart(user: User) -> Chart:
    return user.app.screen.query_one("#panel-1", Chart)


def column(user: User, update: float) -> int:
    """Return the column of an update, from the left edge of the first chart."""
    inside = chart(user).size.width - AXIS - LEGEND
    return 1 + AXIS + int(update / 158 * inside)


async def wheel(user: User, kind: type[MouseScrollUp | MouseScrollDown], x: int) -> None:
    await user.pilot._post_mouse_events([kind], chart(user), (x, 4))
    await user.pilot.pause()


async def test_arrows_move_the_crosshair_and_zoom_in_a_chart_with_the_focus() -> None:
    async with opened(FULL) as user:
        await user.press("1")
        assert user.app.screen.focused is chart(user)
        seen = []
        for key in ("left", "left", "shift+left", "shift+right", "right", "up", "down"):
            await user.press(key)
            seen.append(view(user))
        assert [one.cursor for one in seen[:5]] == [97, 96, 86, 96, 97]
        assert seen[5].window == (48.5, 97)
        assert seen[6].window is None


async def test_a_click_on_the_plot_puts_the_crosshair_there() -> None:
    async with opened(FULL) as user:
        await user.pilot.click("#panel-1", offset=(column(user, 50), 4))
        cursor = view(user).cursor
        assert cursor is not None
        assert abs(cursor - 50) <= 2
        assert f"at update {cursor:.0f}" in user.part("#panel-1")
        assert user.app.screen.focused is chart(user)
        await user.pilot.click("#panel-1", offset=(column(user, 150), 4))
        assert view(user).cursor == NEWEST


@pytest.mark.parametrize("x", [3, -12, -2])
async def test_a_click_beside_the_plot_moves_nothing(x: int) -> None:
    async with opened(FULL) as user:
        await user.pilot.click("#panel-1", offset=(x % chart(user).outer_size.width, 4))
        assert view(user) == View()


async def test_the_wheel_zooms_at_the_pointer() -> None:
    async with opened(FULL) as user:
        await wheel(user, MouseScrollUp, column(user, 40))
        window = view(user).window
        assert window is not None
        assert window[1] - window[0] == 48.5
        assert window[0] < 40 < window[1]
        assert view(user).cursor is None
        await wheel(user, MouseScrollDown, column(user, 40))
        assert view(user).window is None
        await wheel(user, MouseScrollUp, chart(user).size.width - 3)
        assert view(user).window is None
