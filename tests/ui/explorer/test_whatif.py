"""What if momentum had been another: literal rows, and the screen that asks."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from bntui.core.config import RunConfig
from bntui.core.measured import Hindsight
from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.drawing.canvas import Picture
from bntui.ui.explorer.looks import OWN_ROW, Looks, looks_of
from bntui.ui.explorer.whatif import WhatIf, WhatIfScreen
from bntui.ui.explorer.whatif_pictures import (
    WhatIfShown,
    close,
    curve,
    near_in_words,
    rank_of,
    what_if,
    would,
)
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.explorer.mapped import hindsight
from tests.ui.scripted import mid_run

LADDER = {
    "0": 0.954,
    "0.5": 0.956,
    "0.8": 0.937,
    "0.9": 0.936,
    "0.95": 0.955,
    "0.97": 0.895,
    "0.98": 0.734,
    "0.99": 0.534,
    "0.995": 0.651,
    "0.999": 0.491,
}
OTHERS = {"bias-corrected": 0.96, "cumulative": 0.9, "warm-up": 0.954}
FRESH = 0.957
CONFIG = RunConfig()


def measured(*, own: float = 0.534, momentum: float = 0.99, update: float = 102) -> Hindsight:
    """Return one moment at which the highest momenta are not the worst."""
    table = LADDER | OTHERS
    return Hindsight(
        names=tuple(table),
        images=1000,
        updates=np.array([update]),
        accuracy=np.array([[value] for value in table.values()]),
        own=np.array([own]),
        fresh=np.array([FRESH]),
        momentum=np.array([momentum]),
    )


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]


def weights(**options: Any) -> Looks:
    found = looks_of(Snapshot(hindsight=measured(**options)))
    assert found is not None
    return found


def shown(chosen: str = "0.99", *, past: bool = True, **options: Any) -> WhatIfShown:
    """Return what the pictures are made of, with `chosen` as the row of the moment."""
    snapshot = mid_run(CONFIG, what_if=measured(**options), hindsight=hindsight() if past else None)
    at_hand = weights(**options)
    return WhatIfShown(snapshot, at_hand, looks_of(snapshot), chosen, at_hand.own_row)


def drawn(width: int, height: int, chosen: str = "0.99", **options: Any) -> list[str]:
    return text(what_if(shown(chosen, **options), width, height, Glyphs.BRAILLE))


class TestCurve:
    def test_points_are_joined_labelled_and_marked(self) -> None:
        assert text(curve(shown("0.9"), 93, 11)) == [
            " 1.0 ┤⠒⠒⠒●⠒⠒⠒⠒⠒⠒●⠒⠒⠒⠶⠶●⠶⠶⠶⠶⠶⠶◆⠶⠶⠒⠒⠒●⠒⠶⠶⠶⠶⣒○⡒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒ 0.957 fresh",
            "     │                                     ⠈⠉⠒⠢⠤○",
            "     │                                           ⠉⠑⠢⠤⣀   ⢀⣀⡠⠤○⠤⢄⣀",
            " 0.5 ┤                                                ⠉■⠉⠁       ⠉⠑⠒○    0.534 this run",
            "     │                                                                   0.491 at 0.999",
            "     │",
            " 0.0 ┤",
            "         0     0.5   0.8    0.9  0.95   0.97  0.98   0.99  0.995  0.999  momentum",
            "       0.954  0.956 0.937  0.936 0.955  0.895 0.734  0.534 0.651  0.491",
            "         √      √     √            √",
            "                                                       ▲ this run",
        ]

    def test_a_momentum_between_two_of_the_ladder_lies_halfway(self) -> None:
        ladder = [0.0, 0.5, 0.9]
        assert [rank_of(m, ladder) for m in (0.0, 0.2, 0.5, 0.9, 0.95)] == [0, 0.5, 1, 2, 2.5]
        rows = text(curve(shown(OWN_ROW, momentum=0.93, own=0.2), 90, 12))
        assert rows[-1].strip() == "▲ this run: 0.93"
        ticks = rows[8]
        assert ticks.index("0.9 ") < rows[-1].index("▲") < ticks.index("0.95")

    def test_recalibrated_the_run_is_not_on_the_curve(self) -> None:
        rows = text(curve(shown(own=0.95), 90, 12))
        assert "■" in rows[0]
        assert "◆" not in rows[0]

    @pytest.mark.parametrize("glyphs", list(Glyphs))
    def test_every_kind_of_glyph_draws_all_points(self, glyphs: Glyphs) -> None:
        rows = text(curve(shown("0.995"), 90, 16, glyphs))
        plot = "".join(rows[:12])
        assert plot.count("●") == 5 - 1
        assert plot.count("○") == 4
        assert plot.count("■") == plot.count("◆") == 1

    def test_the_chosen_momentum_is_marked_on_the_axis(self) -> None:
        (ticks,) = [row for row in curve(shown("0.9"), 90, 12) if row[-1][0] == " momentum"]
        assert [text for text, role in ticks if role == "cursor"] == ["0.9"]


class TestWhatIf:
    def test_with_room_there_are_curve_bars_words_and_the_past(self) -> None:
        rows = drawn(118, 36, "0.9")
        assert len(rows) == 36
        below = rows.index(next(row for row in rows if row.startswith(" bias-corrected")))
        assert rows[below : below + 8] == [
            f" bias-corrected {'█' * 48}   0.960 √",
            f" cumulative     {'█' * 45}      0.900",
            f" warm-up        {'█' * 47}▊   0.954 √",
            "",
            " √ within 0.02 of fresh statistics' 0.957: momentum 0, 0.5, 0.8, 0.95, "
            "bias-corrected, warm-up",
            " enter: 0.99 → momentum 0.9, from the next update on. Used from the start, it would "
            "give 0.936 instead of 0.534. 22",
            " updates after the change 10 % of what is remembered now is left.",
            "─ the past at 0.9: in hindsight, on 200 images " + "─" * 71,
        ]
        assert rows[-2].endswith("0.100 at 0.9")

    def test_at_80_columns_all_rows_are_a_list_beside_the_past(self) -> None:
        rows = drawn(78, 20, "0.9")
        assert len(rows) <= 20
        assert [row[:28].rstrip() for row in rows[:13]] == [
            " 0.999           0.491",
            " 0.995           0.651",
            " 0.99            0.534   ◂",
            " 0.98            0.734",
            " 0.97            0.895",
            " 0.95            0.955 √",
            " 0.9             0.936",
            " 0.8             0.937 √",
            " 0.5             0.956 √",
            " 0               0.954 √",
            " bias-corrected  0.960 √",
            " cumulative      0.900",
            " warm-up         0.954 √",
        ]
        assert rows[0][28:].startswith("─ the past at 0.9")
        assert any(row.endswith("0.100 at 0.9") for row in rows)
        assert rows[-1].endswith("left.")

    def test_in_least_room_the_own_and_the_chosen_row_the_past_and_what_enter_does(self) -> None:
        rows = drawn(58, 13, "0.9")
        assert len(rows) <= 13
        assert any("◂" in row and row.startswith(" 0.99 ") for row in rows)
        assert any(row.startswith(" 0.9 ") for row in rows)
        assert any(row.startswith("─ the past at 0.9") for row in rows)
        assert " enter: 0.99 → momentum 0.9, from the next update on." in rows

    def test_the_past_under_the_runs_own_row_is_no_line_twice(self) -> None:
        rows = drawn(118, 36)
        assert any(row.startswith("─ the past of this run") for row in rows)
        assert "at 0.99" not in "".join(rows[-14:])

    def test_before_the_first_look_back_there_is_no_past(self) -> None:
        assert not any("the past" in row for row in drawn(118, 36, past=False))

    def test_within_002_of_fresh_statistics_is_close_exactly(self) -> None:
        assert close(weights(), "0.8")  # 0.957 − 0.937 is 0.020000000000000018
        assert not close(weights(), "0.9")
        assert close(weights(), "bias-corrected")  # better than fresh

    def test_the_summary_names_all_that_are_close(self) -> None:
        assert near_in_words(weights()) == (
            "√ within 0.02 of fresh statistics' 0.957: momentum 0, 0.5, 0.8, 0.95, "
            "bias-corrected, warm-up"
        )
        bad = replace(weights(), fresh=np.array([0.99]))
        assert near_in_words(bad) == "nothing comes within 0.02 of fresh statistics' 0.990"


class TestWould:
    def test_a_momentum_takes_its_time(self) -> None:
        assert would(shown("0.9")) == (
            "enter: 0.99 → momentum 0.9, from the next update on.",
            "Used from the start, it would give 0.936 instead of 0.534.",
            "22 updates after the change 10 % of what is remembered now is left.",
        )
        assert 0.9**22 <= 0.1 < 0.9**21
        assert would(shown("0"))[-1].startswith("1 update after the change nothing of ")

    def test_another_estimator_takes_over_at_once(self) -> None:
        assert would(shown("warm-up")) == (
            "enter: 0.99 → warm-up, from the next update on.",
            "These weights: 0.954 instead of 0.534.",
        )

    @pytest.mark.parametrize("row", ["0.99", OWN_ROW])
    def test_of_the_runs_own_row_there_is_nothing_to_use(self, row: str) -> None:
        assert would(shown(row)) == ("← → choose another momentum; enter uses it.",)


@dataclass
class Asked:
    """A run that is asked, and answers when the test says so."""

    snapshot: Snapshot
    count: int = 0
    used: list[str] = field(default_factory=list)

    def ask(self) -> None:
        self.count += 1

    def use(self, row: str, told: Callable[[str], None]) -> None:
        self.used.append(row)
        told(f"{row} is used")

    def answer(self, **options: Any) -> None:
        self.snapshot = replace(self.snapshot, what_if=measured(**options))


class WhatIfApp(DiffApp):
    glyphs = Glyphs.BRAILLE


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (80, 24), config: RunConfig = CONFIG, **changes: Any
) -> AsyncIterator[tuple[Asked, Pilot[None]]]:
    run = Asked(mid_run(config, **changes))
    app = WhatIfApp()
    async with app.run_test(size=size) as pilot:
        screen = WhatIfScreen(run.snapshot, run.ask, run.use)
        await app.push_screen(screen)
        yield run, pilot


def lines(pilot: Pilot[None]) -> list[str]:
    shown = pilot.app.screen.query_one(WhatIf)
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


def look(pilot: Pilot[None], run: Asked) -> list[str]:
    screen = pilot.app.screen
    assert isinstance(screen, WhatIfScreen)
    screen.show(run.snapshot)
    return lines(pilot)


class TestScreen:
    async def test_it_asks_as_it_opens_and_shows_the_answer(self) -> None:
        async with opened() as (run, pilot):
            assert run.count == 1
            assert lines(pilot)[0] == " measuring…"
            run.answer()
            assert look(pilot, run)[0] == (" update 102, 1,000 images: this run 0.534, fresh 0.957")
            assert "0.534   ◂" in "".join(lines(pilot))

    async def test_an_answer_from_before_is_shown_as_such(self) -> None:
        async with opened(what_if=measured(update=40)) as (run, pilot):
            assert lines(pilot)[0] == " measuring… before: update 40, 1,000 images"
            run.answer()
            assert look(pilot, run)[0].startswith(" update 102, ")

    async def test_w_measures_again(self) -> None:
        async with opened() as (run, pilot):
            run.answer()
            look(pilot, run)
            await pilot.press("w")
            assert run.count == 2
            assert lines(pilot)[0] == " measuring… before: update 102, 1,000 images"
            run.answer(update=130)
            assert look(pilot, run)[0].startswith(" update 130, ")

    async def test_arrows_choose_and_enter_uses_and_measures_again(self) -> None:
        async with opened(hindsight=hindsight()) as (run, pilot):
            assert lines(pilot)[0] == " measuring… before: update 20, 200 images"  # the last look
            await pilot.press("enter")  # the run's own
            run.answer()
            look(pilot, run)
            await pilot.press("enter")
            assert (run.used, run.count) == ([], 1)
            told = [notice.message for notice in pilot.app._notifications]
            assert set(told) == {"choose another momentum first, with ← →"}
            await pilot.press("left", "left", "right", "down")
            assert "the past at 0.97" in "".join(lines(pilot))
            await pilot.press("enter")
            assert (run.used, run.count) == (["0.97"], 2)
            assert lines(pilot)[0].startswith(" measuring… before: ")
            await pilot.press(*["right"] * 9)
            assert "enter: 0.99 → momentum 0.999" in "".join(lines(pilot))
            await pilot.press(*["left"] * 20)
            assert "enter: 0.99 → warm-up" in "".join(lines(pilot))

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
    async def test_a_click_chooses_what_it_points_at(self, size: tuple[int, int]) -> None:
        async with opened(size, hindsight=hindsight()) as (run, pilot):
            run.answer()
            shown = look(pilot, run)
            picture = pilot.app.screen.query_one(WhatIf)
            for place, line in enumerate(shown):
                name = line[1:].split(" ")[0]
                if name in LADDER | OTHERS and name != "0.99" and "┤" not in line[:6]:
                    await pilot.click(WhatIf, offset=(3, place + 1))
                    assert picture.applicable == name
            if size == (120, 40):
                ticks = next(line for line in shown if "0.95 " in line and "0.97 " in line)
                await pilot.click(WhatIf, offset=(ticks.index("0.97") + 2, 5))
                assert picture.applicable == "0.97"
                chosen = picture.applicable
                await pilot.click(WhatIf, offset=(20, 33))  # the past
                await pilot.click(WhatIf, offset=(0, 0))  # the frame
                assert picture.applicable == chosen

    async def test_the_wheel_chooses(self) -> None:
        async with opened(hindsight=hindsight()) as (run, pilot):
            run.answer()
            look(pilot, run)
            picture = pilot.app.screen.query_one(WhatIf)
            for event, row in ((MouseScrollDown, "0.98"), (MouseScrollUp, "")):
                await pilot._post_mouse_events([event], WhatIf, offset=(5, 3))
                assert picture.applicable == row

    @pytest.mark.parametrize("key", ["escape", "q"])
    async def test_it_closes(self, key: str) -> None:
        async with opened() as (_, pilot):
            await pilot.press(key)
            assert not isinstance(pilot.app.screen, WhatIfScreen)

    async def test_without_batch_norm_there_is_nothing_to_ask(self) -> None:
        async with opened(config=RunConfig(norm="none")) as (run, pilot):
            assert run.count == 0
            assert lines(pilot)[0].startswith(" this network has no batch norm")

    @pytest.mark.parametrize("phase", [Phase.FAILED, Phase.STOPPED])
    async def test_a_run_that_has_ended_measures_nothing(self, phase: Phase) -> None:
        async with opened(phase=phase) as (_, pilot):
            assert lines(pilot)[0] == " the run has ended: nothing more can be measured"

    @pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16), (20, 5), (3, 3)])
    async def test_any_size(self, size: tuple[int, int]) -> None:
        async with opened(size) as (run, pilot):
            run.answer()
            assert all(len(row) <= size[0] for row in look(pilot, run))
