"""One answer to a question of a dialog: its key, and what it means; a click on it is that key."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from bntui.ui.terminal.glyphs import fit


class Answer(Horizontal):
    """A key in brackets and a text, which goes on below its own beginning where it needs more lines."""

    DEFAULT_CSS = """
    Answer {
        height: auto;
        &:hover { background: $primary 20%; }
        .key { width: auto; text-style: bold; padding-right: 1; }
        .text { width: 1fr; height: auto; }
    }
    """

    def __init__(self, key: str, text: str, action: str) -> None:
        """Stand for a key that is bound to `action`, one of the screen's."""
        super().__init__()
        self._key, self._text, self._action = key, text, action

    def compose(self) -> ComposeResult:
        """Lay out the key and the text."""
        yield Static(f"[{self._key}]", markup=False, classes="key")
        yield Static(fit(self.app, self._text), markup=False, classes="text")

    async def on_click(self) -> None:
        """Do what the key does."""
        await self.run_action(f"screen.{self._action}")
