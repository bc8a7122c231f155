"""The line at the bottom: the keys that matter, as many as there is room for.

Not Textual's Footer, which is built anew at every change of focus: 20 ms and 400 bytes a key.
"""

from collections.abc import Callable, Sequence

from bntui.ui.drawing.canvas import Canvas, Picture, Row
from bntui.ui.key_lines import Shown


class KeyLine(Canvas):
    """Shows keys and a word for each: from the first on as many as fit, and always the last."""

    DEFAULT_CSS = "KeyLine { height: 1; background: $panel; }"

    def __init__(self, keys: Sequence[Shown]) -> None:
        super().__init__()
        self._shown = keys
        self._keys = self._written(lambda _: "", lambda _: False)

    def show(self, *, said: Callable[[str], str], hidden: Callable[[str], bool]) -> None:
        """Show the keys whose commands are not `hidden`, with what is `said` of one, if anything."""
        if (keys := self._written(said, hidden)) != self._keys:
            self._keys = keys
            self.repaint()

    def _written(
        self, said: Callable[[str], str], hidden: Callable[[str], bool]
    ) -> list[tuple[str, str]]:
        return [
            (shown.key, said(shown.command) or shown.word)
            for shown in self._shown
            if not hidden(shown.command)
        ]

    def draw(self, width: int, height: int) -> Picture:
        """Return the line; the last key is always on it."""
        *keys, last = self._keys
        room = width - len(" ".join(last)) - 2
        row: Row = []
        for key, text in keys:
            room -= len(key) + len(text) + 3
            if room < 0:
                break
            row += [(f" {key} ", "strong"), (f"{text} ", "faint")]
        return [[*row, (f" {last[0]} ", "strong"), (f"{last[1]} ", "faint")]]
