"""One channel down to the arithmetic: what the picture says, and the screen that follows the run."""

from dataclasses import replace

import numpy as np
import pytest
from textual.pilot import Pilot

from bntui.core.measured import ChannelValues, Validation
from bntui.core.snapshot import Snapshot
from bntui.diagnose.arithmetic import Normalising, update_of_mean, update_of_variance
from bntui.ui.drawing.canvas import Picture
from bntui.ui.explorer.channel import Channel, ChannelScreen
from bntui.ui.explorer.channel_picture import bells, picture
from bntui.ui.terminal.diff_output import DiffApp
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.explorer.kept import at, kept_run


def text(picture: Picture) -> list[str]:
    return ["".join(characters for characters, _ in row).rstrip() for row in picture]


def drawn(validation: Validation, width: int = 80, height: int = 23, channel: int = 0) -> list[str]:
    return text(picture(validation, 0, channel, width, height, Glyphs.BRAILLE))


class TestPicture:
    def test_it_goes_from_the_update_to_what_validation_makes_of_it(self) -> None:
        assert drawn(at(97)) == [
            " conv1_bn   channel 0 of layer 1, update 97",
            "─ the last update of the running statistics ────────────────────────────────────",
            " running mean r ← 0.99·r + (1 − 0.99)·(this batch's mean)",
            " r ← 0.99·(−1.2379) + 0.01·(−2.0000) = −1.2455",
            " running variance v: the same with this batch's variance",
            " v ← 0.99·0.3934 + 0.01·0.0200 = 0.3897",
            "─ the start value ──────────────────────────────────────────────────────────────",
            " r began at 0 and v at 1: 0.99^97 = 38 % of that is left",
            "─ running beside fresh statistics: mean 5.2 σ too high, variance ×18.6 ─────────",
            "                  running         fresh         apart",
            " mean              −1.246            −2        +5.2 σ",
            " variance          0.3897          0.02         ×18.6",
            "─ in validation: ŷ = γ·(x − μ)/√(σ² + ε) + β ───────────────────────────────────",
            " x = −2, the fresh mean, becomes",
            " running  1·(−2 + 1.246)/√(0.3897 + 0.001) = −1.21",
            " fresh    1·(−2 + 2)/√(0.02 + 0.001) = 0.00",
            " x = −1.859, one σ above it, becomes",
            " running  1·(−1.86 + 1.25)/√(0.39 + 0.001) = −0.98",
            " fresh    1·(−1.8586 + 2)/√(0.02 + 0.001) = 0.98",
        ]

    def test_the_lines_are_those_that_the_words_show(self) -> None:
        snapshot, rows = kept_run(), drawn(at(97))
        assert f" {update_of_mean(snapshot, 'conv1_bn', 0)}" in rows
        assert f" {update_of_variance(snapshot, 'conv1_bn', 0)}" in rows

    def test_in_little_room_titles_go_before_numbers(self) -> None:
        whole = drawn(at(97), 58, 40)
        for height in range(9, 20):
            rows = drawn(at(97), 58, height)
            assert {" running", " fresh"} <= {row[:9].rstrip() for row in rows}
            assert len(rows) <= max(height, 12)
        assert sum(row.startswith("─") for row in whole) > sum(
            row.startswith("─") for row in drawn(at(97), 58, 12)
        )

    def test_no_line_is_longer_than_the_screen(self) -> None:
        for width in (60, 80, 113, 200):
            assert all(len(row) <= width for row in drawn(at(97), width, 50))

    def test_bells_stand_below_or_beside_where_there_is_room(self) -> None:
        assert not any("▲ running mean" in row for row in drawn(at(97)))
        tall, wide = drawn(at(97), 120, 39), drawn(at(97), 120, 22)
        assert tall[-2].strip().startswith("▲ running mean −1.246")
        assert len(tall) == 39
        assert any("▲ running mean" in row for row in wide)
        assert len(wide) <= 22

    def test_numbers_that_were_not_kept_are_said_to_be_missing(self) -> None:
        found = at(97)
        first = found.layers[0]
        without = replace(first, detail=replace(first.detail, values=None))
        gone = replace(found, layers=(without, *found.layers[1:]))
        assert "were not kept of this moment" in drawn(gone)[1]

    def test_statistics_that_were_replaced_have_no_last_update(self) -> None:
        found = at(97)
        first = found.layers[0]
        values = first.detail.values
        assert values
        nothing = replace(values, before=values.before * np.nan, kept=float("nan"))
        layer = replace(first, detail=replace(first.detail, values=nothing), start_left=0.0)
        rows = drawn(replace(found, layers=(layer, *found.layers[1:])))
        assert rows[2].startswith(" no update has moved these statistics yet, or not since")
        assert any("0 % of that is left" in row for row in rows)

    @pytest.mark.parametrize("which", ["running", "fresh", "batch"])
    def test_what_is_not_finite_breaks_nothing(self, which: str) -> None:
        found = at(97)
        first = found.layers[0]
        values: ChannelValues | None = first.detail.values
        assert values
        broken = replace(values, **{which: getattr(values, which) * np.nan})
        layer = replace(first, detail=replace(first.detail, values=broken))
        rows = drawn(replace(found, layers=(layer, *found.layers[1:])), 120, 39)
        assert any("not finite" in row or "no update" in row for row in rows)


class TestBells:
    def test_each_has_full_height_at_its_mean(self) -> None:
        found = Normalising((0.0, 1.0), (4.0, 0.01), 1.0, 0.0, 1e-3)
        rows = text(bells(found, 60, 12, Glyphs.BRAILLE))
        assert len(rows) == 12
        running, fresh = rows[-2].index("▲"), rows[-1].index("▲")
        assert running < fresh
        assert rows[1][running].strip()
        assert rows[1][fresh].strip()
        assert rows[-2].strip() == "▲ running mean 0"

    def test_a_text_stands_on_the_side_that_has_room(self) -> None:
        found = Normalising((0.0, 1.0), (9.0, 1.0), 1.0, 0.0, 1e-3)
        rows = text(bells(found, 30, 12, Glyphs.BRAILLE))
        assert rows[-1].endswith("fresh mean 9 ▲")
        assert all(len(row) <= 30 for row in rows)

    @pytest.mark.parametrize(
        "found",
        [
            Normalising((np.nan, 1.0), (4.0, 0.01), 1.0, 0.0, 1e-3),
            Normalising((4.0, 0.0), (4.0, 0.0), 1.0, 0.0, 1e-3),
        ],
    )
    def test_nothing_is_drawn_of_what_has_no_width(self, found: Normalising) -> None:
        assert bells(found, 60, 12, Glyphs.BRAILLE) == []


class ChannelApp(DiffApp):
    glyphs = Glyphs.BRAILLE


def lines(pilot: Pilot[None]) -> list[str]:
    shown = pilot.app.screen.query_one(Channel)
    return [shown.render_line(y).text.rstrip() for y in range(shown.size.height)]


class TestScreen:
    @pytest.mark.parametrize("live", [True, False])
    async def test_it_follows_the_run_unless_it_is_of_the_past(self, live: bool) -> None:
        app = ChannelApp()
        async with app.run_test(size=(80, 24)) as pilot:
            screen = ChannelScreen(kept_run(50), 0, 3, live=live)
            await app.push_screen(screen)
            assert lines(pilot)[0] == " conv1_bn   channel 3 of layer 1, update 50"
            screen.show(kept_run(97))
            assert lines(pilot)[0].endswith("update 97" if live else "update 50")
            assert (screen.then is None) is live

    async def test_up_and_down_go_through_the_channels_from_the_worst_on(self) -> None:
        app = ChannelApp()
        async with app.run_test(size=(80, 24)) as pilot:
            await app.push_screen(ChannelScreen(kept_run(50), 0, 0, live=True))
            seen = [lines(pilot)[0].split()[2]]
            for _ in range(8):
                await pilot.press("down")
                seen.append(lines(pilot)[0].split()[2])
            assert len(set(seen[:8])) == 8
            assert seen[7] == seen[8]
            await pilot.press("up")
            assert lines(pilot)[0].split()[2] == seen[6]
            await pilot.press("escape")
            assert not isinstance(app.screen, ChannelScreen)

    async def test_a_run_without_such_a_layer_says_so(self) -> None:
        app = ChannelApp()
        async with app.run_test(size=(80, 24)) as pilot:
            screen = ChannelScreen(kept_run(50), 0, 0, live=True)
            await app.push_screen(screen)
            screen.show(Snapshot())
            assert lines(pilot)[0] == " there is no such layer now"
            await pilot.press("down")
