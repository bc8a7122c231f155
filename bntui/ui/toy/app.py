"""The toy alone on a terminal: `bntui toy`. Importing it loads no torch."""

from textual.screen import Screen

from bntui.ui.remembered import Memory
from bntui.ui.terminal import capabilities
from bntui.ui.terminal.glyphs import Glyphs
from bntui.ui.terminal_app import TerminalApp, on_this_terminal
from bntui.ui.toy.screen import ToyScreen

LEAVES = (
    "That is the mechanism. `bntui` shows it in a network of hundreds of such channels; q leaves",
    "That is the mechanism; `bntui` shows it in a network. q leaves",
    "That is all. `bntui` shows it in a network; q leaves",
)


class ToyApp(TerminalApp):
    """Begins with the toy, and ends with it."""

    def __init__(
        self,
        *,
        seed: int = 0,
        glyphs: Glyphs = Glyphs.BRAILLE,
        memory: Memory | None = None,
        theme: str | None = None,
        frames_per_second: float | None = None,
        ticks: bool = True,
    ) -> None:
        """`memory` has the theme that was chosen before; a `theme` that is given goes over it.

        The others are the screen's.
        """
        super().__init__(glyphs=glyphs, memory=memory, theme=theme)
        self._seed = seed
        self._frames_per_second = frames_per_second
        self._ticks = ticks

    def get_default_screen(self) -> Screen[None]:
        """Open with the toy."""
        return ToyScreen(
            LEAVES,
            seed=self._seed,
            frames_per_second=self._frames_per_second,
            ticks=self._ticks,
        )


def play(*, seed: int, plain: bool, memory: Memory, theme: str | None) -> int:
    """Run the toy on this terminal, in ASCII if `plain`, and return the exit code."""
    app = ToyApp(seed=seed, glyphs=capabilities.glyphs(plain=plain), memory=memory, theme=theme)
    on_this_terminal(app)
    return app.return_code or 0
