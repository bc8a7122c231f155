"""The Textual application around the explorer. Importing it loads no torch."""

import os

from textual.screen import Screen

from bntui.engine.config import RunConfig
from bntui.engine.run import MakeRun
from bntui.ui import terminal
from bntui.ui.frugal import FrugalApp
from bntui.ui.glyphs import Glyphs
from bntui.ui.screens.explorer import Explorer


class BntuiApp(FrugalApp):
    """bntui on a terminal."""

    TITLE = "bntui"
    CSS_PATH = "app.tcss"

    def __init__(
        self,
        make_run: MakeRun,
        config: RunConfig,
        left_open: frozenset[str] = frozenset(),
        *,
        paused: bool = False,
        updates_per_second: float = terminal.LOCAL_UPDATES_PER_SECOND,
        glyphs: Glyphs = Glyphs.BRAILLE,
    ) -> None:
        # Without this Textual keeps to greys under NO_COLOR, but still sends their codes.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.glyphs = glyphs
        """What every picture is made of."""
        self.set_class(glyphs is Glyphs.ASCII, "-ascii")
        self.all_ended = True
        """Whether every run's thread had ended when the app was left."""
        self.explorer = Explorer(
            make_run, config, left_open, paused=paused, updates_per_second=updates_per_second
        )

    def get_default_screen(self) -> Screen[None]:
        """Open with the explorer."""
        return self.explorer

    async def on_unmount(self) -> None:
        """End the runs before the program ends."""
        self.all_ended = await self.explorer.end()


def explore(
    make_run: MakeRun,
    config: RunConfig,
    left_open: frozenset[str],
    *,
    paused: bool,
    plain: bool,
) -> int:
    """Run the explorer on this terminal, in ASCII if `plain`, and return the exit code."""
    app = BntuiApp(
        make_run,
        config,
        left_open,
        paused=paused,
        updates_per_second=terminal.updates_per_second(),
        glyphs=terminal.glyphs(plain=plain),
    )
    app.run()
    code = app.return_code or 0
    if not app.all_ended:
        # A step of many seconds is under way. Python would end its thread in the middle of torch,
        # which aborts the process; nothing is left to save.
        os._exit(code)
    return code
