"""What if momentum had been another: literal rows, and the screen that asks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot

from bntui.core.config import RunConfig
from bntui.core.measured import Hindsight
from bntui.core.snapshot import Phase, Snapshot
from bntui.ui.drawing.canvas import Picture
from bntui.ui.explorer.whatif import WhatIf, WhatIfScreen, close, curve, in_words, rank_of, what_if
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
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


def test_in_least_room_the_own_row_and_the_summary_are_there() -> None:
    shown = text(what_if(measured(), 56, 13))
    assert len(shown) == 13
    assert any("◂ this run" in row and "0.99 " in row for row in shown)
    assert "√ within 0.02" in shown[-2]
    assert "warm-up" in shown[-1]


class TestCurve:
    def test_points_are_joined_labelled_and_marked(self) -> None:
        assert text(curve(measured(), 78, 12)) == [
            " 1.0 ┤⠒⠒●⠒⠒⠒⠒⠒●⠒⠒⠲⠶●⠶⠶⠶⠶○⠶⠶⠖⠒⠒●⠲⠶⠶⢖○⡒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒ 0.957 fresh",
            "     │                              ⠈⠑⠒⠤⣀○",
            "     │                                   ⠈⠑⠢⢄⡀  ⣀⣀⠤○⠤⣀⡀",
            " 0.5 ┤                                       ⠈■⠉      ⠈⠑⠒○   0.534 this run",
            "     │                                                       0.491 at .999",
            "     │",
            " 0.0 ┤",
            "        0    .5   .8   .9    .95  .97   .98  .99 .995  .999  momentum",
            "      .954  .956 .937 .936  .955 .895  .734 .534 .651  .491",
            "        √     √    √          √",
            "                                              ▲ this run",
            "",
        ]

    def test_a_momentum_between_two_of_the_ladder_lies_halfway(self) -> None:
        ladder = [0.0, 0.5, 0.9]
        assert [rank_of(m, ladder) for m in (0.0, 0.2, 0.5, 0.9, 0.95)] == [0, 0.5, 1, 2, 2.5]
        rows = text(curve(measured(momentum=0.93, own=0.2), 78, 12))
        assert rows[-2].strip() == "▲ this run: 0.93"
        ticks = rows[7]
        assert ticks.index(".9 ") < rows[-2].index("▲") < ticks.index(".95")

    def test_recalibrated_the_run_is_not_on_the_curve(self) -> None:
        rows = text(curve(measured(own=0.95), 78, 12))
        assert "■" in rows[0]
        assert "○" in rows[3]

    @pytest.mark.parametrize("glyphs", list(Glyphs))
    def test_every_kind_of_glyph_draws_all_points(self, glyphs: Glyphs) -> None:
        rows = text(curve(measured(), 78, 16, glyphs))
        plot = "".join(rows[:11])
        assert plot.count("●") == 5 - 1
        assert plot.count("○") == 5
        assert plot.count("■") == 1


class TestWhatIf:
    def test_other_estimators_are_bars_below(self) -> None:
        rows = text(what_if(measured(), 78, 21))
        assert len(rows) <= 21
        assert rows[-7:] == [
            "",
            " bias-corrected ██████████████████████████████████████████▎  0.960 √",
            " cumulative     ███████████████████████████████████████▋     0.900",
            " warm-up        ██████████████████████████████████████████   0.954 √",
            "",
            " √ within 0.02 of fresh statistics' 0.957: momentum 0, 0.5, 0.8, 0.95,",
            " bias-corrected, warm-up",
        ]

    def test_in_little_room_all_are_bars(self) -> None:
        rows = text(what_if(measured(), 58, 15))
        assert rows[:13] == [
            " 0              ██████████████████████▉  0.954 √",
            " 0.5            ███████████████████████  0.956 √",
            " 0.8            ██████████████████████▌  0.937 √",
            " 0.9            ██████████████████████▌  0.936",
            " 0.95           ██████████████████████▉  0.955 √",
            " 0.97           █████████████████████▌   0.895",
            " 0.98           █████████████████▋       0.734",
            " 0.99           ████████████▉            0.534  ◂ this run",
            " 0.995          ███████████████▋         0.651",
            " 0.999          ███████████▊             0.491",
            " bias-corrected ███████████████████████  0.960 √",
            " cumulative     █████████████████████▋   0.900",
            " warm-up        ██████████████████████▉  0.954 √",
        ]

    def test_within_002_of_fresh_statistics_is_close_exactly(self) -> None:
        assert close(measured(), "0.8")  # 0.957 − 0.937 is 0.020000000000000018
        assert not close(measured(), "0.9")
        assert close(measured(), "bias-corrected")  # better than fresh

    def test_the_summary_names_all_that_are_close(self) -> None:
        assert in_words(measured()) == (
            "√ within 0.02 of fresh statistics' 0.957: momentum 0, 0.5, 0.8, 0.95, "
            "bias-corrected, warm-up"
        )
        bad = replace(measured(), fresh=np.array([0.99]))
        assert in_words(bad) == "nothing comes within 0.02 of fresh statistics' 0.990"


@dataclass
class Asked:
    """A run that is asked, and answers when the test says so."""

    snapshot: Snapshot
    count: int = 0
    shown: list[Hindsight] = field(default_factory=list)

    def ask(self) -> None:
        self.count += 1

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
        screen = WhatIfScreen(run.snapshot, run.ask)
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
            assert look(pilot, run)[0] == (
                " at update 102, on 1,000 images: this run 0.534, fresh 0.957"
            )
            assert "▲ this run" in "".join(lines(pilot))

    async def test_an_answer_from_before_is_shown_as_such(self) -> None:
        async with opened(what_if=measured(update=40)) as (run, pilot):
            assert lines(pilot)[0] == " measuring… before: update 40, on 1,000 images"
            run.answer()
            assert look(pilot, run)[0].startswith(" at update 102, ")

    async def test_w_measures_again(self) -> None:
        async with opened() as (run, pilot):
            run.answer()
            look(pilot, run)
            await pilot.press("w")
            assert run.count == 2
            assert lines(pilot)[0] == " measuring… before: update 102, on 1,000 images"
            run.answer(update=130)
            assert look(pilot, run)[0].startswith(" at update 130, ")

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
