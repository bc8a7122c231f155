"""A sweep's screen at every size, with every kind of glyphs, and without colour."""

import pytest

from bntui.ui.sweeps.lines import SweepLine
from bntui.ui.terminal.glyphs import Glyphs
from tests.ui.sweeps.scripted import FULL, SMALL, TABS, TINY, said, view_of, watching, words


class TestSizes:
    @pytest.mark.parametrize("size", [FULL, TABS, SMALL])
    @pytest.mark.parametrize("glyphs", list(Glyphs))
    async def test_everything_is_there(self, size: tuple[int, int], glyphs: Glyphs) -> None:
        async with watching(view_of(14, running=3, failed=1), size, glyphs=glyphs) as watcher:
            text = words(watcher.lines)
            for part in (
                "lr-and-batch",
                "3 running",
                "1 failed",
                "momentum",
                "batch size",
                "q quit",
            ):
                assert part in text
            assert watcher.text.isascii() == (glyphs is Glyphs.ASCII)
            await watcher.press("enter")
            assert watcher.text.isascii() == (glyphs is Glyphs.ASCII)

    async def test_a_tiny_terminal_is_told_and_comes_back(self) -> None:
        async with watching(size=TINY) as watcher:
            assert "bntui needs 60 columns and 16 rows" in words(watcher.lines)
            assert "The sweep goes on." in words(watcher.lines)
            await watcher.see(view_of(24))
            await watcher.resize(FULL)
            assert "all 24 runs finished" in said(watcher, SweepLine)
            await watcher.press("up")
            assert watcher.map.cursor == (0, 8)

    async def test_nothing_goes_on_that_is_only_looked_at(self) -> None:
        async with watching(size=TINY, leads=False) as watcher:
            assert "bntui needs 60 columns and 16 rows" in words(watcher.lines)
            assert "The sweep goes on." not in words(watcher.lines)

    async def test_a_large_diagram_scrolls_with_the_crosshair(self) -> None:
        async with watching(view_of(24), SMALL) as watcher:
            assert "0.99▲" in watcher.text.replace(" ", "")
            await watcher.press(*["up"] * 5)
            assert "warm-up" in watcher.text
            assert "▼" in watcher.text
            await watcher.press("pagedown", "pagedown")
            assert "0│" in watcher.text

    async def test_without_colour_shades_are_characters(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        async with watching(view_of(24)) as watcher:
            assert "█████" in watcher.lines[7]
            assert "▄▄▄" in watcher.text

    @pytest.mark.parametrize("theme", ["bntui", "bntui-light"])
    async def test_a_value_stands_out_from_its_shade(self, theme: str) -> None:
        async with watching(view_of(24), theme=theme) as watcher:
            for level in range(20):
                style = watcher.map.role_style(f"heat-{level}")
                assert style.color
                assert style.bgcolor
                ink, ground = style.color.get_truecolor(), style.bgcolor.get_truecolor()
                assert contrast(ink, ground) > 4.5, level


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Return the ratio of two colours' luminances, as WCAG 2 has it."""

    def luminance(colour: tuple[int, int, int]) -> float:
        parts = (part / 255 for part in colour)
        linear = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
