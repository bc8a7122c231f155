"""What the network says: literal rows, for few classes and for many, short names and long ones."""

from dataclasses import replace

import pytest

from bntui.core.config import RunConfig
from bntui.core.measured import Score, Validation
from bntui.core.run_request import RunRequest
from bntui.core.snapshot import Snapshot
from bntui.ui.app import BntuiApp
from bntui.ui.explorer.predictions import Predictions, classes_to_show
from bntui.ui.widgets.notices import MessageLines
from tests.ui.scripted import ScriptedRuns, facts, mid_run


def said(running: list[int], fresh: list[int], names: tuple[str, ...]) -> Snapshot:
    """Return a snapshot in which so many images are taken for each class."""
    stale, sound = (Score(1.0, 0.5, tuple(predicted)) for predicted in (running, fresh))
    return mid_run(
        RunConfig(),
        facts=replace(facts(), class_names=names),
        validation=Validation(97, sum(running), stale, sound, ()),
    )


def rows(snapshot: Snapshot, width: int = 30, height: int = 11) -> list[str]:
    panel = Predictions()
    panel._snapshot = snapshot
    picture = panel.draw(width, height)
    return ["".join(text for text, _ in row).rstrip() for row in picture]


def test_ten_digits_are_a_row_each() -> None:
    names = tuple("0123456789")
    shown = rows(said([0, 980, 0, 0, 0, 20, 0, 0, 0, 0], [100] * 10, names))
    assert shown[:3] == [
        "   running       fresh",
        " 0            0% ▊         10%",
        " 1 ███████▉  98% ▊         10%",
    ]
    assert len(shown) == 11


def test_names_take_their_place_from_the_bars() -> None:
    shown = rows(said([50, 50, 0], [20, 30, 50], ("cat", "dog", "emu")))
    assert shown == [
        "     running      fresh",
        " cat ███▌     50% █▍       20%",
        " dog ███▌     50% ██▏      30%",
        " emu           0% ███▌     50%",
    ]


def test_wide_names_are_drawn_and_measured_in_cells() -> None:
    shown = rows(said([100, 0], [50, 50], ("数字", "x")))
    assert shown == [
        "      running     fresh",
        " 数字 ██████ 100% ███     50%",
        " x             0% ███     50%",
    ]


def test_long_names_are_cut_to_leave_bars() -> None:
    shown = rows(said([100, 0], [50, 50], ("automobile", "a name beyond all measure")))
    assert shown == [
        "          running   fresh",
        " automob… ████ 100% ██    50%",
        " a name …        0% ██    50%",
    ]


def test_of_many_classes_the_most_predicted_are_shown_in_their_order() -> None:
    running, fresh = [0] * 100, [1] * 100
    running[97], running[3] = 90, 10
    fresh[50] = 103
    shown = rows(said(running, fresh, tuple(f"class {place}" for place in range(100))), height=5)
    assert shown == [
        "          running   fresh",
        " class 3  ▍     10%        0%",
        " class 50        0% ██    51%",
        " class 97 ███▋  90%        0%",
        " +97             0% █▉    48%",
    ]


def test_every_class_is_shown_where_there_is_room() -> None:
    assert classes_to_show([0.5, 0.5, 0.0], [0.0, 0.0, 1.0], rows=3) == [0, 1, 2]
    assert classes_to_show([0.5, 0.5, 0.0], [0.0, 0.0, 1.0], rows=2) == [2]
    assert classes_to_show([0.0] * 4, [0.25] * 4, rows=3) == [0, 1]


@pytest.mark.parametrize("size", [(60, 16), (76, 20), (80, 24)])
async def test_the_panel_ends_above_the_lines_at_the_bottom(size: tuple[int, int]) -> None:
    app = BntuiApp(ScriptedRuns(loaded=True), RunRequest(RunConfig(width=0.25)))
    async with app.run_test(size=size) as pilot:
        await pilot.press("5")
        await pilot.pause()
        panel = app.screen.query_one(Predictions)
        assert panel.size.height >= 2
        assert panel.region.bottom <= app.screen.query_one(MessageLines).region.y
