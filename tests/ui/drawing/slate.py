"""A canvas whose picture a test gives, and what is sent to its terminal."""

import re
from collections.abc import Callable
from typing import Any, Self

from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region

from bntui.ui.drawing.canvas import Canvas, Picture
from bntui.ui.terminal.diff_output import DiffApp


class Slate(Canvas):
    """Shows the picture it is given and keeps what it asks to have refreshed."""

    DEFAULT_CSS = "Slate { border: round red; height: 5; width: 20; }"

    def __init__(self) -> None:
        super().__init__()
        self.picture: Picture = []
        self.refreshed: list[tuple[Region, ...]] = []
        self.sizes: list[tuple[int, int]] = []

    def draw(self, width: int, height: int) -> Picture:
        self.sizes.append((width, height))
        return [list(row) for row in self.picture]

    def refresh(self, *regions: Region, **options: Any) -> Self:
        self.refreshed.append(regions)
        return super().refresh(*regions, **options)

    def show(self, *rows: str, role: str = "") -> list[tuple[Region, ...]]:
        """Draw rows of text and return the refreshes this asks for."""
        self.picture = [[(row, role)] for row in rows]
        self.refreshed.clear()
        self.repaint()
        return list(self.refreshed)


class SlateApp(DiffApp):
    def compose(self) -> ComposeResult:
        yield Slate()


def line(slate: Slate, y: int) -> str:
    return slate.render_line(y).text


class Wire(HeadlessDriver):
    """A driver that keeps what it is to write to the terminal."""

    written = ""

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written += data


async def sent(change: Callable[[Slate], object], app: App[None] | None = None) -> str:
    """Return what one change sends to the terminal."""
    app = app or SlateApp(driver_class=Wire)
    async with app.run_test(headless=False, size=(40, 10)) as pilot:
        slate = pilot.app.query_one(Slate)
        slate.show("⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿", "⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁⠁", role="running")
        await pilot.pause()
        driver = app._driver
        assert isinstance(driver, Wire)
        driver.written = ""
        change(slate)
        await pilot.pause()
        return driver.written


def characters(written: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", written)
