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
from tests.ui.user import opened


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


STALE = [0, 950, 0, 0, 0, 0, 0, 50, 0, 0]
DIGITS = tuple("0123456789")


def test_ten_digits_are_a_row_each_with_a_mark_where_fresh_statistics_put_the_bar() -> None:
    assert rows(said(STALE, [101, 99, *[100] * 8], DIGITS)) == [
        "   running             │ fresh",
        " 0   0% ·│···············  10%",
        " 1  95% █│██████████████▏  10%",
        " 2   0% ·│···············  10%",
        " 3   0% ·│···············  10%",
        " 4   0% ·│···············  10%",
        " 5   0% ·│···············  10%",
        " 6   0% ·│···············  10%",
        " 7   5% ▉│···············  10%",
        " 8   0% ·│···············  10%",
        " 9   0% ·│···············  10%",
    ]


def test_bars_are_as_long_as_the_largest_share_needs() -> None:
    healthy = rows(said([90, 110, *[100] * 8], [100] * 10, DIGITS))
    assert healthy[1:3] == [
        " 0   9% ███████▋│········  10%",
        " 1  11% ████████│▍·······  10%",
    ]


def test_where_there_is_room_each_class_has_two_bars() -> None:
    shown = rows(said(STALE, [100] * 10, DIGITS), width=46, height=20)
    assert len(shown) == 20
    assert shown[:4] == [
        " 0 ······································   0%",
        "   ███▊··································  10%",
        " 1 ████████████████████████████████████▏·  95%",
        "   ███▊··································  10%",
    ]


def test_bars_are_told_apart_by_their_roles() -> None:
    panel = Predictions()
    panel._snapshot = said([50, 50], [100, 0], ("a", "b"))
    assert panel.draw(20, 3)[1][1:] == [
        (" 50% ", "running"), ("█", "running"), ("█", "running"), ("█", "running"),
        ("▌", "running"), ("·", "faint"), ("·", "faint"), ("│", "fresh"), (" 100%", "fresh"),
    ]  # fmt: skip
    assert [role for _, role in panel.draw(20, 4)[1][1:]] == ["fresh", "faint", "fresh"]


def test_names_take_their_place_from_the_bars() -> None:
    assert rows(said([50, 50, 0], [20, 30, 50], ("cat", "automobile", "emu")), height=4) == [
        "            running    │ fresh",
        " cat         50% ███│████  20%",
        " automobile  50% ████│███  30%",
        " emu          0% ·······│  50%",
    ]


def test_wide_names_are_drawn_and_measured_in_cells() -> None:
    assert rows(said([100, 0], [50, 50], ("数字", "x")), height=3) == [
        "      running          │ fresh",
        " 数字 100% ███████│██████  50%",
        " x      0% ·······│······  50%",
    ]


def test_only_names_beyond_all_measure_are_cut() -> None:
    names = ("automobile", "a name beyond all measure")
    assert rows(said([100, 0], [50, 50], names), height=3) == [
        "               running │ fresh",
        " automobile    100% ██│██  50%",
        " a name beyon…   0% ··│··  50%",
    ]


def test_of_many_classes_the_most_predicted_are_shown_in_their_order() -> None:
    running, fresh = [0] * 100, [1] * 100
    running[97], running[3] = 90, 10
    fresh[50] = 103
    shown = rows(said(running, fresh, tuple(f"class {place}" for place in range(100))), height=5)
    assert shown == [
        "          running      │ fresh",
        " class 3   10% │·········   0%",
        " class 50   0% ·····│····  51%",
        " class 97  90% │████████·   0%",
        " +97        0% ····│·····  48%",
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


@pytest.mark.parametrize(
    ("size", "title"),
    [((120, 40), "predictions"), ((200, 60), "predictions: running, below it fresh")],
)
async def test_the_title_says_which_bar_is_whose(size: tuple[int, int], title: str) -> None:
    async with opened(size) as user:
        assert user.app.screen.query_one(Predictions).border_title == title
