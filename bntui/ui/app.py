"""The Textual application around the explorer. Importing it loads no torch."""

import os
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.scrollbar import ScrollBar, ScrollBarRender

from bntui.engine.config import RunConfig
from bntui.engine.run import MakeRun
from bntui.engine.snapshot import Checkpoint, Phase
from bntui.store.text import literal
from bntui.ui import terminal
from bntui.ui.archive import Archive
from bntui.ui.course import Course
from bntui.ui.frugal import FrugalApp
from bntui.ui.glyphs import Glyphs, ascii_only
from bntui.ui.saving import save_and_tell
from bntui.ui.screens.explorer import Explorer
from bntui.ui.screens.value import ValueScreen
from bntui.ui.widgets.knob import Knob

NO_COURSE = Course()
SLIM = 20
"""Columns below which there are no scrollbars."""


class AsciiScrollBar(ScrollBarRender):
    """A scrollbar of whole cells: Textual ends it in eighths of one."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class BntuiApp(FrugalApp):
    """bntui on a terminal."""

    TITLE = "bntui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", show=False),
        Binding("ctrl+l", "redraw", "draw everything anew", show=False),
        Binding("S", "save_picture", "save the screen as SVG", show=False),
    ]

    def __init__(
        self,
        make_run: MakeRun,
        config: RunConfig,
        left_open: frozenset[str] = frozenset(),
        *,
        begin: Checkpoint | None = None,
        archive: Archive | None = None,
        course: Course = NO_COURSE,
        paused: bool = False,
        updates_per_second: float = terminal.LOCAL_UPDATES_PER_SECOND,
        glyphs: Glyphs = Glyphs.BRAILLE,
    ) -> None:
        # Without this Textual keeps to greys under NO_COLOR, but still sends their codes.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.glyphs = glyphs
        """What every picture is made of."""
        self.set_class(glyphs is Glyphs.ASCII, "-ascii")
        ScrollBar.renderer = AsciiScrollBar if glyphs is Glyphs.ASCII else ScrollBarRender
        self.all_ended = True
        """Whether every run's thread had ended when the app was left."""
        self.explorer = Explorer(
            make_run,
            config,
            left_open,
            begin=begin,
            archive=archive,
            course=course,
            paused=paused,
            updates_per_second=updates_per_second,
        )

    def get_default_screen(self) -> Screen[None]:
        """Open with the explorer."""
        return self.explorer

    @on(Knob.Typing)
    def _type(self, event: Knob.Typing) -> None:
        knob = event.knob
        self.push_screen(ValueScreen(knob.spec, knob.wanted, knob.turn_to))

    def action_redraw(self) -> None:
        """Draw everything anew, for a terminal that lost it."""
        self.screen.refresh(layout=True)

    def action_save_picture(self) -> None:
        """Write the screen to an SVG file."""
        save_and_tell(self, self.export_screenshot(title="bntui"), "svg")

    def on_resize(self, event: events.Resize) -> None:
        """Do without scrollbars where there is no room for one."""
        self.set_class(event.size.width < SLIM, "-slim")

    async def on_event(self, event: events.Event) -> None:
        """Take from the clipboard only what can be shown: a field would pass on the rest as it is."""
        if isinstance(event, events.Paste):
            first = next(iter(event.text.splitlines()), "")
            event.text = "".join(filter(str.isprintable, first))
        await super().on_event(event)

    def notify(self, message: str, **options: Any) -> None:
        """Show a notice in what the terminal can show: text of the user's may be in it."""
        message = literal(message)
        plain = self.glyphs is Glyphs.ASCII
        super().notify(ascii_only(message) if plain else message, **options)

    async def on_unmount(self) -> None:
        """End the runs before the program ends."""
        self.all_ended = await self.explorer.end()


def explore(
    make_run: MakeRun,
    config: RunConfig,
    left_open: frozenset[str],
    *,
    begin: Checkpoint | None,
    archive: Archive,
    course: Course,
    paused: bool,
    plain: bool,
) -> int:
    """Run the explorer on this terminal, in ASCII if `plain`, and return the exit code."""
    app = BntuiApp(
        make_run,
        config,
        left_open,
        begin=begin,
        archive=archive,
        course=course,
        paused=paused,
        updates_per_second=terminal.updates_per_second(),
        glyphs=terminal.glyphs(plain=plain),
    )
    app.run()
    last = app.explorer.run.snapshot
    refused = last.phase is Phase.FAILED and last.facts is None and not last.traceback
    code = app.return_code or (2 if refused else 0)
    if not app.all_ended:
        # A step of many seconds is under way. Python would end its thread in the middle of torch,
        # which aborts the process; nothing is left to save.
        os._exit(code)
    return code
